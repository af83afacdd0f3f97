"""Commits: the list, and the head of one."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from rich.table import Table
from rich.text import Text
from tasuki_proto.v1.config_pb2 import Revision

from tasuki_client.render.changes import count
from tasuki_client.render.tables import table
from tasuki_client.render.times import ago, moment
from tasuki_client.terminal import one_line


def every(revisions: Iterable[Revision], now: datetime) -> Table:
    """One line for each commit."""
    return table(
        "REVISION",
        "WHEN",
        "AUTHOR",
        "FROM",
        "CHANGES",
        "COMMENT",
        rows=(
            (
                str(r.number),
                _when(r, now),
                one_line(r.author),
                one_line(r.peer),
                str(r.change_count),
                one_line(r.comment),
            )
            for r in revisions
        ),
        right=(0, 4),
    )


def heading(revision: Revision, now: datetime) -> Iterator[Text]:
    """Who made the commit, when, from where and why."""
    at = moment(revision, "time")
    exactly = at.astimezone().isoformat(" ", "seconds") if at else "at an unknown time"
    yield Text(f"Revision {revision.number}", style="bold").append(
        f", {exactly} ({_when(revision, now)}), {count(revision.change_count, 'change')}", style=""
    )
    yield Text(one_line(f"by {revision.author} from {revision.peer or 'an unknown address'}"))
    if revision.comment:
        yield Text(f"  {one_line(revision.comment)}")


def _when(revision: Revision, now: datetime) -> str:
    at = moment(revision, "time")
    return ago(at, now) if at else "unknown"
