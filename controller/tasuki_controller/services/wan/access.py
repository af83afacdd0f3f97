"""One access of a router: what the intent says of it and what follows from that.

The rules (`check`, and those of the LANs) and the compiler (`compile`) speak of an access in these terms.
"""

from typing import TypeAlias

from tasuki_yang.network import NetworkWan, NetworkWanIpv4Static, NetworkWanIpv6Static
from tasuki_yang.path import predicate

from tasuki_controller.router_tree import Family
from tasuki_controller.subnets import Subnet, subnet

Wan: TypeAlias = NetworkWan
Static: TypeAlias = NetworkWanIpv4Static | NetworkWanIpv6Static


def entry_path(router: str, interface: str) -> str:
    """Instance-identifier of an access, be it there or not."""
    keys = predicate("router", router) + predicate("interface", interface)
    return f"/tasuki-network:network/tasuki-wan:wan{keys}"


def path_of(wan: Wan, *names: str) -> str:
    """Instance-identifier of a node of an access."""
    return "/".join((entry_path(wan.router, wan.interface), *names))


def source_of(wan: Wan) -> str:
    """Whom messages name."""
    return f"wan {wan.interface} of router {wan.router}"


def asks_by_dhcpv6(wan: Wan) -> bool:
    """Whether anything is asked for by DHCPv6."""
    advertised = wan.ipv6.router_advertisements
    return bool(wan.ipv6.prefix_delegation or (advertised and advertised.dhcpv6_information))


def has_lease(wan: Wan) -> bool:
    """Whether DNS servers and the like come with a lease."""
    return asks_by_dhcpv6(wan) or bool(wan.ipv4.dhcp)


def static(wan: Wan, family: Family) -> Static | None:
    """What is typed of a family."""
    return wan.ipv4.static if family == "ipv4" else wan.ipv6.static


def static_subnet(wan: Wan, family: Family) -> Subnet | None:
    """The subnet of the line, where it is typed."""
    typed = static(wan, family)
    return subnet(typed.address, typed.prefix_length) if typed else None
