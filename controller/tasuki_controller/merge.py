"""Router trees from several sources, which may say the same of a node but not different things.

All sources are merged in one descent. What only one of them says is taken over as it is and shared with it,
so that the work grows with the number of contributions and not with their size.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, TypeAlias

from tasuki_yang.errors import ConfigError
from tasuki_yang.node import Container, List, Node, Schema, excludes
from tasuki_yang.path import Step, entry_path
from tasuki_yang.tree import Key, Tree, arranged, key_of


class Part(NamedTuple):
    """A canonical value, and who says so. A tuple, because a merge makes tens of thousands."""

    value: Any
    source: str


_Place: TypeAlias = tuple[Step, ...]


def merge(schema: Schema, parts: Sequence[Part]) -> tuple[Tree, list[ConfigError]]:
    """The canonical tree of all parts, and their contradictions. The first of contradicting parts stays.

    A tree that is the only one is returned itself.
    """
    merger = _Merger()
    tree: Tree = merger.members(schema.top, parts, ())
    return tree, merger.conflicts


class _Merger:
    """One merge; notes the contradictions."""

    def __init__(self) -> None:
        self.conflicts: list[ConfigError] = []

    def members(self, node: Container | List, parts: Sequence[Part], place: _Place) -> Any:
        """The value of a container or list entry."""
        if len(parts) == 1:
            return parts[0].value
        by_label: dict[str, list[Part]] = {}
        for part in parts:
            for label, value in part.value.items():
                by_label.setdefault(label, []).append(Part(value, part.source))
        self._leave_out_rivals(node, by_label, place)
        return {label: self._member(node.children[label], group, place) for label, group in by_label.items()}

    def _member(self, node: Node, parts: Sequence[Part], place: _Place) -> Any:
        if len(parts) == 1:
            return parts[0].value
        if isinstance(node, Container):
            return self.members(node, parts, (*place, Step(node)))
        if isinstance(node, List):
            return self._entries(node, parts, place)
        first = parts[0]
        for part in parts:
            if part.value != first.value:
                self._conflict((*place, Step(node)), node, first, part)
        return first.value

    def _entries(self, node: List, parts: Iterable[Part], place: _Place) -> list[Any]:
        by_key: dict[Key, list[Part]] = {}
        for part in parts:
            for entry in part.value:
                by_key.setdefault(key_of(node, entry), []).append(Part(entry, part.source))
        entries = [
            group[0].value if len(group) == 1 else self.members(node, group, (*place, Step(node, key)))
            for key, group in by_key.items()
        ]
        return arranged(node, entries)

    def _leave_out_rivals(
        self, node: Container | List, by_label: dict[str, list[Part]], place: _Place
    ) -> None:
        """Members in different cases of a choice contradict one another."""
        chosen: list[Node] = []
        for child in [node.children[label] for label in by_label if node.children[label].cases]:
            rival = next((other for other in chosen if excludes(other, child)), None)
            if rival is None:
                chosen.append(child)
            else:
                part = by_label.pop(child.label)[0]
                self._conflict((*place, Step(child)), rival, by_label[rival.label][0], part)

    def _conflict(self, place: _Place, holder: Node, first: Part, other: Part) -> None:
        self.conflicts.append(
            ConfigError(
                error_tag="invalid-value",
                error_app_tag="sources-conflict",
                error_path=_path(place),
                message=f"{_statement(first, holder)}, and {_statement(other, place[-1].node)}: "
                "change one of the two.",
            )
        )


def _statement(part: Part, node: Node) -> str:
    return f"{part.source} sets {node.label} to {json.dumps(part.value)}"


def _path(place: _Place) -> str:
    path = ""
    for step in place:
        path += f"/{step.node.label}"
        if step.key is not None and isinstance(step.node, List):
            path = entry_path(path, step.node, step.key)
    return path
