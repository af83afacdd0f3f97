"""What would be done is told in the order in which it would be done, and nothing is done."""

from typing import Any

import pytest
from tasuki_agent.errors import Transient
from tasuki_agent.intent import Intent
from tasuki_agent.prepare import prepare
from tasuki_agent.reconcile.facts import FactBook
from tasuki_yang.facts import FactKey, Terms

from .world import LEARNED, LEASED, Address, Link, World


def intent(links: dict[str, Link], addresses: dict[Any, Address] | None = None) -> Intent:
    tree = {"link": links, "address": addresses or {}}
    return Intent(1, b"", 0.0, lambda: tree)  # type: ignore[arg-type, return-value]


async def test_the_plan_stands_in_order_and_nothing_is_changed() -> None:
    world = World(links={"b": Link("red", 1), "c": Link("red")})
    wanted = intent({"a": Link("red"), "b": Link("red", 2)}, {("a", "1"): Address(64)})
    answer = await prepare(world.kinds(), wanted, FactBook())
    assert sorted(answer.plan[:2]) == ["change link b (size 1 → 2)", "create link a"]
    assert answer.plan[2:] == ["create address ('a', '1')", "delete link c"]
    assert answer.waiting == []
    assert world.log == []
    assert world.links == {"b": Link("red", 1), "c": Link("red")}


async def test_what_would_wait_or_is_not_ours_is_told() -> None:
    world = World(links={"theirs": Link("red", ours=False)})
    wanted = intent({"theirs": Link("blue")}, {("x", "1"): Address(64)})
    answer = await prepare(world.kinds(), wanted, FactBook())
    assert answer.plan == []
    assert answer.waiting == [
        "address ('x', '1') waits for link x",
        "link theirs is somebody else's: it is left alone",
    ]


async def test_a_kernel_that_does_not_answer_is_an_error() -> None:
    with pytest.raises(Transient):
        await prepare(World(blind=True).kinds(), intent({}), FactBook())


async def test_what_a_value_holds_for_counts_as_it_does_when_the_plan_is_carried_out() -> None:
    key = FactKey("a", "addresses")
    facts = FactBook(peek=lambda _asked, _observed, _before: {key: ("7",)})
    facts.terms = lambda: {(key, "7"): Terms("lease", None, 100.0)}
    for size, plan in ((100, []), (90, ["change link a (size 90 → 100)"])):
        world = World(links={"a": Link(LEASED, size)})
        assert (await prepare(world.kinds(), intent({"a": Link(LEASED)}), facts)).plan == plan


async def test_what_is_supposed_counts_in_the_place_of_what_is_known_and_stays_unknown() -> None:
    world = World(links={"a": Link(LEARNED, 5)})
    facts = FactBook()
    wanted = intent({"a": Link(LEARNED)})
    assert (await prepare(world.kinds(), wanted, facts)).waiting == [
        "link a waits for an IPv6 address of the name a: can the resolver be reached, and does it know a?"
    ]
    suppose = {FactKey("a", "addresses"): ("7",)}
    answer = await prepare(world.kinds(), wanted, facts, suppose)
    assert (answer.plan, answer.waiting) == (["change link a (size 5 → 7)"], [])
    assert not facts.asked
    assert list(facts) == []
