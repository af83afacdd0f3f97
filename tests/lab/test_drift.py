"""Whatever somebody changes by hand is reported for what it is, and put right."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from deployment import Deployment, example
from kernelstate import KernelState
from netns import until
from network import HOST, Network
from tasuki_proto.v1.drift_pb2 import DriftItem

MISSING, CHANGED, UNEXPECTED = DriftItem.CLASS_MISSING, DriftItem.CLASS_CHANGED, DriftItem.CLASS_UNEXPECTED
INTERFACE = "/ietf-interfaces:interfaces/interface[name='{}']"
ROUTING = "/ietf-routing:routing"


@dataclass(frozen=True)
class Breakage:
    """A command on a router, and what the drift report must say of it."""

    router: str
    command: str
    class_: "DriftItem.Class"
    kind: str
    path: str
    field: str = ""

    def __str__(self) -> str:
        return f"{self.router}: {self.command}"


BREAKAGES = [
    Breakage("home", "ip link del vxlan01", MISSING, "link", INTERFACE.format("vxlan01")),
    Breakage(
        "vps",
        "ip link set vxlan01 type vxlan id 1 remote 192.0.2.9",
        CHANGED,
        "link",
        INTERFACE.format("vxlan01"),
        "remote",
    ),
    Breakage("vps", "ip link set vxlan02 mtu 1400", CHANGED, "link", INTERFACE.format("vxlan02"), "mtu"),
    Breakage(
        "branch",
        "ip link set vxlan02 type vxlan id 2 learning",
        CHANGED,
        "link",
        INTERFACE.format("vxlan02"),
        "learning",
    ),
    Breakage("office", "ip link set vxlan03 down", CHANGED, "link", INTERFACE.format("vxlan03"), "up"),
    Breakage(
        "home",
        "ip addr del 2001:db8:ae00:0:1::2/80 dev vxlan01",
        MISSING,
        "address",
        INTERFACE.format("vxlan01"),
    ),
    Breakage(
        "home", "ip addr del 2001:db8:ae00:1::1/64 dev lan0", MISSING, "address", INTERFACE.format("lan0")
    ),
    Breakage(
        "vps",
        "ip addr add 2001:db8:bad::1/64 dev vxlan02",
        UNEXPECTED,
        "address",
        INTERFACE.format("vxlan02"),
    ),
    Breakage("vps", "ip route del unreachable 2001:db8:ae00::/40", MISSING, "route", ROUTING),
    Breakage("vps", "ip route del 2001:db8:ae01::/48", MISSING, "route", ROUTING),
    Breakage("branch", "ip -6 route del default", MISSING, "route", ROUTING),
    Breakage(
        "branch",
        "ip -6 route replace default via 2001:db8:ae00:0:2::9 dev vxlan02 metric 512",
        CHANGED,
        "route",
        ROUTING,
        "via",
    ),
    Breakage(
        "home",
        "ip -6 route replace default via fe80::1 dev lan0 table 101",
        CHANGED,
        "route",
        ROUTING,
        "dev",
    ),
    Breakage("home", "ip route add 2001:db8:bad::/48 dev vxlan01", UNEXPECTED, "route", ROUTING),
    Breakage("home", "ip -6 route flush table 101", MISSING, "route", ROUTING),
    Breakage("home", "ip -6 rule del priority 101 from 2001:db8:ae00:1::/64", MISSING, "rule", ROUTING),
    Breakage(
        "home", "ip -6 rule add priority 99 from 2001:db8:bad::/48 table 101", UNEXPECTED, "rule", ROUTING
    ),
    Breakage(
        "vps",
        "sysctl -qw net.ipv6.conf.all.forwarding=0",
        CHANGED,
        "sysctl",
        f"{ROUTING}/tasuki-sysctl:forwarding/ipv6",
        "value",
    ),
]


@pytest.mark.parametrize("breakage", BREAKAGES, ids=str)
def test_a_change_by_hand_is_reported_and_healed(converged: Deployment, breakage: Breakage) -> None:
    machine = converged.router(breakage.router)
    before = KernelState.of(machine).anonymous()

    machine.run(*breakage.command.split())

    item = converged.drift_until(breakage.router, lambda item: is_about(item, breakage) and healed(item))
    assert item.healed_at.ToNanoseconds() >= item.first_seen.ToNanoseconds() > 0
    until(
        lambda: not_different(before, KernelState.of(machine).anonymous()),
        within=30,
        why="the kernel is as it was before",
    )
    converged.converge()


def test_what_the_kernel_says_nothing_of_is_seen_by_the_next_full_observation(
    network: Network, tmp_path: Path
) -> None:
    with Deployment.on(network, tmp_path, routers=("vps", "home"), observe_interval=2) as deployment:
        deployment.apply(example())
        network.home.sysctl("net/ipv6/conf/enp6s0f1/accept_ra", "0")
        item = deployment.drift_until("home", lambda item: item.kind == "sysctl" and healed(item))
        assert (item.intended, item.observed, getattr(item, "class")) == ("2", "0", CHANGED)
        assert item.path.startswith(INTERFACE.format("enp6s0f1"))
        assert network.home.sysctl("net/ipv6/conf/enp6s0f1/accept_ra") == "2"


def test_traffic_flows_again_after_the_tunnel_was_deleted_at_both_ends(converged: Deployment) -> None:
    network = converged.network
    network.pc.must_reach(HOST)
    network.home.ip("link del vxlan01")
    network.vps.ip("link del vxlan01")
    network.pc.must_reach(HOST)
    converged.converge()


def test_a_change_that_comes_back_is_counted_in_one_item(converged: Deployment) -> None:
    machine = converged.router("office")

    def healed_times(times: int) -> Callable[[DriftItem], bool]:
        return lambda item: item.field == "mtu" and item.count == times and healed(item)

    for times in (1, 2):
        machine.ip("link set vxlan03 mtu 1300")
        item = converged.drift_until("office", healed_times(times))
        assert (item.intended, item.observed) == ("1390", "1300")
    converged.converge()


def test_drift_that_ended_while_no_agent_ran_is_not_open_for_ever(converged: Deployment) -> None:
    machine, agent = converged.router("office"), converged.agents["office"]
    machine.sysctl("net/ipv6/conf/vxlan03/disable_ipv6", "1")
    converged.drift_until("office", lambda item: item.kind == "address" and not healed(item))
    agent.program.kill()
    machine.sysctl("net/ipv6/conf/vxlan03/disable_ipv6", "0")
    agent.start()
    converged.router_until(
        "office", lambda router: router.connected and not router.open_drift, within=30, why="none is open"
    )
    converged.converge()


def is_about(item: DriftItem, breakage: Breakage) -> bool:
    return (
        item.router == breakage.router
        and item.kind == breakage.kind
        and getattr(item, "class") == breakage.class_
        and item.field == breakage.field
        and item.path.startswith(breakage.path)
    )


def healed(item: DriftItem) -> bool:
    return item.action == DriftItem.ACTION_HEALED


def not_different(before: KernelState, after: KernelState) -> bool:
    assert before == after, f"gone:\n{before - after}\nnew:\n{after - before}"
    return True
