"""Whatever sessions, time and restarts do to a controller, it does as the model says.

The store is the real one on a disk, the clock is turned by hand. Each step may come late, so that what time
has made due is first noticed by the step itself.
"""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from tasuki_controller.access import Caller, Role
from tasuki_controller.datastores import Datastores
from tasuki_controller.failure import Failed
from tasuki_controller.fleet import Fleet
from tasuki_controller.running import Running
from tasuki_controller.sqlite import SqliteStore
from tasuki_controller.transaction import Edit, Operation, RoutedEdit
from tasuki_controller.transactions.commits import CommitOrder
from tasuki_controller.transactions.state import Datastore, Session
from tasuki_yang.errors import InvalidIntent
from tasuki_yang.node_edit import EditOperation, NodeEdit
from unit.controller.transactions.model import Config, Model, Order, Refused

MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None

T = TypeVar("T")

CALLERS = {name: Caller(Role.OPERATOR, name, "192.0.2.7:1234") for name in ("alice", "bob")}
NAMES = st.sampled_from(["vps", "home"])
CALLER = st.sampled_from(sorted(CALLERS))
SLOT = st.integers(0, 2)
RIGHT = "right"
"""Stands for the name of what is pending, which random names would hardly ever meet."""
PERSIST_ID = st.sampled_from([RIGHT] * 6 + ["", "x"])
WHICH = st.sampled_from(["running", "candidate"])
LATE = st.sampled_from([0] * 8 + [1, 10, 25])
ORDER = st.builds(
    Order,
    timeout=st.sampled_from([None, 20, 60, 200]),
    persist=st.sampled_from(["", "", "x", "y"]),
    persist_id=PERSIST_ID,
).map(lambda order: order._replace(persist="") if order.timeout is None else order)
CHANGE = st.one_of(
    st.tuples(st.just("describe"), NAMES, st.sampled_from(["one", "two"])),
    st.tuples(st.sampled_from(["without", "write", "unwrite"]), NAMES, st.just("")),
)
Change = tuple[str, str, str]


class Machine(RuleBasedStateMachine):
    """The controller and the model, side by side."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.directory = tempfile.TemporaryDirectory(dir=MEMORY)
        self.model = Model()
        self.slots: dict[int, Session] = {}
        self.watching = ExitStack()
        self.run(self.start())
        self.open_all()

    def open_all(self) -> None:
        for slot, caller in enumerate(("alice", "bob", "alice")):
            self.open(slot, caller, 600)

    async def start(self) -> None:
        self.store = await SqliteStore.open(Path(self.directory.name))
        self.fleet = Fleet(self.store)
        self.datastores = Datastores(self.store, self.fleet, clock=lambda: self.model.now)
        await self.datastores.restore()
        self.events = self.watching.enter_context(self.datastores.watch_commits())

    def run(self, work: Awaitable[T]) -> T:
        async def within_limits() -> T:
            async with asyncio.timeout(60):
                return await work

        return self.loop.run_until_complete(within_limits())

    def teardown(self) -> None:
        self.run(self.every_revision_is_in_the_store())
        self.watching.close()
        self.run(self.store.close())
        self.run(self.loop.shutdown_default_executor())
        self.loop.close()
        self.directory.cleanup()

    async def every_revision_is_in_the_store(self) -> None:
        for number, entry in enumerate(self.model.history[1:], 1):
            stored, running = await self.datastores.at(number)
            assert (config_of(running), stored.revision.author) == entry
        assert await self.store.revision(len(self.model.history)) is None

    def both(self, expected: Callable[[], object], actual: Callable[[], Awaitable[Any]]) -> None:
        """Let both do it, and see the same come of it."""
        wanted = refusal = ""
        try:
            expected()
        except Refused as refused:
            wanted = refused.tag
        try:
            self.run(actual())
        except Failed as failed:
            refusal = failed.problems[0].error_tag
        except InvalidIntent:
            refusal = "invalid"
        assert refusal == wanted

    def resolved(self, order: Order) -> Order:
        return order._replace(persist_id=self.right(order.persist_id))

    def right(self, persist_id: str) -> str:
        if persist_id != RIGHT:
            return persist_id
        self.model.settle()
        return self.model.pending.persist if self.model.pending else ""

    @rule(slot=SLOT, caller=CALLER, lease=st.sampled_from([15, 100, 600]))
    def open(self, slot: int, caller: str, lease: int) -> None:
        session = self.datastores.open_session(CALLERS[caller], lease)
        assert session.number == self.model.open(caller, lease)
        self.slots[slot] = session

    @rule(seconds=st.sampled_from([1, 14, 30, 70, 210]))
    def time_passes(self, seconds: int) -> None:
        self.model.now += seconds

    @rule(slot=SLOT, late=LATE)
    def keep(self, slot: int, late: int) -> None:
        self.model.now += late
        caller, token, number = self.owner(slot)

        async def keep() -> None:
            self.datastores.keep_session(CALLERS[caller], token)

        self.both(lambda: self.model.keep(caller, number), keep)

    @rule(slot=SLOT, caller=CALLER, late=LATE)
    def close(self, slot: int, caller: str, late: int) -> None:
        self.model.now += late
        _, token, number = self.owner(slot)
        self.both(
            lambda: self.model.close(caller, number),
            lambda: self.datastores.close_session(CALLERS[caller], token),
        )

    @rule(slot=SLOT, caller=CALLER, which=WHICH)
    def lock_by_somebody_elses_token(self, slot: int, caller: str, which: str) -> None:
        _, token, number = self.owner(slot)
        self.both(
            lambda: self.model.lock(caller, number, which),
            lambda: self.datastores.lock(CALLERS[caller], token, Datastore(which)),
        )

    @rule(slot=SLOT, which=WHICH, late=LATE)
    def lock(self, slot: int, which: str, late: int) -> None:
        self.model.now += late
        caller, token, number = self.owner(slot)
        self.both(
            lambda: self.model.lock(caller, number, which),
            lambda: self.datastores.lock(CALLERS[caller], token, Datastore(which)),
        )

    @rule(slot=SLOT, which=WHICH, late=LATE)
    def unlock(self, slot: int, which: str, late: int) -> None:
        self.model.now += late
        caller, token, number = self.owner(slot)
        self.both(
            lambda: self.model.unlock(caller, number, which),
            lambda: self.datastores.unlock(CALLERS[caller], token, Datastore(which)),
        )

    def owner(self, slot: int) -> tuple[str, str, int]:
        """Caller, token and number of a session that may have ended."""
        session = self.slots[slot]
        return session.caller.name, session.token, session.number

    @rule(slot=SLOT, change=CHANGE, late=LATE)
    def edit(self, slot: int, change: Change, late: int) -> None:
        self.model.now += late
        caller, token, number = self.owner(slot)

        def expected() -> None:
            self.model.settle()
            self.model.edit(caller, number, changed(self.model.candidate or self.model.running, change))

        self.both(expected, lambda: self.datastores.edit(CALLERS[caller], token, [node_edit(change)]))

    @rule(slot=SLOT, late=LATE)
    def discard(self, slot: int, late: int) -> None:
        self.model.now += late
        caller, token, number = self.owner(slot)
        self.both(
            lambda: self.model.discard(caller, number),
            lambda: self.datastores.discard(CALLERS[caller], token),
        )

    @rule(slot=SLOT, order=ORDER, late=LATE)
    def commit(self, slot: int, order: Order, late: int) -> None:
        self.model.now += late
        order = self.resolved(order)
        caller, token, number = self.owner(slot)
        self.both(
            lambda: self.model.commit(caller, number, order),
            lambda: self.datastores.commit(CALLERS[caller], token, commit_order(order)),
        )

    @rule(slot=SLOT, change=CHANGE, end=st.sampled_from(["unlock", "close", "discard", "commit"]))
    def edit_under_lock(self, slot: int, change: Change, end: str) -> None:
        self.lock(slot, "candidate", 0)
        self.edit(slot, change, 0)
        match end:
            case "unlock":
                self.unlock(slot, "candidate", 0)
            case "close":
                self.close(slot, self.slots[slot].caller.name, 0)
            case "discard":
                self.discard(slot, 0)
            case "commit":
                self.commit(slot, Order(persist_id=RIGHT), 0)

    @rule(slot=SLOT, change=CHANGE, order=ORDER, late=LATE)
    def edit_and_commit(self, slot: int, change: Change, order: Order, late: int) -> None:
        self.edit(slot, change, 0)
        self.commit(slot, order, late)

    @rule(caller=CALLER, change=CHANGE, order=ORDER, late=LATE)
    def apply(self, caller: str, change: Change, order: Order, late: int) -> None:
        self.model.now += late
        self.model.settle()
        order = named(self.resolved(order))
        self.both(
            lambda: self.model.beside(caller, 0, changed(self.model.running, change), order),
            lambda: self.datastores.apply(document(change), CALLERS[caller], commit_order(order)),
        )

    @rule(slot=st.none() | SLOT, back=st.integers(0, 5), order=ORDER, late=LATE)
    def rollback(self, slot: int | None, back: int, order: Order, late: int) -> None:
        self.model.now += late
        self.model.settle()
        number = len(self.model.history) - 1 - back
        if number < 1:
            return
        caller, token, session = ("alice", "", 0) if slot is None else self.owner(slot)
        order = self.resolved(order)
        order = named(order) if slot is None else order
        self.both(
            lambda: self.model.beside(caller, session, self.model.history[number].config, order),
            lambda: self.datastores.rollback(CALLERS[caller], number, commit_order(order), token),
        )

    @rule(slot=st.none() | SLOT, persist_id=PERSIST_ID, late=LATE)
    def cancel(self, slot: int | None, persist_id: str, late: int) -> None:
        self.model.now += late
        persist_id = self.right(persist_id)
        caller, token, session = ("bob", "", 0) if slot is None else self.owner(slot)
        self.both(
            lambda: self.model.cancel(caller, session, persist_id),
            lambda: self.datastores.cancel(CALLERS[caller], token, persist_id),
        )

    @rule()
    def restart(self) -> None:
        self.watching.close()
        self.run(self.store.close())
        self.run(self.start())
        self.model.restart()
        self.open_all()

    @invariant()
    def both_are_in_the_same_state(self) -> None:
        self.run(self.datastores._ledger.settle())
        self.model.settle()
        state, transactions = self.datastores.state, self.datastores._ledger.transactions
        assert state.revision == len(self.model.history) - 1
        assert config_of(state.running) == self.model.running
        assert config_of(self.datastores.candidate) == (self.model.candidate or self.model.running)
        assert {each.number for each in transactions.sessions.values()} == self.model.sessions.keys()
        assert {target.value: holder for target, holder in transactions.locks.items()} == self.model.locks
        assert (self.run(self.store.baseline()) is None) == (self.model.pending is None)
        assert state.intended.routers.keys() == {name for name, _ in self.model.running.routers}

    @invariant()
    def the_routers_know_what_they_may_go_back_to(self) -> None:
        trial, pending = self.fleet._trial, self.model.pending
        assert self.fleet._intended == self.datastores.state.intended
        assert (trial is None) == (pending is None)
        if trial and pending:
            assert trial.baseline.routers.keys() == {name for name, _ in pending.baseline.routers}

    @invariant()
    def watchers_hear_of_everything(self) -> None:
        seen = [event.kind.value for event in self.run(self.events.take())] if len(self.events) else []
        assert seen == self.model.events
        self.model.events.clear()


def changed(config: Config, change: Change) -> Config:
    what, router, text = change
    match what:
        case "describe":
            return config.describe(router, text)
        case "without":
            return config.without(router)
        case "write":
            return config.write(router)
    return config.unwrite(router)


WRITTEN = {"ietf-interfaces:interfaces": {"interface": [{"name": "lan0", "type": "iana-if-type:other"}]}}


def node_edit(change: Change) -> RoutedEdit:
    what, router, text = change
    entry = f"/tasuki-network:network/router[name='{router}']"
    match what:
        case "describe":
            return RoutedEdit("", NodeEdit(entry, {"description": text}))
        case "without":
            return RoutedEdit("", NodeEdit(entry, operation=EditOperation.REMOVE))
        case "write":
            return RoutedEdit(router, NodeEdit("", WRITTEN))
    return RoutedEdit(router, NodeEdit("/ietf-interfaces:interfaces", operation=EditOperation.REMOVE))


def document(change: Change) -> Edit:
    what, router, text = change
    match what:
        case "describe":
            entry = {"name": router, "description": text}
            return Edit(Operation.MERGE, {"tasuki-network:network": {"router": [entry]}})
        case "without":
            return Edit(Operation.REMOVE, {"tasuki-network:network": {"router": [{"name": router}]}})
        case "write":
            return Edit(Operation.MERGE, None, {router: WRITTEN})
    return Edit(Operation.REMOVE, None, {router: {"ietf-interfaces:interfaces": {}}})


def config_of(running: Running) -> Config:
    entries = running.network.get("tasuki-network:network", {}).get("router", [])
    described = frozenset((entry["name"], entry.get("description", "")) for entry in entries)
    return Config(described, frozenset(running.routers))


def commit_order(order: Order) -> CommitOrder:
    if order.timeout is None:
        return CommitOrder(persist_id=order.persist_id)
    return CommitOrder(
        confirmed=True, timeout=order.timeout, persist=order.persist, persist_id=order.persist_id
    )


def named(order: Order) -> Order:
    """Without a session the controller would choose a name, which the model cannot know."""
    if order.timeout is None or order.persist or order.persist_id:
        return order
    return order._replace(persist="x")


@pytest.mark.timeout(600)  # finding the smallest failing story takes its time
def test_no_session_no_time_out_and_no_restart_makes_the_controller_differ_from_the_model() -> None:
    run_state_machine_as_test(Machine, settings=settings(max_examples=100, stateful_step_count=50))
