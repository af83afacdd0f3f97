"""Where facts come from: one source a file, each of which exports `SOURCE`.

A source is discovered, as kinds are: nothing names the sources one by one, and adding one edits no other
file.
"""

import importlib
import pkgutil
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import ClassVar, Protocol, TypeAlias, runtime_checkable

from tasuki_yang.facts import AllTerms, FactKey, Facts, Terms, Values

from tasuki_agent.kind import Observed


class Source(Protocol):
    """One source of facts."""

    nouns: ClassVar[tuple[str, ...]]
    """What it tells."""

    def learn(self, asked: Collection[FactKey], observed: Observed, before: Facts) -> Facts:
        """What is known now of what is asked for, all of it of this source's nouns. Waits for nothing.

        Args:
            asked: everything that the intent asks for of this source's nouns. What is not among it any more
                need not be looked out for.
            observed: the kernel's objects as last observed.
            before: what was known at the last time, in an earlier run of the agent at first. Of several
                equally good values the one that was chosen then is chosen again.
        """
        ...

    def peek(self, asked: Collection[FactKey], observed: Observed, before: Facts) -> Facts:
        """What `learn` would say, for somebody who only wants to see: nothing is looked out for henceforth.

        What would take time to find out, and nobody has asked for so far, is not known.
        """
        ...

    async def run(self, changed: Callable[[], None]) -> None:
        """Look out for what is asked for until cancelled; call `changed` when `learn` knows better."""
        ...


@runtime_checkable
class Doubter(Protocol):
    """What a source has besides if it may tell what it cannot find confirmed."""

    def doubts(self) -> Mapping[FactKey, str]:
        """Facts that may not be so any more: why, and since when."""
        ...


@runtime_checkable
class Dated(Protocol):
    """What a source has besides if its values have an origin, or an end."""

    def terms(self) -> AllTerms:
        """The terms of what `learn` told last. As long as nothing new was told they are equal."""
        ...


SourceFactory: TypeAlias = Callable[[Path], Source]
"""What a source's file exports as `SOURCE`; takes the agent's state directory."""


class Sources:
    """All sources as one."""

    def __init__(self, sources: Iterable[Source]) -> None:
        self._sources = tuple(sources)

    @classmethod
    def load(cls, state_dir: Path) -> "Sources":
        """Every source there is."""
        names = sorted(module.name for module in pkgutil.iter_modules(__path__))
        return cls(importlib.import_module(f"{__name__}.{name}").SOURCE(state_dir) for name in names)

    def __iter__(self) -> Iterator[Source]:
        """The sources."""
        return iter(self._sources)

    def learn(self, asked: Collection[FactKey], observed: Observed, before: Facts) -> Facts:
        """What all sources know now of what is asked for."""
        known: dict[FactKey, Values] = {}
        for source in self._sources:
            known |= source.learn(_own(source, asked), observed, before)
        return known

    def look(self, asked: Collection[FactKey], observed: Observed, before: Facts) -> Facts:
        """The same for somebody who only wants to see: it changes nothing."""
        known: dict[FactKey, Values] = {}
        for source in self._sources:
            known |= source.peek(_own(source, asked), observed, before)
        return known

    def terms(self) -> AllTerms:
        """Where what was learned is from, and how long it holds."""
        terms: dict[tuple[FactKey, str], Terms] = {}
        for source in self._sources:
            if isinstance(source, Dated):
                terms |= source.terms()
        return terms

    def doubts(self) -> Mapping[FactKey, str]:
        """What no source can confirm now."""
        doubts: dict[FactKey, str] = {}
        for source in self._sources:
            if isinstance(source, Doubter):
                doubts |= source.doubts()
        return doubts


def _own(source: Source, asked: Collection[FactKey]) -> Collection[FactKey]:
    return frozenset(key for key in asked if key.noun in source.nouns)
