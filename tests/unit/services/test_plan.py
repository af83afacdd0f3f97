"""Everything that a subscriber has follows from the prefix and the number."""

from ipaddress import IPv6Address, IPv6Network
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tasuki_controller.services.vxlan_split.plan import (
    interface_name,
    numbers,
    share,
    smallest_underlay_mtu,
    tunnel_mtu,
)
from unit.services.networks import prefixes


def test_subscriber_eight_of_the_article() -> None:
    eight = share(IPv6Network("2001:db8:ae00::/40"), vni_base=0, number=8)

    assert eight.interface == "vxlan08"
    assert eight.vni == 8
    assert eight.hub_mac_address == "02:74:00:00:08:01"
    assert eight.subscriber_mac_address == "02:74:00:00:08:02"
    assert str(eight.link) == "2001:db8:ae00:0:8::/80"
    assert eight.hub_address == "2001:db8:ae00:0:8::1"
    assert eight.subscriber_address == "2001:db8:ae00:0:8::2"
    assert str(eight.routed64) == "2001:db8:ae00:8::/64"
    assert str(eight.routed48) == "2001:db8:ae08::/48"


def test_last_subscriber_of_the_article() -> None:
    last = share(IPv6Network("2001:db8:ae00::/40"), vni_base=0, number=255)

    assert last.interface == "vxlanff"
    assert [str(prefix) for prefix in last.prefixes] == [
        "2001:db8:ae00:0:ff::/80",
        "2001:db8:ae00:ff::/64",
        "2001:db8:aeff::/48",
    ]


@pytest.mark.parametrize(
    ("prefix", "number", "routed64", "routed48"),
    [
        ("2001:db8::/32", 65535, "2001:db8:0:ffff::/64", "2001:db8:ffff::/48"),
        ("2001:db8:a000::/36", 4095, "2001:db8:a000:fff::/64", "2001:db8:afff::/48"),
        ("2001:db8:ae0e::/47", 1, "2001:db8:ae0e:1::/64", "2001:db8:ae0f::/48"),
    ],
)
def test_number_fills_the_bits_up_to_48(prefix: str, number: int, routed64: str, routed48: str) -> None:
    one = share(IPv6Network(prefix), vni_base=0, number=number)

    assert (str(one.routed64), str(one.routed48)) == (routed64, routed48)


@pytest.mark.parametrize(("length", "last"), [(32, 65535), (36, 4095), (40, 255), (44, 15), (47, 1)])
def test_numbers_are_as_many_as_the_48s_but_one(length: int, last: int) -> None:
    assert numbers(IPv6Network(("2001:db8::", length))) == range(1, last + 1)


@pytest.mark.parametrize("length", [0, 31, 48, 64, 128])
def test_other_lengths_have_no_numbers(length: int) -> None:
    assert not numbers(IPv6Network(("::", length)))


@given(data=st.data(), prefix=prefixes())
def test_shares_are_disjoint_and_only_the_reserved_48_is_shared(
    data: st.DataObject, prefix: IPv6Network
) -> None:
    reserved = next(prefix.subnets(new_prefix=48))
    chosen = data.draw(st.sets(st.sampled_from(numbers(prefix)), min_size=1, max_size=8))
    shares = [share(prefix, 0, number) for number in chosen]
    everything = [IPv6Network(str(part)) for one in shares for part in one.prefixes]

    assert not any(one.overlaps(other) for one, other in combinations(everything, 2))
    assert all(part.subnet_of(prefix) for part in everything)
    assert all(part.subnet_of(reserved) for part in everything if part.prefixlen > 48)
    assert not any(part.overlaps(reserved) for part in everything if part.prefixlen == 48)


@given(data=st.data(), prefix=prefixes(), subnet_id=st.integers(0, 0xFFFF))
def test_lans_lie_in_what_is_routed(data: st.DataObject, prefix: IPv6Network, subnet_id: int) -> None:
    one = share(prefix, 0, data.draw(st.sampled_from(numbers(prefix))))

    assert one.lan(None) == one.routed64
    assert IPv6Network(str(one.lan(subnet_id))).subnet_of(IPv6Network(str(one.routed48)))
    assert one.lan(subnet_id).base >> 64 & 0xFFFF == subnet_id


@given(data=st.data(), prefix=prefixes())
def test_spelling_is_that_of_rfc_5952(data: st.DataObject, prefix: IPv6Network) -> None:
    one = share(prefix, 0, data.draw(st.sampled_from(numbers(prefix))))

    for part in one.prefixes:
        assert str(part) == str(IPv6Network((part.base, part.length)))
        assert part.address(1) == str(IPv6Address(part.base + 1))


@given(vnis=st.sets(st.integers(1, 16711679 + 65535), min_size=2, max_size=2))
def test_names_are_as_unique_as_vnis_and_fit_the_kernel(vnis: set[int]) -> None:
    names = {interface_name(vni) for vni in vnis}

    assert len(names) == 2
    assert all(len(name) <= 15 for name in names)


@pytest.mark.parametrize(
    ("underlay", "family", "tunnel"), [(1500, 4, 1450), (1500, 6, 1430), (1460, 4, 1410), (9000, 6, 8930)]
)
def test_mtu_leaves_room_for_the_outer_headers(underlay: int, family: int, tunnel: int) -> None:
    assert tunnel_mtu(underlay, family) == tunnel


@pytest.mark.parametrize("family", [4, 6])
def test_smallest_underlay_carries_what_ipv6_demands(family: int) -> None:
    assert tunnel_mtu(smallest_underlay_mtu(family), family) == 1280
