"""The split of an IPv6 prefix over VXLAN (`tasuki-vxlan-split`).

`plan` is the arithmetic, `tunnel` and `tables` what follows for each subscriber, `check` and `clashes` the
rules, `compile` the router trees.
"""

from collections.abc import Iterable, Iterator, Mapping

from tasuki_yang.errors import ConfigError
from tasuki_yang.network import Network
from tasuki_yang.router import Router

from tasuki_controller.services import Contribution
from tasuki_controller.services.vxlan_split.check import check_overlaps, check_split, check_tunnel
from tasuki_controller.services.vxlan_split.clashes import check_clashes
from tasuki_controller.services.vxlan_split.compile import compile_splits
from tasuki_controller.services.vxlan_split.tunnel import tunnels


class VxlanSplit:
    """The service."""

    def check(self, network: Network, written: Mapping[str, Router]) -> Iterator[ConfigError]:
        """The rules of each split, of each subscriber, and among them all."""
        splits = network.network.vxlan_split
        every = tuple(tunnels(network))
        for split in splits:
            yield from check_split(split)
        for tunnel in every:
            yield from check_tunnel(tunnel)
        yield from check_overlaps(splits)
        yield from check_clashes(splits, every, written)

    def compile(self, network: Network, written: Mapping[str, Router]) -> Iterable[Contribution]:
        """Both ends of every tunnel."""
        return compile_splits(network, written)


SERVICE = VxlanSplit()
