"""Reading foreign data into a canonical tree: every structural problem is found, and what is sound survives.

What nodes there are and what values they can have is judged here; constraints between nodes are left to
the validator, which can go on with the sound rest, so that a person sees both sorts of problems at once.
"""

import operator
import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from tasuki_yang.errors import ConfigError, ErrorTag, InvalidIntent
from tasuki_yang.leaf import InvalidValue, shown, to_text
from tasuki_yang.leaf import canonical as canonical_value
from tasuki_yang.node import Container, Leaf, LeafList, List, Node, Schema, excludes
from tasuki_yang.path import Step, entry_path, spelled
from tasuki_yang.tree import Key, Tree, arranged, key_of

_LABEL = re.compile(r"([A-Za-z_][A-Za-z0-9_.-]*:)?[A-Za-z_][A-Za-z0-9_.-]*")


@dataclass(frozen=True, slots=True)
class Reading:
    """What a document says and what is wrong with it."""

    tree: Tree
    """Canonical, and without whatever `errors` name."""
    errors: tuple[ConfigError, ...]


def read(schema: Schema, document: Any, *, names_only: bool = False) -> Reading:
    """Read any JSON value as a configuration. Parts that are canonical already are shared, not copied.

    A document of names only (what to delete) may have any values in its leaves; what is empty in it stays,
    and what is not sound as a whole goes.
    """
    reader = _Reader(schema, names_only=names_only)
    tree = reader.members(schema.top, document, "")
    return Reading({} if tree is None else tree, tuple(reader.errors))


def read_node(
    schema: Schema, steps: Sequence[Step], value: Any
) -> tuple[Any | None, tuple[ConfigError, ...]]:
    """Read any JSON value as that of one node; None if nothing of it is sound, or it is empty.

    An entry's keys may be left to the path, and must agree with it.
    """
    reader = _Reader(schema, names_only=False)
    return reader.node(steps, value), tuple(reader.errors)


def check(schema: Schema, document: Any) -> list[ConfigError]:
    """All structural problems of any JSON value."""
    return list(read(schema, document).errors)


def canonical(schema: Schema, document: Any, *, names_only: bool = False) -> Tree:
    """The canonical tree of a document; the document itself if it is one.

    Raises:
        InvalidIntent: there are structural problems.
    """
    reading = read(schema, document, names_only=names_only)
    if reading.errors:
        raise InvalidIntent(reading.errors)
    return reading.tree


class _Reader:
    """One reading. Its methods return what is sound, None for nothing, and note what is not."""

    def __init__(self, schema: Schema, *, names_only: bool) -> None:
        self.errors: list[ConfigError] = []
        self._schema = schema
        self._names_only = names_only

    def node(self, steps: Sequence[Step], value: Any) -> Any | None:
        if not steps:
            return self.members(self._schema.top, value, "")
        above, last, path = spelled(steps[:-1]), steps[-1], spelled(steps)
        if last.key is None:
            return self._member(last.node, value, above)
        if isinstance(last.node, List):
            if isinstance(value, dict):
                value = dict(zip(last.node.keys, last.key, strict=True)) | value
            found: Any = self._entry(last.node, value, f"{above}/{last.node.label}", 1)
            agrees = found is None or key_of(last.node, found) == last.key
        else:
            found = self._leaf(last.node, value, path) if isinstance(last.node, LeafList) else None
            agrees = found is None or (found,) == last.key
        if not agrees:
            self._error("invalid-value", path, "The keys in the value are not those of the path.")
        return found

    def members(self, node: Container | List, members: Any, path: str) -> Tree | None:
        if not isinstance(members, dict):
            self._wrong_form(node, members, path, "a JSON object")
            return None
        sound: Tree = {}
        chosen: list[Node] = []
        for label, member in members.items():
            child = node.children.get(label)
            if child is None:
                self._unknown(node, label, path)
                continue
            names_it = self._names_only and isinstance(child, Leaf) and not _is_key(node, label)
            value = True if names_it else self._member(child, member, path)
            if value is None or (child.cases and self._excluded(child, chosen, path)):
                continue
            sound[label] = value
        if self._names_only and len(sound) < len(members):
            return None  # The rest of it would name more than was meant.
        unchanged = len(sound) == len(members) and all(sound[label] is members[label] for label in sound)
        return members if unchanged else sound

    def _member(self, node: Node, value: Any, path: str) -> Any | None:
        match node:
            case Leaf():
                return self._leaf(node, value, f"{path}/{node.label}")
            case Container():
                members = self.members(node, value, f"{path}/{node.label}")
                return members if members or node.presence or self._names_only else None
            case _:
                return self._entries(node, value, f"{path}/{node.label}")

    def _leaf(self, node: Leaf | LeafList, value: Any, path: str) -> Any | None:
        try:
            return canonical_value(node.type, value)
        except InvalidValue as error:
            self._error("invalid-value", path, str(error), app_tag=error.app_tag)
            return None

    def _excluded(self, node: Node, chosen: list[Node], path: str) -> bool:
        """Whether an earlier sibling lies in another case of the node's choice. The first one stays."""
        rival = next((other for other in chosen if excludes(other, node)), None)
        chosen.append(node)
        if rival is None or self._names_only:
            return False
        message = f"'{rival.label}' and '{node.label}' exclude each other: give one of them."
        self._error("bad-element", f"{path}/{node.label}", message, node.label)
        return True

    def _entries(self, node: List | LeafList, entries: Any, path: str) -> list[Any] | None:
        if not isinstance(entries, list):
            self._wrong_form(node, entries, path, "a JSON array")
            return None
        sound: dict[Key, Any] = {}
        for position, entry in enumerate(entries, start=1):
            value = (
                self._leaf(node, entry, f"{path}[{position}]")
                if isinstance(node, LeafList)
                else self._entry(node, entry, path, position)
            )
            if value is None:
                continue
            key = key_of(node, value)
            if key in sound:
                message = "The entry occurs more than once."
                self._error("bad-element", entry_path(path, node, key), message, node.label)
            else:
                sound[key] = value
        ordered = arranged(node, sound.values())
        unchanged = len(ordered) == len(entries) and all(map(operator.is_, ordered, entries))
        found = entries if unchanged else ordered
        return found if found or self._names_only else None

    def _entry(self, node: List, entry: Any, path: str, position: int) -> Tree | None:
        """An entry without its full key is not sound, but the rest of it is looked at."""
        key = _key(node, entry)
        where = f"{path}[{position}]" if key is None else entry_path(path, node, key)
        members = self.members(node, entry, where)
        if members is None:
            return None
        for name in node.keys:
            if name not in entry:
                message = f"An entry of '{node.label}' needs its key '{name}'."
                self._error("missing-element", where, message, name)
        if key is None or any(name not in members for name in node.keys):
            return None
        return members

    def _unknown(self, node: Container | List, label: str, path: str) -> None:
        where = f"{path}/{label}" if _LABEL.fullmatch(label) else path
        module = label.partition(":")[0] if ":" in label else ""
        if label in node.state:
            message = f"{shown(label)} is state data: it can be read, not configured."
            self._error("unknown-element", where, message, label)
        elif module and module not in self._schema.modules:
            message = f"The {self._schema.name} tree has no module {shown(module)}."
            self._error("unknown-namespace", where, message, label, bad_namespace=module)
        else:
            message = f"There is no {shown(label)} here; {_hint(node, label)}."
            self._error("unknown-element", where, message, label)

    def _wrong_form(self, node: Node, value: Any, path: str, form: str) -> None:
        name = f"'{node.label}'" if node.label else "A configuration"
        self._error("invalid-value", path, f"{name} is written as {form}, not as {shown(value)}.")

    def _error(
        self,
        tag: ErrorTag,
        path: str,
        message: str,
        bad_element: str = "",
        *,
        bad_namespace: str = "",
        app_tag: str = "",
    ) -> None:
        info = {"bad-element": bad_element, "bad-namespace": bad_namespace}
        self.errors.append(
            ConfigError(
                error_tag=tag,
                error_path=path,
                message=message,
                error_app_tag=app_tag,
                error_info={name: shown(value)[1:-1] for name, value in info.items() if value},
            )
        )


def _is_key(node: Container | List, label: str) -> bool:
    return isinstance(node, List) and label in node.keys


def _key(node: List, entry: Any) -> Key | None:
    """What names the entry in a path: its keys, allowed or not, unless one of them cannot be spelled."""
    if not isinstance(entry, dict):
        return None
    key = []
    for name in node.keys:
        leaf, value = node.children[name], entry.get(name)
        if not isinstance(leaf, Leaf) or isinstance(value, dict | list | None):
            return None
        try:
            value = canonical_value(leaf.type, value)
        except InvalidValue:
            if not to_text(value).isprintable():
                return None
        key.append(value)
    return tuple(key)


def _hint(node: Container | List, label: str) -> str:
    """What is meant, as far as it can be guessed, or else what is allowed."""
    plain = label.rpartition(":")[2]
    namesakes = [known for known in node.children if known.rpartition(":")[2] == plain]
    likely = namesakes or get_close_matches(label, node.children, n=1)
    if likely:
        return f"'{likely[0]}' is meant, perhaps"
    return f"allowed are {', '.join(node.children)}"
