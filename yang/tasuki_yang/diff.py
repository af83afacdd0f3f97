"""Differences of two canonical trees, and trees made of differences: `patch(s, a, diff(s, a, b)) == b`.

A change is as large as can be: a list entry or a container with presence comes and goes as a whole. A
container without presence is never a change itself, only what it holds.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias

from tasuki_yang.errors import ConfigError, InvalidIntent
from tasuki_yang.node import Container, Leaf, LeafList, List, Node, Schema
from tasuki_yang.path import entry_path, parse
from tasuki_yang.tree import Key, Tree, arranged, by_key


class Op(StrEnum):
    """What happened to a node."""

    CREATE = "create"
    REPLACE = "replace"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Change:
    """One change. The path names a leaf, a container, an entry, or a list whose order by the user changes."""

    op: Op
    path: str
    old: Any = None
    """RFC 7951 value before; None for a creation."""
    new: Any = None
    """RFC 7951 value after; None for a deletion."""


def diff(schema: Schema, a: Tree, b: Tree) -> list[Change]:
    """The changes that make `b` of `a`, in the order of `a`, then that of `b`. Shared parts cost nothing."""
    return list(_members(schema.top, a, b, ""))


def _members(node: Container | List, a: Tree, b: Tree, path: str) -> Iterator[Change]:
    for label in a if a.keys() == b.keys() else (*a, *(label for label in b if label not in a)):
        old, new = a.get(label), b.get(label)
        if old is not new and old != new:
            yield from _member(node.children[label], old, new, f"{path}/{label}")


def _member(node: Node, old: Any, new: Any, path: str) -> Iterator[Change]:
    match node:
        case Container() if not node.presence or (old is not None and new is not None):
            yield from _members(node, old or {}, new or {}, path)
        case Leaf() | Container():
            yield _change(path, old, new)
        case _:
            yield from _entries(node, old or [], new or [], path)


def _entries(node: List | LeafList, old: list[Any], new: list[Any], path: str) -> Iterator[Change]:
    before, after = by_key(node, old), by_key(node, new)
    if node.user_ordered:
        appended = [*(key for key in before if key in after), *(key for key in after if key not in before)]
        if appended != list(after):
            yield Change(Op.REPLACE, path, old, new)
            return
    for key, entry in before.items():
        other = after.get(key)
        if other is None:
            yield _change(entry_path(path, node, key), entry, None)
        elif isinstance(node, List) and entry is not other and entry != other:
            yield from _members(node, entry, other, entry_path(path, node, key))
    for key, entry in after.items():
        if key not in before:
            yield _change(entry_path(path, node, key), None, entry)


def _change(path: str, old: Any, new: Any) -> Change:
    op = Op.CREATE if old is None else Op.DELETE if new is None else Op.REPLACE
    return Change(op, path, old, new)


_Plan: TypeAlias = "dict[str | Key, _Plan | Change]"
"""Changes by the steps of their paths, so that each list on the way is taken apart once."""


def patch(schema: Schema, a: Tree, changes: Iterable[Change]) -> Tree:
    """The tree that the changes make of `a`.

    Raises:
        InvalidIntent: a change lies in an entry that is not there, or its path is wrong.
    """
    plan: _Plan = {}
    for change in changes:
        _plan(plan, schema, change)
    return _patch_members(schema.top, a, plan, "")


def _plan(plan: _Plan, schema: Schema, change: Change) -> None:
    *way, last = [
        token
        for step in parse(schema, change.path)
        for token in (step.node.label, step.key)
        if token is not None
    ]
    for token in way:
        inner = plan.setdefault(token, {})
        if isinstance(inner, Change):
            raise _impossible(change.path)
        plan = inner
    plan[last] = change


def _patch_members(node: Container | List, base: Tree, plan: _Plan, path: str) -> Tree:
    patched = dict(base)
    for label, inner in plan.items():
        child = node.children[str(label)]
        old = base.get(child.label)
        new = inner.new if isinstance(inner, Change) else _patch(child, old, inner, f"{path}/{child.label}")
        if new is None:
            patched.pop(child.label, None)
        else:
            patched[child.label] = new
    return patched


def _patch(node: Node, old: Any, plan: _Plan, path: str) -> Any | None:
    match node:
        case Container():
            members = _patch_members(node, old or {}, plan, path)
            return members if members or node.presence else None
        case List() | LeafList():
            return _patch_entries(node, old or [], plan, path) or None
        case Leaf():
            raise _impossible(path)


def _patch_entries(node: List | LeafList, old: list[Any], plan: _Plan, path: str) -> list[Any]:
    entries = by_key(node, old)
    for token, inner in plan.items():
        key = tuple(token)
        if isinstance(inner, Change) and inner.new is None:
            entries.pop(key, None)
        elif isinstance(inner, Change):
            entries[key] = inner.new
        elif isinstance(node, List) and key in entries:
            entries[key] = _patch_members(node, entries[key], inner, entry_path(path, node, key))
        else:
            raise _impossible(entry_path(path, node, key))
    return arranged(node, entries.values())


def _impossible(path: str) -> InvalidIntent:
    message = "The change does not fit the data: there is nothing below this node to change."
    return InvalidIntent([ConfigError(error_tag="data-missing", error_path=path, message=message)])
