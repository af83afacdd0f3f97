"""What is told of the files that tell of leases, whatever they hold."""

import asyncio
import logging
import os
from pathlib import Path

import pytest
from tasuki_agent.facts import Dated
from tasuki_agent.facts.leases import SOURCE, LeaseSource, delegation, files
from tasuki_agent.facts.leases.delegation import LONGEST
from tasuki_agent.facts.leases.files import Now
from tasuki_yang.facts import FactKey, Facts, Terms
from unit.facts.words import BOOT, IPV4, NEW, OLD, text, told

PREFIX, FORMER, AFTR, DNS, ADDRESS, ROUTERS = (
    FactKey("wan0", noun)
    for noun in (
        "delegated-prefix",
        "former-prefixes",
        "aftr-name",
        "dns-servers",
        "ipv4-address",
        "ipv4-routers",
    )
)
ALL = [PREFIX, FORMER, AFTR, DNS, ADDRESS, ROUTERS]


@pytest.fixture
def source(tmp_path: Path) -> LeaseSource:
    (tmp_path / "leases").mkdir()
    return SOURCE(tmp_path)


def write(tmp_path: Path, content: str | bytes, name: str = "wan0.lease") -> None:
    (tmp_path / "leases/new").write_bytes(content if isinstance(content, bytes) else content.encode())
    (tmp_path / "leases/new").rename(tmp_path / "leases" / name)


def fresh(words: dict[str, str], ago: float = 0.0) -> str:
    """A file that the hook has written just now."""
    now = Now.of_machine()
    return text(words, now.uptime - ago, now.boot)


def learn(source: LeaseSource, before: Facts | None = None) -> Facts:
    return source.learn(ALL, {}, before or {})


def test_a_lease_is_told_and_one_that_is_given_back_is_not(source: LeaseSource, tmp_path: Path) -> None:
    assert learn(source) == {}
    write(tmp_path, fresh(told((OLD, 600, 900))))
    assert learn(source) == {PREFIX: (OLD,), AFTR: ("gw.example.net",)}
    (tmp_path / "leases/wan0.lease").unlink()
    assert learn(source) == {}
    assert not [*(tmp_path / "leases").iterdir()]


def test_servers_of_both_protocols_are_told_those_of_dhcpv6_first(
    source: LeaseSource, tmp_path: Path
) -> None:
    write(tmp_path, fresh(IPV4), "wan0.lease4")
    write(tmp_path, fresh(told((OLD, 600, 900), aftr="", name_servers="2001:db8::53")))
    assert learn(source) == {
        PREFIX: (OLD,),
        DNS: ("2001:db8::53", "192.0.2.53", "192.0.2.54"),
        ADDRESS: ("192.0.2.10/24",),
        ROUTERS: ("192.0.2.1",),
    }
    assert [source.terms()[DNS, server].origin for server in learn(source)[DNS]] == [
        "dhcpv6",
        "dhcpv4",
        "dhcpv4",
    ]
    (tmp_path / "leases/wan0.lease").unlink()
    assert learn(source)[DNS] == ("192.0.2.53", "192.0.2.54")


def test_terms_stay_the_same_as_long_as_the_files_do(source: LeaseSource, tmp_path: Path) -> None:
    assert isinstance(source, Dated)
    write(tmp_path, fresh(told((OLD, 600, 900), ia_pd1_t1="300", ia_pd1_t2="480"), ago=10))
    learn(source)
    terms = source.terms()
    at = terms[PREFIX, OLD].preferred_until
    assert at is not None
    assert terms[PREFIX, OLD][1:] == pytest.approx((at, at + 300, at - 300, at - 120))
    for before in ({}, learn(source)):
        learn(source, before)
        assert source.terms() == terms
    source.learn([], {}, {})
    assert source.terms() == {}


def test_in_a_container_with_an_uptime_of_its_own_ends_are_told_by_the_kernels_clock(
    source: LeaseSource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "uptime").write_text("100.00 80.00\n")
    monkeypatch.setattr(files, "_UPTIME", tmp_path / "uptime")
    write(tmp_path, fresh(told((OLD, 600, 900))))
    for read in (70_000.25, 70_000.27):
        monkeypatch.setattr(files, "_clock", lambda read=read: read)
        learn(source)
        # That the clocks were not read at one time makes no other end.
        assert source.terms()[PREFIX, OLD] == Terms("dhcpv6", 70_600.25, 70_900.25, 70_300.25, 70_480.25)


def test_the_prefix_that_was_chosen_in_an_earlier_run_stays(source: LeaseSource, tmp_path: Path) -> None:
    write(tmp_path, fresh(told((OLD, 600, 900), (NEW, 1200, 1800))))
    assert learn(SOURCE(tmp_path), {PREFIX: (OLD,)})[PREFIX] == (OLD,)
    assert learn(SOURCE(tmp_path))[PREFIX] == (OLD,)
    assert learn(source)[PREFIX] == (OLD,)


def test_a_lease_ends_by_itself(source: LeaseSource, tmp_path: Path) -> None:
    write(tmp_path, fresh(told((OLD, 10, 20)), ago=20))
    write(tmp_path, fresh({**IPV4, "new_dhcp_lease_time": "20"}, ago=20), "wan0.lease4")
    assert learn(source) == {}


# --- Former prefixes ---


def test_a_prefix_that_another_one_takes_the_place_of_is_a_former_one_also_after_a_restart(
    source: LeaseSource, tmp_path: Path
) -> None:
    write(tmp_path, fresh(told((OLD, 600, 900))))
    learn(source)
    end = source.terms()[PREFIX, OLD].valid_until
    write(tmp_path, fresh(told((NEW, 600, 900), (OLD, 0, 0))))
    facts = learn(source)
    assert (facts[PREFIX], facts[FORMER]) == ((NEW,), (OLD,))
    terms = source.terms()
    former = terms[FORMER, OLD]
    assert former.valid_until == end
    assert former.preferred_until is not None
    assert former.preferred_until <= Now.of_machine().uptime
    for again in (source, SOURCE(tmp_path), SOURCE(tmp_path)):
        assert learn(again) == facts
        assert again.terms() == terms


def test_a_lease_that_changed_while_the_agent_was_away_leaves_a_former_prefix(
    source: LeaseSource, tmp_path: Path
) -> None:
    write(tmp_path, fresh(told((OLD, 600, 900))))
    learn(source)
    write(tmp_path, fresh(told((NEW, 600, 900))))
    assert learn(SOURCE(tmp_path))[FORMER] == (OLD,)


def test_a_prefix_that_changed_while_the_machine_was_off_is_deprecated(
    source: LeaseSource, tmp_path: Path
) -> None:
    write(tmp_path, fresh(told((OLD, 600, 900))))
    learn(source)
    record = tmp_path / "leases/wan0.prefixes"
    record.write_text(record.read_text().replace(Now.of_machine().boot, BOOT))
    write(tmp_path, text(told((OLD, 600, 900))))
    started = SOURCE(tmp_path)
    assert learn(started) == {}
    write(tmp_path, fresh(told((NEW, 600, 900))))
    assert learn(started)[FORMER] == (OLD,)
    end = started.terms()[FORMER, OLD].valid_until
    assert end is not None
    assert end <= Now.of_machine().uptime + LONGEST


def test_nothing_is_written_while_nothing_changes(source: LeaseSource, tmp_path: Path) -> None:
    write(tmp_path, fresh(told((OLD, 600, 900))))
    learn(source)
    record = tmp_path / "leases/wan0.prefixes"
    written = record.stat()
    for again in (source, source, SOURCE(tmp_path)):
        learn(again)
    assert record.stat() == written


def test_whoever_only_looks_writes_nothing(source: LeaseSource, tmp_path: Path) -> None:
    write(tmp_path, fresh(told((OLD, 600, 900))))
    assert source.peek(ALL, {}, {})[PREFIX] == (OLD,)
    assert [path.name for path in (tmp_path / "leases").iterdir()] == ["wan0.lease"]
    assert source.terms() == {}


@pytest.mark.parametrize("content", [b"", b"\0\xff", b"[]", b"{}", b'{"boot": 7}', b"x" * 10_000_000])
def test_a_record_that_is_broken_is_told_of_and_written_anew(
    source: LeaseSource, tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    write(tmp_path, content, "wan0.prefixes")
    write(tmp_path, fresh(told((OLD, 600, 900))))
    for _ in range(2):
        assert learn(source)[PREFIX] == (OLD,)
    (record,) = caplog.records
    assert "wan0.prefixes" in record.getMessage()
    assert learn(SOURCE(tmp_path))[PREFIX] == (OLD,)
    assert len(caplog.records) == 1


def test_a_disk_that_is_full_spoils_no_fact(
    source: LeaseSource, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "leases/wan0.prefixes.new").mkdir()
    write(tmp_path, fresh(told((OLD, 600, 900))))
    assert learn(source)[PREFIX] == (OLD,)
    write(tmp_path, fresh(told((NEW, 600, 900))))
    assert learn(source)[FORMER] == (OLD,)
    assert "cannot keep on the disk" in caplog.text


# --- Hostile files ---


@pytest.mark.parametrize(
    "content",
    [b"", b"\0\xff", b"wan0\n", text(told((OLD, 10, 20))).encode()[:-9], b"{}", b"x=" + b"y" * 10_000_000],
    ids=["empty", "no text", "foreign", "half", "other format", "huge"],
)
def test_a_file_that_is_no_lease_leaves_the_last_one_and_is_told_once(
    source: LeaseSource, tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    write(tmp_path, fresh(told((OLD, 600, 900))))
    facts = learn(source)
    write(tmp_path, content)
    for _ in range(3):
        assert learn(source) == facts
    (record,) = caplog.records
    assert (record.levelno, "wan0.lease is no lease" in record.getMessage()) == (logging.WARNING, True)
    assert len(record.getMessage()) < 400


def test_what_is_unusable_in_each_message_of_a_server_is_told_once(
    source: LeaseSource, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(3):
        write(tmp_path, fresh(told((OLD, 600, 900), ("2001:db8::/200", 1, 1))))
        assert learn(source)[PREFIX] == (OLD,)
    (record,) = caplog.records
    assert "2001:db8::/200" in record.getMessage()


@pytest.mark.parametrize("name", ["wan0.lease", "wan0.lease4"])
def test_a_directory_or_a_pipe_in_the_files_place_is_no_lease(
    source: LeaseSource, tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    (tmp_path / "leases" / name).mkdir()
    assert learn(source) == {}
    (tmp_path / "leases" / name).rmdir()
    os.mkfifo(tmp_path / "leases" / name)
    assert learn(SOURCE(tmp_path)) == {}
    assert caplog.text.count("it is no file") == 2


@pytest.mark.parametrize(
    ("told_at", "of_boot"),
    [(0.0, BOOT), (Now.of_machine().uptime + 1e6, Now.of_machine().boot)],
    ids=["boot", "container"],
)
def test_a_lease_from_before_the_last_start_is_none(
    source: LeaseSource, tmp_path: Path, told_at: float, of_boot: str
) -> None:
    write(tmp_path, text(told((OLD, 0xFFFF_FFFF, 0xFFFF_FFFF)), told_at, of_boot))
    write(tmp_path, text(IPV4, told_at, of_boot), "wan0.lease4")
    assert learn(source) == {}


def test_only_leases_that_are_asked_for_are_read(source: LeaseSource, tmp_path: Path) -> None:
    write(tmp_path, fresh(told((OLD, 600, 900))))
    assert source.learn([FactKey("wan1", "delegated-prefix")], {}, {}) == {}
    assert source.learn([AFTR], {}, {}) == {AFTR: ("gw.example.net",)}
    assert source.learn([], {}, {}) == {}


async def test_news_that_somebody_only_looked_at_is_news_all_the_same(
    source: LeaseSource, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    learn(source)
    news = asyncio.Event()
    run = asyncio.create_task(source.run(news.set))
    write(tmp_path, fresh(told((OLD, 600, 900), ("2001:db8::/72", 1, 1))))
    for asked in ([PREFIX], [FactKey("wan1", "delegated-prefix")], []):
        source.peek(asked, {}, {})
    assert source.peek([PREFIX], {}, {}) == {PREFIX: (OLD,)}
    assert not caplog.records
    async with asyncio.timeout(10):
        await news.wait()
    assert learn(source)[PREFIX] == (OLD,)
    assert len(caplog.records) == 1
    run.cancel()


async def test_the_end_of_a_former_prefix_is_news(
    source: LeaseSource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delegation, "LONGEST", 1.0)
    write(tmp_path, fresh(told((OLD, 600, 900))))
    learn(source)
    write(tmp_path, fresh(told((NEW, 600, 900))))
    assert learn(source)[FORMER] == (OLD,)
    news = asyncio.Event()
    run = asyncio.create_task(source.run(news.set))
    async with asyncio.timeout(30):
        await news.wait()
    assert FORMER not in learn(source)
    run.cancel()
