"""Asks a source of facts as the reconciler does."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from netns import until
from tasuki_agent.facts import Source
from tasuki_yang.facts import FactKey, Facts, Values

DEADLINE = 30.0
"""Seconds; only a guard against hanging."""


@dataclass
class Learner:
    """Learns at once, and again whenever the source has news.

    Attributes:
        facts: what is known now.
        history: every value that a fact has had, None when it was not known.
    """

    source: Source
    asked: Collection[FactKey]
    facts: Facts = field(default_factory=dict)
    history: dict[FactKey, list[Values | None]] = field(default_factory=dict)
    observed: Mapping[str, Mapping[Any, Any]] = field(default_factory=dict)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def learn(self) -> None:
        self.facts = self.source.learn(self.asked, self.observed, self.facts)
        for key in self.asked:
            values = self.history.setdefault(key, [])
            if not values or values[-1] != self.facts.get(key):
                values.append(self.facts.get(key))
        self._news.set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Learner"]:
        self.learn()
        task = asyncio.create_task(self.source.run(self.learn))
        try:
            yield self
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def until(self, key: FactKey, *values: str, within: float = DEADLINE) -> None:
        """Wait until the fact has these values; none for: until it is not known."""
        async with asyncio.timeout(within):
            while self.facts.get(key, ()) != values:
                self._news.clear()
                await self._news.wait()


async def eventually(condition: Callable[[], object], why: str) -> None:
    """Wait while the source goes on."""
    await asyncio.to_thread(lambda: until(condition, within=DEADLINE, why=why))
