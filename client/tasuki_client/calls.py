"""Every call that the controller offers: its request, and what is read off its answer.

Each is written once, and made by `Client`, which blocks, and by `AsyncClient`, which is awaited. Answers are
the protocol's own messages (`tasuki_proto.v1`), so that there is one description of each of them.
"""

import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Generic, Literal, TypeAlias, TypeVar, get_args

import grpc
from google.protobuf.message import Message
from grpc import aio
from tasuki_proto.v1 import config_pb2, drift_pb2, fact_pb2, router_pb2
from tasuki_proto.v1.config_pb2_grpc import ConfigServiceStub
from tasuki_proto.v1.drift_pb2_grpc import DriftServiceStub
from tasuki_proto.v1.error_pb2 import ConfigError
from tasuki_proto.v1.fact_pb2_grpc import FactServiceStub
from tasuki_proto.v1.router_pb2_grpc import RouterServiceStub

from tasuki_client.facts import parse_supposed

Tree: TypeAlias = Mapping[str, Any]
"""An RFC 7951 document: what `json.loads` makes of it."""
Target: TypeAlias = Literal["candidate", "running"]
"""What can be locked."""

_DEADLINE: Final = 60.0
"""Seconds for a call that has one answer: several times what the largest configuration takes."""
_TARGETS: Final[Mapping[Target, config_pb2.Target]] = {
    "candidate": config_pb2.TARGET_CANDIDATE,
    "running": config_pb2.TARGET_RUNNING,
}
_Answer = TypeVar("_Answer")


class Services:
    """The stubs of a channel."""

    def __init__(self, channel: grpc.Channel | aio.Channel) -> None:
        self.config = ConfigServiceStub(channel)  # type: ignore[no-untyped-call]
        self.router = RouterServiceStub(channel)  # type: ignore[no-untyped-call]
        self.drift = DriftServiceStub(channel)  # type: ignore[no-untyped-call]
        self.fact = FactServiceStub(channel)  # type: ignore[no-untyped-call]


def _whole(answer: Any) -> Any:
    return answer


def _nothing(_: Message) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Call(Generic[_Answer]):
    """A call that has one answer."""

    method: Callable[[Services], Any]
    request: Message
    read: Callable[[Any], _Answer] = _whole
    seconds: float = _DEADLINE


@dataclass(frozen=True, slots=True)
class Stream(Generic[_Answer]):
    """A call that is answered again and again, until so many seconds have passed, if that is given."""

    method: Callable[[Services], Any]
    request: Message
    read: Callable[[Any], _Answer]
    seconds: float | None


@dataclass(frozen=True, slots=True)
class NodeEdit:
    """One operation on one node.

    The path is an instance-identifier. Delete and remove have no value. Without an operation or a router of
    its own it takes those of the whole edit.
    """

    path: str
    value: Any = None
    operation: config_pb2.EditOperation = config_pb2.EDIT_OPERATION_UNSPECIFIED
    router: str = ""


def as_method(call: Callable[..., object], method: Callable[..., object]) -> None:
    """Let a method that makes the call say what the call says of itself."""
    own = inspect.signature(call)
    self_ = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)
    parameters = [p for p in own.parameters.values() if p.name != "token"]
    method.__name__, method.__doc__ = call.__name__, call.__doc__
    method.__signature__ = own.replace(  # type: ignore[attr-defined]
        parameters=[self_, *parameters], return_annotation=get_args(own.return_annotation)[0]
    )


def apply(
    document: Tree | None = None,
    *,
    routers: Mapping[str, Tree] | None = None,
    operation: config_pb2.Operation = config_pb2.OPERATION_MERGE,
    comment: str = "",
    dry_run: bool = False,
    plan: bool = False,
    confirm: int | None = None,
    persist: str = "",
    rollback_on_failure: bool = False,
    wait: int = 0,
) -> Call[config_pb2.ApplyResponse]:
    """Validate and commit a change of the network tree, of router trees by name, or of both at once.

    `confirm` makes it a confirmed commit, which reverts after so many seconds. It answers to the `persist_id`
    of the answer, which is `persist` if that is given. `wait` is for how many seconds at most the call waits
    for the routers. `plan`, with a dry run, also asks the routers what each would do.
    """
    request = config_pb2.ApplyRequest(
        config_json=_text(document),
        router_config_json=_texts(routers),
        operation=operation,
        comment=comment,
        dry_run=dry_run,
        plan=plan,
        confirm_seconds=_timeout(confirm),
        persist=persist,
        rollback_on_failure=rollback_on_failure,
        wait_seconds=wait,
    )
    return Call(lambda s: s.config.Apply, request, seconds=_DEADLINE + wait)


def validate(
    document: Tree | None = None,
    *,
    routers: Mapping[str, Tree] | None = None,
    operation: config_pb2.Operation = config_pb2.OPERATION_MERGE,
) -> Call[Sequence[ConfigError]]:
    """Every problem that `apply` would find; none when it would commit."""
    request = config_pb2.ValidateRequest(edit=_document(document, routers, operation))
    return Call(lambda s: s.config.Validate, request, lambda answer: answer.errors)


def validate_candidate() -> Call[Sequence[ConfigError]]:
    """Every problem of the candidate; none when it is valid."""
    return Call(lambda s: s.config.Validate, config_pb2.ValidateRequest(), lambda answer: answer.errors)


def diff(
    document: Tree | None = None,
    *,
    routers: Mapping[str, Tree] | None = None,
    operation: config_pb2.Operation = config_pb2.OPERATION_MERGE,
    plan: bool = False,
    suppose: Sequence[str] = (),
) -> Call[config_pb2.DiffResponse]:
    """What `apply` would change; with `plan` also what each router would do.

    With `suppose` instead of a document: what would change on which router, and what it would do, if routers
    learned this, each written ROUTER/SUBJECT/NOUN=VALUE[,VALUE], such as
    "home/wan0/delegated-prefix=2001:db8:1200::/56". Raises ValueError for what is not.
    """
    facts = [fact_pb2.Fact(**parse_supposed(text)._asdict()) for text in suppose]
    edit_ = None if facts and not (document or routers) else _document(document, routers, operation)
    return Call(lambda s: s.config.Diff, config_pb2.DiffRequest(edit=edit_, plan=plan, suppose=facts))


def diff_candidate(*, plan: bool = False) -> Call[config_pb2.DiffResponse]:
    """What a commit of the candidate would change; with `plan` also what each router would do."""
    return Call(lambda s: s.config.Diff, config_pb2.DiffRequest(candidate=True, plan=plan))


def compare(from_revision: int, to_revision: int = 0, *, plan: bool = False) -> Call[config_pb2.DiffResponse]:
    """What leads from one revision to the other; 0 stands for running."""
    request = config_pb2.DiffRequest(from_revision=from_revision, to_revision=to_revision, plan=plan)
    return Call(lambda s: s.config.Diff, request)


def get(
    datastore: config_pb2.Datastore = config_pb2.DATASTORE_RUNNING,
    *,
    router: str = "",
    path: str = "",
    paths: Sequence[str] = (),
    depth: int = 0,
    with_defaults: config_pb2.WithDefaults = config_pb2.WITH_DEFAULTS_EXPLICIT,
) -> Call[config_pb2.GetResponse]:
    """The network tree or one router's tree, or what stands at instance-identifiers in it.

    `depth` is how many levels are shown below each of them; 0 is all.
    """
    request = config_pb2.GetRequest(
        datastore=datastore,
        router=router,
        path=path,
        paths=paths,
        depth=depth,
        with_defaults=with_defaults,
        as_json=True,
    )
    return Call(lambda s: s.config.Get, request)


def revisions(*, limit: int = 0, before: int = 0) -> Call[Sequence[config_pb2.Revision]]:
    """Commits, newest first: at most `limit` (0: 100), all below `before` unless that is 0."""
    request = config_pb2.ListRevisionsRequest(limit=limit, before=before)
    return Call(lambda s: s.config.ListRevisions, request, lambda answer: answer.revisions)


def revision(number: int) -> Call[config_pb2.GetRevisionResponse]:
    """One commit with its network tree and its changes."""
    request = config_pb2.GetRevisionRequest(number=number, as_json=True)
    return Call(lambda s: s.config.GetRevision, request)


def rollback(
    number: int,
    *,
    comment: str = "",
    dry_run: bool = False,
    confirm: int | None = None,
    persist: str = "",
    rollback_on_failure: bool = False,
    wait: int = 0,
) -> Call[config_pb2.RollbackResponse]:
    """Make an older revision's configuration the next revision; the options are those of `apply`."""
    request = config_pb2.RollbackRequest(
        number=number,
        comment=comment,
        dry_run=dry_run,
        confirm_seconds=_timeout(confirm),
        persist=persist,
        rollback_on_failure=rollback_on_failure,
        wait_seconds=wait,
    )
    return Call(lambda s: s.config.Rollback, request, seconds=_DEADLINE + wait)


def watch_commits(*, seconds: float | None = None) -> Stream[config_pb2.WatchCommitsResponse]:
    """The commit that is under way or awaits its confirmation, if any, then every event of commits.

    Ends only after `seconds`, if given.
    """
    request = config_pb2.WatchCommitsRequest()
    return Stream(lambda s: s.config.WatchCommits, request, _whole, seconds)


def modules() -> Call[Sequence[config_pb2.Module]]:
    """The YANG modules that the controller implements or imports."""
    return Call(
        lambda s: s.config.ListModules, config_pb2.ListModulesRequest(), lambda answer: answer.modules
    )


def module(name: str) -> Call[config_pb2.GetModuleResponse]:
    """One YANG module with its text."""
    return Call(lambda s: s.config.GetModule, config_pb2.GetModuleRequest(name=name))


def open_session(lease: int) -> Call[config_pb2.OpenSessionResponse]:
    """Open a session that ends unless it is kept within so many seconds."""
    return Call(lambda s: s.config.OpenSession, config_pb2.OpenSessionRequest(lease_seconds=lease))


def keep(token: str) -> Call[None]:
    """Renew the lease now, which is also done in the background; fails when the session has ended."""
    return Call(
        lambda s: s.config.KeepSession, config_pb2.KeepSessionRequest(token=token), _nothing, seconds=10
    )


def close_session(token: str) -> Call[None]:
    """End the session."""
    return Call(lambda s: s.config.CloseSession, config_pb2.CloseSessionRequest(token=token), _nothing)


def lock(token: str, target: Target = "candidate") -> Call[None]:
    """Keep everybody else from changing it until `unlock` or the end of the session."""
    request = config_pb2.LockRequest(token=token, target=_TARGETS[target])
    return Call(lambda s: s.config.Lock, request, _nothing)


def unlock(token: str, target: Target = "candidate") -> Call[None]:
    """Release the lock; the candidate's uncommitted changes are discarded with it."""
    request = config_pb2.UnlockRequest(token=token, target=_TARGETS[target])
    return Call(lambda s: s.config.Unlock, request, _nothing)


def edit(
    token: str,
    *edits: Tree | NodeEdit,
    operation: config_pb2.EditOperation = config_pb2.EDIT_OPERATION_UNSPECIFIED,
    router: str = "",
    default_operation: config_pb2.EditOperation = config_pb2.EDIT_OPERATION_MERGE,
) -> Call[Sequence[config_pb2.Change]]:
    """Change the candidate: all of these documents and nodes, or none.

    Documents are of the network tree, or of the written tree of `router`. The answer is what differs between
    running and the candidate then.
    """
    request = config_pb2.EditRequest(
        token=token,
        edits=[_node_edit(each, operation, router) for each in edits],
        default_operation=default_operation,
    )
    return Call(lambda s: s.config.Edit, request, lambda answer: answer.changes)


def commit(
    token: str,
    *,
    comment: str = "",
    confirm: int | None = None,
    persist: str = "",
    persist_id: str = "",
    rollback_on_failure: bool = False,
    wait: int = 0,
) -> Call[config_pb2.CommitResponse]:
    """Make the candidate running.

    `confirm` makes it a confirmed commit: it reverts after so many seconds, or at the end of the session
    unless it is given a name with `persist`. A plain commit confirms it; from another session, with its name
    as `persist_id`. `wait` is for how many seconds at most the call waits for the routers.
    """
    request = config_pb2.CommitRequest(
        token=token,
        comment=comment,
        confirmed=confirm is not None,
        confirm_timeout=confirm,
        persist=persist,
        persist_id=persist_id,
        rollback_on_failure=rollback_on_failure,
        wait_seconds=wait,
    )
    return Call(lambda s: s.config.Commit, request, seconds=_DEADLINE + wait)


def cancel(token: str, persist_id: str = "") -> Call[int]:
    """Revert a confirmed commit now: the revision that this makes. Other sessions' go by their name."""
    request = config_pb2.CancelCommitRequest(token=token, persist_id=persist_id)
    return Call(lambda s: s.config.CancelCommit, request, lambda answer: answer.revision)


def cancel_commit(persist_id: str) -> Call[int]:
    """Revert the confirmed commit of this name now: the revision that this makes."""
    return cancel("", persist_id)


def discard(token: str) -> Call[None]:
    """Make the candidate equal to running."""
    request = config_pb2.DiscardChangesRequest(token=token)
    return Call(lambda s: s.config.DiscardChanges, request, _nothing)


def routers() -> Call[Sequence[router_pb2.Router]]:
    """How far every router is, without its objects."""
    return Call(
        lambda s: s.router.ListRouters, router_pb2.ListRoutersRequest(), lambda answer: answer.routers
    )


def router(name: str) -> Call[router_pb2.Router]:
    """How far one router is, with each of its objects that is not as intended."""
    request = router_pb2.GetRouterRequest(name=name)
    return Call(lambda s: s.router.GetRouter, request, lambda answer: answer.router)


def watch_routers(
    names: Sequence[str] = (), *, with_objects: bool = False, seconds: float | None = None
) -> Stream[router_pb2.Router]:
    """Each router (of `names`, if any) once, then each again on every change.

    Ends only after `seconds`, if given.
    """
    request = router_pb2.WatchRoutersRequest(names=names, with_objects=with_objects)
    return Stream(lambda s: s.router.WatchRouters, request, lambda answer: answer.router, seconds)


def drift(
    *, router: str = "", open_only: bool = False, since: datetime | None = None, limit: int = 0
) -> Call[drift_pb2.ListDriftResponse]:
    """Open drift, and the rest that was seen since then (default: 24 hours), with the evidence's age."""
    request = drift_pb2.ListDriftRequest(router=router, open_only=open_only, since=since, limit=limit)
    return Call(lambda s: s.drift.ListDrift, request)


def watch_drift(
    *,
    router: str = "",
    open_only: bool = False,
    since: datetime | None = None,
    seconds: float | None = None,
) -> Stream[drift_pb2.DriftItem]:
    """What `drift` lists, then every item that is new or changes. Ends only after `seconds`, if given."""
    request = drift_pb2.WatchDriftRequest(router=router, open_only=open_only, since=since)
    return Stream(lambda s: s.drift.WatchDrift, request, lambda answer: answer.item, seconds)


def facts(*, router: str = "") -> Call[fact_pb2.ListFactsResponse]:
    """What routers know or wait for of all that intended trees are made of, with the evidence's age."""
    return Call(lambda s: s.fact.ListFacts, fact_pb2.ListFactsRequest(router=router))


def fact_changes(*, router: str = "", limit: int = 0, before: int = 0) -> Call[Sequence[fact_pb2.FactChange]]:
    """Changed facts, newest first: at most `limit` (0: 100), all below `before` unless that is 0."""
    request = fact_pb2.ListFactChangesRequest(router=router, limit=limit, before=before)
    return Call(lambda s: s.fact.ListFactChanges, request, lambda answer: answer.changes)


def _document(
    document: Tree | None, routers: Mapping[str, Tree] | None, operation: config_pb2.Operation
) -> config_pb2.Document:
    return config_pb2.Document(
        config_json=_text(document), router_config_json=_texts(routers), operation=operation
    )


def _node_edit(
    given: Tree | NodeEdit, operation: config_pb2.EditOperation, router: str
) -> config_pb2.NodeEdit:
    node = given if isinstance(given, NodeEdit) else NodeEdit("", given)
    return config_pb2.NodeEdit(
        path=node.path,
        value_json=_text(node.value),
        operation=node.operation or operation,
        router=node.router or router,
    )


def _timeout(confirm: int | None) -> int | None:
    if confirm == 0:
        raise ValueError("a confirmed commit needs at least a second until it reverts")
    return confirm


def _text(value: Any) -> bytes:
    return b"" if value is None else json.dumps(value, ensure_ascii=False).encode()


def _texts(trees: Mapping[str, Tree] | None) -> dict[str, bytes]:
    return {name: _text(tree) for name, tree in (trees or {}).items()}
