"""What a DHCPv6 client has leased: `INTERFACE/delegated-prefix` and `INTERFACE/aftr-name`.

The client's hook, `tasuki-agent-lease-hook`, writes STATE_DIR/leases/INTERFACE.lease. The files that matter
are looked at four times a second: that costs a stat each, needs nothing to be set up or running on either
side, and misses nothing, whoever comes first, ends in between or deletes the directory.
"""

import asyncio
import logging
import math
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Final

from tasuki_yang.facts import FactKey, Facts

from tasuki_agent.facts.leases.lease import Lease, next_end, parse, told_by
from tasuki_agent.kind import Observed

log = logging.getLogger(__name__)

POLL_SECONDS: Final = 0.25
_LARGEST: Final = 65_536
"""Bytes that are read of a file; real ones have a few hundred."""
_BOOT: Final = Path("/proc/sys/kernel/random/boot_id")
_UPTIME: Final = Path("/proc/uptime")
"""As the hook reads it: a container's may differ from its kernel's clocks."""


class LeaseSource:
    """Tells what is leased."""

    nouns: ClassVar[tuple[str, ...]] = ("delegated-prefix", "aftr-name")

    def __init__(self, state_dir: Path) -> None:
        self._directory = state_dir / "leases"
        self._files: dict[str, _LeaseFile] = {}
        self._wanted = asyncio.Event()

    def learn(self, asked: Collection[FactKey], observed: Observed, before: Facts) -> Facts:  # noqa: ARG002
        """What the leases on the interfaces say that are asked for."""
        if not asked:
            self._files = {}
            self._wanted.clear()
            return {}
        self._wanted.set()
        now = uptime()
        files = self._read(asked, now)
        for interface, file in files.items():
            if file.stamp != self._before(interface).stamp:
                for problem in file.problems:
                    log.warning("%s", problem)
        self._files = files
        return _told(files, asked, now, before)

    def peek(self, asked: Collection[FactKey], observed: Observed, before: Facts) -> Facts:  # noqa: ARG002
        """The same of files that stay news."""
        if not asked:
            return {}
        now = uptime()
        return _told(self._read(asked, now), asked, now, before)

    def _read(self, asked: Collection[FactKey], now: float) -> dict[str, "_LeaseFile"]:
        return {interface: self._before(interface).read(now) for interface in {key.subject for key in asked}}

    def _before(self, interface: str) -> "_LeaseFile":
        return self._files.get(interface) or _LeaseFile(self._directory / f"{interface}.lease")

    async def run(self, changed: Callable[[], None]) -> None:
        """Look at the files; nothing is done while nothing is asked for."""
        while True:
            await self._wanted.wait()
            await asyncio.sleep(POLL_SECONDS)
            if any(file.is_news() for file in self._files.values()):
                changed()


@dataclass(frozen=True, slots=True)
class _LeaseFile:
    """The lease on one interface, as it was read last.

    Attributes:
        lease: the last whole one, until the hook says that it is over.
        problems: what of the file does not count, and why.
        stamp: of what was read.
        until: when something of the lease is over, by a clock that is cheaper to read than the lease's own.
    """

    path: Path
    lease: Lease | None = None
    problems: tuple[str, ...] = ()
    stamp: tuple[int, ...] | None = None
    until: float = math.inf

    def is_news(self) -> bool:
        """Whether there is more to tell than when it was read."""
        return _clock() >= self.until or _stamp(self.path) != self.stamp

    def read(self, now: float) -> "_LeaseFile":
        """As it is now."""
        stamp = _stamp(self.path)
        seen = self if stamp == self.stamp else self._read_anew(stamp)
        lease = seen.lease if seen.lease and seen.lease.is_of(boot(), now) else None
        until = _clock() - now + next_end(lease, now) if lease else math.inf
        return replace(seen, lease=lease, until=until)

    def _read_anew(self, stamp: tuple[int, ...] | None) -> "_LeaseFile":
        if stamp is None:
            return _LeaseFile(self.path)
        try:
            lease = parse(_content(self.path))
        except (OSError, ValueError) as error:
            problem = f"{self.path} is no lease: {error}; what was leased before counts until it ends"
            return _LeaseFile(self.path, self.lease, (problem,), stamp)
        problems = tuple(f"{self.path}: {reason}" for reason in lease.unusable)
        return _LeaseFile(self.path, lease, problems, stamp)


def _told(files: Mapping[str, _LeaseFile], asked: Collection[FactKey], now: float, before: Facts) -> Facts:
    facts = {}
    for key in asked:
        lease = files[key.subject].lease
        if lease and (value := told_by(lease, key.noun, now, before.get(key, (None,))[0])):
            facts[key] = (value,)
    return facts


def _stamp(path: Path) -> tuple[int, ...] | None:
    """What changes whenever the file does; None while there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size


def _content(path: Path) -> str:
    if not path.is_file():
        raise ValueError("it is no file")
    with path.open("rb") as file:
        return file.read(_LARGEST).decode()


def _clock() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def uptime() -> float:
    """Seconds since the machine was started."""
    return float(_UPTIME.read_text().split()[0])


def boot() -> str:
    """This boot."""
    return _BOOT.read_text().strip()


SOURCE = LeaseSource
