"""A lease, and what of it counts at a time. Pure.

Times are seconds of uptime: routers often have no clock yet when they get their lease.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from tasuki_yang.facts import Terms, Values


@dataclass(frozen=True, slots=True)
class Prefix:
    """A delegated prefix."""

    prefix: str
    preferred_until: float
    valid_until: float


@dataclass(frozen=True, slots=True)
class Lease:
    """What the last message of a server said.

    Attributes:
        boot: of the kernel that the times are of.
        told_at: when it was told.
        origin: who told it, such as "dhcpv6".
        prefixes: delegated ones; those that are taken back are over already.
        values: of all other nouns, in the server's order.
        until: when those are over. DHCPv6 gives them no end of their own: they end with the last prefix.
        renew_at: when the client asks to go on (T1).
        rebind_at: when it asks any server (T2).
        unusable: why other values do not count.
    """

    boot: str
    told_at: float
    origin: str = "dhcpv6"
    prefixes: tuple[Prefix, ...] = ()
    values: Mapping[str, Values] = field(default_factory=dict)
    until: float = math.inf
    renew_at: float = math.inf
    rebind_at: float = math.inf
    unusable: tuple[str, ...] = ()

    def is_of(self, boot: str, now: float) -> bool:
        """Whether its times compare with `now`. A container's uptime may begin anew within one boot."""
        return self.boot == boot and self.told_at <= now

    def told(self, noun: str, now: float) -> Mapping[str, Terms]:
        """The values of a noun, other than prefixes, and how long they hold."""
        if now >= self.until:
            return {}
        terms = self._terms(math.inf, self.until)
        return dict.fromkeys(self.values.get(noun, ()), terms)

    def terms_of(self, prefix: str) -> Terms:
        """How long one of its prefixes holds."""
        (found,) = (each for each in self.prefixes if each.prefix == prefix)
        return self._terms(found.preferred_until, found.valid_until)

    def ends(self) -> Iterator[float]:
        """When something of it is over."""
        yield self.until
        for prefix in self.prefixes:
            yield prefix.preferred_until
            yield prefix.valid_until

    def _terms(self, preferred_until: float, valid_until: float) -> Terms:
        times = preferred_until, valid_until, self.renew_at, self.rebind_at
        return Terms(self.origin, *(time if time < math.inf else None for time in times))


def delegated_prefix(lease: Lease, now: float, held: str | None) -> str | None:
    """The prefix to use: no other while `held` will do; a deprecated one for want of a better one."""
    valid = [prefix for prefix in lease.prefixes if now < prefix.valid_until]
    candidates = [prefix for prefix in valid if now < prefix.preferred_until] or valid
    if not candidates:
        return None
    if any(prefix.prefix == held for prefix in candidates):
        return held
    return max(candidates, key=lambda p: (p.preferred_until, p.valid_until, p.prefix)).prefix
