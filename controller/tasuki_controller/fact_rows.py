"""Facts and their changes as rows of the SQLite store."""

import json
import sqlite3
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from tasuki_yang.facts import FactKey, Values

from tasuki_controller.facts import Fact, FactChange, Told
from tasuki_controller.row_times import microseconds, time_of
from tasuki_controller.store import FactRecord

TABLES: Final = """
    CREATE TABLE fact (
        router TEXT NOT NULL,
        subject TEXT NOT NULL,
        noun TEXT NOT NULL,
        known TEXT NOT NULL,
        since INTEGER NOT NULL,
        lost INTEGER NOT NULL,
        PRIMARY KEY (router, subject, noun)
    ) WITHOUT ROWID;
    CREATE TABLE fact_change (
        number INTEGER PRIMARY KEY,
        time INTEGER NOT NULL,
        router TEXT NOT NULL,
        subject TEXT NOT NULL,
        noun TEXT NOT NULL,
        old TEXT NOT NULL,
        new TEXT NOT NULL,
        recompiled TEXT NOT NULL
    );
    CREATE INDEX fact_change_by_router ON fact_change (router, number);
"""
"""As the schema has them since its fourth version."""
_CHANGES_KEPT: Final = 1_000
"""Of each router, so that a broken one hides only what it did itself."""


def replace_told(db: sqlite3.Connection, told: Told) -> None:
    """Put these in the place of all that these routers had told."""
    rows = [
        (router, *key, json.dumps(fact.values), microseconds(fact.since), fact.lost)
        for router, facts in told.items()
        for key, fact in facts.items()
    ]
    db.executemany("DELETE FROM fact WHERE router = ?", [(router,) for router in told])
    db.executemany("INSERT INTO fact VALUES (?, ?, ?, ?, ?, ?)", rows)


def read_told(db: sqlite3.Connection) -> Told:
    """What every router has told."""
    told: dict[str, dict[FactKey, Fact]] = {}
    for router, subject, noun, known, since, lost in db.execute("SELECT * FROM fact"):
        fact = Fact(_values(known), time_of(since), bool(lost))
        told.setdefault(router, {})[FactKey(subject, noun)] = fact
    return told


def add_changes(
    db: sqlite3.Connection, changes: Sequence[FactChange], recompiled: Sequence[str], time: datetime
) -> None:
    """Record changes; the oldest records of the same routers make room."""
    rows = [
        (
            microseconds(time),
            change.router,
            *change.key,
            *map(json.dumps, (change.old, change.new, recompiled)),
        )
        for change in changes
    ]
    db.executemany("INSERT INTO fact_change VALUES (NULL, ?, ?, ?, ?, ?, ?, ?)", rows)
    db.executemany(
        "DELETE FROM fact_change WHERE router = ?1 AND number <= ("
        "SELECT number FROM fact_change WHERE router = ?1 ORDER BY number DESC LIMIT 1 OFFSET ?2)",
        [(router, _CHANGES_KEPT) for router in {change.router for change in changes}],
    )


def read_changes(
    db: sqlite3.Connection, router: str | None, before: int | None, limit: int
) -> Sequence[FactRecord]:
    """The newest changes, newest first; of one router, and below a number."""
    rows = db.execute(
        "SELECT number, time, router, subject, noun, old, new, recompiled FROM fact_change"
        " WHERE (?1 IS NULL OR router = ?1) AND (?2 IS NULL OR number < ?2) ORDER BY number DESC LIMIT ?3",
        (router, before, limit),
    )
    return [
        FactRecord(
            number,
            time_of(time),
            FactChange(name, FactKey(subject, noun), _values(old), _values(new)),
            _values(recompiled),
        )
        for number, time, name, subject, noun, old, new, recompiled in rows
    ]


def _values(text: str) -> Values:
    return tuple(json.loads(text))
