"""What is wanted follows what is known: it waits, moves and comes back, and none of that is drift."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tasuki_agent.kind import Change, Observed
from tasuki_agent.reconcile.drift import Action
from tasuki_agent.reconcile.facts import REMEMBERED, FactBook, KnownFact
from tasuki_agent.reconcile.status import State
from tasuki_yang.facts import FactKey, Facts

from .test_reconciler import ONE_LINK, Router
from .world import LEARNED, SMALL, SUSPENDED, Address, Link

A = FactKey("a", "addresses")
LINK = {"a": Link(LEARNED)}
WITH_ADDRESS = {("a", "1"): Address(64)}


@dataclass
class Source:
    """Knows what it is told to."""

    facts: dict[FactKey, tuple[str, ...]] = field(default_factory=dict)

    def learn(self, asked: Collection[FactKey], observed: object, before: Facts) -> Facts:
        return {key: values for key, values in self.facts.items() if key in asked}


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
def router(source: Source) -> Router:
    router = Router()
    router.reconciler.facts.sources = source.learn
    return router


async def test_what_is_not_known_is_waited_for_by_name_and_the_rest_is_done(router: Router) -> None:
    router.intend({**LINK, "b": Link("red")}, WITH_ADDRESS)
    assert await router.step() == ["create link b"]
    status = router.reconciler.board.get(router.ref("link", "a"))
    assert status is not None
    assert status.message == (
        "waits for an IPv6 address of the name a: can the resolver be reached, and does it know a?"
    )
    assert router.state("address", ("a", "1")) is State.WAITING
    assert router.met == [1], "to wait is no failure"


async def test_it_is_made_as_soon_as_it_is_known(router: Router, source: Source) -> None:
    router.intend(LINK, WITH_ADDRESS)
    await router.step()
    source.facts[A] = ("7",)
    assert await router.step() == ["create link a", "create address a 1"]
    assert router.world.links["a"].size == 7
    assert router.state("link", "a") is None
    assert router.drift() == []


async def test_it_follows_in_place_and_that_is_no_drift(router: Router, source: Source) -> None:
    source.facts[A] = ("7",)
    router.intend(LINK, WITH_ADDRESS)
    await router.step()
    source.facts[A] = ("8",)
    assert await router.step() == ["update link a"]
    assert await router.step() == []
    assert router.drift() == []


async def test_what_is_there_stays_when_it_is_not_known_any_more(router: Router, source: Source) -> None:
    source.facts[A] = ("7",)
    router.intend(LINK, WITH_ADDRESS)
    await router.step()
    source.facts.clear()
    assert await router.step() == []
    assert router.state("link", "a") is State.WAITING
    assert router.state("address", ("a", "1")) is None
    source.facts[A] = ("7",)
    assert await router.step() == []
    assert router.state("link", "a") is None
    assert router.drift() == []


async def test_what_its_kind_suspends_is_suspended_once_and_comes_back_without_drift(
    router: Router, source: Source
) -> None:
    source.facts[A] = (str(SMALL),)
    router.intend(LINK)
    await router.step()
    source.facts.clear()
    assert await router.step() == ["update link a"]
    assert router.world.links["a"].size == SUSPENDED
    assert await router.step() == []
    source.facts[A] = (str(SMALL),)
    assert await router.step() == ["update link a"]
    assert router.drift() == []


async def test_what_waits_and_is_not_wanted_any_more_goes_without_drift(
    router: Router, source: Source
) -> None:
    source.facts[A] = (str(SMALL),)
    router.intend(LINK)
    await router.step()
    source.facts.clear()
    assert await router.step() == ["update link a"]
    router.intend({})
    assert await router.step() == ["delete link a"]
    assert router.drift() == []


async def test_what_is_lost_with_what_waits_is_no_drift(router: Router, source: Source) -> None:
    source.facts[A] = ("7",)
    router.intend(LINK, WITH_ADDRESS)
    await router.step()
    source.facts.clear()
    router.world.links.clear()
    router.world.addresses.clear()
    assert await router.step() == []
    source.facts[A] = ("7",)
    assert await router.step() == ["create link a", "create address a 1"]
    assert router.drift() == []


async def test_what_somebody_breaks_while_the_facts_stay_is_drift_as_ever(
    router: Router, source: Source
) -> None:
    source.facts[A] = ("7",)
    router.intend(LINK, WITH_ADDRESS)
    await router.step()
    router.world.links["a"] = Link(LEARNED, 9)
    del router.world.addresses["a", "1"]
    await router.step()
    assert {(item.kind, item.action) for item in router.drift()} == {
        ("link", Action.HEALED),
        ("address", Action.HEALED),
    }


async def test_somebody_elses_object_in_the_place_of_what_waits_is_left_alone(router: Router) -> None:
    router.world.links["a"] = Link("blue", SMALL, ours=False)
    router.intend(LINK)
    assert await router.step() == []
    assert router.world.links["a"].size == SMALL


async def test_a_router_that_starts_again_with_what_it_knew_changes_nothing(
    router: Router, source: Source
) -> None:
    source.facts[A] = ("7",)
    router.intend(LINK)
    await router.step()
    intent, kept = router.reconciler.intent, router.reconciler.facts.last()
    assert intent is not None

    again = Router(router.world)
    again.reconciler.facts.sources = source.learn
    again.reconciler.facts.restore(kept)
    again.reconciler.resume(intent, intent)
    assert await again.step() == []
    source.facts[A] = ("8",)
    assert await again.step() == ["update link a"]
    assert again.drift() == []


async def test_nothing_is_known_of_what_nobody_asks_for(router: Router, source: Source) -> None:
    source.facts = {A: ("7",), FactKey("b", "addresses"): ("8",)}
    router.intend(LINK)
    await router.step()
    assert list(router.reconciler.facts) == [KnownFact(A, ("7",), router.clock.now)]
    router.intend({})
    await router.step()
    assert list(router.reconciler.facts) == []


@given(st.lists(st.none() | st.integers(2, 4), max_size=12))
async def test_whatever_becomes_known_and_unknown_the_last_word_counts_and_nothing_is_drift(
    words: list[int | None],
) -> None:
    source, router = Source(), Router()
    router.reconciler.facts.sources = source.learn
    router.intend(LINK, WITH_ADDRESS)
    last: int | None = None
    for word in words:
        source.facts = {A: (str(word),)} if word else {}
        last = word or last
        await router.step()
    assert {name: link.size for name, link in router.world.links.items()} == ({"a": last} if last else {})
    assert router.drift() == []
    assert await router.step() == []


async def test_what_is_lost_and_found_within_one_step_is_no_drift(router: Router, source: Source) -> None:
    source.facts[A] = (str(SMALL),)
    router.intend(LINK, WITH_ADDRESS)
    await router.step()
    looks = 0

    def learn(asked: Collection[FactKey], observed: object, before: Facts) -> Facts:
        nonlocal looks
        looks += 1
        return {} if looks <= 2 else source.learn(asked, observed, before)

    router.reconciler.facts.sources = learn
    assert await router.step() == ["update link a", "update link a"]
    assert router.drift() == []


async def test_what_goes_to_and_fro_within_one_step_is_no_drift(router: Router, source: Source) -> None:
    source.facts[A] = ("7",)
    router.intend(LINK)
    await router.step()
    values = iter(["8", "8", "7"])

    def learn(asked: Collection[FactKey], observed: object, before: Facts) -> Facts:
        return {A: (next(values, "7"),)}

    router.reconciler.facts.sources = learn
    assert await router.step() == ["update link a", "update link a"]
    assert router.drift() == []


async def test_an_intent_that_is_taken_back_while_it_is_carried_out_leaves_no_drift(router: Router) -> None:
    router.intend(ONE_LINK)
    await router.step()

    def take_back(kind: str, change: Change) -> None:
        router.world.fault = lambda _kind, _change: None
        router.intend(ONE_LINK)

    router.world.fault = take_back
    router.intend({"a": Link("red", 9)})
    await router.step()
    await router.step()
    assert router.world.links["a"].size == 5
    assert router.drift() == []


@pytest.mark.parametrize(
    ("at_once", "changes"),
    [
        (True, ["create link a", "create address b 1"]),
        (False, ["create address b 1", "create link a"]),
    ],
    ids=["of use at once", "to be seen first"],
)
async def test_what_relies_on_an_object_moves_in_the_very_plan_that_makes_it(
    router: Router, *, at_once: bool, changes: list[str]
) -> None:
    def learn(asked: Collection[FactKey], observed: Observed, before: Facts) -> Facts:
        there = ("b", "1") in observed.get("address", {})
        return {A: ("7",)} if there and A in asked else {}

    router.reconciler.facts.sources = learn
    router.intend({**LINK, "b": Link("red")})
    await router.step()
    router.intend({**LINK, "b": Link("red")}, {("b", "1"): Address(64, at_once=at_once)})
    assert await router.step() == changes


async def test_needs_that_go_round_in_a_circle_are_left_to_the_kernel_to_refuse(router: Router) -> None:
    router.intend({"a": Link("red", ring="b"), "b": Link("red", ring="a")})
    assert sorted(await router.step()) == ["create link a", "create link b"]


async def test_a_step_that_fails_for_no_reason_of_the_kernel_is_told_and_tried_again() -> None:
    router = Router()
    router.intend(LINK)
    told = asyncio.Event()

    def broken(*_: object) -> Facts:
        raise RecursionError

    router.reconciler.facts.sources = broken
    router.reconciler.on_change = told.set
    running = asyncio.create_task(router.reconciler.run())
    async with asyncio.timeout(30):
        await told.wait()
    trouble = router.reconciler.trouble
    assert trouble == "cannot carry the intent out: RecursionError(); the agent's log has more"
    assert not running.done()
    running.cancel()


def test_since_is_when_it_became_so() -> None:
    book, source = FactBook(), Source()
    book.sources = source.learn
    book.asked = {A}
    assert book.learn({}, 1.0) == [], "to be asked for is no news"
    source.facts[A] = ("7",)
    assert book.learn({}, 2.0) == [KnownFact(A, ("7",), 2.0)]
    assert book.learn({}, 3.0) == []
    source.facts.clear()
    assert book.learn({}, 4.0) == [KnownFact(A, (), 4.0)]
    assert book.last() == [KnownFact(A, ("7",), 4.0)], "it is preferred when there is a choice again"


def test_of_what_nobody_asks_for_any_more_only_the_newest_is_remembered() -> None:
    book = FactBook(lambda asked, _observed, _before: dict.fromkeys(asked, ("7",)))
    for number in range(REMEMBERED + 10):
        book.asked = {FactKey(f"2001:db8::{number:x}", "local-address")}
        book.learn({}, float(number))
    assert len(book.last()) == 1
    remembered = list(book._last)
    assert len(remembered) == REMEMBERED + 1
    assert remembered[-1] in book.asked
