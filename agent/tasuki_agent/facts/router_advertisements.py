"""What routers advertise on a link: `INTERFACE/default-routers` and `INTERFACE/on-link-prefixes`.

The kernel takes the advertisements in, and tells of a route that comes or goes, but not of one whose end is
put off. So its routes are looked at when it tells, each minute, and when half of the time is over that is
left of one. A link that is flooded with advertisements costs two looks a second at the most.
"""

import asyncio
import logging
import math
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import ClassVar, Final, NamedTuple, TypeAlias

from tasuki_yang.facts import NOUNS, AllTerms, FactKey, Facts, Terms

from tasuki_agent.kernel import addresses
from tasuki_agent.kernel.advertised_routes import EVERYTHING, MOST, RTPROT_RA, Look, News, Seen
from tasuki_agent.kind import Observed

log = logging.getLogger(__name__)

SETTLING_SECONDS: Final = 0.05
"""From the first change to a look: the kernel makes the routes of one advertisement one by one."""
PAUSE_SECONDS: Final = 0.5
"""Between two looks, if one takes no time."""
TOLD: Final = 16
"""Routers, and prefixes, that are told of an interface at the most; the present ones are kept."""
_TOLERANCE: Final = 1.0
"""Seconds by which an end may be another one and is still the same: to look takes time."""
_SHORTEST_REST: Final = 1.0
"""Seconds before the next look at an end that draws near."""
_LONGEST_REST: Final = 60.0
_IFAPROT_KERNEL_RA: Final = 2
_NOTHING: Final = Seen((), cut_short=False)


class _Known(NamedTuple):
    """A route as it was seen last."""

    until: float
    order: tuple[int, int]
    protocol: int


_Routes: TypeAlias = Mapping[tuple[str, str], _Known]
"""By prefix and router."""


class RouterAdvertisementSource:
    """Tells what is advertised."""

    nouns: ClassVar[tuple[str, ...]] = ("default-routers", "on-link-prefixes")

    def __init__(self, state_dir: Path) -> None:  # noqa: ARG002
        self._seen: dict[str, _Routes] = {}
        self._flooded: set[str] = set()
        self._terms: AllTerms = {}
        self._asked = asyncio.Event()

    def learn(self, asked: Collection[FactKey], observed: Observed, before: Facts) -> Facts:  # noqa: ARG002
        """What is advertised on the interfaces that are asked for."""
        interfaces = {key.subject for key in asked}
        if interfaces != self._seen.keys():
            # What was known before a restart is known at once after it.
            added = self._looked(interfaces - self._seen.keys())
            kept = {name: routes for name, routes in self._seen.items() if name in interfaces}
            self._seen = {**kept, **added}
            self._asked.set() if asked else self._asked.clear()
        terms = _told(self._seen, asked, observed)
        self._terms = {(key, value): term for key, found in terms.items() for value, term in found.items()}
        return {key: tuple(found) for key, found in terms.items()}

    def peek(self, asked: Collection[FactKey], observed: Observed, before: Facts) -> Facts:  # noqa: ARG002
        """The same, of interfaces that nobody looks out for besides."""
        added = self._looked({key.subject for key in asked} - self._seen.keys())
        return {key: tuple(found) for key, found in _told({**self._seen, **added}, asked, observed).items()}

    def terms(self) -> AllTerms:
        """Until when what is told counts, as far as the last look goes."""
        return self._terms

    async def run(self, changed: Callable[[], None]) -> None:
        """Look when the kernel tells of a change, and before an end; not while nothing is asked for."""
        while True:
            await self._asked.wait()
            with closing(News()) as news:
                await asyncio.sleep(SETTLING_SECONDS)
                took = await self._look_again(changed)
                await asyncio.sleep(max(PAUSE_SECONDS, 10 * took))
                try:
                    async with asyncio.timeout(self._rest()):
                        await news.come()
                except TimeoutError:
                    continue

    async def _look_again(self, changed: Callable[[], None]) -> float:
        """Look at all that is asked for. Returns how many seconds it took."""
        begin, asked = _clock(), self._seen.keys()
        look = Look(asked)
        try:
            read = await asyncio.to_thread(look.read)
        except OSError as error:
            log.warning("what routers advertise cannot be read, for now: %s", error.strerror)
            return 0.0
        before = self._seen
        # Meanwhile other interfaces may be asked for.
        names = asked & before.keys()
        self._seen = {**before, **self._taken_in({name: read.get(name, _NOTHING) for name in names})}
        if _endless(self._seen) != _endless(before):
            changed()
        return _clock() - begin

    def _looked(self, interfaces: Collection[str]) -> dict[str, _Routes]:
        """The same at once, of interfaces that nothing is known of."""
        if not interfaces:
            return {}
        try:
            read = Look(interfaces).read()
        except OSError as error:
            log.warning("what routers advertise cannot be read, for now: %s", error.strerror)
            read = {}
        return self._taken_in({name: read.get(name, _NOTHING) for name in interfaces})

    def _taken_in(self, read: Mapping[str, Seen]) -> dict[str, _Routes]:
        for name, seen in read.items():
            if not seen.cut_short:
                self._flooded.discard(name)
            elif name not in self._flooded:
                self._flooded.add(name)
                log.warning(
                    "%d routes or more are advertised on %s: somebody floods it; %d are told",
                    MOST,
                    name,
                    TOLD,
                )
        now = _clock()
        return {name: settled(self._seen.get(name, {}), seen, now) for name, seen in read.items()}

    def _rest(self) -> float:
        """Seconds until the next look, whatever the kernel tells."""
        ends = [known.until for routes in self._seen.values() for known in routes.values()]
        left = min(ends, default=math.inf) - _clock()
        return min(max(left / 2, min(left, _SHORTEST_REST), 0.0), _LONGEST_REST)


def _endless(seen: Mapping[str, _Routes]) -> dict[str, _Routes]:
    """All but the ends: that one is put off with each advertisement is no news."""
    return {
        name: {key: known._replace(until=math.inf) for key, known in routes.items()}
        for name, routes in seen.items()
    }


def settled(before: _Routes, seen: Seen, now: float) -> _Routes:
    """What is known after a look at `now`: of too many routes those that were known before, then the first.

    A look that was cut short has not seen them all: what was known stays until its end.
    """
    known = {
        (each.prefix, each.gateway): _Known(now + each.expires, each.order, each.protocol)
        for each in seen.routes
    }
    if seen.cut_short:
        known = {key: old for key, old in before.items() if now < old.until < math.inf} | known
    for key in known.keys() & before.keys():
        if abs(known[key].until - before[key].until) < _TOLERANCE:
            known[key] = known[key]._replace(until=before[key].until)
    # Prefixes of static addresses are among those without an end.
    ranked = sorted(known, key=lambda key: (key not in before, known[key].until))
    prefixes, routers = (
        [key for key in ranked if bool(key[1]) is has_router] for has_router in (False, True)
    )
    return {key: known[key] for key in (*prefixes[:TOLD], *routers[:TOLD])}


def _told(
    seen: Mapping[str, _Routes], asked: Iterable[FactKey], observed: Observed
) -> dict[FactKey, dict[str, Terms]]:
    told = {}
    for key in asked:
        routes = seen.get(key.subject, {})
        find = _routers(routes) if key.noun == "default-routers" else _prefixes(routes, key.subject, observed)
        values = {
            value: Terms("router-advertisement", None, until if until < math.inf else None)
            for text, until in find
            if (value := _canonical(key.noun, text))
        }
        if values:
            told[key] = values
    return told


def _routers(routes: _Routes) -> Iterator[tuple[str, float]]:
    """The one first that is used first."""
    ranked = sorted(
        (known.order, addresses.packed(gateway), gateway) for (_, gateway), known in routes.items() if gateway
    )
    return ((gateway, routes[EVERYTHING, gateway].until) for _, _, gateway in ranked)


def _prefixes(routes: _Routes, interface: str, observed: Observed) -> Iterator[tuple[str, float]]:
    """Those whose route is not there because of an address that somebody else made."""
    makers: dict[str, set[int]] = {}
    for key, spec in observed.get("address", {}).items():
        if key.interface == interface and addresses.is_ipv6(key.ip) and not spec.no_prefix_route:
            prefix = addresses.canonical_prefix(f"{key.ip}/{spec.prefix_length}")
            makers.setdefault(prefix, set()).add(spec.protocol)
    for (prefix, gateway), known in sorted(routes.items()):
        by = makers.get(prefix, set())
        advertised = _IFAPROT_KERNEL_RA in by or (known.until < math.inf and not by)
        if not gateway and (advertised or known.protocol == RTPROT_RA):
            yield prefix, known.until


def _canonical(noun: str, text: str) -> str | None:
    """The value as it is told; None for nonsense that somebody advertises."""
    try:
        return NOUNS[noun].canonical(text)
    except ValueError:
        return None


def _clock() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


SOURCE = RouterAdvertisementSource
