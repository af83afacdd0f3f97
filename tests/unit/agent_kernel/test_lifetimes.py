"""How long addresses last: what the kernel is told, what it tells later, and when that is the same."""

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tasuki_agent.kinds.address.lifetimes import INFINITY, TOLERANCE, Lifetimes, of_former, of_lease
from tasuki_yang.facts import Terms

moments = st.floats(0, 1e9)
ends = st.none() | moments


@given(ends, ends, moments, st.floats(0, 1e7), st.floats(0, 1))
def test_what_the_kernel_tells_of_a_lease_is_what_it_was_told(
    preferred: float | None, valid: float | None, now: float, later: float, delay: float
) -> None:
    wanted = of_lease(Terms("", preferred, valid))
    told = wanted.seconds(now) if wanted else (INFINITY, INFINITY)
    left = [each if each == INFINITY else max(0, each - math.floor(later)) for each in told]
    assume(left[1])  # or else it is gone
    seen = Lifetimes.left(*left)
    assert wanted == (seen.after(now + later + delay) if seen else None)


@given(ends, ends, moments)
def test_the_kernel_takes_whatever_a_lease_says(
    preferred: float | None, valid: float | None, now: float
) -> None:
    """It refuses an address that is not valid, and one that is preferred for longer than it is valid."""
    lifetimes = of_lease(Terms("", preferred, valid)) or Lifetimes(None, None)
    for each in (lifetimes, of_former(Terms("", preferred, valid))):
        told_preferred, told_valid = each.seconds(now)
        assert 0 <= told_preferred <= told_valid <= INFINITY
        assert told_valid > 0
        assert (told_valid == INFINITY) is (valid is None)


@given(st.integers(0, 10**9), st.integers(0, 10**9), moments)
def test_the_kernel_removes_no_address_before_its_end(preferred: int, valid: int, now: float) -> None:
    assert now + Lifetimes(preferred, valid).seconds(now)[1] > valid


@given(st.integers(0, 10**9), st.integers(TOLERANCE + 1, 10**6))
def test_a_lease_that_was_renewed_is_another_one(end: int, later: int) -> None:
    for one, other in (
        ((end, None), (end + later, None)),
        ((0, end), (0, end + later)),
        ((0, end), (0, None)),
    ):
        assert Lifetimes(*one) != Lifetimes(*other)
        assert Lifetimes(*other) != Lifetimes(*one)


def test_what_is_over_is_equal_whenever_that_was() -> None:
    deprecated = Lifetimes(0, 900)
    assert Lifetimes.left(0, 400) is not None
    assert deprecated == Lifetimes(0, 400).after(500)
    assert Lifetimes(490, 900) == Lifetimes(0, 400).after(500)
    assert Lifetimes(600, 900) != Lifetimes(0, 400).after(500), "preferred, and seen deprecated"
    assert deprecated != Lifetimes(300, 400).after(500), "deprecated, and seen preferred"


@pytest.mark.parametrize(
    ("terms", "lifetimes"),
    [
        (Terms(), None),
        (Terms("", None, 900), Lifetimes(900, 900)),
        (Terms("", 600, None), Lifetimes(600, None)),
        (Terms("", 2_000, 900), Lifetimes(900, 900)),
    ],
)
def test_an_address_is_preferred_no_longer_than_it_is_valid(
    terms: Terms, lifetimes: Lifetimes | None
) -> None:
    assert of_lease(terms) == lifetimes


def test_an_address_that_lasts_for_ever_is_not_one_that_expires() -> None:
    assert Lifetimes.left(INFINITY, INFINITY) is None
    assert Lifetimes(None, None) != Lifetimes(None, 900)
    assert of_former(Terms()) == Lifetimes(0, None)
    assert of_former(Terms()).seconds(500) == (0, INFINITY)
