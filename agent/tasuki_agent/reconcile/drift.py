"""The book of drift: what differed from an intent that had already been met, and what became of it.

A difference is drift when the object had been as wanted before (missing, changed), or was never wanted
(unexpected).
What differs because the intent or what is known has just changed is work, not drift.

Items wait here until the controller has stored them. The book is bounded by merging, never by a queue: an
item that
comes back within `REOPEN_WINDOW` is the same item, seen once more.
"""

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from enum import Enum
from typing import Any

from tasuki_agent.kind import Change, Compound, Delete, Key, Kind, Ref, Spec, differences
from tasuki_agent.reconcile.compare import Class, Difference, Wanted
from tasuki_agent.reconcile.status import State, StatusBoard

REOPEN_WINDOW = 60.0
"""Seconds after its end within which the same difference counts as the same item."""
CAPACITY = 20_000
"""Closed items kept at the most; beyond it the oldest go. Open ones are no more than there are objects."""


class Action(Enum):
    """What was done about an item."""

    PENDING = "pending"
    HEALED = "healed"
    FAILED = "failed"
    CONTENDED = "contended"
    OBSOLETE = "obsolete"


CLOSED = frozenset({Action.HEALED, Action.OBSOLETE})


@dataclass(frozen=True, slots=True)
class DriftItem:
    """One difference from first sight to its end. Times are seconds since the epoch."""

    id: str
    path: str
    kind: str
    key: str
    field: str
    intended: str
    observed: str
    class_: Class
    first_seen: float
    last_seen: float
    action: Action = Action.PENDING
    message: str = ""
    count: int = 1
    healed_at: float | None = None


@dataclass(frozen=True, slots=True)
class _Subject:
    """What makes two differences the same one."""

    ref: Ref
    field: str
    class_: Class


def text(value: Any) -> str:
    """A spec, or a field of one, as people and scripts read it."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case Enum():
            return str(value.value)
        case tuple() | frozenset():
            return ", ".join(text(part) for part in value)
        case _ if is_dataclass(value) and not isinstance(value, Compound):
            parts = ((f.name, getattr(value, f.name)) for f in fields(value) if f.compare)
            return " ".join(f"{name}={text(part)}" for name, part in parts if part is not None and part != ())
        case _:
            return str(value)


@dataclass(slots=True)
class DriftBook:
    """All items that the controller has not stored yet, and those that are still open."""

    settled: dict[str, dict[Key, Spec]] = field(default_factory=dict)
    """What had been as wanted when last looked at: kind's name to key to spec."""
    _items: dict[_Subject, DriftItem] = field(default_factory=dict)
    _sequences: dict[str, int] = field(default_factory=dict)
    _sequence: int = 0
    lost: int = 0
    """Items that the controller has never stored and that were too many to keep."""

    def see(
        self, differences: Iterable[Difference], kinds: Mapping[str, Kind], repaired: set[Ref], now: float
    ) -> None:
        """Open, refresh and close items by what differs now.

        Args:
            differences: everything that differs now.
            kinds: all kinds by name.
            repaired: objects that were changed by us since the book last saw them.
            now: seconds since the epoch.
        """
        present: set[_Subject] = set()
        for difference in differences:
            if self._is_drift(difference):
                for subject, intended, observed in _subjects(difference):
                    present.add(subject)
                    self._open(subject, kinds[subject.ref.kind], intended, observed, now)
        for subject, item in list(self._items.items()):
            if item.action not in CLOSED and subject not in present:
                healed = subject.ref in repaired
                self._put(
                    subject,
                    replace(
                        item,
                        action=Action.HEALED if healed else Action.OBSOLETE,
                        healed_at=now if healed else None,
                        message="",
                    ),
                )
            elif item.action in CLOSED and item.last_seen < now - REOPEN_WINDOW:
                self._forget_if_stored(subject)
        self._evict()

    def follow(self, board: StatusBoard) -> None:
        """Take over what the objects' status says of the open items."""
        for subject, item in list(self._items.items()):
            if item.action in CLOSED:
                continue
            status = board.get(subject.ref)
            action, message = Action.PENDING, ""
            if status is not None:
                message = status.message
                if status.state in (State.FAILED, State.FOREIGN):
                    action = Action.FAILED
                elif status.state is State.CONTENDED:
                    action = Action.CONTENDED
            if (item.action, item.message) != (action, message):
                self._put(subject, replace(item, action=action, message=message))

    def settle(self, wanted: Wanted, differences: Iterable[Difference]) -> None:
        """Remember what is as wanted now; what differs keeps what was remembered of it.

        What is excused is forgotten: to make it again is no repair. What waits and is there is remembered as
        it is: to be rid of it, when nothing asks for it any more, is none either.
        """
        settled = {name: self._as_before(name, specs) for name, specs in wanted.items()}
        for difference in differences:
            if difference.class_ is Class.SETTLING:
                continue
            ref = difference.ref
            before = self.settled.get(ref.kind, {}).get(ref.key)
            if difference.class_ is Class.WAITING and difference.observed is not None:
                settled.setdefault(ref.kind, {})[ref.key] = difference.observed
            elif before is None or difference.excused:
                settled.setdefault(ref.kind, {}).pop(ref.key, None)
            else:
                settled.setdefault(ref.kind, {})[ref.key] = before
        self.settled = settled

    def _as_before(self, kind: str, specs: Mapping[Key, Spec]) -> dict[Key, Spec]:
        """What is wanted as it was counts as it was then: small steps in lifetimes are equal one by one."""
        before = self.settled.get(kind, {})
        return {
            key: before[key] if key in before and before[key] == spec else spec for key, spec in specs.items()
        }

    def excuse(self, differences: Iterable[Difference]) -> None:
        """Forget at once what is excused: it may be excused no more within the same step."""
        for difference in differences:
            if difference.excused:
                self.settled.get(difference.ref.kind, {}).pop(difference.ref.key, None)

    def overtake(self, changes: Iterable[tuple[Ref, Change]]) -> None:
        """Forget what we are about to change ourselves: if it is wanted again as it was, that is no drift."""
        for ref, change in changes:
            before = self.settled.get(ref.kind, {}).get(ref.key)
            if before is not None and not isinstance(change, Delete) and change.spec != before:
                del self.settled[ref.kind][ref.key]

    @property
    def open_ids(self) -> Sequence[str]:
        """Of the items that are neither healed nor obsolete."""
        return [item.id for item in self._items.values() if item.action not in CLOSED]

    @property
    def open_count(self) -> int:
        """How many these are."""
        return len(self.open_ids)

    def unacknowledged(self) -> Iterator[tuple[int, DriftItem]]:
        """Items that the controller has not stored in their present state, by sequence number."""
        by_id = {item.id: item for item in self._items.values()}
        return iter(sorted(((n, by_id[id_]) for id_, n in self._sequences.items()), key=lambda pair: pair[0]))

    def acknowledge(self, sequence: int) -> None:
        """The controller has stored every item up to this sequence number."""
        self._sequences = {id_: n for id_, n in self._sequences.items() if n > sequence}

    def restore(self, items: Iterable[DriftItem]) -> None:
        """Take items over from an earlier run that the controller may not have seen.

        What was open then is obsolete as an item: if it still differs it is found anew.
        """
        for item in items:
            closed = item if item.action in CLOSED else replace(item, action=Action.OBSOLETE)
            self._put(_Subject(Ref(item.kind, item.id), item.field, item.class_), closed)

    def _is_drift(self, difference: Difference) -> bool:
        if difference.excused or difference.class_ is Class.SETTLING:
            return False
        ref = difference.ref
        before = self.settled.get(ref.kind, {}).get(ref.key)
        if difference.class_ is Class.UNEXPECTED:
            return before is None
        return before is not None and before == difference.wanted

    def _open(self, subject: _Subject, kind: Kind, intended: str, observed: str, now: float) -> None:
        item = self._items.get(subject)
        if item is None:
            item = DriftItem(
                id=uuid.uuid4().hex,
                path=kind.path(subject.ref.key, subject.field),
                kind=kind.name,
                key=str(subject.ref.key),
                field=subject.field,
                intended=intended,
                observed=observed,
                class_=subject.class_,
                first_seen=now,
                last_seen=now,
            )
        elif item.action in CLOSED:
            item = replace(
                item,
                intended=intended,
                observed=observed,
                last_seen=now,
                action=Action.PENDING,
                count=item.count + 1,
                healed_at=None,
            )
        elif item.observed != observed:
            item = replace(item, observed=observed, last_seen=now)
        else:
            return
        self._put(subject, item)

    def _put(self, subject: _Subject, item: DriftItem) -> None:
        self._items[subject] = item
        self._sequence += 1
        self._sequences[item.id] = self._sequence

    def _evict(self) -> None:
        """Keep the closed items within `CAPACITY`: first go those that are stored, then the oldest."""
        if len(self._items) <= CAPACITY:
            return
        closed = [subject for subject, item in self._items.items() if item.action in CLOSED]
        if len(closed) <= CAPACITY:
            return
        closed.sort(key=lambda s: (self._items[s].id in self._sequences, self._items[s].last_seen))
        for subject in closed[: len(closed) - CAPACITY]:
            if self._sequences.pop(self._items.pop(subject).id, None) is not None:
                self.lost += 1

    def _forget_if_stored(self, subject: _Subject) -> None:
        if self._items[subject].id not in self._sequences:
            del self._items[subject]


def _subjects(difference: Difference) -> Iterator[tuple[_Subject, str, str]]:
    """The items that one difference makes: one per field that changed, else one for the object."""
    ref, wanted, observed = difference.ref, difference.wanted, difference.observed
    if difference.class_ is Class.CHANGED and difference.fields != ("type",):
        for name, (value, seen) in differences(wanted, observed).items():
            yield _Subject(ref, name, Class.CHANGED), text(value) or "none", text(seen) or "none"
        return
    class_ = Class.MISSING if difference.class_ is Class.FOREIGN else difference.class_
    yield _Subject(ref, "", class_), text(wanted), text(observed)
