"""Rules see what fits the models, whatever else the configuration holds."""

from typing import Any

import pytest
from tasuki_controller.reading import read
from tasuki_controller.running import Running
from unit.services.networks import PREFIX, Json, network, split, subscriber


def numbers(tree: Any) -> list[int]:
    splits = read(Running(tree)).network.network.vxlan_split
    return [one.number for each in splits for one in each.subscriber]


def test_valid_network_is_read_whole() -> None:
    assert numbers(network(split(subscriber(1), subscriber(2)))) == [1, 2]


@pytest.mark.parametrize(
    "broken",
    [
        {"number": 2},
        subscriber(2, mode="magic"),
        subscriber(2, underlay={"interface": "eth0"}),
        subscriber(2, underlay=5),
        subscriber(2, delegation={"lan": 5}),
        subscriber(2, colour="red"),
    ],
)
def test_node_that_does_not_fit_is_left_out_of_its_entry(broken: Json) -> None:
    assert numbers(network(split(subscriber(1), broken, subscriber(3)))) == [1, 2, 3]


@pytest.mark.parametrize("broken", ["subscriber", subscriber(2) | {"number": "two"}, {}])
def test_entry_without_its_key_is_left_out(broken: Any) -> None:
    assert numbers(network(split(subscriber(1), broken, subscriber(3)))) == [1, 3]


def test_text_that_is_needed_and_missing_is_empty() -> None:
    without = split(subscriber(1, underlay={"mtu": 1400}))
    del without["hub"]
    (one,) = read(Running(network(without))).network.network.vxlan_split

    assert (one.prefix, one.hub.router, one.hub.underlay.interface) == (PREFIX, "", "")
    assert (one.subscriber[0].underlay.mtu, one.subscriber[0].underlay.interface) == (1400, "")


def test_entry_without_a_number_that_it_needs_is_left_out() -> None:
    table = {"name": "a", "priority": 100, "table": 100}
    rules = {"tasuki-rule:rules": {"ipv6": {"rule": [{"name": "b", "priority": 101}, table]}}}
    router = read(Running(routers={"vps": {"ietf-routing:routing": rules}})).written["vps"]

    assert [rule.name for rule in router.routing.rules.ipv6.rule] == ["a"]


@pytest.mark.parametrize(
    "tree", [{"tasuki-network:network": 5}, {"unknown": {}}, {"tasuki-network:network": {"x": 1}}]
)
def test_member_that_does_not_fit_is_left_out(tree: Json) -> None:
    assert numbers(tree) == []
