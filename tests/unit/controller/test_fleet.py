import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from tasuki_controller import fleet as fleet_module
from tasuki_controller import problems
from tasuki_controller.failure import Failed
from tasuki_controller.fleet import Fleet
from tasuki_controller.intended import Intended
from tasuki_controller.intent import router_intent
from tasuki_controller.link import Link
from tasuki_controller.northbound.router import RouterService
from tasuki_controller.sqlite import SqliteStore
from tasuki_controller.store import DriftCount
from tasuki_proto.v1 import agent_pb2, drift_pb2, router_pb2

TREE = {"ietf-interfaces:interfaces": {"interface": [{"name": "lan0"}]}}
OTHER = {"ietf-interfaces:interfaces": {"interface": [{"name": "lan1"}]}}
EMPTY = router_intent(1, {})


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    store = await SqliteStore.open(tmp_path)
    yield store
    await store.close()


@pytest.fixture
def fleet(store: SqliteStore) -> Fleet:
    return Fleet(store)


def intended(revision: int, removed: int | None = None, **trees: object) -> Intended:
    gone = {} if removed is None else {"home": router_intent(removed, {})}
    return Intended(revision, {name: router_intent(revision, tree) for name, tree in trees.items()}, gone)  # type: ignore[arg-type]


def connect(
    fleet: Fleet, router: str = "home", digest: str = "", revision: int = 0, peer: str = "192.0.2.7:1234"
) -> Link:
    return fleet.connect(agent_pb2.Hello(router=router, digest=digest, revision=revision), peer)


async def sent(link: Link) -> list[agent_pb2.ConnectResponse]:
    return await link.outbox.take() if len(link.outbox) else []


async def test_an_agent_gets_only_the_newest_intent_however_late_it_reads(fleet: Fleet) -> None:
    fleet.publish(intended(1, home=TREE))
    link = connect(fleet)
    for revision in range(2, 500):
        fleet.publish(intended(revision, home=OTHER if revision % 2 else TREE))
    (message,) = await sent(link)
    assert message.intent.revision == 499
    assert message.intent.digest == router_intent(1, OTHER).digest


async def test_an_agent_that_holds_the_intent_gets_it_without_its_text(fleet: Fleet) -> None:
    fleet.publish(intended(3, home=TREE))
    link = connect(fleet, digest=router_intent(1, TREE).digest)
    (message,) = await sent(link)
    assert message.intent.revision == 3
    assert message.intent.config_json_gz == b""


async def test_an_agent_hears_nothing_of_other_routers(fleet: Fleet) -> None:
    fleet.publish(intended(1, home=TREE, vps=TREE))
    link = connect(fleet)
    await sent(link)
    first = router_intent(1, TREE)
    fleet.publish(Intended(2, {"home": first, "vps": router_intent(2, OTHER)}, {}))
    assert await sent(link) == []


async def test_a_removed_router_gets_an_explicit_empty_tree(fleet: Fleet) -> None:
    fleet.publish(intended(1, home=TREE))
    link = connect(fleet)
    await sent(link)
    fleet.publish(intended(2, removed=2))
    (message,) = await sent(link)
    assert (message.intent.revision, message.intent.digest) == (2, EMPTY.digest)
    assert message.intent.config_json_gz


async def test_a_removed_router_is_listed_until_it_has_taken_its_objects_down(fleet: Fleet) -> None:
    fleet.publish(intended(1, home=TREE))
    link = connect(fleet)
    fleet.publish(intended(2, removed=2))
    await fleet.disconnect(link)
    assert [router.name for router in await fleet.routers()] == ["home"]
    link = connect(fleet)
    await fleet.report(link, agent_pb2.Report(applied_revision=2))
    await fleet.disconnect(link)
    assert await fleet.routers() == []


async def problem(fleet: Fleet, router: str = "home") -> str:
    (found,) = await fleet.routers([router])
    return found.problem


async def test_a_router_that_no_revision_ever_named_is_told_nothing(fleet: Fleet) -> None:
    link = connect(fleet, revision=14)
    fleet.publish(intended(20, vps=TREE))
    fleet.publish(intended(21, vps=OTHER))
    assert await sent(link) == []
    assert await problem(fleet) == "this network has no router home: it keeps revision 14 that it holds"
    connect(fleet, "new")
    assert await problem(fleet, "new") == "this network has no router new: it is told nothing"
    fleet.publish(intended(22, vps=OTHER, home=TREE))
    assert [message.intent.revision for message in await sent(link)] == [22]
    assert await problem(fleet) == ""


async def test_a_controller_that_lost_its_history_tells_nobody_to_be_empty(fleet: Fleet) -> None:
    link = connect(fleet, revision=14)
    assert await sent(link) == []
    fleet.publish(intended(1, vps=TREE))
    assert await sent(link) == []


async def test_a_router_of_another_history_says_so_until_it_has_taken_the_intent_of_this_one(
    fleet: Fleet,
) -> None:
    fleet.publish(intended(1, home=TREE))
    link = connect(fleet, revision=14)
    assert [message.intent.revision for message in await sent(link)] == [1]
    words = "holds revision 14, newer than this controller's newest revision 1: another history?"
    assert await problem(fleet) == words
    await fleet.report(link, agent_pb2.Report(revision=14, applied_revision=14, problem="no disk"))
    assert await problem(fleet) == f"{words}; no disk"
    await fleet.report(link, agent_pb2.Report(revision=1, applied_revision=1))
    assert await problem(fleet) == ""


async def test_agents_that_drive_each_other_out_are_named_for_a_while(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet.publish(intended(1, home=TREE))
    connect(fleet, peer="192.0.2.7:1")
    connect(fleet, peer="198.51.100.9:2")
    assert await problem(fleet) == "", "it may be one agent that was cut off"
    connect(fleet, peer="192.0.2.7:3")
    assert await problem(fleet) == "two agents use this name: 198.51.100.9:2, 192.0.2.7:3"
    monkeypatch.setattr(problems, "_SOON", 0.0)
    assert await problem(fleet) == ""


async def test_an_agent_that_comes_back_from_new_addresses_again_and_again_is_no_rival_of_itself(
    fleet: Fleet, caplog: pytest.LogCaptureFixture
) -> None:
    fleet.publish(intended(1, home=TREE))
    hello = agent_pb2.Hello(router="home", instance="6e0c")
    links = [fleet.connect(hello, peer) for peer in ("192.0.2.7:1", "192.0.2.8:2", "192.0.2.9:3")]
    assert await problem(fleet) == ""
    assert "second agent" not in caplog.text
    assert [fleet.is_current(link) for link in links] == [False, False, True]


async def test_what_an_agent_refuses_is_the_routers_problem_until_it_does_not_any_more(fleet: Fleet) -> None:
    fleet.publish(intended(1, home=TREE))
    link = connect(fleet)
    await fleet.report(link, agent_pb2.Report(problem="unknown node wireguard"))
    assert await problem(fleet) == "unknown node wireguard"
    await fleet.report(link, agent_pb2.Report())
    assert await problem(fleet) == ""


async def test_drift_is_counted_again_only_when_it_has_changed(
    fleet: Fleet, store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts, counted = store.drift_counts, 0

    async def counting(since: datetime) -> Mapping[str, DriftCount]:
        nonlocal counted
        counted += 1
        return await counts(since)

    monkeypatch.setattr(store, "drift_counts", counting)
    link = connect(fleet)
    for _ in range(10):
        await fleet.heartbeat(link, agent_pb2.Heartbeat())
        await asyncio.gather(*(fleet.routers() for _ in range(10)))
    assert counted == 1
    item = agent_pb2.SequencedDrift(sequence=1, item=drift_pb2.DriftItem(id="1"))
    await fleet.report(link, agent_pb2.Report(drift=[item]))
    assert [router.open_drift for router in await fleet.routers()] == [1]
    assert counted == 2


async def test_a_second_agent_takes_the_place_of_the_first(
    fleet: Fleet, caplog: pytest.LogCaptureFixture
) -> None:
    fleet.publish(intended(1, home=TREE))
    first = connect(fleet)
    second = connect(fleet)
    with pytest.raises(Failed, match="Another agent"):
        await first.outbox.take()
    assert "second agent" in caplog.text
    await fleet.disconnect(first)
    assert fleet.is_current(second)
    assert fleet.connected() == {"home"}


async def test_a_restart_knows_what_the_routers_were_last_seen_to_be(
    fleet: Fleet, store: SqliteStore
) -> None:
    fleet.publish(intended(1, home=TREE))
    await fleet.report(connect(fleet), agent_pb2.Report(applied_revision=1))
    again = Fleet(store)
    await again.restore()
    again.publish(intended(1, home=TREE))
    (router,) = await again.routers()
    assert not router.connected
    assert router.applied_revision == 1
    assert router.last_seen.seconds
    assert router.peer == "192.0.2.7:1234"


async def test_a_router_that_has_not_observed_yet_shows_no_evidence(fleet: Fleet) -> None:
    link = connect(fleet)
    await fleet.report(link, agent_pb2.Report(applied_revision=0))
    (router,) = await fleet.routers()
    assert not router.HasField("observed_at")
    (evidence,) = fleet.evidence(None)
    assert not evidence.HasField("observed_at")


async def test_drift_is_acknowledged_once_it_is_stored_and_under_the_routers_own_name(
    fleet: Fleet, store: SqliteStore
) -> None:
    link = connect(fleet)
    items = [
        agent_pb2.SequencedDrift(sequence=n, item=drift_pb2.DriftItem(id=f"{n}", router="vps", key="vxlan01"))
        for n in (7, 5)
    ]
    with fleet.watch_drift() as watch:
        await fleet.report(link, agent_pb2.Report(drift=items))
        assert [item.router for item in await watch.take()] == ["home", "home"]
    acks = [message.drift_ack.sequence for message in await sent(link) if message.HasField("drift_ack")]
    assert acks == [7]
    (router,) = await fleet.routers()
    assert (router.open_drift, router.recent_drift) == (2, 2)


async def test_a_drift_item_without_an_id_is_refused(fleet: Fleet) -> None:
    link = connect(fleet)
    report = agent_pb2.Report(drift=[agent_pb2.SequencedDrift(sequence=1, item=drift_pb2.DriftItem())])
    with pytest.raises(Failed, match="needs an id"):
        await fleet.report(link, report)


async def test_a_watcher_that_reads_nothing_is_told_to_start_again(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fleet_module, "_DRIFT_WATCH_LIMIT", 10)
    link = connect(fleet)
    with fleet.watch_drift() as watch:
        for number in range(20):
            item = drift_pb2.DriftItem(id=f"{number}")
            await fleet.report(
                link, agent_pb2.Report(drift=[agent_pb2.SequencedDrift(sequence=1, item=item)])
            )
        with pytest.raises(Failed, match="watch again"):
            await watch.take()


async def test_a_watcher_of_routers_gets_each_changed_router_once(fleet: Fleet) -> None:
    link = connect(fleet)
    with fleet.watch_routers() as watch:
        for revision in range(100):
            await fleet.heartbeat(link, agent_pb2.Heartbeat(applied_revision=revision))
        assert await watch.take() == ["home"]


async def test_operational_state_is_asked_of_the_router(fleet: Fleet) -> None:
    link = connect(fleet)
    asking = asyncio.create_task(fleet.operational("home"))
    (message,) = await link.outbox.take()
    answer = agent_pb2.Operational(id=message.operational_request.id, config_json_gz=b"x")
    fleet.answer(link, answer)
    assert await asking == answer


async def test_one_answer_serves_everybody_who_asked_before_it(fleet: Fleet) -> None:
    link = connect(fleet)
    asking = [asyncio.create_task(fleet.operational("home")) for _ in range(5)]
    (message,) = await link.outbox.take()
    assert message.operational_request.id == 5
    fleet.answer(link, agent_pb2.Operational(id=5))
    assert all(answer.id == 5 for answer in await asyncio.gather(*asking))


async def test_without_an_answer_the_last_one_counts(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    monkeypatch.setattr(fleet_module, "_OPERATIONAL_TIMEOUT", 0.01)
    fleet.publish(intended(1, home=TREE))
    link = connect(fleet)
    with pytest.raises(Failed, match="has not told"):
        await fleet.operational("home")
    fleet.answer(link, agent_pb2.Operational(id=1, applied_revision=1))
    assert (await fleet.operational("home")).applied_revision == 1
    await fleet.disconnect(link)
    assert (await fleet.operational("home")).applied_revision == 1


async def test_a_router_that_leaves_does_not_keep_those_waiting_who_asked_it(fleet: Fleet) -> None:
    fleet.publish(intended(1, home=TREE))
    link = connect(fleet)
    asking = asyncio.create_task(fleet.operational("home"))
    await link.outbox.take()
    await fleet.disconnect(link)
    with pytest.raises(Failed, match="not connected"):
        await asking


async def test_a_router_that_goes_while_it_is_looked_at_is_missing(
    fleet: Fleet, store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def meanwhile(_: datetime) -> Mapping[str, DriftCount]:
        fleet.publish(intended(2, removed=2))
        return {}

    no_context: Any = None
    fleet.publish(intended(1, home=TREE))
    monkeypatch.setattr(store, "drift_counts", meanwhile)
    with pytest.raises(Failed, match="no router 'home'"):
        await RouterService(fleet).GetRouter(router_pb2.GetRouterRequest(name="home"), no_context)


async def test_a_router_that_nobody_knows_is_missing(fleet: Fleet) -> None:
    fleet.publish(intended(1, home=TREE))
    with pytest.raises(Failed, match=r"There is no router 'nope'; there are: home"):
        fleet.require("nope")


async def test_shutting_down_ends_every_stream(fleet: Fleet) -> None:
    link = connect(fleet)
    with fleet.watch_routers() as routers, fleet.watch_drift() as drift:
        fleet.close()
        for mailbox in (link.outbox, routers, drift):
            with pytest.raises(Failed, match="shutting down"):
                await mailbox.take()


async def test_what_an_agent_does_not_know_to_be_open_after_its_restart_is_over(fleet: Fleet) -> None:
    def drift(number: int) -> agent_pb2.SequencedDrift:
        return agent_pb2.SequencedDrift(sequence=number, item=drift_pb2.DriftItem(id=f"{number}"))

    await fleet.report(connect(fleet), agent_pb2.Report(drift=[drift(1), drift(2)]))
    link = connect(fleet)
    with fleet.watch_drift() as watch:
        await fleet.report(link, agent_pb2.Report(drift=[drift(3)], open_drift=["2", "3"]))
        told = {item.id: item.action for item in await watch.take()}
    assert told == {"1": drift_pb2.DriftItem.ACTION_OBSOLETE, "3": drift_pb2.DriftItem.ACTION_UNSPECIFIED}
    (router,) = await fleet.routers()
    assert router.open_drift == 2
    await fleet.report(link, agent_pb2.Report())
    (router,) = await fleet.routers()
    assert router.open_drift == 2, "a later report of the same stream tells of each end by itself"
