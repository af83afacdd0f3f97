"""Facts as people read them: what is known since when, what is lost, what is waited for and what to do."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import groupby
from typing import Final

from rich.table import Table
from rich.text import Text
from tasuki_proto.v1.fact_pb2 import Fact, FactChange, ListFactsResponse, Terms
from tasuki_yang.facts import NOUNS, FactKey

from tasuki_client.render.drift import evidence
from tasuki_client.render.tables import Cell, table
from tasuki_client.render.times import ago, left, moment
from tasuki_client.terminal import one_line

_WITHOUT_ENDS: Final = frozenset({"kernel", "dns"})
"""Origins that do not say how long what they tell holds."""


def known(answer: ListFactsResponse, now: datetime) -> Iterator[Table | Text]:
    """One line for each fact; below, what is missing or contested, and which routers are offline."""
    if not answer.facts:
        yield Text("Nothing in the intent depends on what a router learns.")
        return
    terms = ("FROM", "FOR") if any(fact.terms for fact in answer.facts) else ()
    headings = ("ROUTER", "FACT", "VALUE", "STATE", "SINCE", *terms)
    yield table(*headings, rows=(_row(fact, now)[: len(headings)] for fact in answer.facts))
    for fact in answer.facts:
        if fact.problem:
            yield Text(one_line(f"{fact.router}: {fact.subject}/{fact.noun}: {fact.problem}"), style="red")
        elif fact.unasked:
            yield _unasked(fact)
        elif fact.values and fact.unconfirmed:
            told = f"{fact.router}: {fact.subject}/{fact.noun}: {fact.unconfirmed}"
            yield Text(one_line(told), style="yellow")
        elif fact.lost or not fact.values:
            yield _missing(fact)
    yield from evidence((each for each in answer.evidence if not each.connected), now)


def changes(listed: Iterable[FactChange], now: datetime) -> Table:
    """One line for each change; those of one event are together."""
    events = groupby(listed, lambda change: change.event or change.number)
    return table(
        "EVENT",
        "WHEN",
        "ROUTER",
        "FACT",
        "CHANGE",
        "FOLLOWED BY",
        rows=(row for event, changed in events for row in _event(event, list(changed), now)),
        right=(0,),
    )


def _row(fact: Fact, now: datetime) -> tuple[Cell, ...]:
    since = moment(fact, "since")
    values = [one_line(value) for value in fact.values]
    terms = [_terms(each, now) for each in fact.terms]
    same = len(set(terms)) <= 1
    origins, ends = zip(*(terms[:1] if same else terms), strict=True) if terms else ((), ())
    return (
        one_line(fact.router),
        one_line(f"{fact.subject}/{fact.noun}"),
        (", " if same else "\n").join(values) or "-",
        _state(fact),
        ago(since, now) if since else "never told",
        "\n".join(origins),
        "\n".join(ends),
    )


def _terms(terms: Terms, now: datetime) -> tuple[str, str]:
    """Who told a value, and for how long it holds."""
    end = moment(terms, "valid_until")
    ever = "ever" if terms.origin and terms.origin not in _WITHOUT_ENDS else ""
    return one_line(terms.origin), left(end, now) if end else ever


def _state(fact: Fact) -> Text:
    if not fact.values:
        return Text("waiting", style="yellow")
    if fact.problem:
        return Text("contested", style="red")
    if fact.unasked:
        return Text("not told", style="yellow")
    if fact.unconfirmed:
        return Text("unconfirmed", style="yellow")
    return Text("lost", style="red") if fact.lost else Text("known", style="green")


def _missing(fact: Fact) -> Text:
    key = FactKey(fact.subject, fact.noun)
    hint = key.hint if fact.noun in NOUNS else ""
    state = "has lost" if fact.lost else "waits for"
    advice = f": {hint}" if hint else ""
    return Text(one_line(f"{fact.router} {state} {_what(key)}{advice}"), style="yellow")


def _unasked(fact: Fact) -> Text:
    what = _what(FactKey(fact.subject, fact.noun))
    text = (
        f"{fact.router} does not tell {what} any more, as its own configuration does not ask for it:"
        " the other ends of its tunnels stay where it was"
    )
    return Text(one_line(text), style="yellow")


def _what(key: FactKey) -> str:
    return key.text if key.noun in NOUNS else str(key)


def _event(number: int, changed: list[FactChange], now: datetime) -> Iterator[tuple[Cell, ...]]:
    """The changes in the order in which they were recorded. What they have in common is told once."""
    *others, first = changed
    when = moment(first, "time")
    yield (
        str(number),
        ago(when, now) if when else "unknown",
        one_line(first.router),
        *_change(first),
        one_line(", ".join(first.recompiled)) or "itself",
    )
    yield from (("", "", "", *_change(other), "") for other in reversed(others))


def _change(change: FactChange) -> tuple[str, str]:
    old, new = (", ".join(values) or "nothing" for values in (change.old_values, change.values))
    return one_line(f"{change.subject}/{change.noun}"), one_line(f"{old} → {new}")
