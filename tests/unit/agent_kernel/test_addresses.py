import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tasuki_agent.kernel import addresses


@given(st.ip_addresses())
def test_the_spelling_does_not_change_the_address(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    assert ipaddress.ip_address(addresses.canonical(str(address))) == address
    assert addresses.canonical(address.exploded) == addresses.canonical(str(address))


@given(st.ip_addresses(v=6), st.integers(0, 128))
def test_a_prefix_has_no_bits_beyond_its_length(address: ipaddress.IPv6Address, length: int) -> None:
    canonical = addresses.canonical_prefix(f"{address}/{length}")
    assert ipaddress.ip_network(canonical) == ipaddress.ip_network((address, length), strict=False)


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("2001:DB8:AE00:0:01::1", "2001:db8:ae00:0:1::1"),
        ("2001:db8::0:1", "2001:db8::1"),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.1"),
        ("192.0.2.1", "192.0.2.1"),
    ],
)
def test_addresses_are_spelled_as_the_kernel_prints_them(written: str, canonical: str) -> None:
    assert addresses.canonical(written) == canonical


@pytest.mark.parametrize("text", ["", "2001:db8::/64", "192.0.2", "fe80::1%e0", "192.0.2.256"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(OSError, match="illegal IP address"):
        addresses.packed(text)
