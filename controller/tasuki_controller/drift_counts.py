"""How much drift each router has, counted once for everybody who looks.

Routers are looked at with every heartbeat of every one of them, by every watcher. The store that would have
to count each time is the one that commits wait for.
"""

import asyncio
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from tasuki_controller.store import DriftCount, Store

RECENT: Final = timedelta(hours=24)
_KEPT: Final = 60.0
"""Seconds after which items are looked for that are not recent any more."""


class DriftCounts:
    """What the store counted last, until something changes."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._counting = asyncio.Lock()
        self._counts: Mapping[str, DriftCount] | None = None
        self._counted = 0.0

    async def get(self) -> Mapping[str, DriftCount]:
        """Counts of every router with open or recent drift."""
        async with self._counting:
            if self._counts is None or time.monotonic() - self._counted > _KEPT:
                counts = await self._store.drift_counts(datetime.now(UTC) - RECENT)
                self._counts, self._counted = counts, time.monotonic()
            return self._counts

    def forget(self) -> None:
        """Something else is stored now."""
        self._counts = None
