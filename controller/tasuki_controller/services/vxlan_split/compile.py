"""Which ends of which tunnels there are, from the intent, what was written directly and what is known."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tasuki_yang.tree import Tree

from tasuki_controller import router_tree as rt
from tasuki_controller.ends import Fixed, Named, OwnEnd, PeerEnd, as_told
from tasuki_controller.existing import Types
from tasuki_controller.known import KnownFacts
from tasuki_controller.services import Contribution
from tasuki_controller.services.vxlan_split import ends
from tasuki_controller.services.vxlan_split.tables import Allocation
from tasuki_controller.services.vxlan_split.tunnel import Split, Tunnel, hub_end, prefix_of


@dataclass(frozen=True, slots=True)
class Compiler:
    """Makes the ends of tunnels."""

    tables: Allocation
    types: Types
    known: KnownFacts

    def contributions(self, splits: Iterable[Split], tunnels: Iterable[Tunnel]) -> Iterator[Contribution]:
        """What the splits make of the routers: each hub, and both ends of each tunnel."""
        for split in splits:
            yield Contribution(split.hub.router, f"vxlan-split {split.name}, hub", self._hub(split))
        for tunnel in tunnels:
            yield Contribution(tunnel.split.hub.router, tunnel.source, ends.hub_end(self._hub_wire(tunnel)))
            yield Contribution(
                tunnel.target, tunnel.source, ends.subscriber_end(self._subscriber_end(tunnel))
            )

    def _hub(self, split: Split) -> Tree:
        underlay = split.hub.underlay
        line = rt.Line(
            interface=self.types.existing(split.hub.router, underlay.interface),
            advertised=underlay.router_advertisements == "accept",
            end=hub_end(split, 6),
        )
        return ends.hub(str(prefix_of(split)), line)

    def _hub_wire(self, tunnel: Tunnel) -> ends.Wire:
        return ends.Wire(
            share=tunnel.share,
            underlay=tunnel.split.hub.underlay.interface,
            local=_learned(tunnel.hub_end),
            remote=self._seen_by_hub(tunnel),
            udp_port=tunnel.split.udp_port,
            mtu=tunnel.mtu,
        )

    def _seen_by_hub(self, tunnel: Tunnel) -> PeerEnd:
        end = tunnel.end
        return end if isinstance(end, Named) else as_told(end, tunnel.target, self.known)

    def _subscriber_end(self, tunnel: Tunnel) -> ends.SubscriberEnd:
        subscriber, underlay = tunnel.subscriber, tunnel.subscriber.underlay
        own = None if isinstance(tunnel.end, Named) else tunnel.end
        wire = ends.Wire(
            share=tunnel.share,
            underlay=underlay.interface,
            local=_learned(own),
            remote=self._seen_by_subscriber(tunnel),
            udp_port=tunnel.split.udp_port,
            mtu=tunnel.mtu,
        )
        lans = tuple(
            (self.types.existing(tunnel.target, lan.interface), lan.subnet_id)
            for lan in subscriber.delegation.lan
        )
        line = rt.Line(
            interface=self.types.existing(tunnel.target, underlay.interface),
            advertised=underlay.router_advertisements == "accept",
            end=own,
        )
        return ends.SubscriberEnd(wire, self._mode(tunnel), lans, line)

    def _seen_by_subscriber(self, tunnel: Tunnel) -> PeerEnd:
        if tunnel.hub_end is None:
            raise ValueError(f"{tunnel.source} has a hub without an end of its family")
        return as_told(tunnel.hub_end, tunnel.split.hub.router, self.known)

    def _mode(self, tunnel: Tunnel) -> ends.DefaultGateway | ends.PolicyRouting:
        table = self.tables.get(tunnel.key)
        if table is None:
            return ends.DefaultGateway(tunnel.subscriber.default_route_metric)
        return ends.PolicyRouting(f"{tunnel.split.name}-{tunnel.subscriber.number}", table)


def _learned(end: OwnEnd | None) -> OwnEnd | None:
    """The end that packets must have as their source because the other side is told of it.

    From among fixed addresses the kernel chooses by its routes.
    """
    return None if isinstance(end, Fixed) else end
