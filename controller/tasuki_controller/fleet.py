"""The routers: what each shall be, what each was last seen to be, and who wants to know.

Every agent that dials in has a `Link`, whose mailbox holds the newest of each message for it: a slow or stuck
agent gets the newest intent when it reads again, and never delays a commit or another agent.
"""

import asyncio
import logging
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from types import MappingProxyType
from typing import Final, NamedTuple, TypeAlias

import grpc
from google.protobuf.timestamp_pb2 import Timestamp
from tasuki_proto.v1 import agent_pb2, drift_pb2, router_pb2
from tasuki_yang.errors import ConfigError
from tasuki_yang.facts import Facts

from tasuki_controller.drift_counts import DriftCounts
from tasuki_controller.failure import Failed, invalid, missing
from tasuki_controller.intended import Intended, Trial
from tasuki_controller.intent import RouterIntent
from tasuki_controller.link import Link, Prepared
from tasuki_controller.mailbox import K, Mailbox, V
from tasuki_controller.outcome import RouterOutcome, outcome
from tasuki_controller.problems import Rivals, another_history
from tasuki_controller.store import DriftCount, Store

_log = logging.getLogger(__name__)

_OPERATIONAL_TIMEOUT: Final = 5.0
PREPARE_TIMEOUT: Final = 5.0
"""Seconds within which a router answers to an intent, or counts as offline."""
_DRIFT_WATCH_LIMIT: Final = 10_000
"""Drift items that may wait for one watcher before it is told to start again."""

DriftKey: TypeAlias = tuple[str, str]


class OutcomeChange(NamedTuple):
    """A router has got somewhere with the revision that last changed its intent."""

    router: str
    revision: int
    outcome: RouterOutcome


class Fleet:
    """All routers that are intended, connected, or known from before."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._intended = Intended(0, {}, {})
        self._status: dict[str, router_pb2.Router] = {}
        self._operational: dict[str, agent_pb2.Operational] = {}
        self._links: dict[str, Link] = {}
        self._rivals = Rivals()
        self._drift_counts = DriftCounts(store)
        self._trial: Trial | None = None
        self._reports: dict[str, agent_pb2.Report] = {}
        self._outcomes: dict[str, OutcomeChange] = {}
        self._outcome_watches: set[Mailbox[str, OutcomeChange]] = set()
        self._router_watches: set[Mailbox[str, str]] = set()
        self._report_watches: set[Mailbox[str, tuple[str, agent_pb2.Report]]] = set()
        self._drift_watches: set[Mailbox[DriftKey, drift_pb2.DriftItem]] = set()

    async def restore(self) -> None:
        """Recall what the routers were last seen to be."""
        for router in await self._store.routers():
            router.connected = False
            self._status[router.name] = router

    def publish(self, intended: Intended, trial: Trial | None = None) -> None:
        """Tell every router whose intent changed, or whose intent is on trial or no longer so. Never waits.

        Without a trial everything that is intended counts as confirmed, also by agents that connect later:
        a controller that starts with an unconfirmed commit must not publish before it has reverted that.
        """
        before, self._intended = self._intended, intended
        trial_before, self._trial = self._trial, trial
        for router in {*intended.routers, *intended.removed, *self._links}:
            changed = before.of(router) != intended.of(router)
            tried = trial and trial.of(router, intended)
            if not changed and tried == (trial_before and trial_before.of(router, before)):
                continue
            if router in self._links:
                self._send_intent(self._links[router])
            if changed:
                self._changed(router)

    async def prepare(
        self,
        intents: Mapping[str, RouterIntent],
        timeout: float = PREPARE_TIMEOUT,  # noqa: ASYNC109 - a limit per router
        suppose: Mapping[str, Facts] = MappingProxyType({}),
    ) -> Mapping[str, Prepared]:
        """Ask the routers, all at once, what they would do with these intents, which nobody gets by this.

        Each is to suppose its own facts of `suppose`, in the place of what it knows.
        """

        async def ask(router: str) -> Prepared:
            link = self._links.get(router)
            if link is None or link.mute:
                return Prepared()
            try:
                async with asyncio.timeout(timeout):
                    return await link.prepare(intents[router], suppose.get(router, {}))
            except (TimeoutError, Failed):
                link.mute = True
                _log.warning("router %s: did not say in time what it would do", router)
                return Prepared()

        return dict(zip(intents, await asyncio.gather(*map(ask, intents)), strict=True))

    def outcome(self, router: str) -> OutcomeChange:
        """How far the router is with the revision that last changed its intent."""
        intent = self._intended.of(router)
        revision = intent.revision if intent else 0
        how = outcome(revision, self._reports.get(router), connected=router in self._links)
        return OutcomeChange(router, revision, how)

    async def outcomes(
        self,
        routers: Iterable[str],
        timeout: float,  # noqa: ASYNC109 - what comes by then counts
    ) -> Mapping[str, RouterOutcome]:
        """How far the routers are with what last changed them: as soon as none is pending, or by then."""
        names = list(routers)
        with suppress(TimeoutError), self.watch_outcomes() as changed:
            async with asyncio.timeout(timeout):
                while not all(self.outcome(name).outcome.settled for name in names):
                    await changed.take()
        return {name: self.outcome(name).outcome for name in names}

    def watch_outcomes(self) -> AbstractContextManager[Mailbox[str, OutcomeChange]]:
        """A mailbox that gets every router's outcome when it changes."""
        return _watching(self._outcome_watches)

    def newest_report(self, router: str) -> agent_pb2.Report | None:
        """The router's newest report; None before it has made one since the controller started."""
        return self._reports.get(router)

    def connected(self) -> frozenset[str]:
        """Routers whose agents have their streams open."""
        return frozenset(self._links)

    def is_current(self, link: Link) -> bool:
        """Whether this is still the router's stream, and not one that was replaced or ended."""
        return self._links.get(link.router) is link

    def connect(self, hello: agent_pb2.Hello, peer: str) -> Link:
        """Take in an agent's stream, in the place of an older one of the router, until `disconnect`."""
        older = self._links.get(hello.router)
        if older:
            older.close(_replaced(hello.router, peer))
            if older.instance != hello.instance or not hello.instance:
                _log.warning(
                    "router %s: a second agent connected from %s; the first is dropped", hello.router, peer
                )
                self._rivals.replaced(hello.router, self._status[hello.router].peer, peer, time.monotonic())
        link = self._links[hello.router] = Link(hello.router, held=hello.revision, instance=hello.instance)
        self._send_intent(link, held=hello.digest)
        status = self._seen(hello.router)
        status.connected = True
        status.peer = peer
        status.agent_version = hello.agent_version
        _log.info("router %s: connected from %s, holds revision %d", hello.router, peer, hello.revision)
        if strange := another_history(hello.router, hello.revision, self._intended):
            _log.warning("router %s: %s", hello.router, strange)
        self._changed(hello.router)
        return link

    async def disconnect(self, link: Link) -> None:
        """Note that the stream has ended."""
        link.close(_lost(link.router))
        if not self.is_current(link):
            return
        del self._links[link.router]
        _log.info("router %s: disconnected", link.router)
        status = self._status[link.router]
        status.connected = False
        await self._save(status)

    async def heartbeat(self, link: Link, heartbeat: agent_pb2.Heartbeat) -> None:
        """Note how far the router is; write it down only when it got somewhere."""
        status = self._seen(link.router)
        advanced = status.applied_revision != heartbeat.applied_revision
        status.applied_revision = heartbeat.applied_revision
        if heartbeat.HasField("observed_at"):
            status.observed_at.CopyFrom(heartbeat.observed_at)
        if advanced:
            await self._save(status)
        else:
            self._changed(link.router)

    async def report(self, link: Link, report: agent_pb2.Report) -> None:
        """Note how the router stands; acknowledge its drift when that is stored."""
        status = self._seen(link.router)
        status.applied_revision = report.applied_revision
        link.held = report.revision or link.held
        if report.HasField("observed_at"):
            status.observed_at.CopyFrom(report.observed_at)
        status.counts.CopyFrom(report.counts)
        status.problem = report.problem
        status.reverted = _told(report.reverted) if report.HasField("reverted") else ""
        del status.objects[:]
        status.objects.extend(report.objects)
        self._reports[link.router] = report
        for watch in self._report_watches:
            watch.put(link.router, (link.router, report))
        if report.drift:
            items = [self._own(link.router, sequenced.item) for sequenced in report.drift]
            await self._store.save_drift(link.router, items)
            self._drifted(items)
            last = max(sequenced.sequence for sequenced in report.drift)
            link.send(agent_pb2.ConnectResponse(drift_ack=agent_pb2.DriftAck(sequence=last)))
        if not link.reported:
            known = {*report.open_drift, *(sequenced.item.id for sequenced in report.drift)}
            self._drifted(await self._store.end_drift(link.router, known))
            link.reported = True
        await self._save(status)

    def prepared(self, link: Link, answer: agent_pb2.PrepareAnswer) -> None:
        """Take in what a router would do."""
        link.prepared(answer)

    def answer(self, link: Link, answer: agent_pb2.Operational) -> None:
        """Take in a router's operational tree."""
        self._operational[link.router] = answer
        link.answer(answer)

    async def operational(self, router: str) -> agent_pb2.Operational:
        """The router's operational tree: as it is now, or else as it was last told.

        Raises:
            Failed: there is no such router, or neither can be had.
        """
        link = self._links.get(router)
        if link:
            try:
                async with asyncio.timeout(_OPERATIONAL_TIMEOUT):
                    return await link.operational()
            except (TimeoutError, Failed):
                _log.warning("router %s: did not tell its operational state in time", router)
        self.require(router)
        if router in self._operational:
            return self._operational[router]
        raise _unavailable(f"Router '{router}' is not connected and has not told its operational state yet.")

    def require(self, router: str) -> None:
        """Fail for a router that does not exist.

        Raises:
            Failed: data-missing.
        """
        if not self._exists(router):
            raise missing(f"There is no router '{router}'; there are: {', '.join(self._names()) or 'none'}.")

    async def routers(
        self, names: Sequence[str] = (), *, with_objects: bool = False
    ) -> list[router_pb2.Router]:
        """How these routers stand, or all of them."""
        counts = await self._drift_counts.get()
        return [
            self._router(name, counts.get(name, DriftCount()), with_objects=with_objects)
            for name in names or self._names()
            if self._exists(name)
        ]

    def evidence(self, router: str | None) -> list[drift_pb2.Evidence]:
        """When each router was last observed."""
        evidence = []
        for name in self._names() if router is None else [router]:
            item = drift_pb2.Evidence(router=name, connected=name in self._links)
            if name in self._status and self._status[name].HasField("observed_at"):
                item.observed_at.CopyFrom(self._status[name].observed_at)
            evidence.append(item)
        return evidence

    def watch_routers(self) -> AbstractContextManager[Mailbox[str, str]]:
        """A mailbox that gets the name of every router that changes."""
        return _watching(self._router_watches)

    def watch_reports(self) -> AbstractContextManager[Mailbox[str, tuple[str, agent_pb2.Report]]]:
        """A mailbox that gets the newest report of every router that makes one."""
        return _watching(self._report_watches)

    def watch_drift(self) -> AbstractContextManager[Mailbox[DriftKey, drift_pb2.DriftItem]]:
        """A mailbox that gets every new or changed drift item. Closed when too many wait in it."""
        return _watching(self._drift_watches)

    def close(self) -> None:
        """End every stream, because the controller ends."""
        reason = _unavailable("The controller is shutting down.")
        for link in list(self._links.values()):
            link.close(reason)
        watches = self._router_watches | self._report_watches | self._drift_watches | self._outcome_watches
        for watch in watches:
            watch.close(reason)

    def _names(self) -> list[str]:
        return sorted(
            name for name in {*self._intended.routers, *self._links, *self._status} if self._exists(name)
        )

    def _exists(self, router: str) -> bool:
        if router in self._intended.routers or router in self._links:
            return True
        # A removed router is listed until it is seen to have taken its objects down.
        removed, status = self._intended.removed.get(router), self._status.get(router)
        return removed is not None and status is not None and status.applied_revision < removed.revision

    def _router(self, name: str, drift: DriftCount, *, with_objects: bool) -> router_pb2.Router:
        router = router_pb2.Router(name=name)
        if name in self._status:
            router.CopyFrom(self._status[name])
        intent = self._intended.of(name)
        router.intended_revision = intent.revision if intent else 0
        router.problem = "; ".join(filter(None, (*self._against(name), router.problem)))
        router.open_drift, router.recent_drift = drift.open, drift.recent
        if not with_objects:
            del router.objects[:]
        return router

    def _against(self, name: str) -> Iterator[str]:
        yield self._rivals.of(name, time.monotonic())
        if name in self._links:
            yield another_history(name, self._links[name].held, self._intended)

    def _send_intent(self, link: Link, held: str = "") -> None:
        intent = self._intended.of(link.router)
        if intent:
            message = intent.message(held=held)
            trial = self._trial and self._trial.of(link.router, self._intended)
            if trial:
                message.trial.CopyFrom(trial.message(asyncio.get_running_loop().time()))
            link.send(agent_pb2.ConnectResponse(intent=message))

    def _seen(self, router: str) -> router_pb2.Router:
        status = self._status.setdefault(router, router_pb2.Router(name=router))
        status.last_seen.CopyFrom(_now())
        return status

    async def _save(self, status: router_pb2.Router) -> None:
        self._changed(status.name)
        await self._store.save_router(status)

    def _changed(self, router: str) -> None:
        for watch in self._router_watches:
            watch.put(router, router)
        now = self.outcome(router)
        if self._outcomes.get(router) != now:
            self._outcomes[router] = now
            for watching in self._outcome_watches:
                watching.put(router, now)

    @staticmethod
    def _own(router: str, item: drift_pb2.DriftItem) -> drift_pb2.DriftItem:
        if not item.id:
            raise invalid("A drift item needs an id.")
        # Whatever it says: a router reports about itself only.
        item.router = router
        if not item.HasField("last_seen"):
            item.last_seen.CopyFrom(_now())
        return item

    def _drifted(self, items: Sequence[drift_pb2.DriftItem]) -> None:
        if items:
            self._drift_counts.forget()
        for watch in self._drift_watches:
            for item in items:
                watch.put((item.router, item.id), item)
            if len(watch) > _DRIFT_WATCH_LIMIT:
                watch.close(_too_slow())


@contextmanager
def _watching(watches: set[Mailbox[K, V]]) -> Iterator[Mailbox[K, V]]:
    mailbox: Mailbox[K, V] = Mailbox()
    watches.add(mailbox)
    try:
        yield mailbox
    finally:
        watches.discard(mailbox)


def _told(reverted: agent_pb2.Reverted) -> str:
    return (
        f"{reverted.time.ToJsonString()}: revision {reverted.from_revision} was left"
        f" for {reverted.to_revision}: {reverted.reason}"
    )


def _now() -> Timestamp:
    now = Timestamp()
    now.GetCurrentTime()
    return now


def _unavailable(message: str) -> Failed:
    problem = ConfigError(error_type="application", error_tag="operation-failed", message=message)
    return Failed([problem], grpc.StatusCode.UNAVAILABLE)


def _lost(router: str) -> Failed:
    return _unavailable(f"Router '{router}' has disconnected.")


def _replaced(router: str, peer: str) -> Failed:
    problem = ConfigError(
        error_type="protocol",
        error_tag="in-use",
        message=f"Another agent connected as router '{router}', from {peer}.",
    )
    return Failed([problem], grpc.StatusCode.ABORTED)


def _too_slow() -> Failed:
    problem = ConfigError(
        error_type="protocol",
        error_tag="resource-denied",
        message=f"More than {_DRIFT_WATCH_LIMIT} drift items wait to be read: watch again from the start.",
    )
    return Failed([problem])
