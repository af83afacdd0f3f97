"""Which prefixes are former ones, and for how long."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tasuki_agent.facts.leases.delegation import LONGEST, MOST, NOTHING, Delegation, Former
from tasuki_agent.facts.leases.lease import Lease, Prefix
from unit.facts.words import BOOT, NEW, OLD

OTHER_BOOT = "00000000-0000-0000-0000-000000000000"


def lease(at: float, *prefixes: tuple[str, float, float]) -> Lease:
    """Told at a time, with lifetimes from then on."""
    return Lease(BOOT, at, prefixes=tuple(Prefix(name, at + p, at + v) for name, p, v in prefixes))


DELEGATED = NOTHING.after(lease(0, (OLD, 600, 900)), 0)


def test_what_is_delegated_is_no_former_prefix() -> None:
    assert Delegation(OLD, 900) == DELEGATED
    assert DELEGATED.after(lease(300, (OLD, 600, 900)), 300) == Delegation(OLD, 1200)


@pytest.mark.parametrize(
    "prefixes",
    [[(NEW, 600, 900)], [(NEW, 600, 900), (OLD, 0, 0)], [(OLD, 0, 0)], []],
    ids=["another one", "another one, and it is taken back", "it is taken back", "none any more"],
)
def test_a_prefix_that_is_replaced_stays_for_the_rest_of_its_lifetime(
    prefixes: list[tuple[str, float, float]],
) -> None:
    after = DELEGATED.after(lease(100, *prefixes), 100)
    assert after.former == (Former(OLD, 100, 900),)
    assert after.prefix == (NEW if len(prefixes) and prefixes[0][0] == NEW else "")


def test_a_prefix_that_is_still_leased_but_deprecated_stays_as_long_as_the_server_says() -> None:
    after = DELEGATED.after(lease(100, (OLD, 0, 50), (NEW, 600, 900)), 100)
    assert after == Delegation(NEW, 1000, (Former(OLD, 100, 150),))


@pytest.mark.parametrize("valid", [86_400, math.inf])
def test_no_former_prefix_stays_longer_than_hosts_would_keep_it(valid: float) -> None:
    after = NOTHING.after(lease(0, (OLD, 600, valid)), 0).after(lease(100, (NEW, 600, 900)), 100)
    assert after.former == (Former(OLD, 100, 100 + LONGEST),)


def test_a_prefix_that_merely_expires_is_over() -> None:
    assert DELEGATED.after(lease(0, (OLD, 600, 900)), 900) == NOTHING
    assert DELEGATED.after(lease(1000, (NEW, 600, 900)), 1000).former == ()


def test_a_prefix_that_was_given_back_is_over() -> None:
    assert DELEGATED.without(100) == NOTHING
    replaced = DELEGATED.after(lease(100, (NEW, 600, 900)), 100)
    assert replaced.without(200) == Delegation(former=(Former(OLD, 100, 900),))


def test_a_former_prefix_is_forgotten_after_its_end() -> None:
    replaced = DELEGATED.after(lease(100, (NEW, 600, 9000)), 100)
    assert replaced.at(899) == replaced
    assert replaced.at(900) == Delegation(NEW, 9100)
    assert replaced.after(lease(100, (NEW, 600, 9000)), 900) == Delegation(NEW, 9100)


def test_a_former_prefix_that_is_delegated_again_is_no_former_one() -> None:
    back = DELEGATED.after(lease(100, (NEW, 600, 900)), 100).after(lease(200, (OLD, 600, 900)), 200)
    assert back == Delegation(OLD, 1100, (Former(NEW, 200, 1000),))


def test_of_a_server_that_never_stays_with_a_prefix_a_few_are_kept() -> None:
    delegation = NOTHING
    for n in range(50):
        delegation = delegation.after(lease(n, (f"2001:db8:{n:x}00::/56", 600, 900)), n)
    assert [each.prefix for each in delegation.former] == [
        f"2001:db8:{n:x}00::/56" for n in range(49 - MOST, 49)
    ]


def test_the_newest_former_prefix_is_told_first_as_deprecated() -> None:
    third = "2001:db8:5600::/56"
    delegation = DELEGATED.after(lease(100, (NEW, 600, 900)), 100).after(lease(200, (third, 600, 900)), 200)
    terms = {prefix: (term.preferred_until, term.valid_until) for prefix, term in delegation.told().items()}
    assert [*terms.items()] == [(NEW, (200, 1000)), (OLD, (100, 900))]


# --- On the disk ---

prefixes = st.sampled_from([OLD, NEW, "2001:db8:5600::/56", "2001:db8:7800::/60"])
times = st.integers(0, 20_000).map(float)
delegations = st.builds(
    Delegation,
    prefixes,
    st.one_of(times, st.just(math.inf)),
    st.lists(st.builds(Former, prefixes, times, times), max_size=MOST).map(tuple),
)


@given(delegations)
def test_what_is_kept_is_read_back(delegation: Delegation) -> None:
    assert Delegation.of(delegation.record(BOOT, 100.0), BOOT, 200.0) == delegation


@pytest.mark.parametrize(("boot", "now"), [(OTHER_BOOT, 500.0), (BOOT, 50.0)], ids=["boot", "container"])
def test_a_prefix_from_before_the_last_start_is_a_former_one_if_another_one_comes(
    boot: str, now: float
) -> None:
    replaced = DELEGATED.after(lease(100, (NEW, 600, 900)), 100)
    started = Delegation.of(replaced.record(BOOT, 100.0), boot, now)
    assert started == Delegation(NEW, now + LONGEST)
    other = started.after(lease(now, (OLD, 600, 900)), now)
    assert other == Delegation(OLD, now + 900, (Former(NEW, now, now + LONGEST),))
    assert started.after(lease(now, (NEW, 600, 900)), now).former == ()


@given(st.one_of(st.text(), st.recursive(st.none() | st.text(), st.lists).map(str)))
def test_a_record_that_is_none_is_refused_with_a_reason(content: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Delegation.of(content, BOOT, 0.0)


@pytest.mark.parametrize(
    "part",
    [
        '"prefix": 7',
        '"prefix": "fe80::/64"',
        '"until": "x"',
        '"former": [[]]',
        '"former": {"a": 1}',
        '"uptime": "x"',
    ],
)
def test_a_record_that_is_half_right_is_refused(part: str) -> None:
    record = DELEGATED.record(BOOT, 100.0).removesuffix("}") + f", {part}}}"
    with pytest.raises(ValueError, match=r"."):
        Delegation.of(record, BOOT, 200.0)


# --- At random ---

steps = st.lists(
    st.tuples(
        st.integers(1, 4000),
        st.lists(
            st.tuples(prefixes, st.integers(0, 9000), st.integers(0, 9000)),
            max_size=3,
            unique_by=lambda p: p[0],
        ),
    ),
    max_size=8,
)


@given(steps)
def test_a_former_prefix_was_delegated_is_not_and_is_forgotten_in_time(
    steps: list[tuple[int, list[tuple[str, int, int]]]],
) -> None:
    delegation, now, ever = NOTHING, 0.0, set()
    for seconds, leased in steps:
        now += seconds
        delegation = delegation.after(lease(now, *((p, min(a, b), max(a, b)) for p, a, b in leased)), now)
        ever.add(delegation.prefix)
        names = [each.prefix for each in delegation.former]
        assert len(set(names)) == len(names) <= MOST
        assert delegation.prefix not in names
        assert ever.issuperset(names)
        assert all(each.since <= now < each.until <= each.since + LONGEST for each in delegation.former)
