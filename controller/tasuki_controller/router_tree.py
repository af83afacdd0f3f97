"""How services spell a router tree: interfaces, static routes, policy rules and switches in RFC 7951 JSON.

Only this module of the controller knows the names of the router tree's nodes. What is left out keeps the
default of its YANG module. The trees are canonical: entries are sorted by their keys.
"""

from collections.abc import Iterable, Mapping
from operator import itemgetter
from typing import Any

from tasuki_yang.tree import Tree

MAIN_TABLE = 254
DEFAULT_METRIC = 1024
CONNECTED_METRIC = 256
"""What the kernel gives the route to an address's own prefix (IP6_RT_PRIO_ADDRCONF)."""

Node = dict[str, Any]


def router_tree(
    *,
    interfaces: Iterable[Node] = (),
    static_routes: Mapping[str, Node] | None = None,
    ipv6_rules: Iterable[Node] = (),
    ipv6_forwarding: bool | None = None,
    controller_timeout: int | None = None,
) -> Tree:
    """A router tree. `static_routes` holds what `ipv6_routes` returns, by name of the protocol instance."""
    routing: Node = {}
    if static_routes:
        routing["control-plane-protocols"] = {
            "control-plane-protocol": [
                {"type": "ietf-routing:static", "name": name, "static-routes": routes}
                for name, routes in sorted(static_routes.items())
            ]
        }
    if rules := sorted(ipv6_rules, key=itemgetter("name")):
        routing["tasuki-rule:rules"] = {"ipv6": {"rule": rules}}
    if ipv6_forwarding is not None:
        routing["tasuki-sysctl:forwarding"] = {"ipv6": ipv6_forwarding}
    tree: Tree = {}
    if listed := sorted(interfaces, key=itemgetter("name")):
        tree["ietf-interfaces:interfaces"] = {"interface": listed}
    if routing:
        tree["ietf-routing:routing"] = routing
    if controller_timeout is not None:
        tree["tasuki-agent:agent"] = {"controller-timeout": controller_timeout}
    return tree


def interface(name: str, kind: str, *, ipv6: Node | None = None, link: Node | None = None) -> Node:
    """An interface of the identity `kind`; `link` holds the nodes of its type."""
    node: Node = {"name": name, "type": kind, **(link or {})}
    if ipv6:
        node["ietf-ip:ipv6"] = ipv6
    return node


def vxlan(*, vni: int, udp_port: int, underlay: str, remote: str, mtu: int, mac_address: str) -> Node:
    """What makes an interface a VXLAN tunnel with one remote end."""
    return {
        "tasuki-link:mtu": mtu,
        "tasuki-link:mac-address": mac_address,
        "tasuki-link:vxlan": {
            "vni": vni,
            "udp-port": udp_port,
            "underlay": underlay,
            "remote": remote,
            "learning": False,
        },
    }


def ipv6(*addresses: Node, accept_router_advertisements: str | None = None) -> Node:
    """The IPv6 part of an interface."""
    node: Node = {}
    if addresses:
        node["address"] = sorted(addresses, key=itemgetter("ip"))
    if accept_router_advertisements:
        node["tasuki-sysctl:accept-router-advertisements"] = accept_router_advertisements
    return node


def ipv6_address(ip: str, prefix_length: int, *, prefix_route: bool = True) -> Node:
    """An address of an interface, with or without the route to its prefix."""
    node: Node = {"ip": ip, "prefix-length": prefix_length}
    if not prefix_route:
        node["tasuki-address:no-prefix-route"] = True
    return node


def ipv6_routes(routes: Iterable[Node], *, table: int = MAIN_TABLE) -> Node:
    """The static routes of one protocol instance, all in one table."""
    node: Node = {
        "ietf-ipv6-unicast-routing:ipv6": {"route": sorted(routes, key=itemgetter("destination-prefix"))}
    }
    if table != MAIN_TABLE:
        node["tasuki-route:table"] = table
    return node


def route(prefix: str, *, dev: str, via: str | None = None, metric: int = DEFAULT_METRIC) -> Node:
    """A route through an interface, to a next hop or on the link."""
    next_hop: Node = {"outgoing-interface": dev}
    if via:
        next_hop["next-hop-address"] = via
    return _route(prefix, next_hop, metric)


def unreachable(prefix: str) -> Node:
    """A route that answers: what nothing more specific or preferred takes goes no further."""
    return _route(prefix, {"special-next-hop": "unreachable"}, DEFAULT_METRIC)


def _route(prefix: str, next_hop: Node, metric: int) -> Node:
    node: Node = {"destination-prefix": prefix, "next-hop": next_hop}
    if metric != DEFAULT_METRIC:
        node["tasuki-route:metric"] = metric
    return node


def rule(name: str, *, priority: int, table: int, source: str = "", destination: str = "") -> Node:
    """A policy rule: what comes from the source or goes to the destination is looked up in the table."""
    node: Node = {"name": name, "priority": priority, "table": table}
    if source:
        node["source"] = source
    if destination:
        node["destination"] = destination
    return node
