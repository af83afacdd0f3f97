"""What becomes of commits: how each router stands, and the events of a confirmed commit."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final

from rich.table import Table
from rich.text import Text
from tasuki_proto.v1.config_pb2 import RouterOutcome, WatchCommitsResponse

from tasuki_client.plain import name_of
from tasuki_client.render.changes import count
from tasuki_client.render.tables import table
from tasuki_client.render.times import moment
from tasuki_client.terminal import one_line

_STYLES: Final = {
    "applied": "green",
    "waiting": "yellow",
    "pending": "yellow",
    "offline": "yellow",
    "failed": "red",
    "reverted": "red",
}
_EVENT_STYLES: Final = {
    WatchCommitsResponse.EVENT_COMPLETE: "green",
    WatchCommitsResponse.EVENT_CANCEL: "red",
    WatchCommitsResponse.EVENT_TIMEOUT: "red",
}
_EVENT: Final = 8
"""Columns of the longest name of an event."""


def outcomes(routers: Iterable[RouterOutcome]) -> Table:
    """One line for each router: how it stands, and why."""
    return table(
        "ROUTER",
        "OUTCOME",
        "CHANGES",
        "",
        rows=(
            (
                one_line(r.router),
                _outcome(r),
                count(len(r.changes), "change") if r.changes else "",
                one_line(r.message),
            )
            for r in routers
        ),
    )


def account(outcome: RouterOutcome) -> str:
    """How a router stands, in a line."""
    return one_line(": ".join(filter(None, (outcome.router, outcome.outcome, outcome.message))))


def event(told: WatchCommitsResponse, now: datetime) -> Iterator[Text]:
    """What happened to a commit, then to each of its routers."""
    at = moment(told, "time") or now
    line = Text(f"{at.astimezone():%H:%M:%S} ", style="dim")
    line.append(f"{name_of(told, 'event'):<{_EVENT}} ", style=_EVENT_STYLES.get(told.event, "bold"))
    line.append(f"revision {told.revision}", style="")
    line.append(one_line(f" by {told.author}") if told.author else "", style="")
    line.append(f", reverts in {left} s" if (left := seconds_left(told, now)) is not None else "", style="")
    yield line.append(one_line(f": {told.message}") if told.message else "", style="")
    for outcome in told.routers:
        yield (
            Text(" " * (_EVENT + 10) + one_line(outcome.router) + " ")
            .append_text(_outcome(outcome))
            .append(one_line(f": {outcome.message}") if outcome.message else "", style="")
        )


def countdown(told: WatchCommitsResponse, now: datetime) -> Text:
    """The line about a commit that awaits its confirmation."""
    return Text(
        f"Revision {told.revision} reverts in {seconds_left(told, now) or 0} s unless it is confirmed.",
        style="bold",
    )


def seconds_left(told: WatchCommitsResponse, now: datetime) -> int | None:
    """Until it reverts; None if it does not."""
    at = moment(told, "revert_at")
    return None if at is None else max(0, int((at - now).total_seconds()))


def _outcome(outcome: RouterOutcome) -> Text:
    return Text(outcome.outcome, style=_STYLES.get(outcome.outcome, ""))
