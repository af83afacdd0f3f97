"""What `tasuki-agent-lease-hook` writes down of a lease, and what of it counts. Pure.

Times are seconds of uptime: routers often have no clock yet when they get their lease.
"""

import math
import re
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from ipaddress import IPv6Network
from typing import Final

from tasuki_yang.facts import NOUNS

INFINITY: Final = 0xFFFF_FFFF
"""A lifetime that does not end (RFC 8415 section 7.7)."""

_PREFIX = re.compile(r"new_dhcp6_ia_pd\d+_prefix\d+")
_AFTR_NAME: Final = "new_dhcp6_aftr_name"


@dataclass(frozen=True, slots=True)
class Prefix:
    """A delegated prefix."""

    prefix: str
    preferred_until: float
    valid_until: float


@dataclass(frozen=True, slots=True)
class Lease:
    """What the last message of the DHCPv6 server said.

    Attributes:
        boot: of the kernel that the times are of.
        told_at: when it was told.
        prefixes: delegated ones; those that are taken back are over already.
        aftr_name: of option 64 (RFC 6334).
        unusable: why other values do not count.
    """

    boot: str
    told_at: float
    prefixes: tuple[Prefix, ...] = ()
    aftr_name: str | None = None
    unusable: tuple[str, ...] = ()

    def is_of(self, boot: str, now: float) -> bool:
        """Whether its times compare with `now`. A container's uptime may begin anew within one boot."""
        return self.boot == boot and self.told_at <= now


def parse(text: str) -> Lease:
    """The lease in a file: assignments as in dhcpcd's environment, then uptime and boot.

    Raises:
        ValueError: it is no whole lease; the message says why.
    """
    told = dict(_assignments(text))
    try:
        uptime, boot = float(told["uptime"]), str(uuid.UUID(told["boot"]))
        delegated = [
            (
                f"{address}/{told[f'{name}_length']}",
                _seconds(told[f"{name}_pltime"]),
                _seconds(told[f"{name}_vltime"]),
            )
            for name, address in told.items()
            if _PREFIX.fullmatch(name)
        ]
    except KeyError as error:
        raise ValueError(f"{error.args[0]} is missing") from error
    if not 0 <= uptime < math.inf:
        raise ValueError(f"'{uptime}' is no uptime")
    unusable: list[str] = []
    prefixes = tuple(
        Prefix(prefix, uptime + preferred, uptime + valid)
        for delegation, preferred, valid in delegated
        if (prefix := _usable(_prefix, delegation, unusable))
    )
    name = told.get(_AFTR_NAME)
    aftr_name = _usable(NOUNS["aftr-name"].canonical, name, unusable) if name else None
    return Lease(boot, uptime, prefixes, aftr_name, tuple(unusable))


def _assignments(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        name, equals, value = line.partition("=")
        if not equals:
            raise ValueError(f"'{line[:40]}' is no assignment")
        yield name, value


def _seconds(text: str) -> float:
    seconds = int(text)
    if not 0 <= seconds <= INFINITY:
        raise ValueError(f"'{text}' is no lifetime")
    return math.inf if seconds == INFINITY else seconds


def _prefix(text: str) -> str:
    """Bits beyond the length are to be ignored (RFC 8415 section 21.22)."""
    return NOUNS["delegated-prefix"].canonical(str(IPv6Network(text, strict=False)))


def _usable(canonical: Callable[[str], str], text: str, unusable: list[str]) -> str | None:
    """The value in canonical spelling; what cannot be used of a lease leaves the rest of it usable."""
    try:
        return canonical(text)
    except ValueError as error:
        unusable.append(f"{text} is left out: {error}")
        return None


def delegated_prefix(lease: Lease, now: float, held: str | None) -> str | None:
    """The prefix to use: no other while `held` will do; a deprecated one for want of a better one."""
    valid = [prefix for prefix in lease.prefixes if now < prefix.valid_until]
    candidates = [prefix for prefix in valid if now < prefix.preferred_until] or valid
    if not candidates:
        return None
    if any(prefix.prefix == held for prefix in candidates):
        return held
    return max(candidates, key=lambda p: (p.preferred_until, p.valid_until, p.prefix)).prefix


def aftr_name(lease: Lease, now: float) -> str | None:
    """The AFTR's name, which ends with the last prefix. Without any prefix the lease has no end."""
    over = lease.prefixes and all(prefix.valid_until <= now for prefix in lease.prefixes)
    return None if over else lease.aftr_name


def next_end(lease: Lease, now: float) -> float:
    """When something of the lease is over next; infinity if never."""
    ends = (end for prefix in lease.prefixes for end in (prefix.preferred_until, prefix.valid_until))
    return min((end for end in ends if end > now), default=math.inf)


def told_by(lease: Lease, noun: str, now: float, held: str | None) -> str | None:
    """The value of a fact."""
    return delegated_prefix(lease, now, held) if noun == "delegated-prefix" else aftr_name(lease, now)
