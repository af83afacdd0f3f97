"""Which prefix is delegated on an interface, and which ones were before. Pure.

Hosts of the LAN may go on with a prefix whose router only falls silent about it, for as long as they were
told. So one that another has taken the place of is advertised as deprecated for a while (RFC 9096 section
3.5), and its addresses stay that long.
"""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple, Self

from tasuki_yang.facts import NOUNS, Terms

from tasuki_agent.facts.leases.lease import Lease, delegated_prefix

LONGEST: Final = 7200.0
"""Seconds that a former prefix stays: hosts forget none sooner (RFC 4862 section 5.5.3 e)."""
MOST: Final = 4
"""Former prefixes that are kept."""


class Former(NamedTuple):
    """A prefix that was delegated."""

    prefix: str
    since: float
    """When another one took its place."""
    until: float


@dataclass(frozen=True, slots=True)
class Delegation:
    """The prefixes of an interface in the course of time.

    Attributes:
        prefix: that was delegated last; empty if it is over.
        until: the end of its valid lifetime, as it was told before it was taken back.
        former: those before it, the oldest first.
    """

    prefix: str = ""
    until: float = 0.0
    former: tuple[Former, ...] = ()

    def after(self, lease: Lease, now: float, held: str | None = None) -> "Delegation":
        """How it goes on with this lease; `held` is the prefix to keep to if none is known here."""
        stated = {
            each.prefix: each.valid_until for each in lease.prefixes if each.valid_until > lease.told_at
        }
        until = stated.get(self.prefix, self.until)
        chosen = delegated_prefix(lease, now, self.prefix or held) or ""
        former = [each for each in self.former if now < each.until and each.prefix != chosen]
        if self.prefix and self.prefix != chosen and now < until:
            former.append(Former(self.prefix, now, min(until, now + LONGEST)))
        return Delegation(chosen, stated.get(chosen, 0.0), tuple(former[-MOST:]))

    def without(self, now: float) -> "Delegation":
        """How it goes on after the prefix was given back: that must not be used any more, by anybody."""
        return Delegation(former=self.at(now).former)

    def at(self, now: float) -> "Delegation":
        """What is left of it while nothing is heard."""
        former = tuple(each for each in self.former if now < each.until)
        return Delegation(self.prefix, self.until, former) if now < self.until else Delegation(former=former)

    def told(self) -> Mapping[str, Terms]:
        """The former prefixes, the newest first, and how long they hold."""
        return {each.prefix: Terms("dhcpv6", each.since, each.until) for each in reversed(self.former)}

    def ends(self) -> Iterator[float]:
        """When something of it is over."""
        yield self.until
        for each in self.former:
            yield each.until

    def record(self, boot: str, now: float) -> str:
        """What a file keeps of it."""
        former = [[each.prefix, each.since, each.until] for each in self.former]
        until = self.until if self.until < math.inf else None
        return json.dumps(
            {"boot": boot, "uptime": now, "prefix": self.prefix, "until": until, "former": former}
        )

    @classmethod
    def of(cls, text: str, boot: str, now: float) -> Self:
        """The one that was recorded.

        How long ago the machine was stopped, nobody knows. So what was delegated then is as good as replaced
        if it is another prefix now, for as long as any former one.

        Raises:
            ValueError: it is no record.
        """
        try:
            record = json.loads(text)
            prefix = NOUNS["delegated-prefix"].canonical(record["prefix"]) if record["prefix"] else ""
            if record["boot"] != boot or record["uptime"] > now:
                return cls(prefix, now + LONGEST if prefix else 0.0)
            until = math.inf if record["until"] is None else float(record["until"])
            former = (
                Former(NOUNS["former-prefixes"].canonical(each), float(since), float(end))
                for each, since, end in record["former"]
            )
            return cls(prefix, until, tuple(former)[-MOST:])
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"{error!r} in it") from error


NOTHING: Final = Delegation()
"""Where there is no prefix, and was none."""
