"""`tasuki apply` and `tasuki diff`: an edit out of files, what it changes, and the wait for the routers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.text import Text
from tasuki_proto.v1.config_pb2 import (
    OPERATION_DELETE,
    OPERATION_MERGE,
    OPERATION_REPLACE,
    ApplyResponse,
    DiffResponse,
    Operation,
)
from tasuki_yang.tree import Tree

from tasuki_client import documents, terminal
from tasuki_client.client import Client
from tasuki_client.commands.wait import Arrival, wait_for
from tasuki_client.errors import TasukiError
from tasuki_client.plain import plain
from tasuki_client.render import changes as render
from tasuki_client.render.tables import table


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


def preview(client: Client, edit: Edit) -> DiffResponse:
    """What the edit would change."""
    return client.diff(edit.network, routers=edit.routers, operation=edit.operation)


def show(answer: ApplyResponse | DiffResponse, *, as_json: bool) -> None:
    """Print changes of what is written, and what follows from them for the routers."""
    if as_json:
        terminal.show_json(plain(answer))
    elif answer.changes or answer.routers:
        terminal.show(*render.by_tree(answer.changes, answer.routers, brief=terminal.is_terminal()))
    else:
        terminal.show("No changes.")


def apply(
    client: Client, edit: Edit, *, comment: str, dry_run: bool, wait: float | None, as_json: bool
) -> None:
    """Commit the edit, show what it changed, and wait for the routers if asked to.

    Raises:
        TasukiError: the edit was refused, or a router did not apply it in time.
    """
    answer = client.apply(
        edit.network, routers=edit.routers, operation=edit.operation, comment=comment, dry_run=dry_run
    )
    if dry_run:
        show(answer, as_json=as_json)
        return
    if not as_json:
        _show_commit(answer)
    arrivals = wait_for(client, answer, wait) if wait is not None else []
    if as_json:
        terminal.show_json(plain(answer) | _outcome(arrivals, waited=wait is not None))
    if missing := [arrival for arrival in arrivals if not arrival.arrived]:
        raise TasukiError("\n".join(f"{a.router.name}: {a.account}" for a in missing))


def _show_commit(answer: ApplyResponse) -> None:
    if not answer.committed:
        terminal.show(f"No changes; running is revision {answer.revision}.")
        return
    terminal.show(*render.by_tree(answer.changes, (), brief=terminal.is_terminal()))
    terminal.show(Text(f"Committed revision {answer.revision}.", style="bold"))
    if answer.routers:
        rows = [(r.router, r.outcome, render.count(len(r.changes), "change")) for r in answer.routers]
        terminal.show(table("ROUTER", "OUTCOME", "CHANGES", rows=rows))


def _outcome(arrivals: Sequence[Arrival], *, waited: bool) -> dict[str, Any]:
    if not waited:
        return {}
    return {
        "applied": {
            arrival.router.name: {"applied": arrival.arrived, "account": arrival.account}
            for arrival in arrivals
        }
    }
