"""What differs between wanted and observed objects, and whose each difference is to mend."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from tasuki_agent.kind import Key, Kind, Observed, Ref, Spec, Waiting, differing_fields

Wanted = Mapping[str, Mapping[Key, Spec | Waiting]]
"""All that the intent asks for: kind's name to key to spec, or to what that waits for."""


class Class(Enum):
    """How an object differs."""

    MISSING = "missing"
    CHANGED = "changed"
    UNEXPECTED = "unexpected"
    FOREIGN = "foreign"
    """Wanted, and somebody else's object stands in its place: reported, never touched."""
    WAITING = "waiting"
    """Wanted, and made of something that is not known yet."""
    SETTLING = "settling"
    """As wanted, and of no use before the kernel has done its part."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One object that is not as wanted.

    `wanted` is None for UNEXPECTED, `observed` for MISSING; `fields` names what differs for CHANGED. For
    WAITING, `wanted` is what is waited for, and `observed` None unless something of ours is there.
    """

    ref: Ref
    class_: Class
    wanted: Spec | Waiting | None
    observed: Spec | None
    fields: tuple[str, ...] = ()
    excused: bool = False
    """The intent itself says that it cannot be otherwise now, so that it is no drift: the object waits, or
    what it needs waits or is switched off."""


def compare(
    kinds: Sequence[Kind], wanted: Wanted, observed: Observed, settled: Wanted | None = None
) -> list[Difference]:
    """Every difference, in the order of the kinds. What is neither wanted nor ours does not count.

    Args:
        kinds: all kinds.
        wanted: all wanted objects.
        observed: all observed objects.
        settled: what had been as wanted, and so was ours, when last looked at.
    """
    by_name = {kind.name: kind for kind in kinds}
    differences = (
        difference for kind in kinds for difference in _compare_kind(kind, wanted, observed, settled or {})
    )
    return [
        replace(each, excused=True) if _is_excused(by_name, each, wanted, observed) else each
        for each in differences
    ]


def _is_excused(
    kinds: Mapping[str, Kind], difference: Difference, wanted: Wanted, observed: Observed
) -> bool:
    spec = difference.wanted
    if isinstance(spec, Waiting):
        return True
    if spec is None or difference.class_ is Class.FOREIGN:
        return False
    needs = kinds[difference.ref.kind].needs(difference.ref.key, spec)
    passed = {difference.ref}
    return any(_is_withheld(kinds, need, wanted, observed, passed) for need in needs)


def _is_withheld(
    kinds: Mapping[str, Kind], need: Ref, wanted: Wanted, observed: Observed, passed: set[Ref]
) -> bool:
    """Whether a need is not met, and the intent does not want it met now either.

    What was `passed` on the way there need not be looked at again: needs may go round in a circle.
    """
    if need in passed:
        return False
    passed.add(need)
    seen = observed.get(need.kind, {}).get(need.key)
    if seen is not None and need.met_by(seen):
        return False
    spec = wanted.get(need.kind, {}).get(need.key)
    if spec is None:
        return False
    if isinstance(spec, Waiting) or not need.met_by(spec):
        return True
    needs = kinds[need.kind].needs(need.key, spec)
    return any(_is_withheld(kinds, each, wanted, observed, passed) for each in needs)


def _compare_kind(kind: Kind, wanted: Wanted, observed: Observed, settled: Wanted) -> Iterator[Difference]:
    wants = wanted.get(kind.name, {})
    sees = observed.get(kind.name, {})
    had = settled.get(kind.name, {})
    for key, spec in wants.items():
        seen = sees.get(key)
        if isinstance(spec, Waiting):
            ours = seen if seen is not None and kind.owns(key, seen, observed) else None
            yield Difference(Ref(kind.name, key), Class.WAITING, spec, ours)
        elif seen is None:
            yield Difference(Ref(kind.name, key), Class.MISSING, spec, None)
        elif not kind.owns(key, seen, observed):
            if key in had and kind.typed_over(key, seen):
                # Without our mark even if nothing else differs: making it anew puts the mark back.
                names = differing_fields(spec, seen)
                yield Difference(Ref(kind.name, key), Class.CHANGED, spec, seen, names)
            else:
                yield Difference(Ref(kind.name, key), Class.FOREIGN, spec, seen)
        elif names := differing_fields(spec, seen):
            yield Difference(Ref(kind.name, key), Class.CHANGED, spec, seen, names)
        elif getattr(seen, "settling", ""):
            yield Difference(Ref(kind.name, key), Class.SETTLING, spec, seen)
    for key, seen in sees.items():
        if key not in wants and kind.owns(key, seen, observed):
            yield Difference(Ref(kind.name, key), Class.UNEXPECTED, None, seen)
