"""The agent's stream to its controller: intent comes down, reports go up, the newest of each wins.

The link never holds the router up. While it is down the reconciler keeps to the last intent, and what there
is to report is built when the stream is up again.
"""

import asyncio
import gzip
import json
import logging
import random
import time
import uuid
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, NoReturn

import grpc
from grpc import aio
from tasuki_proto.channel import HEARTBEAT_SECONDS, SILENCE_SECONDS, Target, TlsFiles, aio_channel
from tasuki_proto.v1 import agent_pb2, agent_pb2_grpc

from tasuki_agent import report
from tasuki_agent.custody import Custody
from tasuki_agent.errors import Transient
from tasuki_agent.intent import BrokenIntent, Intent, decompress
from tasuki_agent.kernel.source_address import Host, moved
from tasuki_agent.kind import Tree
from tasuki_agent.prepare import prepare
from tasuki_agent.reconcile.reconciler import Reconciler

log = logging.getLogger(__name__)

MAX_BACKOFF = 15.0
"""Seconds between attempts to connect at the most."""
_ANSWERS = 8
"""Answers that may wait to be sent; further questions wait to be read."""
_HUNG_UP = ("Socket closed", "Connection reset", "handshake")
"""gRPC's words when the other side does not like our certificate: TLS 1.3 tells no more."""
MOVES_AT_ONCE = 4
"""New source addresses within `MAX_BACKOFF` that are dialled from at once: a line that is renumbered has two
or three, one that flaps any number."""
LOOK_SECONDS = 5.0
"""How long the first stream waits at the most for the first look at the kernel."""
REPORT_INTERVAL = 0.05
"""Seconds between reports at least, so that a burst of changes is told of once."""

Stream = aio.StreamStreamCall[agent_pb2.ConnectRequest, agent_pb2.ConnectResponse]


class _Lost(Exception):  # noqa: N818
    """The controller has ended the stream, said nothing for too long, or taken us for another."""


class _Moved(Exception):  # noqa: N818
    """The stream ends at an address that this router has left: no word may come back to it."""


@dataclass(slots=True)
class ControllerLink:
    """Connects, and connects again.

    Attributes:
        router: this router's name.
        version: this agent's version.
        custody: keeps the intents that come.
        drift_stored: called when the controller has stored drift.
        operational: the operational tree as it is now, freshly observed.
        instance: tells this process from any other of this router's name.
    """

    router: str
    version: str
    target: Target
    tls: TlsFiles | None
    reconciler: Reconciler
    custody: Custody
    drift_stored: Callable[[], None]
    operational: Callable[[], Awaitable[Tree]]
    instance: str = field(default_factory=lambda: uuid.uuid4().hex)
    _host: Host = field(init=False)
    _stale: asyncio.Event = field(default_factory=asyncio.Event)
    _moved: asyncio.Event = field(default_factory=asyncio.Event)
    _problem: str = ""
    _connected: bool = False
    _complaint: str = ""
    _answers: asyncio.Queue[agent_pb2.ConnectRequest] = field(default_factory=asyncio.Queue)
    """To the questions of the present stream."""

    def __post_init__(self) -> None:
        self._host = Host(self.target.host, self.target.port)

    def notify(self) -> None:
        """There may be something new to report."""
        self._stale.set()

    def addresses_changed(self) -> None:
        """This router may have moved to another address."""
        self._moved.set()

    async def run(self) -> NoReturn:
        """Keep a stream to the controller, for ever."""
        await self._look_first()
        backoff = 0.5
        moves: list[float] = []
        while True:
            started = time.monotonic()
            try:
                await self._session()
            except _Moved as news:
                # The peers wait for this, and keepalive would take 15 seconds to miss the old stream.
                log.info("connecting to the controller at %s anew: %s", self.target, news)
                moves = [at for at in (*moves, time.monotonic()) if at > time.monotonic() - MAX_BACKOFF]
                if len(moves) <= MOVES_AT_ONCE:
                    continue
            except (aio.AioRpcError, asyncio.InvalidStateError, _Lost, OSError) as error:
                self._log_loss(error)
            except Exception:
                # Whatever is wrong with what is told or heard must never keep the router from its intent.
                log.exception("the stream to the controller at %s failed; trying again", self.target)
            self._connected = False
            if time.monotonic() - started > MAX_BACKOFF:
                backoff = 0.5
            await asyncio.sleep(backoff * random.uniform(0.5, 1.0))  # noqa: S311 - spreads agents, hides nothing
            backoff = min(backoff * 2, MAX_BACKOFF)

    async def _look_first(self) -> None:
        """Wait for the first look at the kernel: what is told at first should be no mere memory of facts."""
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOK_SECONDS):
                while self.reconciler.intent is not None and not self.reconciler.facts.fresh:
                    await self._stale.wait()
                    self._stale.clear()

    def _log_loss(self, error: Exception) -> None:
        reason = str((error.details() if isinstance(error, aio.AioRpcError) else error) or "no reason given")
        if self.tls and not self._connected and any(word in reason for word in _HUNG_UP):
            reason += "; is the certificate of this controller's CA, and valid today?"
        if isinstance(error, aio.AioRpcError) and error.code() is not grpc.StatusCode.UNAVAILABLE:
            message = f"the controller at {self.target} refuses this router: {reason}"
        elif self._connected:
            message = f"lost the controller at {self.target}: {reason}; keeping to the last intent"
        else:
            message = f"cannot reach the controller at {self.target}: {reason}; trying again"
        if self._connected or message != self._complaint:  # once an outage, not once an attempt
            log.warning("%s", message)
        self._complaint = message

    async def _session(self) -> None:
        async with aio_channel(self.target, self.tls) as channel:
            stream: Stream = agent_pb2_grpc.AgentServiceStub(channel).Connect()  # type: ignore[no-untyped-call]
            try:
                await _until_one_ends(self._talk(stream), self._watch_source())
            finally:
                stream.cancel()

    async def _talk(self, stream: Stream) -> None:
        await stream.write(agent_pb2.ConnectRequest(hello=self._hello()))
        # Made before anything is read: what the router has done by itself is told before it is overtaken.
        first = self._report()
        self._answers = asyncio.Queue(maxsize=_ANSWERS)
        # A stream that is gone fails both; the reader's error is the one that says why.
        await _until_one_ends(self._read(stream), self._write(stream, first))

    async def _watch_source(self) -> NoReturn:
        """Notice that the router uses another address toward the controller than when the stream began."""
        self._moved.clear()
        destinations = await self._host.destinations()
        before = destinations.sources()
        while True:
            await self._moved.wait()
            self._moved.clear()
            now = destinations.sources()
            if address := moved(before, now):
                raise _Moved(f"this router is at {address} now")
            before = {**before, **now}

    def _hello(self) -> agent_pb2.Hello:
        intent = self.reconciler.intent
        return agent_pb2.Hello(
            router=self.router,
            agent_version=self.version,
            revision=intent.revision if intent else 0,
            digest=intent.digest if intent else "",
            instance=self.instance,
        )

    async def _read(self, stream: Stream) -> NoReturn:
        while True:
            try:
                async with asyncio.timeout(SILENCE_SECONDS):
                    message: Any = await stream.read()
            except TimeoutError as error:
                raise _Lost(f"no word for {SILENCE_SECONDS:.0f} s") from error
            if message is aio.EOF:
                raise _Lost(await stream.details() or "the controller has ended the stream")
            if not self._connected:
                self._connected = True
                log.info("connected to the controller at %s", self.target)
            self.custody.heard()
            await self._receive(message)

    async def _receive(self, message: agent_pb2.ConnectResponse) -> None:
        match message.WhichOneof("message"):
            case "intent":
                self._receive_intent(message.intent)
            case "drift_ack":
                self.reconciler.drift.acknowledge(message.drift_ack.sequence)
                self.drift_stored()
                self._stale.set()
            case "operational_request":
                await self._answer(await self._operational(message.operational_request.id))
            case "prepare_request":
                await self._answer(await self._prepare(message.prepare_request))
            case _:
                pass  # a heartbeat has said all by arriving

    def _receive_intent(self, message: agent_pb2.Intent) -> None:
        current = self.reconciler.intent
        fallback: Intent | None = None
        try:
            if message.config_json_gz:
                intent = Intent.unpack(message.revision, message.config_json_gz, message.digest)
            elif current is not None and current.digest == message.digest:
                intent = replace(current, revision=message.revision)
            else:
                # It was held when the stream began, and has been given up since.
                raise _Lost(f"revision {message.revision} came without its text")
            if message.HasField("trial"):
                trial = message.trial
                fallback = Intent.unpack(
                    trial.fallback_revision, trial.fallback_json_gz, trial.fallback_digest
                )
            self.custody.take(intent, fallback, message.trial.remaining_ms / 1000)
        except BrokenIntent as error:
            self._refuse(str(error))
            return
        except OSError as error:
            self._refuse(f"revision {message.revision} cannot be kept on the router's disk: {error}")
            return
        self._problem = ""
        self._stale.set()

    def _refuse(self, problem: str) -> None:
        log.error("intent refused: %s", problem)
        self._problem = problem
        self._stale.set()

    async def _answer(self, answer: agent_pb2.ConnectRequest) -> None:
        await self._answers.put(answer)
        self._stale.set()

    async def _prepare(self, request: agent_pb2.PrepareRequest) -> agent_pb2.ConnectRequest:
        answer = agent_pb2.PrepareAnswer(id=request.id)
        try:
            intent = Intent.parse(0, decompress(request.config_json_gz))
            suppose = report.supposed(request.suppose)
            preparation = await prepare(self.reconciler.kinds, intent, self.reconciler.facts, suppose)
            answer.plan.extend(preparation.plan)
            answer.waiting.extend(preparation.waiting)
        except (BrokenIntent, Transient) as error:
            answer.refusals.add(error_type="application", error_tag="operation-failed", message=str(error))
        except Exception as error:
            # What cannot even be planned must not be committed, whoever is to blame.
            log.exception("an intent cannot be planned")
            message = f"the agent cannot plan this: {error!r}; its log has more"
            answer.refusals.add(error_type="application", error_tag="operation-failed", message=message)
        return agent_pb2.ConnectRequest(prepare_answer=answer)

    async def _operational(self, request_id: int) -> agent_pb2.ConnectRequest:
        tree = await self.operational()
        return agent_pb2.ConnectRequest(
            operational=agent_pb2.Operational(
                id=request_id,
                config_json_gz=gzip.compress(json.dumps(tree).encode(), compresslevel=1),
                observed_at=report.timestamp(self.reconciler.evidence_at),
                applied_revision=self.reconciler.applied_revision,
            )
        )

    def _report(self) -> agent_pb2.Report:
        held = self.custody.held
        return report.build(self.reconciler, self.router, self._problem, held.reverted if held else None)

    async def _write(self, stream: Stream, sent: agent_pb2.Report) -> None:
        await stream.write(agent_pb2.ConnectRequest(report=sent))
        last_word = time.monotonic()
        while True:
            # By the last word and not by the last event: events that change nothing are no sign of life.
            silence = time.monotonic() - last_word
            try:
                async with asyncio.timeout(max(0.0, HEARTBEAT_SECONDS - silence)):
                    await self._stale.wait()
            except TimeoutError:
                await stream.write(agent_pb2.ConnectRequest(heartbeat=self._heartbeat()))
                last_word = time.monotonic()
                continue
            self._stale.clear()
            while not self._answers.empty():
                await stream.write(self._answers.get_nowait())
            now = self._report()
            if not _same(sent, now):
                await stream.write(agent_pb2.ConnectRequest(report=now))
                sent = now
                last_word = time.monotonic()
            await asyncio.sleep(REPORT_INTERVAL)

    def _heartbeat(self) -> agent_pb2.Heartbeat:
        return agent_pb2.Heartbeat(
            applied_revision=self.reconciler.applied_revision,
            observed_at=report.timestamp(self.reconciler.evidence_at),
        )


async def _until_one_ends(*coroutines: Coroutine[Any, Any, None]) -> None:
    """Run them side by side until one ends, and end the others; an error of the first one counts most."""
    tasks = [asyncio.create_task(coroutine) for coroutine in coroutines]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, Exception):
            raise outcome


def _same(a: agent_pb2.Report, b: agent_pb2.Report) -> bool:
    """Whether two reports differ in nothing but the age of their evidence."""
    mine, other = agent_pb2.Report(), agent_pb2.Report()
    mine.CopyFrom(a)
    other.CopyFrom(b)
    mine.ClearField("observed_at")
    other.ClearField("observed_at")
    return mine == other
