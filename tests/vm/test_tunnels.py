"""The tunnels over IPv6 carry traffic, made by hand: what everything else here stands on."""

from collections.abc import Iterator

import pytest
from netns import Machines, Namespace, cable


@pytest.fixture
def ends() -> Iterator[tuple[Namespace, Namespace]]:
    """Two machines on one cable, 2001:db8::1 and 2001:db8::2."""
    with Machines() as machines:
        one, other = machines.add("one"), machines.add("other")
        cable(one, "e0", other, "e0")
        one.ip("addr add 2001:db8::1/64 dev e0")
        other.ip("addr add 2001:db8::2/64 dev e0")
        yield one, other


@pytest.mark.parametrize(
    "link_type",
    [
        pytest.param("ip6tnl mode ip4ip6", marks=pytest.mark.needs_kernel("ip6_tunnel")),
        pytest.param("ip6gre", marks=pytest.mark.needs_kernel("ip6_gre")),
    ],
)
def test_a_tunnel_over_ipv6_carries_ipv4(ends: tuple[Namespace, Namespace], link_type: str) -> None:
    for number, machine in enumerate(ends, start=1):
        ends_at = f"local 2001:db8::{number} remote 2001:db8::{3 - number}"
        machine.ip(f"link add t0 type {link_type} {ends_at} encaplimit none")
        machine.ip(f"addr add 192.0.2.{number}/30 dev t0")
        machine.ip("link set t0 up")
    ends[0].must_reach("192.0.2.2")
