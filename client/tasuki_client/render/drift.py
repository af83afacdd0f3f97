"""Drift as people read it: what differed, what became of it, and on what evidence that rests."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final

from rich.text import Text
from tasuki_proto.v1.drift_pb2 import DriftItem, Evidence, ListDriftResponse

from tasuki_client.plain import name_of
from tasuki_client.render.changes import count
from tasuki_client.render.times import ago, moment
from tasuki_client.terminal import one_line

_STYLES: Final = {
    DriftItem.ACTION_HEALED: "green",
    DriftItem.ACTION_OBSOLETE: "dim",
    DriftItem.ACTION_PENDING: "yellow",
    DriftItem.ACTION_FAILED: "red",
    DriftItem.ACTION_CONTENDED: "red",
}
CLOSED: Final = (DriftItem.ACTION_HEALED, DriftItem.ACTION_OBSOLETE)


def report(answer: ListDriftResponse, now: datetime) -> Iterator[Text]:
    """Every item, then how much is open, then the age of the evidence for each router."""
    for entry in answer.items:
        yield from item(entry, now)
    still_open = sum(entry.action not in CLOSED for entry in answer.items)
    if answer.items:
        yield Text(f"{count(len(answer.items), 'item')}, {still_open} open.", style="bold")
    else:
        yield Text("No drift, as far as the evidence goes:", style="bold")
    if answer.incomplete:
        yield Text("There are older ones: name a router, or list only what is open.", style="yellow")
    yield from evidence(answer.evidence, now)


def item(entry: DriftItem, now: datetime) -> Iterator[Text]:
    """One item: the object and its class, the values, what became of it, its path."""
    kind = name_of(entry, "class")
    line = Text(one_line(f"{entry.router}: {entry.kind} {entry.key} {entry.field}".rstrip()), style="bold")
    line.append(f" {kind}", style="yellow")
    values = _values(entry)
    yield line.append(one_line(f": {values}") if values else "")
    yield Text("  ").append_text(_became(entry, now)).append(_seen(entry, now))
    if entry.message:
        yield Text("  " + one_line(entry.message))
    yield Text("  " + one_line(entry.path), style="dim")


def evidence(each: Iterable[Evidence], now: datetime) -> Iterator[Text]:
    """When each router was last observed. Without that, no drift means nothing."""
    for one in each:
        observed = moment(one, "observed_at")
        if observed is None:
            yield Text(f"  {one.router}: never observed, nothing is known about it", style="red")
        elif one.connected:
            yield Text(f"  {one.router}: observed {ago(observed, now)}")
        else:
            text = f"  {one.router}: offline, observed {ago(observed, now)}, nothing is known since"
            yield Text(text, style="yellow")


def _values(entry: DriftItem) -> str:
    if entry.intended and entry.observed:
        return f"{entry.intended} intended, {entry.observed} observed"
    if entry.intended:
        return f"{entry.intended} intended"
    return f"{entry.observed} observed" if entry.observed else ""


def _became(entry: DriftItem, now: datetime) -> Text:
    became = Text(name_of(entry, "action"), style=_STYLES.get(entry.action, ""))
    if healed := moment(entry, "healed_at"):
        became.append(f" {ago(healed, now)}")
    return became


def _seen(entry: DriftItem, now: datetime) -> str:
    first, last = moment(entry, "first_seen"), moment(entry, "last_seen")
    seen = f", first seen {ago(first, now)}" if first else ""
    if last and entry.count > 1:
        seen += f", {entry.count} times, last {ago(last, now)}"
    return seen
