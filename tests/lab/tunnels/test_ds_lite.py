"""DS-Lite carries IPv4 as it should, and stays on its AFTR."""

from collections.abc import Iterator

import pytest
from deployment import Deployment
from netns import until
from ngn import AFTRS, INTERNET_HOST, LINE_A, Ngn, global_address
from packets import IPV4, Outer, announced_mss
from tasuki_proto.v1.config_pb2 import OPERATION_REPLACE
from tasuki_proto.v1.router_pb2 import ObjectStatus
from traffic import Wire, fragmentation, transfer
from tunnels import AFTR_NAME, NETWORK, Site

pytestmark = pytest.mark.needs_kernel("ip6_tunnel", "ip6_gre")

BYTES = 300_000
LITERAL = "2001:db8:b4::b4"


@pytest.fixture
def segments(tunnel_site: Site) -> Iterator[None]:
    """Hosts send each segment by itself, as their network cards would: the wire then has real packets."""
    hosts = (tunnel_site.network.pc_a, tunnel_site.network.internet)
    for host in hosts:
        host.ip("link set eth0 gso_max_segs 1")
    yield
    for host in hosts:
        host.ip("link set eth0 gso_max_segs 65535")


@pytest.mark.usefixtures("segments")
def test_full_size_tcp_passes_both_ways_without_fragments_and_without_nat_at_the_b4(
    tunnel_site: Site,
) -> None:
    network = tunnel_site.network
    machines = (network.home_a, network.ngn, network.aftr, network.pc_a, network.internet)
    before = [fragmentation(machine) for machine in machines]
    with (
        Wire(network.pc_a, "eth0") as near,
        Wire(network.ngn, LINE_A) as line,
        Wire(network.internet, "eth0") as far,
    ):
        transfer(network.pc_a, network.internet, INTERNET_HOST, BYTES)
        outer = [packet for packet in map(Outer.read, line.packets()) if packet.between(AFTRS)]
        asked = {announced_mss(packet, answering=False) for packet in far.packets()} - {None}
        answered = {announced_mss(packet, answering=True) for packet in near.packets()} - {None}
    assert [fragmentation(machine) for machine in machines] == before
    assert (asked, answered) == ({1420}, {1420})
    assert {packet.next_header for packet in outer} == {IPV4}, "and no destination option"
    own = global_address(network.home_a)
    assert {packet.hop_limit for packet in outer if packet.source == own} == {64}
    assert max(packet.size for packet in outer) == 1500
    assert {packet.inner_ipv4 for packet in outer} == {
        ("192.168.10.2", INTERNET_HOST),
        (INTERNET_HOST, "192.168.10.2"),
    }
    assert sum(packet.size for packet in outer) > 2 * BYTES


@pytest.fixture
def first_aftr(tunnel_site: Site) -> Iterator[None]:
    """Have the tunnel on the first AFTR again in the end."""
    yield
    must_be_on(tunnel_site, AFTRS[0], answers=AFTRS[:1])


@pytest.mark.usefixtures("first_aftr")
def test_the_tunnel_stays_on_its_aftr_while_that_is_an_answer_and_moves_when_it_is_none(
    tunnel_site: Site,
) -> None:
    first, second = AFTRS
    index = tunnel_site.indexes()
    must_be_on(tunnel_site, first, answers=(first, second))
    must_be_on(tunnel_site, first, answers=(second, first))
    must_be_on(tunnel_site, second, answers=(second,))
    must_be_on(tunnel_site, second, answers=(first, second))
    assert tunnel_site.indexes() == index
    assert not tunnel_site.deployment.client.drift().items


def must_be_on(site: Site, address: str, *, answers: tuple[str, ...]) -> None:
    """Give other answers, and insist that the tunnel ends there, also after it was asked for once more."""
    site.names.records[AFTR_NAME] = [f"AAAA {answer}" for answer in answers]
    asked = len(site.names.asked)
    until(lambda: len(site.names.asked) > asked, within=20, why="the name is asked for again")
    until(lambda: site.ends("home-a", "ip6tnl1")[1] == address, within=20, why=f"the tunnel is on {address}")
    asked = len(site.names.asked)
    until(lambda: len(site.names.asked) > asked, within=20, why="the name is asked for once more")
    assert site.ends("home-a", "ip6tnl1")[1] == address
    site.network.pc_a.must_reach(INTERNET_HOST)


@pytest.fixture
def literal_end(tunnel_site: Site) -> Iterator[Deployment[Ngn]]:
    """A DS-Lite line of home-b from an address that it does not have."""
    line = {
        "name": "b",
        "router": "home-b",
        "underlay": {"interface": "wan0", "address": LITERAL},
        "aftr-address": AFTRS[1],
    }
    tunnel_site.deployment.apply({NETWORK: {"tasuki-ds-lite:ds-lite": [line]}})
    yield tunnel_site.deployment
    tunnel_site.network.ngn.run("ip", "-6", "route", "del", LITERAL, check=False)
    tunnel_site.network.home_b.run("ip", "addr", "del", f"{LITERAL}/128", "dev", "lo", check=False)
    tunnel_site.deployment.apply(tunnel_site.document, operation=OPERATION_REPLACE)


def test_a_typed_end_that_the_router_does_not_have_waits_with_a_hint_and_is_made_with_it(
    literal_end: Deployment[Ngn],
) -> None:
    network = literal_end.network

    def waits(entry: ObjectStatus) -> bool:
        return (entry.kind, entry.key, entry.state) == ("link", "ip6tnl1", ObjectStatus.STATE_WAITING)

    router = literal_end.router_until(
        "home-b", lambda router: any(map(waits, router.objects)), 20, "it waits"
    )
    (entry,) = filter(waits, router.objects)
    assert f"the address {LITERAL} on an interface of this router" in entry.message
    assert "is it the right one" in entry.message
    assert "ip6tnl1" not in network.home_b.ip("link show")

    network.home_b.ip(f"addr add {LITERAL}/128 dev lo")
    address = global_address(network.home_b)
    network.ngn.ip(f"-6 route add {LITERAL} via {address}")
    network.pc_b.must_reach(INTERNET_HOST, within=20)
    assert not literal_end.client.drift(router="home-b").items
