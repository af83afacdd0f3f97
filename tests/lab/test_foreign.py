"""What is not tasuki's stays as it is, however much it looks like it."""

from dataclasses import replace
from pathlib import Path

from deployment import Deployment, example
from kernelstate import NOTHING, KernelState
from netns import Namespace, until
from network import Network
from tasuki_proto.v1.config_pb2 import OPERATION_REMOVE
from tasuki_proto.v1.router_pb2 import ObjectStatus, Router

LOOK_ALIKES = """
    ip link add vxlan99 type vxlan id 99 dstport 4790 remote 192.0.2.99 dev enp6s0f1
    ip link add vxlan0a type veth peer name vxlan0b
    ip link set vxlan99 up
    ip link set vxlan0a up
    ip addr add 2001:db8:ae00:0:63::2/80 dev vxlan99 nodad
    ip addr add 2001:db8:ae09::1/48 dev vxlan0a nodad
    ip addr add 2001:db8:ae09::2/64 dev lan0 nodad
    ip addr add 198.51.100.1/24 dev enp6s0f1
    ip route add 2001:db8:ae63::/48 dev vxlan99
    ip route add unreachable 2001:db8:aeff::/48
    ip route add unreachable 2001:db8:ae01::/48 metric 2048
    ip route add 2001:db8:ae44::/48 dev vxlan99 proto bird
    ip route add default via 2001:db8:ae00:0:63::1 dev vxlan99 table 200
    ip route add 2001:db8:ae00:1::/64 dev vxlan99 table 100 metric 77
    ip -6 rule add from 2001:db8:ae63::/48 table 200 priority 100
    ip -6 rule add to 2001:db8:ae00:1::/64 table 200 priority 101
    ip -6 rule add from 2001:db8:ae01::/48 table main priority 102
    ip rule add from 198.51.100.0/24 table 101 priority 101
"""


def look_alikes(network: Network) -> None:
    for command in LOOK_ALIKES.strip().splitlines():
        network.home.run(*command.split())


def must_still_hold(machine: Namespace, before: KernelState) -> None:
    """Every object of before is there unchanged; sysctls are tasuki's to set."""
    gone = before - KernelState.of(machine)
    assert replace(gone, sysctls=frozenset()) == NOTHING, f"gone or changed:\n{gone}"


def test_look_alikes_survive_the_split_its_drift_and_its_removal(network: Network, tmp_path: Path) -> None:
    look_alikes(network)
    before = {name: KernelState.of(getattr(network, name)) for name in ("vps", "home")}
    with Deployment.on(network, tmp_path, routers=("vps", "home")) as deployment:
        deployment.apply(example())
        must_still_hold(network.home, before["home"])

        network.home.ip("link del vxlan01")
        network.home.ip("-6 rule del priority 102 to 2001:db8:ae01::/48")
        deployment.drift_until("home", lambda item: item.key == "vxlan01")
        deployment.converge()
        must_still_hold(network.home, before["home"])
        reported = {item.key for item in deployment.client.drift(router="home").items}
        assert not any(word in key for key in reported for word in ("vxlan99", "vxlan0a", "ae63")), reported

        deployment.apply(
            {"tasuki-network:network": {"tasuki-vxlan-split:vxlan-split": [{"name": "ae00"}]}},
            operation=OPERATION_REMOVE,
        )
        for name, state in before.items():
            assert KernelState.of(getattr(network, name)) == state


def test_a_foreign_interface_with_our_name_is_reported_and_left_alone(vps_and_home: Deployment) -> None:
    home = vps_and_home.network.home
    home.ip("link add vxlan01 type veth peer name other-end")
    before = KernelState.of(home)

    vps_and_home.client.apply(example())

    def foreign(router: Router) -> bool:
        return any(o.key == "vxlan01" and o.state == ObjectStatus.STATE_FOREIGN for o in router.objects)

    vps_and_home.router_until("home", foreign, within=60, why="home reports the foreign vxlan01")
    must_still_hold(home, before)

    home.ip("link del vxlan01")
    vps_and_home.converge()
    until(
        lambda: vps_and_home.network.pc.reaches("2001:db8:ae00:0:1::1"),
        within=30,
        why="the tunnel takes the place of the foreign interface",
    )
