"""What must outlive the controller: revisions, what each router was last seen to be, facts, and drift.

Everything else of the controller knows only the `Store` of this module; `tasuki_controller.sqlite` is the one
for a single machine. Documents and changes are opaque bytes here, which `tasuki_controller.history` writes
and reads, so that no store depends on a model.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from tasuki_proto.v1 import drift_pb2, router_pb2

from tasuki_controller.facts import FactChange, Told


class StoreError(Exception):
    """The state directory cannot be used. The message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Revision:
    """One committed state of running: who, when, from where, and why."""

    number: int
    author: str
    peer: str
    time: datetime
    comment: str
    change_count: int


@dataclass(frozen=True, slots=True)
class IntentMark:
    """Which revision last changed a router's intended tree, and the digest of its text."""

    revision: int
    digest: str


@dataclass(frozen=True, slots=True)
class FactRecord:
    """One entry of the record of changed facts."""

    number: int
    event: int
    """The number of the first of the changes of this router that came with one another."""
    time: datetime
    change: FactChange
    recompiled: Sequence[str]
    """Routers whose intended trees changed with it, and with what else changed at that moment."""


@dataclass(frozen=True, slots=True)
class StoredRevision:
    """A revision as it is kept: a document of this or an earlier one, and the changes that lead here."""

    revision: Revision
    document: bytes
    changes_since: Sequence[bytes]
    """Changes of every revision after the document's, this one's last; empty for a document of its own."""
    changes: bytes


@dataclass(frozen=True, slots=True)
class DriftFilter:
    """Which drift items to list, newest first."""

    router: str | None
    open_only: bool
    since: datetime
    limit: int


@dataclass(frozen=True, slots=True)
class DriftListing:
    """The newest of the drift items that were wanted."""

    items: Sequence[drift_pb2.DriftItem]
    incomplete: bool
    """Whether older ones were left out."""


@dataclass(frozen=True, slots=True)
class DriftCount:
    """How many drift items a router has: not healed yet, and of late."""

    open: int = 0
    recent: int = 0


_CLOSED: Final = frozenset({drift_pb2.DriftItem.ACTION_HEALED, drift_pb2.DriftItem.ACTION_OBSOLETE})


def is_open(item: drift_pb2.DriftItem) -> bool:
    """Whether the difference is still there."""
    return item.action not in _CLOSED


class Store(Protocol):
    """Keeps what must outlive the controller. Every method that writes returns when it is durable.

    Every method raises `StoreError` when the storage fails; nothing was written then.
    """

    async def commit(
        self,
        revision: Revision,
        document: bytes,
        changes: bytes,
        intents: Mapping[str, IntentMark],
        baseline: int | None = None,
    ) -> None:
        """Add a revision, the routers whose intended tree it changes, and its baseline: all or nothing."""
        ...

    async def set_baseline(self, baseline: int | None) -> None:
        """Note what to return to while the newest revision awaits its confirmation; None confirms it."""
        ...

    async def baseline(self) -> int | None:
        """Revision to return to, 0 for what was before the first; None if nothing awaits a confirmation."""
        ...

    async def newest(self) -> StoredRevision | None:
        """The newest revision, or None before the first."""
        ...

    async def revision(self, number: int) -> StoredRevision | None:
        """A revision by its number."""
        ...

    async def revisions(self, *, before: int | None, limit: int) -> Sequence[Revision]:
        """Revisions below a number, newest first."""
        ...

    async def intents(self) -> Mapping[str, IntentMark]:
        """The mark of every router that ever had an intended tree."""
        ...

    async def learn(
        self,
        told: Told,
        changes: Sequence[FactChange],
        intents: Mapping[str, IntentMark],
        time: datetime,
    ) -> None:
        """Replace what these routers have told; record the changes, and the routers that follow them.

        All changes of one router are one event.
        """
        ...

    async def told(self) -> Told:
        """What every router has told."""
        ...

    async def fact_changes(
        self, *, router: str | None, before: int | None, limit: int
    ) -> Sequence[FactRecord]:
        """The newest changes of facts, newest first; of one router, and below a number."""
        ...

    async def save_router(self, router: router_pb2.Router) -> None:
        """Replace what is known of a router."""
        ...

    async def routers(self) -> Sequence[router_pb2.Router]:
        """All routers that were ever heard of."""
        ...

    async def save_drift(self, router: str, items: Sequence[drift_pb2.DriftItem]) -> None:
        """Add items, or replace those of the same router and id."""
        ...

    async def end_drift(self, router: str, still_open: Collection[str]) -> Sequence[drift_pb2.DriftItem]:
        """Make a router's open items obsolete but for those of these ids. Returns them as they are then."""
        ...

    async def drift(self, wanted: DriftFilter) -> DriftListing:
        """Items that are open or were seen since, newest first."""
        ...

    async def drift_counts(self, since: datetime) -> Mapping[str, DriftCount]:
        """Counts of every router with open items or items seen since."""
        ...

    async def close(self) -> None:
        """Finish what is under way and let go of the state directory."""
        ...
