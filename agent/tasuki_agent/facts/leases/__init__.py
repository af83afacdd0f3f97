"""What DHCP clients have leased: `INTERFACE/delegated-prefix`, `INTERFACE/dns-servers` and the like.

The client's hook, `tasuki-agent-lease-hook`, writes STATE_DIR/leases/INTERFACE.lease (DHCPv6) and .lease4
(DHCPv4). The files that matter are looked at four times a second: that costs a stat each, needs nothing to be
set up or running on either side, and misses nothing, whoever comes first, ends in between or deletes the
directory.

A lease is over when it is given back or its time is up, not when its client ends: who renews the client's
configuration, or pulls a cable for a moment, must not renumber a LAN.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import ClassVar, Final

from tasuki_yang.facts import AllTerms, FactKey, Facts, Terms

from tasuki_agent.facts.leases.files import Line, Now
from tasuki_agent.kind import Observed

log = logging.getLogger(__name__)

POLL_SECONDS: Final = 0.25
_JUMP: Final = 1.0
"""Seconds by which two clocks that go alike may be read apart."""


class LeaseSource:
    """Tells what is leased."""

    nouns: ClassVar[tuple[str, ...]] = (
        "delegated-prefix",
        "former-prefixes",
        "aftr-name",
        "dns-servers",
        "sntp-servers",
        "sip-servers",
        "sip-domains",
        "search-domains",
        "vendor-options",
        "ipv4-address",
        "ipv4-routers",
    )

    def __init__(self, state_dir: Path) -> None:
        self._directory = state_dir / "leases"
        self._lines: dict[str, Line] = {}
        self._terms: AllTerms = {}
        self._behind = 0.0
        """As `Now`. The same as long as it hardly differs, so that equal ends are told equally."""
        self._wanted = asyncio.Event()

    def learn(self, asked: Collection[FactKey], observed: Observed, before: Facts) -> Facts:  # noqa: ARG002
        """What the leases on the interfaces say that are asked for."""
        if not asked:
            self._lines, self._terms = {}, {}
            self._wanted.clear()
            return {}
        self._wanted.set()
        now = Now.of_machine()
        lines = self._read(asked, now, before)
        for interface, line in lines.items():
            for problem in line.problems:
                if problem not in self._on(interface).problems:
                    log.warning("%s", problem)
        self._lines = {interface: line.keep(now) for interface, line in lines.items()}
        if abs(now.behind - self._behind) >= _JUMP:
            self._behind = now.behind
        told = _told(self._lines, asked, now)
        self._terms = {
            (key, value): _later(terms, self._behind)
            for key, found in told.items()
            for value, terms in found.items()
        }
        return _values(told)

    def peek(self, asked: Collection[FactKey], observed: Observed, before: Facts) -> Facts:  # noqa: ARG002
        """The same of files that stay news."""
        if not asked:
            return {}
        now = Now.of_machine()
        return _values(_told(self._read(asked, now, before), asked, now))

    def terms(self) -> AllTerms:
        """Where what is told is from, and how long it holds."""
        return self._terms

    async def run(self, changed: Callable[[], None]) -> None:
        """Look at the files; nothing is done while nothing is asked for."""
        while True:
            await self._wanted.wait()
            await asyncio.sleep(POLL_SECONDS)
            if any(line.is_news for line in self._lines.values()):
                changed()

    def _read(self, asked: Iterable[FactKey], now: Now, before: Facts) -> dict[str, Line]:
        return {
            interface: self._on(interface).read(
                now, before.get(FactKey(interface, "delegated-prefix"), (None,))[0]
            )
            for interface in {key.subject for key in asked}
        }

    def _on(self, interface: str) -> Line:
        return self._lines.get(interface) or Line.on(interface, self._directory)


def _told(
    lines: dict[str, Line], asked: Iterable[FactKey], now: Now
) -> Mapping[FactKey, Mapping[str, Terms]]:
    return {key: found for key in asked if (found := lines[key.subject].told(key.noun, now))}


def _values(told: Mapping[FactKey, Mapping[str, Terms]]) -> Facts:
    return {key: tuple(found) for key, found in told.items()}


def _later(terms: Terms, seconds: float) -> Terms:
    """The same by a clock that is ahead by so much."""
    origin, *ends = terms
    return Terms(origin, *(None if end is None else end + seconds for end in ends))


SOURCE = LeaseSource
