"""Points in time as people say them."""

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from google.protobuf.message import Message

_UNITS: Final = (("d", 86_400, 2), ("h", 3_600, 2), ("min", 60, 2), ("s", 1, 1))
"""Unit, its seconds, and how many of it an age must have to be told in it."""
_AGE: Final = re.compile(r"(\d{1,6})(s|m|h|d)")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


def moment(message: "Message", field: str) -> datetime | None:
    """A message's time, or None where it is not set."""
    if not message.HasField(field):
        return None
    at: datetime = getattr(message, field).ToDatetime(tzinfo=UTC)
    return at


def ago(at: datetime, now: datetime) -> str:
    """How long ago, in the largest unit of which it has two: "90 s ago" and "2 min ago"."""
    span = _span(now - at)
    return f"{span} ago" if span else "now"


def left(end: datetime, now: datetime) -> str:
    """How long it takes still, in the same units."""
    return _span(end - now) or "over"


def _span(time: timedelta) -> str:
    seconds = time.total_seconds()
    for unit, size, least in _UNITS:
        if seconds >= least * size:
            return f"{int(seconds // size)} {unit}"
    return ""


def point_in_time(text: str, now: datetime) -> datetime:
    """Read "30m", "24h", "7d" (an age) or an RFC 3339 time.

    Raises:
        ValueError: it is neither; the message says what is allowed.
    """
    if age := _AGE.fullmatch(text):
        return now - timedelta(seconds=int(age[1]) * _SECONDS[age[2]])
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(
            f"'{text}' is no time: write an age such as 30m, 24h or 7d, or 2026-11-20T09:30:00Z"
        ) from error
    return at if at.tzinfo else at.astimezone()
