"""Which changes mend the differences, in which order, and what must wait for what.

Created first is what others refer to, deleted last. An object that cannot be changed in place is deleted and
created
anew together with all that needs it, because the kernel takes those away with it.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from tasuki_agent.kind import (
    Change,
    Create,
    Delete,
    Kind,
    Observed,
    Ref,
    Spec,
    Update,
    Waiting,
    differing_fields,
)
from tasuki_agent.reconcile.compare import Class, Difference, Wanted


@dataclass(frozen=True, slots=True)
class Step:
    """One change of the plan. It is skipped when the change of an object that it needs has failed."""

    ref: Ref
    change: Change
    needs: tuple[Ref, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """Levels are carried out one after another, the steps of a level at once."""

    levels: tuple[tuple[Step, ...], ...]
    waiting: Mapping[Ref, Ref | Waiting]
    """Objects that cannot be made yet, and the object or the fact that each one waits for."""


def plan(
    kinds: Sequence[Kind],
    differences: Iterable[Difference],
    wanted: Wanted,
    observed: Observed,
    held: frozenset[Ref] = frozenset(),
) -> Plan:
    """Order the changes that mend the differences.

    Args:
        kinds: all kinds, each after those that it follows.
        differences: what `compare` found.
        wanted: all wanted objects.
        observed: all observed objects.
        held: objects that must not be changed now (another try is due later).
    """
    draft = _Draft({kind.name: kind for kind in kinds}, wanted, observed)
    for difference in differences:
        draft.mend(difference, held)
    draft.recreate_dependants()
    for ref in draft.make:
        draft.place(ref)
    order = {kind.name: index for index, kind in enumerate(kinds)}
    return Plan(
        levels=(
            *draft.suspension_levels(),
            *draft.deletion_levels(order, draft.replaced),
            *draft.creation_levels(order),
            *draft.deletion_levels(order, draft.delete),
        ),
        waiting=draft.waiting,
    )


@dataclass(slots=True)
class _Draft:
    """The plan while it is being made."""

    kinds: Mapping[str, Kind]
    wanted: Wanted
    observed: Observed
    make: dict[Ref, Create | Update] = field(default_factory=dict)
    delete: dict[Ref, Delete] = field(default_factory=dict)
    replaced: dict[Ref, Delete] = field(default_factory=dict)
    foreign: set[Ref] = field(default_factory=set)
    held: set[Ref] = field(default_factory=set)
    suspend: dict[Ref, Update] = field(default_factory=dict)
    waiting: dict[Ref, Ref | Waiting] = field(default_factory=dict)
    depth: dict[Ref, int] = field(default_factory=dict)
    needs: dict[Ref, tuple[Ref, ...]] = field(default_factory=dict)

    def mend(self, difference: Difference, held: frozenset[Ref]) -> None:
        """Choose the change that mends one difference."""
        ref = difference.ref
        match difference.class_:
            case Class.SETTLING:
                pass
            case Class.FOREIGN:
                self.foreign.add(ref)
            case Class.WAITING:
                self.waiting[ref] = cast("Waiting", difference.wanted)
                if difference.observed is not None and ref not in held:
                    self.suspend_if_need_be(ref, difference.observed)
            case _ if ref in held:
                self.held.add(ref)
            case Class.MISSING:
                self.make[ref] = Create(ref.key, difference.wanted)
            case Class.UNEXPECTED:
                self.delete[ref] = Delete(ref.key, difference.observed)
            case Class.CHANGED if self.kinds[ref.kind].in_place(difference.observed, difference.wanted):
                self.make[ref] = Update(ref.key, difference.observed, difference.wanted)
            case Class.CHANGED:
                self.replaced[ref] = Delete(ref.key, difference.observed)
                self.make[ref] = Create(ref.key, difference.wanted)

    def suspend_if_need_be(self, ref: Ref, seen: Spec) -> None:
        """Leave what is there of an object that waits as its kind says."""
        suspended = self.kinds[ref.kind].suspended(
            seen, self.wanted[ref.kind][ref.key], self.wanted[ref.kind], self.observed
        )
        if differing_fields(suspended, seen):
            self.suspend[ref] = Update(ref.key, seen, suspended)

    def recreate_dependants(self) -> None:
        """Plan anew what vanishes with the replaced objects: all that needs them, even through others."""
        if not self.replaced:
            return
        users: dict[Ref, list[Ref]] = defaultdict(list)
        for name, specs in self.wanted.items():
            for key, spec in specs.items():
                if isinstance(spec, Waiting):
                    continue
                for need in self.kinds[name].needs(key, spec):
                    users[need].append(Ref(name, key))
        seen = set(self.replaced)
        queue = list(self.replaced)
        while queue:
            for user in users[queue.pop()]:
                if user not in seen:
                    seen.add(user)
                    queue.append(user)
                    if user not in self.foreign:
                        self.make[user] = Create(user.key, self.wanted[user.kind][user.key])

    def place(self, ref: Ref) -> None:
        """Find how deep below its needs of the same kind an object stands, or what it waits for."""
        if ref in self.depth or ref in self.waiting:
            return
        self.depth[ref] = 0  # ends a cycle of needs, should one ever get here
        depth = 0
        in_plan = []
        for need in self.kinds[ref.kind].needs(ref.key, self._spec(ref)):
            if need in self.make:
                self.place(need)
                in_plan.append(need)
            spec = self._future(need)
            if spec is None or not need.met_by(spec):
                self.waiting[ref] = need if spec is not None else Ref(need.kind, need.key)
                return
            if need.kind == ref.kind and need in self.make:
                depth = max(depth, self.depth[need] + 1)
        self.depth[ref] = depth
        self.needs[ref] = tuple(in_plan)

    def _spec(self, ref: Ref) -> Spec:
        return self.make[ref].spec

    def _future(self, ref: Ref) -> Spec | None:
        """What the object will be when the plan is carried out; None if it will not be there."""
        if ref in self.suspend:
            return self.suspend[ref].spec
        if ref in self.make:
            return None if ref in self.waiting else self.make[ref].spec
        return None if ref in self.foreign else self.observed.get(ref.kind, {}).get(ref.key)

    def suspension_levels(self) -> list[tuple[Step, ...]]:
        """All at once, before anything is made that would rely on them."""
        return [tuple(Step(ref, change) for ref, change in self.suspend.items())] if self.suspend else []

    def creation_levels(self, order: Mapping[str, int]) -> list[tuple[Step, ...]]:
        """First what others refer to."""
        levels: dict[tuple[int, int, int], list[Step]] = defaultdict(list)
        for ref, change in self.make.items():
            if ref not in self.waiting:
                level = (order[ref.kind], self.kinds[ref.kind].rank(ref.key), self.depth[ref])
                # What takes the place of another object needs that one to be gone.
                needs = (*self.needs[ref], ref) if ref in self.replaced else self.needs[ref]
                levels[level].append(Step(ref, change, needs))
        return [tuple(levels[level]) for level in sorted(levels)]

    def deletion_levels(
        self, order: Mapping[str, int], doomed: Mapping[Ref, Delete]
    ) -> list[tuple[Step, ...]]:
        """Last created, first deleted."""
        levels: dict[tuple[int, int], list[Step]] = defaultdict(list)
        for ref, change in doomed.items():
            levels[order[ref.kind], self.kinds[ref.kind].rank(ref.key)].append(Step(ref, change))
        return [tuple(levels[level]) for level in sorted(levels, reverse=True)]
