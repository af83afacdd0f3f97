"""What of a lease counts, whatever its file holds, and what the hook makes of dhcpcd's words."""

import asyncio
import logging
import math
import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tasuki_agent.facts.leases import SOURCE, LeaseSource, boot, uptime
from tasuki_agent.facts.leases.lease import (
    Lease,
    Prefix,
    aftr_name,
    delegated_prefix,
    next_end,
    parse,
)
from tasuki_yang.facts import FactKey, Facts

HOOK = Path(__file__).parents[3] / "agent/tasuki-agent-lease-hook"
BOOT = "2f1cbd3e-7c0e-4b5b-9d55-2a1d3c4e5f60"
PREFIX = FactKey("wan0", "delegated-prefix")
AFTR = FactKey("wan0", "aftr-name")
OLD, NEW = "2001:db8:1200::/56", "2001:db8:3400::/56"


def told(*prefixes: tuple[str, int, int], aftr: str = "gw.example.net") -> dict[str, str]:
    """dhcpcd's words for prefixes with their preferred and valid lifetimes."""
    words = {"new_dhcp6_aftr_name": aftr} if aftr else {}
    for n, (prefix, preferred, valid) in enumerate(prefixes, start=1):
        name = f"new_dhcp6_ia_pd1_prefix{n}"
        words[name], _, words[f"{name}_length"] = prefix.partition("/")
        words |= {f"{name}_pltime": f"{preferred}", f"{name}_vltime": f"{valid}"}
    return words


def text(words: dict[str, str], uptime: float = 100.0, boot: str = BOOT) -> str:
    return "".join(f"{name}={value}\n" for name, value in {**words, "uptime": uptime, "boot": boot}.items())


# --- What counts ---

times = st.one_of(st.integers(0, 300).map(float), st.just(math.inf))
leases = st.builds(
    Lease,
    boot=st.just(BOOT),
    told_at=st.just(0.0),
    prefixes=st.lists(
        st.builds(
            lambda n, ends: Prefix(f"2001:db8:{n:x}00::/56", min(ends), max(ends)),
            st.integers(1, 5),
            st.tuples(times, times),
        ),
        max_size=5,
        unique_by=lambda prefix: prefix.prefix,
    ).map(tuple),
    aftr_name=st.sampled_from([None, "gw.example.net"]),
)


@given(leases, st.integers(0, 310))
def test_a_prefix_counts_only_until_its_lifetime_ends(lease: Lease, now: int) -> None:
    valid = {prefix.prefix for prefix in lease.prefixes if prefix.valid_until > now}
    chosen = delegated_prefix(lease, now, None)
    assert chosen in valid if valid else chosen is None


@given(leases, st.integers(0, 310))
def test_a_deprecated_prefix_is_chosen_only_without_a_preferred_one(lease: Lease, now: int) -> None:
    preferred = {prefix.prefix for prefix in lease.prefixes if prefix.preferred_until > now}
    for held in (None, *(prefix.prefix for prefix in lease.prefixes)):
        assert not preferred or delegated_prefix(lease, now, held) in preferred


@given(leases)
def test_the_choice_changes_only_when_the_chosen_prefix_is_deprecated_or_over(lease: Lease) -> None:
    held = None
    for now in range(310):
        before, held = held, delegated_prefix(lease, now, held)
        if before not in (None, held):
            (gone,) = (prefix for prefix in lease.prefixes if prefix.prefix == before)
            assert gone.preferred_until <= now


@given(leases, st.integers(0, 310))
def test_the_prefix_that_is_preferred_longest_is_chosen_at_first(lease: Lease, now: int) -> None:
    chosen = [prefix for prefix in lease.prefixes if prefix.prefix == delegated_prefix(lease, now, None)]
    assert all(
        prefix.preferred_until <= max(now, chosen[0].preferred_until) for prefix in lease.prefixes if chosen
    )


@given(leases, st.integers(0, 300))
def test_between_two_ends_nothing_changes(lease: Lease, now: int) -> None:
    end = next_end(lease, now)
    assert end > now
    held = delegated_prefix(lease, now, None)
    for later in range(now, int(min(end, 310))):
        assert delegated_prefix(lease, later, held) == held
        assert aftr_name(lease, later) == aftr_name(lease, now)


def test_the_aftr_ends_with_the_last_prefix() -> None:
    lease = parse(text(told((OLD, 10, 20), (NEW, 10, 30))))
    assert aftr_name(lease, 129) == "gw.example.net"
    assert aftr_name(lease, 130) is None


def test_the_aftr_of_a_lease_without_prefixes_stays() -> None:
    assert aftr_name(parse(text(told())), 1e9) == "gw.example.net"


# --- What is read ---


def test_a_lease_is_read() -> None:
    assert parse(
        text(told(("2001:DB8:1200::1/56", 12600, 0xFFFF_FFFF), (NEW, 0, 0), aftr="GW.Example.Net."))
    ) == Lease(
        BOOT,
        100.0,
        (Prefix(OLD, 12700.0, math.inf), Prefix(NEW, 100.0, 100.0)),
        "gw.example.net",
    )


@pytest.mark.parametrize(
    ("odd", "reason"),
    [
        (("2001:db8::/200", 1, 1), "2001:db8::/200"),
        (("2001:db8::/72", 1, 1), "and /64 long"),
        (("fe80::/56", 1, 1), "fe80::"),
        (("192.0.2.0/24", 1, 1), "192.0.2.0/24"),
    ],
)
def test_an_odd_prefix_leaves_the_rest_of_the_lease_usable(odd: tuple[str, int, int], reason: str) -> None:
    lease = parse(text(told(odd, (OLD, 10, 20))))
    assert delegated_prefix(lease, 100, None) == OLD
    assert reason in lease.unusable[0]


def test_an_odd_name_of_an_aftr_leaves_the_prefix_usable() -> None:
    lease = parse(text(told((OLD, 10, 20), aftr="gw..example.net")))
    assert (delegated_prefix(lease, 100, None), lease.aftr_name) == (OLD, None)
    assert "gw..example.net" in lease.unusable[0]


@given(
    st.one_of(
        st.text(),
        st.lists(st.sampled_from(text(told((OLD, 10, 20))).splitlines()), max_size=9).map("\n".join),
    )
)
def test_whatever_a_file_holds_it_is_a_lease_or_is_refused_with_a_reason(content: str) -> None:
    try:
        parse(content)
    except ValueError as error:
        reason = str(error)
    else:
        reason = "none"
    assert reason


@given(st.integers(0, len(text(told((OLD, 10, 20)))) - 2))
def test_a_file_that_is_cut_short_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse(text(told((OLD, 10, 20)))[:length])


@pytest.mark.parametrize(
    "words", [{"new_dhcp6_ia_pd1_prefix1": "2001:db8::"}, told((OLD, -1, 2)), told((OLD, 1, 2**32))]
)
def test_a_prefix_without_proper_lifetimes_is_refused(words: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"missing|lifetime"):
        parse(text(words))


# --- The files ---


@pytest.fixture
def source(tmp_path: Path) -> LeaseSource:
    (tmp_path / "leases").mkdir()
    return SOURCE(tmp_path)


def write(tmp_path: Path, content: str | bytes) -> None:
    (tmp_path / "leases/new").write_bytes(content if isinstance(content, bytes) else content.encode())
    (tmp_path / "leases/new").rename(tmp_path / "leases/wan0.lease")


def learn(source: LeaseSource, before: Facts | None = None) -> Facts:
    return source.learn([PREFIX, AFTR], {}, before or {})


def test_a_lease_is_told_and_one_that_is_gone_is_not(source: LeaseSource, tmp_path: Path) -> None:
    assert learn(source) == {}
    write(tmp_path, text(told((OLD, 10, 20)), uptime(), boot()))
    assert learn(source) == {PREFIX: (OLD,), AFTR: ("gw.example.net",)}
    (tmp_path / "leases/wan0.lease").unlink()
    assert learn(source) == {}


def test_the_prefix_that_was_chosen_in_an_earlier_run_stays(source: LeaseSource, tmp_path: Path) -> None:
    write(tmp_path, text(told((OLD, 10, 20), (NEW, 100, 200)), uptime(), boot()))
    assert learn(source)[PREFIX] == (NEW,)
    assert learn(source, {PREFIX: (OLD,)})[PREFIX] == (OLD,)


def test_a_lease_ends_by_itself(source: LeaseSource, tmp_path: Path) -> None:
    write(tmp_path, text(told((OLD, 10, 20)), uptime() - 20, boot()))
    assert learn(source) == {}


@pytest.mark.parametrize(
    "content",
    [b"", b"\0\xff", b"wan0\n", text(told((OLD, 10, 20))).encode()[:-9], b"{}", b"x=" + b"y" * 10_000_000],
    ids=["empty", "no text", "foreign", "half", "other format", "huge"],
)
def test_a_file_that_is_no_lease_leaves_the_last_one_and_is_told_once(
    source: LeaseSource, tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    write(tmp_path, text(told((OLD, 10, 20)), uptime(), boot()))
    facts = learn(source)
    write(tmp_path, content)
    for _ in range(3):
        assert learn(source) == facts
    (record,) = caplog.records
    assert (record.levelno, "wan0.lease is no lease" in record.getMessage()) == (logging.WARNING, True)
    assert len(record.getMessage()) < 400


def test_a_directory_in_the_files_place_is_no_lease(
    source: LeaseSource, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "leases/wan0.lease").mkdir()
    assert learn(source) == {}
    assert "it is no file" in caplog.text


@pytest.mark.parametrize(
    ("told_at", "of_boot"), [(0.0, BOOT), (uptime() + 1e6, boot())], ids=["boot", "container"]
)
def test_a_lease_from_before_the_last_start_is_none(
    source: LeaseSource, tmp_path: Path, told_at: float, of_boot: str
) -> None:
    write(tmp_path, text(told((OLD, 0xFFFF_FFFF, 0xFFFF_FFFF)), told_at, of_boot))
    assert learn(source) == {}


def test_only_leases_that_are_asked_for_are_read(source: LeaseSource, tmp_path: Path) -> None:
    write(tmp_path, text(told((OLD, 10, 20)), uptime(), boot()))
    assert source.learn([FactKey("wan1", "delegated-prefix")], {}, {}) == {}
    assert source.learn([AFTR], {}, {}) == {AFTR: ("gw.example.net",)}
    assert source.learn([], {}, {}) == {}


async def test_news_that_somebody_only_looked_at_is_news_all_the_same(
    source: LeaseSource, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    learn(source)
    news = asyncio.Event()
    run = asyncio.create_task(source.run(news.set))
    write(tmp_path, text(told((OLD, 10, 20), ("2001:db8::/72", 1, 1)), uptime(), boot()))
    for asked in ([PREFIX], [FactKey("wan1", "delegated-prefix")], []):
        source.peek(asked, {}, {})
    assert source.peek([PREFIX], {}, {}) == {PREFIX: (OLD,)}
    assert not caplog.records
    async with asyncio.timeout(10):
        await news.wait()
    assert learn(source)[PREFIX] == (OLD,)
    assert len(caplog.records) == 1
    run.cancel()


# --- The hook ---


def hook(state_dir: Path, reason: str, words: dict[str, str] | None = None, protocol: str = "dhcp6") -> None:
    said = {"interface": "wan0", "reason": reason, "protocol": protocol, **(words or {})}
    environment = {"PATH": os.environ["PATH"], "TASUKI_STATE_DIR": f"{state_dir}", **said}
    done = subprocess.run([HOOK], check=True, capture_output=True, env=environment)
    assert (done.stdout, done.stderr) == (b"", b"")


@pytest.mark.parametrize("reason", ["BOUND6", "RENEW6", "REBIND6", "REBOOT6", "INFORM6"])
def test_the_hook_writes_what_is_leased(tmp_path: Path, reason: str) -> None:
    source = SOURCE(tmp_path / "state")
    hook(tmp_path / "state", reason, told((NEW, 10, 20), (OLD, 0, 0)) | {"old_dhcp6_aftr_name": "x"})
    assert learn(source) == {PREFIX: (NEW,), AFTR: ("gw.example.net",)}
    assert [path.name for path in (tmp_path / "state/leases").iterdir()] == ["wan0.lease"]


@pytest.mark.parametrize("reason", ["EXPIRE6", "RELEASE6", "STOP6"])
def test_the_hook_takes_away_what_is_over_also_twice(tmp_path: Path, reason: str) -> None:
    hook(tmp_path, "BOUND6", told((OLD, 10, 20)))
    for _ in range(2):
        hook(tmp_path, reason)
        assert learn(SOURCE(tmp_path)) == {}


@pytest.mark.parametrize(
    ("reason", "protocol"),
    [
        ("CARRIER", "link"),
        ("RECONFIGURE", "dhcp"),
        ("BOUND", "dhcp"),
        ("TEST", "dhcp6"),
        ("ROUTERADVERT", "ra"),
    ],
)
def test_the_hook_leaves_what_is_no_news_of_a_lease(tmp_path: Path, reason: str, protocol: str) -> None:
    hook(tmp_path, "BOUND6", told((OLD, 10, 20)))
    hook(tmp_path, reason, told((NEW, 10, 20)), protocol)
    assert learn(SOURCE(tmp_path))[PREFIX] == (OLD,)


def test_a_lease_that_the_hook_cannot_write_leaves_the_one_before(tmp_path: Path) -> None:
    hook(tmp_path, "BOUND6", told((OLD, 10, 20)))
    (tmp_path / "leases/wan0.lease.new").mkdir()
    with pytest.raises(subprocess.CalledProcessError):
        hook(tmp_path, "RENEW6", told((NEW, 10, 20)))
    assert learn(SOURCE(tmp_path))[PREFIX] == (OLD,)


def test_a_person_who_runs_the_hook_is_told_who_does() -> None:
    done = subprocess.run(
        [HOOK], check=False, capture_output=True, text=True, env={"PATH": os.environ["PATH"]}
    )
    assert done.returncode != 0
    assert "dhcpcd runs this" in done.stderr
