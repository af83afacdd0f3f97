"""Both ends of every tunnel of a split, as router trees."""

from collections.abc import Iterator, Mapping

from tasuki_yang.network import Network
from tasuki_yang.router import Router
from tasuki_yang.tree import Tree

from tasuki_controller import router_tree as rt
from tasuki_controller.services import Contribution
from tasuki_controller.services.vxlan_split.plan import Prefix
from tasuki_controller.services.vxlan_split.tables import PER_SUBSCRIPTION, allocate
from tasuki_controller.services.vxlan_split.tunnel import Split, Tunnel, hub_source, prefix_of, tunnels

VXLAN = "tasuki-link:vxlan"
EXISTING = "iana-if-type:other"
"""Type of an interface that is there or waited for, unless what was written directly says more."""
ANYWHERE = "::/0"
MAIN = "main"
"""Name of the static protocol instance for the table main."""

Types = Mapping[tuple[str, str], str]
"""Types of the interfaces that were written directly, by router and name."""


def compile_splits(network: Network, written: Mapping[str, Router]) -> Iterator[Contribution]:
    """What the splits make of the routers."""
    types = {
        (router, interface.name): interface.type
        for router, tree in written.items()
        for interface in tree.interfaces.interface
    }
    for split in network.network.vxlan_split:
        yield Contribution(split.hub.router, hub_source(split), _hub(split, types))
    every = tuple(tunnels(network))
    tables = allocate(every, written)
    for tunnel in every:
        yield Contribution(tunnel.split.hub.router, tunnel.source, _hub_end(tunnel))
        end = _subscriber_end(tunnel, types, tables.get(tunnel.key))
        yield Contribution(tunnel.target, tunnel.source, end)


def _hub(split: Split, types: Types) -> Tree:
    """The hub without any subscriber. What no subscriber holds must not loop upstream."""
    underlay = split.hub.underlay
    interfaces = []
    if underlay.router_advertisements == "accept":
        interfaces.append(_advertised_to(underlay.interface, split.hub.router, types))
    return rt.router_tree(
        interfaces=interfaces,
        static_routes={MAIN: rt.ipv6_routes([rt.unreachable(str(prefix_of(split)))])},
        ipv6_forwarding=True,
    )


def _hub_end(tunnel: Tunnel) -> Tree:
    share, underlay = tunnel.share, tunnel.split.hub.underlay
    routes = [
        rt.route(str(prefix), via=share.subscriber_address, dev=share.interface)
        for prefix in (share.routed64, share.routed48)
    ]
    address = rt.ipv6_address(share.hub_address, share.link.length)
    return rt.router_tree(
        interfaces=[_link(tunnel, underlay.interface, str(tunnel.remote), [address])],
        static_routes={MAIN: rt.ipv6_routes(routes)},
    )


def _subscriber_end(tunnel: Tunnel, types: Types, table: int | None) -> Tree:
    """The subscriber's end; `table` is the first of its three in policy-routing mode."""
    share, underlay = tunnel.share, tunnel.subscriber.underlay
    addresses = [rt.ipv6_address(share.subscriber_address, share.link.length)]
    if not tunnel.subscriber.delegation.lan:
        # The prefixes are not on the link of the tunnel: their other addresses would loop through the hub.
        addresses += [
            _first_address(prefix, prefix_route=False) for prefix in (share.routed64, share.routed48)
        ]
    interfaces = [_link(tunnel, underlay.interface, str(tunnel.hub_remote), addresses)]
    if underlay.router_advertisements == "accept":
        interfaces.append(_advertised_to(underlay.interface, tunnel.target, types))
    for name, prefix in tunnel.lans:
        kind = types.get((tunnel.target, name), EXISTING)
        interfaces.append(rt.interface(name, kind, ipv6=rt.ipv6(_first_address(prefix))))
    routes = _backstops(tunnel)
    if table is None:
        routes.append(_default_route(tunnel, tunnel.subscriber.default_route_metric))
        return rt.router_tree(
            interfaces=interfaces, static_routes={MAIN: rt.ipv6_routes(routes)}, ipv6_forwarding=True
        )
    return rt.router_tree(
        interfaces=interfaces,
        static_routes={MAIN: rt.ipv6_routes(routes), **_policy_tables(tunnel, table)},
        ipv6_rules=_policy_rules(tunnel, table),
        ipv6_forwarding=True,
    )


def _policy_tables(tunnel: Tunnel, first: int) -> dict[str, rt.Node]:
    """Three tables that all know all three prefixes, or else one prefix would reach another through the hub.

    One protocol instance holds one route to a prefix, so the LANs' routes, which go before the backstops to
    the same prefixes, have instances of their own.
    """
    share = tunnel.share
    routes = [
        rt.route(str(share.link), dev=share.interface),
        *_backstops(tunnel),
        _default_route(tunnel),
    ]
    lans = [rt.route(str(prefix), dev=name, metric=rt.CONNECTED_METRIC) for name, prefix in tunnel.lans]
    instances = {}
    for table in range(first, first + PER_SUBSCRIPTION):
        instances[f"table-{table}"] = rt.ipv6_routes(routes, table=table)
        if lans:
            instances[f"table-{table}-lan"] = rt.ipv6_routes(lans, table=table)
    return instances


def _policy_rules(tunnel: Tunnel, first: int) -> Iterator[rt.Node]:
    share = tunnel.share
    for table, (noun, prefix) in enumerate(
        (("link", share.link), ("64", share.routed64), ("48", share.routed48)), start=first
    ):
        name = f"{tunnel.split.name}-{tunnel.subscriber.number}"
        yield rt.rule(f"{name}-to-{noun}", priority=table, table=table, destination=str(prefix))
        yield rt.rule(f"{name}-from-{noun}", priority=table, table=table, source=str(prefix))


def _backstops(tunnel: Tunnel) -> list[rt.Node]:
    """What is delegated to no LAN, or to one that is down, is answered here."""
    return [rt.unreachable(str(prefix)) for prefix in (tunnel.share.routed64, tunnel.share.routed48)]


def _default_route(tunnel: Tunnel, metric: int = rt.DEFAULT_METRIC) -> rt.Node:
    return rt.route(ANYWHERE, via=tunnel.share.hub_address, dev=tunnel.share.interface, metric=metric)


def _link(tunnel: Tunnel, underlay: str, remote: str, addresses: list[rt.Node]) -> rt.Node:
    vxlan = rt.vxlan(
        vni=tunnel.share.vni,
        udp_port=tunnel.split.udp_port,
        underlay=underlay,
        remote=remote,
        mtu=tunnel.mtu,
    )
    return rt.interface(tunnel.share.interface, VXLAN, link=vxlan, ipv6=rt.ipv6(*addresses))


def _advertised_to(interface: str, router: str, types: Types) -> rt.Node:
    """An interface that learns by router advertisements although the router forwards."""
    kind = types.get((router, interface), EXISTING)
    return rt.interface(interface, kind, ipv6=rt.ipv6(accept_router_advertisements="always"))


def _first_address(prefix: Prefix, *, prefix_route: bool = True) -> rt.Node:
    return rt.ipv6_address(prefix.address(1), prefix.length, prefix_route=prefix_route)
