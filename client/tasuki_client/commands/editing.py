"""`tasuki edit`: a tree as a text in the operator's own editor, until it is committed or given up.

The candidate is locked meanwhile, so what is shown is what is changed. The text is a file of its own until it
is committed: whatever fails, nothing that was typed is lost.
"""

import json
import os
import shlex
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import dropwhile
from pathlib import Path
from typing import Final, Self

from tasuki_proto.v1.config_pb2 import DATASTORE_CANDIDATE, EDIT_OPERATION_REPLACE, CommitResponse
from tasuki_yang.tree import Tree

from tasuki_client import documents, state, terminal
from tasuki_client.client import Client, Session
from tasuki_client.commands import change, outcome
from tasuki_client.commands.locking import run
from tasuki_client.commands.order import Order
from tasuki_client.documents import DocumentError
from tasuki_client.errors import ConfigRejected, TasukiError, sentence

_MARK: Final = "#!"
"""Begins the lines that tasuki writes above the text, and takes away again."""


@dataclass(frozen=True, slots=True)
class Draft:
    """The text in its file."""

    path: Path

    @classmethod
    def of(cls, text: str) -> Self:
        """A new file.

        Raises:
            TasukiError: it cannot be written.
        """
        try:
            return cls(state.new_draft(text))
        except OSError as error:
            raise TasukiError(f"{error.filename}: {error.strerror}") from error

    def open(self, problems: Sequence[str]) -> bool:
        """Let it be edited with these problems on top; whether it was changed.

        Raises:
            TasukiError: the editor cannot be run, or failed.
        """
        text = self.text()
        self.path.write_text(_header(problems) + text)
        editor = shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi")
        if status := run([*editor, str(self.path)]):
            raise TasukiError(f"the editor {shlex.join(editor)} ended with exit status {status}")
        return self.text() != text

    def text(self) -> str:
        """The text without what tasuki wrote above it."""
        lines = self.path.read_text().splitlines(keepends=True)
        return "".join(dropwhile(lambda line: line.startswith(_MARK), lines))

    def document(self) -> Tree:
        """What the text says.

        Raises:
            DocumentError: it is none. The message counts the lines as they are below a header that has it.
        """
        shift = _header(["this problem"]).count("\n")
        return documents.parse("\n" * shift + self.text(), str(self.path))


def edit(client: Client, order: Order, *, router: str, plan: bool) -> None:
    """Let the network tree, or what is written for a router, be edited, and commit it.

    Raises:
        TasukiError: it was not committed; where the text is kept has been said.
    """
    with client.session() as session, ExitStack() as unless_done:
        session.lock("candidate")
        tree = json.loads(client.get(DATASTORE_CANDIDATE, router=router).config_json)
        draft = Draft.of(documents.to_yaml(tree))
        unless_done.callback(lambda: terminal.note(f"What you wrote is kept in {draft.path}"))
        done = _edited(client, session, draft, order, router=router, plan=plan)
        unless_done.pop_all()
        draft.path.unlink()
    if done:
        outcome.see_to(client, done)
    else:
        terminal.show("No changes.")


def _edited(
    client: Client, session: Session, draft: Draft, order: Order, *, router: str, plan: bool
) -> outcome.Done | None:
    """Edit and validate until the text is committed; None if it changes nothing."""

    def commit(name: str) -> CommitResponse:
        return session.commit(persist_id=order.follows, **order.arguments(name))

    problems: list[str] = []
    while True:
        if not draft.open(problems) and problems:
            raise TasukiError("\n".join(("not committed, because of these problems:", *problems)))
        try:
            session.edit(draft.document(), operation=EDIT_OPERATION_REPLACE, router=router)
            problems = [sentence(problem) for problem in session.validate()]
            if problems:
                continue
            answer = session.diff(plan=plan)
            if not answer.changes:
                return None
            change.show(answer, planned=plan)
            match terminal.ask("Commit this? [y]es, [e]dit again, [N]o: ")[:1]:
                case "y":
                    return outcome.commit(client, order, commit)
                case "e":
                    continue
                case _:
                    raise TasukiError("not committed")
        except DocumentError as error:
            problems = [str(error)]
        except ConfigRejected as rejected:
            session.keep()  # when it is the session that was refused, this says so
            problems = rejected.sentences()


def _header(problems: Sequence[str]) -> str:
    if not problems:
        return ""
    lines = [f"{len(problems)} to mend; leave this as it is to give up:", *map(terminal.one_line, problems)]
    return "".join(f"{_MARK} {line}\n" for line in lines)
