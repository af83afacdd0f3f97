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
EVENTS: Final = """
    ALTER TABLE fact_change ADD COLUMN event INTEGER NOT NULL DEFAULT 0;
    UPDATE fact_change SET event = first FROM (
        SELECT number AS each, min(number) OVER (PARTITION BY router, time) AS first FROM fact_change
    ) WHERE number = each;
    CREATE INDEX fact_change_by_noun ON fact_change (router, noun, number);
"""
"""What the fifth version has besides. What a router told at one time had been stored at one time."""
_CHANGES_KEPT: Final = 200
"""Of each noun of each router, so that what changes all the time hides nothing but itself."""


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
    """Record changes, those of one router as one event; the oldest of the same router and noun make room."""
    (last,) = db.execute("SELECT coalesce(max(number), 0) FROM fact_change").fetchone()
    events: dict[str, int] = {}
    rows = [
        (
            number,
            microseconds(time),
            change.router,
            *change.key,
            *map(json.dumps, (change.old, change.new, recompiled)),
            events.setdefault(change.router, number),
        )
        for number, change in enumerate(changes, last + 1)
    ]
    db.executemany("INSERT INTO fact_change VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
    db.executemany(
        "DELETE FROM fact_change WHERE router = ?1 AND noun = ?2 AND number <= ("
        "SELECT number FROM fact_change WHERE router = ?1 AND noun = ?2"
        " ORDER BY number DESC LIMIT 1 OFFSET ?3)",
        [(*which, _CHANGES_KEPT) for which in {(change.router, change.key.noun) for change in changes}],
    )


def read_changes(
    db: sqlite3.Connection, router: str | None, before: int | None, limit: int
) -> Sequence[FactRecord]:
    """The newest changes, newest first; of one router, and below a number."""
    rows = db.execute(
        "SELECT number, event, time, router, subject, noun, old, new, recompiled FROM fact_change"
        " WHERE (?1 IS NULL OR router = ?1) AND (?2 IS NULL OR number < ?2) ORDER BY number DESC LIMIT ?3",
        (router, before, limit),
    )
    return [
        FactRecord(
            number,
            event,
            time_of(time),
            FactChange(name, FactKey(subject, noun), _values(old), _values(new)),
            _values(recompiled),
        )
        for number, event, time, name, subject, noun, old, new, recompiled in rows
    ]


def _values(text: str) -> Values:
    return tuple(json.loads(text))
