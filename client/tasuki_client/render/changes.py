"""Changes of a tree as lines: what came, what went, what became something else."""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from rich.text import Text
from tasuki_proto.v1.config_pb2 import Change, RouterOutcome

from tasuki_client.documents import to_yaml
from tasuki_client.render.tree import leaf
from tasuki_client.terminal import one_line

_SIGNS: Final = {
    Change.OP_CREATE: ("+", "green"),
    Change.OP_REPLACE: ("~", "yellow"),
    Change.OP_DELETE: ("-", "red"),
}
_INDENT: Final = " " * 6
_MOST_CHANGES: Final = 40
_MOST_LINES: Final = 24
"""What is shown where `brief`: changes of one tree, lines of one value."""


def changes(listed: Sequence[Change], *, brief: bool) -> Iterator[Text]:
    """Lines for changes of one tree; `brief` shows the beginning of what is long."""
    shown = listed[:_MOST_CHANGES] if brief else listed
    for change in shown:
        yield from _change(change, brief=brief)
    if len(shown) < len(listed):
        yield Text(f"... and {len(listed) - len(shown)} more changes; --format json has all", style="dim")


def by_tree(
    written: Iterable[Change], routers: Iterable[RouterOutcome], *, brief: bool, planned: bool = False
) -> Iterator[Text]:
    """What is written, then what follows from it for each router, then what it would do if that was asked."""
    trees: dict[str, list[Change]] = {}
    for change in written:
        trees.setdefault(change.router, []).append(change)
    for router, listed in trees.items():
        yield _heading(f"Written for router {router}" if router else "Network")
        yield from changes(listed, brief=brief)
    for outcome in routers:
        yield _heading(f"Router {outcome.router}")
        yield from changes(outcome.changes, brief=brief)
        if planned:
            yield from _plan(outcome, brief=brief)


def count(number: int, noun: str) -> str:
    """A number and its noun: "1 change", "2 changes"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _heading(text: str) -> Text:
    return Text(one_line(text), style="bold")


def _plan(outcome: RouterOutcome, *, brief: bool) -> Iterator[Text]:
    if outcome.message:
        standing = "" if outcome.outcome == "pending" else f"{outcome.outcome}: "
        first, *more = outcome.message.splitlines()
        for line in (f"{standing}{first}", *more):
            yield Text(one_line(line), style="yellow")
    elif not outcome.plan:
        yield Text(
            "offline: it cannot say what it would do" if outcome.outcome == "offline" else "nothing to do",
            style="dim",
        )
    shown = outcome.plan[:_MOST_CHANGES] if brief else outcome.plan
    for step in shown:
        yield Text(f"* {one_line(step)}", style="cyan")
    if len(shown) < len(outcome.plan):
        yield Text(f"... and {len(outcome.plan) - len(shown)} more steps; --format json has all", style="dim")


def _change(change: Change, *, brief: bool) -> Iterator[Text]:
    sign, style = _SIGNS.get(change.op, ("?", ""))
    line = Text(f"{sign} {one_line(change.path)}", style=style)
    old, new = (json.loads(text) if text else None for text in (change.old_json, change.new_json))
    if change.op == Change.OP_REPLACE and _is_leaf(old) and _is_leaf(new):
        yield line.append(f" = {leaf(old)} → {leaf(new)}")
        return
    value = old if change.op == Change.OP_DELETE else new
    if _is_leaf(value):
        yield line.append(f" = {leaf(value)}")
        return
    yield line
    yield from _block(value, style, brief=brief)


def _block(value: Any, style: str, *, brief: bool) -> Iterator[Text]:
    lines = to_yaml(value).splitlines()
    shown = lines[:_MOST_LINES] if brief else lines
    for text in shown:
        yield Text(_INDENT + text, style=style)
    if len(shown) < len(lines):
        yield Text(
            f"{_INDENT}... and {len(lines) - len(shown)} more lines; --format json has all", style="dim"
        )


def _is_leaf(value: Any) -> bool:
    return not isinstance(value, dict | list) or value == [None]
