"""The LANs of routers, and their DNS forwarders (`tasuki-lan`).

`lan` is what the intent says of one, `check` the rules of a LAN, `forwarder` those of a forwarder,
`delegation`, `overlaps` and `roles` the rules among LANs and what else a router has, `compile` the trees.
"""

from collections.abc import Iterator, Mapping

from tasuki_yang.errors import ConfigError
from tasuki_yang.network import Network
from tasuki_yang.router import Router
from tasuki_yang.validator import Gaps

from tasuki_controller.existing import Types
from tasuki_controller.known import KnownFacts
from tasuki_controller.services import Contribution, Made, Used
from tasuki_controller.services.lan.check import check_lan
from tasuki_controller.services.lan.compile import compile_forwarder, compile_lan
from tasuki_controller.services.lan.delegation import check_delegations
from tasuki_controller.services.lan.forwarder import check_forwarder
from tasuki_controller.services.lan.lan import forwarder_source, path_of, source_of
from tasuki_controller.services.lan.overlaps import check_overlaps
from tasuki_controller.services.lan.roles import check_roles


class Lans:
    """All LANs and forwarders of a network. Hosts follow their own router: nothing is told to others."""

    def __init__(
        self,
        network: Network,
        written: Mapping[str, Router],
        known: KnownFacts,  # noqa: ARG002 - as every service
    ) -> None:
        self._network = network.network
        self._written = written

    def check(self, gaps: Gaps) -> Iterator[ConfigError]:
        """The rules of each LAN and forwarder, and among LANs and what else their routers have."""
        for lan in self._network.lan:
            yield from check_lan(lan, gaps)
        for forwarder in self._network.dns_forwarder:
            yield from check_forwarder(forwarder, self._network, self._written, gaps)
        yield from check_delegations(self._network, self._written, gaps)
        yield from check_overlaps(self._network)
        yield from check_roles(self._network)

    def makes(self, gaps: Gaps) -> Iterator[Made]:  # noqa: ARG002 - as every service
        """Nothing: the interfaces are there."""
        return iter(())

    def uses(self) -> Iterator[Used]:
        """The interfaces toward the hosts."""
        for lan in self._network.lan:
            yield Used(lan.router, lan.interface, path_of(lan, "interface"))

    def compile(self) -> Iterator[Contribution]:
        """Each LAN's router, and each forwarder's."""
        types = Types(self._written)
        for lan in self._network.lan:
            yield Contribution(lan.router, source_of(lan), compile_lan(lan, types))
        for forwarder in self._network.dns_forwarder:
            tree = compile_forwarder(forwarder, self._network.lan)
            yield Contribution(forwarder.router, forwarder_source(forwarder), tree)


SERVICE = Lans
