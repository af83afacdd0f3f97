"""What a DHCPv6 client has leased: `INTERFACE/delegated-prefix` and `INTERFACE/aftr-name`.

The client's hook, `tasuki-agent-lease-hook`, writes STATE_DIR/leases/INTERFACE.lease. The files that matter
are looked at four times a second: that costs a stat each, needs nothing to be set up or running on either
side, and misses nothing, whoever comes first, ends in between or deletes the directory.
"""

import asyncio
import logging
import math
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
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
        files = {key.subject: _LeaseFile(self._directory / f"{key.subject}.lease") for key in asked}
        self._files = {interface: self._files.get(interface, file) for interface, file in files.items()}
        if not asked:
            self._wanted.clear()
            return {}
        self._wanted.set()
        now = uptime()
        for file in self._files.values():
            file.read(now)
        facts = {}
        for key in asked:
            lease = self._files[key.subject].lease
            if lease and (value := told_by(lease, key.noun, now, before.get(key, (None,))[0])):
                facts[key] = (value,)
        return facts

    async def run(self, changed: Callable[[], None]) -> None:
        """Look at the files; nothing is done while nothing is asked for."""
        while True:
            await self._wanted.wait()
            await asyncio.sleep(POLL_SECONDS)
            if any(file.is_news() for file in self._files.values()):
                changed()


@dataclass(slots=True)
class _LeaseFile:
    """The lease on one interface.

    Attributes:
        lease: the last whole one, until the hook says that it is over.
    """

    path: Path
    lease: Lease | None = None
    _stamp: tuple[int, ...] | None = None
    """Of what was read last."""
    _until: float = math.inf
    """When something of the lease is over, by a clock that is cheaper to read than the lease's own."""

    def is_news(self) -> bool:
        """Whether there is more to tell than when it was read."""
        return _clock() >= self._until or _stamp(self.path) != self._stamp

    def read(self, now: float) -> None:
        """Take in what has changed."""
        if (stamp := _stamp(self.path)) != self._stamp:
            self._stamp = stamp
            self._take_in()
        if self.lease and not self.lease.is_of(boot(), now):
            self.lease = None
        self._until = _clock() - now + next_end(self.lease, now) if self.lease else math.inf

    def _take_in(self) -> None:
        if self._stamp is None:
            self.lease = None
            return
        try:
            self.lease = parse(_content(self.path))
        except (OSError, ValueError) as error:
            log.warning("%s is no lease: %s; what was leased before counts until it ends", self.path, error)
            return
        for reason in self.lease.unusable:
            log.warning("%s: %s", self.path, reason)


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
