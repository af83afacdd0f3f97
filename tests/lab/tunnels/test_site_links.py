"""Site links join the LANs of two homes over NGN, which has no IPv6 internet."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from advertiser import Advertiser
from netns import until
from ngn import LINE_A, global_address
from packets import GRE, IPV4, Outer, is_router_advertisement
from traffic import Wire
from tunnels import Site

pytestmark = pytest.mark.needs_kernel("ip6_tunnel", "ip6_gre")


@pytest.mark.parametrize(("mode", "next_header"), [("ipip6", IPV4), ("gre6", GRE)])
def test_traffic_passes_both_ways_in_the_right_packets(
    tunnel_site: Site, mode: str, next_header: int
) -> None:
    network = tunnel_site.network
    ends = (global_address(network.home_a), global_address(network.home_b))
    flows = [flow for flow in tunnel_site.flows if flow.name.startswith(f"site-link-{mode}")]
    assert len(flows) == 2
    with Wire(network.ngn, LINE_A) as line:
        for flow in flows:
            flow.must_pass()
        outer = [
            packet for packet in map(Outer.read, line.packets()) if {packet.source, packet.to} == set(ends)
        ]
    tunnelled = [packet for packet in outer if packet.next_header in (IPV4, GRE)]
    assert {packet.next_header for packet in tunnelled} == {next_header}
    assert {(packet.source, packet.to) for packet in tunnelled} == {ends, ends[::-1]}


@pytest.fixture
def advertising_lans(tunnel_site: Site) -> Iterator[None]:
    """A daemon on each home that tells its LAN of itself, as somebody might leave it running."""
    with ExitStack() as stack:
        for home in (tunnel_site.network.home_a, tunnel_site.network.home_b):
            directory = tunnel_site.directory / f"lan-{home.name}"
            directory.mkdir()
            stack.enter_context(Advertiser(home, directory, {"lan0": "2001:db8:cafe::/64"}).running())
        yield


@pytest.mark.usefixtures("advertising_lans")
def test_a_lan_whose_line_has_no_ipv6_internet_hears_no_router_advertisements(tunnel_site: Site) -> None:
    network = tunnel_site.network
    heard = {"a": 0, "b": 0}
    with Wire(network.pc_a, "eth0") as lan_a, Wire(network.pc_b, "eth0") as lan_b:

        def told_often() -> bool:
            for name, lan in (("a", lan_a), ("b", lan_b)):
                heard[name] += sum(map(is_router_advertisement, lan.packets()))
            return heard["b"] >= 3

        until(told_often, within=60, why="the other LAN, whose line has IPv6 internet, hears of its router")
    assert heard["a"] == 0
