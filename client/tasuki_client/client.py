"""The Python client: the controller's services as blocking calls.

Answers are the protocol's own messages (`tasuki_proto.v1`), so that there is one description of each of them.
Configurations are RFC 7951 trees (the values that `json.loads` gives) going in, and JSON text coming out in
the `config_json` of an answer.

    from tasuki_client import Client

    with Client("127.0.0.1:9339") as client:
        answer = client.apply({"tasuki-network:network": {"router": [{"name": "vps"}]}}, comment="one router")
        print(answer.revision)
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any, Final, Self, TypeAlias, TypeVar

import grpc
from google.protobuf.message import Message
from tasuki_proto.channel import Target, TlsFiles, channel
from tasuki_proto.v1 import config_pb2, drift_pb2, router_pb2
from tasuki_proto.v1.config_pb2_grpc import ConfigServiceStub
from tasuki_proto.v1.drift_pb2_grpc import DriftServiceStub
from tasuki_proto.v1.error_pb2 import ConfigError
from tasuki_proto.v1.router_pb2_grpc import RouterServiceStub

from tasuki_client.failed_call import from_rpc

Tree: TypeAlias = Mapping[str, Any]
"""An RFC 7951 document: what `json.loads` makes of it."""

_Answer = TypeVar("_Answer")
_DEADLINE: Final = 60.0
"""Seconds for a call that has one answer: several times what the largest configuration takes."""


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
        self._target = Target.parse(controller) if isinstance(controller, str) else controller
        self._channel = channel(self._target, tls)
        self._config = ConfigServiceStub(self._channel)  # type: ignore[no-untyped-call]
        self._router = RouterServiceStub(self._channel)  # type: ignore[no-untyped-call]
        self._drift = DriftServiceStub(self._channel)  # type: ignore[no-untyped-call]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Drop the connection; calls under way fail."""
        self._channel.close()

    def apply(
        self,
        document: Tree | None = None,
        *,
        routers: Mapping[str, Tree] | None = None,
        operation: config_pb2.Operation = config_pb2.OPERATION_MERGE,
        comment: str = "",
        dry_run: bool = False,
    ) -> config_pb2.ApplyResponse:
        """Validate and commit a change of the network tree, of router trees by name, or of both at once."""
        request = config_pb2.ApplyRequest(
            config_json=_text(document),
            router_config_json=_texts(routers),
            operation=operation,
            comment=comment,
            dry_run=dry_run,
        )
        answer: config_pb2.ApplyResponse = self._call(self._config.Apply, request)
        return answer

    def validate(
        self,
        document: Tree | None = None,
        *,
        routers: Mapping[str, Tree] | None = None,
        operation: config_pb2.Operation = config_pb2.OPERATION_MERGE,
    ) -> Sequence[ConfigError]:
        """Every problem that `apply` would find; none when it would commit."""
        edit = _edit(document, routers, operation)
        answer: config_pb2.ValidateResponse = self._call(
            self._config.Validate, config_pb2.ValidateRequest(edit=edit)
        )
        return answer.errors

    def diff(
        self,
        document: Tree | None = None,
        *,
        routers: Mapping[str, Tree] | None = None,
        operation: config_pb2.Operation = config_pb2.OPERATION_MERGE,
    ) -> config_pb2.DiffResponse:
        """What `apply` would change."""
        request = config_pb2.DiffRequest(edit=_edit(document, routers, operation))
        answer: config_pb2.DiffResponse = self._call(self._config.Diff, request)
        return answer

    def compare(self, from_revision: int, to_revision: int = 0) -> config_pb2.DiffResponse:
        """What leads from one revision to the other; 0 stands for running."""
        request = config_pb2.DiffRequest(from_revision=from_revision, to_revision=to_revision)
        answer: config_pb2.DiffResponse = self._call(self._config.Diff, request)
        return answer

    def get(
        self,
        datastore: config_pb2.Datastore = config_pb2.DATASTORE_RUNNING,
        *,
        router: str = "",
        path: str = "",
    ) -> config_pb2.GetResponse:
        """The network tree or one router's tree, or what stands at an instance-identifier in it."""
        request = config_pb2.GetRequest(datastore=datastore, router=router, path=path, as_json=True)
        answer: config_pb2.GetResponse = self._call(self._config.Get, request)
        return answer

    def revisions(self, *, limit: int = 0, before: int = 0) -> Sequence[config_pb2.Revision]:
        """Commits, newest first: at most `limit` (0: 100), all below `before` unless that is 0."""
        request = config_pb2.ListRevisionsRequest(limit=limit, before=before)
        answer: config_pb2.ListRevisionsResponse = self._call(self._config.ListRevisions, request)
        return answer.revisions

    def revision(self, number: int) -> config_pb2.GetRevisionResponse:
        """One commit with its network tree and its changes."""
        request = config_pb2.GetRevisionRequest(number=number, as_json=True)
        answer: config_pb2.GetRevisionResponse = self._call(self._config.GetRevision, request)
        return answer

    def modules(self) -> Sequence[config_pb2.Module]:
        """The YANG modules that the controller implements or imports."""
        request = config_pb2.ListModulesRequest()
        answer: config_pb2.ListModulesResponse = self._call(self._config.ListModules, request)
        return answer.modules

    def module(self, name: str) -> config_pb2.GetModuleResponse:
        """One YANG module with its text."""
        request = config_pb2.GetModuleRequest(name=name)
        answer: config_pb2.GetModuleResponse = self._call(self._config.GetModule, request)
        return answer

    def routers(self) -> Sequence[router_pb2.Router]:
        """How far every router is, without its objects."""
        request = router_pb2.ListRoutersRequest()
        answer: router_pb2.ListRoutersResponse = self._call(self._router.ListRouters, request)
        return answer.routers

    def router(self, name: str) -> router_pb2.Router:
        """How far one router is, with each of its objects that is not as intended."""
        request = router_pb2.GetRouterRequest(name=name)
        answer: router_pb2.GetRouterResponse = self._call(self._router.GetRouter, request)
        return answer.router

    def watch_routers(
        self, names: Sequence[str] = (), *, with_objects: bool = False, seconds: float | None = None
    ) -> Iterator[router_pb2.Router]:
        """Each router (of `names`, if any) once, then each again on every change.

        Ends only after `seconds`, if given.
        """
        request = router_pb2.WatchRoutersRequest(names=names, with_objects=with_objects)
        for answer in self._stream(self._router.WatchRouters, request, seconds):
            yield answer.router

    def drift(
        self, *, router: str = "", open_only: bool = False, since: datetime | None = None, limit: int = 0
    ) -> drift_pb2.ListDriftResponse:
        """Open drift, and the rest that was seen since then (default: 24 hours), with the evidence's age."""
        request = drift_pb2.ListDriftRequest(router=router, open_only=open_only, since=since, limit=limit)
        answer: drift_pb2.ListDriftResponse = self._call(self._drift.ListDrift, request)
        return answer

    def watch_drift(
        self,
        *,
        router: str = "",
        open_only: bool = False,
        since: datetime | None = None,
        seconds: float | None = None,
    ) -> Iterator[drift_pb2.DriftItem]:
        """What `drift` lists, then every item that is new or changes. Ends only after `seconds`, if given."""
        request = drift_pb2.WatchDriftRequest(router=router, open_only=open_only, since=since)
        for answer in self._stream(self._drift.WatchDrift, request, seconds):
            yield answer.item

    def _call(self, method: "grpc.UnaryUnaryMultiCallable[Any, _Answer]", request: Message) -> _Answer:
        try:
            return method(request, timeout=_DEADLINE)
        except grpc.RpcError as error:
            raise from_rpc(error, self._target) from error

    def _stream(
        self,
        method: "grpc.UnaryStreamMultiCallable[Any, _Answer]",
        request: Message,
        seconds: float | None,
    ) -> Iterator[_Answer]:
        call = method(request, timeout=seconds)
        try:
            yield from call
        except grpc.RpcError as error:
            if seconds is None or error.code() is not grpc.StatusCode.DEADLINE_EXCEEDED:
                raise from_rpc(error, self._target) from error
        finally:
            call.cancel()


def _edit(
    document: Tree | None, routers: Mapping[str, Tree] | None, operation: config_pb2.Operation
) -> config_pb2.Document:
    return config_pb2.Document(
        config_json=_text(document), router_config_json=_texts(routers), operation=operation
    )


def _text(tree: Tree | None) -> bytes:
    return b"" if tree is None else json.dumps(tree, ensure_ascii=False).encode()


def _texts(trees: Mapping[str, Tree] | None) -> dict[str, bytes]:
    return {name: _text(tree) for name, tree in (trees or {}).items()}
