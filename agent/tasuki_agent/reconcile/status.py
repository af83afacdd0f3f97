"""How each object stands, and when a change that failed is tried again."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum

from tasuki_agent.errors import ApplyError, Foreign, Permanent
from tasuki_agent.kind import Ref, Waiting

FIRST_RETRY = 1.0
"""Seconds until the second try of a change that failed; doubles with each further one."""
SETTLING_SECONDS = 5.0
"""So long an object may be of no use yet and count as under way; then it counts as waiting."""
LAST_RETRY = 60.0
"""Seconds between tries at the most."""
PERMANENT_RETRY = 300.0
"""Seconds until a hopeless change is tried all the same: the world may have changed without a word."""
CONTENDED_REPAIRS = 10
"""So many repairs of one object within `CONTENDED_WINDOW` mean that somebody keeps changing it back."""
CONTENDED_WINDOW = 60.0


class State(Enum):
    """How an object stands. What is as wanted has no entry."""

    PENDING = "pending"
    WAITING = "waiting"
    FAILED = "failed"
    FOREIGN = "foreign"
    CONTENDED = "contended"


@dataclass(frozen=True, slots=True)
class Moment:
    """One moment by two clocks: what people are told goes by the one, what is due by the other."""

    time: float
    """Seconds since the epoch. It may be set, back and forth."""
    uptime: float
    """Seconds of a clock that nobody sets."""


@dataclass(frozen=True, slots=True)
class Status:
    """Why one object is not as wanted."""

    state: State
    message: str
    since: float
    """Seconds since the epoch."""
    attempts: int = 0
    next_try: Moment | None = None


@dataclass(slots=True)
class StatusBoard:
    """The status of every object that is not as wanted."""

    _entries: dict[Ref, Status] = field(default_factory=dict)
    _repairs: dict[Ref, list[float]] = field(default_factory=dict)

    def __iter__(self) -> Iterator[tuple[Ref, Status]]:
        """Every object that is not as wanted."""
        return iter(self._entries.items())

    def get(self, ref: Ref) -> Status | None:
        """The object's status; None when it is as wanted."""
        return self._entries.get(ref)

    def state(self, ref: Ref) -> State | None:
        """The state of the object; None when it is as wanted."""
        status = self._entries.get(ref)
        return status.state if status else None

    def count(self) -> Mapping[State, int]:
        """How many objects are in each state."""
        counts = dict.fromkeys(State, 0)
        for status in self._entries.values():
            counts[status.state] += 1
        return counts

    def keep_only(self, refs: set[Ref], now: Moment) -> None:
        """Forget objects that are not among these, but for contended ones until their next repair is due."""
        for ref in self._entries.keys() - refs:
            status = self._entries[ref]
            if (
                status.state is not State.CONTENDED
                or status.next_try is None
                or status.next_try.uptime <= now.uptime
            ):
                del self._entries[ref]

    def pending(self, ref: Ref, now: Moment) -> None:
        """The object's change is under way."""
        self._set(ref, State.PENDING, "", now)

    def settling(self, ref: Ref, on: str, now: Moment) -> None:
        """The object is there, and the kernel has to do its part, which it may never do."""
        before = self._entries.get(ref)
        if before is None or before.state is not State.PENDING or before.next_try is None:
            if before is None or before.state is not State.WAITING:
                due = _later(now, SETTLING_SECONDS)
                self._entries[ref] = Status(State.PENDING, f"waits for {on}", now.time, next_try=due)
        elif before.next_try.uptime <= now.uptime:
            self._set(ref, State.WAITING, before.message, now)

    def waiting(self, ref: Ref, on: Ref | Waiting, now: Moment) -> None:
        """The object cannot be made before another one is there, or before something is known."""
        self._set(ref, State.WAITING, f"waits for {on}", now)

    def impossible(self, ref: Ref, why: Waiting, now: Moment) -> None:
        """The object cannot be made of what is known."""
        self._set(ref, State.FAILED, f"cannot be made of {why}", now)

    def foreign(self, ref: Ref, now: Moment) -> None:
        """Somebody else's object stands in its place."""
        self._set(
            ref, State.FOREIGN, f"another {ref} is there that tasuki did not make; it is left alone", now
        )

    def failed(self, ref: Ref, error: ApplyError, now: Moment) -> None:
        """A change was refused."""
        before = self._entries.get(ref)
        attempts = before.attempts + 1 if before else 1
        delay = min(FIRST_RETRY * 2 ** (attempts - 1), LAST_RETRY)
        if isinstance(error, Permanent):
            delay = PERMANENT_RETRY
        self._entries[ref] = Status(
            State.FOREIGN if isinstance(error, Foreign) else State.FAILED,
            str(error),
            before.since if before else now.time,
            attempts,
            _later(now, delay),
        )

    def repaired(self, ref: Ref, now: Moment) -> None:
        """The object was brought back; too often within a short while makes it contended."""
        horizon = now.uptime - CONTENDED_WINDOW
        self._repairs = {r: times for r, times in self._repairs.items() if times[-1] > horizon}
        recent = [*(at for at in self._repairs.get(ref, ()) if at > horizon), now.uptime]
        self._repairs[ref] = recent
        if len(recent) >= CONTENDED_REPAIRS:
            delay = min(FIRST_RETRY * 2 ** (len(recent) - CONTENDED_REPAIRS), LAST_RETRY)
            self._entries[ref] = Status(
                State.CONTENDED,
                f"changed back {len(recent)} times within {CONTENDED_WINDOW:.0f} s: somebody sets it too",
                now.time - (now.uptime - recent[0]),
                len(recent),
                _later(now, delay),
            )

    def retry_all(self) -> None:
        """Forget every delay: the intent or the world has changed."""
        for ref, status in self._entries.items():
            if status.state is not State.PENDING:
                self.retry(ref)

    def retry(self, ref: Ref) -> None:
        """Forget the delay of one object: what it failed for has changed."""
        self._entries[ref] = replace(self._entries[ref], next_try=None)

    def held(self, now: Moment) -> frozenset[Ref]:
        """Objects whose next try is not due yet."""
        return frozenset(
            ref
            for ref, status in self._entries.items()
            if status.next_try is not None
            and status.next_try.uptime > now.uptime
            and status.state is not State.PENDING
        )

    def next_try(self, now: Moment) -> float | None:
        """Uptime at which the next try falls due; None when nothing is to be tried again."""
        tries = (status.next_try.uptime for status in self._entries.values() if status.next_try is not None)
        return min((due for due in tries if due > now.uptime), default=None)

    def _set(self, ref: Ref, state: State, message: str, now: Moment) -> None:
        before = self._entries.get(ref)
        if before is None or (before.state, before.message) != (state, message):
            self._entries[ref] = Status(
                state, message, before.since if before else now.time, before.attempts if before else 0
            )


def _later(now: Moment, seconds: float) -> Moment:
    return Moment(now.time + seconds, now.uptime + seconds)
