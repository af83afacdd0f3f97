"""What is running, and the only ways in which that changes: a commit, a revert, and the passing of time.

Intended follows what the routers tell as well, in the same turns.

Everything happens in turns. A turn first does what time has made due, so that a loop that was slow decides
nothing; what it then changes is durable before anybody can know of it, and is done to its end even if the
caller goes away. The store, the memory and what the agents are told never differ.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar

from tasuki_proto.failpoint import failpoint
from tasuki_yang.errors import InvalidIntent

from tasuki_controller import facts, history
from tasuki_controller.access import Caller, Role
from tasuki_controller.commit_events import CommitEvent, CommitEvents
from tasuki_controller.facts import FactChange, Report, RouterFact, Told, is_held
from tasuki_controller.fleet import Fleet
from tasuki_controller.intended import Trial
from tasuki_controller.known import KnownFacts, changes
from tasuki_controller.outcome import RouterOutcome
from tasuki_controller.running import Running
from tasuki_controller.state import NOTHING, Outcome, State, learned, marks_of, restored, returned, touched
from tasuki_controller.store import Revision, Store, StoreError
from tasuki_controller.transaction import RoutedChange, running_changes
from tasuki_controller.transactions import commits, sessions
from tasuki_controller.transactions.commits import CommitOrder, EventKind
from tasuki_controller.transactions.state import Session, Transactions

T = TypeVar("T")

_log = logging.getLogger(__name__)

CONTROLLER: Final = Caller(Role.LOCAL, "tasuki-controller", "")
"""Author of what nobody asked for: reverts."""
_AGAIN: Final = 1.0
"""Seconds until a revert that the disk refused is tried again."""
_LONG: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Proposal:
    """A commit that is computed and that no router refuses."""

    caller: Caller
    order: CommitOrder
    after: State
    outcome: Outcome
    taken: Running | None
    """The candidate that it was made of; None if that was equal to running."""


@dataclass(frozen=True, slots=True)
class Committed:
    """What became of a commit."""

    revision: int
    """Revision of running after it."""
    committed: bool
    """False if nothing differed from running."""
    outcome: Outcome
    routers: Mapping[str, RouterOutcome]
    """How the routers stand whose intended trees it changes."""
    revert_at: datetime | None = None
    persist_id: str = ""


class Ledger:
    """Running and intended, what awaits its confirmation, and the turns in which they change."""

    def __init__(self, store: Store, fleet: Fleet, clock: Callable[[], float]) -> None:
        self._store = store
        self._fleet = fleet
        self._turn = asyncio.Lock()
        self._sooner = asyncio.Event()
        self.clock = clock
        self.events = CommitEvents()
        self.state = NOTHING
        self.baseline = NOTHING
        """What the pending commit goes back to."""
        self.transactions = Transactions()
        self.told: Told = {}
        """What the routers have told, as intended was computed with."""
        self._trial: Trial | None = None

    async def restore(self) -> None:
        """Take running from the store and compute intended from it, before any agent is served.

        A commit that was never confirmed is reverted first, also one with a name (RFC 6241 section 8.4.1).

        Raises:
            StoreError: running is not valid for this version.
        """
        self.told = await self._store.told()
        newest, baseline = await self._store.newest(), await self._store.baseline()
        if newest is None:
            if baseline is not None:
                await self._store.set_baseline(None)
            return
        number = newest.revision.number
        running = target = await asyncio.to_thread(history.read_running, newest)
        if baseline is not None:
            target = await self._running_at(baseline)
        edits = await asyncio.to_thread(running_changes, running, target)
        marks = await self._store.intents()
        try:
            state = await asyncio.to_thread(
                restored, number + bool(edits), target, marks, KnownFacts.of(self.told)
            )
        except InvalidIntent as error:
            source = number if baseline is None else baseline
            raise StoreError(f"revision {source} is not valid for this version of tasuki: {error}") from error
        if baseline is not None:
            comment = _back(baseline, number, "the controller ended before it was confirmed")
            await self._write(CONTROLLER, comment, state, edits, None)
            _log.warning("%s", comment)
        self._show(state)

    async def _running_at(self, number: int) -> Running:
        """Running at a revision, or before the first."""
        if not number:
            return Running()
        stored = await self._store.revision(number)
        if stored is None:
            raise StoreError(f"revision {number} is not in the store, and running must return to it")
        return await asyncio.to_thread(history.read_running, stored)

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Nothing else changes meanwhile, apart from sessions that begin or are kept.

        Raises:
            StoreError: a revert is due and cannot be stored. Nothing may happen before it is.
        """
        async with self._turn:
            await self._settle()
            yield

    async def _settle(self) -> None:
        now = self.clock()
        lost = sessions.expired(self.transactions, now)
        for session in lost:
            _log.warning("session %d of %s: lost, its lease ran out", session.number, session.caller.name)
        self.transactions = sessions.close_all(self.transactions, lost)
        kind = commits.reversal(self.transactions, now)
        if kind:
            late = kind is EventKind.TIMEOUT
            why = "it was not confirmed in time" if late else "its session ended before it was confirmed"
            await self.revert(kind, CONTROLLER, why, self.baseline)

    async def settle(self) -> None:
        """Take a turn only to do what is due.

        Raises:
            StoreError: as `turn`.
        """
        async with self.turn():
            pass

    async def keep_time(self) -> None:
        """Let leases run out and unconfirmed commits revert, until cancelled."""
        while True:
            self._sooner.clear()
            try:
                async with self.turn():
                    due = commits.next_due(self.transactions)
                wait = _LONG if due is None else min(max(due - self.clock(), 0), _LONG)
            except StoreError:
                _log.exception("a revert could not be stored; it is tried again")
                wait = _AGAIN
            try:
                async with asyncio.timeout(wait):
                    await self._sooner.wait()
            except TimeoutError:
                continue

    def look_again(self) -> None:
        """Something may be due sooner than was known."""
        self._sooner.set()

    async def make(self, session: Session | None, proposal: Proposal) -> Committed:
        """Commit, in the turn of the caller.

        Raises:
            StoreError: the revision could not be stored. Nothing has changed.
        """
        return await _to_the_end(self._make(session, proposal))

    async def _make(self, session: Session | None, proposal: Proposal) -> Committed:
        order, after, outcome = proposal.order, proposal.after, proposal.outcome
        pending = self.transactions.confirmed
        revisions = (self.state.revision, after.revision)
        kind = commits.event_of(self.transactions, order, changed=bool(outcome.changes))
        confirmed = commits.chained(pending, session, order, revisions, self.clock())
        if kind:
            back = confirmed.baseline if confirmed else None
            await self._write(proposal.caller, order.comment, after, outcome.changes, back)
        if not pending:
            self.baseline = self.state
        self.transactions = commits.committed(self.transactions, proposal.taken, confirmed)
        self._show(after)
        await self._forget()
        revert_at = datetime.now(UTC) + timedelta(seconds=order.timeout) if confirmed else None
        if kind:
            self._emit(kind, proposal.caller, outcome, order.comment, revert_at)
        return Committed(
            revision=after.revision,
            committed=bool(outcome.changes),
            outcome=outcome,
            routers=self._outcomes(outcome),
            revert_at=revert_at,
            persist_id=confirmed.persist if confirmed else "",
        )

    async def revert(self, kind: EventKind, caller: Caller, why: str, baseline: State) -> None:
        """Return to a state, whatever is locked, in the turn of the caller.

        Raises:
            StoreError: it could not be stored. Nothing has changed.
        """
        after, outcome = await asyncio.to_thread(returned, self.state, baseline)
        comment = _back(baseline.revision, self.state.revision, why)
        await _to_the_end(self._go_back(kind, caller, comment, after, outcome))
        _log.warning("%s", comment)

    async def _go_back(
        self, kind: EventKind, caller: Caller, comment: str, after: State, outcome: Outcome
    ) -> None:
        await self._write(caller, comment, after, outcome.changes, None)
        self.transactions = commits.reverted(self.transactions)
        self._show(after)
        await self._forget()
        self._emit(kind, caller, outcome, comment)

    async def learn(self, reports: Mapping[str, Report]) -> None:
        """Take in what routers report, by router name, and let intended follow without a revision.

        What a commit goes back to follows as well: nothing brings an end back that has moved on.

        Raises:
            StoreError: it could not be stored. Nothing has changed.
        """
        async with self.turn():
            await _to_the_end(self._learn(reports))

    async def _learn(self, reports: Mapping[str, Report]) -> None:
        now = datetime.now(UTC)
        told = self._told_after(reports, now)
        if told == self.told:
            return
        known = await asyncio.to_thread(KnownFacts.of, told)
        state, baseline = await asyncio.to_thread(
            lambda: (learned(self.state, known), learned(self.baseline, known))
        )
        spoke = {router for router in {*told, *self.told} if told.get(router) != self.told.get(router)}
        changed = list(changes(self.state.known, known, self._asked() | facts.audited(told, spoke)))
        followers = {router: intent.mark for router, intent in touched(self.state, state).items()}
        await self._store.learn({router: told.get(router, {}) for router in spoke}, changed, followers, now)
        self._log_news(changed, known)
        self.told, self.state, self.baseline = told, state, baseline
        self._trial = self._trial and replace(self._trial, baseline=baseline.intended)
        self._fleet.publish(state.intended, self._trial)

    async def _forget(self) -> None:
        """Forget what routers told that have left: another one may come by the same name."""
        try:
            await self._learn({})
        except StoreError:
            _log.exception("what routers told that have left is still stored; it goes with the next report")

    def _told_after(self, reports: Mapping[str, Report], now: datetime) -> Told:
        """What all routers of the network have told after these reports."""
        states = (self.state, self.baseline)
        network = {router for state in states for router in state.intended.routers}
        asked = self._asked()
        told = {router: known for router, known in self.told.items() if router in network}
        for router in reports.keys() & network:
            needed = {key for name, key in asked if name == router}
            told[router] = facts.heard(told.get(router, {}), reports[router], needed, now)
        return told

    def _asked(self) -> set[RouterFact]:
        """What other routers' trees are made of, now and where a pending commit goes back."""
        return self.state.known.asked | self.baseline.known.asked

    def _log_news(self, changed: Sequence[FactChange], known: KnownFacts) -> None:
        for change in changed:
            _log.info("router %s: %s is %s", change.router, change.key, ", ".join(change.new) or "not known")
        for router, key in sorted(self._asked() & known.holders.keys()):
            holder = known.holders[router, key]
            if self.state.known.holders.get((router, key)) != holder:
                _log.warning("router %s: %s: %s", router, key, is_held(holder))

    async def _write(
        self,
        caller: Caller,
        comment: str,
        after: State,
        changes: Sequence[RoutedChange],
        baseline: int | None,
    ) -> None:
        failpoint("ledger: before the store")
        if changes:
            document, written = await asyncio.to_thread(
                lambda: (history.document_of(after.running), history.changes_of(changes))
            )
            revision = Revision(
                number=after.revision,
                author=caller.name,
                peer=caller.peer,
                time=datetime.now(UTC),
                comment=comment,
                change_count=len(changes),
            )
            await self._store.commit(revision, document, written, marks_of(after), baseline)
        else:
            await self._store.set_baseline(baseline)
        failpoint("ledger: after the store")

    def _show(self, state: State) -> None:
        """Make known what is durable."""
        self.state = state
        confirmed, self._trial = self.transactions.confirmed, None
        if confirmed:
            remaining = confirmed.deadline - self.clock()
            self._trial = Trial(self.baseline.intended, asyncio.get_running_loop().time() + remaining)
        else:
            self.baseline = NOTHING
        self._fleet.publish(state.intended, self._trial)
        self.look_again()
        failpoint("ledger: published")

    def _outcomes(self, outcome: Outcome) -> Mapping[str, RouterOutcome]:
        return {router: self._fleet.outcome(router).outcome for router in outcome.routers}

    def _emit(
        self,
        kind: EventKind,
        caller: Caller,
        outcome: Outcome,
        message: str,
        revert_at: datetime | None = None,
    ) -> None:
        now, routers = datetime.now(UTC), self._outcomes(outcome)
        event = CommitEvent(kind, self.state.revision, now, caller.name, revert_at, routers, message)
        self.events.emit(event)


def _back(baseline: int, revision: int, why: str) -> str:
    return f"Back to revision {baseline} from revision {revision}: {why}"


async def _to_the_end(work: Coroutine[Any, Any, T]) -> T:
    """Await work that a caller who goes away must not tear in two."""
    task = asyncio.create_task(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise
