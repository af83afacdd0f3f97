"""Router trees from several sources, which may say the same of a node but not different things.

What only one source says is taken over as it is and shared with it. Only nodes that several sources speak of
are opened up, so that the work grows with the contributions and not with what they are merged into.
"""

import json
from dataclasses import dataclass
from typing import Any, TypeAlias

from tasuki_yang.errors import ConfigError
from tasuki_yang.node import Container, List, Node, Schema, excludes
from tasuki_yang.path import Step, entry_path
from tasuki_yang.tree import Tree, arranged, by_key


@dataclass(frozen=True, slots=True)
class _Taken:
    """A value, and the first source that gave it."""

    value: Any
    source: str


@dataclass(frozen=True, slots=True)
class _Opened:
    """The members of a container or entry by label, or the entries of a list by key."""

    parts: "dict[Any, _Part]"


_Part: TypeAlias = _Taken | _Opened
_Place: TypeAlias = tuple[Step, ...]


class Merge:
    """One router's tree while it is put together."""

    def __init__(self, schema: Schema, router: str) -> None:
        self._top = schema.top
        self._router = router
        self._root: _Part | None = None
        self.conflicts: list[ConfigError] = []

    def add(self, tree: Tree, source: str) -> None:
        """Merge a canonical tree. What contradicts the trees before it is left out and noted as conflict."""
        new = _Taken(tree, source)
        if self._root is None:
            self._root = new
            return
        self._root = _opened_members(self._root)
        self._add_members(self._root, self._top, new, ())

    def tree(self) -> Tree:
        """All that was added, canonical; the very tree that was added if it is the only one."""
        return {} if self._root is None else _members(self._top, self._root)

    def _add_members(self, old: _Opened, node: Container | List, new: _Taken, place: _Place) -> None:
        for label, value in new.value.items():
            child = node.children[label]
            taken = _Taken(value, new.source)
            rival = _rival(old, node, child) if child.cases else None
            if rival is not None:
                self._conflict((*place, Step(child)), taken, rival, old.parts[rival.label])
            elif label in old.parts:
                old.parts[label] = self._merged(old.parts[label], child, taken, place)
            else:
                old.parts[label] = taken

    def _merged(self, old: _Part, node: Node, new: _Taken, place: _Place) -> _Part:
        """One member with what is new in it."""
        if isinstance(old, _Taken) and old.value == new.value:
            return old
        if isinstance(node, Container):
            opened = _opened_members(old)
            self._add_members(opened, node, new, (*place, Step(node)))
            return opened
        if isinstance(node, List):
            opened = _opened_entries(node, old)
            self._add_entries(opened, node, new, place)
            return opened
        self._conflict((*place, Step(node)), new, node, old)
        return old

    def _add_entries(self, old: _Opened, node: List, new: _Taken, place: _Place) -> None:
        for key, entry in by_key(node, new.value).items():
            taken = _Taken(entry, new.source)
            if key in old.parts:
                opened = old.parts[key] = _opened_members(old.parts[key])
                self._add_members(opened, node, taken, (*place, Step(node, key)))
            else:
                old.parts[key] = taken

    def _conflict(self, place: _Place, new: _Taken, holder: Node, old: _Part) -> None:
        first = _first(old)
        node = place[-1].node
        self.conflicts.append(
            ConfigError(
                error_tag="invalid-value",
                error_app_tag="sources-conflict",
                error_path=_path(place),
                message=f"{first.source} sets {holder.label} to {json.dumps(first.value)}, and {new.source} "
                f"sets {node.label} to {json.dumps(new.value)}: change one of the two.",
                router=self._router,
            )
        )


def _rival(old: _Opened, node: Container | List, child: Node) -> Node | None:
    """A member that is there and lies in another case of the child's choice."""
    return next((other for label in old.parts if excludes(other := node.children[label], child)), None)


def _opened_members(part: _Part) -> _Opened:
    if isinstance(part, _Opened):
        return part
    return _Opened({label: _Taken(value, part.source) for label, value in part.value.items()})


def _opened_entries(node: List, part: _Part) -> _Opened:
    if isinstance(part, _Opened):
        return part
    return _Opened({key: _Taken(entry, part.source) for key, entry in by_key(node, part.value).items()})


def _members(node: Container | List, part: _Part) -> Tree:
    """The value of a container or entry."""
    if isinstance(part, _Taken):
        value: Tree = part.value
        return value
    return {label: _value(node.children[label], member) for label, member in part.parts.items()}


def _value(node: Node, part: _Part) -> Any:
    if isinstance(part, _Taken):
        return part.value
    if isinstance(node, List):
        return arranged(node, [_members(node, entry) for entry in part.parts.values()])
    return _members(node, part) if isinstance(node, Container) else None


def _first(part: _Part) -> _Taken:
    """Something that stands for the part in a message."""
    while isinstance(part, _Opened):
        part = next(iter(part.parts.values()))
    return part


def _path(place: _Place) -> str:
    path = ""
    for step in place:
        path += f"/{step.node.label}"
        if step.key is not None and isinstance(step.node, List):
            path = entry_path(path, step.node, step.key)
    return path
