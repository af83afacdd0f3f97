"""What routers have told of themselves, as services ask for it when they compile. Pure.

Asking is recorded: what intended was made of, known or not, says when it must be computed anew.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from tasuki_yang.facts import FactKey, Facts, Values

from tasuki_controller.facts import ENDS, Fact, FactChange, RouterFact, Told, holders


@dataclass(frozen=True, slots=True, eq=False)
class KnownFacts:
    """The facts of all routers during one compilation, and which of them it asked for."""

    routers: Mapping[str, Facts] = field(default_factory=dict)
    """By router name. An end that a router has lost is known still: it is where it was seen last."""
    holders: Mapping[RouterFact, str] = field(default_factory=dict)
    """Which router has what another one tells of as well, of which that is not known therefore."""
    asked: set[RouterFact] = field(default_factory=set)
    """Every fact that was asked for, known or not."""

    @classmethod
    def of(cls, told: Told) -> "KnownFacts":
        """What routers have told, as far as peers follow it."""
        held = holders(told)
        routers = {
            router: {
                key: fact.values
                for key, fact in facts.items()
                if _is_known(key, fact) and (router, key) not in held
            }
            for router, facts in told.items()
        }
        return cls(routers, held)

    def anew(self) -> "KnownFacts":
        """The same for another compilation, of which nothing was asked yet."""
        return replace(self, asked=set())

    def one(self, router: str, subject: str, noun: str) -> str | None:
        """The first value of a router's fact; None while it is not known."""
        key = FactKey(subject, noun)
        self.asked.add((router, key))
        values = self.values(router, key)
        return values[0] if values else None

    def differs(self, other: "KnownFacts") -> bool:
        """Whether anything that was asked for would be answered otherwise by the other."""
        return any(
            self.values(*fact) != other.values(*fact) or self.holders.get(fact) != other.holders.get(fact)
            for fact in self.asked
        )

    def values(self, router: str, key: FactKey) -> Values:
        """What is known; nothing may be."""
        return self.routers.get(router, {}).get(key, ())


def _is_known(key: FactKey, fact: Fact) -> bool:
    return bool(fact.values) and not (fact.lost and key.noun not in ENDS)


def changes(before: KnownFacts, after: KnownFacts, asked: set[RouterFact]) -> Iterator[FactChange]:
    """What is known otherwise now, of what was asked for."""
    for router, key in sorted(asked):
        old, new = (known.values(router, key) for known in (before, after))
        if old != new:
            yield FactChange(router, key, old, new)
