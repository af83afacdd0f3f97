"""What routers tell of their lines, and what follows from it, with a real controller process."""

import time
from pathlib import Path
from typing import Any

import grpc
import pytest
from controller_process import (
    Agent,
    ControllerProcess,
    Operator,
    Refusal,
    agent,
    network,
    operator,
    running,
    until,
)
from google.protobuf.timestamp_pb2 import Timestamp
from tasuki_proto.v1 import agent_pb2, config_pb2, fact_pb2
from tasuki_yang.facts import NOUNS

OLD, NEW = "2001:db8:1::1", "2001:db8:2::1"


def late_bound(*subscribers: int) -> Any:
    """A split whose subscribers are at the global address of home's interface."""
    tree = network("vps", "home", subscribers=subscribers or (1,))
    (split,) = tree["tasuki-network:network"]["tasuki-vxlan-split:vxlan-split"]
    split["hub"]["underlay"] = {"interface": "wan0", "ipv6-address": "2001:db8:ffff::1"}
    for subscriber in split["subscriber"]:
        subscriber["underlay"] = {"interface": "wan0", "global-address": [None]}
    return tree


def fact(
    *values: str, subject: str = "wan0", noun: str = "global-address", router: str = ""
) -> fact_pb2.Fact:
    return fact_pb2.Fact(router=router, subject=subject, noun=noun, values=values)


async def tell(home: Agent, *facts: fact_pb2.Fact) -> None:
    await home.send(report=agent_pb2.Report(facts=facts))


def end_of(tree: Any) -> str:
    """Where the hub's only tunnel goes to."""
    (end,) = (
        each["tasuki-link:vxlan"]
        for each in tree["ietf-interfaces:interfaces"]["interface"]
        if "tasuki-link:vxlan" in each
    )
    return str(end.get("remote", "")) or "unknown"


async def intended_end(alice: Operator) -> str:
    return end_of(await alice.get(datastore=config_pb2.DATASTORE_INTENDED, router="vps"))


async def until_end_is(alice: Operator, address: str) -> None:
    async def so() -> bool:
        return await intended_end(alice) == address

    await until(so)


async def facts_of(alice: Operator, router: str = "") -> list[fact_pb2.Fact]:
    return list((await alice.fact.ListFacts(fact_pb2.ListFactsRequest(router=router))).facts)


async def changes(alice: Operator, **request: Any) -> list[fact_pb2.FactChange]:
    response = await alice.fact.ListFactChanges(fact_pb2.ListFactChangesRequest(**request))
    return list(response.changes)


async def test_the_peer_follows_a_new_address_without_a_commit(
    controller: ControllerProcess, alice: Operator
) -> None:
    await alice.apply(late_bound())
    assert await intended_end(alice) == "unknown"
    async with agent(controller.target) as home, agent(controller.target) as vps:
        await home.hello("home")
        await vps.hello("vps")
        await vps.intent()
        for address in (OLD, NEW):
            await tell(home, fact(address))
            revision, tree = await vps.intent()
            assert (revision, end_of(tree)) == (1, address)
    second, first = await changes(alice)
    assert (second.router, second.subject, second.noun) == ("home", "wan0", "global-address")
    assert (list(second.old_values), list(second.values)) == ([OLD], [NEW])
    assert list(second.recompiled) == ["vps"]
    assert (list(first.old_values), list(first.values), first.number) == ([], [OLD], second.number - 1)
    assert len((await alice.config.ListRevisions(config_pb2.ListRevisionsRequest())).revisions) == 1


async def test_a_lost_address_keeps_the_peer_where_it_is_and_is_no_change(
    controller: ControllerProcess, alice: Operator
) -> None:
    await alice.apply(late_bound())
    async with agent(controller.target) as home:
        await home.hello("home")
        await tell(home, fact(OLD))
        await until_end_is(alice, OLD)
        await tell(home, fact())

        async def lost() -> bool:
            return [each.lost for each in await facts_of(alice)] == [True]

        await until(lost)
        assert await intended_end(alice) == OLD
        await tell(home, fact(OLD))

        async def back() -> bool:
            return not await lost()

        await until(back)
        (known,) = await facts_of(alice, "home")
        assert (list(known.values), known.lost, known.HasField("since")) == ([OLD], False, True)
        assert len(await changes(alice)) == 1


async def test_all_that_a_new_lease_brings_is_one_event_and_so_is_its_end(
    controller: ControllerProcess, alice: Operator
) -> None:
    await alice.apply(late_bound())
    async with agent(controller.target) as home:
        await home.hello("home")

        def lease(prefix: str, *former: str, server: str = "2001:db8::53") -> list[fact_pb2.Fact]:
            return [
                fact(prefix, noun="delegated-prefix"),
                fact(*former, noun="former-prefixes"),
                fact(server, noun="dns-servers"),
            ]

        async def recorded(number: int) -> list[fact_pb2.FactChange]:
            async def so() -> bool:
                return len(await changes(alice)) == number

            await until(so)
            return await changes(alice)

        await tell(home, *lease("2001:db8:1200::/56"))
        await recorded(2)
        await tell(home, *lease("2001:db8:1300::/56", "2001:db8:1200::/56", server="2001:db8::54"))
        renumbered = (await recorded(5))[:3]
        assert {each.event for each in renumbered} == {3}
        assert {each.noun for each in renumbered} == {"delegated-prefix", "former-prefixes", "dns-servers"}
        # What was only noted is told without values when it is gone.
        await tell(home, *lease("2001:db8:1300::/56", server="2001:db8::54"))
        (over, *_) = await recorded(6)
        assert (over.noun, list(over.old_values), list(over.values), over.event) == (
            "former-prefixes",
            ["2001:db8:1200::/56"],
            [],
            6,
        )
        assert {each.noun for each in await facts_of(alice) if each.values} == {
            "delegated-prefix",
            "dns-servers",
        }


async def test_values_are_listed_with_the_terms_of_the_newest_report(
    controller: ControllerProcess, alice: Operator
) -> None:
    await alice.apply(late_bound())
    end = Timestamp(seconds=int(time.time()) + 30 * 86400)
    async with agent(controller.target) as home:
        await home.hello("home")
        servers = fact("2001:db8::53", "2001:db8::54", noun="dns-servers")
        servers.terms.add(origin="dhcpv6", valid_until=end)
        address = fact(OLD)
        address.terms.add()
        await tell(home, address, servers)
        await until_end_is(alice, OLD)
        terms = {each.noun: list(each.terms) for each in await facts_of(alice, "home")}
    assert terms == {
        "global-address": [],
        "dns-servers": [fact_pb2.Terms(origin="dhcpv6", valid_until=end), fact_pb2.Terms()],
    }


async def test_a_router_that_tells_of_everything_hides_no_other_one(
    controller: ControllerProcess, alice: Operator
) -> None:
    await alice.apply(late_bound())
    async with agent(controller.target) as vps, agent(controller.target) as home:
        await vps.hello("vps")
        await home.hello("home")
        for turn in range(3):
            much = [f"2001:db8:{turn:x}::{number:x}" for number in range(40)]
            flood = [fact(*much, subject=f"wan{number}", noun="dns-servers") for number in range(10_000)]
            await tell(vps, *flood)
        await tell(home, fact(OLD))
        await until_end_is(alice, OLD)

        async def heard() -> bool:
            return len(await facts_of(alice, "vps")) == 1000

        await until(heard)
    assert {len(each.values) for each in await facts_of(alice, "vps")} == {16}
    recorded = await changes(alice, limit=10_000)
    assert sum(each.router == "vps" for each in recorded) == 200
    assert [list(each.values) for each in recorded if each.router == "home"] == [[OLD]]


async def test_what_a_router_is_not_asked_for_any_more_is_not_called_lost(
    controller: ControllerProcess, alice: Operator
) -> None:
    await alice.apply(late_bound())
    async with agent(controller.target) as home:
        await home.hello("home")
        await tell(home, fact(OLD))
        await until_end_is(alice, OLD)
        await tell(home)

        async def unasked() -> bool:
            return [(each.unasked, each.lost) for each in await facts_of(alice)] == [(True, False)]

        await until(unasked)
        assert await intended_end(alice) == OLD
        doubted = fact(OLD)
        doubted.unconfirmed = "no answer since noon"
        await tell(home, doubted)

        async def doubtful() -> bool:
            return [(each.unasked, each.unconfirmed) for each in await facts_of(alice)] == [
                (False, "no answer since noon")
            ]

        await until(doubtful)


async def test_an_address_of_another_router_is_shown_as_contested_and_followed_nowhere(
    controller: ControllerProcess, alice: Operator
) -> None:
    await alice.apply(late_bound())
    async with agent(controller.target) as vps, agent(controller.target) as home:
        await vps.hello("vps")
        await tell(vps, fact(NEW))
        await home.hello("home")

        async def listed() -> bool:
            return len(await facts_of(alice, "vps")) == 1

        await until(listed)
        await tell(home, fact(NEW))

        async def contested() -> bool:
            return [each.problem for each in await facts_of(alice, "home")] != [""]

        await until(contested)
        (shown,) = await facts_of(alice, "home")
        assert shown.problem.startswith("router vps tells of it")
        assert await intended_end(alice) == "unknown"
        assert {change.router for change in await changes(alice)} == {"vps"}
        await tell(vps, fact(OLD))
        await until_end_is(alice, NEW)


async def test_the_evidence_says_which_router_is_offline(
    controller: ControllerProcess, alice: Operator
) -> None:
    await alice.apply(late_bound())
    async with agent(controller.target) as home:
        await home.hello("home")
        observed = Timestamp(seconds=1_770_000_000)
        await home.send(report=agent_pb2.Report(facts=[fact(OLD)], observed_at=observed))
        await until_end_is(alice, OLD)

    async def offline() -> bool:
        answer = await alice.fact.ListFacts(fact_pb2.ListFactsRequest())
        return [(each.router, each.connected, each.observed_at) for each in answer.evidence] == [
            ("home", False, observed)
        ]

    await until(offline)


async def test_what_is_waited_for_is_listed_before_its_router_was_ever_there(alice: Operator) -> None:
    await alice.apply(late_bound())
    (waited,) = await facts_of(alice)
    assert (waited.router, waited.subject, waited.noun) == ("home", "wan0", "global-address")
    assert not waited.values
    assert not waited.HasField("since")


async def test_facts_and_what_follows_from_them_survive_a_power_cut(tmp_path: Path) -> None:
    async with running(tmp_path, "--insecure") as controller, operator(controller.target) as alice:
        await alice.apply(late_bound())
        await alice.apply(network("other"))
        async with agent(controller.target) as home, agent(controller.target) as vps:
            await home.hello("home")
            await vps.hello("vps")
            await vps.intent()
            await tell(home, fact(OLD))
            intent = await vps.receive("intent")
        facts, recorded = await facts_of(alice), await changes(alice)
        await controller.kill()
    async with running(tmp_path, "--insecure") as controller, operator(controller.target) as alice:
        assert await intended_end(alice) == OLD
        assert (await facts_of(alice), await changes(alice)) == (facts, recorded)
        async with agent(controller.target) as vps:
            await vps.hello("vps", revision=intent.revision, digest=intent.digest)
            again = await vps.receive("intent")
            assert (again.revision, again.digest, again.config_json_gz) == (1, intent.digest, b"")


async def test_a_revert_does_not_bring_an_old_end_back(
    controller: ControllerProcess, alice: Operator
) -> None:
    await alice.apply(late_bound())
    async with agent(controller.target) as home, agent(controller.target) as vps:
        await home.hello("home")
        await tell(home, fact(OLD))
        await until_end_is(alice, OLD)
        tree = late_bound()
        tree["tasuki-network:network"]["tasuki-vxlan-split:vxlan-split"][0]["udp-port"] = 4790
        made = await alice.apply(tree, confirm_seconds=600)
        await vps.hello("vps")
        await vps.receive("intent")
        await tell(home, fact(NEW))
        on_trial = await vps.receive("intent")
        assert on_trial.HasField("trial")
        assert on_trial.revision == 2
        await alice.config.CancelCommit(config_pb2.CancelCommitRequest(persist_id=made.persist_id))
        reverted = await vps.receive("intent")
        assert reverted.revision == 3
        assert reverted.digest == on_trial.trial.fallback_digest
        assert await intended_end(alice) == NEW


async def test_what_no_router_can_tell_is_passed_over_and_said_once(
    controller: ControllerProcess, alice: Operator
) -> None:
    await alice.apply(late_bound())
    async with agent(controller.target) as home:
        await home.hello("home")
        for address in (OLD, NEW):
            await tell(home, fact("fe80::1"), fact("x", noun="weather"), fact(address, router="vps"))
            # The last of a router's facts that have one key counts, and never for another router.
            await until_end_is(alice, address)
    assert [each.router for each in await facts_of(alice)] == ["home"]
    assert sum("weather" in line for line in controller.lines) == 1
    assert sum("fe80::1" in line for line in controller.lines) == 1


async def test_a_router_of_no_network_is_not_listened_to(
    controller: ControllerProcess, alice: Operator
) -> None:
    await alice.apply(late_bound())
    async with agent(controller.target) as stranger, agent(controller.target) as home:
        await stranger.hello("stranger")
        await tell(stranger, fact(NEW))
        await home.hello("home")
        await tell(home, fact(OLD))
        await until_end_is(alice, OLD)
    assert [each.router for each in await changes(alice)] == ["home"]


async def test_a_router_that_left_and_comes_again_has_told_nothing(
    controller: ControllerProcess, alice: Operator
) -> None:
    await alice.apply(late_bound())
    async with agent(controller.target) as home:
        await home.hello("home")
        await tell(home, fact(OLD))
        await until_end_is(alice, OLD)
    await alice.apply(network("vps"), operation=config_pb2.OPERATION_REPLACE)
    assert await facts_of(alice) == []
    await alice.apply(late_bound())
    assert await intended_end(alice) == "unknown"


# What if


async def plan(agent: Agent, *steps: str) -> list[tuple[str, ...]]:
    """Answer what the controller asks next; what it supposes."""
    request = await agent.receive("prepare_request")
    await agent.send(prepare_answer=agent_pb2.PrepareAnswer(id=request.id, plan=steps))
    return [tuple(one.values) for one in request.suppose]


async def supposed(alice: Operator, *facts: fact_pb2.Fact) -> config_pb2.DiffResponse:
    response: config_pb2.DiffResponse = await alice.config.Diff(config_pb2.DiffRequest(suppose=facts))
    return response


async def test_what_if_shows_every_router_and_changes_nothing(
    controller: ControllerProcess, alice: Operator
) -> None:
    await alice.apply(late_bound())
    async with agent(controller.target) as home, agent(controller.target) as vps:
        await home.hello("home")
        await vps.hello("vps")
        await vps.intent()
        await tell(home, fact(OLD))
        await until_end_is(alice, OLD)
        asking = alice.config.Diff(config_pb2.DiffRequest(suppose=[fact(NEW, router="home")]))
        for each in (home, vps):
            assert not await plan(each)
        for each in (home, vps):
            supposed = await plan(each, "change link vxlan01")
            assert supposed == ([(NEW,)] if each is home else [])
        answer = await asking
    assert {each.router: list(each.plan) for each in answer.routers} == {
        "home": ["change link vxlan01"],
        "vps": ["change link vxlan01"],
    }
    assert {each.router: [change.new_json for change in each.changes] for each in answer.routers} == {
        "home": [],
        "vps": [f'"{NEW}"'],
    }
    assert not answer.changes
    assert await intended_end(alice) == OLD
    assert len(await changes(alice)) == 1


async def test_what_if_says_when_nothing_depends_on_what_is_supposed(
    controller: ControllerProcess, alice: Operator
) -> None:
    await alice.apply(late_bound())
    async with agent(controller.target) as home:
        await home.hello("home")
        await home.intent()
        asking = alice.config.Diff(config_pb2.DiffRequest(suppose=[fact(NEW, subject="wan1", router="home")]))
        for _ in ("now", "then"):
            await plan(home, "create link vxlan01")
        (answer,) = (await asking).routers
    assert answer.message == (
        "nothing in the intent depends on home/wan1/global-address; it depends on: home/wan0/global-address"
    )


async def test_what_if_says_that_nobody_knows_what_a_router_that_is_offline_would_ask_for(
    alice: Operator,
) -> None:
    await alice.apply(late_bound())
    (answer,) = (await supposed(alice, fact(NEW, subject="wan1", router="home"))).routers
    assert answer.message == (
        "whether anything depends on home/wan1/global-address cannot be known while home is offline;"
        " known to count: home/wan0/global-address"
    )
    (answer,) = (await supposed(alice, fact(NEW, router="vps"))).routers
    assert answer.message == (
        "whether anything depends on vps/wan0/global-address cannot be known while vps is offline"
    )


async def test_what_if_tells_of_all_mistakes_at_once(alice: Operator) -> None:
    await alice.apply(late_bound())
    with Refusal() as refusal:
        await supposed(
            alice,
            fact(OLD, router="nobody"),
            fact("x", noun="weather", router="home"),
            fact("fe80::1", router="home"),
            fact(router="home"),
        )
    assert refusal.code is grpc.StatusCode.INVALID_ARGUMENT
    assert [each.message for each in refusal.problems] == [
        f"nobody/wan0/global-address={OLD}: there is no router 'nobody'; there are: home, vps.",
        (
            "home/wan0/weather=x: 'wan0/weather' is no fact: write SUBJECT/NOUN, such as wan0/global-address;"
            f" nouns are {', '.join(sorted(NOUNS))}."
        ),
        "home/wan0/global-address=fe80::1: fe80::1 is no address that a tunnel can end at.",
        "home/wan0/global-address=: wan0/global-address has one value, such as 2001:db8::1.",
    ]


@pytest.mark.parametrize("field", ["edit", "from_revision", "candidate"])
async def test_what_if_goes_with_nothing_else(alice: Operator, field: str) -> None:
    await alice.apply(late_bound())
    other = {
        "edit": config_pb2.Document(config_json=b"{}"),
        "from_revision": 1,
        "candidate": True,
    }
    request = config_pb2.DiffRequest(suppose=[fact(NEW, router="home")], **{field: other[field]})  # type: ignore[arg-type]
    with Refusal() as refusal:
        await alice.config.Diff(request)
    assert refusal.code is grpc.StatusCode.INVALID_ARGUMENT
