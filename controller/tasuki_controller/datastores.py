"""The datastores (RFC 8342): running, which operators write, and intended, which is computed from it.

One commit at a time. What is heavy runs in a thread, so that agents are served meanwhile; what changes the
datastores runs on the event loop and, once it has begun, to its end: the store, the memory and what agents
are told never differ.
"""

import asyncio
import gc
from collections.abc import Container, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias, TypeVar

from tasuki_yang.errors import InvalidIntent
from tasuki_yang.tree import Tree

from tasuki_controller import history
from tasuki_controller.access import Caller
from tasuki_controller.compile import compile_running
from tasuki_controller.failure import missing
from tasuki_controller.fleet import Fleet, Intended
from tasuki_controller.intent import router_intent
from tasuki_controller.running import Running
from tasuki_controller.store import IntentMark, Revision, Store, StoredRevision, StoreError
from tasuki_controller.transaction import Edit, RoutedChange, prepare, running_changes

T = TypeVar("T")

_MANY: Final = 100_000
"""New objects after which the garbage collector would be busy."""

Trees: TypeAlias = Mapping[str, Tree]
"""Intended trees, by router; of the other side of an unmanaged subscriber, by "SPLIT/NUMBER"."""


@dataclass(frozen=True, slots=True)
class State:
    """Both datastores at one revision."""

    revision: int
    running: Running
    trees: Trees
    intended: Intended


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an edit changes, or two states differ in."""

    changes: Sequence[RoutedChange]
    routers: Mapping[str, tuple[Tree, Tree]]
    """Intended trees before and after, of the routers where they differ."""


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of an edit."""

    revision: int
    committed: bool
    outcome: Outcome


class Datastores:
    """Running, intended and their history."""

    def __init__(self, store: Store, fleet: Fleet) -> None:
        self._store = store
        self._fleet = fleet
        self._writer = asyncio.Lock()
        self._state = State(0, Running(), {}, Intended(0, {}, {}))

    @property
    def state(self) -> State:
        """Both datastores as they are."""
        return self._state

    async def restore(self) -> None:
        """Take running from the store and compute intended from it, before any agent is served.

        Raises:
            StoreError: running is not valid for this version.
        """
        newest = await self._store.newest()
        if newest is None:
            return
        number = newest.revision.number
        marks = await self._store.intents()
        try:
            self._state = await asyncio.to_thread(_restored, newest, marks)
        except InvalidIntent as error:
            raise StoreError(f"revision {number} is not valid for this version of tasuki: {error}") from error
        self._fleet.publish(self._state.intended)

    async def apply(self, edit: Edit, caller: Caller, comment: str) -> Applied:
        """Make the edit's result the next revision, if it changes anything.

        Raises:
            InvalidIntent: the edit, or what it would make of running, is not valid. Nothing has changed.
            StoreError: the revision could not be stored. Nothing has changed.
        """
        async with self._writer:
            after, outcome = await asyncio.to_thread(_edited, self._state, edit)
            if not outcome.changes:
                return Applied(self._state.revision, committed=False, outcome=outcome)
            revision = Revision(
                number=after.revision,
                author=caller.name,
                peer=caller.peer,
                time=datetime.now(UTC),
                comment=comment,
                change_count=len(outcome.changes),
            )
            await _to_the_end(self._commit(revision, after, outcome))
            return Applied(after.revision, committed=True, outcome=outcome)

    async def _commit(self, revision: Revision, after: State, outcome: Outcome) -> None:
        document, changes = await asyncio.to_thread(
            lambda: (history.document_of(after.running), history.changes_of(outcome.changes))
        )
        known = {**after.intended.routers, **after.intended.removed}
        marks = {
            router: intent.mark for router, intent in known.items() if intent.revision == revision.number
        }
        await self._store.commit(revision, document, changes, marks)
        self._state = after
        self._fleet.publish(after.intended)

    # The signatures of sessions, to be filled in next. `Session`, `Datastore`, `CommitOrder` come from
    # `tasuki_controller.transactions`; `RoutedEdit(router, edit)` from `tasuki_controller.transaction`, with
    # `tasuki_yang.edit.NodeEdit`. All raise `Failed`, `InvalidIntent` or `StoreError`.
    #
    # @property
    # def candidate(self) -> Running                       what Get shows; running until it is edited
    # def open_session(self, caller: Caller, lease: int = 0) -> Session     .number .token .lease (seconds); not async
    # def keep_session(self, caller: Caller, token: str) -> Session         not async
    # async def close_session(self, caller, token) -> None
    # async def lock(self, caller, token, target: Datastore) -> None        Datastore.RUNNING | CANDIDATE
    # async def unlock(self, caller, token, target: Datastore) -> None
    # async def edit(self, caller, token, edits: Sequence[RoutedEdit], default: EditOperation) -> list[RoutedChange]
    #     candidate against running afterwards
    # async def discard(self, caller, token) -> None
    # async def candidate_changes(self) -> list[RoutedChange]       running to candidate, valid or not
    # async def preview_candidate(self) -> Outcome                  validates it: what a commit would change
    # async def commit(self, caller, token, order: CommitOrder) -> Committed
    # async def cancel(self, caller, token: str, persist_id: str) -> int   token may be "" with a persist_id
    # async def rollback(self, caller, number: int, order: CommitOrder, token: str = "") -> Committed
    # async def preview_rollback(self, number: int) -> Outcome      dry run
    # async def apply(self, edit: Edit, caller: Caller, order: CommitOrder) -> Committed
    # def watch_commits(self) -> ContextManager[Mailbox[int, CommitEvent]]  pending one first; closes when too slow
    #
    # CommitOrder(comment="", confirmed=False, timeout=600, persist="", persist_id="", rollback_on_failure=False, wait=0)
    #     (for Apply with confirm_seconds: confirmed=True, timeout=confirm_seconds; apply picks a persist if empty)
    # Committed(revision, committed, outcome: Outcome, routers: Mapping[str, RouterOutcome of fleet],
    #           revert_at: datetime | None, persist_id: str)
    # CommitEvent(kind: EventKind, revision, time: datetime, author, revert_at: datetime | None,
    #             routers: Mapping[str, RouterOutcome of fleet], message)
    # EventKind: COMMIT START EXTEND COMPLETE CANCEL TIMEOUT ROUTER

    async def preview(self, edit: Edit) -> Outcome:
        """What `apply` would change.

        Raises:
            InvalidIntent: as `apply`.
        """
        _, outcome = await asyncio.to_thread(_edited, self._state, edit)
        return outcome

    async def compare(self, old: int, new: int) -> Outcome:
        """What differs between two revisions; 0 stands for running.

        Raises:
            Failed: there is no such revision.
            InvalidIntent: a revision is not valid for this version of tasuki.
        """
        states = [self._state.running if not number else (await self.at(number))[1] for number in (old, new)]
        return await asyncio.to_thread(_compared, *states)

    async def at(self, number: int) -> tuple[StoredRevision, Running]:
        """A revision, and running as it was then.

        Raises:
            Failed: there is no such revision.
        """
        stored = await self._store.revision(number)
        if stored is None:
            raise missing(f"There is no revision {number}; the newest is {self._state.revision}.")
        return stored, await asyncio.to_thread(history.read_running, stored)

    async def revisions(self, *, before: int | None, limit: int) -> Sequence[Revision]:
        """Revisions below a number, newest first."""
        return await self._store.revisions(before=before, limit=limit)


def _restored(newest: StoredRevision, marks: Mapping[str, IntentMark]) -> State:
    number = newest.revision.number
    # An edit of nothing validates everything: what a newer model does not take must not vanish from routers.
    prepared = prepare(history.read_running(newest), Edit(network={}))
    trees = prepared.intended
    routers = {}
    for router in filter(_is_router, trees):
        intent = router_intent(number, trees[router])
        mark = marks.get(router)
        # Another digest means that this version computes something else of the same configuration.
        unchanged = mark is not None and mark.digest == intent.digest
        routers[router] = replace(intent, revision=mark.revision) if mark and unchanged else intent
    removed = {
        router: router_intent(mark.revision, {}) for router, mark in marks.items() if router not in trees
    }
    return State(number, prepared.running, trees, Intended(number, routers, removed))


def _edited(before: State, edit: Edit) -> tuple[State, Outcome]:
    with _many_acyclic_objects():
        prepared = prepare(before.running, edit)
        number = before.revision + 1
        differing = _differing(before.trees, prepared.intended)
        intended = _intended(before, prepared.intended, differing, number)
        after = State(number, prepared.running, prepared.intended, intended)
        return after, Outcome(prepared.changes, differing)


@contextmanager
def _many_acyclic_objects() -> Iterator[None]:
    """Spare the garbage collector what reference counts do alone.

    Trees of thousands of tunnels are a million objects without cycles. Looking for some takes longer than
    computing them; what is left of them afterwards is never looked at again.
    """
    gc.disable()
    try:
        yield
    finally:
        if gc.get_count()[0] > _MANY:
            gc.freeze()
        gc.enable()


def _compared(old: Running, new: Running) -> Outcome:
    return Outcome(running_changes(old, new), _differing(compile_running(old), compile_running(new)))


def _intended(before: State, trees: Trees, differing: Container[str], revision: int) -> Intended:
    known = before.intended.routers
    routers = {}
    for router in filter(_is_router, trees):
        same = router in known and router not in differing
        routers[router] = known[router] if same else router_intent(revision, trees[router])
    removed = {router: intent for router, intent in before.intended.removed.items() if router not in routers}
    removed |= {router: router_intent(revision, {}) for router in known if router not in routers}
    return Intended(revision, routers, removed)


def _differing(old: Trees, new: Trees) -> dict[str, tuple[Tree, Tree]]:
    pairs = {
        name: (old.get(name, {}), new.get(name, {})) for name in sorted({*old, *new}) if _is_router(name)
    }
    return {name: (before, after) for name, (before, after) in pairs.items() if before != after}


def _is_router(target: str) -> bool:
    """An unmanaged subscriber's other end is compiled as well, under "SPLIT/NUMBER"."""
    return "/" not in target


async def _to_the_end(work: Coroutine[Any, Any, T]) -> T:
    """Await work that a caller who goes away must not tear in two."""
    task = asyncio.create_task(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise
