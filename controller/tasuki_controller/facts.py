"""What routers have told of themselves, and what becomes of it with each report. Pure.

A fact that its router has lost keeps its values: the other end of a tunnel stays where the router was seen
last until it is seen elsewhere, new before old. A fact that a router does not speak of any more, because its
own tree does not ask for it, is forgotten unless another router's tree does; so nothing that an interface
once was can come back when its name is used again.
"""

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple, TypeAlias

from tasuki_yang.facts import FactKey, Facts, Values


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that a router asks for."""

    values: Values
    """What it is, or was when it was known last; empty if it never was known."""
    since: datetime
    """When it became so, by the controller's clock."""
    lost: bool = False
    """The router does not know it any more."""


Report: TypeAlias = Mapping[FactKey, Values]
"""All that one router asks for, and what it knows of that: no values for what it does not know."""
Told: TypeAlias = Mapping[str, Mapping[FactKey, Fact]]
"""What the routers have told, by router name."""


class FactChange(NamedTuple):
    """Another value of a router's fact."""

    router: str
    key: FactKey
    old: Values
    new: Values


def heard(
    before: Mapping[FactKey, Fact], report: Report, needed: Container[FactKey], now: datetime
) -> Mapping[FactKey, Fact]:
    """What a router has told after one more report; `needed` are facts that other routers' trees ask for."""
    told = {key: _heard(before.get(key), values, now) for key, values in report.items()}
    unsaid = {key: _heard(fact, (), now) for key, fact in before.items() if key not in report}
    return told | {key: fact for key, fact in unsaid.items() if fact.values and key in needed}


def _heard(before: Fact | None, values: Values, now: datetime) -> Fact:
    if values:
        known = before and before.values == values and not before.lost
        return before if before and known else Fact(values, now)
    if before is None:
        return Fact((), now)
    return before if before.lost or not before.values else replace(before, since=now, lost=True)


def values_of(told: Told) -> Mapping[str, Facts]:
    """What is known of each router, or was known last."""
    return {
        router: {key: fact.values for key, fact in facts.items() if fact.values}
        for router, facts in told.items()
    }


def changes(before: Told, after: Told) -> Iterator[FactChange]:
    """What has another value, or a value at last. To be lost and to be forgotten is none."""
    for router, facts in after.items():
        for key, fact in facts.items():
            known = before.get(router, {}).get(key)
            old = known.values if known else ()
            if fact.values != old:
                yield FactChange(router, key, old, fact.values)
