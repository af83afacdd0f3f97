"""Drift items as rows of the SQLite store."""

import sqlite3
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from tasuki_proto.v1 import drift_pb2

from tasuki_controller.row_times import microseconds
from tasuki_controller.store import DriftCount, DriftFilter, DriftListing, is_open

_KEPT: Final = timedelta(days=90)
_KEPT_PER_ROUTER: Final = 100_000
_LISTED: Final = 32 << 20
"""Bytes of drift items that are listed at once: half of what a message may have."""


def save(db: sqlite3.Connection, router: str, items: Sequence[drift_pb2.DriftItem], now: datetime) -> None:
    """Add items, or replace those of the same router and id."""
    rows = [
        (
            router,
            item.id,
            item.last_seen.ToMicroseconds(),
            is_open(item),
            item.SerializeToString(),
            microseconds(now),
        )
        for item in items
    ]
    db.executemany("INSERT OR REPLACE INTO drift VALUES (?, ?, ?, ?, ?, ?)", rows)


def ended(db: sqlite3.Connection, router: str, still_open: Collection[str]) -> Sequence[drift_pb2.DriftItem]:
    """A router's open items but for those of these ids, as obsolete ones."""
    rows = db.execute("SELECT item FROM drift WHERE router = ? AND open", (router,)).fetchall()
    items = [item for (row,) in rows if (item := drift_pb2.DriftItem.FromString(row)).id not in still_open]
    for item in items:
        item.action = drift_pb2.DriftItem.ACTION_OBSOLETE
        item.message = ""
    return items


def prune(db: sqlite3.Connection, now: datetime) -> None:
    """Forget what is too old, and of each router what is too much."""
    # By the time of storing: a router's clock must not decide for how long its drift is kept.
    db.execute("DELETE FROM drift WHERE stored < ?", (microseconds(now - _KEPT),))
    crowded = db.execute(
        "SELECT router FROM drift GROUP BY router HAVING count(*) > ?", (_KEPT_PER_ROUTER,)
    ).fetchall()
    db.executemany(
        "DELETE FROM drift WHERE rowid IN (SELECT rowid FROM drift WHERE router = ?"
        " ORDER BY stored DESC, last_seen DESC LIMIT -1 OFFSET ?)",
        [(router, _KEPT_PER_ROUTER) for (router,) in crowded],
    )


def read(db: sqlite3.Connection, wanted: DriftFilter) -> DriftListing:
    """Items that are open or were seen since, newest first."""
    rows = db.execute(
        "SELECT item FROM drift WHERE (?1 IS NULL OR router = ?1)"
        " AND (open OR (NOT ?2 AND last_seen > ?3)) ORDER BY last_seen DESC LIMIT ?4",
        (wanted.router, wanted.open_only, microseconds(wanted.since), wanted.limit + 1),
    )
    items: list[drift_pb2.DriftItem] = []
    size = 0
    for (item,) in rows:
        size += len(item)
        if len(items) == wanted.limit or size > _LISTED:
            return DriftListing(items, incomplete=True)
        items.append(drift_pb2.DriftItem.FromString(item))
    return DriftListing(items, incomplete=False)


def counts(db: sqlite3.Connection, since: datetime) -> Mapping[str, DriftCount]:
    """Counts of every router with open items or items seen since."""
    rows = db.execute(
        "SELECT router, sum(open), sum(last_seen > ?1) FROM drift"
        " WHERE open OR last_seen > ?1 GROUP BY router",
        (microseconds(since),),
    )
    return {router: DriftCount(opened, recent) for router, opened, recent in rows}
