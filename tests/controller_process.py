"""A controller as a real process, and agents and operators that talk to it over real gRPC."""

import asyncio
import gzip
import json
import os
import re
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import grpc
from google.protobuf import struct_pb2
from grpc import aio
from grpc_health.v1 import health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2_grpc
from tasuki_proto.channel import Target, TlsFiles, aio_channel
from tasuki_proto.status import config_errors
from tasuki_proto.v1 import (
    agent_pb2,
    agent_pb2_grpc,
    config_pb2,
    config_pb2_grpc,
    drift_pb2_grpc,
    error_pb2,
    fact_pb2_grpc,
    router_pb2,
    router_pb2_grpc,
)

COMMAND = Path(sys.executable).parent / "tasuki-controller"
DEADLINE = 60.0
"""Seconds after which a test gives up: far longer than anything takes, on a busy machine too."""


@dataclass
class ControllerProcess:
    """The command `tasuki-controller`, from its start to its end."""

    process: asyncio.subprocess.Process
    lines: list[str]
    target: Target

    @classmethod
    async def start(
        cls, state_dir: Path, *arguments: str, listen: str = "127.0.0.1:0"
    ) -> "ControllerProcess":
        """Start it and wait until it is ready."""
        process = await asyncio.create_subprocess_exec(
            COMMAND,
            *("--state-dir", str(state_dir), "--listen", listen, *arguments),
            stderr=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
        )
        assert process.stderr
        lines: list[str] = []
        async with asyncio.timeout(DEADLINE):
            while line := (await process.stderr.readline()).decode():
                lines.append(line)
                if found := re.search(r"ready on ([^,\s\"]+)", line):
                    controller = cls(process, lines, Target.parse(found[1]))
                    controller._reader = asyncio.create_task(controller._read())
                    return controller
        raise AssertionError("".join(lines))

    _reader: "asyncio.Task[None] | None" = None

    async def _read(self) -> None:
        assert self.process.stderr
        while line := await self.process.stderr.readline():
            self.lines.append(line.decode())

    async def stop(self) -> int:
        """End it as an administrator would; the exit status."""
        if self.process.returncode is None:
            self.process.terminate()
        return await self._ended()

    async def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        await self._ended()

    async def _ended(self) -> int:
        async with asyncio.timeout(DEADLINE):
            status = await self.process.wait()
            assert self._reader
            await self._reader
        return status

    def memory(self) -> int:
        """Resident bytes."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")


@asynccontextmanager
async def running(state_dir: Path, *arguments: str, **options: str) -> AsyncIterator[ControllerProcess]:
    """A controller that is ended at the latest here."""
    controller = await ControllerProcess.start(state_dir, *arguments, **options)
    try:
        yield controller
    finally:
        if controller.process.returncode is None:
            assert await controller.stop() == 0, "".join(controller.lines)


async def command(*arguments: str | Path) -> tuple[int, str]:
    """Run the command to its end: exit status and all that it printed."""
    process = await asyncio.create_subprocess_exec(
        COMMAND, *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    async with asyncio.timeout(DEADLINE):
        output, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output.decode()


class Operator:
    """All services that an operator calls."""

    def __init__(self, channel: aio.Channel) -> None:
        self.channel = channel
        self.config = config_pb2_grpc.ConfigServiceStub(channel)  # type: ignore[no-untyped-call]
        self.router = router_pb2_grpc.RouterServiceStub(channel)  # type: ignore[no-untyped-call]
        self.drift = drift_pb2_grpc.DriftServiceStub(channel)  # type: ignore[no-untyped-call]
        self.fact = fact_pb2_grpc.FactServiceStub(channel)  # type: ignore[no-untyped-call]

    async def apply(self, network: Any, **fields: Any) -> config_pb2.ApplyResponse:
        """Apply a network tree, as JSON text."""
        request = config_pb2.ApplyRequest(config_json=json.dumps(network).encode(), **fields)
        response: config_pb2.ApplyResponse = await self.config.Apply(request)
        return response

    async def get(self, **fields: Any) -> Any:
        """Read a datastore."""
        response = await self.config.Get(config_pb2.GetRequest(as_json=True, **fields))
        return json.loads(response.config_json)


@asynccontextmanager
async def operator(target: Target, tls: TlsFiles | None = None) -> AsyncIterator[Operator]:
    """An operator with a connection of its own."""
    async with aio_channel(target, tls) as channel:
        yield Operator(channel)


class Agent:
    """The agents' side of one stream, spoken by hand."""

    def __init__(self, channel: aio.Channel) -> None:
        self.stream = agent_pb2_grpc.AgentServiceStub(channel).Connect()  # type: ignore[no-untyped-call]
        self._routers = router_pb2_grpc.RouterServiceStub(channel)  # type: ignore[no-untyped-call]

    async def hello(self, router: str, **fields: Any) -> None:
        """Say who this is."""
        await self.send(hello=agent_pb2.Hello(router=router, **fields))

    async def join(self, router: str, **fields: Any) -> None:
        """Say who this is, and wait until the controller has heard it: others could overtake the hello."""
        await self.hello(router, **fields)

        async def heard() -> bool:
            listed = await self._routers.ListRouters(router_pb2.ListRoutersRequest())
            return any(each.name == router and each.connected for each in listed.routers)

        await until(heard)

    async def send(self, **message: Any) -> None:
        """Send a message."""
        await self.stream.write(agent_pb2.ConnectRequest(**message))

    async def receive(self, kind: str) -> Any:
        """The next message of this sort; others on the way are passed over."""
        async with asyncio.timeout(DEADLINE):
            while (response := await self.stream.read()) is not aio.EOF:
                if response.WhichOneof("message") == kind:
                    return getattr(response, kind)
        raise AssertionError(f"the stream ended: {await self.stream.code()} {await self.stream.details()}")

    async def intent(self) -> tuple[int, Any]:
        """Revision and tree of the next intent; the tree is None when it came without its text."""
        intent = await self.receive("intent")
        text = intent.config_json_gz
        return intent.revision, json.loads(gzip.decompress(text)) if text else None


@asynccontextmanager
async def agent(target: Target, tls: TlsFiles | None = None) -> AsyncIterator[Agent]:
    """An agent with a connection of its own."""
    async with aio_channel(target, tls) as channel:
        yield Agent(channel)


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait until it holds, but not for ever."""
    async with asyncio.timeout(DEADLINE):
        while True:
            if await condition():
                return
            await asyncio.sleep(0.01)


class Refusal:
    """What a call was refused with; filled when the block has ended."""

    code: grpc.StatusCode
    text: str
    problems: tuple[error_pb2.ConfigError, ...]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: object, error: BaseException | None, __: object) -> bool:
        assert error is not None, "the call was not refused"
        if not isinstance(error, aio.AioRpcError):
            return False
        self.code, self.text, self.problems = error.code(), error.details() or "", config_errors(error)
        return True


def health(channel: aio.Channel) -> Any:
    """The standard health service; its stubs have no types."""
    return health_pb2_grpc.HealthStub(channel)


def reflection(channel: aio.Channel) -> Any:
    """The standard reflection service, as `health`."""
    return reflection_pb2_grpc.ServerReflectionStub(channel)  # type: ignore[arg-type,no-untyped-call,unused-ignore]


def struct(tree: Any) -> struct_pb2.Struct:
    """A tree as a Struct."""
    message = struct_pb2.Struct()
    message.update(tree)
    return message


def network(*routers: str, subscribers: Sequence[int] = ()) -> Any:
    """A network tree: routers, and a split over the first one with these subscribers at the last one."""
    tree: dict[str, Any] = {"router": [{"name": name} for name in routers]}
    if subscribers:
        tree["tasuki-vxlan-split:vxlan-split"] = [
            {
                "name": "split",
                "prefix": "2001:db8:ae00::/40",
                "hub": {
                    "router": routers[0],
                    "underlay": {"interface": "wan0", "ipv4-address": "192.0.2.1"},
                },
                "subscriber": [
                    {
                        "number": number,
                        "router": routers[-1],
                        "mode": "policy-routing",
                        "underlay": {"interface": "wan0", "address": "198.51.100.1"},
                    }
                    for number in subscribers
                ],
            }
        ]
    return {"tasuki-network:network": tree}
