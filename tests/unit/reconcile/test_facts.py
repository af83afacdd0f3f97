"""What is wanted follows what is known: it waits, moves and comes back, and none of that is drift."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tasuki_agent.errors import Transient
from tasuki_agent.intent import BrokenIntent
from tasuki_agent.kind import Change, Observed
from tasuki_agent.known import Known
from tasuki_agent.reconcile.drift import Action
from tasuki_agent.reconcile.facts import REMEMBERED, FactBook, KnownFact
from tasuki_agent.reconcile.status import State
from tasuki_yang.facts import AllTerms, FactKey, Facts, Terms

from .test_reconciler import ONE_LINK, Router
from .world import COUNTED, LEARNED, LEASED, NOTED, SMALL, SUSPENDED, Address, Link

A = FactKey("a", "addresses")
LINK = {"a": Link(LEARNED)}
WITH_ADDRESS = {("a", "1"): Address(64)}


@dataclass
class Source:
    """Knows what it is told to."""

    facts: dict[FactKey, tuple[str, ...]] = field(default_factory=dict)
    ends: dict[str, float] = field(default_factory=dict)
    """Of values, whatever has them."""

    def terms(self) -> AllTerms:
        return {
            (key, value): Terms("lease", None, self.ends[value])
            for key, values in self.facts.items()
            for value in values
            if value in self.ends
        }

    def learn(self, asked: Collection[FactKey], observed: object, before: Facts) -> Facts:
        return {key: values for key, values in self.facts.items() if key in asked}


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
def router(source: Source) -> Router:
    router = Router()
    router.reconciler.facts.sources, router.reconciler.facts.terms = source.learn, source.terms
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


async def test_what_a_kind_could_not_make_of_new_facts_it_is_asked_for_again(
    router: Router, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    source.facts[A] = ("1",)
    router.intend(LINK)
    await router.step()
    source.facts[A] = ("2",)
    with monkeypatch.context() as patched:
        patched.setattr("tasuki_agent.reconcile.reconciler.wanted_by", _at_fault)
        for _ in range(2):
            with pytest.raises(BrokenIntent):
                await router.step()
    assert await router.step() == ["update link a"]


def _at_fault(*_: object) -> None:
    raise BrokenIntent("a kind is at fault")


def told(router: Router) -> list[tuple[FactKey, tuple[str, ...]]]:
    """What a report has of the facts."""
    return [(fact.key, fact.values) for fact in router.reconciler.facts]


def count_readings(router: Router) -> list[None]:
    """An entry for each time that it is computed anew what is wanted."""
    intent = router.reconciler.intent
    assert intent is not None
    read, readings = intent.tree, list[None]()

    def tree() -> object:
        readings.append(None)
        return read()

    object.__setattr__(intent, "tree", tree)
    return readings


async def test_what_is_only_noted_is_told_while_it_is_known_and_when_it_is_lost_and_never_waited_for(
    router: Router, source: Source
) -> None:
    router.intend({"a": Link(NOTED, 5)})
    assert await router.step() == ["create link a"]
    assert told(router) == [], "what never was is not missed"
    source.facts[A] = ("7",)
    assert await router.step() == []
    assert told(router) == [(A, ("7",))]
    source.facts.clear()
    for _ in range(2):
        assert await router.step() == []
        assert told(router) == [(A, ())]
    assert router.state("link", "a") is None


async def test_what_was_lost_before_a_restart_is_told_as_lost_after_it(
    router: Router, source: Source
) -> None:
    source.facts[A] = ("7",)
    router.intend({"a": Link(NOTED, 5)})
    await router.step()
    source.facts.clear()
    await router.step()

    again = Router(router.world)
    again.reconciler.facts.sources = source.learn
    again.reconciler.facts.restore(router.reconciler.facts.last())
    again.intend({"a": Link(NOTED, 5)})
    await again.step()
    assert told(again) == [(A, ())]


async def test_what_is_only_noted_computes_nothing_anew_and_has_nothing_tried_again(
    router: Router, source: Source
) -> None:
    """However often it changes: anybody on a link can send router advertisements."""
    router.world.fault = lambda _kind, change: Transient("busy") if change.key == "b" else None
    router.intend({"a": Link(NOTED, 5), "b": Link("red")})
    assert await router.step() == ["create link a", "create link b"]
    readings = count_readings(router)
    for value in ("7", "8", "9"):
        source.facts[A] = (value,)
        assert await router.step() == []
        assert told(router) == [(A, (value,))]
    assert readings == []


async def test_what_may_be_none_follows_what_is_known_and_waits_for_nothing(
    router: Router, source: Source
) -> None:
    router.intend({"a": Link(COUNTED)})
    assert await router.step() == ["create link a"]
    for values in (("7", "8"), ("8",), ()):
        source.facts = {A: values} if values else {}
        assert await router.step() == ["update link a"]
        assert router.world.links["a"].size == 10 + len(values)
    assert await router.step() == []
    assert router.drift() == []


async def test_what_holds_longer_or_shorter_now_is_followed_and_is_no_drift(
    router: Router, source: Source
) -> None:
    source.facts[A], source.ends = ("7",), {"7": 100.0}
    router.intend({"a": Link(LEASED)})
    assert await router.step() == ["create link a"]
    for end in (200.0, 150.0):
        source.ends["7"] = end
        assert await router.step() == ["update link a"]
        assert router.world.links["a"].size == end
    assert await router.step() == []
    assert router.drift() == []


async def test_terms_that_nobody_asked_for_compute_nothing_anew(router: Router, source: Source) -> None:
    source.facts[A], source.ends = ("7",), {"7": 100.0}
    router.intend(LINK)
    await router.step()
    readings = count_readings(router)
    source.ends["7"] = 200.0
    assert await router.step() == []
    assert readings == []
    assert router.reconciler.facts.terms_of(A, "7").valid_until == 200.0, "people see them all the same"


async def test_other_terms_alone_have_nothing_tried_again(router: Router, source: Source) -> None:
    source.facts[A], source.ends = ("7",), {"7": 100.0}
    router.world.fault = lambda _kind, change: Transient("busy") if change.key == "b" else None
    router.intend({"a": Link(LEASED), "b": Link("red")})
    assert await router.step() == ["create link a", "create link b"]
    source.ends["7"] = 200.0
    assert await router.step() == ["update link a"]
    source.facts[A] = ("8",)
    assert await router.step() == ["create link b"]


async def test_a_restart_with_the_terms_as_they_are_changes_nothing(router: Router, source: Source) -> None:
    """Terms are not remembered: a lease that was known before must not seem to hold for ever meanwhile."""
    source.facts[A], source.ends = ("7",), {"7": 100.0}
    router.intend({"a": Link(LEASED)})
    await router.step()
    intent, kept = router.reconciler.intent, router.reconciler.facts.last()
    assert intent is not None

    again = Router(router.world)
    again.reconciler.facts.sources, again.reconciler.facts.terms = source.learn, source.terms
    again.reconciler.facts.restore(kept)
    again.reconciler.resume(intent, intent)
    assert await again.step() == []
    assert again.world.links["a"].size == 100
    assert again.drift() == []


@pytest.mark.parametrize("color", [LEARNED, LEASED])
async def test_a_source_that_never_comes_to_rest_keeps_no_step_from_ending(
    router: Router, source: Source, color: str
) -> None:
    source.facts[A] = ("2",)
    router.intend({"a": Link(color), "b": Link("red")})
    looks = 0

    def learn(asked: Collection[FactKey], observed: object, before: Facts) -> Facts:
        nonlocal looks
        looks += 1
        source.facts = {A: (str(2 + looks % 2),)} if color == LEARNED else {A: ("2",)}
        source.ends = {"2": 100.0 + looks}
        return source.learn(asked, observed, before)

    router.reconciler.facts.sources = learn
    assert {"create link a", "create link b"} <= set(await router.step())
    router.reconciler.facts.sources = source.learn
    router.clock.now += 3600
    await router.step()
    assert router.world.links["a"].size == int(source.ends["2"] if color == LEASED else source.facts[A][0])
    assert await router.step() == []


@given(st.lists(st.tuples(st.sampled_from([(), ("7",), ("7", "8")]), st.integers(2, 5)), max_size=12))
async def test_whatever_values_and_terms_come_and_go_the_last_word_counts(
    words: list[tuple[tuple[str, ...], int]],
) -> None:
    source, router = Source(), Router()
    router.reconciler.facts.sources, router.reconciler.facts.terms = source.learn, source.terms
    router.intend({"a": Link(LEASED), "a2": Link(COUNTED)})
    last = None
    for values, end in words:
        source.facts = {A: values, FactKey("a2", "addresses"): values} if values else {}
        source.ends = {value: float(end) for value in values}
        last = end if values else last
        await router.step()
    sizes = {name: link.size for name, link in router.world.links.items()}
    expected = {"a2": 10 + len(words[-1][0])} | ({"a": last} if last else {}) if words else {}
    assert sizes == expected
    assert router.drift() == []
    assert not words or await router.step() == []


def test_news_moves_something_only_where_something_is_made_of_it() -> None:
    source, book = Source(), FactBook()
    book.sources, book.terms = source.learn, source.terms
    known = Known()
    known.note("a", "addresses")
    known.some("b", "addresses")
    book.ask(known)
    source.facts = {A: ("7",)}
    assert book.learn({}, 1.0)
    assert not book.moved
    source.facts = {A: ("7",), FactKey("b", "addresses"): ("8",)}
    assert book.learn({}, 2.0)
    assert book.moved
    assert not book.learn({}, 3.0)
    assert not book.moved


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
