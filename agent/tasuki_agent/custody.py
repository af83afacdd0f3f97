"""Keeps the intent: on disk before anything of it is carried out, and given up when it has to be.

`tasuki_agent.trial` decides; here are the clocks, the disk and the reconciler.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NoReturn

from tasuki_agent.intent import BrokenIntent, Intent
from tasuki_agent.reconcile.reconciler import Reconciler
from tasuki_agent.reconcile.want import wanted_by
from tasuki_agent.state import StateDir
from tasuki_agent.trial import Cause, Held, Trial, expired, gone_back, proven, taken

log = logging.getLogger(__name__)

IN_FLIGHT = 1.0
"""Seconds after a change within which a message may have been sent before it, and so proves nothing."""
_LOOK = 5.0
"""Seconds between looks at the clock at most: the loop's own clock stands while the machine sleeps."""


@dataclass(slots=True)
class Custody:
    """Holds the intent.

    Attributes:
        clock: seconds since the epoch.
        uptime: seconds since the machine was started.
        world: this boot and this network namespace.
        on_revert: called after the router has gone back by itself.
    """

    state: StateDir
    reconciler: Reconciler
    clock: Callable[[], float]
    uptime: Callable[[], float]
    world: str
    on_revert: Callable[[], None] = lambda: None
    held: Held | None = None
    _silent_since: float = 0.0
    _carried_out: float | None = None
    _woken: asyncio.Event = field(default_factory=asyncio.Event)

    def resume(self) -> None:
        """Go on where an earlier run ended, without waiting for the controller."""
        self.held = self.state.load_held()
        if self.held is None:
            log.info("no intent yet: nothing is changed until the controller sends one")
            return
        self._silent_since = self.uptime()
        if cause := expired(self.held, self.uptime(), self.world):
            self.held = self._give_up(self.held, cause)
        log.info("going on with the intent of revision %d", self.held.intent.revision)
        try:
            self.reconciler.resume(self.held.intent, self.state.load_applied(self.world))
        except BrokenIntent as error:
            self.state.set_held_aside(error)
            self.held = None

    def take(self, intent: Intent, fallback: Intent | None, remaining: float) -> None:
        """Take what the controller sent.

        Args:
            intent: what the router shall be.
            fallback: what it goes back to when the confirmation does not arrive; None if it is confirmed.
            remaining: seconds until then.

        Raises:
            BrokenIntent: it cannot be carried out, or not be gone back to. Nothing has changed.
            OSError: it cannot be kept on the disk. Nothing has changed.
        """
        for each in filter(None, (intent, fallback)):
            wanted_by(self.reconciler.kinds, each, self.reconciler.facts.known())
        if fallback and remaining <= 0:
            log.info("revision %d is as good as reverted: not taken up", intent.revision)
            return
        trial = Trial(fallback, self.uptime() + remaining, self.world) if fallback else None
        before = self.held
        held = taken(before, intent, trial, applied=self.reconciler.applied is not None)
        if held is before:
            return
        log.info("intent of revision %d received%s", intent.revision, ", on trial" if trial else "")
        self._write(held)
        if before is None or before.intent.text != intent.text:
            self._silent_since = self.uptime()
            self._carried_out = None
        if before is None or before.intent is not held.intent:
            self.reconciler.set_intent(intent)

    def heard(self) -> None:
        """The controller has sent something."""
        now = self.uptime()
        self._silent_since = now
        held = self.held
        if held and held.before and self._carried_out is not None and now >= self._carried_out + IN_FLIGHT:
            try:
                self._write(proven(held))
            except OSError as error:
                log.warning(
                    "cannot keep on the disk that revision %d is proven: %s", held.intent.revision, error
                )
                self.held = proven(held)

    def stepped(self) -> None:
        """The reconciler has made a step."""
        judged = self.reconciler.judged
        if self._carried_out is None and self.held and judged and judged.text == self.held.intent.text:
            self._carried_out = self.uptime()

    async def run(self) -> NoReturn:
        """Give the intent up whenever that is due, for ever."""
        while True:
            self._woken.clear()
            self.expire()
            try:
                async with asyncio.timeout(self._seconds_to_next()):
                    await self._woken.wait()
            except TimeoutError:
                continue

    def expire(self) -> None:
        """Give the intent up if that is due."""
        held = self.held
        if held is None:
            return
        if cause := expired(held, self.uptime(), self.world):
            self._revert(held, cause)
        elif held.guard_timeout and self.uptime() >= self._silent_since + held.guard_timeout:
            self._revert(held, Cause.UNREACHABLE)

    def _seconds_to_next(self) -> float | None:
        if self.held is None:
            return None
        due = []
        if self.held.trial:
            due.append(self.held.trial.deadline)
        if self.held.guard_timeout:
            due.append(self._silent_since + self.held.guard_timeout)
        return min(max(0.0, min(due) - self.uptime()), _LOOK) if due else None

    def _revert(self, held: Held, cause: Cause) -> None:
        self.reconciler.set_intent(self._give_up(held, cause).intent)
        self.on_revert()

    def _give_up(self, held: Held, cause: Cause) -> Held:
        back = gone_back(held, cause, self.clock())
        revisions = (held.intent.revision, back.intent.revision)
        log.warning("revision %d is given up for revision %d: %s", *revisions, cause.value)
        try:
            self._write(back)
        except OSError as error:
            # Going back must not wait for room on the disk.
            log.warning("cannot keep that on the disk: %s", error)
            self.held = back
        return back

    def _write(self, held: Held) -> None:
        self.state.save_held(held)
        self.held = held
        self._woken.set()
