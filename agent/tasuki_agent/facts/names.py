"""What the DNS says: `NAME/addresses`, or `NAME@SERVER,SERVER/addresses` where the servers are chosen.

A name is asked for again when its answer's time to live is over. An answer that fails to come leaves what was
known as it is: a tunnel that works is not given up because a resolver is away.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar, Final, NamedTuple

from tasuki_yang.facts import NOUNS, AllTerms, FactKey, Facts, Terms, Values

from tasuki_agent.kernel import addresses
from tasuki_agent.kind import Observed

log = logging.getLogger(__name__)

SERVER_SECONDS: Final = 2.0
"""How long one server has to answer before the next one is asked."""
SHORTEST_SECONDS: Final = 5.0
LONGEST_SECONDS: Final = 86_400.0
"""Bounds of an answer's time to live."""
FIRST_RETRY_SECONDS: Final = 1.0
LAST_RETRY_SECONDS: Final = 64.0
AT_ONCE: Final = 16
"""Names that are asked for at the same time."""
RESOLV_CONF: Final = "/etc/resolv.conf"


class Answer(NamedTuple):
    """Addresses as the DNS spells them, and for how many seconds they may be kept."""

    addresses: tuple[str, ...]
    ttl: float


class Unresolved(Exception):  # noqa: N818 - a state of the world, no fault of ours
    """There is no answer. The message says why."""


class NameSource:
    """Tells the addresses of names."""

    nouns: ClassVar[tuple[str, ...]] = ("addresses",)

    def __init__(self, state_dir: Path) -> None:  # noqa: ARG002
        self._names: dict[FactKey, _Name] = {}
        self._told: Facts = {}
        self._observed: Observed = {}
        self._asked = asyncio.Event()
        self._at_once = asyncio.Semaphore(AT_ONCE)

    def learn(self, asked: Collection[FactKey], observed: Observed, before: Facts) -> Facts:
        """The addresses of the names that are asked for, as the last answers have them."""
        if set(asked) != self._names.keys():
            self._names = {key: self._names.get(key) or _Name(key.subject) for key in asked}
            self._asked.set()
        self._told = {}
        if not asked:
            return {}
        if observed != self._observed:
            # A change of any kind may let a query through that failed before.
            self._observed = dict(observed)
            for name in self._names.values():
                name.try_again.set()
        self._told = self.peek(asked, observed, before)
        return self._told

    def peek(self, asked: Collection[FactKey], observed: Observed, before: Facts) -> Facts:  # noqa: ARG002
        """Of a name that nobody asks for there is only what was known before."""
        answers = {key: name.known for key, name in self._names.items()}
        values = {key: stay(before.get(key, ()), answers.get(key, ())) for key in asked}
        return {key: value for key, value in values.items() if value}

    def terms(self) -> AllTerms:
        """Where the addresses are from. That an answer was had again is no news, so its end is not told."""
        return {(key, value): Terms("dns") for key, values in self._told.items() for value in values}

    def doubts(self) -> Mapping[FactKey, str]:
        """Names that have no answer now, or none that can be used."""
        return {key: name.doubt for key, name in self._names.items() if name.doubt}

    async def run(self, changed: Callable[[], None]) -> None:
        """Keep the answers fresh, of each name in a task of its own."""
        tasks: dict[_Name, asyncio.Task[None]] = {}
        async with asyncio.TaskGroup() as group:
            while True:
                await self._asked.wait()
                self._asked.clear()
                names = set(self._names.values())
                for name in tasks.keys() - names:
                    tasks.pop(name).cancel()
                for name in names - tasks.keys():
                    tasks[name] = group.create_task(self._follow(name, changed), name=name.subject)

    async def _follow(self, name: "_Name", changed: Callable[[], None]) -> None:
        task = asyncio.current_task()
        while True:
            name.try_again.clear()
            async with self._at_once:
                news = await name.ask()
            if task and task.cancelling():
                # Before Python 3.12 asyncio.wait_for, which is inside, may swallow that.
                return
            if news:
                changed()
            await name.rest()


@dataclass(slots=True, eq=False)
class _Name:
    """A name, and how it stands with it.

    Attributes:
        known: the usable addresses of the last answer that had any.
        doubt: since when there is no answer, and why; empty while there is one.
        try_again: set when a query that failed may succeed now.
    """

    subject: str
    known: frozenset[str] = frozenset()
    doubt: str = ""
    try_again: asyncio.Event = field(default_factory=asyncio.Event)
    _failures: int = 0
    _ttl: float = 0.0
    _ignored: frozenset[str] = frozenset()

    async def ask(self) -> bool:
        """Ask the servers. Returns whether there are other addresses, or an answer no more or again."""
        name, _, servers = self.subject.partition("@")
        before = self.known, bool(self.doubt)
        try:
            answer = await resolve(name, [server for server in servers.split(",") if server])
            self._take_in(answer)
        except Unresolved as error:
            self._failures += 1
            self.doubt = self.doubt or f"no answer since {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC: {error}"
            if self._failures == 1:
                log.warning("no address of %s: %s; it is asked for until there is one", self.subject, error)
        else:
            if self._failures:
                log.info("%s has addresses again", self.subject)
            self._failures, self.doubt = 0, ""
        return (self.known, bool(self.doubt)) != before

    def _take_in(self, answer: Answer) -> None:
        usable, ignored = sort_out(answer.addresses)
        if ignored != self._ignored:
            self._ignored = ignored
            for address in sorted(ignored):
                log.warning(
                    "%s: %s is no address that a tunnel can end at, and is ignored", self.subject, address
                )
        if not usable:
            raise Unresolved("none of those that it has can be used")
        self.known = usable
        self._ttl = keep_seconds(answer.ttl)

    async def rest(self) -> None:
        """Wait until it is time to ask again; sooner after a failure, when something has changed."""
        if not self._failures:
            await asyncio.sleep(self._ttl)
            return
        try:
            async with asyncio.timeout(retry_seconds(self._failures)):
                await self.try_again.wait()
        except TimeoutError:
            return
        self._failures = 1


def keep_seconds(ttl: float) -> float:
    """How long an answer counts: not so short that servers are pestered, nor for ever by mistake."""
    return min(max(ttl, SHORTEST_SECONDS), LONGEST_SECONDS)


def retry_seconds(failures: int) -> float:
    """How long to wait after so many failures in a row."""
    return min(FIRST_RETRY_SECONDS * 2.0 ** min(failures - 1, 16), LAST_RETRY_SECONDS)


def stay(before: Values, answer: Collection[str]) -> Values:
    """The addresses, first the one to use: the present one as long as the answer has it, else the lowest.

    Whatever order they come in, nothing changes. Without an answer all stays as it was.
    """
    if not answer:
        return before
    ordered = sorted(answer, key=addresses.packed)
    first = before[0] if before and before[0] in answer else ordered[0]
    return (first, *(address for address in ordered if address != first))


def sort_out(texts: Iterable[str]) -> tuple[frozenset[str], frozenset[str]]:
    """The addresses that a tunnel can end at, in canonical spelling, and the others."""
    usable, ignored = set(), set()
    for text in texts:
        try:
            usable.add(NOUNS["addresses"].canonical(text))
        except ValueError:
            ignored.add(text)
    return frozenset(usable), frozenset(ignored)


async def resolve(name: str, servers: list[str]) -> Answer:
    """Ask the servers in their order until one answers; without any those that resolv.conf now names.

    Raises:
        Unresolved: none did, or the name has no address.
    """
    # A router whose intent has no names must not pay 1.6 MB for this.
    import dns.asyncresolver  # noqa: PLC0415
    import dns.exception  # noqa: PLC0415
    import dns.name  # noqa: PLC0415

    try:
        resolver = dns.asyncresolver.Resolver(RESOLV_CONF, configure=not servers)
        if servers:
            resolver.nameservers = servers
        resolver.timeout = SERVER_SECONDS
        resolver.lifetime = SERVER_SECONDS * len(resolver.nameservers)
        answer = await resolver.resolve(dns.name.from_text(name), "AAAA")
    except (
        dns.exception.DNSException,
        OSError,
        ValueError,
    ) as error:  # ValueError: by an odd line in resolv.conf
        raise Unresolved(str(error).rstrip(".")) from error
    return Answer(tuple(record.to_text() for record in answer), answer.chaining_result.minimum_ttl)


SOURCE = NameSource
