"""What becomes of facts with each report of a router."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from ipaddress import IPv6Network
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tasuki_controller.facts import (
    Fact,
    FactChange,
    Report,
    RouterFact,
    Told,
    audited,
    heard,
    holders,
    supposing,
)
from tasuki_controller.known import KnownFacts, changes
from tasuki_yang.facts import FactKey, Values

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
WAN = FactKey("wan0", "global-address")
PREFIX = FactKey("wan0", "delegated-prefix")
NAME = FactKey("gw.example.net", "addresses")
KEYS = [WAN, PREFIX, NAME]
ONE, TWO = ("2001:db8::1",), ("2001:db8::2",)

addresses = st.sampled_from([(), ONE, TWO])
prefixes = st.sampled_from([(), ("2001:db8:1200::/56",), ("2001:db8:1200::/48",), ("2001:db8:1201::/56",)])
reports = st.fixed_dictionaries({}, optional={WAN: addresses, NAME: addresses, PREFIX: prefixes})
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


def changed(before: Mapping[FactKey, Fact], now: Mapping[FactKey, Fact], *asked: FactKey) -> list[FactChange]:
    """What has changed of home's facts, all of them or those that are asked for."""
    old, new = (KnownFacts.of({"home": facts}) for facts in (before, now))
    return list(changes(old, new, {("home", key) for key in asked or KEYS}))


def test_a_fact_that_is_lost_and_comes_back_the_same_has_not_changed() -> None:
    lost, back = after({WAN: ONE}, {WAN: ()}), after({WAN: ONE}, {WAN: ()}, {WAN: ONE})
    assert not changed(after({WAN: ONE}), lost)
    assert not changed(lost, back)
    assert not back[WAN].lost


def test_a_fact_that_is_lost_and_comes_back_different_has_changed_once() -> None:
    lost, back = after({WAN: ONE}, {WAN: ()}), after({WAN: ONE}, {WAN: ()}, {WAN: TWO})
    assert changed(lost, back) == [FactChange("home", WAN, ONE, TWO)]


def test_what_no_end_is_made_of_is_nothing_while_it_is_lost() -> None:
    servers = FactKey("wan0", "dns-servers")
    lost, back = after({servers: ONE}, {servers: ()}), after({servers: ONE}, {servers: ()}, {servers: ONE})
    assert changed(after({servers: ONE}), lost, servers) == [FactChange("home", servers, ONE, ())]
    assert changed(lost, back, servers) == [FactChange("home", servers, (), ONE)]


def test_what_no_peer_asks_for_is_no_change() -> None:
    assert not changed({}, after({WAN: ONE, NAME: ONE}), PREFIX)


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
    assert KnownFacts.of({"home": after(*every)}).routers == {"home": known}


@given(histories, needs)
def test_nothing_has_changed_without_other_values(history: list[Report], needed: set[FactKey]) -> None:
    for end in range(1, len(history)):
        before, now = after(*history[:end], needed=needed), after(*history[: end + 1], needed=needed)
        found = [change for change in changed(before, now) if change.new]
        assert all(change.new != change.old for change in found)
        assert {change.key for change in found} == {
            key
            for key, fact in now.items()
            if fact.values and (key not in before or fact.values != before[key].values)
        }


@given(histories)
def test_the_same_report_again_changes_nothing(history: list[Report]) -> None:
    assert heard(after(*history), history[-1], set(), NOON + timedelta(days=1)) == after(*history)


# What several routers tell of

ROUTERS = ["a", "b", "c"]
rounds = st.lists(st.tuples(st.sampled_from(ROUTERS), reports), max_size=10)


def told_by(*rounds: tuple[str, Report]) -> Told:
    """What the routers have told after these reports, one a minute, all of it asked for."""
    told: dict[str, Mapping[FactKey, Fact]] = {}
    for minute, (router, report) in enumerate(rounds):
        told[router] = heard(told.get(router, {}), report, KEYS, NOON + timedelta(minutes=minute))
    return told


def followed(told: Told) -> list[tuple[RouterFact, IPv6Network]]:
    """The addresses and prefixes that peers follow."""
    return [
        ((router, key), IPv6Network(value))
        for router, facts in KnownFacts.of(told).routers.items()
        for key, values in facts.items()
        if key != NAME
        for value in values
    ]


def test_an_address_that_two_routers_tell_of_is_the_firsts() -> None:
    assert holders(told_by(("b", {WAN: ONE}), ("a", {WAN: ONE}))) == {("a", WAN): "b"}


@pytest.mark.parametrize("prefix", ["2001:db8:1200::/56", "2001:db8:1200::/48", "2001:db8:1200:1::/64"])
def test_a_prefix_that_overlaps_another_routers_is_not_followed(prefix: str) -> None:
    told = told_by(("b", {PREFIX: ("2001:db8:1200::/56",)}), ("a", {PREFIX: (prefix,)}))
    assert holders(told) == {("a", PREFIX): "b"}


def test_prefixes_next_to_each_other_are_both_followed() -> None:
    assert not holders(
        told_by(("b", {PREFIX: ("2001:db8:1200::/56",)}), ("a", {PREFIX: ("2001:db8:1200:100::/56",)}))
    )


def test_what_is_not_followed_is_in_nobodys_way() -> None:
    told = told_by(
        ("b", {PREFIX: ("2001:db8:1200::/56",)}),
        ("a", {PREFIX: ("2001:db8::/32",)}),
        ("c", {PREFIX: ("2001:db8:1300::/56",)}),
    )
    assert holders(told) == {("a", PREFIX): "b"}


def test_a_name_may_have_the_same_addresses_for_everybody_and_a_private_address_may_be_anywhere() -> None:
    report = {NAME: ONE, WAN: ("fd00::1",), PREFIX: ("fd00::/56",)}
    assert not holders(told_by(("a", report), ("b", report)))


def test_one_router_may_have_an_address_on_two_interfaces() -> None:
    assert not holders(told_by(("a", {WAN: ONE, FactKey("wan1", "global-address"): ONE})))


def test_routers_that_swap_their_ends_get_over_it() -> None:
    before = ("a", {WAN: ONE}), ("b", {WAN: TWO})
    between, done = (*before, ("a", {WAN: TWO})), (*before, ("a", {WAN: TWO}), ("b", {WAN: ONE}))
    assert holders(told_by(*between)) == {("a", WAN): "b"}
    assert KnownFacts.of(told_by(*between)).routers == {"a": {}, "b": {WAN: TWO}}
    assert KnownFacts.of(told_by(*done)).routers == {"a": {WAN: TWO}, "b": {WAN: ONE}}


def test_what_a_router_has_lost_is_another_ones_as_soon_as_that_tells_of_it() -> None:
    lost = ("b", {WAN: ONE}), ("b", {WAN: ()})
    assert not holders(told_by(*lost))
    assert holders(told_by(*lost, ("a", {WAN: ONE}))) == {("b", WAN): "a"}
    assert holders(told_by(*lost, ("a", {WAN: ONE}), ("b", {WAN: ONE}))) == {("b", WAN): "a"}


def test_what_several_routers_have_lost_stays_with_the_last_one_that_had_it() -> None:
    lost = ("b", {WAN: ONE}), ("a", {WAN: ONE}), ("b", {WAN: ()}), ("a", {WAN: ()})
    assert holders(told_by(*lost)) == {("b", WAN): "a"}


@given(rounds)
def test_no_two_routers_are_followed_to_one_end_and_what_is_not_followed_overlaps_what_is(
    rounds: list[tuple[str, Report]],
) -> None:
    told = told_by(*rounds)
    known = followed(told)
    for (one, network), (other, another) in product(known, known):
        assert one[0] == other[0] or one[1] != other[1] or not network.overlaps(another)
    for (router, key), holder in holders(told).items():
        (network,) = map(IPv6Network, told[router][key].values)
        assert holder != router
        assert any(one == (holder, key) and network.overlaps(another) for one, another in known)


@given(rounds, st.sampled_from(ROUTERS), reports)
def test_nobody_takes_what_a_router_has_and_goes_on_having(
    rounds: list[tuple[str, Report]], router: str, report: Report
) -> None:
    before, now = told_by(*rounds), told_by(*rounds, (router, report))
    mine = {
        (one, network)
        for one, network in followed(before)
        if one[0] != router and not before[one[0]][one[1]].lost
    }
    assert mine <= set(followed(now))


def test_what_is_supposed_comes_after_what_was_told_and_leaves_the_rest() -> None:
    told = told_by(("b", {WAN: ONE, NAME: TWO}), ("a", {WAN: TWO}))
    later = NOON + timedelta(days=1)
    assert supposing(told, {"b": {WAN: ONE}}, later) == told
    assert holders(supposing(told, {"b": {WAN: TWO}}, later)) == {("b", WAN): "a"}
    assert supposing(told, {"b": {WAN: TWO}}, later)["b"][NAME] == told["b"][NAME]


def test_a_line_and_a_name_are_put_on_record_and_not_what_only_follows_from_them() -> None:
    told = {
        "home": {
            key: Fact(("x",), NOON)
            for key in (
                FactKey("wan0", "global-address"),
                FactKey("wan0", "delegated-prefix"),
                FactKey("gw.example.net", "addresses"),
                FactKey("2001:db8::1", "local-address"),
            )
        },
        "vps": {FactKey("wan0", "global-address"): Fact(("y",), NOON)},
    }
    assert {key.noun for _, key in audited(told, ["home"])} == {
        "global-address",
        "delegated-prefix",
        "addresses",
    }
