"""What the example's split is for, asserted by packets."""

import ipaddress

import pytest
from deployment import Deployment
from network import HOST, must_be_unreachable, seen_as, witness

SPLIT = ipaddress.IPv6Network("2001:db8:ae00::/40")


def test_a_lan_host_behind_policy_routing_uses_its_64(converged: Deployment) -> None:
    network = converged.network
    network.pc.must_reach(HOST)
    with witness(network.internet):
        assert seen_as(network.pc) == "2001:db8:ae00:1::100"


def test_the_internet_reaches_a_lan_host(converged: Deployment) -> None:
    converged.network.internet.must_reach("2001:db8:ae00:1::100")


def test_a_policy_routing_router_keeps_its_native_default_route(converged: Deployment) -> None:
    network = converged.network
    network.home.must_reach(HOST)
    with witness(network.internet):
        assert seen_as(network.home) == "2001:db8:f0:1::2"


def test_a_policy_routing_router_answers_from_its_link_address_through_the_tunnel(
    converged: Deployment,
) -> None:
    network = converged.network
    network.home.must_reach(HOST, source="2001:db8:ae00:0:1::2")
    with witness(network.internet):
        assert seen_as(network.home, source="2001:db8:ae00:0:1::2") == "2001:db8:ae00:0:1::2"


def test_a_default_gateway_router_sends_all_its_ipv6_through_the_tunnel(converged: Deployment) -> None:
    network = converged.network
    network.branch.must_reach(HOST)
    with witness(network.internet):
        assert ipaddress.IPv6Address(seen_as(network.branch)) in SPLIT


@pytest.mark.parametrize("address", ["2001:db8:ae00:2::1", "2001:db8:ae02::1", "2001:db8:ae00:0:2::2"])
def test_a_subscriber_without_lans_has_its_prefixes_on_the_router(
    converged: Deployment, address: str
) -> None:
    converged.network.internet.must_reach(address)


def test_a_tunnel_over_an_ipv6_underlay_carries_two_lans(converged: Deployment) -> None:
    network = converged.network
    network.desk.must_reach(HOST)
    network.server.must_reach(HOST)
    with witness(network.internet):
        assert seen_as(network.desk) == "2001:db8:ae00:3::100"
        assert seen_as(network.server) == "2001:db8:ae03:1::100"


def test_subscribers_reach_one_another(converged: Deployment) -> None:
    converged.network.pc.must_reach("2001:db8:ae03:1::100")


def test_the_largest_packet_of_the_tunnel_passes_without_fragments(converged: Deployment) -> None:
    network, headers = converged.network, 40 + 8
    network.pc.must_reach("2001:db8:ae00:0:1::1")
    network.office.must_reach("2001:db8:ae00:0:3::1")
    network.pc.run("ping", "-c1", "-W10", "-Mdo", "-s", str(1450 - headers), "2001:db8:ae00:0:1::1")
    network.desk.run("ip", "-6", "route", "flush", "cache")
    network.office.run("ping", "-c1", "-W10", "-Mdo", "-s", str(1390 - headers), "2001:db8:ae00:0:3::1")


@pytest.mark.parametrize(
    "address",
    [
        pytest.param("2001:db8:ae77::1", id="a /48 of no subscriber"),
        pytest.param("2001:db8:ae00:77::1", id="a /64 of no subscriber"),
        pytest.param("2001:db8:ae00:0:77::1", id="a link of no subscriber"),
        pytest.param("2001:db8:ae01:9::1", id="a /64 that home has not delegated"),
        pytest.param("2001:db8:ae02:9::1", id="a /64 that branch has not delegated"),
        pytest.param("2001:db8:ae00:2::9", id="an address that branch does not have"),
        pytest.param("2001:db8:ae03:9::1", id="a /64 that office has not delegated"),
    ],
)
def test_what_nobody_holds_is_unreachable_and_does_not_loop(converged: Deployment, address: str) -> None:
    must_be_unreachable(converged.network.internet, address)


def test_what_a_lan_host_sends_to_nobody_does_not_loop(converged: Deployment) -> None:
    must_be_unreachable(converged.network.pc, "2001:db8:ae01:9::1")
    must_be_unreachable(converged.network.pc, "2001:db8:ae77::1")
