"""The Python client for asyncio: what `tasuki_client.client` has, to be awaited.

from tasuki_client import AsyncClient

async with AsyncClient("127.0.0.1:9339") as client, client.session() as session:
    await session.edit({"tasuki-network:network": {"router": [{"name": "vps"}]}})
    await session.commit(comment="one router")
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from types import TracebackType
from typing import Concatenate, ParamSpec, Self, TypeVar

import grpc
from tasuki_proto.channel import Target, TlsFiles, aio_channel
from tasuki_proto.v1.config_pb2 import CommitResponse, DiffResponse
from tasuki_proto.v1.error_pb2 import ConfigError

from tasuki_client import calls
from tasuki_client.calls import Call, Services, Stream
from tasuki_client.client import RENEWALS
from tasuki_client.errors import TasukiError, Unreachable
from tasuki_client.failed_call import from_rpc

_P = ParamSpec("_P")
_Answer = TypeVar("_Answer")


def _awaited(
    call: Callable[_P, Call[_Answer]],
) -> "Callable[Concatenate[AsyncClient, _P], Awaitable[_Answer]]":
    def method(client: "AsyncClient", /, *args: _P.args, **kwargs: _P.kwargs) -> Awaitable[_Answer]:
        return client.perform(call(*args, **kwargs))

    calls.as_method(call, method)
    return method


def _iterated(
    stream: Callable[_P, Stream[_Answer]],
) -> "Callable[Concatenate[AsyncClient, _P], AsyncIterator[_Answer]]":
    def method(client: "AsyncClient", /, *args: _P.args, **kwargs: _P.kwargs) -> AsyncIterator[_Answer]:
        return client.follow(stream(*args, **kwargs))

    calls.as_method(stream, method)
    return method


def _with_token(
    call: Callable[Concatenate[str, _P], Call[_Answer]],
) -> "Callable[Concatenate[AsyncSession, _P], Awaitable[_Answer]]":
    def method(session: "AsyncSession", /, *args: _P.args, **kwargs: _P.kwargs) -> Awaitable[_Answer]:
        return session.client.perform(call(session.token, *args, **kwargs))

    calls.as_method(call, method)
    return method


class AsyncClient:
    """A connection to one controller. Belongs to one event loop; otherwise as `Client`."""

    def __init__(self, controller: Target | str, tls: TlsFiles | None = None) -> None:
        """Prepare the connection; it is made by the first call.

        Raises:
            ValueError: the address makes no sense, or is not this machine's and there is no TLS.
            OSError: a TLS file cannot be read.
        """
        self.target = Target.parse(controller) if isinstance(controller, str) else controller
        self._channel = aio_channel(self.target, tls)
        self._services = Services(self._channel)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Drop the connection; calls under way fail."""
        await self._channel.close()

    def session(self, *, lease: int = 30) -> "AsyncSession":
        """A session, to be entered with `async with`. Lost, it ends after so many seconds."""
        return AsyncSession(self, lease)

    apply = _awaited(calls.apply)
    validate = _awaited(calls.validate)
    validate_candidate = _awaited(calls.validate_candidate)
    diff = _awaited(calls.diff)
    diff_candidate = _awaited(calls.diff_candidate)
    compare = _awaited(calls.compare)
    get = _awaited(calls.get)
    revisions = _awaited(calls.revisions)
    revision = _awaited(calls.revision)
    rollback = _awaited(calls.rollback)
    cancel_commit = _awaited(calls.cancel_commit)
    watch_commits = _iterated(calls.watch_commits)
    modules = _awaited(calls.modules)
    module = _awaited(calls.module)
    routers = _awaited(calls.routers)
    router = _awaited(calls.router)
    watch_routers = _iterated(calls.watch_routers)
    drift = _awaited(calls.drift)
    watch_drift = _iterated(calls.watch_drift)
    facts = _awaited(calls.facts)
    fact_changes = _awaited(calls.fact_changes)

    async def confirm_commit(self, persist_id: str, *, comment: str = "") -> CommitResponse:
        """Keep what the confirmed commit of this name changed, and change nothing else.

        It is refused while the candidate is somebody else's: what is uncommitted there would go along.
        """
        async with self.session() as session:
            await session.lock("candidate")
            return await session.commit(comment=comment, persist_id=persist_id)

    async def perform(self, call: Call[_Answer]) -> _Answer:
        """Make a call and read its answer."""
        try:
            return call.read(await call.method(self._services)(call.request, timeout=call.seconds))
        except grpc.RpcError as error:
            raise from_rpc(error, self.target) from error

    async def follow(self, stream: Stream[_Answer]) -> AsyncIterator[_Answer]:
        """Make a call and read its answers as they come."""
        call = stream.method(self._services)(stream.request, timeout=stream.seconds)
        try:
            async for answer in call:
                yield stream.read(answer)
        except grpc.RpcError as error:
            if stream.seconds is None or error.code() is not grpc.StatusCode.DEADLINE_EXCEEDED:
                raise from_rpc(error, self.target) from error
        finally:
            call.cancel()


class AsyncSession:
    """As `tasuki_client.client.Session`; inside the context, a task renews the lease."""

    def __init__(self, client: AsyncClient, lease: int) -> None:
        self.client = client
        self.lease = lease
        self.token = ""
        """Stands for the session in calls."""
        self.number = 0
        """How errors name it."""
        self._keeper: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        opened = await self.client.perform(calls.open_session(self.lease))
        self.token, self.number, self.lease = opened.token, opened.session_id, opened.lease_seconds
        self._keeper = asyncio.create_task(self._keep(), name="tasuki-session")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._keeper:
            self._keeper.cancel()
        # When something failed, that is what counts; a session that cannot be closed ends by itself.
        with contextlib.suppress(*((TasukiError,) if error else ())):
            await self.client.perform(calls.close_session(self.token))

    keep = _with_token(calls.keep)
    lock = _with_token(calls.lock)
    unlock = _with_token(calls.unlock)
    edit = _with_token(calls.edit)
    commit = _with_token(calls.commit)
    cancel = _with_token(calls.cancel)
    discard = _with_token(calls.discard)

    async def validate(self) -> Sequence[ConfigError]:
        """Every problem of the candidate; none when it is valid."""
        return await self.client.validate_candidate()

    async def diff(self, *, plan: bool = False) -> DiffResponse:
        """What a commit would change; with `plan` also what each router would do."""
        return await self.client.diff_candidate(plan=plan)

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(self.lease / RENEWALS)
            try:
                await self.keep()
            except Unreachable:
                continue
            except TasukiError:
                return  # it has ended, and every later call says so
