"""Which intent the router is kept to, and what takes it back. Pure: time and world are arguments.

Two things take an intent back, both without the controller's help:

* the trial, when a confirmed commit (RFC 6241 section 8.4) is not confirmed by its deadline;
* the guard, when the controller has not been heard since the intent was carried out, which may be the
  intent's own doing.

All of it is one value and one file on the disk, so that a crash leaves it as it was or as it shall be.
"""

from dataclasses import dataclass, replace
from enum import Enum

from tasuki_agent.intent import Intent

_SAME_DEADLINE = 1.0
"""Seconds by which the same deadline may differ when it is told again: the time that messages take."""


class Cause(Enum):
    """Why the router went back, as it is reported."""

    UNCONFIRMED = "confirmation did not arrive"
    RESTARTED = "the router was restarted before the confirmation arrived"
    UNREACHABLE = "the controller could not be reached"


@dataclass(frozen=True, slots=True)
class Trial:
    """When the router goes back, and to what."""

    fallback: Intent
    deadline: float
    """Seconds of the clock that counts since the machine was started, so that nobody can set it."""
    world: str
    """Where that clock counts: another boot ends the trial at once (RFC 6241 section 8.4.1)."""


@dataclass(frozen=True, slots=True)
class Reverted:
    """The router went back by itself."""

    from_revision: int
    to_revision: int
    at: float
    """Seconds since the epoch."""
    cause: Cause
    from_digest: str = ""
    """Of the intent that was left: a revision's intent changes with what is known of other routers."""


@dataclass(frozen=True, slots=True)
class Held:
    """The intent that the router is kept to, and where it goes from there by itself."""

    intent: Intent
    trial: Trial | None = None
    before: Intent | None = None
    """What the guard goes back to: the last intent under which the controller was heard. None when the
    present intent is such a one, or when there is nothing to go back to."""
    reverted: Reverted | None = None
    """Kept until a newer revision arrives; after a trial, until one with another text does: the controller
    goes back as well, and that must not hide that the router has gone back alone."""

    @property
    def guard_timeout(self) -> float | None:
        """Seconds without the controller after which the intent is left; None while nothing is guarded."""
        return None if self.before is None else self.intent.controller_timeout


def taken(held: Held | None, intent: Intent, trial: Trial | None, *, applied: bool) -> Held:
    """What is held after the controller has sent this; the same object if that changes nothing.

    Args:
        held: what is held so far.
        intent: what the controller sent.
        trial: None if the intent is confirmed.
        applied: whether any intent has been met before, so that there is something to go back to.
    """
    if held is None:
        return Held(intent, trial)
    left = held.reverted
    if left and left.from_revision == intent.revision and (trial or _is_what_cut_off(left, intent)):
        return held
    if intent.text != held.intent.text:
        return Held(intent, trial, _guarded(held, intent) if applied else None)
    if intent.revision == held.intent.revision and _same(held.trial, trial):
        return held
    kept = left if left and left.cause is not Cause.UNREACHABLE else None
    return replace(held, intent=intent, trial=trial, reverted=kept)


def _is_what_cut_off(left: Reverted, intent: Intent) -> bool:
    """Whether this is the very intent under which the controller could not be reached."""
    return left.cause is Cause.UNREACHABLE and left.from_digest in ("", intent.digest)


def _guarded(held: Held, intent: Intent) -> Intent | None:
    """What the guard goes back to: never to before another router moved, which nobody did to this one."""
    moved = intent.revision == held.intent.revision
    before = held.before if moved else held.before or held.intent
    if before is None:
        return None
    unguarded = intent.controller_timeout == 0 or intent.text == before.text
    return None if unguarded else before


def _same(a: Trial | None, b: Trial | None) -> bool:
    if a is None or b is None:
        return a is b
    return a.fallback.text == b.fallback.text and abs(a.deadline - b.deadline) < _SAME_DEADLINE


def proven(held: Held) -> Held:
    """What is held after the controller was heard under this intent."""
    return replace(held, before=None)


def expired(held: Held, uptime: float, world: str) -> Cause | None:
    """Why the trial is over, if it is."""
    if held.trial is None:
        return None
    if held.trial.world != world:
        return Cause.RESTARTED
    return Cause.UNCONFIRMED if uptime >= held.trial.deadline else None


def gone_back(held: Held, cause: Cause, now: float) -> Held:
    """What is held after the router has given its intent up. On trial that is what was before the trial."""
    target = held.trial.fallback if held.trial else held.before
    if target is None:
        raise ValueError("there is nothing to go back to")
    return Held(
        target, reverted=Reverted(held.intent.revision, target.revision, now, cause, held.intent.digest)
    )
