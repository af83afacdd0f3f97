"""Which address of a name is used, and how often the DNS is asked."""

import asyncio
import itertools
import logging
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tasuki_agent.facts import names
from tasuki_agent.facts.names import SOURCE, Answer, Unresolved, keep_seconds, retry_seconds, sort_out, stay
from tasuki_yang.facts import FactKey

addresses = st.lists(st.sampled_from([f"2001:db8::{n:x}" for n in range(1, 20)]), unique=True, max_size=6)
answers = st.lists(addresses, max_size=12)


@given(answers)
def test_the_present_address_changes_only_when_an_answer_is_without_it(answers: list[list[str]]) -> None:
    values: tuple[str, ...] = ()
    for answer in answers:
        before, values = values, stay(values, answer)
        if before and (not answer or before[0] in answer):
            assert values[0] == before[0]


@given(addresses, addresses, st.randoms())
def test_the_order_of_an_answer_changes_nothing(held: list[str], answer: list[str], random: object) -> None:
    for order in itertools.islice(itertools.permutations(answer), 24):
        assert stay(tuple(held), order) == stay(tuple(held), answer)


@given(addresses, addresses)
def test_the_values_are_those_of_the_answer_each_once(held: list[str], answer: list[str]) -> None:
    values = stay(tuple(held), answer)
    assert sorted(values) == sorted(answer or held)


@given(answers)
def test_the_same_answer_twice_changes_nothing(answers: list[list[str]]) -> None:
    values: tuple[str, ...] = ()
    for answer in answers:
        values = stay(values, answer)
        assert stay(values, answer) == values


def test_the_lowest_takes_over_by_number_and_not_by_spelling() -> None:
    assert stay(("2001:db8::1",), ["2001:db8::10", "2001:db8::9"]) == ("2001:db8::9", "2001:db8::10")


@pytest.mark.parametrize("odd", ["::1", "fe80::1", "::", "ff02::1", "::ffff:192.0.2.1", "192.0.2.1", "", "x"])
def test_what_no_tunnel_can_end_at_is_sorted_out(odd: str) -> None:
    assert sort_out([odd, "2001:DB8::0:1"]) == (frozenset({"2001:db8::1"}), frozenset({odd}))


@pytest.mark.parametrize(("ttl", "seconds"), [(0, 5), (300, 300), (2**31 - 1, 86_400)])
def test_a_time_to_live_is_kept_within_bounds(ttl: int, seconds: int) -> None:
    assert keep_seconds(ttl) == seconds


def test_tries_become_rarer_up_to_about_a_minute() -> None:
    assert [retry_seconds(failures) for failures in (1, 2, 3, 7, 8, 100_000)] == [1, 2, 4, 64, 64, 64]


def test_what_an_earlier_run_knew_counts_until_there_is_an_answer(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    key = FactKey("gw.example.net", "addresses")
    source = SOURCE(Path("/nonexistent"))
    known = {key: ("2001:db8::2", "2001:db8::1")}
    assert source.learn([key], {}, known) == known
    assert source.learn([], {}, known) == {}
    assert not caplog.records


async def test_who_only_looks_has_no_name_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked_for: list[str] = []

    async def resolve(name: str, _servers: list[str]) -> Answer:
        asked_for.append(name)
        return Answer(("2001:db8::1",), 3600)

    monkeypatch.setattr(names, "resolve", resolve)
    gw, other = FactKey("gw.example.net", "addresses"), FactKey("other.example.net", "addresses")
    source, known = SOURCE(Path("/nonexistent")), asyncio.Event()
    source.learn([gw], {}, {})
    run = asyncio.create_task(source.run(known.set))
    assert source.peek([other], {}, {}) == {}
    assert source.peek([other], {}, {other: ("2001:db8::2",)}) == {other: ("2001:db8::2",)}
    async with asyncio.timeout(10):
        await known.wait()
    assert source.peek([gw, other], {}, {}) == {gw: ("2001:db8::1",)}
    assert asked_for == ["gw.example.net"]
    run.cancel()


async def test_a_name_without_an_answer_says_since_when_and_why_until_there_is_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    failing, news = True, asyncio.Event()

    async def resolve(_name: str, _servers: list[str]) -> Answer:
        if failing:
            raise Unresolved("SERVFAIL")
        return Answer(("2001:db8::1",), 3600)

    monkeypatch.setattr(names, "resolve", resolve)
    gw, source = FactKey("gw.example.net", "addresses"), SOURCE(Path("/nonexistent"))
    known = {gw: ("2001:db8::1",)}
    source.learn([gw], {}, known)
    assert source.doubts() == {}
    run = asyncio.create_task(source.run(news.set))
    async with asyncio.timeout(10):
        await news.wait()
        assert source.peek([gw], {}, known) == known
        (doubt,) = source.doubts().values()
        assert (doubt.startswith("no answer since "), doubt.endswith(" UTC: SERVFAIL")) == (True, True)
        failing = False
        news.clear()
        await news.wait()
    assert source.doubts() == {}
    run.cancel()


async def test_the_source_ends_also_when_an_answer_comes_at_that_very_moment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asking = asyncio.Event()

    async def resolve(_name: str, _servers: list[str]) -> Answer:
        asking.set()
        with suppress(asyncio.CancelledError):  # as asyncio.wait_for does then in Python 3.11
            await asyncio.Event().wait()
        return Answer(("2001:db8::1",), 3600)

    monkeypatch.setattr(names, "resolve", resolve)
    source = SOURCE(Path("/nonexistent"))
    source.learn([FactKey("gw.example.net", "addresses")], {}, {})
    run = asyncio.create_task(source.run(lambda: None))
    await asking.wait()
    run.cancel()
    async with asyncio.timeout(10):
        with suppress(asyncio.CancelledError):
            await run


def test_a_router_without_names_does_not_pay_for_a_resolver() -> None:
    program = """
import sys
from pathlib import Path
from tasuki_agent.facts import Sources
Sources.load(Path("/nonexistent")).learn([], {}, {})
print("dns" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout == "False\n"
