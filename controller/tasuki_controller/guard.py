"""Going back when a router fails, so that a set of routers changes together or not at all."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from tasuki_yang.errors import ConfigError

from tasuki_controller.failure import Failed
from tasuki_controller.fleet import Fleet
from tasuki_controller.ledger import CONTROLLER, Committed, Ledger
from tasuki_controller.outcome import Result, RouterOutcome
from tasuki_controller.state import State, touched
from tasuki_controller.store import StoreError
from tasuki_controller.transactions.commits import EventKind

_log = logging.getLogger(__name__)

_AGAIN: Final = 1.0
"""Seconds until a revert that the disk refused is tried again."""
_FAILURES: Final = frozenset({Result.FAILED, Result.REVERTED})

Outcomes: TypeAlias = Mapping[str, RouterOutcome]


@dataclass(frozen=True, slots=True)
class Guard:
    """Watches over one commit: until every router has settled, or while it awaits its confirmation.

    Intended may follow facts meanwhile; only another commit takes another running.
    """

    ledger: Ledger
    fleet: Fleet
    state: State
    baseline: State

    def start(self) -> "asyncio.Task[Outcomes]":
        """Watch in the background. The task's result are the routers that failed."""
        return asyncio.create_task(self._watch())

    async def _watch(self) -> Outcomes:
        routers = touched(self.baseline, self.state)
        with self.fleet.watch_outcomes() as changed:
            while self.ledger.state.running is self.state.running:
                outcomes = {router: self.fleet.outcome(router).outcome for router in routers}
                failed = _failed(outcomes)
                if failed:
                    return await self._go_back(failed)
                pending = self.ledger.transactions.confirmed
                if not pending and all(each.settled for each in outcomes.values()):
                    break
                try:
                    await changed.take()
                except Failed:
                    break
        return {}

    async def _go_back(self, failed: Outcomes) -> Outcomes:
        why = "; ".join(f"router {name} {_told(outcome)}" for name, outcome in failed.items())
        while True:
            try:
                async with self.ledger.turn():
                    if self.ledger.state.running is not self.state.running:
                        return {}
                    await self.ledger.revert(EventKind.CANCEL, CONTROLLER, why, self.baseline)
                    return failed
            except StoreError:
                _log.exception("a revert could not be stored; it is tried again")
                await asyncio.sleep(_AGAIN)


async def seen_through(
    made: Committed, fleet: Fleet, wait: float, guard: "asyncio.Task[Outcomes] | None"
) -> Committed:
    """The commit with what became of it on the routers within so many seconds.

    Raises:
        Failed: operation-failed if the guard has taken it back.
    """
    if not wait or not made.routers:
        return made
    waiting = asyncio.create_task(fleet.outcomes(made.routers, wait))
    try:
        await asyncio.wait({waiting, guard} if guard else {waiting}, return_when=asyncio.FIRST_COMPLETED)
        if guard and (guard.done() or _failed(await waiting)):
            await asyncio.wait({guard})
            if not guard.cancelled() and guard.result():
                raise _taken_back(made.revision, guard.result())
        return replace(made, routers=await waiting)
    finally:
        waiting.cancel()


def _failed(outcomes: Outcomes) -> Outcomes:
    return {router: outcome for router, outcome in outcomes.items() if outcome.result in _FAILURES}


def _told(outcome: RouterOutcome) -> str:
    return f"{outcome.result.value}: {outcome.message}"


def _taken_back(revision: int, failed: Outcomes) -> Failed:
    return Failed(
        [
            ConfigError(
                error_tag="operation-failed",
                router=router,
                message=f"Revision {revision} was taken back: this router {_told(outcome)}",
            )
            for router, outcome in failed.items()
        ]
    )
