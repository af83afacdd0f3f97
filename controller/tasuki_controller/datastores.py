"""The datastores (RFC 8342): running and candidate, which operators write, and intended, which follows.

`transactions` decides who may change what, the `Ledger` changes it; here is what they are asked for. One
commit at a time is computed and put to the routers. Meanwhile sessions go on, and a revert may come in
between, after which the commit is looked at anew. What is heavy runs in a thread, so that agents are served
all the time.
"""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeAlias

from tasuki_yang.errors import InvalidIntent
from tasuki_yang.facts import FactKey, Facts
from tasuki_yang.node_edit import DefaultOperation, EditOperation

from tasuki_controller import history
from tasuki_controller.access import Caller
from tasuki_controller.commit_events import CommitEvent
from tasuki_controller.facts import Fact, supposing
from tasuki_controller.failure import Failed, missing
from tasuki_controller.fleet import Fleet
from tasuki_controller.guard import Guard, Outcomes, seen_through
from tasuki_controller.known import KnownFacts
from tasuki_controller.learning import Learning
from tasuki_controller.ledger import Committed, Ledger, Proposal
from tasuki_controller.mailbox import Mailbox
from tasuki_controller.running import Running
from tasuki_controller.state import Outcome, State, compared, edited, proposed, rebased, supposed, touched
from tasuki_controller.store import Revision, Store, StoredRevision
from tasuki_controller.transaction import Edit, RoutedChange, RoutedEdit, edit_nodes, running_changes
from tasuki_controller.transactions import candidate, commits, locks, sessions
from tasuki_controller.transactions.commits import CommitOrder, EventKind
from tasuki_controller.transactions.state import Datastore, Session

_Computation: TypeAlias = Callable[[State, Running | None], tuple[State, Outcome]]
"""What a commit makes of the state and the candidate, if that differs from running."""


class Datastores:
    """Running, candidate and intended, their history, and the sessions that change them."""

    def __init__(self, store: Store, fleet: Fleet, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._fleet = fleet
        self._ledger = Ledger(store, fleet, clock)
        self._committing = asyncio.Lock()
        self._guard: asyncio.Task[Outcomes] | None = None

    @property
    def state(self) -> State:
        """Running and intended as they are."""
        return self._ledger.state

    @property
    def candidate(self) -> Running:
        """The candidate as it is, valid or not."""
        return self._ledger.transactions.candidate or self.state.running

    async def restore(self) -> None:
        """Take running from the store; an unconfirmed commit is reverted. Before any agent is served.

        Raises:
            StoreError: running is not valid for this version.
        """
        await self._ledger.restore()

    @asynccontextmanager
    async def keeping_time(self) -> AsyncIterator[None]:
        """Let leases run out, unconfirmed commits revert, and intended follow what the routers tell.

        Watchers are told how the routers come along.
        """
        learning = Learning(self._ledger, self._fleet)
        works = (self._ledger.keep_time(), self._follow_routers(), learning.follow())
        tasks = [asyncio.create_task(work) for work in works]
        try:
            yield
        finally:
            self._watch_over(None)
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    # Sessions

    def open_session(self, caller: Caller, lease: int = 0) -> Session:
        """Begin a session of so many seconds, 0 for the default.

        Raises:
            Failed: invalid-value for too long a lease, resource-denied for too many sessions.
        """
        token = secrets.token_urlsafe(24)
        self._ledger.transactions, session = sessions.open_session(
            self._ledger.transactions, caller, token, lease, self._ledger.clock()
        )
        self._ledger.look_again()
        return session

    def keep_session(self, caller: Caller, token: str) -> Session:
        """Renew the lease. Waits for nothing, so that no slow commit can cost a session.

        Raises:
            Failed: invalid-value if the session has ended, access-denied if it is somebody else's.
        """
        session = self._session(caller, token)
        self._ledger.transactions = sessions.keep(self._ledger.transactions, session, self._ledger.clock())
        return session

    async def close_session(self, caller: Caller, token: str) -> None:
        """End the session; its confirmed commit without a name is reverted when this returns.

        Raises:
            Failed: as `keep_session`.
        """
        self._ledger.transactions = sessions.close(self._ledger.transactions, self._session(caller, token))
        self._ledger.look_again()
        await self._ledger.settle()

    async def lock(self, caller: Caller, token: str, target: Datastore) -> None:
        """Let nobody else write to a datastore.

        Raises:
            Failed: lock-denied, with the holder's session-id; or as `keep_session`.
        """
        async with self._ledger.turn():
            self._ledger.transactions = locks.lock(
                self._ledger.transactions, self._session(caller, token), target
            )

    async def unlock(self, caller: Caller, token: str, target: Datastore) -> None:
        """Let others write again; the candidate's changes are discarded with its lock.

        Raises:
            Failed: operation-failed or lock-denied; or as `keep_session`.
        """
        async with self._ledger.turn():
            self._ledger.transactions = locks.unlock(
                self._ledger.transactions, self._session(caller, token), target
            )

    # The candidate

    async def edit(
        self,
        caller: Caller,
        token: str,
        edits: Sequence[RoutedEdit],
        default_operation: DefaultOperation = EditOperation.MERGE,
    ) -> list[RoutedChange]:
        """Change the candidate, all or nothing; what it differs in from running then.

        Raises:
            InvalidIntent: with all that is wrong with the operations.
            Failed: in-use while another session holds the candidate's lock; or as `keep_session`.
        """
        while True:
            async with self._ledger.turn():
                candidate.require_edit(self._ledger.transactions, self._session(caller, token))
                base, running = self.candidate, self.state.running
            after, changes = await asyncio.to_thread(_edited_nodes, running, base, edits, default_operation)
            async with self._ledger.turn():
                session = self._session(caller, token)
                candidate.require_edit(self._ledger.transactions, session)
                if self.candidate is base and self.state.running is running:
                    self._ledger.transactions = candidate.edited(
                        self._ledger.transactions, session, after if changes else None
                    )
                    return changes

    async def discard(self, caller: Caller, token: str) -> None:
        """Make the candidate equal to running.

        Raises:
            Failed: as `edit`.
        """
        async with self._ledger.turn():
            self._ledger.transactions = candidate.discard(
                self._ledger.transactions, self._session(caller, token)
            )

    # Commits

    async def commit(self, caller: Caller, token: str, order: CommitOrder) -> Committed:
        """Make the candidate running. A plain commit confirms the pending one.

        Raises:
            InvalidIntent: the candidate is not valid, or a router refuses it. Nothing has changed.
            Failed: in-use for locks and pending commits of others, invalid-value for a wrong name or timeout;
                operation-failed when a router failed, which `order` asked to wait for and not to keep; or as
                `keep_session`.
            StoreError: the revision could not be stored. Nothing has changed.
        """
        return await self._commit(caller, token, order, _of_candidate, beside=False)

    async def apply(self, edit: Edit, caller: Caller, order: CommitOrder) -> Committed:
        """Open, edit, validate, commit and close in one.

        Raises:
            Failed: in-use while anybody holds a lock, has changes in the candidate, or awaits a confirmation
                that `order` does not name.
            InvalidIntent, StoreError: as `commit`.
        """
        return await self._commit(
            caller, "", _named(order), lambda state, _: edited(state, edit), beside=True
        )

    async def rollback(self, caller: Caller, number: int, order: CommitOrder, token: str = "") -> Committed:
        """Make an older revision's configuration the next revision, from a session or without one.

        Raises:
            Failed: there is no such revision; or as `apply`, apart from the session's own locks.
            InvalidIntent: the revision is not valid any more; or as `commit`.
            StoreError: as `commit`.
        """
        await self._ledger.settle()  # a revert that is due makes a revision, which may be the one meant
        _, running = await self.at(number)
        if not token:
            order = _named(order)
        order = replace(order, comment=order.comment or f"Rollback to revision {number}")
        return await self._commit(
            caller, token, order, lambda state, _: proposed(state, running), beside=True
        )

    async def cancel(self, caller: Caller, token: str, persist_id: str) -> int:
        """Revert the pending commit now; the revision of running then. A name does without a session.

        Raises:
            Failed: invalid-value if none is pending, or by the wrong name or session; in-use for another
                session's lock; or as `keep_session`.
        """
        async with self._ledger.turn():
            session = self._session(caller, token) if token else None
            commits.require_cancel(self._ledger.transactions, session, persist_id)
            await self._ledger.revert(EventKind.CANCEL, caller, "cancelled", self._ledger.baseline)
            return self.state.revision

    def watch_commits(self) -> AbstractContextManager[Mailbox[int, CommitEvent]]:
        """A mailbox that gets the pending commit, if there is one, and then every event."""
        return self._ledger.events.watch()

    def close(self) -> None:
        """End every watch, because the controller ends."""
        self._ledger.events.close()

    # What would change, and what has been

    async def preview(self, edit: Edit) -> Outcome:
        """What `apply` would change.

        Raises:
            InvalidIntent: as `apply`.
        """
        _, outcome = await asyncio.to_thread(edited, self.state, edit)
        return outcome

    async def preview_candidate(self) -> Outcome:
        """What `commit` would change.

        Raises:
            InvalidIntent: the candidate is not valid.
        """
        _, outcome = await asyncio.to_thread(_of_candidate, self.state, self._ledger.transactions.candidate)
        return outcome

    async def preview_rollback(self, number: int) -> Outcome:
        """What `rollback` would change.

        Raises:
            Failed: there is no such revision.
            InvalidIntent: it is not valid any more.
        """
        _, running = await self.at(number)
        _, outcome = await asyncio.to_thread(proposed, self.state, running)
        return outcome

    async def compare(self, old: int, new: int) -> Outcome:
        """What differs between two revisions; 0 stands for running.

        Raises:
            Failed: there is no such revision.
            InvalidIntent: a revision is not valid for this version of tasuki.
        """
        before, after = [
            self.state.running if not number else (await self.at(number))[1] for number in (old, new)
        ]
        return await asyncio.to_thread(compared, before, after, self.state.known)

    async def suppose(self, told: Mapping[str, Facts]) -> tuple[State, Outcome]:
        """The state if routers told this, and what would change on these and on all that follow them."""
        known = KnownFacts.of(supposing(self._ledger.told, told, datetime.now(UTC)))
        return await asyncio.to_thread(supposed, self.state, known, told)

    def facts(self) -> Mapping[str, Mapping[FactKey, Fact | None]]:
        """All that intended depends on, by router; None for what a router has not spoken of yet."""
        state, told = self.state, self._ledger.told
        facts: dict[str, dict[FactKey, Fact | None]] = {
            router: dict(told.get(router, {})) for router in state.intended.routers
        }
        for router, key in state.known.asked:
            facts.get(router, {}).setdefault(key, None)
        return facts

    async def at(self, number: int) -> tuple[StoredRevision, Running]:
        """A revision, and running as it was then.

        Raises:
            Failed: there is no such revision.
        """
        stored = await self._store.revision(number)
        if stored is None:
            raise missing(f"There is no revision {number}; the newest is {self.state.revision}.")
        return stored, await asyncio.to_thread(history.read_running, stored)

    async def revisions(self, *, before: int | None, limit: int) -> Sequence[Revision]:
        """Revisions below a number, newest first."""
        return await self._store.revisions(before=before, limit=limit)

    def _session(self, caller: Caller, token: str) -> Session:
        return sessions.session_of(self._ledger.transactions, caller, token, self._ledger.clock())

    def _admitted(self, caller: Caller, token: str, order: CommitOrder, *, beside: bool) -> Session | None:
        """The session that may commit now; `beside` the candidate only while nothing is in it."""
        session = self._session(caller, token) if token else None
        commits.require_commit(self._ledger.transactions, session, order)
        if beside:
            commits.require_unchanged(self._ledger.transactions)
        return session

    async def _commit(
        self, caller: Caller, token: str, order: CommitOrder, compute: _Computation, *, beside: bool
    ) -> Committed:
        commits.require_order(order)
        async with self._committing:
            while True:
                async with self._ledger.turn():
                    self._admitted(caller, token, order, beside=beside)
                    before, taken = self.state, self._ledger.transactions.candidate
                after, outcome = await asyncio.to_thread(compute, before, taken)
                await self._ask_routers(before, after)
                async with self._ledger.turn():
                    session = self._admitted(caller, token, order, beside=beside)
                    if self.state.running is not before.running:
                        continue
                    after, outcome = await asyncio.to_thread(rebased, self.state, after, outcome)
                    baseline = self._ledger.baseline if self._ledger.transactions.confirmed else self.state
                    made = await self._ledger.make(session, Proposal(caller, order, after, outcome, taken))
                    guarded = order.rollback_on_failure
                    guard = self._watch_over(
                        Guard(self._ledger, self._fleet, after, baseline) if guarded else None
                    )
                    break
        # No lock is held while the routers apply it.
        return await seen_through(made, self._fleet, order.wait, guard)

    async def _ask_routers(self, before: State, after: State) -> None:
        """The first phase: any refusal refuses the commit. A router that says nothing counts as offline."""
        answers = await self._fleet.prepare(touched(before, after))
        refusals = [refusal for answer in answers.values() for refusal in answer.refusals]
        if refusals:
            raise InvalidIntent(refusals)

    def _watch_over(self, guard: Guard | None) -> "asyncio.Task[Outcomes] | None":
        """Guard the newest commit, or none; whatever was guarded before it is not any more."""
        if self._guard:
            self._guard.cancel()
        self._guard = guard.start() if guard else None
        return self._guard

    async def _follow_routers(self) -> None:
        with self._fleet.watch_outcomes() as changed:
            while True:
                try:
                    news = await changed.take()
                except Failed:
                    return
                now = datetime.now(UTC)
                for router, revision, outcome in news:
                    event = CommitEvent(EventKind.ROUTER, revision, now, router, routers={router: outcome})
                    self._ledger.events.emit(event)


def _of_candidate(before: State, taken: Running | None) -> tuple[State, Outcome]:
    return proposed(before, taken) if taken else (before, Outcome([], {}))


def _edited_nodes(
    running: Running, base: Running, edits: Sequence[RoutedEdit], default_operation: DefaultOperation
) -> tuple[Running, list[RoutedChange]]:
    after = edit_nodes(base, edits, default_operation)
    return after, running_changes(running, after)


def _named(order: CommitOrder) -> CommitOrder:
    """A confirmed commit without a session needs a name to be confirmed by."""
    if order.confirmed and not (order.persist or order.persist_id):
        return replace(order, persist=secrets.token_hex(8))
    return order
