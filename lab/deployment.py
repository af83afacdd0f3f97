"""tasuki installed on the network: a controller on the VPS, an agent on each router, an operator at the VPS.

All of them speak mutual TLS over the underlay, with certificates that the controller's own CA issued. The
tests' own client, which is in no namespace, uses one more address of the controller, a UNIX socket.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol

from netns import Namespace, until
from network import Network
from programs import Agent, Controller, Operator
from tasuki_client import Client
from tasuki_proto.channel import TlsFiles
from tasuki_proto.v1.config_pb2 import OPERATION_MERGE, Operation
from tasuki_proto.v1.drift_pb2 import DriftItem
from tasuki_proto.v1.router_pb2 import Router
from typing_extensions import TypeVar

EXAMPLES = Path(__file__).parent.parent / "examples"
ROUTERS = ("vps", "home", "branch", "office")
CONVERGE_SECONDS = 60.0


def example(name: str = "vxlan-split") -> dict[str, Any]:
    """One of the examples' documents."""
    document: dict[str, Any] = json.loads((EXAMPLES / f"{name}.json").read_text())
    return document


class Underlay(Protocol):
    """A network that tasuki can be installed on."""

    @property
    def vps(self) -> Namespace:
        """Where the controller runs, and the operator sits."""
        ...

    @property
    def controller_addresses(self) -> tuple[str, ...]:
        """Where the controller listens; the operator uses the first one."""
        ...

    def controller_for(self, router: str) -> str:
        """Where this router reaches it."""
        ...

    def machine(self, router: str) -> Namespace:
        """The machine that a router is."""
        ...


AnyNetwork = TypeVar("AnyNetwork", bound=Underlay, default=Network)


@dataclass(frozen=True, slots=True)
class Deployment(Generic[AnyNetwork]):
    """The programs, and a client of the controller."""

    network: AnyNetwork
    controller: Controller
    agents: Mapping[str, Agent]
    operator: Operator
    client: Client

    @classmethod
    @contextmanager
    def on(
        cls,
        network: AnyNetwork,
        directory: Path,
        routers: Iterable[str] = ROUTERS,
        *,
        observe_interval: float = 60.0,
    ) -> Iterator["Deployment[AnyNetwork]"]:
        """Install and start everything under the directory; stop it in the end."""
        socket = f"unix:{directory / 'controller.sock'}"
        controller = Controller(
            network.vps, directory / "controller", (*network.controller_addresses, socket)
        )
        controller.init()
        agents = {}
        for router in routers:
            tls = controller.issue("router", router)
            agents[router] = Agent(
                router,
                network.machine(router),
                tls.parent,
                network.controller_for(router),
                observe_interval=observe_interval,
            )
        tls = controller.issue("operator", "alice")
        operator = Operator(network.vps, network.controller_addresses[0], tls)
        try:
            controller.start()
            for agent in agents.values():
                agent.start()
            with Client(socket, TlsFiles.in_directory(tls)) as client:
                yield cls(network, controller, agents, operator, client)
        finally:
            for program in (*(agent.program for agent in agents.values()), controller.program):
                program.stop()

    def router(self, name: str) -> Namespace:
        """The machine that the router is."""
        return self.network.machine(name)

    def apply(
        self,
        document: Mapping[str, Any],
        *,
        operation: Operation = OPERATION_MERGE,
        within: float = CONVERGE_SECONDS,
    ) -> None:
        """Commit the document, and wait until every router that runs an agent has converged to it."""
        self.client.apply(document, operation=operation)
        self.converge(within)

    def converge(self, within: float = CONVERGE_SECONDS) -> None:
        """Wait until every router that runs an agent is as intended, waiting objects aside."""
        for name in self.agents:
            self.router_until(name, _converged, within, f"{name} converges")

    def router_until(
        self, name: str, condition: Callable[[Router], object], within: float, why: str
    ) -> Router:
        """Wait until the controller knows this of the router."""
        seen = Router()

        def holds() -> object:
            self.agents[name].program.must_run()
            seen.CopyFrom(self.client.router(name))
            assert condition(seen), f"{why}; the controller knows:\n{seen}"
            return True

        until(holds, within=within, why=why)
        return seen

    def drift_until(
        self, router: str, condition: Callable[[DriftItem], object], within: float = 30.0
    ) -> DriftItem:
        """Wait for a drift item of the router."""
        found: list[DriftItem] = []

        def there() -> object:
            items = self.client.drift(router=router).items
            found[:] = [item for item in items if condition(item)]
            assert found, "\n".join(f"{item}" for item in items) or "no drift at all"
            return True

        until(there, within=within, why=f"{router} reports the drift")
        return found[0]


def _converged(router: Router) -> bool:
    counts = router.counts
    return (
        router.connected
        and router.applied_revision >= router.intended_revision > 0
        and counts.pending == counts.failed == 0
        and router.open_drift == 0
    )
