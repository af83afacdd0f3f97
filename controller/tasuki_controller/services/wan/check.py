"""Rules of accesses that YANG cannot express, but for those that LANs have to do with.

Each rule reports all that breaks it. What a rule cannot read was reported by YANG and is passed over.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from tasuki_yang.errors import ConfigError
from tasuki_yang.network import Network_
from tasuki_yang.validator import Gaps

from tasuki_controller.broken_rule import invalid, unreadable
from tasuki_controller.router_tree import FAMILIES, IPV6_METRIC, Family
from tasuki_controller.services.ds_lite import line as ds_lite
from tasuki_controller.services.vxlan_split.problem import subscriber_path
from tasuki_controller.services.wan.access import Wan, path_of, source_of, static, static_subnet
from tasuki_controller.subnets import not_a_host_of, parse


def check_access(wan: Wan, gaps: Gaps) -> Iterator[ConfigError]:
    """All rules of one access."""
    for family in FAMILIES:
        if not unreadable(gaps, path_of(wan, family, "static"), "prefix-length", "address"):
            yield from _address(wan, family)
            yield from _gateway(wan, family)


def _address(wan: Wan, family: Family) -> Iterator[ConfigError]:
    """The typed address is one that a host can have."""
    typed, subnet = static(wan, family), static_subnet(wan, family)
    address = parse(typed.address) if typed else None
    if address is None or subnet is None:
        return
    if kind := not_a_host_of(address, subnet):
        yield invalid(
            path_of(wan, family, "static", "address"),
            "address-not-a-host",
            f"{address} is {kind}: give the address that the line has for this router.",
        )


def _gateway(wan: Wan, family: Family) -> Iterator[ConfigError]:
    """The gateway is another host on the line. A link-local address is on every one."""
    typed, subnet = static(wan, family), static_subnet(wan, family)
    gateway = parse(typed.gateway) if typed else None
    if typed is None or gateway is None or subnet is None:
        return
    if family == "ipv6" and gateway.is_link_local:
        return
    path = path_of(wan, family, "static", "gateway")
    if gateway == parse(typed.address):
        yield invalid(
            path, "gateway-is-router", f"{gateway} is this router's own address: give the next router's."
        )
    elif why := not_a_host_of(gateway, subnet):
        yield invalid(
            path,
            "gateway-not-on-link",
            f"{gateway} is {why}, the subnet of {wan.interface}: give the address of the next router there"
            f"{', or its link-local one' if family == 'ipv6' else ''}.",
        )


@dataclass(frozen=True, slots=True)
class _Default:
    """A default route of a router."""

    router: str
    family: Family
    metric: int
    source: str


def check_default_routes(network: Network_, gaps: Gaps) -> Iterator[ConfigError]:
    """It is clear which way the rest of each family takes."""
    first: dict[tuple[str, str, int], str] = {}
    for route in _by_tunnel(network, gaps):
        first.setdefault((route.router, route.family, route.metric), route.source)
    for wan in network.wan:
        for route in _by_access(wan, gaps):
            holder = first.setdefault((route.router, route.family, route.metric), route.source)
            if holder == route.source:
                continue
            begin = (
                f"{holder} has the {route.family.replace('ip', 'IP')} default route of router {wan.router} "
            )
            if route.family == "ipv6":
                path = path_of(wan, "ipv6", "static", "gateway")
                advice = "leave one of the two out."
            else:
                path = path_of(wan, "ipv4", "default-route-metric")
                without = "set default-route to false" if wan.ipv4.dhcp else "leave the gateway out"
                advice = f"give {route.source} a greater one, to stand by, or {without}."
            yield invalid(
                path, "default-route-not-unique", f"{begin}with metric {route.metric} already: {advice}"
            )


def _by_access(wan: Wan, gaps: Gaps) -> Iterator[_Default]:
    dhcp, ipv4, ipv6 = wan.ipv4.dhcp, wan.ipv4.static, wan.ipv6.static
    is_clear = not unreadable(gaps, path_of(wan, "ipv4"), "default-route-metric", "dhcp/default-route")
    if is_clear and ((dhcp and dhcp.default_route) or (ipv4 and ipv4.gateway)):
        yield _Default(wan.router, "ipv4", wan.ipv4.default_route_metric, source_of(wan))
    if ipv6 and ipv6.gateway:
        yield _Default(wan.router, "ipv6", IPV6_METRIC, source_of(wan))


def _by_tunnel(network: Network_, gaps: Gaps) -> Iterator[_Default]:
    """What other services route by their tunnels."""
    for line in network.ds_lite:
        if not unreadable(gaps, ds_lite.path_of(line), "default-route-metric"):
            yield _Default(line.router, "ipv4", line.default_route_metric, ds_lite.source_of(line))
    for split in network.vxlan_split:
        for subscriber in split.subscriber:
            path = subscriber_path(split, subscriber)
            if (
                subscriber.router
                and subscriber.mode == "default-gateway"
                and not unreadable(gaps, path, "mode", "default-route-metric")
            ):
                source = f"vxlan-split {split.name}, subscriber {subscriber.number}"
                yield _Default(subscriber.router, "ipv6", subscriber.default_route_metric, source)
