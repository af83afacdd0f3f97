"""What an access makes of its router."""

from tasuki_yang.tree import Tree

from tasuki_controller import router_tree as rt
from tasuki_controller.ends import delegated, typed
from tasuki_controller.existing import Types
from tasuki_controller.services.wan.access import Wan, asks_by_dhcpv6

ANYWHERE_IPV4 = "0.0.0.0/0"
ANYWHERE_IPV6 = "::/0"


def compile_access(wan: Wan, types: Types) -> Tree:
    """The interface, the default routes that are not advertised, and what keeps a prefix from going back."""
    line = types.existing(wan.router, wan.interface)
    parts = {"link": _client(wan), "ipv4": _ipv4(wan), "ipv6": _ipv6(wan)}
    routes = _routes(wan)
    return rt.router_tree(
        interfaces=[rt.interface(line.name, line.kind, **parts)] if any(parts.values()) else [],
        static_routes={f"wan-{wan.interface}": routes} if routes else {},
        delegated_prefixes=[wan.interface] if wan.ipv6.prefix_delegation else [],
    )


def _client(wan: Wan) -> rt.Node:
    """What is asked for by DHCP."""
    ipv6 = None
    if prefix := wan.ipv6.prefix_delegation:
        ipv6 = rt.in_same_words(prefix, "own_address")
    elif asks_by_dhcpv6(wan):
        ipv6 = {"request": "information"}
    ipv4 = rt.in_same_words(wan.ipv4.dhcp, "default_route") if wan.ipv4.dhcp else None
    return rt.dhcp_client(lease_source=wan.lease_source, ipv6=ipv6, ipv4=ipv4)


def _ipv4(wan: Wan) -> rt.Node:
    if static := wan.ipv4.static:
        return rt.ipv4(rt.address(static.address, static.prefix_length))
    return rt.ipv4(is_leased=bool(wan.ipv4.dhcp))


def _ipv6(wan: Wan) -> rt.Node:
    """A router that forwards and learns needs to be told to go on learning."""
    if static := wan.ipv6.static:
        return rt.ipv6(rt.address(typed(static.address).address, static.prefix_length))
    prefix = wan.ipv6.prefix_delegation
    own = prefix.own_address if prefix else None
    return rt.ipv6(
        delegated=[rt.line_address(delegated(wan.interface, own))] if own else [],
        accept_router_advertisements="always" if prefix or wan.ipv6.router_advertisements else None,
    )


def _routes(wan: Wan) -> rt.Node:
    """The default route of IPv6 comes by router advertisements where it is not typed."""
    ipv4, ipv6 = [], []
    if (dhcp := wan.ipv4.dhcp) and dhcp.default_route:
        ipv4 = [rt.route_by_lease(ANYWHERE_IPV4, dev=wan.interface, metric=wan.ipv4.default_route_metric)]
    elif (static := wan.ipv4.static) and static.gateway:
        metric = wan.ipv4.default_route_metric
        ipv4 = [rt.route(ANYWHERE_IPV4, dev=wan.interface, via=static.gateway, metric=metric)]
    if (typed_ipv6 := wan.ipv6.static) and typed_ipv6.gateway:
        ipv6 = [rt.route(ANYWHERE_IPV6, dev=wan.interface, via=typed(typed_ipv6.gateway).address)]
    return rt.routes(ipv4=ipv4, ipv6=ipv6)
