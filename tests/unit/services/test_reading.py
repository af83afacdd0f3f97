"""Rules see what fits the models, whatever else the configuration holds."""

from typing import Any

import pytest
from tasuki_controller.reading import read
from tasuki_controller.running import Running
from unit.services.networks import Json, network, split, subscriber


def numbers(tree: Any) -> list[int]:
    splits = read(Running(tree)).network.network.vxlan_split
    return [one.number for each in splits for one in each.subscriber]


def test_valid_network_is_read_whole() -> None:
    assert numbers(network(split(subscriber(1), subscriber(2)))) == [1, 2]


@pytest.mark.parametrize(
    "broken",
    [
        {"router": "home"},
        subscriber(2, mode="magic"),
        subscriber(2, underlay={"interface": 5}),
        subscriber(2, delegation={"lan": 5}),
        subscriber(2, colour="red"),
        "subscriber",
    ],
)
def test_entry_that_does_not_fit_is_left_out(broken: Any) -> None:
    assert numbers(network(split(subscriber(1), broken, subscriber(3)))) == [1, 3]


def test_only_the_innermost_entry_is_left_out() -> None:
    lans = {"lan": [{"interface": "lan0"}, {"interface": "lan1", "subnet-id": "many"}]}
    (one,) = read(Running(network(split(subscriber(1, delegation=lans))))).network.network.vxlan_split

    assert [lan.interface for lan in one.subscriber[0].delegation.lan] == ["lan0"]


def test_mandatory_text_that_is_missing_is_empty() -> None:
    without = split({"number": 1}, subscriber(2))
    del without["hub"]
    (one,) = read(Running(network(without))).network.network.vxlan_split

    assert (one.hub.router, one.subscriber[0].underlay.address) == ("", "")
    assert one.subscriber[1].underlay.address == "10.1.2.3"


@pytest.mark.parametrize(
    "tree", [{"tasuki-network:network": 5}, {"unknown": {}}, {"tasuki-network:network": {"x": 1}}]
)
def test_member_that_does_not_fit_is_left_out(tree: Json) -> None:
    assert numbers(tree) == []
