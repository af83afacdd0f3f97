"""The kernel after an agent's work equals the kernel after the commands that a careful person types."""

import json
from collections.abc import Callable, Iterator, Sequence
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

    tree = compile_running(Running(network=article.network()))[router]
    state = StateDir.open(tmp_path)
    state.save_held(Held(Intent.parse(1, json.dumps(tree).encode())))
    state.close()
    agent = Agent(router, by_agent, tmp_path, f"unix:{tmp_path}/none", insecure=True)
    agent.start()
    try:
        until(
            lambda: equal(wanted, KernelState.of(by_agent).anonymous()),
            within=20,
            why="the kernels are equal",
        )
    finally:
        agent.program.stop()


def equal(wanted: KernelState, got: KernelState) -> bool:
    assert got == wanted, f"missing:\n{wanted - got}\ntoo much:\n{got - wanted}"
    return True
