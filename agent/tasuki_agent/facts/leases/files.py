"""The files of a directory that tell what is leased on one interface, and what was before.

IF.lease     what the DHCPv6 client told last
IF.lease4    what the DHCPv4 client told last
IF.prefixes  which prefix is delegated, and which ones were: written here
"""

import itertools
import logging
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, NamedTuple, Self, TypeAlias

from tasuki_yang.facts import Terms

from tasuki_agent.durable import replace_file
from tasuki_agent.facts.leases.delegation import NOTHING, Delegation
from tasuki_agent.facts.leases.lease import Lease
from tasuki_agent.facts.leases.reading import parse_dhcpv4, parse_dhcpv6

log = logging.getLogger(__name__)

_LARGEST: Final = 1 << 20
"""Bytes of a file that is read: more than a message of 64 KB can come to. Real ones have a few hundred."""
_BOOT: Final = Path("/proc/sys/kernel/random/boot_id")
_UPTIME: Final = Path("/proc/uptime")
"""As the hook reads it: a container's may differ from its kernel's clocks."""

_Stamp: TypeAlias = tuple[int, ...] | None


class Now(NamedTuple):
    """A time that compares with those of leases."""

    boot: str
    uptime: float

    @classmethod
    def of_machine(cls) -> Self:
        """This moment."""
        return cls(_BOOT.read_text().strip(), float(_UPTIME.read_text().split()[0]))

    @property
    def behind(self) -> float:
        """Seconds by which the kernel's clock, that terms are told by, is ahead of this one."""
        return _clock() - self.uptime


@dataclass(frozen=True, slots=True)
class LeaseFile:
    """The lease of one protocol, as it was read last.

    Attributes:
        lease: the last whole one, until it is given back.
        problems: what of the file does not count, and why.
        stamp: of what was read; None if there is no file.
    """

    path: Path
    parse: Callable[[str], Lease]
    lease: Lease | None = None
    problems: tuple[str, ...] = ()
    stamp: _Stamp = None

    @property
    def is_stale(self) -> bool:
        """Whether it is not what was read any more."""
        return _stamp(self.path) != self.stamp

    def read(self) -> "LeaseFile":
        """As it is now."""
        stamp = _stamp(self.path)
        if stamp == self.stamp:
            return self
        if stamp is None:
            return LeaseFile(self.path, self.parse)
        try:
            lease = self.parse(_content(self.path))
        except (OSError, ValueError) as error:
            problem = f"{self.path} is no lease: {error}; what was leased before counts until it ends"
            return replace(self, problems=(problem,), stamp=stamp)
        problems = tuple(f"{self.path}: {reason}" for reason in lease.unusable)
        return replace(self, lease=lease, problems=problems, stamp=stamp)

    def lease_at(self, now: Now) -> Lease | None:
        """The lease, if it is of this boot."""
        return self.lease if self.lease and self.lease.is_of(*now) else None


@dataclass(frozen=True, slots=True)
class Line:
    """What is leased on an interface, and was.

    Attributes:
        delegation: which prefix is delegated, and which ones were.
        recorded: the same as the file has it; None before it was read.
        until: when something of it is over, by a clock that is cheaper to read than the leases' own.
    """

    dhcpv6: LeaseFile
    dhcpv4: LeaseFile
    record: Path
    delegation: Delegation = NOTHING
    recorded: Delegation | None = None
    until: float = math.inf

    @classmethod
    def on(cls, interface: str, directory: Path) -> Self:
        """Of which nothing has been read yet."""
        return cls(
            LeaseFile(directory / f"{interface}.lease", parse_dhcpv6),
            LeaseFile(directory / f"{interface}.lease4", parse_dhcpv4),
            directory / f"{interface}.prefixes",
        )

    @property
    def is_news(self) -> bool:
        """Whether there is more to tell than when it was read."""
        return _clock() >= self.until or self.dhcpv6.is_stale or self.dhcpv4.is_stale

    @property
    def problems(self) -> tuple[str, ...]:
        """What of the files does not count, and why."""
        return self.dhcpv6.problems + self.dhcpv4.problems

    def read(self, now: Now, held: str | None) -> "Line":
        """As it is now; `held` is the prefix that was known last."""
        line = self if self.recorded is not None else self._with_record(now)
        dhcpv6, dhcpv4 = line.dhcpv6.read(), line.dhcpv4.read()
        if lease := dhcpv6.lease_at(now):
            delegation = line.delegation.after(lease, now.uptime, held)
        elif dhcpv6.stamp:
            delegation = line.delegation.at(now.uptime)
        else:
            delegation = line.delegation.without(now.uptime)
        read = replace(line, dhcpv6=dhcpv6, dhcpv4=dhcpv4, delegation=delegation)
        return replace(read, until=now.behind + read._next_end(now))  # noqa: SLF001 - its own

    def _with_record(self, now: Now) -> "Line":
        recorded = NOTHING
        try:
            recorded = Delegation.of(_content(self.record), *now)
        except FileNotFoundError:
            pass
        except (OSError, ValueError) as error:
            log.warning("which prefixes were delegated is not known any more: %s: %s", self.record, error)
        return replace(self, delegation=recorded, recorded=recorded)

    def keep(self, now: Now) -> "Line":
        """Write down what is delegated, if the file has it otherwise."""
        if self.delegation == self.recorded:
            return self
        try:
            if self.delegation == NOTHING:
                self.record.unlink(missing_ok=True)
            else:
                replace_file(self.record, self.delegation.record(*now).encode())
        except OSError as error:
            log.warning("cannot keep on the disk which prefixes were delegated: %s", error)
        return replace(self, recorded=self.delegation)

    def told(self, noun: str, now: Now) -> Mapping[str, Terms]:
        """The values of a noun, those of DHCPv6 first, and how long they hold."""
        dhcpv6, dhcpv4 = self.dhcpv6.lease_at(now), self.dhcpv4.lease_at(now)
        if noun == "former-prefixes":
            return self.delegation.told()
        if noun == "delegated-prefix":
            prefix = self.delegation.prefix
            return {prefix: dhcpv6.terms_of(prefix)} if dhcpv6 and prefix else {}
        first, second = (lease.told(noun, now.uptime) if lease else {} for lease in (dhcpv6, dhcpv4))
        return {**first, **second, **first}

    def _next_end(self, now: Now) -> float:
        leases = (self.dhcpv6.lease_at(now), self.dhcpv4.lease_at(now))
        ends = itertools.chain(self.delegation.ends(), *(lease.ends() for lease in leases if lease))
        return min((end for end in ends if end > now.uptime), default=math.inf)


def _stamp(path: Path) -> _Stamp:
    """What changes whenever the file does; None while there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size


def _content(path: Path) -> str:
    """The file's text. Octets that are none stay visible, so that they spoil no more than their value."""
    if path.exists() and not path.is_file():  # a pipe would not let go of whoever opens it
        raise ValueError("it is no file")
    with path.open("rb") as file:
        content = file.read(_LARGEST + 1)
    if len(content) > _LARGEST:
        raise ValueError(f"it has more than {_LARGEST} bytes")
    return content.decode(errors="backslashreplace")


def _clock() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)
