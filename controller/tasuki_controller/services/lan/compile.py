"""What LANs and DNS forwarders make of their routers."""

from collections.abc import Iterable

from tasuki_yang.tree import Tree

from tasuki_controller import router_tree as rt
from tasuki_controller.ends import delegated, typed
from tasuki_controller.existing import Types
from tasuki_controller.services.lan.lan import STATIC_LENGTH, Forwarder, Lan, advertises, has_ipv6


def compile_lan(lan: Lan, types: Types) -> Tree:
    """The interface, what hosts are given there, and forwarding for them."""
    known = types.existing(lan.router, lan.interface)
    parts = {
        "link": rt.WITHOUT_IPV6 if lan.ipv6.kept_out else {},
        "ipv4": _ipv4(lan),
        "ipv6": _ipv6(lan) if has_ipv6(lan) else {},
    }
    return rt.router_tree(
        interfaces=[rt.interface(known.name, known.kind, **parts)] if any(parts.values()) else [],
        forwarding=[family for family in rt.FAMILIES if parts[family]],
    )


def compile_forwarder(forwarder: Forwarder, lans: Iterable[Lan]) -> Tree:
    """The DNS forwarder, for the hosts of all LANs of its router that have any addresses."""
    answered = [
        lan.interface for lan in lans if lan.router == forwarder.router and (lan.ipv4 or has_ipv6(lan))
    ]
    return rt.router_tree(dns_forwarder=rt.forwarder(answered, rt.in_same_words(forwarder, "router")))


def _ipv4(lan: Lan) -> rt.Node:
    if lan.ipv4 is None:
        return {}
    server = lan.ipv4.dhcp_server
    return rt.ipv4(
        rt.address(lan.ipv4.address, lan.ipv4.prefix_length),
        dhcp_server=rt.in_same_words(server) if server else None,
    )


def _ipv6(lan: Lan) -> rt.Node:
    static, place = lan.ipv6.static, lan.ipv6.delegated
    told = lan.ipv6.router_advertisements
    is_stateful = told.hosts == "stateful-dhcpv6"
    return rt.ipv6(
        *([rt.address(typed(static.address).address, STATIC_LENGTH)] if static else []),
        delegated=[rt.lan_address(delegated(place.wan, place))] if place else [],
        advertised=_advertised(lan) if advertises(lan) else None,
        dhcp_server=rt.in_same_words(told.dhcpv6_range) if is_stateful and told.dhcpv6_range else None,
    )


def _advertised(lan: Lan) -> rt.Node:
    told = lan.ipv6.router_advertisements
    return rt.router_advertisements(
        managed=told.hosts == "stateful-dhcpv6",
        other=told.hosts != "slaac",
        mtu=told.mtu,
        interval=told.interval,
        names=rt.in_same_words(told, "hosts", "dhcpv6_range", "mtu", "interval"),
    )
