"""Lets intended follow what the routers report of their lines and of the DNS.

Whatever is reported while intended is computed anew waits together for the next time, the newest of each
router; and as long as a computation took, nothing is computed. So a line that comes and goes costs the
controller at most half of one core, and no commit its turn.
"""

import asyncio
import logging
from collections.abc import Iterable, Mapping
from typing import Final

from tasuki_proto.v1 import agent_pb2, fact_pb2
from tasuki_yang.facts import FactKey, Values, parse_key, parse_values

from tasuki_controller.facts import Report
from tasuki_controller.failure import Failed
from tasuki_controller.fleet import Fleet
from tasuki_controller.ledger import Ledger
from tasuki_controller.store import StoreError

_log = logging.getLogger(__name__)

_AGAIN: Final = 1.0
"""Seconds until facts that the disk refused are tried again."""


class Learning:
    """Takes facts from the reports of the routers to the ledger."""

    def __init__(self, ledger: Ledger, fleet: Fleet) -> None:
        self._ledger = ledger
        self._fleet = fleet
        self._complained: set[tuple[str, str]] = set()

    async def follow(self) -> None:
        """Learn, until cancelled or until the controller ends."""
        clock = asyncio.get_running_loop().time
        with self._fleet.watch_reports() as reported:
            while True:
                try:
                    newest = await reported.take()
                except Failed:
                    return
                began = clock()
                try:
                    # A router that tells as much as it may takes longer to read than others shall wait.
                    await self._learn(await asyncio.to_thread(self._read_all, newest))
                except Exception:  # noqa: BLE001 - one report must not keep intended from following the next
                    _log.exception("what routers have told could not be followed; the next reports are")
                await asyncio.sleep(clock() - began)

    async def _learn(self, reports: Mapping[str, Report]) -> None:
        while True:
            try:
                await self._ledger.learn(reports)
            except StoreError:
                _log.exception("what routers have told could not be stored; it is tried again")
                await asyncio.sleep(_AGAIN)
            else:
                return

    def _read_all(self, reports: Iterable[tuple[str, agent_pb2.Report]]) -> Mapping[str, Report]:
        return {router: self.read(router, report.facts) for router, report in reports}

    def read(self, router: str, facts: Iterable[fact_pb2.Fact]) -> Report:
        """What a router reports, without what is no fact: that is logged once per router and sort."""
        report: dict[FactKey, Values] = {}
        for fact in facts:
            try:
                key = parse_key(f"{fact.subject}/{fact.noun}")
            except ValueError as error:
                self._complain(router, "key", error)
                continue
            try:
                report[key] = parse_values(key, tuple(fact.values)) if fact.values else ()
            except ValueError as error:
                self._complain(router, key.noun, error)
        return report

    def _complain(self, router: str, sort: str, error: ValueError) -> None:
        if (router, sort) not in self._complained:
            self._complained.add((router, sort))
            _log.warning("router %s: reports what is passed over: %s", router, error)
