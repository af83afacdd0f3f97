"""Routes in the router tree, and whose they are."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self, TypeAlias

from tasuki_yang.path import predicate
from tasuki_yang.router import (
    Router,
    RoutingControlPlaneProtocolsControlPlaneProtocolStaticRoutesIpv4Route,
    RoutingControlPlaneProtocolsControlPlaneProtocolStaticRoutesIpv6Route,
)

from tasuki_agent.kernel import addresses, uapi
from tasuki_agent.kernel.marks import GROUP, PROTOCOL
from tasuki_agent.kind import Observed, Ref, optional
from tasuki_agent.kinds.router_tree import ROUTING

STATIC = "ietf-routing:static"

_TreeRoute: TypeAlias = (
    RoutingControlPlaneProtocolsControlPlaneProtocolStaticRoutesIpv4Route
    | RoutingControlPlaneProtocolsControlPlaneProtocolStaticRoutesIpv6Route
)


class _Identity(NamedTuple):
    table: int
    prefix: str
    metric: int
    """For IPv6 never 0, which the kernel makes 1024 of."""


class RouteKey(_Identity):
    """What the kernel tells routes apart by; the family shows in the prefix."""

    protocol_name: str = ""
    """Name of the control-plane protocol that has the route in the tree."""

    def within(self, protocol_name: str) -> Self:
        """The same key, found under this name in the tree."""
        key = self._replace()
        key.protocol_name = protocol_name
        return key

    def __str__(self) -> str:
        return f"{self.prefix} table {self.table} metric {self.metric}"


@dataclass(frozen=True, slots=True)
class NextHop:
    """A further next hop of somebody's multipath route."""

    via: str | None
    dev: str

    def __str__(self) -> str:
        return f"via {self.via} dev {self.dev}" if self.via else f"dev {self.dev}"


@dataclass(frozen=True, slots=True)
class Route:
    """Where packets go. Types without next hops, such as unreachable, have neither gateway nor interface."""

    type: str
    via: str | None = None
    dev: str | None = optional()
    """Without it the gateway decides."""
    others: tuple[NextHop, ...] = ()
    protocol: int = field(default=PROTOCOL, compare=False)
    index: int | None = field(default=None, compare=False)
    """Of the interface `dev`."""


def want(intent: Router) -> Mapping[RouteKey, Route]:
    """Every static route in the tree."""
    routes = {}
    for protocol in intent.routing.control_plane_protocols.control_plane_protocol:
        static = protocol.static_routes
        routes_of_both: tuple[_TreeRoute, ...] = (*static.ipv4.route, *static.ipv6.route)
        for route in routes_of_both:
            prefix = addresses.canonical_prefix(route.destination_prefix)
            hop = route.next_hop
            routes[RouteKey(static.table, prefix, route.metric).within(protocol.name)] = Route(
                type=_TYPE_OF_SPECIAL.get(hop.special_next_hop or "", "unicast"),
                via=addresses.canonical(hop.next_hop_address) if hop.next_hop_address else None,
                dev=hop.outgoing_interface,
            )
    return routes


def needs(key: RouteKey, spec: Route) -> Iterable[Ref]:  # noqa: ARG001
    """The outgoing interface."""
    return (Ref("link", spec.dev),) if spec.dev else ()


def rank(key: RouteKey) -> int:  # noqa: ARG001
    """Routes have no order among themselves."""
    return 0


def owns(key: RouteKey, spec: Route, observed: Observed) -> bool:  # noqa: ARG001
    """Ours bear our protocol. Out of our own links what people typed is ours to take away as well."""
    if spec.protocol == PROTOCOL:
        return True
    if spec.protocol not in (uapi.RTPROT_BOOT, uapi.RTPROT_STATIC) or spec.dev is None:
        return False
    link = observed.get("link", {}).get(spec.dev)
    return link is not None and link.group == GROUP


def in_place(observed: Route, wanted: Route) -> bool:  # noqa: ARG001
    """The kernel replaces a route by any other of the same key."""
    return True


def path(key: RouteKey, field: str = "") -> str:
    """The entry in the list of static routes, or a leaf of it."""
    family = addresses.yang_family(key.prefix)
    return (
        f"{ROUTING}/control-plane-protocols/control-plane-protocol"
        f"{predicate('type', STATIC)}{predicate('name', _protocol_name(key))}/static-routes"
        f"/ietf-{family}-unicast-routing:{family}/route[destination-prefix='{key.prefix}']"
        f"{_LEAVES.get(field, '')}"
    )


def tree(key: RouteKey, spec: Route) -> Mapping[str, Any]:
    """The protocol with this route. Of a multipath route only the first next hop has a place there."""
    family = addresses.yang_family(key.prefix)
    special = _SPECIAL_OF_TYPE.get(spec.type)
    hop = {"special-next-hop": special, "outgoing-interface": spec.dev, "next-hop-address": spec.via}
    route = {
        "destination-prefix": key.prefix,
        "next-hop": {name: value for name, value in hop.items() if value is not None},
        "tasuki-route:metric": key.metric,
    }
    protocol = {
        "type": STATIC,
        "name": _protocol_name(key),
        "static-routes": {
            "tasuki-route:table": key.table,
            f"ietf-{family}-unicast-routing:{family}": {"route": [route]},
        },
    }
    return {"ietf-routing:routing": {"control-plane-protocols": {"control-plane-protocol": [protocol]}}}


def _protocol_name(key: RouteKey) -> str:
    """Of what the tree does not have: one name for each metric, since the list has one entry per prefix."""
    return key.protocol_name or f"table-{key.table}-metric-{key.metric}"


_TYPE_OF_SPECIAL = {
    "blackhole": "blackhole",
    "unreachable": "unreachable",
    "prohibit": "prohibit",
    "receive": "local",
}
_SPECIAL_OF_TYPE = {kind: special for special, kind in _TYPE_OF_SPECIAL.items()}
_LEAVES = {
    "type": "/next-hop/special-next-hop",
    "via": "/next-hop/next-hop-address",
    "dev": "/next-hop/outgoing-interface",
    "others": "/next-hop",
}
