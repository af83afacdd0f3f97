"""One LAN of a router, or its DNS forwarder: what the intent says of it, and where it says so.

The rules and the compiler speak of a LAN in these terms.
"""

from typing import TypeAlias

from tasuki_yang.network import NetworkDnsForwarder, NetworkLan
from tasuki_yang.path import predicate

from tasuki_controller.subnets import Subnet, subnet

Lan: TypeAlias = NetworkLan
Forwarder: TypeAlias = NetworkDnsForwarder

STATIC_LENGTH = 64
"""Of a typed prefix, without which hosts make no addresses (RFC 4862)."""


def path_of(lan: Lan, *names: str) -> str:
    """Instance-identifier of a node of a LAN."""
    keys = predicate("router", lan.router) + predicate("interface", lan.interface)
    return "/".join((f"/tasuki-network:network/tasuki-lan:lan{keys}", *names))


def source_of(lan: Lan) -> str:
    """Whom messages name."""
    return f"lan {lan.interface} of router {lan.router}"


def forwarder_path(forwarder: Forwarder, *names: str) -> str:
    """Instance-identifier of a node of a DNS forwarder."""
    entry = "tasuki-lan:dns-forwarder" + predicate("router", forwarder.router)
    return "/".join(("/tasuki-network:network", entry, *names))


def forwarder_source(forwarder: Forwarder) -> str:
    """Whom messages name."""
    return f"dns-forwarder of router {forwarder.router}"


def ipv4_subnet(lan: Lan) -> Subnet | None:
    """The subnet of IPv4; None without any."""
    return subnet(lan.ipv4.address, lan.ipv4.prefix_length) if lan.ipv4 else None


def ipv6_subnet(lan: Lan) -> Subnet | None:
    """The typed /64; None if it is not typed."""
    return subnet(lan.ipv6.static.address, STATIC_LENGTH) if lan.ipv6.static else None


def has_ipv6(lan: Lan) -> bool:
    """Whether the LAN has a prefix."""
    return bool(lan.ipv6.delegated or lan.ipv6.static)


def advertises(lan: Lan) -> bool:
    """Whether hosts are told of the prefix."""
    return has_ipv6(lan) and lan.ipv6.router_advertisements.hosts != "none"
