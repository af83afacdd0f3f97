"""A home from nothing but its intent: hosts have addresses and names, and reach the outside."""

import json
from functools import partial

from access import FIRST, OUTSIDE, OUTSIDE_NAME
from home import DOMAIN, LAN0, UNASSIGNED, Home, subnet
from netns import Namespace, until
from ngn import link_local_address
from packets import is_router_advertisement
from programs import Program
from tasuki_proto.v1.drift_pb2 import DriftItem
from tasuki_yang.facts import address_in
from traffic import Wire

ROUTER_LIFETIME = 6
"""Seconds; advertisements come every three or four."""


def test_hosts_have_addresses_of_their_own_subnets_and_reach_the_outside(home: Home) -> None:
    for host, number in home.hosts.items():
        assert host.is_in(subnet(FIRST, number))
        until(host.ipv4, within=30, why=f"{host.machine.name} has a DHCPv4 lease")
        (address,) = host.ipv4()
        assert address.startswith(f"192.168.{number}.")
        host.machine.must_reach(f"192.168.{number}.1")
        host.machine.must_reach(OUTSIDE)
    home.through_the_tunnel.must_pass()


def test_hosts_are_given_a_forwarder_that_knows_the_outside_the_inside_and_the_hosts(home: Home) -> None:
    until(lambda: home.pc.told("dhcp").get("dns"), within=30, why="the pc is told a DNS server")
    until(lambda: home.laptop.told("dhcp6"), within=30, why="the laptop has asked by DHCPv6")
    until(home.laptop.ipv4, within=30, why="the laptop has a DHCPv4 lease")
    assert home.pc.told("dhcp")["dns"] == "192.168.1.1"
    assert home.pc.told("dhcp")["domain"] == DOMAIN
    assert home.pc.told("dhcp")["ntpsrv"] == "203.0.113.123"
    (server,) = home.laptop.told("dhcp6")["new_dhcp6_name_servers"].split()
    assert server == f"{link_local_address(home.router, 'lan1')}%eth0", "it outlives any prefix"
    for host, asked in ((home.pc, "192.168.1.1"), (home.laptop, server)):
        assert host.resolves(OUTSIDE_NAME, asked) == [OUTSIDE]
        assert host.resolves(f"nas.{DOMAIN}", asked, "A") == ["192.168.1.10"]
        assert host.resolves(f"laptop.{DOMAIN}", asked, "A") == home.laptop.ipv4()


def test_what_is_not_assigned_is_unreachable_at_the_home_and_goes_to_and_fro_nowhere(home: Home) -> None:
    own = {entry["local"] for entry in home.router.addresses("scope global")}
    nowhere = address_in(FIRST, UNASSIGNED, "::1")

    def is_refused(machine: Namespace) -> bool:
        said = machine.run("ping", "-n", "-c", "1", "-W", "1", nowhere, check=False)
        assert "Time exceeded" not in said, said
        return "unreachable" in said and any(f"From {address} " in said for address in own)

    for machine in (home.access.outside, home.access.pc):
        until(
            partial(is_refused, machine),
            within=30,
            why=f"{machine.name} hears from the home that {nowhere} is unreachable",
        )


def test_the_default_route_outlives_many_lifetimes_of_its_advertisement(home: Home) -> None:
    home.access.line.shorten(ROUTER_LIFETIME)
    monitor = Program(home.router, ("ip", "-6", "monitor", "route"), home.directory / "routes")
    try:
        with Wire(home.router, "wan0") as wire:
            monitor.start()
            until(
                lambda: remaining_lifetime(home) <= ROUTER_LIFETIME,
                within=30,
                why="the route has the short lifetime",
            )
            heard = 0

            def advertised() -> bool:
                nonlocal heard
                heard += sum(map(is_router_advertisement, wire.packets()))
                assert home.router.ip("-6 route show default dev wan0")
                return heard >= 4

            until(advertised, within=60, why="two lifetimes have passed")
        assert "Deleted default" not in monitor.output()
    finally:
        monitor.kill()
        home.access.line.shorten(1800)


def remaining_lifetime(home: Home) -> int:
    """Of the default route, in seconds."""
    (route,) = json.loads(home.router.ip("-j -6 route show default dev wan0"))
    return int(route["expires"])


def test_somebody_who_has_router_advertisements_ignored_is_reported_and_overruled(home: Home) -> None:
    key = "net/ipv6/conf/wan0/accept_ra"
    assert home.router.sysctl(key) == "2"
    home.router.sysctl(key, "1")
    item = home.deployment.drift_until(
        "home", lambda item: item.kind == "sysctl" and item.action == DriftItem.ACTION_HEALED
    )
    assert item.path.startswith("/ietf-interfaces:interfaces/interface[name='wan0']"), item
    assert (item.intended, item.observed) == ("2", "1"), item
    assert home.router.sysctl(key) == "2"


def test_operational_says_which_addresses_were_learned(home: Home) -> None:
    shown = home.deployment.operator.tasuki_json("get", "--router", "home", "--datastore", "operational")
    interfaces = {entry["name"]: entry for entry in shown["ietf-interfaces:interfaces"]["interface"]}
    addresses = {entry["ip"]: entry for entry in interfaces["lan0"]["ietf-ip:ipv6"]["address"]}
    learned = addresses[address_in(FIRST, LAN0, "::1")]
    assert learned["@"] == {"ietf-origin:origin": "ietf-origin:learned"}
