"""How facts are written, and which values they can have."""

from ipaddress import IPv6Address, IPv6Network

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tasuki_yang.facts import NOUNS, FactKey, address_in, parse_key, parse_values

WAN = FactKey("wan0", "global-address")
PREFIX = FactKey("wan0", "delegated-prefix")


@given(st.text(min_size=1, max_size=20), st.sampled_from(sorted(NOUNS)))
def test_a_fact_is_read_as_it_is_written(subject: str, noun: str) -> None:
    key = FactKey(subject, noun)
    assert parse_key(str(key)) == key
    assert subject in key.text


@pytest.mark.parametrize("text", ["", "wan0", "wan0/", "/global-address", "wan0/color", "global-address"])
def test_what_is_no_fact_is_told_with_the_nouns_that_there_are(text: str) -> None:
    with pytest.raises(ValueError, match="global-address, local-address"):
        parse_key(text)


@pytest.mark.parametrize("noun", sorted(NOUNS))
def test_the_examples_fit(noun: str) -> None:
    key = FactKey("x", noun)
    assert parse_values(key, (NOUNS[noun].example,)) == (NOUNS[noun].example,)


def test_values_have_one_spelling() -> None:
    assert parse_values(WAN, ("2001:DB8:0:0::1",)) == ("2001:db8::1",)
    assert parse_values(FactKey("w", "aftr-name"), ("GW.Example.NET.",)) == ("gw.example.net",)


@pytest.mark.parametrize(
    ("key", "values"),
    [
        (WAN, ()),
        (WAN, ("2001:db8::1", "2001:db8::2")),
        (WAN, ("192.0.2.1",)),
        (WAN, ("fe80::1",)),
        (WAN, ("ff02::1",)),
        (WAN, ("::1",)),
        (WAN, ("::",)),
        (WAN, ("::ffff:192.0.2.1",)),
        (WAN, ("2001:db8::1%eth0",)),
        (PREFIX, ("2001:db8::1/56",)),
        (PREFIX, ("2001:db8::/65",)),
        (PREFIX, ("::/0",)),
        (PREFIX, ("fe80::/56",)),
        (PREFIX, ("2001:db8::",)),
        (FactKey("wan0", "aftr-name"), ("a b",)),
        (FactKey("wan0", "aftr-name"), ("x" * 64,)),
        (FactKey("a", "addresses"), ("2001:db8::1", "nonsense")),
    ],
)
def test_what_does_not_fit_is_refused(key: FactKey, values: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse_values(key, values)


@given(
    st.integers(16, 64).flatmap(
        lambda length: st.tuples(
            st.just(length), st.integers(0, (1 << length) - 1), st.integers(0, (1 << (64 - length)) - 1)
        )
    ),
    st.integers(1, (1 << 64) - 1),
)
def test_an_address_lies_in_its_subnet_of_the_prefix(place: tuple[int, int, int], interface_id: int) -> None:
    length, bits, subnet = place
    prefix = IPv6Network((bits << 128 - length, length))
    address = IPv6Address(address_in(str(prefix), subnet, str(IPv6Address(interface_id))))
    assert address in prefix
    assert int(address) & (1 << 64) - 1 == interface_id
    assert int(address) >> 64 == (int(prefix.network_address) >> 64) + subnet


def test_a_subnet_that_the_prefix_does_not_have_is_refused_with_those_that_it_has() -> None:
    assert address_in("2001:db8:1200::/56", 255, "::1") == "2001:db8:1200:ff::1"
    with pytest.raises(ValueError, match="2001:db8:1200::/56 has no subnet 256: its subnets are 0 to 255"):
        address_in("2001:db8:1200::/56", 256, "::1")
