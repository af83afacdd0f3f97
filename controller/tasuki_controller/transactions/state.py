"""What there is while nothing is committed: sessions, their locks, the candidate, a confirmed commit."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from tasuki_controller.access import Caller
from tasuki_controller.running import Running


class Datastore(Enum):
    """A datastore that can be locked."""

    RUNNING = "running"
    CANDIDATE = "candidate"


@dataclass(frozen=True, slots=True)
class Session:
    """What gRPC has no word for: somebody who holds locks and may be lost."""

    number: int
    token: str
    """Secret that stands for the session in calls."""
    caller: Caller
    lease: int
    """Seconds that the session lasts unless it is kept."""
    expires: float


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A confirmed commit that awaits its confirmation (RFC 6241 section 8.4)."""

    baseline: int
    """Revision before the first confirmed commit of the chain: what a revert restores."""
    revision: int
    """Revision of running that is to be confirmed."""
    session: int
    """Who issued the newest of the chain; 0 for a commit without a session."""
    persist: str
    """Names the commit so that it outlives its session; empty if it does not."""
    deadline: float


@dataclass(frozen=True, slots=True)
class Transactions:
    """All that is lost when the controller restarts, on purpose."""

    sessions: Mapping[str, Session] = field(default_factory=dict)
    """By token."""
    opened: int = 0
    """How many sessions there have ever been."""
    locks: Mapping[Datastore, int] = field(default_factory=dict)
    """Number of the session that holds the lock."""
    candidate: Running | None = None
    """None while it is equal to running."""
    editors: frozenset[int] = frozenset()
    """Sessions that changed the candidate since it was last equal to running."""
    confirmed: Confirmed | None = None

    def is_open(self, number: int) -> bool:
        """Whether the session with this number still lasts."""
        return any(session.number == number for session in self.sessions.values())
