"""Between the messages of ConfigService and the controller's own types."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final, TypeAlias

from google.protobuf.timestamp_pb2 import Timestamp
from tasuki_proto.v1 import config_pb2
from tasuki_yang.diff import Change, Op, diff
from tasuki_yang.errors import ConfigError
from tasuki_yang.modules import Module
from tasuki_yang.node_edit import DefaultOperation, EditOperation, NodeEdit
from tasuki_yang.schema import ROUTER
from tasuki_yang.tree import Tree

from tasuki_controller.commit_events import CommitEvent
from tasuki_controller.document import text_of, tree_of, value_of
from tasuki_controller.failure import Failed, invalid
from tasuki_controller.link import Prepared
from tasuki_controller.outcome import Result, RouterOutcome
from tasuki_controller.store import Revision
from tasuki_controller.transaction import Edit, Operation, RoutedChange, RoutedEdit
from tasuki_controller.transactions.commits import DEFAULT_TIMEOUT, CommitOrder, EventKind
from tasuki_controller.transactions.state import Datastore

_COMMENT_LIMIT: Final = 1000
_OPERATIONS: Final = {
    config_pb2.OPERATION_UNSPECIFIED: Operation.MERGE,
    config_pb2.OPERATION_MERGE: Operation.MERGE,
    config_pb2.OPERATION_REPLACE: Operation.REPLACE,
    config_pb2.OPERATION_DELETE: Operation.DELETE,
    config_pb2.OPERATION_REMOVE: Operation.REMOVE,
}
_EDIT_OPERATIONS: Final = {
    config_pb2.EDIT_OPERATION_UNSPECIFIED: None,
    config_pb2.EDIT_OPERATION_MERGE: EditOperation.MERGE,
    config_pb2.EDIT_OPERATION_REPLACE: EditOperation.REPLACE,
    config_pb2.EDIT_OPERATION_CREATE: EditOperation.CREATE,
    config_pb2.EDIT_OPERATION_DELETE: EditOperation.DELETE,
    config_pb2.EDIT_OPERATION_REMOVE: EditOperation.REMOVE,
}
_DEFAULT_OPERATIONS: Final[Mapping[int, DefaultOperation]] = {
    config_pb2.EDIT_OPERATION_UNSPECIFIED: EditOperation.MERGE,
    config_pb2.EDIT_OPERATION_MERGE: EditOperation.MERGE,
    config_pb2.EDIT_OPERATION_REPLACE: EditOperation.REPLACE,
    config_pb2.EDIT_OPERATION_NONE: EditOperation.NONE,
}
_TARGETS: Final = {
    config_pb2.TARGET_RUNNING: Datastore.RUNNING,
    config_pb2.TARGET_CANDIDATE: Datastore.CANDIDATE,
}
_OPS: Final = {
    Op.CREATE: config_pb2.Change.OP_CREATE,
    Op.REPLACE: config_pb2.Change.OP_REPLACE,
    Op.DELETE: config_pb2.Change.OP_DELETE,
}
_EVENTS: Final = {
    EventKind.COMMIT: config_pb2.WatchCommitsResponse.EVENT_COMMIT,
    EventKind.START: config_pb2.WatchCommitsResponse.EVENT_START,
    EventKind.EXTEND: config_pb2.WatchCommitsResponse.EVENT_EXTEND,
    EventKind.COMPLETE: config_pb2.WatchCommitsResponse.EVENT_COMPLETE,
    EventKind.CANCEL: config_pb2.WatchCommitsResponse.EVENT_CANCEL,
    EventKind.TIMEOUT: config_pb2.WatchCommitsResponse.EVENT_TIMEOUT,
    EventKind.ROUTER: config_pb2.WatchCommitsResponse.EVENT_ROUTER,
}

EditMessage: TypeAlias = config_pb2.Document | config_pb2.ApplyRequest
"""Both have the fields of an edit."""
Differing: TypeAlias = Mapping[str, tuple[Tree, Tree]]
"""Intended trees before and after, by router."""


def edit_of(message: EditMessage) -> Edit:
    """The edit that a request asks for.

    Raises:
        Failed: documents that cannot be read, all of them; or nothing to do.
    """
    if message.operation not in _OPERATIONS:
        raise invalid(f"{message.operation} is no operation that this version knows.")
    problems: list[ConfigError] = []
    network = _read(message, "", problems)
    routers = sorted({*message.router_config, *message.router_config_json})
    written = {router: _read(message, router, problems) for router in routers}
    if problems:
        raise Failed(problems)
    if network is None and not written:
        raise invalid("The request holds no configuration.", "missing-element")
    return Edit(_OPERATIONS[message.operation], network, written)


def _read(message: EditMessage, router: str, problems: list[ConfigError]) -> Tree | None:
    """A router's document, or that of the network; what cannot be read is noted as a problem."""
    try:
        if not router:
            struct = message.config if message.HasField("config") else None
            return tree_of(struct, message.config_json, what="config")
        # Reading a member that is not there would make it.
        struct = message.router_config[router] if router in message.router_config else None  # noqa: SIM401
        return tree_of(struct, message.router_config_json.get(router, b""), what=f"router_config['{router}']")
    except Failed as failed:
        problems.extend(failed.problems)
        return None


def node_edits_of(request: config_pb2.EditRequest) -> tuple[list[RoutedEdit], DefaultOperation]:
    """The operations that a request asks for, and the default one.

    Raises:
        Failed: operations that are none, or values that cannot be read, all of them; or nothing to do.
    """
    default = _DEFAULT_OPERATIONS.get(request.default_operation)
    if default is None:
        raise invalid(f"{request.default_operation} is no default operation: merge, replace and none are.")
    if not request.edits:
        raise invalid("The request holds no edit.", "missing-element")
    edits: list[RoutedEdit] = []
    problems: list[ConfigError] = []
    for number, message in enumerate(request.edits):
        try:
            edits.append(RoutedEdit(message.router, _node_edit(message, f"edits[{number}]")))
        except Failed as failed:
            problems += failed.problems
    if problems:
        raise Failed(problems)
    return edits, default


def _node_edit(message: config_pb2.NodeEdit, name: str) -> NodeEdit:
    if message.operation not in _EDIT_OPERATIONS:
        raise invalid(f"{name}: {message.operation} is no operation on a node.")
    value = message.value if message.HasField("value") else None
    return NodeEdit(
        message.path,
        value_of(value, message.value_json, what=f"{name}.value"),
        _EDIT_OPERATIONS[message.operation],
    )


def target_of(target: config_pb2.Target) -> Datastore:
    """The datastore to lock or unlock.

    Raises:
        Failed: it is none that can be locked.
    """
    if target not in _TARGETS:
        raise invalid("Running and candidate can be locked: name one of them in 'target'.")
    return _TARGETS[target]


def comment_of(
    message: config_pb2.ApplyRequest | config_pb2.CommitRequest | config_pb2.RollbackRequest,
) -> str:
    """The comment of a commit.

    Raises:
        Failed: too-big.
    """
    if len(message.comment) > _COMMENT_LIMIT:
        raise invalid(f"A comment has at most {_COMMENT_LIMIT} characters.", "too-big")
    return message.comment


def order_of(request: config_pb2.CommitRequest) -> CommitOrder:
    """How a session wants to commit.

    Raises:
        Failed: the fields contradict one another.
    """
    timed = request.HasField("confirm_timeout")
    if timed and not request.confirmed:
        raise invalid("'confirm_timeout' is about a confirmed commit: ask for one, or leave it out.")
    return CommitOrder(
        comment=comment_of(request),
        confirmed=request.confirmed,
        timeout=request.confirm_timeout if timed else DEFAULT_TIMEOUT,
        persist=request.persist,
        persist_id=request.persist_id,
        rollback_on_failure=request.rollback_on_failure,
        wait=request.wait_seconds,
    )


def one_shot_order_of(request: config_pb2.ApplyRequest | config_pb2.RollbackRequest) -> CommitOrder:
    """How a call that is a whole transaction wants to commit.

    Raises:
        Failed: too-big.
    """
    return CommitOrder(
        comment=comment_of(request),
        confirmed=request.confirm_seconds > 0,
        timeout=request.confirm_seconds or DEFAULT_TIMEOUT,
        persist=request.persist,
        rollback_on_failure=request.rollback_on_failure,
        wait=request.wait_seconds,
    )


def _change_message(change: Change, router: str = "") -> config_pb2.Change:
    """A change as it travels."""
    return config_pb2.Change(
        op=_OPS[change.op],
        path=change.path,
        old_json="" if change.old is None else text_of(change.old).decode(),
        new_json="" if change.new is None else text_of(change.new).decode(),
        router=router,
    )


def change_messages(changes: Iterable[RoutedChange]) -> list[config_pb2.Change]:
    """Changes of the network tree and of written router trees as they travel."""
    return [_change_message(routed.change, routed.router) for routed in changes]


def router_messages(
    differing: Differing, outcomes: Mapping[str, RouterOutcome], plans: Mapping[str, Prepared] | None = None
) -> list[config_pb2.RouterOutcome]:
    """What happens to each router whose intended tree changes, and what it would do if that was asked."""
    return [
        config_pb2.RouterOutcome(
            router=router,
            outcome=outcomes[router].result.value,
            changes=[_change_message(change) for change in diff(ROUTER, before, after)],
            message=outcomes[router].message,
            plan=plans[router].plan if plans else (),
        )
        for router, (before, after) in differing.items()
    ]


def foreseen(prepared: Prepared) -> RouterOutcome:
    """How a router would come out of what it was asked to prepare."""
    if not prepared.answered:
        return RouterOutcome(Result.OFFLINE)
    if prepared.refusals:
        return RouterOutcome(
            Result.FAILED, "; ".join(str(replace(each, router="")) for each in prepared.refusals)
        )
    if prepared.waiting:
        return RouterOutcome(Result.WAITING, "; ".join(prepared.waiting))
    return RouterOutcome(Result.PENDING)


def event_message(event: CommitEvent) -> config_pb2.WatchCommitsResponse:
    """What happened to a commit, as it travels."""
    message = config_pb2.WatchCommitsResponse(
        event=_EVENTS[event.kind],
        revision=event.revision,
        time=timestamp(event.time),
        author=event.author,
        routers=[
            config_pb2.RouterOutcome(router=router, outcome=each.result.value, message=each.message)
            for router, each in event.routers.items()
        ],
        message=event.message,
    )
    if event.revert_at:
        message.revert_at.CopyFrom(timestamp(event.revert_at))
    return message


def timestamp(time: datetime) -> Timestamp:
    """A time as it travels."""
    message = Timestamp()
    message.FromDatetime(time)
    return message


def revision_message(revision: Revision) -> config_pb2.Revision:
    """A revision as it travels."""
    return config_pb2.Revision(
        number=revision.number,
        author=revision.author,
        peer=revision.peer,
        time=timestamp(revision.time),
        comment=revision.comment,
        change_count=revision.change_count,
    )


def module_message(module: Module) -> config_pb2.Module:
    """A YANG module as it travels, without its text."""
    return config_pb2.Module(
        name=module.name,
        revision=module.revision,
        namespace=module.namespace,
        trees=module.trees,
        import_only=module.import_only,
    )
