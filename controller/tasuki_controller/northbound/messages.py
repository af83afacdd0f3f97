"""Between the messages of ConfigService and the controller's own types."""

from collections.abc import Container, Iterable, Mapping
from typing import Final, TypeAlias

from tasuki_proto.v1 import config_pb2
from tasuki_yang.diff import Change, Op, diff
from tasuki_yang.errors import ConfigError
from tasuki_yang.modules import Module
from tasuki_yang.schema import ROUTER
from tasuki_yang.tree import Tree

from tasuki_controller.document import text_of, tree_of
from tasuki_controller.failure import Failed, invalid
from tasuki_controller.store import Revision
from tasuki_controller.transaction import Edit, Operation, RoutedChange

_OPERATIONS: Final = {
    config_pb2.OPERATION_UNSPECIFIED: Operation.MERGE,
    config_pb2.OPERATION_MERGE: Operation.MERGE,
    config_pb2.OPERATION_REPLACE: Operation.REPLACE,
    config_pb2.OPERATION_DELETE: Operation.DELETE,
    config_pb2.OPERATION_REMOVE: Operation.REMOVE,
}
_OPS: Final = {
    Op.CREATE: config_pb2.Change.OP_CREATE,
    Op.REPLACE: config_pb2.Change.OP_REPLACE,
    Op.DELETE: config_pb2.Change.OP_DELETE,
}

EditMessage: TypeAlias = config_pb2.Document | config_pb2.ApplyRequest
"""Both have the fields of an edit."""


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


def router_outcomes(
    differing: Mapping[str, tuple[Tree, Tree]], connected: Container[str]
) -> list[config_pb2.RouterOutcome]:
    """What happens to each router whose intended tree changes."""
    return [
        config_pb2.RouterOutcome(
            router=router,
            outcome="pending" if router in connected else "offline",
            changes=map(_change_message, diff(ROUTER, before, after)),
        )
        for router, (before, after) in differing.items()
    ]


def revision_message(revision: Revision) -> config_pb2.Revision:
    """A revision as it travels."""
    message = config_pb2.Revision(
        number=revision.number,
        author=revision.author,
        peer=revision.peer,
        comment=revision.comment,
        change_count=revision.change_count,
    )
    message.time.FromDatetime(revision.time)
    return message


def module_message(module: Module) -> config_pb2.Module:
    """A YANG module as it travels, without its text."""
    return config_pb2.Module(
        name=module.name,
        revision=module.revision,
        namespace=module.namespace,
        trees=module.trees,
        import_only=module.import_only,
    )
