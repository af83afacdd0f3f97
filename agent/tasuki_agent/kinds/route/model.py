"""Routes in the router tree, and whose they are."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, Self

from tasuki_yang.path import predicate
from tasuki_yang.router import Router, RoutingDelegatedPrefixRoute
from tasuki_yang.router import (
    RoutingControlPlaneProtocolsControlPlaneProtocolStaticRoutesIpv4Route as Ipv4Route,
)
from tasuki_yang.router import (
    RoutingControlPlaneProtocolsControlPlaneProtocolStaticRoutesIpv6Route as Ipv6Route,
)

from tasuki_agent.kernel import addresses, uapi
from tasuki_agent.kernel.marks import GROUP, PROTOCOL
from tasuki_agent.kind import Observed, Ref, Waiting, optional
from tasuki_agent.kinds.address.model import AddressKey
from tasuki_agent.kinds.link.model import UpLink
from tasuki_agent.kinds.router_tree import ROUTING
from tasuki_agent.known import Known, Unknown

STATIC = "ietf-routing:static"


class _Identity(NamedTuple):
    table: int
    prefix: str
    metric: int
    """For IPv6 never 0, which the kernel makes 1024 of."""


class RouteKey(_Identity):
    """What the kernel tells routes apart by; the family shows in the prefix."""

    protocol_name: str = ""
    """Name of the control-plane protocol that has the route in the tree."""
    entry: str = ""
    """Path of what the tree has instead, or in other words."""

    def within(self, protocol_name: str) -> Self:
        """The same key, found under this name in the tree."""
        key = self._replace()
        key.protocol_name = protocol_name
        return key

    def of(self, entry: str) -> Self:
        """The same key, for this entry of the tree."""
        key = self._replace()
        key.entry = entry
        return key

    def __str__(self) -> str:
        return f"{self.prefix} table {self.table} metric {self.metric}"


@dataclass(frozen=True, slots=True)
class NextHop:
    """Where packets to a key go besides: a sibling of an IPv6 route, or another route of that key."""

    via: str | None
    dev: str | None
    type: str = "unicast"
    index: int | None = field(default=None, compare=False)
    """Of the interface `dev`."""

    def __str__(self) -> str:
        parts = (
            self.type if self.type != "unicast" else "",
            f"via {self.via}" if self.via else "",
            f"dev {self.dev}" if self.dev else "",
        )
        return " ".join(filter(None, parts))


@dataclass(frozen=True, slots=True)
class Route:
    """Where packets go. Types without next hops, such as unreachable, have neither gateway nor interface."""

    type: str
    via: str | None = None
    dev: str | None = optional()
    """Without it the gateway decides."""
    others: tuple[NextHop, ...] = ()
    """What somebody put beside it. The kernel does not say who made which sibling of an IPv6 route."""
    protocol: int = field(default=PROTOCOL, compare=False)
    index: int | None = field(default=None, compare=False)
    """Of the interface `dev`."""
    on_link: bool = field(default=False, compare=False)
    """Whether a new route's gateway is on the link although no subnet there has it."""
    address: str = field(default="", compare=False)
    """The address that came with the gateway, without which nothing comes back from it."""
    learned: tuple[str, ...] = field(default=(), compare=False)
    """Fields that the intent does not tell itself: none, or `""` for all of it."""


def beside(route: Route, other: Route) -> Route:
    """The route as it is seen with another one of its key beside it."""
    hop = NextHop(other.via, other.dev, other.type, other.index)
    return replace(route, others=(*route.others, hop, *other.others))


def apart(hop: NextHop, route: Route) -> bool:
    """Whether a deletion of the one cannot hit the other: without a gateway it hits any on the interface."""
    return hop.dev != route.dev or hop.via not in (None, route.via)


def want(intent: Router, known: Known) -> Mapping[RouteKey, Route | Waiting]:
    """Every static route in the tree, and what keeps delegated prefixes from going back to the provider."""
    routes: dict[RouteKey, Route | Waiting] = {}
    for protocol in intent.routing.control_plane_protocols.control_plane_protocol:
        static = protocol.static_routes
        routes_of_both: tuple[Ipv4Route | Ipv6Route, ...] = (*static.ipv4.route, *static.ipv6.route)
        for route in routes_of_both:
            prefix = addresses.canonical_prefix(route.destination_prefix)
            key = RouteKey(static.table, prefix, route.metric).within(protocol.name)
            key, spec = _static(key, route, known)
            routes[key] = spec
    for entry in intent.routing.delegated_prefix_route:
        for key, spec in _unreachable(entry, known):
            routes.setdefault(key, spec)
    return routes


def _static(key: RouteKey, route: Ipv4Route | Ipv6Route, known: Known) -> tuple[RouteKey, Route | Waiting]:
    if isinstance(route, Ipv4Route) and route.next_hop.router_of_lease:
        return _by_lease(key, route.next_hop.router_of_lease, known)
    hop = route.next_hop
    return key, Route(
        type=hop.special_next_hop or "unicast",
        via=addresses.canonical(hop.next_hop_address) if hop.next_hop_address else None,
        dev=hop.outgoing_interface,
    )


def _by_lease(key: RouteKey, interface: str, known: Known) -> tuple[RouteKey, Route | Waiting]:
    """The route by the first router of the lease on an interface.

    A router may be outside the subnet of the address that is leased with it: that of a single address has no
    other.
    """
    try:
        via = known.one(interface, "ipv4-routers")
        leased = known.one(interface, "ipv4-address")
    except Unknown as unknown:
        # Under a key of its own, so that the route by a router that is not there any more goes.
        nowhere = key._replace(prefix=f"{key.prefix} by the router of {interface}")
        return nowhere.of(path(key)), Waiting.of(unknown)
    return key, Route(
        "unicast",
        via,
        interface,
        on_link=not addresses.contains(leased, f"{via}/32"),
        address=leased.partition("/")[0],
        learned=("via",),
    )


def _unreachable(
    entry: RoutingDelegatedPrefixRoute, known: Known
) -> Iterator[tuple[RouteKey, Route | Waiting]]:
    """The routes to the prefix that is delegated on an interface, and to former ones."""
    place = f"{ROUTING}/tasuki-route:delegated-prefix-route{predicate('interface', entry.interface)}"

    def to(prefix: str) -> RouteKey:
        return RouteKey(uapi.RT_TABLE_MAIN, prefix, entry.metric).of(place)

    spec = Route("unreachable", learned=("",))
    try:
        yield to(known.one(entry.interface, "delegated-prefix")), spec
    except Unknown as unknown:
        yield to(f"the prefix delegated on {entry.interface}"), Waiting.of(unknown)
    for prefix in known.some(entry.interface, "former-prefixes"):
        yield to(prefix), spec


def needs(key: RouteKey, spec: Route) -> Iterable[Ref]:  # noqa: ARG001
    """The outgoing interface, and that it is up; and the address that came with the gateway."""
    if spec.dev:
        yield UpLink("link", spec.dev)
        if spec.address:
            yield Ref("address", AddressKey(spec.dev, spec.address))


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


def typed_over(key: RouteKey, spec: Route) -> bool:  # noqa: ARG001
    """What people type has the protocol boot or static; what stands beside it may be a daemon's."""
    return spec.protocol in (uapi.RTPROT_BOOT, uapi.RTPROT_STATIC) and not spec.others


def in_place(observed: Route, wanted: Route) -> bool:  # noqa: ARG001
    """The kernel replaces a route by any other of the same key."""
    return True


def path(key: RouteKey, field: str = "") -> str:
    """The entry in the list of static routes, or a leaf of it; or the entry that the tree has instead."""
    if key.entry:
        return key.entry
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
    special = spec.type if spec.type in _SPECIAL else None
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


_SPECIAL = frozenset({"blackhole", "unreachable", "prohibit"})
"""Types that RFC 8349 calls special next hops, by the same names."""
_LEAVES = {
    "type": "/next-hop/special-next-hop",
    "via": "/next-hop/next-hop-address",
    "dev": "/next-hop/outgoing-interface",
    "others": "/next-hop",
}
