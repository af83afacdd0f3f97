"""The two ends of a tunnel, and the hub by itself, as router trees.

Each is a function of plain values, and is remembered: a transaction builds anew only what it changes, and
what stays is the same object before and after, which makes comparing the trees cheap.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from tasuki_yang.tree import Tree

from tasuki_controller import router_tree as rt
from tasuki_controller.ends import REMEMBERED, OwnEnd, PeerEnd
from tasuki_controller.existing import Existing
from tasuki_controller.services.vxlan_split.plan import Prefix, Share
from tasuki_controller.services.vxlan_split.tables import PER_SUBSCRIPTION

VXLAN = "tasuki-link:vxlan"
ANYWHERE = "::/0"


@dataclass(frozen=True, slots=True)
class Wire:
    """One end's VXLAN interface."""

    share: Share
    underlay: str
    local: OwnEnd | None
    """None if the kernel may choose."""
    remote: PeerEnd
    udp_port: int
    mtu: int


@dataclass(frozen=True, slots=True)
class DefaultGateway:
    """The tunnel is the default route."""

    metric: int


@dataclass(frozen=True, slots=True)
class PolicyRouting:
    """What comes from or goes to the share takes the tunnel."""

    name: str
    """What the rules' names begin with."""
    table: int
    """The first of three."""


@dataclass(frozen=True, slots=True)
class SubscriberEnd:
    """A subscriber's end of a tunnel."""

    wire: Wire
    mode: DefaultGateway | PolicyRouting
    lans: tuple[tuple[Existing, int | None], ...]
    """The LANs and their subnet-ids."""
    line: rt.Line


def hub(prefix: str, line: rt.Line) -> Tree:
    """A hub without any subscriber. What no subscriber holds must not loop upstream."""
    return rt.router_tree(
        interfaces=rt.line_interface(line),
        static_routes={rt.MAIN: rt.routes(ipv6=[rt.unreachable(prefix)])},
        forwarding=["ipv6"],
    )


@lru_cache(REMEMBERED)
def hub_end(wire: Wire) -> Tree:
    """The hub's end of one tunnel."""
    share = wire.share
    routes = [
        rt.route(str(prefix), via=share.subscriber_address, dev=share.interface)
        for prefix in (share.routed64, share.routed48)
    ]
    address = rt.address(share.hub_address, share.link.length)
    return rt.router_tree(
        interfaces=[_tunnel(wire, share.hub_mac_address, address)],
        static_routes={rt.MAIN: rt.routes(ipv6=routes)},
    )


@lru_cache(REMEMBERED)
def subscriber_end(end: SubscriberEnd) -> Tree:
    """The subscriber's end of one tunnel."""
    share = end.wire.share
    addresses = [rt.address(share.subscriber_address, share.link.length)]
    if not end.lans:
        # The prefixes are not on the link of the tunnel: their other addresses would loop through the hub.
        addresses += [_first_address(part, prefix_route=False) for part in (share.routed64, share.routed48)]
    lans = [
        rt.interface(lan.name, lan.kind, ipv6=rt.ipv6(_first_address(share.lan(subnet_id))))
        for lan, subnet_id in end.lans
    ]
    routes = _backstops(share)
    tables, rules = {}, []
    match end.mode:
        case DefaultGateway(metric):
            routes.append(_default_route(share, metric))
        case PolicyRouting(name, table):
            tables = dict(_policy_tables(end, table))
            rules = list(_policy_rules(share, name, table))
    return rt.router_tree(
        interfaces=[
            _tunnel(end.wire, share.subscriber_mac_address, *addresses),
            *rt.line_interface(end.line),
            *lans,
        ],
        static_routes={rt.MAIN: rt.routes(ipv6=routes), **tables},
        ipv6_rules=rules,
        forwarding=["ipv6"],
    )


def _policy_tables(end: SubscriberEnd, first: int) -> Iterator[tuple[str, rt.Node]]:
    """Three tables that all know all three prefixes, or else one prefix would reach another through the hub.

    One protocol instance holds one route to a prefix, so the LANs' routes, which go before the backstops to
    the same prefixes, have instances of their own.
    """
    share = end.wire.share
    routes = [
        rt.route(str(share.link), dev=share.interface),
        *_backstops(share),
        _default_route(share, rt.IPV6_METRIC),
    ]
    lans = [
        rt.route(str(share.lan(subnet_id)), dev=lan.name, metric=rt.CONNECTED_METRIC)
        for lan, subnet_id in end.lans
    ]
    for table in range(first, first + PER_SUBSCRIPTION):
        yield f"table-{table}", rt.routes(ipv6=routes, table=table)
        if lans:
            yield f"table-{table}-lan", rt.routes(ipv6=lans, table=table)


def _policy_rules(share: Share, name: str, first: int) -> Iterator[rt.Node]:
    prefixes = {"link": share.link, "64": share.routed64, "48": share.routed48}
    for table, (noun, prefix) in enumerate(prefixes.items(), start=first):
        yield rt.rule(f"{name}-to-{noun}", priority=table, table=table, destination=str(prefix))
        yield rt.rule(f"{name}-from-{noun}", priority=table, table=table, source=str(prefix))


def _backstops(share: Share) -> list[rt.Node]:
    """What is delegated to no LAN, or to one that is down, is answered here."""
    return [rt.unreachable(str(prefix)) for prefix in (share.routed64, share.routed48)]


def _default_route(share: Share, metric: int) -> rt.Node:
    return rt.route(ANYWHERE, via=share.hub_address, dev=share.interface, metric=metric)


def _tunnel(wire: Wire, mac_address: str, *addresses: rt.Node) -> rt.Node:
    vxlan = rt.vxlan(
        vni=wire.share.vni,
        udp_port=wire.udp_port,
        underlay=wire.underlay,
        local=wire.local,
        remote=wire.remote,
        mtu=wire.mtu,
        mac_address=mac_address,
    )
    return rt.interface(wire.share.interface, VXLAN, link=vxlan, ipv6=rt.ipv6(*addresses))


def _first_address(prefix: Prefix, *, prefix_route: bool = True) -> rt.Node:
    return rt.address(prefix.address(1), prefix.length, prefix_route=prefix_route)
