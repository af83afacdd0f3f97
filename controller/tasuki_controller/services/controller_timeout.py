"""How long a change may keep each router from its controller (`tasuki-agent`)."""

from collections.abc import Iterator, Mapping

from tasuki_yang.errors import ConfigError
from tasuki_yang.network import Network
from tasuki_yang.router import Router
from tasuki_yang.validator import Gaps

from tasuki_controller.known import KnownFacts
from tasuki_controller.router_tree import router_tree
from tasuki_controller.services import Contribution, Made, Used


class ControllerTimeouts:
    """The timeouts that the network tree sets; what it does not set is the router tree's to say."""

    def __init__(
        self,
        network: Network,
        written: Mapping[str, Router],  # noqa: ARG002 - as every service
        known: KnownFacts,  # noqa: ARG002 - as every service
    ) -> None:
        self._routers = [
            router for router in network.network.router if "controller_timeout" in router.model_fields_set
        ]

    def check(self, gaps: Gaps) -> Iterator[ConfigError]:  # noqa: ARG002 - as every service
        """YANG says it all."""
        return iter(())

    def makes(self, gaps: Gaps) -> Iterator[Made]:  # noqa: ARG002 - as every service
        """Nothing."""
        return iter(())

    def uses(self) -> Iterator[Used]:
        """Nothing."""
        return iter(())

    def compile(self) -> Iterator[Contribution]:
        """The timeout of each router that has one."""
        for router in self._routers:
            tree = router_tree(controller_timeout=router.controller_timeout)
            yield Contribution(router.name, f"router {router.name}", tree)


SERVICE = ControllerTimeouts
