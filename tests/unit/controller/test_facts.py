"""What becomes of facts with each report of a router."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from tasuki_controller.facts import Fact, FactChange, Report, changes, heard, values_of
from tasuki_yang.facts import FactKey, Values

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
WAN = FactKey("wan0", "global-address")
PREFIX = FactKey("wan0", "delegated-prefix")
NAME = FactKey("gw.example.net", "addresses")
KEYS = [WAN, PREFIX, NAME]
ONE, TWO = ("2001:db8::1",), ("2001:db8::2",)

values = st.sampled_from([(), ONE, TWO, ONE + TWO])
reports = st.dictionaries(st.sampled_from(KEYS), values)
histories = st.lists(reports, min_size=1, max_size=8)
needs = st.sets(st.sampled_from(KEYS))


def after(*history: Report, needed: set[FactKey] | None = None) -> Mapping[FactKey, Fact]:
    """What is known after these reports, one a minute."""
    told: Mapping[FactKey, Fact] = {}
    for minute, report in enumerate(history):
        told = heard(told, report, needed or set(), NOON + timedelta(minutes=minute))
    return told


def test_a_fact_has_the_values_of_the_report_and_the_time_at_which_they_came() -> None:
    assert after({WAN: ONE}, {WAN: TWO}, {WAN: TWO}) == {WAN: Fact(TWO, NOON + timedelta(minutes=1))}


def test_a_lost_fact_keeps_its_values_and_is_lost_since_then() -> None:
    assert after({WAN: ONE}, {WAN: ()}, {WAN: ()}) == {WAN: Fact(ONE, NOON + timedelta(minutes=1), lost=True)}


def test_a_fact_that_was_never_known_is_waited_for_since_it_was_asked_for() -> None:
    assert after({WAN: ()}, {WAN: ()}) == {WAN: Fact((), NOON)}


def test_a_fact_that_is_not_spoken_of_any_more_is_forgotten() -> None:
    assert after({WAN: ONE, PREFIX: ()}, {}) == {}


def test_a_fact_that_another_router_needs_is_kept_though_it_is_not_spoken_of() -> None:
    told = after({WAN: ONE, NAME: ONE}, {}, needed={WAN, PREFIX})
    assert told == {WAN: Fact(ONE, NOON + timedelta(minutes=1), lost=True)}


def test_a_fact_that_is_lost_and_comes_back_the_same_has_not_changed() -> None:
    lost, back = after({WAN: ONE}, {WAN: ()}), after({WAN: ONE}, {WAN: ()}, {WAN: ONE})
    assert not list(changes({"home": after({WAN: ONE})}, {"home": lost}))
    assert not list(changes({"home": lost}, {"home": back}))
    assert not back[WAN].lost


def test_a_fact_that_is_lost_and_comes_back_different_has_changed_once() -> None:
    lost, back = after({WAN: ONE}, {WAN: ()}), after({WAN: ONE}, {WAN: ()}, {WAN: TWO})
    assert list(changes({"home": lost}, {"home": back})) == [FactChange("home", WAN, ONE, TWO)]


@given(histories, needs)
def test_what_is_known_is_what_the_last_report_says_whatever_came_before(
    history: list[Report], needed: set[FactKey]
) -> None:
    told = after(*history, needed=needed)
    last = history[-1]
    assert last.keys() <= told.keys() <= last.keys() | needed
    for key, reported in last.items():
        assert told[key].lost == (not reported and bool(told[key].values))
        assert not reported or told[key].values == reported


@given(histories)
def test_what_a_router_always_speaks_of_has_the_last_values_that_it_had(history: list[Report]) -> None:
    every = [{key: report.get(key, ()) for key in KEYS} for report in history]
    known: dict[FactKey, Values] = {}
    for report in every:
        known |= {key: reported for key, reported in report.items() if reported}
    assert values_of({"home": after(*every)}) == {"home": known}


@given(histories, needs)
def test_nothing_has_changed_without_other_values(history: list[Report], needed: set[FactKey]) -> None:
    for end in range(1, len(history)):
        before, now = after(*history[:end], needed=needed), after(*history[: end + 1], needed=needed)
        found = list(changes({"home": before}, {"home": now}))
        assert all(change.new and change.new != change.old for change in found)
        assert {change.key for change in found} == {
            key
            for key, fact in now.items()
            if fact.values and (key not in before or fact.values != before[key].values)
        }


@given(histories)
def test_the_same_report_again_changes_nothing(history: list[Report]) -> None:
    assert heard(after(*history), history[-1], set(), NOON + timedelta(days=1)) == after(*history)
