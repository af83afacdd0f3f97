"""What routers have told of themselves, as services ask for it when they compile. Pure.

Asking is recorded: what intended was made of, known or not, says when it must be computed anew.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from tasuki_yang.facts import FactKey, Facts

RouterFact: TypeAlias = tuple[str, FactKey]
"""A router's name, and what is told of it."""


@dataclass(frozen=True, slots=True, eq=False)
class KnownFacts:
    """The facts of all routers during one compilation, and which of them it asked for."""

    routers: Mapping[str, Facts] = field(default_factory=dict)
    """By router name. What a router has lost is known still: it is where it was seen last."""
    asked: set[RouterFact] = field(default_factory=set)
    """Every fact that was asked for, known or not."""

    def one(self, router: str, subject: str, noun: str) -> str | None:
        """The first value of a router's fact; None while it is not known."""
        key = FactKey(subject, noun)
        self.asked.add((router, key))
        values = self.routers.get(router, {}).get(key)
        return values[0] if values else None

    def differing(self, routers: Mapping[str, Facts]) -> Iterator[RouterFact]:
        """What was asked for and would be answered otherwise by these facts."""
        for router, key in self.asked:
            if self.routers.get(router, {}).get(key) != routers.get(router, {}).get(key):
                yield router, key
