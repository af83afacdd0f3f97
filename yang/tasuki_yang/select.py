"""The part of a tree that somebody asks for: subtrees by their paths, and only so many levels of them."""

import math
from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

from tasuki_yang.errors import ConfigError, InvalidIntent
from tasuki_yang.node import Container, Leaf, LeafList, List, Node, Schema
from tasuki_yang.path import Step, parse
from tasuki_yang.tree import Key, Tree, key_of

_Way: TypeAlias = tuple[Step, ...]


def select(schema: Schema, tree: Tree, paths: Iterable[str] = (), depth: int = 0) -> Tree:
    """The tree without all that is not at, above or below one of the paths; keys of entries above them stay.

    Without a path, every top-level node is selected. A path that ends at a list selects all its entries.
    Metadata annotations (RFC 7952 section 5.2) stay with what they are about.

    Args:
        schema: of the tree, which may hold state data that the schema does not know.
        tree: a canonical tree.
        paths: instance-identifiers.
        depth: levels below and including the selected nodes, as `max-depth` of RFC 8526; 0 means all. An
            entry has its keys at any level.

    Raises:
        InvalidIntent: with all that is wrong with the paths.
    """
    ways = _parsed(schema, paths)
    levels = depth or math.inf
    if not ways or () in ways:
        return _members(schema.top, tree, [way for way in ways if way], levels, levels + 1)
    return _members(schema.top, tree, ways, levels, 0)


def _parsed(schema: Schema, paths: Iterable[str]) -> list[_Way]:
    ways: list[_Way] = []
    problems: list[ConfigError] = []
    for path in paths:
        try:
            ways.append(parse(schema, path))
        except InvalidIntent as error:
            problems += error.errors
    if problems:
        raise InvalidIntent(problems)
    return ways


def _members(node: Container | List, members: Tree, ways: Sequence[_Way], levels: float, left: float) -> Tree:
    """What to show of a container or entry that is itself shown at a depth of `left` levels."""
    if left == math.inf:
        return members
    shown: Tree = {}
    for label, value in members.items():
        if label.startswith("@"):
            continue
        child = node.children.get(label)
        onward = [way for way in ways if way[0].node is child]
        # State data is in no schema, so no path names it.
        found = _member(child, value, onward, levels, left - 1) if child else _pruned(value, left - 1)
        if found is not None:
            shown[label] = found
            # Those of a leaf-list count its entries: what shows some of these shows none of those.
            if (note := f"@{label}") in members and (not isinstance(child, LeafList) or found == value):
                shown[note] = members[note]
    return {"@": members["@"]} | shown if shown and "@" in members else shown


def _member(node: Node, value: Any, ways: Sequence[_Way], levels: float, left: float) -> Any | None:
    """What to show of a member: ways lead to it or through it. None for nothing."""
    if isinstance(node, Leaf):
        return value if ways or left > 0 else None
    if isinstance(node, Container):
        below, left = _onward(ways, levels, left)
        members = _members(node, value, below, levels, left)
        return members if members or left > 0 or (ways and node.presence) else None
    entries = [
        shown
        for entry in value
        if (shown := _entry(node, entry, _to(ways, key_of(node, entry)), levels, left)) is not None
    ]
    return entries or None


def _entry(node: List | LeafList, entry: Any, ways: Sequence[_Way], levels: float, left: float) -> Any | None:
    if isinstance(node, LeafList):
        return entry if ways or left > 0 else None
    below, left = _onward(ways, levels, left)
    members = _members(node, entry, below, levels, left)
    if not members and left <= 0:
        return None
    if left == math.inf:
        return members
    return {name: entry[name] for name in ("@", *node.keys) if name in entry} | members


def _onward(ways: Sequence[_Way], levels: float, left: float) -> tuple[list[_Way], float]:
    """Ways that lead further down, and levels to show from here on."""
    below = [way[1:] for way in ways if len(way) > 1]
    return below, max(left, levels) if len(below) < len(ways) else left


def _to(ways: Sequence[_Way], key: Key) -> list[_Way]:
    return [way for way in ways if way[0].key in (None, key)]


def _pruned(value: Any, left: float) -> Any | None:
    """State data without what lies deeper; None for nothing."""
    if left <= 0:
        return None
    if isinstance(value, dict):
        members = {label: _pruned(member, left - 1) for label, member in value.items()}
        return {label: member for label, member in members.items() if member is not None}
    if isinstance(value, list):
        return [_pruned(entry, left) for entry in value]
    return value
