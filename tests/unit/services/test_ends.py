"""An end stays late-bound where it is, and is what was told where its peer is."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tasuki_controller.ends import DelegatedAddress, Fixed, GlobalAddress, Untold, as_told, own_end
from tasuki_controller.known import KnownFacts
from tasuki_yang.facts import FactKey


@dataclass(frozen=True)
class Place:
    subnet_id: int = 0
    interface_id: str = "::1"


@dataclass(frozen=True)
class Line:
    delegated_address: Place | None = None
    interface: str = "wan0"


def home(noun: str, value: str) -> KnownFacts:
    return KnownFacts({"home": {FactKey("wan0", noun): (value,)}})


@pytest.mark.parametrize(
    ("line", "address", "end"),
    [
        (Line(), None, GlobalAddress("wan0")),
        (Line(), "2001:0DB8::0001", Fixed("2001:db8::1")),
        (Line(Place()), None, DelegatedAddress("wan0", 0, "::1")),
        (Line(Place(255, "::5054:00ff:FE00:0001")), None, DelegatedAddress("wan0", 255, "::5054:ff:fe00:1")),
    ],
)
def test_what_is_said_of_a_line_means_an_end(line: Line, address: str | None, end: object) -> None:
    assert own_end(line, address) == end


@given(st.integers(1, 2**64 - 1))
def test_an_interface_identifier_has_one_spelling_that_the_models_take(value: int) -> None:
    groups = [f"{value >> shift & 0xFFFF:04X}" for shift in (48, 32, 16, 0)]
    end = own_end(Line(Place(0, "::" + ":".join(groups))), None)

    assert isinstance(end, DelegatedAddress)
    assert "." not in end.interface_id
    assert own_end(Line(Place(0, end.interface_id)), None) == end
    assert int(f"0x{''.join(each.zfill(4) for each in end.interface_id[2:].split(':'))}", 16) == value


def test_a_peer_knows_a_fixed_end_without_being_told() -> None:
    known = KnownFacts()

    assert as_told(Fixed("2001:db8::1"), "home", known) == Fixed("2001:db8::1")
    assert not known.asked


def test_a_peer_has_the_address_that_was_told() -> None:
    known = home("global-address", "2001:db8:7::5")

    assert as_told(GlobalAddress("wan0"), "home", known) == Fixed("2001:db8:7::5")
    assert known.asked == {("home", FactKey("wan0", "global-address"))}


def test_a_peer_computes_the_address_in_a_delegated_prefix() -> None:
    known = home("delegated-prefix", "2001:db8:1200::/56")

    assert as_told(DelegatedAddress("wan0", 0xFF, "::a"), "home", known) == Fixed("2001:db8:1200:ff::a")


@pytest.mark.parametrize(
    ("end", "text"),
    [
        (GlobalAddress("wan0"), "a global address of wan0 of router home"),
        (DelegatedAddress("wan0", 0, "::1"), "a prefix delegated on wan0 of router home"),
    ],
)
def test_what_was_not_told_is_named_and_still_asked_for(
    end: GlobalAddress | DelegatedAddress, text: str
) -> None:
    known = KnownFacts()

    assert as_told(end, "home", known) == Untold(text)
    assert known.asked


def test_what_another_router_has_is_not_followed_and_says_whose_it_is() -> None:
    key = FactKey("wan0", "global-address")
    known = KnownFacts({"home": {}}, {("home", key): "vps"})

    text = "a global address of wan0 of router home other than that of router vps"
    assert as_told(GlobalAddress("wan0"), "home", known) == Untold(text)


def test_a_prefix_without_the_subnet_is_as_good_as_none_and_says_so() -> None:
    end = as_told(
        DelegatedAddress("wan0", 300, "::1"), "home", home("delegated-prefix", "2001:db8:1200::/60")
    )

    assert isinstance(end, Untold)
    assert "its subnets are 0 to 15" in end.text
    assert "router home" in end.text


@given(name=st.integers(1, 63), interface=st.integers(1, 15), subnet=st.integers(0, 2**32 - 1))
def test_what_is_waited_for_always_fits_its_leaf(name: int, interface: int, subnet: int) -> None:
    router, wan = "r" * name, "w" * interface
    prefix = "ffff:ffff:ffff:ffff::/64".replace("ffff", "2fff", 1)
    known = KnownFacts({router: {FactKey(wan, "delegated-prefix"): (prefix,)}})
    end = as_told(DelegatedAddress(wan, subnet, "::1"), router, known)

    assert isinstance(end, Fixed) or len(end.text) <= 255
