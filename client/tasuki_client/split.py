"""How each subscriber of a split stands, out of the intent, the routers' states and the open drift.

Pure. A subscriber is as well as the worse one of its two ends.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from ipaddress import IPv6Network
from typing import Final

from tasuki_proto.v1.drift_pb2 import DriftItem
from tasuki_proto.v1.router_pb2 import ObjectStatus, Router
from tasuki_yang.network import NetworkVxlanSplit as Split
from tasuki_yang.network import NetworkVxlanSplitSubscriber as Subscriber

from tasuki_client.plain import name_of

_SITE: Final = 48
_QUOTED: Final = re.compile(r"""'([^']*)'|"([^"]*)\"""")
_TUNNEL: Final = re.compile(r"vxlan([0-9a-f]{2,6})")


class State(IntEnum):
    """State of a /48, the more urgent the higher."""

    FREE = 0
    RESERVED = 1
    CONVERGED = 2
    ALLOCATED = 3
    UNREACHABLE = 4
    DRIFTING = 5


@dataclass(frozen=True, slots=True)
class Standing:
    """State of one subscriber, and the reasons that lie with it."""

    number: int
    router: str
    """Empty for a subscriber without an agent."""
    state: State
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SplitMap:
    """A split and all its subscribers."""

    name: str
    prefix: IPv6Network
    hub: str
    standings: Mapping[int, Standing]
    hub_reasons: tuple[str, ...]
    """What is wrong with the hub and concerns every subscriber or none."""

    @property
    def size(self) -> int:
        """How many /48s there are, the reserved one included."""
        return 1 << _SITE - self.prefix.prefixlen

    def state(self, number: int) -> State:
        """State of any /48."""
        if number == 0:
            return State.RESERVED
        standing = self.standings.get(number)
        return standing.state if standing else State.FREE

    def site(self, number: int) -> IPv6Network:
        """A /48 by its number."""
        return IPv6Network((int(self.prefix.network_address) | number << 80, _SITE))

    @property
    def counts(self) -> dict[State, int]:
        """How many /48s are in each state."""
        counted = Counter(standing.state for standing in self.standings.values())
        free = self.size - 1 - len(self.standings)
        return {state: counted[state] for state in State} | {State.RESERVED: 1, State.FREE: free}


@dataclass(frozen=True, slots=True)
class _Trouble:
    """Something on a router that is not as intended; `number` is the subscriber's that it belongs to."""

    router: str
    number: int | None
    state: State
    reason: str


def assess(split: Split, routers: Mapping[str, Router], open_drift: Iterable[DriftItem]) -> SplitMap:
    """Put the evidence together.

    Args:
        split: the intent.
        routers: every router by name, with its objects that are not as intended.
        open_drift: what is not healed, of any router.
    """
    prefix = IPv6Network(split.prefix)
    owner = _Owner(split, prefix)
    troubles = [
        *_from_drift(open_drift, owner),
        *(t for router in routers.values() for t in _from_objects(router, owner)),
    ]
    by_place: dict[tuple[str, int | None], list[_Trouble]] = {}
    for trouble in troubles:
        by_place.setdefault((trouble.router, trouble.number), []).append(trouble)
    hub = split.hub.router
    hub_as_such = list(_from_standing(hub, routers))
    best = max((trouble.state for trouble in hub_as_such), default=State.CONVERGED)
    standings = {}
    for subscriber in split.subscriber:
        found = by_place.get((hub, subscriber.number), [])
        if (router := subscriber.router) and router != hub:
            own = by_place.get((router, subscriber.number), []) + by_place.get((router, None), [])
            found = [*found, *own, *_from_standing(router, routers)]
        standings[subscriber.number] = _standing(subscriber, best, found)
    unowned = [*hub_as_such, *by_place.get((hub, None), [])]
    return SplitMap(split.name, prefix, hub, standings, tuple(trouble.reason for trouble in unowned))


def _standing(subscriber: Subscriber, best: State, troubles: Sequence[_Trouble]) -> Standing:
    state = max([best, *(trouble.state for trouble in troubles)])
    reasons = tuple(trouble.reason for trouble in troubles)
    return Standing(subscriber.number, subscriber.router or "", state, reasons)


def _from_drift(items: Iterable[DriftItem], owner: "_Owner") -> Iterator[_Trouble]:
    for item in items:
        what = f"{item.router}: {item.kind} {item.key} {name_of(item, 'class')}"
        yield _Trouble(item.router, owner.of(item.path), State.DRIFTING, what)


def _from_objects(router: Router, owner: "_Owner") -> Iterator[_Trouble]:
    for status in router.objects:
        patient = status.state in (ObjectStatus.STATE_WAITING, ObjectStatus.STATE_PENDING)
        state = State.ALLOCATED if patient else State.DRIFTING
        what = f"{router.name}: {status.kind} {status.key} {name_of(status, 'state')}"
        if status.message:
            what += f" ({status.message})"
        yield _Trouble(router.name, owner.of(status.path), state, what)


def _from_standing(name: str, routers: Mapping[str, Router]) -> Iterator[_Trouble]:
    """What concerns every subscriber of a router."""
    router = routers.get(name)
    if router is None or not router.connected:
        yield _Trouble(name, None, State.UNREACHABLE, f"{name}: not connected")
    elif router.applied_revision < router.intended_revision and not router.objects:
        behind = f"{name}: applies revision {router.intended_revision}"
        yield _Trouble(name, None, State.ALLOCATED, behind)


class _Owner:
    """Which subscriber an object belongs to, told by its instance-identifier."""

    def __init__(self, split: Split, prefix: IPv6Network) -> None:
        self._prefix = prefix
        self._vni_base = split.vni_base
        self._rule = re.compile(rf"{re.escape(split.name)}-(\d+)-(?:to|from)-\w+")
        self._numbers = frozenset(s.number for s in split.subscriber)

    def of(self, path: str) -> int | None:
        """The subscriber's number, or None if the object belongs to none or to all of them."""
        for quoted in _QUOTED.finditer(path):
            number = self._number(quoted[1] or quoted[2] or "")
            if number in self._numbers:
                return number
        return None

    def _number(self, text: str) -> int | None:
        if tunnel := _TUNNEL.fullmatch(text):
            return int(tunnel[1], 16) - self._vni_base
        if rule := self._rule.fullmatch(text):
            return int(rule[1])
        try:
            network = IPv6Network(text, strict=False)
        except ValueError:
            return None
        if not (network.prefixlen >= _SITE and network.subnet_of(self._prefix)):
            return None
        return self._by_address(int(network.network_address))

    def _by_address(self, address: int) -> int:
        """Inside the reserved /48 the next 16 bits, inside its first /64 the 16 bits after those."""
        for shift, bits in ((80, _SITE - self._prefix.prefixlen), (64, 16), (48, 16)):
            if number := (address >> shift) & ((1 << bits) - 1):
                return number
        return 0
