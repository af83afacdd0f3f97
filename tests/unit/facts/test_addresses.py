"""Which address of an interface is the one that a tunnel ends at, and which addresses are here."""

import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tasuki_agent.facts.addresses import GIVEN_UP, SOURCE, advertised
from tasuki_agent.kernel import uapi
from tasuki_agent.kinds.address.model import Address, AddressKey
from tasuki_yang.facts import FactKey, Facts

WAN = FactKey("wan0", "global-address")
ONE, OTHER, THIRD = "2001:db8:1::1", "2001:db8:2::1", "2001:db8:3::1"


def learn(
    addresses: dict[str, int], asked: FactKey = WAN, before: Facts | None = None, interface: str = "wan0"
) -> str | None:
    """The value; addresses of the interface are given with their flags."""
    observed = {
        "address": {
            AddressKey(interface, ip): Address(64, protocol=0, flags=flags) for ip, flags in addresses.items()
        }
    }
    found = SOURCE(Path()).learn([asked], observed, before or {})
    return found[asked][0] if asked in found else None


@pytest.mark.parametrize(
    "flag",
    [
        pytest.param(uapi.IFA_F_TEMPORARY, id="temporary"),
        pytest.param(uapi.IFA_F_DEPRECATED, id="deprecated"),
        pytest.param(uapi.IFA_F_TENTATIVE, id="tentative"),
        pytest.param(uapi.IFA_F_DADFAILED, id="duplicate"),
    ],
)
def test_an_address_that_is_not_to_be_used_is_never_taken(flag: int) -> None:
    assert learn({ONE: flag}) is None
    assert learn({ONE: flag, OTHER: 0}) == OTHER
    assert learn({ONE: flag, OTHER: 0}, before={WAN: (ONE,)}) == OTHER


def test_an_optimistic_address_may_be_used_at_once() -> None:
    assert learn({ONE: uapi.IFA_F_TENTATIVE | uapi.IFA_F_OPTIMISTIC}) == ONE


@pytest.mark.parametrize("ip", ["fe80::1", "::1", "192.0.2.1"])
def test_what_is_not_global_or_not_ipv6_is_never_taken(ip: str) -> None:
    assert learn({ip: uapi.IFA_F_PERMANENT}) is None


def test_another_interfaces_address_is_not_taken() -> None:
    assert learn({ONE: 0}, interface="lan0") is None


def test_a_unique_local_address_is_taken_only_where_there_is_nothing_better() -> None:
    assert learn({"fd00::1": 0}) == "fd00::1"
    assert learn({"fd00::1": 0, ONE: 0}) == ONE
    assert learn({"fd00::1": 0, ONE: 0}, before={WAN: ("fd00::1",)}) == ONE
    assert learn({"fd00::1": 0}, before={WAN: (ONE,)}) is None, "the line is being renumbered"


def test_of_equally_good_ones_the_address_stays_that_was_taken_before() -> None:
    assert learn({ONE: 0, OTHER: 0}, before={WAN: (OTHER,)}) == OTHER
    assert learn({ONE: 0, OTHER: 0}, before={WAN: (THIRD,)}) == ONE


@given(st.permutations([ONE, OTHER, THIRD]))
def test_the_order_in_which_the_kernel_lists_them_does_not_matter(order: list[str]) -> None:
    assert learn(dict.fromkeys(order, 0)) == ONE


# --- Prefixes that nobody takes back ---

MINUTE = 6_000
RANGE = 2**32
"""Of the kernel's clock."""


def autoconfigured(refreshed: int, prefix_length: int = 64) -> Address:
    return Address(prefix_length, protocol=0, refreshed=refreshed % RANGE or 1)


def choose(candidates: dict[str, Address], held: str) -> str:
    observed = {"address": {AddressKey("wan0", ip): spec for ip, spec in candidates.items()}}
    return SOURCE(Path()).learn([WAN], observed, {WAN: (held,)})[WAN][0]


starts = st.integers(1, RANGE - 1)
pauses = st.lists(st.integers(1, 30 * MINUTE), min_size=1, max_size=30)


def times(start: int, pauses: list[int]) -> list[int]:
    return list(itertools.accumulate(pauses, initial=start))


@given(starts, pauses, pauses, st.integers(-30 * MINUTE, 30 * MINUTE))
def test_of_two_prefixes_that_are_both_advertised_the_held_one_stays_for_ever(
    start: int, ones: list[int], others: list[int], apart: int
) -> None:
    refreshed = [(at, ONE) for at in times(start, ones)] + [
        (at, OTHER) for at in times(start + apart, others)
    ]
    end = min(start + sum(ones), start + apart + sum(others))
    last = {ONE: start, OTHER: start + apart}
    for at, ip in sorted(refreshed):
        if at <= end:
            last[ip] = at
            candidates = {ip: autoconfigured(at) for ip, at in last.items()}
            assert [choose(candidates, held) for held in (ONE, OTHER)] == [ONE, OTHER]


@given(starts, pauses, st.sampled_from([(ONE, OTHER), (OTHER, ONE)]))
def test_a_prefix_that_is_not_advertised_any_more_is_left_once_and_in_time(
    start: int, pauses: list[int], line: tuple[str, str]
) -> None:
    old, new = line
    held = old
    for at in times(start, [*pauses, *[30 * MINUTE] * 3]):
        held = choose({old: autoconfigured(start), new: autoconfigured(at)}, held)
        assert held == (new if at - start >= GIVEN_UP else old)
    assert held == new
    assert choose({old: autoconfigured(at + 1), new: autoconfigured(at)}, held) == new


@given(st.dictionaries(st.sampled_from([ONE, OTHER, THIRD, "fd00::1"]), starts | st.just(0), min_size=1))
def test_however_old_there_is_always_an_address(refreshed: dict[str, int]) -> None:
    assert advertised({ip: autoconfigured(at) for ip, at in refreshed.items()})


@pytest.mark.parametrize(
    "held",
    [
        pytest.param(Address(64, protocol=0, flags=uapi.IFA_F_PERMANENT), id="typed"),
        pytest.param(autoconfigured(1, prefix_length=128), id="leased"),
    ],
)
def test_what_is_not_autoconfigured_is_not_given_up_for_want_of_advertisements(held: Address) -> None:
    assert choose({ONE: autoconfigured(10 * GIVEN_UP), OTHER: held}, OTHER) == OTHER


def test_a_lease_that_is_renewed_says_nothing_of_what_is_advertised() -> None:
    lease = autoconfigured(10 * GIVEN_UP, prefix_length=128)
    assert choose({ONE: lease, OTHER: autoconfigured(1)}, OTHER) == OTHER


def test_a_unique_local_prefix_does_not_replace_a_global_one_that_is_not_advertised_any_more() -> None:
    assert choose({"fd00::1": autoconfigured(10 * GIVEN_UP), ONE: autoconfigured(1)}, ONE) == ONE


# --- Addresses that are here ---


def test_an_address_is_here_on_whatever_interface_it_is() -> None:
    key = FactKey(ONE, "local-address")
    assert learn({ONE: uapi.IFA_F_DEPRECATED}, key, interface="lan0") == ONE
    assert learn({ONE: uapi.IFA_F_TENTATIVE}, key) is None
    assert learn({OTHER: 0}, key) is None
