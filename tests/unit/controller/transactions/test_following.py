"""Intended follows facts whatever else goes on: commits under way, commits on trial, guards, a full disk."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from controller_process import network
from tasuki_controller import learning
from tasuki_controller.datastores import Datastores
from tasuki_controller.failure import Failed
from tasuki_controller.fleet import Fleet
from tasuki_controller.ledger import Ledger
from tasuki_controller.sqlite import SqliteStore
from tasuki_controller.store import StoreError
from tasuki_controller.transaction import Edit
from tasuki_controller.transactions.commits import CommitOrder
from tasuki_proto.v1 import agent_pb2, fact_pb2
from tasuki_yang.facts import FactKey
from unit.controller.transactions.test_datastores import ALICE, Agent, until

OLD, NEW = "2001:db8:1::1", "2001:db8:2::1"
WAN = FactKey("wan0", "global-address")


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    store = await SqliteStore.open(tmp_path)
    yield store
    await store.close()


@pytest.fixture
def fleet(store: SqliteStore) -> Fleet:
    return Fleet(store)


@pytest.fixture
async def datastores(store: SqliteStore, fleet: Fleet) -> AsyncIterator[Datastores]:
    """With a network in which vps follows home."""
    datastores = Datastores(store, fleet)
    async with datastores.keeping_time():
        await datastores.apply(edit(4789), ALICE, CommitOrder())
        yield datastores


def edit(udp_port: int, interface: str = "wan0") -> Edit:
    tree: Any = network("vps", "home", subscribers=[1])
    (split,) = tree["tasuki-network:network"]["tasuki-vxlan-split:vxlan-split"]
    split["udp-port"] = udp_port
    split["hub"]["underlay"] = {"interface": "wan0", "ipv6-address": "2001:db8:ffff::1"}
    split["subscriber"][0]["underlay"] = {"interface": interface, "global-address": [None]}
    return Edit(network=tree)


async def tell(home: Agent, *values: str, noun: str = "global-address") -> None:
    fact = fact_pb2.Fact(subject="wan0", noun=noun, values=values)
    await home.fleet.report(home.link, agent_pb2.Report(facts=[fact]))


def end(datastores: Datastores) -> tuple[int, str]:
    """Port and address at which vps sees home."""
    interfaces = datastores.state.trees["vps"]["ietf-interfaces:interfaces"]["interface"]
    (vxlan,) = (each["tasuki-link:vxlan"] for each in interfaces if "tasuki-link:vxlan" in each)
    return vxlan["udp-port"], vxlan.get("remote", "unknown")


async def follows(datastores: Datastores, address: str) -> None:
    await until(lambda: end(datastores)[1] == address)


async def recorded(store: SqliteStore) -> int:
    return len(await store.fact_changes(router=None, before=None, limit=100))


async def test_a_commit_under_way_goes_on_with_what_is_told_meanwhile(
    datastores: Datastores, fleet: Fleet
) -> None:
    home = await Agent.connect(fleet, "home")
    await tell(home, OLD)
    await follows(datastores, OLD)
    committing = asyncio.create_task(datastores.apply(edit(4790), ALICE, CommitOrder()))
    request = await home.receive("prepare_request")
    await tell(home, NEW)
    await follows(datastores, NEW)
    # A router that tells something new all the time would keep a commit from ever beginning anew.
    fleet.prepared(home.link, agent_pb2.PrepareAnswer(id=request.id))
    assert (await committing).revision == 2
    assert end(datastores) == (4790, NEW)


async def test_a_commit_that_begins_to_follow_knows_what_was_told_before(
    datastores: Datastores, fleet: Fleet
) -> None:
    await datastores.apply(Edit(network=network("vps", "home", subscribers=[1])), ALICE, CommitOrder())
    home = await Agent.connect(fleet, "home")
    await tell(home, OLD)
    await until(lambda: datastores.state.known.routers.get("home"))
    await fleet.disconnect(home.link)
    await datastores.apply(edit(4789), ALICE, CommitOrder())
    assert end(datastores) == (4789, OLD)


async def test_what_a_commit_goes_back_to_follows_as_well(
    datastores: Datastores, fleet: Fleet, store: SqliteStore
) -> None:
    home = await Agent.connect(fleet, "home")
    await tell(home, OLD)
    await follows(datastores, OLD)
    committing = asyncio.create_task(datastores.apply(edit(4790), ALICE, CommitOrder(confirmed=True)))
    await home.prepare()
    made = await committing
    vps = await Agent.connect(fleet, "vps")
    deadline = (await vps.receive("intent")).trial.remaining_ms
    await tell(home, NEW)
    intent = await vps.receive("intent")
    assert intent.revision == 2
    assert intent.trial.remaining_ms <= deadline
    await datastores.cancel(ALICE, "", made.persist_id)
    assert end(datastores) == (4789, NEW)
    assert datastores.state.intended.routers["vps"].digest == intent.trial.fallback_digest
    assert await recorded(store) == 2


async def test_a_router_whose_tree_stays_hears_nothing(datastores: Datastores, fleet: Fleet) -> None:
    home = await Agent.connect(fleet, "home")
    await home.receive("intent")
    await tell(home, OLD)
    await follows(datastores, OLD)
    assert not len(home.link.outbox)


async def test_a_guarded_commit_is_guarded_still_when_a_fact_changes(
    datastores: Datastores, fleet: Fleet
) -> None:
    home = await Agent.connect(fleet, "home")
    await tell(home, OLD)
    await follows(datastores, OLD)
    order = CommitOrder(wait=60, rollback_on_failure=True)
    committing = asyncio.create_task(datastores.apply(edit(4790), ALICE, order))
    await home.prepare()
    await home.receive("intent")
    await tell(home, NEW)
    await follows(datastores, NEW)
    await home.report(failed="File exists")
    with pytest.raises(Failed, match="File exists"):
        await committing
    assert end(datastores) == (4789, NEW)


async def test_what_no_other_router_follows_is_recorded_and_computes_nothing_anew(
    datastores: Datastores, fleet: Fleet, store: SqliteStore
) -> None:
    home = await Agent.connect(fleet, "home")
    trees = datastores.state.trees
    await tell(home, "2001:db8:1200::/56", noun="delegated-prefix")
    await until(lambda: datastores.state.known.routers.get("home"))
    assert datastores.state.trees is trees
    assert list(datastores.facts()["home"])[:1] == [FactKey("wan0", "delegated-prefix")]
    assert await recorded(store) == 1


async def test_an_address_that_another_router_has_is_not_followed_until_that_has_another(
    datastores: Datastores, fleet: Fleet, store: SqliteStore, caplog: pytest.LogCaptureFixture
) -> None:
    vps, home = await Agent.connect(fleet, "vps"), await Agent.connect(fleet, "home")
    await tell(vps, OLD)
    await tell(home, OLD)
    await until(lambda: datastores.state.known.holders == {("home", WAN): "vps"})
    await tell(home, OLD)
    assert end(datastores)[1] == "unknown"
    assert "a global address of wan0 of router home other than that of router vps" in str(
        datastores.state.trees["vps"]
    )
    await tell(vps, NEW)
    await follows(datastores, OLD)
    assert await recorded(store) == len(["vps: OLD", "vps: NEW", "home: OLD"])
    assert sum("router vps tells of it" in line for line in caplog.messages) == 1


async def test_a_report_that_cannot_be_followed_does_not_keep_the_next_from_being_followed(
    datastores: Datastores, fleet: Fleet, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    failed = asyncio.Event()

    async def fail(*_: object) -> None:
        failed.set()
        raise RuntimeError("nobody thought of this")

    home = await Agent.connect(fleet, "home")
    with monkeypatch.context() as patched:
        patched.setattr(Ledger, "learn", fail)
        await tell(home, OLD)
        await failed.wait()
    await tell(home, NEW)
    await follows(datastores, NEW)
    assert "nobody thought of this" in caplog.text


async def test_a_full_disk_delays_what_follows_and_loses_nothing(
    datastores: Datastores, fleet: Fleet, store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = asyncio.Event()

    async def full(*_: object) -> None:
        refused.set()
        raise StoreError("The disk is full")

    monkeypatch.setattr(learning, "_AGAIN", 0.01)
    home = await Agent.connect(fleet, "home")
    with monkeypatch.context() as patched:
        patched.setattr(store, "learn", full)
        await tell(home, OLD)
        await refused.wait()
        assert end(datastores)[1] == "unknown"
        await tell(home)
    await follows(datastores, OLD)
    await until(lambda: [fact.lost for fact in datastores.facts()["home"].values() if fact] == [True])
    assert await recorded(store) == 1


async def test_a_line_that_flaps_keeps_no_commit_from_being_made(
    datastores: Datastores, fleet: Fleet, store: SqliteStore
) -> None:
    home = await Agent.connect(fleet, "home")
    home.link.mute = True

    async def flap() -> None:
        while True:
            for address in (OLD, NEW):
                await tell(home, address)
                home.link.mute = True
                await asyncio.sleep(0)

    flapping = asyncio.create_task(flap())
    try:
        async with asyncio.timeout(20):
            for port in range(5000, 5010):
                await datastores.apply(edit(port), ALICE, CommitOrder())
    finally:
        flapping.cancel()
    assert end(datastores)[0] == 5009
    assert await recorded(store)
