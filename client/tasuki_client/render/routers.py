"""How far routers are: the list, one router with its objects, and the account of a wait."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final

from rich.table import Table
from rich.text import Text
from tasuki_proto.v1.router_pb2 import ObjectCounts, ObjectStatus, Router

from tasuki_client.plain import name_of
from tasuki_client.render.tables import Cell, table
from tasuki_client.render.times import ago, moment
from tasuki_client.terminal import one_line

_STYLES: Final = {
    ObjectStatus.STATE_FAILED: "red",
    ObjectStatus.STATE_FOREIGN: "red",
    ObjectStatus.STATE_CONTENDED: "red",
    ObjectStatus.STATE_WAITING: "yellow",
    ObjectStatus.STATE_PENDING: "yellow",
}


def every(routers: Iterable[Router], now: datetime) -> Table:
    """One line for each router; DRIFT counts what is open, and what was seen in the last 24 hours."""
    return table(
        "ROUTER",
        "STATE",
        "REVISION",
        "OBJECTS",
        "WAITING",
        "FAILED",
        "DRIFT",
        "OBSERVED",
        rows=(_row(router, now) for router in routers),
        right=(2, 3, 4, 5, 6),
    )


def problems(routers: Iterable[Router]) -> Iterator[Text]:
    """What stands against a router as a whole, for below the list."""
    for router in routers:
        if router.problem:
            yield Text(one_line(f"{router.name}: {router.problem}"), style="red")


def one(router: Router, now: datetime) -> Iterator[Text | Table]:
    """A router in detail."""
    rows: list[tuple[str, Cell]] = [
        ("Router", Text(router.name, style="bold")),
        ("State", _state(router, now)),
        ("Address", one_line(router.peer) or "unknown"),
        ("Agent", one_line(router.agent_version) or "unknown"),
        ("Revision", _progress(router)),
        ("Observed", _observed(router, now)),
        ("Objects", _objects(router.counts)),
        ("Drift", f"{router.open_drift} open, {router.recent_drift} in the last 24 hours"),
    ]
    if router.problem:
        rows.append(("Problem", Text(one_line(router.problem), style="red")))
    if router.reverted:
        rows.append(("Reverted", Text(one_line(router.reverted), style="red")))
    yield table("", "", rows=rows)
    for status in router.objects:
        yield from _object(status, now)


def applied(router: Router) -> str:
    """The account of a router that has applied what was waited for."""
    waiting = [f"{o.kind} {o.key} ({o.message})" for o in router.objects if o.state == o.STATE_WAITING]
    rest = one_line(f"; waiting: {waiting[0]}") if waiting else ""
    if len(waiting) > 1:
        rest += f" and {len(waiting) - 1} more: tasuki routers {router.name}"
    return f"applied revision {router.applied_revision}{rest}"


def not_applied(router: Router, revision: int, now: datetime) -> str:
    """The account of a router that has not applied a revision."""
    if not router.connected:
        return f"offline ({_last_seen(router, now)}); it gets revision {revision} when it returns"
    reasons = [one_line(f"reverted: {router.reverted}")] if router.reverted else []
    reasons += [one_line(router.problem)] if router.problem else []
    reasons += [
        one_line(f"{o.kind} {o.key} {name_of(o, 'state')}" + (f" ({o.message})" if o.message else ""))
        for o in router.objects
        if o.state != o.STATE_WAITING
    ]
    standing = f"has not applied revision {revision} (it is at {router.applied_revision})"
    return "; ".join([standing, *reasons])


def _row(router: Router, now: datetime) -> tuple[Cell, ...]:
    counts = router.counts
    return (
        router.name,
        _state(router, now),
        _progress(router),
        f"{counts.done}/{counts.total}",
        _alarm(counts.waiting, "yellow"),
        _alarm(counts.failed, "red"),
        _alarm(router.open_drift, "red").append(f"/{router.recent_drift}", style=""),
        _observed(router, now),
    )


def _state(router: Router, now: datetime) -> Text:
    if router.connected and router.reverted:
        return Text("reverted", style="red")
    if router.connected:
        return Text("connected", style="green")
    return Text(_last_seen(router, now), style="red")


def _last_seen(router: Router, now: datetime) -> str:
    seen = moment(router, "last_seen")
    return f"seen {ago(seen, now)}" if seen else "never seen"


def _observed(router: Router, now: datetime) -> str:
    observed = moment(router, "observed_at")
    return ago(observed, now) if observed else "never"


def _progress(router: Router) -> str:
    if router.applied_revision >= router.intended_revision:
        return str(router.applied_revision)
    return f"{router.applied_revision} of {router.intended_revision}"


def _objects(counts: ObjectCounts) -> str:
    states = f"{counts.done} done, {counts.pending} pending, {counts.waiting} waiting, {counts.failed} failed"
    return f"{counts.total}: {states}"


def _alarm(number: int, style: str) -> Text:
    return Text(str(number), style=style if number else "")


def _object(status: ObjectStatus, now: datetime) -> Iterator[Text]:
    since = moment(status, "since")
    line = Text(f"{name_of(status, 'state'):<10}", style=_STYLES.get(status.state, ""))
    line.append(one_line(f"{status.kind} {status.key}"), style="bold")
    line.append(f" since {ago(since, now)}" if since else "")
    if status.attempts > 1:
        line.append(f", {status.attempts} attempts")
    if status.next_try.seconds > now.timestamp():
        line.append(f", next in {status.next_try.seconds - int(now.timestamp())} s")
    yield line
    for text in (status.message, status.path):
        if text:
            yield Text(" " * 10 + one_line(text), style="" if text is status.message else "dim")
