"""A router tree as the commands of iproute2 that bring it about, for machines that run no agent.

Pure. Each step knows how to undo itself, so that one list of steps makes both a script that can be run again
and stanzas of ifupdown.
"""

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeAlias

from tasuki_yang.router import (
    InterfacesInterface,
    Router,
    RoutingControlPlaneProtocolsControlPlaneProtocolStaticRoutesIpv4Route,
    RoutingControlPlaneProtocolsControlPlaneProtocolStaticRoutesIpv6Route,
    RoutingRulesIpv4Rule,
    RoutingRulesIpv6Rule,
)
from tasuki_yang.tree import Tree

_Route: TypeAlias = (
    RoutingControlPlaneProtocolsControlPlaneProtocolStaticRoutesIpv4Route
    | RoutingControlPlaneProtocolsControlPlaneProtocolStaticRoutesIpv6Route
)

_MAIN_TABLE = 254
_METRIC_OF_ADVERTISED_ROUTES = 1024
_ACCEPT_RA = {"never": 0, "as-host": 1, "always": 2}

_INTERFACE = "/ietf-interfaces:interfaces/interface"
_PROTOCOL = "/ietf-routing:routing/control-plane-protocols/control-plane-protocol"
_ROUTE = f"{_PROTOCOL}/static-routes/ietf-{{0}}-unicast-routing:{{0}}/route"
_LEAVES = (
    (_INTERFACE, "name description type enabled tasuki-link:mtu tasuki-link:mac-address"),
    (f"{_INTERFACE}/tasuki-link:vxlan", "vni udp-port underlay remote local learning"),
    (f"{_INTERFACE}/ietf-ip:{{0}}/address", "ip prefix-length tasuki-address:no-prefix-route"),
    (f"{_INTERFACE}/ietf-ip:ipv6", "tasuki-sysctl:accept-router-advertisements"),
    (_PROTOCOL, "type name description"),
    (f"{_PROTOCOL}/static-routes", "tasuki-route:table"),
    (_ROUTE, "destination-prefix description tasuki-route:metric"),
    (f"{_ROUTE}/next-hop", "outgoing-interface next-hop-address special-next-hop"),
    ("/ietf-routing:routing/tasuki-rule:rules/{0}/rule", "name priority table source destination"),
    ("/ietf-routing:routing/tasuki-sysctl:forwarding", "ipv4 ipv6"),
    ("/tasuki-agent:agent", "controller-timeout"),
)
RENDERED = frozenset(
    f"{parent.format(family)}/{leaf}"
    for parent, names in _LEAVES
    for family in ("ipv4", "ipv6")
    for leaf in names.split()
)
"""Leaves of the router tree that commands carry out, that are but names and words, or the agent's own."""

REMOTE_UNKNOWN = f"{_INTERFACE}/tasuki-link:vxlan/remote-unknown"
"""The one leaf that no command can ever carry out: it says what is missing."""


class Stage(Enum):
    """What must be there before what; also the headings of a script."""

    PARAMETERS = "Kernel parameters"
    LINKS = "Links"
    ADDRESSES = "Addresses"
    ROUTES = "Routes"
    RULES = "Policy rules"


@dataclass(frozen=True, slots=True)
class Step:
    """One command, ready for a shell."""

    stage: Stage
    do: str
    undo: str = ""
    """Empty where nothing need be undone: deleting a link takes its addresses and routes along."""
    link: str = ""
    """The tunnel that the step belongs to; empty if to none in particular."""


def not_rendered(tree: Tree) -> Sequence[str]:
    """Paths, without keys, of the leaves that no command would carry out."""
    return sorted(set(leaf_paths(tree)) - RENDERED)


def unknown_ends(router: Router) -> Sequence[str]:
    """What the tunnels' other ends wait for, such as "a global address of eth0 of router vps"."""
    tunnels = (interface.vxlan for interface in router.interfaces.interface)
    return sorted({tunnel.remote_unknown for tunnel in tunnels if tunnel and tunnel.remote_unknown})


def leaf_paths(value: Any, path: str = "") -> Iterator[str]:
    """Paths, without keys, of the leaves that a value of the tree has."""
    match value:
        case dict():
            for label, member in value.items():
                yield from leaf_paths(member, f"{path}/{label}")
        case [dict(), *_]:
            for entry in value:
                yield from leaf_paths(entry, path)
        case _:
            yield path


def steps(router: Router) -> Sequence[Step]:
    """Every step, in the order of the stages."""
    interfaces = router.interfaces.interface
    tunnels = frozenset(i.name for i in interfaces if i.vxlan)
    return [
        *_parameters(router),
        *(step for i in interfaces for step in _link(i)),
        *(step for i in interfaces for step in _addresses(i, tunnels)),
        *_routes(router, tunnels),
        *_rules(router),
    ]


def hints(router: Router) -> Iterator[str]:
    """What the commands may meet on a machine that this tree does not know."""
    main = (
        route
        for protocol in router.routing.control_plane_protocols.control_plane_protocol
        if protocol.static_routes.table == _MAIN_TABLE
        for route in protocol.static_routes.ipv6.route
    )
    if any(r.destination_prefix == "::/0" and r.metric == _METRIC_OF_ADVERTISED_ROUTES for r in main):
        yield (
            "If adding ::/0 fails with 'File exists', router advertisements brought a default route with the"
            " same metric: give the subscriber a default-route-metric below 1024."
        )


def _parameters(router: Router) -> Iterator[Step]:
    # accept_ra first: a kernel that forwards drops what it learnt by router advertisements otherwise.
    for interface in router.interfaces.interface:
        if interface.ipv6 and (accept := interface.ipv6.accept_router_advertisements):
            yield _sysctl(f"net/ipv6/conf/{interface.name}/accept_ra", _ACCEPT_RA[accept])
    forwarding = router.routing.forwarding
    for family, switch in (("ipv4", forwarding.ipv4), ("ipv6", forwarding.ipv6)):
        if switch is not None:
            yield _sysctl(f"net/{family}/conf/all/forwarding", int(switch))


def _sysctl(name: str, value: int) -> Step:
    # Slashes, because an interface's name may have dots.
    return Step(Stage.PARAMETERS, _command("sysctl", "-q", "-w", f"{name}={value}"))


def _link(interface: InterfacesInterface) -> Iterator[Step]:
    name, vxlan = interface.name, interface.vxlan
    if vxlan is None:
        return
    words: list[object] = ["ip", "link", "add", "name", name]
    words += ["address", interface.mac_address] if interface.mac_address else []
    words += ["mtu", interface.mtu] if interface.mtu else []
    words += ["type", "vxlan", "id", vxlan.vni, "dev", vxlan.underlay, "remote", vxlan.remote]
    words += ["local", vxlan.local] if vxlan.local else []
    words += ["dstport", vxlan.udp_port, "learning" if vxlan.learning else "nolearning"]
    yield Step(Stage.LINKS, _command(*words), _command("ip", "link", "delete", "dev", name), link=name)


def _addresses(interface: InterfacesInterface, tunnels: frozenset[str]) -> Iterator[Step]:
    name = interface.name
    own = name if name in tunnels else ""
    families = ((4, interface.ipv4), (6, interface.ipv6))
    for family, address in ((f, a) for f, addresses in families if addresses for a in addresses.address):
        length = address.prefix_length if address.prefix_length is not None else 32
        words = [f"{address.ip}/{length}", "dev", name]
        flags = ["noprefixroute"] if address.no_prefix_route else []
        yield Step(
            Stage.ADDRESSES,
            _command("ip", f"-{family}", "address", "replace", *words, *flags),
            "" if own else _command("ip", f"-{family}", "address", "delete", *words),
            link=own,
        )
    if own and interface.enabled:
        yield Step(Stage.ADDRESSES, _command("ip", "link", "set", "dev", name, "up"), link=own)


def _routes(router: Router, tunnels: frozenset[str]) -> Iterator[Step]:
    found: list[tuple[int, int, _Route]] = []
    for protocol in router.routing.control_plane_protocols.control_plane_protocol:
        static = protocol.static_routes
        found += [(4, static.table, route) for route in static.ipv4.route]
        found += [(6, static.table, route) for route in static.ipv6.route]
    # A next hop can be resolved once the routes on the link are there.
    for family, table, route in sorted(found, key=lambda r: r[2].next_hop.next_hop_address is not None):
        yield _route(family, table, route, tunnels)


def _route(family: int, table: int, route: _Route, tunnels: frozenset[str]) -> Step:
    hop = route.next_hop
    words: list[object] = [hop.special_next_hop] if hop.special_next_hop else []
    words += [route.destination_prefix]
    words += ["via", hop.next_hop_address] if hop.next_hop_address else []
    words += ["dev", hop.outgoing_interface] if hop.outgoing_interface else []
    words += ["table", table] if table != _MAIN_TABLE else []
    words += ["metric", route.metric] if route.metric else []
    words += ["proto", "static"]
    link = hop.outgoing_interface if hop.outgoing_interface in tunnels else ""
    undo = "" if link else _command("ip", f"-{family}", "route", "delete", *words)
    return Step(Stage.ROUTES, _command("ip", f"-{family}", "route", "add", *words), undo, link=link or "")


def _rules(router: Router) -> Iterator[Step]:
    rules = router.routing.rules
    yield from (_rule(4, rule) for rule in sorted(rules.ipv4.rule, key=lambda r: r.priority))
    yield from (_rule(6, rule) for rule in sorted(rules.ipv6.rule, key=lambda r: r.priority))


def _rule(family: int, rule: RoutingRulesIpv4Rule | RoutingRulesIpv6Rule) -> Step:
    words: list[object] = ["priority", rule.priority, "from", rule.source or "all"]
    words += ["to", rule.destination] if rule.destination else []
    words += ["lookup", rule.table]
    return Step(
        Stage.RULES,
        _command("ip", f"-{family}", "rule", "add", *words),
        _command("ip", f"-{family}", "rule", "delete", *words),
    )


def _command(*words: object) -> str:
    return shlex.join(str(word) for word in words)
