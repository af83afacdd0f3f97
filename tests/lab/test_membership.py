"""Subscribers come and go; nobody else notices."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from deployment import Deployment, example
from kernelstate import KernelState
from network import HOST, Network, seen_as, witness
from tasuki_proto.v1.config_pb2 import OPERATION_DELETE


def subscribers(numbers: Iterable[int]) -> dict[str, Any]:
    """The example with only these subscribers."""
    document = example()
    split = document["tasuki-network:network"]["tasuki-vxlan-split:vxlan-split"][0]
    split["subscriber"] = [entry for entry in split["subscriber"] if entry["number"] in set(numbers)]
    return document


def test_removing_a_subscriber_removes_exactly_its_objects_on_both_routers(
    network: Network, tmp_path: Path
) -> None:
    with Deployment.on(network, tmp_path) as deployment:
        deployment.apply(subscribers([1, 3, 4]))
        before = {name: KernelState.of(deployment.router(name)) for name in deployment.agents}

        deployment.apply(example())
        for name in ("vps", "branch"):
            added = KernelState.of(deployment.router(name)) - before[name]
            assert added.links
            assert added.addresses
            assert added.routes

        split = {"name": "ae00", "subscriber": [{"number": 2}]}
        deployment.apply(
            {"tasuki-network:network": {"tasuki-vxlan-split:vxlan-split": [split]}},
            operation=OPERATION_DELETE,
        )
        for name, state in before.items():
            assert KernelState.of(deployment.router(name)) == state


def test_a_router_takes_part_in_two_splits_by_policy_routing(vps_and_home: Deployment) -> None:
    network = vps_and_home.network
    second = {
        "name": "be00",
        "prefix": "2001:db8:be00::/40",
        "vni-base": 256,
        "hub": {"router": "vps", "underlay": {"interface": "enp1s0f0", "ipv4-address": "10.1.1.1"}},
        "subscriber": [
            {
                "number": 7,
                "router": "home",
                "underlay": {"interface": "enp6s0f1", "address": "10.1.1.2"},
                "mode": "policy-routing",
            }
        ],
    }
    document = example()
    document["tasuki-network:network"]["tasuki-vxlan-split:vxlan-split"].append(second)
    network.internet.ip("route add 2001:db8:be00::/40 via 2001:db8:a::2")

    vps_and_home.apply(document)

    network.pc.must_reach(HOST)
    network.internet.must_reach("2001:db8:be07::1")
    with witness(network.internet):
        assert seen_as(network.pc) == "2001:db8:ae00:1::100"
        assert seen_as(network.home, source="2001:db8:be00:7::1") == "2001:db8:be00:7::1"
        assert seen_as(network.home) == "2001:db8:f0:1::2"


def test_a_lan_that_does_not_exist_yet_is_waited_for(vps_and_home: Deployment) -> None:
    network = vps_and_home.network
    network.home.ip("link set lan0 name later0")
    vps_and_home.apply(example())
    home = vps_and_home.client.router("home")
    assert home.counts.waiting >= 1
    assert any("lan0" in f"{status.key} {status.message}" for status in home.objects)
    assert not vps_and_home.client.drift(router="home").items

    network.home.ip("link set later0 down")
    network.home.ip("link set later0 name lan0")
    network.home.ip("link set lan0 up")

    vps_and_home.router_until("home", lambda router: router.counts.waiting == 0, 30, "home waits for nothing")
    network.pc.must_reach(HOST)
