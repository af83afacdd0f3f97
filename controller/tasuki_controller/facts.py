"""What routers have told of themselves, and what becomes of it with each report. Pure.

A fact that its router has lost keeps its values: the other end of a tunnel stays where the router was seen
last until it is seen elsewhere, new before old. A fact that a router does not speak of any more, because its
own tree does not ask for it, is forgotten unless another router's tree does; so nothing that an interface
once was can come back when its name is used again.

An address or a prefix that two routers tell of is followed for one of them only: a router that is broken, or
somebody else's by now, would get the tunnels of another one otherwise.
"""

from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from ipaddress import IPv6Network
from typing import Final, NamedTuple, TypeAlias

from tasuki_yang.facts import WIDEST_PREFIX, FactKey, Facts, Values

ENDS: Final = frozenset({"global-address", "delegated-prefix", "aftr-name", "addresses"})
"""Nouns of which ends of tunnels are made: what is lost of them is known still. Of others it is not."""
_PRIVATE: Final = IPv6Network("fc00::/7")
"""Addresses that two networks may both have (RFC 4193)."""
_REMEMBERED: Final = 1 << 14
"""Values that are not read anew with each report."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that a router asks for."""

    values: Values
    """What it is, or was when it was known last; empty if it never was known."""
    since: datetime
    """When it became so, by the controller's clock."""
    lost: bool = False
    """The router does not know it any more."""


Report: TypeAlias = Mapping[FactKey, Values]
"""All that one router asks for, and what it knows of that: no values for what it does not know."""
Told: TypeAlias = Mapping[str, Mapping[FactKey, Fact]]
"""What the routers have told, by router name."""
RouterFact: TypeAlias = tuple[str, FactKey]
"""A router's name, and what is told of it."""


class FactChange(NamedTuple):
    """Another value of a router's fact, as its peers know it: none where it is another router's.

    What ends of tunnels are made of does not change by being lost.
    """

    router: str
    key: FactKey
    old: Values
    new: Values


def audited(told: Told, routers: Iterable[str]) -> set[RouterFact]:
    """What is put on record whenever it changes: what these routers learn of their lines and of names.

    That a router has a certain address only follows from that.
    """
    return {
        (router, key) for router in routers for key in told.get(router, {}) if key.noun != "local-address"
    }


def heard(
    before: Mapping[FactKey, Fact], report: Report, needed: Container[FactKey], now: datetime
) -> Mapping[FactKey, Fact]:
    """What a router has told after one more report; `needed` are facts that other routers' trees ask for."""
    told = {key: _heard(before.get(key), values, now) for key, values in report.items()}
    unsaid = {key: _heard(fact, (), now) for key, fact in before.items() if key not in report}
    return told | {key: fact for key, fact in unsaid.items() if fact.values and key in needed}


def supposing(told: Told, supposed: Mapping[str, Facts], now: datetime) -> Told:
    """What routers would have told if they told this as well."""
    known = {router: told.get(router, {}) for router in supposed}
    return {
        **told,
        **{
            router: {**known[router], **heard(known[router], supposed[router], (), now)}
            for router in supposed
        },
    }


def _heard(before: Fact | None, values: Values, now: datetime) -> Fact:
    if values:
        known = before and before.values == values and not before.lost
        return before if before and known else Fact(values, now)
    if before is None:
        return Fact((), now)
    return before if before.lost or not before.values else replace(before, since=now, lost=True)


def holders(told: Told) -> Mapping[RouterFact, str]:
    """Who has what another router tells of too, by what is not followed because of that.

    Who told it first keeps it until it tells of something else or loses it. What is lost stays with the last
    one that had it, and only until another router has it.
    """
    taken, found = _Taken(), {}
    for claim in sorted(_claims(told)):
        holder = taken.holder(claim)
        if holder is None:
            taken.add(claim)
        else:
            found[claim.router, claim.key] = holder
    return found


def is_held(holder: str) -> str:
    """What to say of a fact that another router has."""
    return f"router {holder} tells of it, or of a part of it, as well: peers follow that one only"


_Block: TypeAlias = tuple[str, int, int]
"""A network of a noun: its length and its bits."""


class _Claim(NamedTuple):
    """A router's word that a network is its own. Sorts by who comes first."""

    lost: bool
    age: float
    router: str
    key: FactKey
    network: IPv6Network

    @property
    def blocks(self) -> list[_Block]:
        """The network, and of a prefix all that it lies in, the widest last."""
        noun, length = self.key.noun, self.network.prefixlen
        bits = int(self.network.network_address)
        widest = WIDEST_PREFIX if noun == "delegated-prefix" else length
        return [(noun, each, bits >> 128 - each) for each in range(length, widest - 1, -1)]


class _Taken:
    """Networks that have their routers."""

    def __init__(self) -> None:
        self._at: dict[_Block, set[str]] = defaultdict(set)
        self._within: dict[_Block, set[str]] = defaultdict(set)

    def add(self, claim: _Claim) -> None:
        """Let the router have it."""
        own, *wider = claim.blocks
        self._at[own].add(claim.router)
        for block in (own, *wider):
            self._within[block].add(claim.router)

    def holder(self, claim: _Claim) -> str | None:
        """Another router that has some of it."""
        own, *wider = claim.blocks
        routers = self._within.get(own, set()).union(*(self._at.get(block, ()) for block in wider))
        return min(routers - {claim.router}, default=None)


def _claims(told: Told) -> Iterator[_Claim]:
    for router, facts in told.items():
        for key, fact in facts.items():
            if key.noun not in ("global-address", "delegated-prefix"):
                continue
            since = fact.since.timestamp()
            for network in filter(None, map(_global, fact.values)):
                yield _Claim(fact.lost, -since if fact.lost else since, router, key, network)


@lru_cache(_REMEMBERED)
def _global(value: str) -> IPv6Network | None:
    """The network, unless it is a private one."""
    network = IPv6Network(value)
    return None if network.subnet_of(_PRIVATE) else network
