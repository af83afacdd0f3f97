import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tasuki_controller import drift_rows, fact_rows, sqlite
from tasuki_controller.facts import Fact, FactChange
from tasuki_controller.sqlite import DATABASE, SqliteStore
from tasuki_controller.store import DriftFilter, DriftListing, FactRecord, IntentMark, Revision, StoreError
from tasuki_proto.v1 import drift_pb2, router_pb2
from tasuki_yang.facts import FactKey

NOW = datetime(2026, 11, 20, 12, 0, 0, 123456, tzinfo=UTC)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    store = await SqliteStore.open(tmp_path / "state")
    yield store
    await store.close()


def revision(number: int) -> Revision:
    return Revision(number, "alice", "192.0.2.7:1234", NOW, f"comment {number}", number)


async def commit(store: SqliteStore, number: int, **marks: IntentMark) -> None:
    await store.commit(revision(number), f"document {number}".encode(), f"changes {number}".encode(), marks)


def item(
    number: int,
    age: timedelta = timedelta(),
    action: drift_pb2.DriftItem.Action = drift_pb2.DriftItem.ACTION_HEALED,
) -> drift_pb2.DriftItem:
    item = drift_pb2.DriftItem(id=f"{number}", router="home", action=action)
    item.last_seen.FromDatetime(datetime.now(UTC) - age)
    return item


def wanted(router: str | None = None, *, open_only: bool = False, limit: int = 1000) -> DriftFilter:
    return DriftFilter(router, open_only, datetime.now(UTC) - timedelta(hours=24), limit)


async def drift_ids(store: SqliteStore, which: DriftFilter) -> list[str]:
    return [each.id for each in (await store.drift(which)).items]


async def test_a_new_store_is_empty(store: SqliteStore) -> None:
    assert await store.newest() is None
    assert await store.revision(1) is None
    assert await store.revisions(before=None, limit=10) == []
    assert await store.intents() == {}
    assert await store.routers() == []
    assert await store.drift(wanted()) == DriftListing([], incomplete=False)


async def test_revisions_come_back_as_they_went(store: SqliteStore) -> None:
    for number in range(1, 6):
        await commit(store, number)
    newest = await store.newest()
    assert newest is not None
    assert newest.revision == revision(5)
    assert (newest.document, newest.changes_since, newest.changes) == (b"document 5", [], b"changes 5")
    assert [r.number for r in await store.revisions(before=None, limit=2)] == [5, 4]
    assert [r.number for r in await store.revisions(before=3, limit=10)] == [2, 1]


async def test_an_old_revision_is_an_older_document_and_the_changes_since(store: SqliteStore) -> None:
    for number in range(1, 131):
        await commit(store, number)
    old = await store.revision(67)
    assert old is not None
    assert old.revision.number == 67
    assert (old.document, old.changes_since) == (b"document 65", [b"changes 66", b"changes 67"])
    assert old.changes == b"changes 67"


async def test_a_revision_is_never_written_twice(store: SqliteStore) -> None:
    await commit(store, 1, home=IntentMark(1, "aa"))
    with pytest.raises(StoreError):
        await commit(store, 1, home=IntentMark(1, "bb"))
    assert await store.intents() == {"home": IntentMark(1, "aa")}


async def test_a_restart_knows_all_that_was_acknowledged(tmp_path: Path) -> None:
    store = await SqliteStore.open(tmp_path)
    await commit(store, 1, home=IntentMark(1, "aa"), vps=IntentMark(1, "bb"))
    await commit(store, 2, home=IntentMark(2, "cc"))
    await store.save_router(router_pb2.Router(name="home", applied_revision=2))
    await store.save_drift("home", [item(1)])
    await store.close()
    store = await SqliteStore.open(tmp_path)
    newest = await store.newest()
    assert newest is not None
    assert newest.revision.number == 2
    assert await store.intents() == {"home": IntentMark(2, "cc"), "vps": IntentMark(1, "bb")}
    assert [router.applied_revision for router in await store.routers()] == [2]
    assert await drift_ids(store, wanted()) == ["1"]
    await store.close()


async def test_drift_is_one_item_per_router_and_id_however_often_it_is_reported(store: SqliteStore) -> None:
    for _ in range(3):
        await store.save_drift("home", [item(1), item(2)])
    await store.save_drift("vps", [item(1)])
    assert len(await drift_ids(store, wanted())) == 3
    assert len(await drift_ids(store, wanted("home"))) == 2


async def test_drift_is_listed_newest_first_and_open_drift_whatever_its_age(store: SqliteStore) -> None:
    pending = drift_pb2.DriftItem.ACTION_PENDING
    await store.save_drift(
        "home",
        [
            item(1, timedelta(hours=1)),
            item(2, timedelta(days=2)),
            item(3, timedelta(days=3), pending),
            item(4, timedelta(minutes=1), pending),
        ],
    )
    assert await drift_ids(store, wanted()) == ["4", "1", "3"]
    assert await drift_ids(store, wanted(open_only=True)) == ["4", "3"]
    assert await drift_ids(store, wanted(limit=1)) == ["4"]
    assert [(await store.drift(wanted(limit=limit))).incomplete for limit in (2, 3)] == [True, False]
    counts = await store.drift_counts(datetime.now(UTC) - timedelta(hours=24))
    assert (counts["home"].open, counts["home"].recent) == (2, 2)


async def test_old_and_excessive_drift_is_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drift_rows, "_KEPT_PER_ROUTER", 10)
    store = await SqliteStore.open(tmp_path)
    await store.save_drift("home", [item(n, timedelta(minutes=n)) for n in range(15)])
    await store.close()
    store = await SqliteStore.open(tmp_path)
    assert sorted(map(int, await drift_ids(store, wanted("home")))) == list(range(10))
    await store.close()
    monkeypatch.setattr(drift_rows, "_KEPT", timedelta())
    store = await SqliteStore.open(tmp_path)
    assert await drift_ids(store, wanted("home")) == []
    await store.close()


async def test_a_routers_clock_does_not_decide_for_how_long_its_drift_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drift_rows, "_KEPT_PER_ROUTER", 2)
    store = await SqliteStore.open(tmp_path)
    for number, age in enumerate((timedelta(), timedelta(days=4000), timedelta(days=5000))):
        await store.save_drift("home", [item(number, age)])
    await store.close()
    store = await SqliteStore.open(tmp_path)
    everything = DriftFilter("home", open_only=False, since=NOW - timedelta(days=10_000), limit=10)
    assert await drift_ids(store, everything) == ["1", "2"], "those that were stored last"
    await store.close()


async def test_drift_of_an_older_database_counts_as_stored_when_it_was_last_seen(tmp_path: Path) -> None:
    store = await SqliteStore.open(tmp_path)
    await store.save_drift("home", [item(1), item(2, timedelta(days=91))])
    await store.close()
    with sqlite3.connect(tmp_path / DATABASE) as database:
        database.execute("DROP INDEX drift_by_storing")
        database.execute("ALTER TABLE drift DROP COLUMN stored")
        database.execute("DROP TABLE fact")
        database.execute("DROP TABLE fact_change")
        database.execute("PRAGMA user_version = 2")
    database.close()
    store = await SqliteStore.open(tmp_path)
    everything = DriftFilter("home", open_only=False, since=NOW - timedelta(days=10_000), limit=10)
    assert await drift_ids(store, everything) == ["1"]
    await store.close()


async def test_facts_come_back_as_they_went_and_only_a_routers_own_are_replaced(store: SqliteStore) -> None:
    wan, name = FactKey("wan0", "global-address"), FactKey("gw.example.net@192.0.2.1", "addresses")
    home = {wan: Fact(("2001:db8::1",), NOW, lost=True), name: Fact((), NOW)}
    vps = {name: Fact(("2001:db8::2", "2001:db8::1"), NOW)}
    await store.learn({"home": home, "vps": vps}, [], {}, NOW)
    assert await store.told() == {"home": home, "vps": vps}
    await store.learn({"vps": {}}, [], {}, NOW)
    assert await store.told() == {"home": home}


async def test_a_change_of_a_fact_is_recorded_with_the_routers_that_follow_it(store: SqliteStore) -> None:
    key = FactKey("wan0", "global-address")
    moves = [FactChange("home", key, (), ("2001:db8::1",)), FactChange("vps", key, (), ("2001:db8::2",))]
    marks = {"vps": IntentMark(3, "digest"), "home": IntentMark(4, "other")}
    await store.learn({}, moves, marks, NOW)
    assert await store.intents() == marks
    assert await store.fact_changes(router=None, before=None, limit=10) == [
        FactRecord(2, 2, NOW, moves[1], ("home", "vps")),
        FactRecord(1, 1, NOW, moves[0], ("home", "vps")),
    ]
    (first,) = await store.fact_changes(router="home", before=None, limit=10)
    assert first.number == 1
    assert [each.number for each in await store.fact_changes(router=None, before=2, limit=10)] == [1]


async def test_what_a_router_tells_at_one_time_is_one_event(store: SqliteStore) -> None:
    moved = [
        FactChange(router, FactKey("wan0", noun), (), ("2001:db8::1",))
        for router, noun in (
            ("home", "delegated-prefix"),
            ("home", "dns-servers"),
            ("vps", "global-address"),
            ("home", "former-prefixes"),
        )
    ]
    await store.learn({}, moved, {}, NOW)
    await store.learn({}, moved[:1], {}, NOW)
    kept = await store.fact_changes(router=None, before=None, limit=10)
    assert [(each.number, each.event) for each in kept] == [(5, 5), (4, 1), (3, 3), (2, 1), (1, 1)]


async def test_the_oldest_changes_of_a_noun_of_a_router_make_room_and_no_others(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fact_rows, "_CHANGES_KEPT", 3)
    flapping, steady = FactKey("wan0", "default-routers"), FactKey("wan0", "delegated-prefix")
    for router, key in (
        ("home", flapping),
        ("broken", steady),
        *[("broken", flapping)] * 5,
        ("home", steady),
    ):
        await store.learn({}, [FactChange(router, key, (), ("2001:db8::1",))], {}, NOW)
    kept = await store.fact_changes(router=None, before=None, limit=10)
    assert [(each.number, each.change.router) for each in kept] == [
        (8, "home"),
        (7, "broken"),
        (6, "broken"),
        (5, "broken"),
        (2, "broken"),
        (1, "home"),
    ]


async def test_changes_of_a_database_without_events_are_those_that_came_at_one_time(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / DATABASE) as database:
        for script in sqlite._MIGRATIONS[:4]:
            database.executescript(script)
        database.execute("PRAGMA user_version = 4")
        rows = [(1000, "home"), (1000, "vps"), (1000, "home"), (2000, "home"), (2000, "vps")]
        database.executemany(
            "INSERT INTO fact_change VALUES"
            " (NULL, ?, ?, 'wan0', 'dns-servers', '[]', '[\"2001:db8::53\"]', '[]')",
            rows,
        )
    database.close()
    store = await SqliteStore.open(tmp_path)
    kept = await store.fact_changes(router=None, before=None, limit=10)
    assert [(each.number, each.event) for each in kept] == [(5, 5), (4, 4), (3, 1), (2, 2), (1, 1)]
    assert kept[0].change == FactChange("vps", FactKey("wan0", "dns-servers"), (), ("2001:db8::53",))
    await store.learn({}, [kept[0].change], {}, NOW)
    assert [each.event for each in await store.fact_changes(router="vps", before=None, limit=1)] == [6]
    await store.close()


async def test_a_database_from_before_facts_opens_and_nothing_is_told(tmp_path: Path) -> None:
    store = await SqliteStore.open(tmp_path)
    await commit(store, 1, home=IntentMark(1, "digest"))
    await store.close()
    with sqlite3.connect(tmp_path / DATABASE) as database:
        database.execute("DROP TABLE fact")
        database.execute("DROP TABLE fact_change")
        database.execute("PRAGMA user_version = 3")
    database.close()
    store = await SqliteStore.open(tmp_path)
    assert await store.told() == {}
    assert await store.fact_changes(router=None, before=None, limit=10) == []
    assert await store.intents() == {"home": IntentMark(1, "digest")}
    await store.close()


async def test_a_listing_of_drift_stays_small_enough_to_be_sent(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    items = [item(number, timedelta(minutes=number)) for number in range(5)]
    await store.save_drift("home", items)
    monkeypatch.setattr(drift_rows, "_LISTED", sum(each.ByteSize() for each in items[:3]))
    listing = await store.drift(wanted())
    assert [each.id for each in listing.items] == ["0", "1", "2"]
    assert listing.incomplete


async def test_a_second_controller_on_the_directory_is_refused(store: SqliteStore, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="another tasuki-controller"):
        await SqliteStore.open(tmp_path / "state")


async def test_the_directory_is_free_after_closing(tmp_path: Path) -> None:
    for _ in range(2):
        store = await SqliteStore.open(tmp_path)
        await store.close()


async def test_a_damaged_database_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / DATABASE).write_bytes(b"no database at all " * 100)
    with pytest.raises(StoreError, match=DATABASE):
        await SqliteStore.open(tmp_path)


async def test_a_newer_database_is_left_alone(tmp_path: Path) -> None:
    await (await SqliteStore.open(tmp_path)).close()
    with sqlite3.connect(tmp_path / DATABASE) as database:
        database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(StoreError, match="newer tasuki"):
        await SqliteStore.open(tmp_path)


async def test_a_directory_that_cannot_be_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="file/state"):
        await SqliteStore.open(tmp_path / "file/state")


async def test_a_thousand_small_revisions_of_a_large_network_stay_small(tmp_path: Path) -> None:
    store = await SqliteStore.open(tmp_path)
    # 500 kB that compress to about 100 kB.
    document = b"".join(b'{"number":%d,"address":"192.0.2.%d"},' % (n, n * 7919 % 256) for n in range(13_000))
    for number in range(1, 300):
        await store.commit(revision(number), document, b"x" * 500, {})
    await store.close()
    assert (tmp_path / DATABASE).stat().st_size < 10 * len(document) / 5


async def test_the_event_loop_never_waits_for_the_disk(store: SqliteStore) -> None:
    document = b"".join(b"%d," % (n * 7919) for n in range(2_000_000))
    slow = asyncio.create_task(store.commit(revision(1), document, b"", {}))
    turns = 0
    while not slow.done():
        await asyncio.sleep(0.001)
        turns += 1
    await slow
    assert turns > 10


async def test_a_full_disk_fails_the_commit_and_nothing_else(store: SqliteStore) -> None:
    await commit(store, 1, home=IntentMark(1, "aa"))
    (pages,) = store._db.execute("PRAGMA page_count").fetchone()
    store._db.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreError, match="full"):
        await store.commit(revision(2), os.urandom(100_000), b"", {"home": IntentMark(2, "bb")})
    newest = await store.newest()
    assert newest is not None
    assert newest.revision.number == 1
    assert await store.intents() == {"home": IntentMark(1, "aa")}
    store._db.execute("PRAGMA max_page_count = 1000000")
    await commit(store, 2)
