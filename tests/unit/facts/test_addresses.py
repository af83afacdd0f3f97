"""Which address of an interface is the one that a tunnel ends at, and which addresses are here."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tasuki_agent.facts.addresses import SOURCE
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


def test_of_equally_good_ones_the_address_stays_that_was_taken_before() -> None:
    assert learn({ONE: 0, OTHER: 0}, before={WAN: (OTHER,)}) == OTHER
    assert learn({ONE: 0, OTHER: 0}, before={WAN: (THIRD,)}) == ONE


@given(st.permutations([ONE, OTHER, THIRD]))
def test_the_order_in_which_the_kernel_lists_them_does_not_matter(order: list[str]) -> None:
    assert learn(dict.fromkeys(order, 0)) == ONE


def test_an_address_is_here_on_whatever_interface_it_is() -> None:
    key = FactKey(ONE, "local-address")
    assert learn({ONE: uapi.IFA_F_DEPRECATED}, key, interface="lan0") == ONE
    assert learn({ONE: uapi.IFA_F_TENTATIVE}, key) is None
    assert learn({OTHER: 0}, key) is None
