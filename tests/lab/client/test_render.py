"""What is printed for a machine without an agent makes of it what an agent would have made of it."""

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from deployment import Deployment
from kernelstate import KernelState
from netns import Machines, Namespace, until
from network import Network

SUBSCRIBERS = (("home", 1), ("branch", 2), ("office", 3))


@pytest.fixture(scope="module")
def bare() -> Iterator[Network]:
    """The same network once more, without tasuki."""
    with Machines() as machines:
        yield Network.build(machines)


def printed(deployment: Deployment, number: int, language: str) -> str:
    return deployment.operator.tasuki("render", "ae00", str(number), "--format", language)


def options(text: str, *names: str) -> str:
    """The commands of these options in a stanza, as ifupdown runs them."""
    return "\n".join(("set -e", *re.findall(rf"^ +(?:{'|'.join(names)}) (.*)$", text, re.MULTILINE)))


def state(there: Namespace) -> KernelState:
    return KernelState.of(there).anonymous()


def until_equal(there: Namespace, wanted: KernelState) -> None:
    """Wait for what the kernel does later, such as the end of duplicate address detection."""

    def equal() -> bool:
        now = state(there)
        assert (str(now - wanted), str(wanted - now)) == ("", "")
        return True

    until(equal, within=30, why="both machines are alike")


@pytest.mark.parametrize(("router", "number"), SUBSCRIBERS)
def test_a_script_makes_what_the_agent_makes_and_again_when_it_is_run_again(
    converged: Deployment, bare: Network, router: str, number: int
) -> None:
    script = printed(converged, number, "iproute2")
    for _ in range(2):
        bare.machine(router).run("sh", stdin=script)
        until_equal(bare.machine(router), state(converged.router(router)))


@pytest.mark.parametrize(("router", "number"), SUBSCRIBERS)
def test_a_stanza_makes_what_the_agent_makes_and_takes_it_back(
    converged: Deployment, router: str, number: int
) -> None:
    stanza = printed(converged, number, "ifupdown")
    with Machines() as machines:
        there = Network.build(machines).machine(router)
        there.sysctl("net/ipv6/conf/all/forwarding", "1")  # stays on, and brings anycast routes
        before = state(there)
        there.run("sh", stdin=options(stanza, "pre-up", "up"))
        until_equal(there, state(converged.router(router)))
        there.run("sh", stdin=options(stanza, "down", "post-down"))
        until_equal(there, replace(before, sysctls=state(there).sysctls))
