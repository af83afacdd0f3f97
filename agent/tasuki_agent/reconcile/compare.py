"""What differs between wanted and observed objects, and whose each difference is to mend."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from tasuki_agent.kind import Key, Kind, Observed, Ref, Spec, differing_fields

Wanted = Mapping[str, Mapping[Key, Spec]]
"""All that the intent asks for: kind's name to key to spec."""


class Class(Enum):
    """How an object differs."""

    MISSING = "missing"
    CHANGED = "changed"
    UNEXPECTED = "unexpected"
    FOREIGN = "foreign"
    """Wanted, and somebody else's object stands in its place: reported, never touched."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One object that is not as wanted.

    `wanted` is None for UNEXPECTED, `observed` for MISSING; `fields` names what differs for CHANGED.
    """

    ref: Ref
    class_: Class
    wanted: Spec | None
    observed: Spec | None
    fields: tuple[str, ...] = ()


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
    return [
        difference for kind in kinds for difference in _compare_kind(kind, wanted, observed, settled or {})
    ]


def _compare_kind(kind: Kind, wanted: Wanted, observed: Observed, settled: Wanted) -> Iterator[Difference]:
    wants = wanted.get(kind.name, {})
    sees = observed.get(kind.name, {})
    had = settled.get(kind.name, {})
    for key, spec in wants.items():
        seen = sees.get(key)
        if seen is None:
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
    for key, seen in sees.items():
        if key not in wants and kind.owns(key, seen, observed):
            yield Difference(Ref(kind.name, key), Class.UNEXPECTED, None, seen)
