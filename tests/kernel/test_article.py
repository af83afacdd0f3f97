"""The kernel after an agent's work equals the kernel after the commands that a careful person types."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import article
import pytest
from kernelstate import KernelState
from netns import Machines, Namespace, cable, until
from programs import Agent
from tasuki_agent.intent import Intent
from tasuki_agent.state import StateDir
from tasuki_agent.trial import Held
from tasuki_controller.compile import compile_running
from tasuki_controller.running import Running


@pytest.fixture
def machines() -> Iterator[Machines]:
    with Machines() as machines:
        yield machines


def bare_router(machines: Machines, label: str) -> Namespace:
    """A router with every interface that the set-up needs, and nothing configured."""
    router, outside = machines.add(label), machines.add("outside")
    for n, interface in enumerate((article.HUB_UNDERLAY, article.SUBSCRIBER_UNDERLAY, article.LAN)):
        cable(router, interface, outside, f"port{n}")
    return router


@pytest.mark.parametrize(
    ("router", "commands"),
    [
        ("vps", article.hub_commands),
        ("home", article.policy_routing_client_commands),
        ("branch", article.default_gateway_client_commands),
    ],
)
def test_the_agent_makes_what_the_articles_commands_make(
    machines: Machines, tmp_path: Path, router: str, commands: Callable[[], Sequence[str]]
) -> None:
    by_hand, by_agent = bare_router(machines, "hand"), bare_router(machines, "agent")
    for command in commands():
        by_hand.run(*command.split())
    wanted = KernelState.of(by_hand).anonymous()
    assert wanted != KernelState.of(by_agent).anonymous()
    with agent_alone(router, by_agent, tmp_path):
        until(
            lambda: equal(wanted, KernelState.of(by_agent).anonymous()),
            within=60,
            why="the kernels are equal",
        )


def test_an_advertised_default_route_stays_and_the_tunnels_wins(machines: Machines, tmp_path: Path) -> None:
    branch = bare_router(machines, "branch")
    underlay = article.SUBSCRIBER_UNDERLAY
    # As the kernel does on receipt of a router advertisement, metric included (IP6_RT_PRIO_USER).
    advertised = f"default via fe80::fe dev {underlay} proto ra metric 1024"
    branch.ip(f"-6 route add {advertised} expires 1800")

    def way_out() -> str:
        return branch.run("ip", "-6", "route", "get", "2001:db8:ffff::1", check=False)

    assert f"dev {underlay}" in way_out()
    with agent_alone("branch", branch, tmp_path):
        until(lambda: "dev vxlan08" in way_out(), within=60, why="the tunnel is the way out")
        assert advertised in branch.ip("-6 route show default")


@contextmanager
def agent_alone(router: str, machine: Namespace, directory: Path) -> Iterator[None]:
    """An agent that has the set-up's intent on disk and no controller."""
    tree = compile_running(Running(network=article.network()))[router]
    state = StateDir.open(directory)
    state.save_held(Held(Intent.parse(1, json.dumps(tree).encode())))
    state.close()
    agent = Agent(router, machine, directory, f"unix:{directory}/none", insecure=True)
    agent.start()
    try:
        yield
    finally:
        agent.program.stop()


def equal(wanted: KernelState, got: KernelState) -> bool:
    assert got == wanted, f"missing:\n{wanted - got}\ntoo much:\n{got - wanted}"
    return True
