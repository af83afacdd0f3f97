"""How routers have access to the Internet (`tasuki-wan`).

`access` is what the intent says of one access, `check` the rules, `compile` the router's tree. What an access
shares with the router's LANs is the rules' of `lan`.
"""

from collections.abc import Iterator, Mapping

from tasuki_yang.errors import ConfigError
from tasuki_yang.network import Network
from tasuki_yang.router import Router
from tasuki_yang.validator import Gaps

from tasuki_controller.existing import Types
from tasuki_controller.known import KnownFacts
from tasuki_controller.services import Contribution, Made, Used
from tasuki_controller.services.wan.access import path_of, source_of
from tasuki_controller.services.wan.check import check_access, check_default_routes
from tasuki_controller.services.wan.compile import compile_access


class Wans:
    """All accesses of a network."""

    def __init__(
        self,
        network: Network,
        written: Mapping[str, Router],
        known: KnownFacts,  # noqa: ARG002 - as every service
    ) -> None:
        self._network = network.network
        self._types = Types(written)

    def check(self, gaps: Gaps) -> Iterator[ConfigError]:
        """The rules of each access and among all default routes."""
        for wan in self._network.wan:
            yield from check_access(wan, gaps)
        yield from check_default_routes(self._network, gaps)

    def makes(self, gaps: Gaps) -> Iterator[Made]:  # noqa: ARG002 - as every service
        """Nothing: the interfaces are there."""
        return iter(())

    def uses(self) -> Iterator[Used]:
        """The interfaces toward the Internet."""
        for wan in self._network.wan:
            yield Used(wan.router, wan.interface, path_of(wan, "interface"))

    def compile(self) -> Iterator[Contribution]:
        """Each access's router."""
        for wan in self._network.wan:
            yield Contribution(wan.router, source_of(wan), compile_access(wan, self._types))


SERVICE = Wans
