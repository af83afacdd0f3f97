"""What is known of what the intent asks for, and since when."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from tasuki_yang.facts import AllTerms, FactKey, Facts, Terms, Values

from tasuki_agent.kind import Observed
from tasuki_agent.known import Known

Learn: TypeAlias = Callable[[Collection[FactKey], Observed, Facts], Facts]
"""What all sources know now: of these facts, with these objects observed, and this known before."""


MAX_QUESTIONS = 8
"""How often at a time what is known may change, or ask for more: a lease names an AFTR, whose name has
addresses."""
REMEMBERED = 1_000
"""Facts whose last values are kept although nobody asks for them now: each address a line ever had is one."""


class KnownFact(NamedTuple):
    """One fact as it stands."""

    key: FactKey
    values: Values
    """Empty while it is not known."""
    since: float
    """Seconds since the epoch."""


@dataclass(slots=True)
class FactBook:
    """The facts that the intent asks for.

    Attributes:
        sources: tell what is known.
        peek: tells the same for somebody who only wants to see, and has nothing looked out for.
        doubts: tells what may not be so any more, and why.
        terms: tells where what is known is from, and how long it holds.
        asked: what the intent asks for, known or not, and what people want to see. Nothing else is looked
            out for, or told to anybody.
        moved: whether something may be made of what was news last.
        retimed: whether what was learned last holds longer or shorter than before, where that matters.
    """

    sources: Learn = lambda _asked, _observed, _before: {}
    peek: Learn = lambda _asked, _observed, _before: {}
    doubts: Callable[[], Mapping[FactKey, str]] = dict
    terms: Callable[[], AllTerms] = dict
    asked: set[FactKey] = field(default_factory=set)
    moved: bool = False
    retimed: bool = False
    fresh: bool = False
    """Whether the sources have been asked since the start, so that this is no mere memory."""
    _facts: dict[FactKey, KnownFact] = field(default_factory=dict)
    _last: dict[FactKey, Values] = field(default_factory=dict)
    """The last values of each fact, which may be lost now: of equally good ones they are taken again."""

    _needed: set[FactKey] = field(default_factory=set)
    """What the intent cannot do without; the rest of what is asked for is only noted."""
    _used: set[FactKey] = field(default_factory=set)
    _timed: set[FactKey] = field(default_factory=set)
    _terms: AllTerms = field(default_factory=dict)

    def known(self) -> Known:
        """What is known, to be asked."""
        return Known({key: fact.values for key, fact in self._facts.items() if fact.values}, self._terms)

    def ask(self, known: Known) -> None:
        """Look out henceforth for what was asked for here."""
        self.asked = known.asked | known.noted
        self._needed, self._used, self._timed = known.asked, known.used, known.timed

    def terms_of(self, key: FactKey, value: str) -> Terms:
        """Where a value is from, and how long it holds."""
        return self._terms.get((key, value), Terms())

    def look(self, asked: Collection[FactKey], observed: Observed) -> Facts:
        """What the sources know of these facts, which somebody asks for who only wants to see."""
        return self.peek(asked, observed, self._last)

    def learn(self, observed: Observed, now: float) -> list[KnownFact]:
        """Take in what the sources know now. Returns what has changed of what is asked for."""
        found = self.sources(frozenset(self.asked), observed, self._last)
        facts, news = {}, []
        for key in sorted(self.asked):
            values = found.get(key, ())
            fact = self._facts.get(key)
            # To be asked for the first time is no news.
            if fact is None or fact.values != values:
                changed = values != (fact.values if fact else ())
                fact = KnownFact(key, values, now)
                news += [fact] if changed else []
            facts[key] = fact
        self._facts = facts
        self._remember(found)
        self.moved = any(fact.key in self._used for fact in news)
        before, self._terms = self._terms, self.terms()
        self.retimed = self._of_timed(before) != self._of_timed(self._terms)
        self.fresh = True
        return news

    def _remember(self, found: Facts) -> None:
        """Keep the last values, the newest of them if there are too many."""
        self._last = {**{key: values for key, values in self._last.items() if key not in found}, **found}
        for key in list(self._last)[: -REMEMBERED - len(self.asked)]:
            del self._last[key]

    def restore(self, facts: Iterable[KnownFact]) -> None:
        """Start with what was known at the end of an earlier run, until the sources know better."""
        self._facts = {fact.key: fact for fact in facts}
        self._last = {key: fact.values for key, fact in self._facts.items()}

    def last(self) -> list[KnownFact]:
        """The last values of what is asked for, to be restored after a restart."""
        return [
            fact._replace(values=self._last[key])
            for key, fact in sorted(self._facts.items())
            if key in self._last
        ]

    def _of_timed(self, terms: AllTerms) -> AllTerms:
        return {place: term for place, term in terms.items() if place[0] in self._timed}

    def __iter__(self) -> Iterator[KnownFact]:
        """Every fact that is needed, known or not, and what is or was known of the others."""
        return (
            fact
            for key, fact in self._facts.items()
            if fact.values or key in self._needed or key in self._last
        )
