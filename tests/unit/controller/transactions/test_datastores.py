"""What the model cannot see: routers that answer, refuse and fail, callers who go away, a full disk."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tasuki_controller import commit_events
from tasuki_controller.access import Caller, Role
from tasuki_controller.datastores import Datastores
from tasuki_controller.failure import Failed
from tasuki_controller.fleet import Fleet
from tasuki_controller.ledger import CONTROLLER
from tasuki_controller.link import Link
from tasuki_controller.outcome import Result
from tasuki_controller.sqlite import SqliteStore
from tasuki_controller.store import StoreError
from tasuki_controller.transaction import Edit, RoutedEdit, running_changes
from tasuki_controller.transactions.commits import MAX_TIMEOUT, CommitOrder, EventKind
from tasuki_controller.transactions.sessions import MAX_SESSIONS
from tasuki_controller.transactions.state import Datastore
from tasuki_proto.v1 import agent_pb2, error_pb2, router_pb2
from tasuki_yang.errors import InvalidIntent
from tasuki_yang.node_edit import NodeEdit

ALICE = Caller(Role.OPERATOR, "alice", "192.0.2.7:1234")
BOB = Caller(Role.OPERATOR, "bob", "192.0.2.8:1234")


class Clock:
    """Time that only the test lets pass."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    store = await SqliteStore.open(tmp_path)
    yield store
    await store.close()


@pytest.fixture
def fleet(store: SqliteStore) -> Fleet:
    return Fleet(store)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def datastores(store: SqliteStore, fleet: Fleet, clock: Clock) -> AsyncIterator[Datastores]:
    datastores = Datastores(store, fleet, clock)
    async with datastores.keeping_time():
        yield datastores


def written(description: str, *routers: str) -> dict[str, Any]:
    """Router trees that differ by the description."""
    lan = {"name": "lan0", "type": "iana-if-type:other", "description": description}
    return {router: {"ietf-interfaces:interfaces": {"interface": [lan]}} for router in routers}


def edit(description: str, *routers: str) -> Edit:
    entries = [{"name": router} for router in ("home", "vps")]
    return Edit(
        network={"tasuki-network:network": {"router": entries}},
        routers=written(description, *(routers or ("home", "vps"))),
    )


def edits(description: str, *routers: str) -> list[RoutedEdit]:
    return [RoutedEdit(name, NodeEdit("", tree)) for name, tree in written(description, *routers).items()]


def description(datastores: Datastores, router: str = "home") -> str:
    (interface,) = datastores.state.trees[router]["ietf-interfaces:interfaces"]["interface"]
    return str(interface["description"])


class Agent:
    """One router's agent, spoken by hand."""

    def __init__(self, fleet: Fleet, link: Link) -> None:
        self.fleet, self.link = fleet, link
        self.intent = agent_pb2.Intent()

    @classmethod
    async def connect(cls, fleet: Fleet, router: str) -> "Agent":
        return cls(fleet, fleet.connect(agent_pb2.Hello(router=router), "192.0.2.9:1"))

    async def receive(self, kind: str) -> Any:
        async with asyncio.timeout(60):
            while True:
                for message in await self.link.outbox.take():
                    if message.HasField("intent"):
                        self.intent = message.intent
                    if message.WhichOneof("message") == kind:
                        return getattr(message, kind)

    async def prepare(self, *refusals: str) -> None:
        request = await self.receive("prepare_request")
        problems = [error_pb2.ConfigError(error_tag="operation-failed", message=text) for text in refusals]
        self.fleet.prepared(self.link, agent_pb2.PrepareAnswer(id=request.id, refusals=problems))

    async def report(self, failed: str = "") -> None:
        report = agent_pb2.Report(revision=self.intent.revision)
        if failed:
            report.counts.failed = 1
            state = router_pb2.ObjectStatus.STATE_FAILED
            report.objects.add(kind="link", key="lan0", state=state, message=failed)
        else:
            report.applied_revision = self.intent.revision
        await self.fleet.report(self.link, report)

    async def take_up(self, failed: str = "") -> None:
        await self.prepare()
        await self.receive("intent")
        await self.report(failed)


async def until(condition: Any) -> None:
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.01)


def problem(refused: pytest.ExceptionInfo[Failed]) -> tuple[str, str]:
    (found,) = refused.value.problems
    return found.error_tag, found.error_info.get("session-id", "")


# Two phases over the routers


async def test_a_router_that_refuses_leaves_everything_as_it_was(
    datastores: Datastores, store: SqliteStore, fleet: Fleet
) -> None:
    await datastores.apply(edit("one"), ALICE, CommitOrder())
    agents = [await Agent.connect(fleet, name) for name in ("home", "vps")]
    before = datastores.state
    committing = asyncio.create_task(datastores.apply(edit("two"), ALICE, CommitOrder()))
    await agents[0].prepare()
    await agents[1].prepare("nft says no", "so does the kernel")
    with pytest.raises(InvalidIntent) as refused:
        await committing
    assert [(each.router, each.message) for each in refused.value.errors] == [
        ("vps", "nft says no"),
        ("vps", "so does the kernel"),
    ]
    assert datastores.state is before
    assert await store.revision(2) is None


async def test_a_router_hears_nothing_of_a_revision_before_it_is_durable(
    datastores: Datastores, store: SqliteStore, fleet: Fleet
) -> None:
    await datastores.apply(edit("one"), ALICE, CommitOrder())
    home = await Agent.connect(fleet, "home")
    committing = asyncio.create_task(datastores.apply(edit("two", "home"), ALICE, CommitOrder()))
    await home.prepare()
    assert (await home.receive("intent")).revision == 2
    assert await store.revision(2) is not None
    await committing


async def test_a_commit_tells_how_each_router_stands(datastores: Datastores, fleet: Fleet) -> None:
    home = await Agent.connect(fleet, "home")
    committing = asyncio.create_task(datastores.apply(edit("one"), ALICE, CommitOrder(wait=10)))
    await home.take_up()
    outcomes = {name: each.result for name, each in (await committing).routers.items()}
    assert outcomes == {"home": Result.APPLIED, "vps": Result.OFFLINE}


async def test_waiting_for_routers_holds_nobody_up(datastores: Datastores, fleet: Fleet) -> None:
    home = await Agent.connect(fleet, "home")
    waiting = asyncio.create_task(datastores.apply(edit("one"), ALICE, CommitOrder(wait=60)))
    await home.prepare()
    await home.receive("intent")
    assert (await datastores.apply(edit("two", "vps"), BOB, CommitOrder())).revision == 2
    assert not waiting.done()
    await home.report()
    await waiting


async def test_routers_go_back_together_when_one_fails(datastores: Datastores, fleet: Fleet) -> None:
    await datastores.apply(edit("one"), ALICE, CommitOrder())
    home, vps = [await Agent.connect(fleet, name) for name in ("home", "vps")]
    order = CommitOrder(wait=60, rollback_on_failure=True)
    committing = asyncio.create_task(datastores.apply(edit("two"), ALICE, order))
    await asyncio.gather(home.prepare(), vps.prepare())
    await asyncio.gather(home.receive("intent"), vps.receive("intent"))
    await vps.report(failed="File exists")
    with pytest.raises(Failed) as failed:
        await committing
    (told,) = failed.value.problems
    assert (told.error_tag, told.router) == ("operation-failed", "vps")
    assert "File exists" in told.message
    assert description(datastores) == description(datastores, "vps") == "one"
    assert (await home.receive("intent")).revision == (await vps.receive("intent")).revision == 3
    stored, _ = await datastores.at(3)
    assert (stored.revision.author, "File exists" in stored.revision.comment) == (CONTROLLER.name, True)


async def test_a_confirmed_commit_goes_back_when_a_router_fails_later(
    datastores: Datastores, fleet: Fleet
) -> None:
    await datastores.apply(edit("one"), ALICE, CommitOrder())
    home = await Agent.connect(fleet, "home")
    order = CommitOrder(confirmed=True, rollback_on_failure=True)
    committing = asyncio.create_task(datastores.apply(edit("two", "home"), ALICE, order))
    await home.take_up()
    await committing
    await home.report(failed="No such device")
    await until(lambda: description(datastores) == "one")
    with pytest.raises(Failed):
        await datastores.cancel(ALICE, "", (await committing).persist_id)


async def test_a_confirmed_commit_does_not_go_back_once_it_is_confirmed(
    datastores: Datastores, fleet: Fleet
) -> None:
    home = await Agent.connect(fleet, "home")
    token = datastores.open_session(ALICE).token
    order = CommitOrder(confirmed=True, persist="x", rollback_on_failure=True)
    committing = asyncio.create_task(datastores.apply(edit("one"), ALICE, order))
    await home.take_up()
    await committing
    await datastores.commit(ALICE, token, CommitOrder(persist_id="x"))
    await home.report(failed="No such device")
    await datastores.apply(edit("two", "vps"), ALICE, CommitOrder())
    assert description(datastores) == "one"


# What happens while a commit is under way


async def test_a_lock_that_comes_while_routers_are_asked_refuses_the_commit(
    datastores: Datastores, fleet: Fleet
) -> None:
    home = await Agent.connect(fleet, "home")
    bob = datastores.open_session(BOB)
    committing = asyncio.create_task(datastores.apply(edit("one"), ALICE, CommitOrder()))
    request = await home.receive("prepare_request")
    await datastores.lock(BOB, bob.token, Datastore.RUNNING)
    fleet.prepared(home.link, agent_pb2.PrepareAnswer(id=request.id))
    with pytest.raises(Failed) as refused:
        await committing
    assert problem(refused) == ("in-use", str(bob.number))
    assert datastores.state.revision == 0


async def test_an_edit_that_comes_while_routers_are_asked_stays_in_the_candidate(
    datastores: Datastores, fleet: Fleet
) -> None:
    await datastores.apply(edit("one"), ALICE, CommitOrder())
    home = await Agent.connect(fleet, "home")
    alice, bob = datastores.open_session(ALICE).token, datastores.open_session(BOB).token
    await datastores.edit(ALICE, alice, edits("two", "home"))
    committing = asyncio.create_task(datastores.commit(ALICE, alice, CommitOrder()))
    request = await home.receive("prepare_request")
    await datastores.edit(BOB, bob, edits("three", "vps"))
    fleet.prepared(home.link, agent_pb2.PrepareAnswer(id=request.id))
    await committing
    assert (description(datastores, "home"), description(datastores, "vps")) == ("two", "one")
    (change,) = running_changes(datastores.state.running, datastores.candidate)
    assert (change.router, change.change.new) == ("vps", "three")


async def test_a_time_out_does_not_wait_for_a_confirmation_that_routers_are_slow_to_prepare(
    datastores: Datastores, fleet: Fleet, clock: Clock
) -> None:
    await datastores.apply(edit("one"), ALICE, CommitOrder())
    token = datastores.open_session(ALICE, 600).token
    await datastores.apply(edit("two", "vps"), ALICE, CommitOrder(confirmed=True, timeout=5, persist="x"))
    home = await Agent.connect(fleet, "home")
    await datastores.edit(ALICE, token, edits("three", "home"))
    committing = asyncio.create_task(datastores.commit(ALICE, token, CommitOrder(persist_id="x")))
    request = await home.receive("prepare_request")
    clock.now = 5
    datastores.open_session(BOB)  # wakes whoever waits for the deadline, which the real clock does by itself
    await until(lambda: description(datastores, "vps") == "one")
    fleet.prepared(home.link, agent_pb2.PrepareAnswer(id=request.id))
    with pytest.raises(Failed) as refused:
        await committing
    assert problem(refused) == ("invalid-value", "")
    assert description(datastores, "home") == "one"


async def test_a_session_that_ends_while_routers_are_asked_commits_nothing(
    datastores: Datastores, fleet: Fleet
) -> None:
    await datastores.apply(edit("one"), ALICE, CommitOrder())
    home = await Agent.connect(fleet, "home")
    token = datastores.open_session(ALICE).token
    await datastores.edit(ALICE, token, edits("two", "home"))
    committing = asyncio.create_task(datastores.commit(ALICE, token, CommitOrder()))
    request = await home.receive("prepare_request")
    await datastores.close_session(ALICE, token)
    fleet.prepared(home.link, agent_pb2.PrepareAnswer(id=request.id))
    with pytest.raises(Failed) as refused:
        await committing
    assert problem(refused)[0] == "invalid-value"
    assert description(datastores) == "one"


async def test_a_caller_who_goes_away_leaves_a_commit_whole(
    datastores: Datastores, store: SqliteStore
) -> None:
    for delay in range(40):
        number = datastores.state.revision
        committing = asyncio.create_task(datastores.apply(edit(f"{delay}"), ALICE, CommitOrder()))
        await asyncio.sleep(0.0005 * delay)
        committing.cancel()
        await asyncio.wait([committing])
        newest = await store.newest()
        assert datastores.state.revision == (newest.revision.number if newest else 0)
        assert datastores.state.revision in {number, number + 1}
        if datastores.state.revision > number:
            assert description(datastores) == f"{delay}"


# Time and disk


async def test_a_lost_session_is_noticed_at_once(store: SqliteStore, fleet: Fleet) -> None:
    datastores = Datastores(store, fleet)
    loop = asyncio.get_running_loop()
    async with datastores.keeping_time():
        await datastores.apply(edit("one"), ALICE, CommitOrder())
        session = datastores.open_session(ALICE, 1)
        started = loop.time()
        await datastores.edit(ALICE, session.token, edits("two", "home"))
        await datastores.commit(ALICE, session.token, CommitOrder(confirmed=True))
        await until(lambda: description(datastores) == "one")
        assert 0.9 < loop.time() - started < 2


async def test_nothing_happens_before_a_revert_that_the_disk_refused(
    datastores: Datastores, store: SqliteStore, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await datastores.apply(edit("one"), ALICE, CommitOrder())
    await datastores.apply(edit("two"), ALICE, CommitOrder(confirmed=True, timeout=5))
    real = store.commit

    async def full(*_: object) -> None:
        raise StoreError("The disk is full")

    monkeypatch.setattr(store, "commit", full)
    clock.now = 5
    for _ in range(2):
        with pytest.raises(StoreError):
            await datastores.apply(edit("three"), ALICE, CommitOrder())
    assert description(datastores) == "two"
    monkeypatch.setattr(store, "commit", real)
    await until(lambda: description(datastores) == "one")


async def test_a_commit_that_the_disk_refuses_leaves_the_older_deadline(
    datastores: Datastores, store: SqliteStore, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = datastores.open_session(ALICE, 600).token
    await datastores.apply(edit("one"), ALICE, CommitOrder())
    await datastores.apply(edit("two"), ALICE, CommitOrder(confirmed=True, timeout=5, persist="x"))
    await datastores.edit(ALICE, token, edits("three", "home"))

    async def full(*_: object) -> None:
        raise StoreError("The disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(store, "commit", full)
        for order in (CommitOrder(persist_id="x"), CommitOrder(persist_id="x", confirmed=True)):
            with pytest.raises(StoreError):
                await datastores.commit(ALICE, token, order)
    clock.now = 5
    await datastores.lock(ALICE, token, Datastore.RUNNING)
    assert description(datastores) == "one"


# Words


async def test_who_stands_in_the_way_is_named(datastores: Datastores) -> None:
    alice, bob = datastores.open_session(ALICE), datastores.open_session(BOB)
    await datastores.lock(ALICE, alice.token, Datastore.RUNNING)
    for caller, session in ((BOB, bob), (ALICE, alice)):
        with pytest.raises(Failed) as refused:
            await datastores.lock(caller, session.token, Datastore.RUNNING)
        assert problem(refused) == ("lock-denied", str(alice.number))
    with pytest.raises(Failed) as refused:
        await datastores.apply(edit("one"), BOB, CommitOrder())
    assert problem(refused) == ("in-use", str(alice.number))


async def test_nobody_is_named_where_no_session_stands_in_the_way(datastores: Datastores) -> None:
    alice = datastores.open_session(ALICE)
    await datastores.apply(edit("one"), BOB, CommitOrder(confirmed=True))
    with pytest.raises(Failed) as refused:
        await datastores.lock(ALICE, alice.token, Datastore.RUNNING)
    assert problem(refused) == ("lock-denied", "0")


@pytest.mark.parametrize(
    "order",
    [
        CommitOrder(confirmed=True, timeout=0),
        CommitOrder(confirmed=True, timeout=MAX_TIMEOUT + 1),
        CommitOrder(persist="x"),
        CommitOrder(persist_id="x"),
    ],
)
async def test_an_order_that_cannot_be_meant_is_refused(datastores: Datastores, order: CommitOrder) -> None:
    with pytest.raises(Failed) as refused:
        await datastores.apply(edit("one"), ALICE, order)
    assert problem(refused)[0] == "invalid-value"
    assert datastores.state.revision == 0


async def test_the_longest_time_out_can_be_asked_for(datastores: Datastores) -> None:
    order = CommitOrder(confirmed=True, timeout=MAX_TIMEOUT)
    assert (await datastores.apply(edit("one"), ALICE, order)).revert_at is not None


async def test_sessions_are_as_many_as_can_be_kept(datastores: Datastores) -> None:
    for _ in range(MAX_SESSIONS):
        datastores.open_session(ALICE)
    with pytest.raises(Failed) as refused:
        datastores.open_session(BOB)
    assert problem(refused)[0] == "resource-denied"


# Events


async def test_who_comes_late_hears_of_the_pending_commit_first(datastores: Datastores) -> None:
    made = await datastores.apply(edit("one"), ALICE, CommitOrder(confirmed=True))
    with datastores.watch_commits() as events:
        (event,) = await events.take()
    assert (event.kind, event.revision, event.author) == (EventKind.START, 1, "alice")
    assert event.revert_at == made.revert_at
    await datastores.cancel(BOB, "", made.persist_id)
    with datastores.watch_commits() as events:
        assert not len(events)


async def test_a_watcher_who_does_not_read_is_told_to_start_again(
    datastores: Datastores, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commit_events, "_WATCH_LIMIT", 2)
    with datastores.watch_commits() as events:
        for text in ("one", "two", "three"):
            await datastores.apply(edit(text), ALICE, CommitOrder())
        with pytest.raises(Failed) as closed:
            await events.take()
    assert problem(closed)[0] == "resource-denied"


async def test_watchers_hear_how_routers_come_along(datastores: Datastores, fleet: Fleet) -> None:
    home = await Agent.connect(fleet, "home")
    with datastores.watch_commits() as events:
        committing = asyncio.create_task(datastores.apply(edit("one"), ALICE, CommitOrder(wait=10)))
        await home.take_up()
        await committing
        seen: list[Result] = []
        async with asyncio.timeout(60):
            while Result.APPLIED not in seen:
                news = [event for event in await events.take() if event.kind is EventKind.ROUTER]
                seen += [event.routers["home"].result for event in news if "home" in event.routers]
