"""Both datastores (RFC 8342) at one revision, and how one such state follows from another. Pure."""

import gc
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

from tasuki_yang.tree import Tree

from tasuki_controller.compile import compile_reading, compile_running
from tasuki_controller.intended import Intended
from tasuki_controller.intent import RouterIntent, router_intent
from tasuki_controller.known import KnownFacts
from tasuki_controller.reading import read
from tasuki_controller.running import Running
from tasuki_controller.services import services
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
    """Running, and intended, which is computed from it and from what routers have told."""

    revision: int
    running: Running
    trees: Trees
    intended: Intended
    known: KnownFacts = field(default_factory=KnownFacts, compare=False)
    """What intended was computed with, and what it depends on."""


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
    known = before.known.anew()
    with _many_acyclic_objects():
        return _next(before, prepare(before.running, edit, known), known)


def proposed(before: State, running: Running) -> tuple[State, Outcome]:
    """The state with another running.

    Raises:
        InvalidIntent: it is not valid.
    """
    known = before.known.anew()
    with _many_acyclic_objects():
        return _next(before, prepare_candidate(before.running, running, known), known)


def returned(before: State, baseline: State) -> tuple[State, Outcome]:
    """The state with running as it was before, which needs no validation. Facts do not go back."""
    return _joined(before, baseline, running_changes(before.running, baseline.running))


def rebased(now: State, after: State, outcome: Outcome) -> tuple[State, Outcome]:
    """A commit that was computed while only facts have changed, on top of these."""
    return (now, outcome) if after.running is now.running else _joined(now, after, outcome.changes)


def learned(before: State, told: KnownFacts) -> State:
    """The same running where the routers have told this. Intended changes without a revision then."""
    if not before.known.differs(told):
        return replace(before, known=replace(told, asked=before.known.asked))
    known = told.anew()
    with _many_acyclic_objects():
        reading = read(before.running)
        contributors = services(reading.network, reading.written, known)
        trees, _ = compile_reading(before.running, reading, contributors)
        differing = _differing(before.trees, trees)
        routers = {
            router: router_intent(intent.revision, trees[router]) if router in differing else intent
            for router, intent in before.intended.routers.items()
        }
    return replace(before, trees=trees, intended=replace(before.intended, routers=routers), known=known)


def supposed(before: State, told: KnownFacts, routers: Iterable[str]) -> tuple[State, Outcome]:
    """The state if the routers had told this; in the outcome are these routers also where nothing differs."""
    after = learned(before, told)
    unchanged = {name: (before.trees[name], before.trees[name]) for name in routers}
    return after, Outcome([], unchanged | _differing(before.trees, after.trees))


def restored(number: int, running: Running, marks: Mapping[str, IntentMark], told: KnownFacts) -> State:
    """The state at a revision, from what the store knows of it.

    Raises:
        InvalidIntent: running is not valid for this version.
    """
    # Everything is validated: what a newer model does not take must not vanish from routers.
    known = told.anew()
    prepared = prepare_candidate(running, running, known)
    routers = {
        router: _marked(number, tree, marks.get(router))
        for router, tree in prepared.intended.items()
        if _is_router(router)
    }
    removed = {router: _marked(number, {}, mark) for router, mark in marks.items() if router not in routers}
    return State(number, prepared.running, prepared.intended, Intended(number, routers, removed), known)


def marks_of(state: State) -> Mapping[str, IntentMark]:
    """What the store keeps of the routers whose intended trees this revision changes."""
    known = {**state.intended.routers, **state.intended.removed}
    return {router: intent.mark for router, intent in known.items() if intent.revision == state.revision}


def compared(old: Running, new: Running, told: KnownFacts) -> Outcome:
    """What two valid configurations differ in, both with what routers have told by now.

    Raises:
        InvalidIntent: one is not valid for this version.
    """
    trees = [compile_running(running, told.anew()) for running in (old, new)]
    return Outcome(running_changes(old, new), _differing(*trees))


def touched(before: State, after: State) -> Mapping[str, RouterIntent]:
    """Intents of the routers whose intended trees differ between two states."""
    intents = {router: after.intended.of(router) for router in _differing(before.trees, after.trees)}
    return {router: intent for router, intent in intents.items() if intent}


def _joined(now: State, other: State, changes: Sequence[RoutedChange]) -> tuple[State, Outcome]:
    """Another state's running after this one, with the facts of this one."""
    current = learned(other, now.known)
    return _next(now, Prepared(current.running, current.trees, changes), current.known)


def _next(before: State, prepared: Prepared, known: KnownFacts) -> tuple[State, Outcome]:
    differing = _differing(before.trees, prepared.intended)
    number = before.revision + bool(prepared.changes)
    intended = _intended(before, prepared.intended, differing, number)
    state = State(number, prepared.running, prepared.intended, intended, known)
    return state, Outcome(prepared.changes, differing)


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
