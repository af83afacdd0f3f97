"""Times as the SQLite store's rows have them: microseconds since 1970, which sort and compare as numbers."""

from datetime import UTC, datetime, timedelta
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def microseconds(when: datetime) -> int:
    """A time as rows have it."""
    return (when - _EPOCH) // timedelta(microseconds=1)


def time_of(count: int) -> datetime:
    """The time of so many microseconds."""
    return _EPOCH + timedelta(microseconds=count)
