"""Agents' streams and what operators see of them, with a real controller process."""

import asyncio
import gzip
import json
import time
from pathlib import Path

import grpc
import pytest
from controller_process import (
    Agent,
    ControllerProcess,
    Operator,
    Refusal,
    agent,
    health,
    network,
    operator,
    running,
    until,
)
from google.protobuf.timestamp_pb2 import Timestamp
from grpc import aio
from grpc_health.v1 import health_pb2
from tasuki_controller.fleet import PREPARE_TIMEOUT
from tasuki_proto.channel import HEARTBEAT_SECONDS
from tasuki_proto.v1 import agent_pb2, config_pb2, drift_pb2, router_pb2


def now() -> Timestamp:
    stamp = Timestamp()
    stamp.GetCurrentTime()
    return stamp


def drift(
    number: int, action: drift_pb2.DriftItem.Action = drift_pb2.DriftItem.ACTION_PENDING
) -> agent_pb2.Report:
    item = drift_pb2.DriftItem(id=f"{number}", router="vps", action=action, last_seen=now())
    return agent_pb2.Report(drift=[agent_pb2.SequencedDrift(sequence=number, item=item)])


async def router_of(alice: Operator, name: str) -> router_pb2.Router:
    response = await alice.router.GetRouter(router_pb2.GetRouterRequest(name=name))
    router: router_pb2.Router = response.router
    return router


async def test_an_agent_gets_its_intent_and_every_newer_one(
    controller: ControllerProcess, alice: Operator
) -> None:
    await alice.apply(network("vps", "home"))
    async with agent(controller.target) as home:
        await home.hello("home")
        assert await home.intent() == (1, {})
        applied = await alice.apply(network("vps", "home", subscribers=[1]))
        assert {outcome.router: outcome.outcome for outcome in applied.routers} == {
            "home": "pending",
            "vps": "offline",
        }
        revision, tree = await home.intent()
        assert revision == 2
        assert tree == await alice.get(datastore=config_pb2.DATASTORE_INTENDED, router="home")


async def test_an_agent_that_holds_its_intent_is_spared_the_text(
    controller: ControllerProcess, alice: Operator
) -> None:
    await alice.apply(network("vps", "home", subscribers=[1]))
    async with agent(controller.target) as home:
        await home.hello("home")
        intent = await home.receive("intent")
    await alice.apply(network("other"))
    async with agent(controller.target) as home:
        await home.hello("home", revision=intent.revision, digest=intent.digest)
        again = await home.receive("intent")
    assert (again.revision, again.digest, again.config_json_gz) == (1, intent.digest, b"")


async def test_a_removed_router_is_told_to_be_empty(controller: ControllerProcess, alice: Operator) -> None:
    await alice.apply(network("vps", "home", subscribers=[1]))
    async with agent(controller.target) as home:
        await home.hello("home")
        await home.intent()
        await alice.apply(network("vps"), operation=config_pb2.OPERATION_REPLACE)
        assert await home.intent() == (2, {})
        await home.send(report=agent_pb2.Report(applied_revision=2))
        await until_applied(alice, "home", 2)
    with Refusal() as refusal:
        await until_applied(alice, "home", 3)
    assert refusal.code is grpc.StatusCode.NOT_FOUND


async def until_applied(alice: Operator, name: str, revision: int) -> None:
    async def applied() -> bool:
        return (await router_of(alice, name)).applied_revision >= revision

    await until(applied)


async def test_after_a_restart_intents_and_their_revisions_are_the_same(tmp_path: Path) -> None:
    async with running(tmp_path, "--insecure") as controller, operator(controller.target) as alice:
        await alice.apply(network("vps", "home", subscribers=[1]))
        await alice.apply(network("gone"))
        await alice.apply(network("gone"), operation=config_pb2.OPERATION_DELETE)
        async with agent(controller.target) as home:
            await home.hello("home")
            before = await home.receive("intent")
            await home.send(report=agent_pb2.Report(applied_revision=1, observed_at=now()))
            await until_applied(alice, "home", 1)
        await controller.kill()
    async with running(tmp_path, "--insecure") as controller, operator(controller.target) as alice:
        for name in ("home", "gone"):
            async with agent(controller.target) as again:
                await again.hello(name)
                intent = await again.receive("intent")
                assert intent == before if name == "home" else intent.revision == 3
        home_router = await router_of(alice, "home")
        assert home_router.applied_revision == 1
        assert home_router.HasField("observed_at")
        assert home_router.last_seen.seconds


async def test_a_second_agent_of_the_same_router_replaces_the_first(
    controller: ControllerProcess, alice: Operator
) -> None:
    await alice.apply(network("home"))
    async with agent(controller.target) as first, agent(controller.target) as second:
        await first.hello("home")
        await first.intent()
        await second.hello("home")
        await second.intent()
        with Refusal() as refusal:
            await first.receive("intent")
        assert refusal.code is grpc.StatusCode.ABORTED
        assert "Another agent" in refusal.text
        assert (await router_of(alice, "home")).connected


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (agent_pb2.ConnectRequest(report=agent_pb2.Report()), "first message of a stream is Hello"),
        (agent_pb2.ConnectRequest(), "first message of a stream is Hello"),
        (agent_pb2.ConnectRequest(hello=agent_pb2.Hello()), "'' is no router's name"),
        (agent_pb2.ConnectRequest(hello=agent_pb2.Hello(router="split/1")), "'split/1' is no router's name"),
    ],
)
async def test_a_stream_begins_with_a_hello_of_a_router(
    controller: ControllerProcess, message: agent_pb2.ConnectRequest, words: str
) -> None:
    async with agent(controller.target) as stranger:
        await stranger.stream.write(message)
        with Refusal() as refusal:
            await stranger.receive("intent")
    assert refusal.code is grpc.StatusCode.INVALID_ARGUMENT
    assert words in refusal.text


async def test_a_second_hello_ends_the_stream(controller: ControllerProcess, alice: Operator) -> None:
    await alice.apply(network("home"))
    async with agent(controller.target) as home:
        await home.hello("home")
        await home.intent()
        await home.hello("vps")
        with Refusal() as refusal:
            await home.receive("intent")
    assert "comes once" in refusal.text


async def test_an_idle_stream_carries_heartbeats(controller: ControllerProcess) -> None:
    async with agent(controller.target) as home:
        await home.hello("home")
        started = time.monotonic()
        await home.receive("heartbeat")
        assert time.monotonic() - started < 2 * HEARTBEAT_SECONDS


async def test_reports_show_how_a_router_stands(controller: ControllerProcess, alice: Operator) -> None:
    await alice.apply(network("home", "vps"))
    waiting = router_pb2.ObjectStatus(kind="link", key="vxlan01", state=router_pb2.ObjectStatus.STATE_WAITING)
    async with agent(controller.target) as home:
        await home.hello("home", agent_version="1.2.3")
        counts = router_pb2.ObjectCounts(total=2, done=1, waiting=1)
        report = agent_pb2.Report(applied_revision=1, observed_at=now(), counts=counts, objects=[waiting])
        await home.send(report=report)
        await until_applied(alice, "home", 1)
        router = await router_of(alice, "home")
        assert router.connected
        assert router.peer.startswith("127.0.0.1:")
        assert (router.agent_version, router.intended_revision, router.counts) == ("1.2.3", 1, counts)
        assert list(router.objects) == [waiting]
        listed = await alice.router.ListRouters({})
        assert [(r.name, r.connected, len(r.objects)) for r in listed.routers] == [
            ("home", True, 0),
            ("vps", False, 0),
        ]
    await until_connected(alice, "home", False)


async def test_drift_is_acknowledged_listed_and_watched(tmp_path: Path) -> None:
    async with running(tmp_path, "--insecure") as controller, operator(controller.target) as alice:
        await alice.apply(network("home", "vps"))
        async with agent(controller.target) as home:
            await home.hello("home")
            await home.send(report=drift(1))
            assert (await home.receive("drift_ack")).sequence == 1
            watch = alice.drift.WatchDrift(drift_pb2.WatchDriftRequest(router="home"))
            assert (await watch.read()).item.id == "1"
            await home.send(report=drift(2, drift_pb2.DriftItem.ACTION_HEALED))
            assert (await watch.read()).item.id == "2"
            assert (await home.receive("drift_ack")).sequence == 2
        await controller.kill()
    async with running(tmp_path, "--insecure") as controller, operator(controller.target) as alice:
        listed = await alice.drift.ListDrift(drift_pb2.ListDriftRequest())
        # A router reports about itself only, whatever the item says.
        assert [(item.id, item.router) for item in listed.items] == [("2", "home"), ("1", "home")]
        assert [evidence.router for evidence in listed.evidence] == ["home", "vps"]
        opened = await alice.drift.ListDrift(drift_pb2.ListDriftRequest(open_only=True))
        assert [item.id for item in opened.items] == ["1"]
        router = await router_of(alice, "home")
        assert (router.open_drift, router.recent_drift) == (1, 2)
        with Refusal() as refusal:
            await alice.drift.ListDrift(drift_pb2.ListDriftRequest(router="nope"))
        assert refusal.code is grpc.StatusCode.NOT_FOUND


async def test_operational_data_is_the_routers_own_and_the_last_known_when_it_is_away(
    controller: ControllerProcess, alice: Operator
) -> None:
    await alice.apply(network("home"))
    operational = config_pb2.GetRequest(
        datastore=config_pb2.DATASTORE_OPERATIONAL, router="home", as_json=True
    )
    with Refusal() as refusal:
        await alice.config.Get(operational)
    assert refusal.code is grpc.StatusCode.UNAVAILABLE
    tree = {"ietf-interfaces:interfaces": {"interface": [{"name": "vxlan01", "enabled": True}]}}
    async with agent(controller.target) as home:
        await home.join("home")
        asking = alice.config.Get(operational)
        question = await home.receive("operational_request")
        text = gzip.compress(json.dumps(tree).encode())
        answer = agent_pb2.Operational(
            id=question.id, config_json_gz=text, observed_at=now(), applied_revision=1
        )
        await home.send(operational=answer)
        response = await asking
        assert json.loads(response.config_json) == tree
        assert (response.revision, response.observed_at) == (1, answer.observed_at)
    await until_connected(alice, "home", False)
    assert json.loads((await alice.config.Get(operational)).config_json) == tree


@pytest.mark.parametrize(
    "text",
    [gzip.compress(bytes(65 << 20)), gzip.compress(b"[" * 100_000), gzip.compress(b"[]"), b"x", b""],
    ids=["too large", "too deep", "no object", "no gzip", "nothing"],
)
async def test_operational_data_that_is_none_fails_who_asked_for_it_and_nobody_else(
    controller: ControllerProcess, alice: Operator, text: bytes
) -> None:
    await alice.apply(network("home"))
    async with agent(controller.target) as home:
        await home.join("home")
        asking = alice.config.Get(
            config_pb2.GetRequest(datastore=config_pb2.DATASTORE_OPERATIONAL, router="home")
        )
        question = await home.receive("operational_request")
        before = controller.memory()
        await home.send(operational=agent_pb2.Operational(id=question.id, config_json_gz=text))
        with Refusal() as refusal:
            await asking
        assert refusal.code is grpc.StatusCode.ABORTED
        assert "router 'home'" in refusal.text
        assert "cannot be read" in refusal.text
        assert controller.memory() - before < 200 << 20
        assert (await router_of(alice, "home")).connected


async def test_a_router_without_a_clock_or_measure_hides_no_other(
    controller: ControllerProcess, alice: Operator
) -> None:
    await alice.apply(network("home", "vps"))
    async with agent(controller.target) as home:
        await home.hello("home")
        beyond = Timestamp(seconds=2**60)
        await home.send(heartbeat=agent_pb2.Heartbeat(applied_revision=1, observed_at=beyond))
        await until_applied(alice, "home", 1)
        items = [
            agent_pb2.SequencedDrift(
                sequence=number,
                item=drift_pb2.DriftItem(id=f"{number}", last_seen=beyond, observed="x" * (20 << 20)),
            )
            for number in (1, 2)
        ]
        await home.send(report=agent_pb2.Report(applied_revision=1, observed_at=beyond, drift=items))
        assert (await home.receive("drift_ack")).sequence == 2
        listed = await alice.drift.ListDrift(drift_pb2.ListDriftRequest())
        assert len(listed.items) == 2
        assert listed.ByteSize() < 20_000
        stamps = [each.observed_at for each in (await alice.router.ListRouters({})).routers]
        stamps += [each.last_seen for each in listed.items] + [each.observed_at for each in listed.evidence]
        assert all(stamp.ToDatetime().year < 3000 for stamp in stamps)


async def test_a_controller_that_lost_its_database_empties_no_router_that_it_is_not_told_of(
    tmp_path: Path,
) -> None:
    async with (
        running(tmp_path / "new", "--insecure") as controller,
        operator(controller.target) as alice,
        agent(controller.target) as home,
    ):
        await home.join("home", revision=14, digest="of another history")
        await alice.apply(network("vps"))
        router = await router_of(alice, "home")
        assert "this network has no router home: it keeps revision 14 that it holds" in router.problem
        assert "holds revision 14, newer than this controller's newest revision 1" in router.problem
        with Refusal() as refusal:
            await alice.get(datastore=config_pb2.DATASTORE_INTENDED, router="home")
        assert refusal.code is grpc.StatusCode.NOT_FOUND
        # Nothing has been sent before the intent of the revision that names it.
        await alice.apply(network("vps", "home", subscribers=[1]))
        revision, tree = await home.intent()
        assert (revision, bool(tree)) == (2, True)


async def test_why_an_intent_was_refused_is_seen_until_one_is_taken(
    controller: ControllerProcess, alice: Operator
) -> None:
    await alice.apply(network("home"))

    async def told(problem: str) -> None:
        async def as_told() -> bool:
            return (await router_of(alice, "home")).problem == problem

        await until(as_told)

    async with agent(controller.target) as home:
        await home.hello("home")
        await home.intent()
        await home.send(
            report=agent_pb2.Report(problem="revision 1 is not a router tree that this agent knows")
        )
        await told("revision 1 is not a router tree that this agent knows")
        await home.send(report=agent_pb2.Report(revision=1, applied_revision=1))
        await told("")


async def until_connected(alice: Operator, name: str, connected: bool) -> None:  # noqa: FBT001
    async def as_wanted() -> bool:
        return (await router_of(alice, name)).connected is connected

    await until(as_wanted)


async def test_a_watcher_sees_every_router_once_and_then_what_changes(
    controller: ControllerProcess, alice: Operator
) -> None:
    await alice.apply(network("a", "b"))
    watch = alice.router.WatchRouters(router_pb2.WatchRoutersRequest())
    assert [(await watch.read()).router.name for _ in "ab"] == ["a", "b"]
    async with agent(controller.target) as b:
        await b.hello("b")
        seen = (await watch.read()).router
        assert (seen.name, seen.connected) == ("b", True)
    only_a = alice.router.WatchRouters(router_pb2.WatchRoutersRequest(names=["a"]))
    assert (await only_a.read()).router.name == "a"
    with Refusal() as refusal:
        await alice.router.WatchRouters(router_pb2.WatchRoutersRequest(names=["nope"])).read()
    assert refusal.code is grpc.StatusCode.NOT_FOUND


async def test_agents_and_watchers_that_read_nothing_delay_no_commit_and_cost_no_memory(
    controller: ControllerProcess, alice: Operator
) -> None:
    await alice.apply(network("vps", "home", subscribers=range(1, 31)))
    async with agent(controller.target) as stuck, operator(controller.target) as lazy:
        await stuck.join("vps")
        watches = [lazy.router.WatchRouters(router_pb2.WatchRoutersRequest()) for _ in range(5)]
        await asyncio.gather(*(watch.read() for watch in watches))
        before = controller.memory()
        took: list[float] = []
        for turn in range(60):
            started = time.monotonic()
            operation = config_pb2.OPERATION_REMOVE if turn % 2 == 0 else config_pb2.OPERATION_MERGE
            tree = network("vps", "home", subscribers=[30])
            del tree["tasuki-network:network"]["router"]
            split = tree["tasuki-network:network"]["tasuki-vxlan-split:vxlan-split"][0]
            if operation == config_pb2.OPERATION_REMOVE:
                split["subscriber"] = [{"number": 30}]
                del split["hub"], split["prefix"]
            assert (await alice.apply(tree, operation=operation)).committed
            took.append(time.monotonic() - started)
        assert took[0] < 2 * PREPARE_TIMEOUT, "it is waited for once"
        assert max(took[1:]) < PREPARE_TIMEOUT, "and not again before it says anything"
        assert controller.memory() - before < 30 << 20
        # What was not yet on its way when nobody read is the newest only.
        revisions = [(await stuck.intent())[0]]
        while revisions[-1] < 61:
            revisions.append((await stuck.intent())[0])
        assert revisions == sorted(revisions)


async def test_agents_that_come_and_go_at_once_leave_nothing_behind(
    controller: ControllerProcess, alice: Operator
) -> None:
    await alice.apply(network("home"))
    for _ in range(30):
        async with agent(controller.target) as home:
            await home.hello("home")
    await until_connected(alice, "home", False)


async def test_many_agents_get_one_commit(controller: ControllerProcess, alice: Operator) -> None:
    names = [f"r{number}" for number in range(40)]
    await alice.apply(network(*names))
    async with aio.insecure_channel(str(controller.target)) as channel:
        agents = [Agent(channel) for _ in names]
        for name, one in zip(names, agents, strict=True):
            await one.hello(name)
            await one.intent()
        written = {
            name: json.dumps(
                {
                    "ietf-interfaces:interfaces": {
                        "interface": [{"name": "lan0", "type": "iana-if-type:other"}]
                    }
                }
            ).encode()
            for name in names
        }
        await alice.apply({}, router_config_json=written)
        assert {(await one.intent())[0] for one in agents} == {2}


async def test_the_loop_answers_while_a_large_configuration_is_computed(
    controller: ControllerProcess, alice: Operator
) -> None:
    big = network("vps", "home", subscribers=range(1, 256))
    commit, began = asyncio.create_task(alice.apply(big)), time.monotonic()
    slowest = 0.0
    while not commit.done():
        started = time.monotonic()
        await health(alice.channel).Check(health_pb2.HealthCheckRequest())
        slowest = max(slowest, time.monotonic() - started)
        await asyncio.sleep(0.01)
    assert (await commit).committed
    assert slowest < max(1.0, (time.monotonic() - began) / 4)
