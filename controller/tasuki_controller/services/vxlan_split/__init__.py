"""The split of an IPv6 prefix over VXLAN (`tasuki-vxlan-split`).

`plan` is the arithmetic, `tunnel` and `tables` what follows for each subscriber, `check` and `clashes` the
rules, `compile` the router trees.
"""

from collections.abc import Iterable, Iterator, Mapping

from tasuki_yang.errors import ConfigError
from tasuki_yang.network import Network
from tasuki_yang.router import Router
from tasuki_yang.validator import Gaps

from tasuki_controller.existing import Types
from tasuki_controller.known import KnownFacts
from tasuki_controller.services import Contribution, Made, Used
from tasuki_controller.services.vxlan_split.check import (
    check_ipv4,
    check_loop,
    check_overlaps,
    check_split,
    check_subscriber,
)
from tasuki_controller.services.vxlan_split.clashes import check_clashes
from tasuki_controller.services.vxlan_split.compile import Compiler
from tasuki_controller.services.vxlan_split.problem import lan_path, split_path, subscriber_path
from tasuki_controller.services.vxlan_split.tables import allocate
from tasuki_controller.services.vxlan_split.tunnel import tunnels


class VxlanSplits:
    """All splits of a network."""

    def __init__(self, network: Network, written: Mapping[str, Router], known: KnownFacts) -> None:
        self._splits = network.network.vxlan_split
        self._tunnels = sorted(tunnels(self._splits), key=lambda tunnel: tunnel.key)
        self._tables = allocate(self._tunnels, written)
        self._compiler = Compiler(self._tables, Types(written), known)
        self._ipv4_by_tunnel = {
            (line.router, interface)
            for line in network.network.ds_lite
            for interface in (line.interface, line.underlay.interface)
        }

    def check(self, gaps: Gaps) -> Iterator[ConfigError]:
        """The rules of each split, of each subscriber, and among them all."""
        for split in self._splits:
            yield from check_split(split, gaps)
            for subscriber in split.subscriber:
                yield from check_subscriber(split, subscriber, gaps)
        for tunnel in self._tunnels:
            yield from check_loop(tunnel)
        yield from check_overlaps(self._splits)
        yield from check_ipv4(self._splits, self._tunnels, self._ipv4_by_tunnel)
        yield from check_clashes(self._splits, self._tunnels, self._tables, gaps)

    def makes(self, gaps: Gaps) -> Iterable[Made]:
        """Each tunnel's interface, once for each name: where two splits clash was told already."""
        paths = {split.name: split_path(split, "vni-base") for split in self._splits}
        named = {
            (router, tunnel.share.interface): tunnel
            for tunnel in self._tunnels
            if not gaps or paths[tunnel.split.name] not in gaps
            for router in tunnel.routers
        }
        for (router, name), tunnel in named.items():
            path = paths[tunnel.split.name]
            yield Made(router, name, tunnel.source, named_at=path, made_at=path, is_numbered=True)

    def uses(self) -> Iterable[Used]:
        """The lines of both ends, and the LANs."""
        for split in self._splits:
            path = split_path(split, "hub", "underlay", "interface")
            yield Used(split.hub.router, split.hub.underlay.interface, path)
        for tunnel in self._tunnels:
            split, subscriber = tunnel.split, tunnel.subscriber
            path = subscriber_path(split, subscriber, "underlay", "interface")
            yield Used(tunnel.target, subscriber.underlay.interface, path)
            for lan in subscriber.delegation.lan:
                yield Used(tunnel.target, lan.interface, lan_path(split, subscriber, lan))

    def compile(self) -> Iterable[Contribution]:
        """Each hub, and both ends of every tunnel."""
        return self._compiler.contributions(self._splits, self._tunnels)


SERVICE = VxlanSplits
