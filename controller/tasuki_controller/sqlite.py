"""The store of one machine: one SQLite file in the state directory, and a lock against a second controller.

A revision's whole document is kept for the newest one and for every 64th; the others are an older document
and the changes since. A thousand one-line revisions of a large network cost little more than the network.
"""

import asyncio
import fcntl
import sqlite3
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Final, TypeVar

from tasuki_proto.failpoint import failpoint
from tasuki_proto.v1 import drift_pb2, router_pb2

from tasuki_controller import drift_rows, fact_rows
from tasuki_controller.facts import FactChange, Told
from tasuki_controller.row_times import microseconds, time_of
from tasuki_controller.store import (
    DriftCount,
    DriftFilter,
    DriftListing,
    FactRecord,
    IntentMark,
    Revision,
    StoredRevision,
    StoreError,
)

T = TypeVar("T")

DATABASE: Final = "tasuki.db"
_DOCUMENT_EVERY: Final = 64
_PRUNE_EVERY: Final = 10_000
"""Drift items saved between two looks for what is too old or too much."""

_MIGRATIONS: Final = (
    """
    CREATE TABLE revision (
        number INTEGER PRIMARY KEY,
        author TEXT NOT NULL,
        peer TEXT NOT NULL,
        time INTEGER NOT NULL,
        comment TEXT NOT NULL,
        change_count INTEGER NOT NULL,
        changes BLOB NOT NULL,
        document BLOB
    );
    CREATE TABLE intent (
        router TEXT PRIMARY KEY,
        revision INTEGER NOT NULL,
        digest TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE router (name TEXT PRIMARY KEY, status BLOB NOT NULL) WITHOUT ROWID;
    CREATE TABLE drift (
        router TEXT NOT NULL,
        id TEXT NOT NULL,
        last_seen INTEGER NOT NULL,
        open INTEGER NOT NULL,
        item BLOB NOT NULL,
        UNIQUE (router, id)
    );
    CREATE INDEX drift_by_age ON drift (last_seen);
    CREATE INDEX drift_by_router ON drift (router, last_seen);
    CREATE INDEX drift_open ON drift (router, last_seen) WHERE open;
    """,
    """
    CREATE TABLE unconfirmed (baseline INTEGER NOT NULL);
    """,
    """
    ALTER TABLE drift ADD COLUMN stored INTEGER NOT NULL DEFAULT 0;
    UPDATE drift SET stored = last_seen;
    CREATE INDEX drift_by_storing ON drift (stored);
    """,
    fact_rows.TABLES,
    fact_rows.EVENTS,
)
"""One script per schema version, in order. A released one is never changed."""


class SqliteStore:
    """One thread does all the work, in order; the event loop never waits for a disk."""

    def __init__(self, lock: IO[str], connection: sqlite3.Connection, thread: ThreadPoolExecutor) -> None:
        self._lock = lock
        self._db = connection
        self._thread = thread
        self._saved_since_prune = 0

    @classmethod
    async def open(cls, state_dir: Path) -> "SqliteStore":
        """Open the state directory, making it when it is not there.

        Raises:
            StoreError: it cannot be written, another controller has it, or its database is damaged or newer.
        """
        thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sqlite")
        try:
            lock, connection = await asyncio.get_running_loop().run_in_executor(thread, _open, state_dir)
        except StoreError:
            thread.shutdown()
            raise
        store = cls(lock, connection, thread)
        await store._run(store._prune)
        return store

    async def close(self) -> None:
        """Finish what is under way and let go of the state directory."""
        await self._run(self._db.close)
        self._thread.shutdown()
        self._lock.close()

    async def commit(
        self,
        revision: Revision,
        document: bytes,
        changes: bytes,
        intents: Mapping[str, IntentMark],
        baseline: int | None = None,
    ) -> None:
        """Add a revision, the routers whose intended tree it changes, and its baseline: all or nothing."""
        await self._run(self._commit, revision, document, changes, intents, baseline)

    def _commit(
        self,
        revision: Revision,
        document: bytes,
        changes: bytes,
        intents: Mapping[str, IntentMark],
        baseline: int | None,
    ) -> None:
        row = (
            revision.number,
            revision.author,
            revision.peer,
            microseconds(revision.time),
            revision.comment,
            revision.change_count,
            zlib.compress(changes),
            zlib.compress(document),
        )
        with self._transaction() as db:
            db.execute("INSERT INTO revision VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
            db.execute(
                "UPDATE revision SET document = NULL WHERE number = ? AND number % ? != 1",
                (revision.number - 1, _DOCUMENT_EVERY),
            )
            _replace_intents(db, intents)
            failpoint("store: revision written")
            _replace_baseline(db, baseline)

    async def set_baseline(self, baseline: int | None) -> None:
        """Note what to return to while the newest revision awaits its confirmation; None confirms it."""
        await self._run(self._set_baseline, baseline)

    def _set_baseline(self, baseline: int | None) -> None:
        with self._transaction() as db:
            _replace_baseline(db, baseline)

    async def baseline(self) -> int | None:
        """Revision to return to, 0 for what was before the first; None if nothing awaits a confirmation."""
        return await self._run(self._baseline)

    def _baseline(self) -> int | None:
        row = self._db.execute("SELECT baseline FROM unconfirmed").fetchone()
        return None if row is None else int(row[0])

    async def newest(self) -> StoredRevision | None:
        """The newest revision, or None before the first."""
        return await self._run(self._newest)

    def _newest(self) -> StoredRevision | None:
        (number,) = self._db.execute("SELECT max(number) FROM revision").fetchone()
        return None if number is None else self._revision(number)

    async def revision(self, number: int) -> StoredRevision | None:
        """A revision by its number."""
        return await self._run(self._revision, number)

    def _revision(self, number: int) -> StoredRevision | None:
        row = self._db.execute(
            "SELECT number, author, peer, time, comment, change_count FROM revision WHERE number = ?",
            (number,),
        ).fetchone()
        if row is None:
            return None
        base, document = self._db.execute(
            "SELECT number, document FROM revision WHERE number <= ? AND document IS NOT NULL"
            " ORDER BY number DESC LIMIT 1",
            (number,),
        ).fetchone()
        changes = self._db.execute(
            "SELECT number, changes FROM revision WHERE number BETWEEN ? AND ? ORDER BY number",
            (base, number),
        )
        unpacked = [(changed, zlib.decompress(blob)) for changed, blob in changes]
        return StoredRevision(
            revision=_revision_of(row),
            document=zlib.decompress(document),
            changes_since=[blob for changed, blob in unpacked if changed > base],
            changes=unpacked[-1][1],
        )

    async def revisions(self, *, before: int | None, limit: int) -> Sequence[Revision]:
        """Revisions below a number, newest first."""
        return await self._run(self._revisions, before, limit)

    def _revisions(self, before: int | None, limit: int) -> Sequence[Revision]:
        rows = self._db.execute(
            "SELECT number, author, peer, time, comment, change_count FROM revision"
            " WHERE ?1 IS NULL OR number < ?1 ORDER BY number DESC LIMIT ?2",
            (before, limit),
        )
        return [_revision_of(row) for row in rows]

    async def intents(self) -> Mapping[str, IntentMark]:
        """The mark of every router that ever had an intended tree."""
        return await self._run(self._intents)

    def _intents(self) -> Mapping[str, IntentMark]:
        rows = self._db.execute("SELECT router, revision, digest FROM intent")
        return {router: IntentMark(revision, digest) for router, revision, digest in rows}

    async def learn(
        self,
        told: Told,
        changes: Sequence[FactChange],
        intents: Mapping[str, IntentMark],
        time: datetime,
    ) -> None:
        """Replace what these routers have told; record the changes, and the routers that follow them."""
        await self._run(self._learn, told, changes, intents, time)

    def _learn(
        self,
        told: Told,
        changes: Sequence[FactChange],
        intents: Mapping[str, IntentMark],
        time: datetime,
    ) -> None:
        with self._transaction() as db:
            fact_rows.replace_told(db, told)
            fact_rows.add_changes(db, changes, sorted(intents), time)
            _replace_intents(db, intents)

    async def told(self) -> Told:
        """What every router has told."""
        return await self._run(fact_rows.read_told, self._db)

    async def fact_changes(
        self, *, router: str | None, before: int | None, limit: int
    ) -> Sequence[FactRecord]:
        """The newest changes of facts, newest first; of one router, and below a number."""
        return await self._run(fact_rows.read_changes, self._db, router, before, limit)

    async def save_router(self, router: router_pb2.Router) -> None:
        """Replace what is known of a router."""
        await self._run(self._save_router, router.name, router.SerializeToString())

    def _save_router(self, name: str, status: bytes) -> None:
        with self._transaction() as db:
            db.execute("INSERT OR REPLACE INTO router VALUES (?, ?)", (name, status))

    async def routers(self) -> Sequence[router_pb2.Router]:
        """All routers that were ever heard of."""
        return await self._run(self._routers)

    def _routers(self) -> Sequence[router_pb2.Router]:
        rows = self._db.execute("SELECT status FROM router ORDER BY name")
        return [router_pb2.Router.FromString(status) for (status,) in rows]

    async def save_drift(self, router: str, items: Sequence[drift_pb2.DriftItem]) -> None:
        """Add items, or replace those of the same router and id."""
        await self._run(self._save_drift, router, items)

    def _save_drift(self, router: str, items: Sequence[drift_pb2.DriftItem]) -> None:
        with self._transaction() as db:
            drift_rows.save(db, router, items, datetime.now(UTC))
        self._saved_since_prune += len(items)
        if self._saved_since_prune >= _PRUNE_EVERY:
            self._prune()

    async def end_drift(self, router: str, still_open: Collection[str]) -> Sequence[drift_pb2.DriftItem]:
        """Make a router's open items obsolete but for those of these ids. Returns them as they are then."""
        return await self._run(self._end_drift, router, still_open)

    def _end_drift(self, router: str, still_open: Collection[str]) -> Sequence[drift_pb2.DriftItem]:
        if not (ended := drift_rows.ended(self._db, router, still_open)):
            return ()
        with self._transaction() as db:
            drift_rows.save(db, router, ended, datetime.now(UTC))
        return ended

    def _prune(self) -> None:
        self._saved_since_prune = 0
        with self._transaction() as db:
            drift_rows.prune(db, datetime.now(UTC))

    async def drift(self, wanted: DriftFilter) -> DriftListing:
        """Items that are open or were seen since, newest first."""
        return await self._run(drift_rows.read, self._db, wanted)

    async def drift_counts(self, since: datetime) -> Mapping[str, DriftCount]:
        """Counts of every router with open items or items seen since."""
        return await self._run(drift_rows.counts, self._db, since)

    @contextmanager
    def _transaction(self) -> "Iterator[sqlite3.Connection]":
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield self._db
            failpoint("store: transaction written")
            self._db.execute("COMMIT")
            failpoint("store: transaction committed")
        finally:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")

    async def _run(self, work: Callable[..., T], *args: object) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work, *args)
        except (sqlite3.Error, zlib.error) as error:
            raise StoreError(f"The database failed: {error}") from error


def _open(state_dir: Path) -> tuple[IO[str], sqlite3.Connection]:
    try:
        state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = (state_dir / "lock").open("w", encoding="ascii")
    except OSError as error:
        raise StoreError(f"the state directory {state_dir} cannot be used: {error.strerror}") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return lock, _connect(state_dir / DATABASE)
    except BlockingIOError as error:
        lock.close()
        raise StoreError(f"another tasuki-controller is running on {state_dir}") from error
    except sqlite3.Error as error:
        lock.close()
        raise StoreError(f"{state_dir / DATABASE} cannot be used: {error}") from error
    except StoreError:
        lock.close()
        raise


def _connect(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        _check_integrity(db, path)
        _migrate(db, path)
    except (sqlite3.Error, StoreError):
        db.close()
        raise
    return db


def _check_integrity(db: sqlite3.Connection, path: Path) -> None:
    (state,) = db.execute("PRAGMA quick_check(1)").fetchone()
    if state != "ok":
        raise StoreError(f"{path} is damaged ({state}): restore it from a backup")


def _migrate(db: sqlite3.Connection, path: Path) -> None:
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if version > len(_MIGRATIONS):
        raise StoreError(
            f"{path} was written by a newer tasuki (schema {version}; this one knows {len(_MIGRATIONS)})"
        )
    for number, script in enumerate(_MIGRATIONS[version:], version + 1):
        db.executescript(f"BEGIN; {script} PRAGMA user_version = {number}; COMMIT;")


def _replace_baseline(db: sqlite3.Connection, baseline: int | None) -> None:
    db.execute("DELETE FROM unconfirmed")
    failpoint("store: baseline removed")
    if baseline is not None:
        db.execute("INSERT INTO unconfirmed VALUES (?)", (baseline,))


def _revision_of(row: tuple[int, str, str, int, str, int]) -> Revision:
    number, author, peer, microseconds, comment, change_count = row
    return Revision(number, author, peer, time_of(microseconds), comment, change_count)


def _replace_intents(db: sqlite3.Connection, intents: Mapping[str, IntentMark]) -> None:
    db.executemany(
        "INSERT OR REPLACE INTO intent VALUES (?, ?, ?)",
        [(router, mark.revision, mark.digest) for router, mark in intents.items()],
    )
