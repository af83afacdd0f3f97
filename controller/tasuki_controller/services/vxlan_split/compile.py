"""Which ends of which tunnels there are, from the intent and what was written directly."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, TypeAlias

from tasuki_yang.router import Router
from tasuki_yang.tree import Tree

from tasuki_controller.services import Contribution
from tasuki_controller.services.vxlan_split import ends
from tasuki_controller.services.vxlan_split.tables import Allocation
from tasuki_controller.services.vxlan_split.tunnel import Split, Tunnel, prefix_of

UNTYPED = "iana-if-type:other"
"""Type of an existing interface of which nothing more was written."""

Types: TypeAlias = Mapping[tuple[str, str], str]
"""Types of the interfaces that were written directly, by router and name."""


def compile_splits(
    splits: Iterable[Split], tunnels: Iterable[Tunnel], tables: Allocation, written: Mapping[str, Router]
) -> Iterator[Contribution]:
    """What the splits make of the routers: each hub, and both ends of each tunnel."""
    types = {
        (router, interface.name): interface.type
        for router, tree in written.items()
        for interface in tree.interfaces.interface
    }
    for split in splits:
        yield Contribution(split.hub.router, f"vxlan-split {split.name}, hub", _hub(split, types))
    for tunnel in tunnels:
        source = tunnel.source
        yield Contribution(tunnel.split.hub.router, source, ends.hub_end(_hub_wire(tunnel)))
        end = _subscriber_end(tunnel, types, tables.get(tunnel.key))
        yield Contribution(tunnel.target, source, ends.subscriber_end(end))


def _hub(split: Split, types: Types) -> Tree:
    underlay = split.hub.underlay
    advertised_to = _advertised_to(
        types, split.hub.router, underlay.interface, underlay.router_advertisements
    )
    return ends.hub(str(prefix_of(split)), advertised_to)


def _hub_wire(tunnel: Tunnel) -> ends.Wire:
    return ends.Wire(
        share=tunnel.share,
        underlay=tunnel.split.hub.underlay.interface,
        remote=str(tunnel.remote),
        udp_port=tunnel.split.udp_port,
        mtu=tunnel.mtu,
    )


def _subscriber_end(tunnel: Tunnel, types: Types, table: int | None) -> ends.SubscriberEnd:
    """The subscriber's end; `table` is the first of its three in policy-routing mode."""
    subscriber, underlay = tunnel.subscriber, tunnel.subscriber.underlay
    wire = ends.Wire(
        share=tunnel.share,
        underlay=underlay.interface,
        remote=str(tunnel.hub_remote),
        udp_port=tunnel.split.udp_port,
        mtu=tunnel.mtu,
    )
    mode = (
        ends.DefaultGateway(subscriber.default_route_metric)
        if table is None
        else ends.PolicyRouting(f"{tunnel.split.name}-{subscriber.number}", table)
    )
    lans = tuple(
        (_existing(types, tunnel.target, lan.interface), lan.subnet_id) for lan in subscriber.delegation.lan
    )
    advertised_to = _advertised_to(types, tunnel.target, underlay.interface, underlay.router_advertisements)
    return ends.SubscriberEnd(wire, mode, lans, advertised_to)


def _advertised_to(
    types: Types, router: str, interface: str, advertisements: Literal["accept", "unmanaged"]
) -> ends.Existing | None:
    return _existing(types, router, interface) if advertisements == "accept" else None


def _existing(types: Types, router: str, name: str) -> ends.Existing:
    return ends.Existing(name, types.get((router, name), UNTYPED))
