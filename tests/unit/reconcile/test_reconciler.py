"""The reconciler against a small world that behaves as a kernel does."""

import asyncio
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tasuki_agent.errors import Foreign, Permanent, Transient
from tasuki_agent.intent import Intent
from tasuki_agent.kind import Delete, Ref
from tasuki_agent.reconcile.compare import Class
from tasuki_agent.reconcile.drift import Action, DriftItem
from tasuki_agent.reconcile.reconciler import Reconciler
from tasuki_agent.reconcile.status import CONTENDED_REPAIRS, State

from .world import Address, Link, World


@dataclass
class Clock:
    now: float = 1_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Router:
    """A reconciler with its world, and what it said."""

    world: World = field(default_factory=World)
    clock: Clock = field(default_factory=Clock)
    set_back: float = 0.0
    """Seconds by which somebody has set the wall clock back."""
    met: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.reconciler = Reconciler(
            self.world.kinds(),
            self.clock,
            self.uptime,
            on_applied=lambda intent: self.met.append(intent.revision),
        )

    def uptime(self) -> float:
        return self.clock.now + self.set_back

    def intend(self, links: dict[str, Link], addresses: dict[Any, Address] | None = None) -> None:
        tree: Any = {"link": links, "address": addresses or {}}
        before = self.reconciler.intent
        revision = before.revision + 1 if before else 1
        self.reconciler.set_intent(Intent(revision, repr(tree).encode(), 0.0, lambda: tree))

    async def step(self) -> list[str]:
        """One step with everything dirty. Returns the changes made."""
        self.world.log.clear()
        self.reconciler.mark_dirty(kind.name for kind in self.reconciler.kinds)
        await self.reconciler.step()
        return list(self.world.log)

    def drift(self) -> list[DriftItem]:
        return [item for _, item in self.reconciler.drift.unacknowledged()]

    def ref(self, kind: str, key: Any) -> Ref:
        return Ref(kind, key)

    def state(self, kind: str, key: Any) -> State | None:
        status = self.reconciler.board.get(self.ref(kind, key))
        return status.state if status else None


@pytest.fixture
def router() -> Router:
    return Router()


ONE_LINK = {"a": Link("red", 5)}
ONE_ADDRESS = {("a", "1"): Address(64)}


async def test_nothing_is_changed_before_there_is_an_intent(router: Router) -> None:
    router.world.links["a"] = Link("red")
    assert await router.step() == []
    assert router.world.links


async def test_an_empty_intent_removes_what_is_ours_and_nothing_else(router: Router) -> None:
    router.world.links = {"a": Link("red", 0), "b": Link("red", 0, ours=False)}
    router.intend({})
    assert await router.step() == ["delete link a"]
    assert set(router.world.links) == {"b"}


async def test_nothing_is_changed_on_an_observation_that_failed(router: Router) -> None:
    router.intend(ONE_LINK)
    router.world.blind = True
    with pytest.raises(Transient):
        await router.reconciler.step()
    assert router.world.log == []
    router.world.blind = False
    await router.reconciler.step()
    assert router.world.log == ["create link a"], "what could not be observed stays dirty"


async def test_what_is_referred_to_is_created_first_and_deleted_last(router: Router) -> None:
    router.intend({"a": Link("red"), "a+": Link("red")}, {("a+", "1"): Address(64)})
    assert await router.step() == ["create link a", "create link a+", "create address a+ 1"]
    router.intend({})
    log = await router.step()
    assert log[0] == "delete address a+ 1"
    assert not router.world.links


async def test_a_second_step_changes_nothing(router: Router) -> None:
    router.intend(ONE_LINK, ONE_ADDRESS)
    await router.step()
    assert await router.step() == []
    assert router.met == [1], "an intent is met once"


async def test_what_cannot_change_in_place_is_made_anew_with_all_that_needs_it(router: Router) -> None:
    router.intend(ONE_LINK, ONE_ADDRESS)
    await router.step()
    router.intend({"a": Link("blue", 5)}, ONE_ADDRESS)
    assert await router.step() == ["delete link a", "create link a", "create address a 1"]
    assert router.drift() == [], "a change of intent is no drift"


async def test_what_an_object_needs_is_looked_at_with_it(router: Router) -> None:
    router.intend(ONE_LINK, ONE_ADDRESS)
    await router.step()
    router.world.links.clear()
    router.world.addresses.clear()
    router.world.log.clear()
    router.reconciler.mark_dirty(["address"])
    await router.reconciler.step()
    assert router.world.log == ["create link a", "create address a 1"]


async def test_what_failed_for_want_of_an_object_is_made_right_after_it(router: Router) -> None:
    router.intend(ONE_LINK, ONE_ADDRESS)
    await router.step()
    router.world.addresses.clear()
    router.world.fault = lambda kind, _: Transient("link a does not exist") if kind == "address" else None
    assert await router.step() == ["create address a 1"]
    assert router.state("address", ("a", "1")) is State.FAILED
    router.world.links.clear()
    router.world.fault = lambda _kind, _change: None
    assert await router.step() == ["create link a", "create address a 1"]


async def test_an_unmanaged_field_does_not_drift(router: Router) -> None:
    router.intend({"a": Link("red")})
    await router.step()
    router.world.links["a"] = Link("red", 77)
    assert await router.step() == []


class TestWaiting:
    async def test_an_object_waits_for_what_it_needs_and_what_needs_it_waits_too(
        self, router: Router
    ) -> None:
        router.intend({"x+": Link("red")}, {("x+", "1"): Address(64)})
        assert await router.step() == []
        status = router.reconciler.board.get(Ref("link", "x+"))
        assert status is not None
        assert (status.state, status.message, status.since) == (State.WAITING, "waits for link x", 1_000.0)
        assert router.state("address", ("x+", "1")) is State.WAITING
        assert router.met == [1], "waiting is no failure"

    async def test_it_is_made_when_the_foreign_object_that_it_needs_appears(self, router: Router) -> None:
        router.intend({}, {("lan", "1"): Address(64)})
        await router.step()
        router.world.links["lan"] = Link("green", 0, ours=False)
        assert await router.step() == ["create address lan 1"]
        assert router.state("address", ("lan", "1")) is None

    async def test_since_is_kept_while_it_waits(self, router: Router) -> None:
        router.intend({}, ONE_ADDRESS)
        await router.step()
        router.clock.now += 30
        await router.step()
        status = router.reconciler.board.get(Ref("address", ("a", "1")))
        assert status is not None
        assert status.since == 1_000.0


class TestForeign:
    async def test_a_foreign_object_with_our_name_is_reported_and_left_alone(self, router: Router) -> None:
        foreign = Link("green", 9, ours=False)
        router.world.links["a"] = foreign
        router.intend(ONE_LINK, ONE_ADDRESS)
        assert await router.step() == []
        assert router.world.links == {"a": foreign}
        assert router.state("link", "a") is State.FOREIGN
        assert router.state("address", ("a", "1")) is State.WAITING, "nothing is put on a foreign link"
        assert router.met == []

    async def test_ours_takes_its_place_once_it_is_gone(self, router: Router) -> None:
        router.world.links["a"] = Link("green", 9, ours=False)
        router.intend(ONE_LINK, ONE_ADDRESS)
        await router.step()
        del router.world.links["a"]
        assert await router.step() == ["create link a", "create address a 1"]
        assert router.met == [1]


class TestDrift:
    async def test_a_missing_object_is_reported_and_healed(self, router: Router) -> None:
        router.intend(ONE_LINK)
        await router.step()
        del router.world.links["a"]
        assert await router.step() == ["create link a"]
        (item,) = router.drift()
        assert (item.class_, item.path, item.intended, item.action) == (
            Class.MISSING,
            "/link[name='a']",
            "color=red size=5",
            Action.HEALED,
        )

    async def test_each_changed_field_is_an_item_of_its_own(self, router: Router) -> None:
        router.intend(ONE_LINK)
        await router.step()
        router.world.links["a"] = Link("blue", 6)
        await router.step()
        assert {(i.path, i.class_, i.intended, i.observed) for i in router.drift()} == {
            ("/link[name='a']/color", Class.CHANGED, "red", "blue"),
            ("/link[name='a']/size", Class.CHANGED, "5", "6"),
        }
        assert {item.action for item in router.drift()} == {Action.HEALED}

    async def test_an_unexpected_object_of_ours_is_reported_and_removed(self, router: Router) -> None:
        router.intend(ONE_LINK)
        await router.step()
        router.world.addresses["a", "9"] = Address(64, ours=False)
        assert await router.step() == ["delete address a 9"]
        (item,) = router.drift()
        assert (item.class_, item.observed, item.action) == (Class.UNEXPECTED, "length=64", Action.HEALED)

    async def test_removing_from_the_intent_is_no_drift(self, router: Router) -> None:
        router.intend(ONE_LINK, ONE_ADDRESS)
        await router.step()
        router.intend({})
        await router.step()
        assert router.drift() == []

    async def test_drift_that_cannot_be_healed_says_why(self, router: Router) -> None:
        router.intend(ONE_LINK)
        await router.step()
        del router.world.links["a"]
        router.world.fault = lambda _kind, _change: Transient("link a: out of memory")
        await router.step()
        (item,) = router.drift()
        assert (item.action, item.message) == (Action.FAILED, "link a: out of memory")

    async def test_drift_that_ends_without_us_is_obsolete(self, router: Router) -> None:
        router.intend(ONE_LINK)
        await router.step()
        kept = router.world.links.pop("a")
        router.world.fault = lambda _kind, _change: Transient("not now")
        await router.step()
        router.world.links["a"] = kept
        await router.step()
        assert [item.action for item in router.drift()] == [Action.OBSOLETE]

    async def test_the_same_drift_soon_after_is_the_same_item_seen_again(self, router: Router) -> None:
        router.intend(ONE_LINK)
        await router.step()
        for _ in range(3):
            del router.world.links["a"]
            await router.step()
            router.clock.now += 1
        (item,) = router.drift()
        assert (item.count, item.first_seen, item.last_seen) == (3, 1_000.0, 1_002.0)

    async def test_a_stored_item_is_not_sent_again_until_it_changes(self, router: Router) -> None:
        router.intend(ONE_LINK)
        await router.step()
        del router.world.links["a"]
        await router.step()
        book = router.reconciler.drift
        book.acknowledge(max(n for n, _ in book.unacknowledged()))
        await router.step()
        assert router.drift() == []

    async def test_what_a_person_typed_over_ours_is_set_right(self, router: Router) -> None:
        router.world.links["lan"] = Link("green", 0, ours=False)
        router.intend({}, {("lan", "1"): Address(64)})
        await router.step()
        router.world.addresses["lan", "1"] = Address(80, ours=False, typed=True)
        assert await router.step() == ["delete address lan 1", "create address lan 1"]
        (item,) = router.drift()
        assert (item.class_, item.field, item.action) == (Class.CHANGED, "length", Action.HEALED)
        router.world.addresses["lan", "1"] = Address(64, ours=False, typed=True)
        assert await router.step() == ["delete address lan 1", "create address lan 1"], "the mark is put back"

    async def test_what_a_person_had_typed_before_us_is_foreign(self, router: Router) -> None:
        router.world.links["lan"] = Link("green", 0, ours=False)
        router.world.addresses["lan", "1"] = Address(80, ours=False, typed=True)
        router.intend({}, {("lan", "1"): Address(64)})
        assert await router.step() == []
        assert router.state("address", ("lan", "1")) is State.FOREIGN

    async def test_a_link_that_a_foreign_one_has_replaced_is_missing(self, router: Router) -> None:
        router.intend(ONE_LINK)
        await router.step()
        router.world.links["a"] = Link("red", 5, ours=False)
        assert await router.step() == []
        (item,) = router.drift()
        assert (item.class_, item.action) == (Class.MISSING, Action.FAILED)

    async def test_after_a_restart_what_differs_from_the_met_intent_is_drift(self, router: Router) -> None:
        router.intend(ONE_LINK)
        await router.step()
        del router.world.links["a"]
        again = Router(router.world, router.clock)
        intent = router.reconciler.intent
        assert intent is not None
        again.reconciler.resume(intent, intent)
        assert await again.step() == ["create link a"]
        assert [item.class_ for item in again.drift()] == [Class.MISSING]
        assert again.met == [], "it had been met before"

    async def test_after_a_restart_what_the_newer_intent_adds_is_work(self, router: Router) -> None:
        router.intend(ONE_LINK)
        await router.step()
        applied = router.reconciler.intent
        router.intend({**ONE_LINK, "b": Link("red")})
        newest = router.reconciler.intent
        assert newest is not None
        again = Router(router.world, router.clock)
        again.reconciler.resume(newest, applied)
        assert await again.step() == ["create link b"]
        assert again.drift() == []


class TestRetry:
    async def test_a_failed_change_is_not_repeated_before_its_time(self, router: Router) -> None:
        router.intend(ONE_LINK, ONE_ADDRESS)
        router.world.fault = lambda _kind, _change: Transient("busy")
        assert await router.step() == ["create link a"], "what needs it is not tried"
        assert await router.step() == []
        router.clock.now += 1.1
        assert await router.step() == ["create link a"]
        router.clock.now += 1.1
        assert await router.step() == [], "the delay doubles"

    async def test_a_clock_that_is_set_back_delays_nothing(self, router: Router) -> None:
        router.intend(ONE_LINK)
        router.world.fault = lambda _kind, _change: Transient("busy")
        await router.step()
        router.world.fault = lambda _kind, _change: None
        router.clock.now -= 1_000_000
        router.set_back = 1_000_002
        router.world.log.clear()
        await router.reconciler.step()
        assert router.world.log == ["create link a"]
        router.set_back += 61
        del router.world.links["a"]
        router.world.log.clear()
        await router.reconciler.step()
        assert router.world.log == ["create link a"], "everything is looked at every minute"

    async def test_what_could_not_be_removed_is_not_made_beside_it(self, router: Router) -> None:
        router.intend(ONE_LINK)
        await router.step()
        router.world.fault = lambda _kind, change: Transient("busy") if isinstance(change, Delete) else None
        router.intend({"a": Link("blue", 5)})
        assert await router.step() == ["delete link a"]
        assert router.state("link", "a") is State.FAILED

    async def test_a_new_intent_is_tried_at_once(self, router: Router) -> None:
        router.intend(ONE_LINK)
        router.world.fault = lambda _kind, _change: Permanent("invalid argument")
        await router.step()
        router.world.fault = lambda _kind, _change: None
        router.intend({"a": Link("red", 6)})
        assert await router.step() == ["create link a"]

    async def test_a_permanent_failure_does_not_stop_the_others(self, router: Router) -> None:
        router.intend({"a": Link("red"), "b": Link("red")})
        router.world.fault = lambda _kind, change: Permanent("no") if change.key == "a" else None
        await router.step()
        assert set(router.world.links) == {"b"}
        assert router.state("link", "a") is State.FAILED
        assert router.met == []

    async def test_a_change_without_effect_becomes_a_failure(self, router: Router) -> None:
        router.intend(ONE_LINK)
        await router.step()

        router.world.deaf = True
        router.intend({"a": Link("red", 6)})
        assert await router.step() == ["update link a", "update link a"]
        status = router.reconciler.board.get(Ref("link", "a"))
        assert status is not None
        assert status.state is State.FAILED
        assert "still differs in size" in status.message

    async def test_somebody_who_keeps_changing_it_back_is_detected(self, router: Router) -> None:
        router.intend(ONE_LINK)
        await router.step()
        for _ in range(CONTENDED_REPAIRS):
            router.world.links["a"] = Link("red", 6)
            assert await router.step() == ["update link a"]
            router.clock.now += 0.1
        router.world.links["a"] = Link("red", 6)
        assert await router.step() == [], "repairs are spaced out"
        assert router.state("link", "a") is State.CONTENDED
        assert router.drift()[0].action is Action.CONTENDED
        router.clock.now += 2
        assert await router.step() == ["update link a"]

    async def test_a_key_taken_by_somebody_unseen_is_foreign(self, router: Router) -> None:
        router.intend(ONE_LINK)
        router.world.fault = lambda _kind, _change: Foreign("link a: File exists")
        await router.step()
        assert router.state("link", "a") is State.FOREIGN


names = st.sampled_from(["a", "b", "c", "a+", "b+"])
links = st.dictionaries(names, st.builds(Link, st.sampled_from(["red", "blue"]), st.integers(1, 2)))
addresses = st.dictionaries(
    st.tuples(names, st.sampled_from("12")), st.builds(Address, st.sampled_from([64, 80]))
)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Any mix of ours and foreign, without addresses or upper links that have no link below."""
    there = {n: replace(link, ours=draw(st.booleans())) for n, link in draw(links).items()}
    there = {n: link for n, link in there.items() if not n.endswith("+") or n[:-1] in there}
    on = {k: replace(a, ours=draw(st.booleans())) for k, a in draw(addresses).items() if k[0] in there}
    return World(there, on)


def possible(links: dict[str, Link], world: World) -> set[str]:
    """Links that can be as wanted: not held by a foreigner, and the same for what they need."""
    free = {n for n in links if n not in world.links or world.links[n].ours}
    there = free | {n for n, link in world.links.items() if not link.ours}
    return {
        n
        for n in free
        if not n.endswith("+") or (n[:-1] in there and (n[:-1] not in links or n[:-1] in free))
    }


@given(worlds(), links, addresses, st.data())
async def test_it_converges_from_anywhere_and_never_touches_what_is_foreign(
    world: World, links: dict[str, Link], addresses: dict[Any, Address], data: st.DataObject
) -> None:
    foreign_links = {n: link for n, link in world.links.items() if not link.ours and not n.endswith("+")}
    router = Router(world)
    router.intend(links, addresses)
    faults = data.draw(st.integers(0, 3))

    def fault(_kind: str, _change: object) -> Transient | None:
        nonlocal faults
        faults -= 1
        return Transient("injected") if faults >= 0 else None

    world.fault = fault
    for _ in range(8):
        await router.step()
        router.clock.now += 61
    assert {n: world.links[n] for n in foreign_links} == foreign_links
    able = possible(links, world)
    for name in able:
        assert (world.links[name].color, world.links[name].size) == (links[name].color, links[name].size)
    for key, address in addresses.items():
        if key[0] in able and world.addresses.get(key, address).ours:
            assert world.addresses[key] == address
    assert await router.step() == []
    ours = {n for n, link in world.links.items() if link.ours}
    assert ours <= set(links), "nothing of ours is left that is not wanted"


async def test_a_whole_hub_that_vanishes_is_accounted_for_without_losing_an_item(router: Router) -> None:
    links = {f"l{n}": Link("red", 1) for n in range(3_000)}
    router.intend(links)
    await router.step()
    router.world.links.clear()
    await router.step()
    assert len(router.drift()) == len(links)
    assert {item.action for item in router.drift()} == {Action.HEALED}
    assert router.reconciler.drift.lost == 0


async def test_a_reconciler_that_is_woken_as_it_is_cancelled_ends() -> None:
    router = Router()
    running = asyncio.create_task(router.reconciler.run())
    for _ in range(10):
        await asyncio.sleep(0)  # until it waits
    router.reconciler.mark_dirty(kind.name for kind in router.reconciler.kinds)
    running.cancel()
    done, _ = await asyncio.wait({running}, timeout=60)
    assert done
