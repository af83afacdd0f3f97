"""Both datastores (RFC 8342) at one revision, and how one such state follows from another. Pure."""

import gc
from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from tasuki_yang.tree import Tree

from tasuki_controller.compile import compile_running
from tasuki_controller.intended import Intended
from tasuki_controller.intent import RouterIntent, router_intent
from tasuki_controller.running import Running
from tasuki_controller.store import IntentMark
from tasuki_controller.transaction import (
    Edit,
    Prepared,
    RoutedChange,
    prepare,
    prepare_candidate,
    running_changes,
)

_MANY: Final = 100_000
"""New objects after which the garbage collector would be busy."""

Trees: TypeAlias = Mapping[str, Tree]
"""Intended trees, by router; of the other side of an unmanaged subscriber, by "SPLIT/NUMBER"."""


@dataclass(frozen=True, slots=True)
class State:
    """Running, and intended, which is computed from it."""

    revision: int
    running: Running
    trees: Trees
    intended: Intended


NOTHING: Final = State(0, Running(), {}, Intended(0, {}, {}))
"""Before the first revision."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an edit changes, or two states differ in."""

    changes: Sequence[RoutedChange]
    routers: Mapping[str, tuple[Tree, Tree]]
    """Intended trees before and after, of the routers where they differ."""


def edited(before: State, edit: Edit) -> tuple[State, Outcome]:
    """The state after an edit of running.

    Raises:
        InvalidIntent: the edit, or what it would make of running, is not valid.
    """
    with _many_acyclic_objects():
        return _next(before, prepare(before.running, edit))


def proposed(before: State, running: Running) -> tuple[State, Outcome]:
    """The state with another running.

    Raises:
        InvalidIntent: it is not valid.
    """
    with _many_acyclic_objects():
        return _next(before, prepare_candidate(before.running, running))


def returned(before: State, baseline: State) -> tuple[State, Outcome]:
    """The state with running as it was before, which needs no validation."""
    prepared = Prepared(baseline.running, baseline.trees, running_changes(before.running, baseline.running))
    return _next(before, prepared)


def restored(number: int, running: Running, marks: Mapping[str, IntentMark]) -> State:
    """The state at a revision, from what the store knows of it.

    Raises:
        InvalidIntent: running is not valid for this version.
    """
    # Everything is validated: what a newer model does not take must not vanish from routers.
    prepared = prepare_candidate(running, running)
    routers = {
        router: _marked(number, tree, marks.get(router))
        for router, tree in prepared.intended.items()
        if _is_router(router)
    }
    removed = {router: _marked(number, {}, mark) for router, mark in marks.items() if router not in routers}
    return State(number, prepared.running, prepared.intended, Intended(number, routers, removed))


def marks_of(state: State) -> Mapping[str, IntentMark]:
    """What the store keeps of the routers whose intended trees this revision changes."""
    known = {**state.intended.routers, **state.intended.removed}
    return {router: intent.mark for router, intent in known.items() if intent.revision == state.revision}


def compared(old: Running, new: Running) -> Outcome:
    """What two valid configurations differ in.

    Raises:
        InvalidIntent: one is not valid for this version.
    """
    return Outcome(running_changes(old, new), _differing(compile_running(old), compile_running(new)))


def touched(before: State, after: State) -> Mapping[str, RouterIntent]:
    """Intents of the routers whose intended trees differ between two states."""
    intents = {router: after.intended.of(router) for router in _differing(before.trees, after.trees)}
    return {router: intent for router, intent in intents.items() if intent}


def _next(before: State, prepared: Prepared) -> tuple[State, Outcome]:
    differing = _differing(before.trees, prepared.intended)
    number = before.revision + bool(prepared.changes)
    intended = _intended(before, prepared.intended, differing, number)
    return State(number, prepared.running, prepared.intended, intended), Outcome(prepared.changes, differing)


def _marked(number: int, tree: Tree, mark: IntentMark | None) -> RouterIntent:
    intent = router_intent(number, tree)
    # Another digest means that this version computes something else of the same configuration.
    return replace(intent, revision=mark.revision) if mark and mark.digest == intent.digest else intent


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
