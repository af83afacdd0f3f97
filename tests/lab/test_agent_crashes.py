"""An agent dies at every durable step of taking, trying, confirming and giving up an intent.

The places are found by letting the first fail-point kill it, then the second, and so on until nothing dies.
The controller is spoken by hand, so that it can be away just when the agent comes back.
"""

import asyncio
import gzip
import hashlib
import itertools
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from grpc import aio
from netns import Machines, Namespace
from programs import Agent
from tasuki_controller import router_tree as rt
from tasuki_proto.failpoint import VARIABLE
from tasuki_proto.v1 import agent_pb2, agent_pb2_grpc

AT_ONCE = 4
"""Agents that die side by side: most of the time is waiting."""
SECONDS = 60.0
Record = dict[str, Any]


def route(revision: int) -> str:
    """The route that only this revision's intent has."""
    return f"2001:db8:{revision}::/48"


def text(revision: int) -> bytes:
    tree = rt.router_tree(static_routes={"main": rt.routes(ipv6=[rt.unreachable(route(revision))])})
    return json.dumps(tree).encode()


def intent(revision: int, *, trial_of: int | None = None, seconds: float = 0) -> agent_pb2.Intent:
    trial = None
    if trial_of is not None:
        trial = agent_pb2.Trial(
            remaining_ms=int(seconds * 1000),
            fallback_revision=trial_of,
            fallback_json_gz=gzip.compress(text(trial_of)),
            fallback_digest=hashlib.sha256(text(trial_of)).hexdigest(),
        )
    return agent_pb2.Intent(
        revision=revision,
        config_json_gz=gzip.compress(text(revision)),
        digest=hashlib.sha256(text(revision)).hexdigest(),
        trial=trial,
    )


@dataclass(frozen=True)
class Phase:
    """What the controller sends, what the agent may hold from then on, and what shall have come of it."""

    sent: agent_pb2.Intent
    allowed: frozenset[int]
    met: int
    reached: Callable[[Record], bool]
    """Told by what is held."""


PHASES = (
    Phase(intent(1), frozenset({1}), 1, lambda _: True),
    Phase(intent(2, trial_of=1, seconds=600), frozenset({1, 2}), 2, lambda held: "trial" in held),
    Phase(intent(2), frozenset({2}), 2, lambda held: not held.keys() & {"trial", "before"}),
    Phase(intent(3, trial_of=2, seconds=1.5), frozenset({2, 3}), 2, lambda held: "reverted" in held),
)


class Controller(agent_pb2_grpc.AgentServiceServicer):
    """Sends the intent of the phase, and that it is there."""

    def __init__(self) -> None:
        self.sent = PHASES[0].sent

    async def Connect(  # noqa: N802 - gRPC's name
        self, requests: Any, context: Any
    ) -> AsyncIterator[agent_pb2.ConnectResponse]:
        sent = None
        while True:
            if sent is not self.sent:
                sent = self.sent
                yield agent_pb2.ConnectResponse(intent=sent)
            yield agent_pb2.ConnectResponse(heartbeat=agent_pb2.Heartbeat())
            await asyncio.sleep(0.1)


@dataclass
class Router:
    """A machine with an agent, and the controller that it has at times."""

    machine: Namespace
    directory: Path
    controller: Controller = field(default_factory=Controller)

    def __post_init__(self) -> None:
        self.address = f"unix:{self.directory}/controller.sock"
        self.agent = Agent("r", self.machine, self.directory / "agent", self.address, insecure=True)

    @asynccontextmanager
    async def controlled(self) -> AsyncIterator[None]:
        """The controller is there."""
        server = aio.server()
        agent_pb2_grpc.add_AgentServiceServicer_to_server(self.controller, server)  # type: ignore[no-untyped-call]
        server.add_insecure_port(self.address)
        await server.start()
        try:
            yield
        finally:
            await server.stop(0)

    def read(self, name: str) -> Record:
        try:
            record: Record = json.loads((self.directory / "agent" / name).read_text())
        except FileNotFoundError:
            return {}
        return record

    @property
    def held(self) -> Record:
        return self.read("intent.json")

    def met(self) -> bool:
        """Whether the kernel is as the intent on the disk says."""
        routes = self.machine.run("ip", "-6", "-o", "route", "show", "type", "unreachable").split()
        wanted = {route(self.held["revision"])} if self.held else set()
        return wanted == {word for word in routes if word.startswith("2001:db8:")}

    async def reach(self, phase: Phase) -> bool:
        """Go through a phase; False if the agent died."""
        self.controller.sent = phase.sent
        async with self.controlled():
            return await settled(lambda: self._reached(phase), alive=lambda: self.agent.program.running)

    def _reached(self, phase: Phase) -> bool:
        held = self.held
        return (
            bool(held)
            and phase.reached(held)
            and self.read("applied.json").get("revision") == phase.met
            and self.met()
        )


async def settled(condition: Callable[[], bool], *, alive: Callable[[], bool] = lambda: True) -> bool:
    async with asyncio.timeout(SECONDS):
        while not condition():
            if not alive():
                return False
            await asyncio.sleep(0.05)
    return True


async def live_and_die(machine: Namespace, directory: Path, fatal: int) -> str:
    """Go through all phases with an agent that dies at its N-th fail-point; where it died, if it did."""
    router = Router(machine, directory)
    router.agent.program.environment = {VARIABLE: str(fatal)}
    router.agent.start()
    place, before = "", 0
    try:
        for phase in PHASES:
            if not await router.reach(phase):
                place = router.agent.program.output().partition("killed at ")[2].strip()
                assert place, router.agent.program.output()
                held = router.held
                assert held.get("revision", 0) in {before, *phase.allowed}, place
                router.agent.program.environment = {}
                router.agent.start()
                if held:
                    # Without a controller it goes on by what is on the disk.
                    assert await settled(router.met), place
                assert router.held.get("revision", 0) in {before, *phase.allowed}, place
                assert await router.reach(phase), place
            before = phase.met
    finally:
        router.agent.program.kill()
    return place


@pytest.mark.timeout(600)  # an agent lives and dies for each fail-point
async def test_the_right_intent_is_held_wherever_the_agent_dies(tmp_path: Path) -> None:
    places: list[str] = []
    with Machines() as machines:
        for first in itertools.count(1, AT_ONCE):
            numbers = range(first, first + AT_ONCE)
            died = await asyncio.gather(
                *(live_and_die(machines.add(f"r{n}"), tmp_path / str(n), n) for n in numbers)
            )
            places += filter(None, died)
            if not all(died):
                break
    assert len(places) > 20
    assert {place.split()[-1] for place in places if place.startswith("before the new")} >= {
        "intent.json",
        "applied.json",
    }
