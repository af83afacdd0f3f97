"""The Python client: the controller's services as blocking calls. `tasuki_client.aio` has them for asyncio.

Configurations are RFC 7951 trees (the values that `json.loads` gives) going in, and JSON text coming out in
the `config_json` of an answer.

    from tasuki_client import Client

    with Client("127.0.0.1:9339") as client, client.session() as session:
        session.lock("candidate")
        session.edit({"tasuki-network:network": {"router": [{"name": "vps"}]}})
        session.commit(comment="one router", confirm=60)
        ...  # look whether it does what it should
        session.commit()
"""

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import Concatenate, ParamSpec, Self, TypeVar

import grpc
from tasuki_proto.channel import Target, TlsFiles, channel
from tasuki_proto.v1.config_pb2 import CommitResponse, DiffResponse
from tasuki_proto.v1.error_pb2 import ConfigError

from tasuki_client import calls
from tasuki_client.calls import Call, Services, Stream
from tasuki_client.errors import TasukiError, Unreachable
from tasuki_client.failed_call import from_rpc

_P = ParamSpec("_P")
_Answer = TypeVar("_Answer")

RENEWALS: int = 3
"""How often a session is kept within its lease, so that one lost call does not end it."""


def _blocking(call: Callable[_P, Call[_Answer]]) -> "Callable[Concatenate[Client, _P], _Answer]":
    def method(client: "Client", /, *args: _P.args, **kwargs: _P.kwargs) -> _Answer:
        return client.perform(call(*args, **kwargs))

    calls.as_method(call, method)
    return method


def _iterated(
    stream: Callable[_P, Stream[_Answer]],
) -> "Callable[Concatenate[Client, _P], Iterator[_Answer]]":
    def method(client: "Client", /, *args: _P.args, **kwargs: _P.kwargs) -> Iterator[_Answer]:
        return client.follow(stream(*args, **kwargs))

    calls.as_method(stream, method)
    return method


def _with_token(
    call: Callable[Concatenate[str, _P], Call[_Answer]],
) -> "Callable[Concatenate[Session, _P], _Answer]":
    def method(session: "Session", /, *args: _P.args, **kwargs: _P.kwargs) -> _Answer:
        return session.client.perform(call(session.token, *args, **kwargs))

    calls.as_method(call, method)
    return method


class Client:
    """A connection to one controller.

    Every method raises `ConfigRejected` with all problems, `Unreachable`, `AccessDenied` or `CallFailed`.
    """

    def __init__(self, controller: Target | str, tls: TlsFiles | None = None) -> None:
        """Prepare the connection; it is made by the first call.

        Raises:
            ValueError: the address makes no sense, or is not this machine's and there is no TLS.
            OSError: a TLS file cannot be read.
        """
        self.target = Target.parse(controller) if isinstance(controller, str) else controller
        self._channel = channel(self.target, tls)
        self._services = Services(self._channel)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Drop the connection; calls under way fail."""
        self._channel.close()

    def session(self, *, lease: int = 30) -> "Session":
        """A session, to be entered with `with`. Lost, it ends after so many seconds."""
        return Session(self, lease)

    apply = _blocking(calls.apply)
    validate = _blocking(calls.validate)
    validate_candidate = _blocking(calls.validate_candidate)
    diff = _blocking(calls.diff)
    diff_candidate = _blocking(calls.diff_candidate)
    compare = _blocking(calls.compare)
    get = _blocking(calls.get)
    revisions = _blocking(calls.revisions)
    revision = _blocking(calls.revision)
    rollback = _blocking(calls.rollback)
    cancel_commit = _blocking(calls.cancel_commit)
    watch_commits = _iterated(calls.watch_commits)
    modules = _blocking(calls.modules)
    module = _blocking(calls.module)
    routers = _blocking(calls.routers)
    router = _blocking(calls.router)
    watch_routers = _iterated(calls.watch_routers)
    drift = _blocking(calls.drift)
    watch_drift = _iterated(calls.watch_drift)
    facts = _blocking(calls.facts)
    fact_changes = _blocking(calls.fact_changes)

    def confirm_commit(self, persist_id: str, *, comment: str = "") -> CommitResponse:
        """Keep what the confirmed commit of this name changed, and change nothing else.

        It is refused while the candidate is somebody else's: what is uncommitted there would go along.
        """
        with self.session() as session:
            session.lock("candidate")
            return session.commit(comment=comment, persist_id=persist_id)

    def perform(self, call: Call[_Answer]) -> _Answer:
        """Make a call and read its answer."""
        try:
            return call.read(call.method(self._services)(call.request, timeout=call.seconds))
        except grpc.RpcError as error:
            raise from_rpc(error, self.target) from error

    def follow(self, stream: Stream[_Answer]) -> Iterator[_Answer]:
        """Make a call and read its answers as they come."""
        call = stream.method(self._services)(stream.request, timeout=stream.seconds)
        try:
            for answer in call:
                yield stream.read(answer)
        except grpc.RpcError as error:
            if stream.seconds is None or error.code() is not grpc.StatusCode.DEADLINE_EXCEEDED:
                raise from_rpc(error, self.target) from error
        finally:
            call.cancel()


class Session:
    """Holds locks, edits the candidate, and owns its confirmed commit.

    Leaving the context ends it: its locks go, its uncommitted changes are discarded, and its confirmed commit
    reverts unless it was confirmed or has a name (`persist`). Inside, a thread renews the lease.
    """

    def __init__(self, client: Client, lease: int) -> None:
        self.client = client
        self.lease = lease
        self.token = ""
        """Stands for the session in calls."""
        self.number = 0
        """How errors name it."""
        self._left = threading.Event()
        self._keeper = threading.Thread(target=self._keep, name="tasuki-session", daemon=True)

    def __enter__(self) -> Self:
        opened = self.client.perform(calls.open_session(self.lease))
        self.token, self.number, self.lease = opened.token, opened.session_id, opened.lease_seconds
        self._keeper.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._left.set()
        # When something failed, that is what counts; a session that cannot be closed ends by itself.
        with contextlib.suppress(*((TasukiError,) if error else ())):
            self.client.perform(calls.close_session(self.token))

    keep = _with_token(calls.keep)
    lock = _with_token(calls.lock)
    unlock = _with_token(calls.unlock)
    edit = _with_token(calls.edit)
    commit = _with_token(calls.commit)
    cancel = _with_token(calls.cancel)
    discard = _with_token(calls.discard)

    def validate(self) -> Sequence[ConfigError]:
        """Every problem of the candidate; none when it is valid."""
        return self.client.validate_candidate()

    def diff(self, *, plan: bool = False) -> DiffResponse:
        """What a commit would change; with `plan` also what each router would do."""
        return self.client.diff_candidate(plan=plan)

    def _keep(self) -> None:
        while not self._left.wait(self.lease / RENEWALS):
            try:
                self.keep()
            except Unreachable:
                continue
            except TasukiError:
                return  # it has ended, and every later call says so
