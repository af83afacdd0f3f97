"""`tasuki apply`, `diff` and `validate`: an edit out of files, what is wrong with it and what it changes."""

from collections.abc import Sequence
from dataclasses import dataclass

from tasuki_proto.v1.config_pb2 import (
    OPERATION_DELETE,
    OPERATION_MERGE,
    OPERATION_REPLACE,
    ApplyResponse,
    DiffResponse,
    Operation,
    RollbackResponse,
)
from tasuki_yang.tree import Tree

from tasuki_client import documents, terminal
from tasuki_client.client import Client
from tasuki_client.commands import outcome
from tasuki_client.commands.order import Order
from tasuki_client.errors import ConfigRejected, TasukiError
from tasuki_client.plain import plain
from tasuki_client.render import changes as render


@dataclass(frozen=True, slots=True)
class Edit:
    """A document for the network tree or, by name, for one router's tree."""

    document: Tree
    router: str
    operation: Operation

    @property
    def network(self) -> Tree | None:
        """The document, if it is one of the network tree."""
        return None if self.router else self.document

    @property
    def routers(self) -> dict[str, Tree]:
        """The document, if it is one of a router's tree."""
        return {self.router: self.document} if self.router else {}


def read(files: Sequence[str], router: str, *, replace: bool, delete: bool) -> Edit:
    """The edit that files and options describe.

    Raises:
        TasukiError: a file cannot be read, or the files or options contradict each other.
    """
    if replace and delete:
        raise TasukiError("--replace and --delete exclude each other")
    if delete and len(files) > 1:
        # Merged, a container given as {} (delete all of it) would be taken for nothing.
        raise TasukiError("--delete takes one file")
    operation = OPERATION_REPLACE if replace else OPERATION_DELETE if delete else OPERATION_MERGE
    return Edit(documents.read_all(files, router=bool(router)), router, operation)


def preview(client: Client, edit: Edit, *, plan: bool = False) -> DiffResponse:
    """What the edit would change, and with `plan` what the routers would do."""
    return client.diff(edit.network, routers=edit.routers, operation=edit.operation, plan=plan)


def suppose(client: Client, facts: Sequence[str], router: str) -> DiffResponse:
    """What would follow if routers learned these facts; of this router only, if one is named.

    Raises:
        CallFailed: there is no such router.
    """
    if router:
        client.router(router)
    answer = client.diff(suppose=facts)
    return DiffResponse(routers=[each for each in answer.routers if router in ("", each.router)])


def show(
    answer: ApplyResponse | DiffResponse | RollbackResponse, *, as_json: bool = False, planned: bool = False
) -> None:
    """Print changes of what is written, and what follows from them for the routers."""
    if as_json:
        terminal.show_json(plain(answer))
    elif answer.changes or answer.routers:
        brief = terminal.is_terminal()
        terminal.show(*render.by_tree(answer.changes, answer.routers, brief=brief, planned=planned))
    else:
        terminal.show("No changes.")


def validate(client: Client, edit: Edit | None, *, as_json: bool) -> None:
    """Print all that is wrong with the edit or, without one, with the candidate.

    Raises:
        ConfigRejected: something is.
    """
    if edit:
        errors = client.validate(edit.network, routers=edit.routers, operation=edit.operation)
    else:
        errors = client.validate_candidate()
    if as_json:
        terminal.show_json({"errors": [plain(error) for error in errors]})
    if errors:
        raise ConfigRejected(errors)
    if not as_json:
        terminal.show("Valid.")


def dry_run(client: Client, edit: Edit, *, plan: bool, as_json: bool) -> None:
    """Do everything but the commit, and show what it would change."""
    answer = client.apply(
        edit.network, routers=edit.routers, operation=edit.operation, dry_run=True, plan=plan
    )
    show(answer, as_json=as_json, planned=plan)


def apply(client: Client, edit: Edit, order: Order, *, as_json: bool) -> None:
    """Commit the edit, show what it changed, and see to what the order asks for.

    Raises:
        TasukiError: the edit was refused, a router did not apply it in time, or it was not confirmed.
    """

    def committed(name: str) -> ApplyResponse:
        return client.apply(
            edit.network, routers=edit.routers, operation=edit.operation, **order.arguments(name)
        )

    outcome.see_to(client, outcome.commit(client, order, committed), as_json=as_json)
