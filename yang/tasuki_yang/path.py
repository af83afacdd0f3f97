"""Instance-identifiers (RFC 7951 section 6.11): how errors, changes and drift name a node of a tree.

A value with an apostrophe is put in double quotes, where a backslash escapes as in any YANG string (RFC 7950
section 6.1.3); XPath itself has no spelling for a value with both kinds of quotes.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tasuki_yang.errors import ConfigError, ErrorTag, InvalidIntent
from tasuki_yang.leaf import InvalidValue, from_text, to_text
from tasuki_yang.node import Container, Leaf, LeafList, List, Node, Schema
from tasuki_yang.tree import Key, Tree, by_key

_NAME = r"[A-Za-z_][A-Za-z0-9_.-]*"
_STEP = re.compile(rf"/(?:({_NAME}):)?({_NAME})")
_PREDICATE = re.compile(
    rf"""\[\s*(?:{_NAME}:)?({_NAME}|\.)\s*=\s*(?:'([^']*)'|"((?:[^"\\]|\\.)*)")\s*\]""", re.DOTALL
)
_ANY_STEP = re.compile(r"""(/[^/\[]+)((?:\[(?:[^'"\]]|'[^']*'|"(?:[^"\\]|\\.)*")*\])*)""", re.DOTALL)
_ESCAPE = re.compile(r"\\([nt\"\\])")
_ESCAPED = {"n": "\n", "t": "\t", '"': '"', "\\": "\\"}


@dataclass(frozen=True, slots=True)
class Step:
    """A node on the way, and of a list or leaf-list the entry; without a key all entries are meant."""

    node: Node
    key: Key | None = None


def predicate(name: str, value: Any) -> str:
    """`[name='value']`; the name of a leaf-list's own value is a dot."""
    text = to_text(value)
    if "'" not in text:
        return f"[{name}='{text}']"
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'[{name}="{escaped}"]'


def entry_path(path: str, node: List | LeafList, key: Key) -> str:
    """The path of one entry of the list at `path`."""
    names = ("." for _ in key) if isinstance(node, LeafList) else node.keys
    return path + "".join(predicate(name, value) for name, value in zip(names, key, strict=True))


def parse(schema: Schema, path: str) -> tuple[Step, ...]:
    """The steps of an absolute path, all of whose nodes the schema knows.

    Raises:
        InvalidIntent: it is not an instance-identifier, or not one of this schema.
    """
    steps = []
    node: Node = schema.top
    module = ""
    position = 0
    while position < len(path):
        match = _STEP.match(path, position)
        if match is None:
            raise _error(
                "invalid-value", path, f"The path is not an instance-identifier at '{path[position:]}'."
            )
        node = _child(node, module, match, path)
        module = match[1] or module
        predicates = []
        position = match.end()
        while predicate_match := _PREDICATE.match(path, position):
            predicates.append(predicate_match)
            position = predicate_match.end()
        steps.append(Step(node, _key(node, predicates, path)))
    return tuple(steps)


def spelled(steps: Iterable[Step]) -> str:
    """The path that consists of these steps."""
    path = ""
    for step in steps:
        path += f"/{step.node.label}"
        if step.key is not None and isinstance(step.node, List | LeafList):
            path = entry_path(path, step.node, step.key)
    return path


def ancestors(path: str) -> list[str]:
    """The paths of the tree and the nodes above a node, and of the lists whose entries they and the node are.

    They are read off the path, which no schema need know.
    """
    found = [""]
    for step in _ANY_STEP.finditer(path):
        found += [path[: step.end(1)], path[: step.end()]] if step[2] else [path[: step.end()]]
    return found[:-1]


def parent(path: str) -> str:
    """The path of the node above; for an entry, that of the node above its list."""
    starts = [step.start() for step in _ANY_STEP.finditer(path)]
    return path[: starts[-1]] if starts else ""


class Lookup:
    """Finds values in one tree, and arranges no list for that more than once."""

    def __init__(self, schema: Schema, tree: Tree) -> None:
        self.schema = schema
        self._tree = tree
        self._entries: dict[int, dict[Key, Any]] = {}

    def get(self, path: str) -> Any | None:
        """See the function `get`."""
        value: Any = self._tree
        for step in parse(self.schema, path):
            if not isinstance(value, dict):
                raise _error(
                    "missing-element", path, f"Above '{step.node.label}' an entry must be named by its keys."
                )
            value = value.get(step.node.label)
            if value is not None and step.key is not None and isinstance(step.node, List | LeafList):
                value = self._arranged(step.node, value).get(step.key)
            if value is None:
                return None
        return value

    def _arranged(self, node: List | LeafList, entries: list[Any]) -> dict[Key, Any]:
        """The tree lives as long as this does, so that the identity of a list stays its own."""
        if id(entries) not in self._entries:
            self._entries[id(entries)] = by_key(node, entries)
        return self._entries[id(entries)]


def get(schema: Schema, tree: Tree, path: str) -> Any | None:
    """The value at the path: a member's value, or one entry of a list. None if there is none.

    Raises:
        InvalidIntent: see `parse`; or a list on the way is named without a key.
    """
    return Lookup(schema, tree).get(path)


def _child(node: Node, module: str, match: re.Match[str], path: str) -> Node:
    """Names may be qualified with the module that holds anyway."""
    if isinstance(node, Container | List):
        label = match[2] if match[1] in (None, module) else f"{match[1]}:{match[2]}"
        child = node.children.get(label)
        if child is not None:
            return child
    raise _error("unknown-element", path, f"The model has no node '{match[0][1:]}' there.", match[2])


def _key(node: Node, predicates: list[re.Match[str]], path: str) -> Key | None:
    if not predicates:
        return None
    given = {match[1]: _value(match) for match in predicates}
    wanted = {".": node.type} if isinstance(node, LeafList) else {}
    if isinstance(node, List):
        wanted = {name: leaf.type for name in node.keys if isinstance(leaf := node.children[name], Leaf)}
    if given.keys() != wanted.keys() or len(given) != len(predicates):
        allowed = f"with {', '.join(wanted)}" if wanted else "without predicate"
        raise _error("bad-element", path, f"'{node.label}' is named {allowed}.", node.label)
    try:
        return tuple(from_text(wanted[name], given[name]) for name in wanted)
    except InvalidValue as error:
        raise _error("invalid-value", path, str(error)) from error


def _value(match: re.Match[str]) -> str:
    if match[2] is not None:
        return match[2]
    return _ESCAPE.sub(lambda escape: _ESCAPED[escape[1]], match[3])


def _error(tag: ErrorTag, path: str, message: str, element: str = "") -> InvalidIntent:
    info = {"bad-element": element} if element else {}
    return InvalidIntent([ConfigError(error_tag=tag, error_path=path, message=message, error_info=info)])
