"""How long addresses last: as leases say it, and as the kernel counts it down.

The kernel deprecates and removes an address at its end by itself, also when the agent is not there any more.
"""

import math
from dataclasses import dataclass, field
from typing import Final, Self

from tasuki_yang.facts import Terms

INFINITY: Final = 0xFFFFFFFF
"""Seconds that never end (INFINITY_LIFE_TIME)."""
TOLERANCE: Final = 4
"""Seconds by which an end may be another one: the kernel counts in whole ones, and to look takes time."""
_LONGER: Final = 1
"""Seconds for which the kernel keeps an address after its end. An agent that is there takes it away before,
and never finds it missing."""


@dataclass(frozen=True, slots=True, eq=False)
class Lifetimes:
    """Until when an address is for new connections, and until when it is there: None for ever.

    In seconds of uptime (CLOCK_BOOTTIME). Equal are ends at about the same time, and any two that were past
    when they were seen: the kernel does not tell since when.
    """

    preferred_until: int | None
    valid_until: int | None
    seen_at: int = field(default=0, compare=False)

    def __eq__(self, other: object) -> bool:
        """Whether both end at about the same time."""
        if not isinstance(other, Lifetimes):
            return NotImplemented
        seen_at = max(self.seen_at, other.seen_at)
        return _about(self.preferred_until, other.preferred_until, seen_at) and _about(
            self.valid_until, other.valid_until, seen_at
        )

    # What is about equal has no hash.
    __hash__ = None  # type: ignore[assignment]

    @classmethod
    def left(cls, preferred: int, valid: int) -> Self | None:
        """Of so many seconds from no time in particular: `after` says from when. None for ever."""
        return cls(_finite(preferred), _finite(valid)) if min(preferred, valid) < INFINITY else None

    def after(self, now: float) -> Self:
        """The same from now on."""
        seen_at = int(now)
        return type(self)(_sum(self.preferred_until, seen_at), _sum(self.valid_until, seen_at), seen_at)

    def seconds(self, now: float) -> tuple[int, int]:
        """What the kernel is told: how long the address is preferred, and how long valid, from now on."""
        valid = INFINITY
        if self.valid_until is not None:
            valid = _whole(self.valid_until - now, at_least=1) + _LONGER
        preferred = INFINITY
        if self.preferred_until is not None:
            preferred = _whole(self.preferred_until - now, at_least=0)
        return min(preferred, valid), valid


ENDLESS: Final = Lifetimes(0, None)
"""Of what has no end, and is for no new connection."""


def of_lease(terms: Terms) -> Lifetimes | None:
    """Of what is leased, or None for ever. It is preferred no longer than it is valid, whatever is told."""
    preferred, valid = _moment(terms.preferred_until), _moment(terms.valid_until)
    if preferred is None or (valid is not None and valid < preferred):
        preferred = valid
    return None if preferred is None else Lifetimes(preferred, valid)


def of_former(terms: Terms) -> Lifetimes:
    """Of what was leased before: deprecated, and as long there as it is valid."""
    return Lifetimes(0, _moment(terms.valid_until))


def _about(one: int | None, other: int | None, seen_at: int) -> bool:
    if one is None or other is None:
        return one is other
    return abs(max(one, seen_at) - max(other, seen_at)) <= TOLERANCE


def _whole(seconds: float, at_least: int) -> int:
    """Whole seconds that the kernel takes for an end that comes."""
    return min(max(at_least, math.ceil(seconds)), INFINITY - 1 - _LONGER)


def _moment(uptime: float | None) -> int | None:
    """In whole seconds, as the kernel counts and people read."""
    return None if uptime is None else math.ceil(uptime)


def _finite(seconds: int) -> int | None:
    return None if seconds == INFINITY else seconds


def _sum(seconds: int | None, now: int) -> int | None:
    return None if seconds is None else now + seconds
