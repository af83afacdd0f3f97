"""Which violations are only the gaps that malformed nodes left behind when they were taken out of a tree.

A careless document has thousands of both, so neither is ever searched for the other.
"""

import re
from collections.abc import Iterable, Iterator

from tasuki_yang.errors import ConfigError
from tasuki_yang.node import Schema
from tasuki_yang.path import Lookup, ancestors, parent, predicate
from tasuki_yang.tree import Tree
from tasuki_yang.validator.violation import alternatives

_QUOTED = r"""'[^']*'|"(?:[^"\\]|\\.)*\""""
_KEY = re.compile(rf"\[([^\[=]+)=({_QUOTED})\](?:\[[^\[=]+=(?:{_QUOTED})\])*/\1$")
"""The end of the path of a list entry's key."""


class Gaps:
    """Where malformed nodes were left out of a tree."""

    def __init__(self, malformed: Iterable[ConfigError]) -> None:
        self._paths: set[str] = set()
        self._above: set[str] = set()
        self._keys: set[str] = set()
        for error in malformed:
            path = error.error_path
            self._above.update(ancestors(path))
            # A node that the model does not know is not missing itself, but a sibling may be meant by it.
            if error.error_tag in ("unknown-element", "unknown-namespace"):
                self._above.add(path)
                continue
            self._paths.add(path)
            if key := _KEY.search(path):
                self._keys.add(key[2])

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self._paths)

    def __contains__(self, path: str) -> bool:
        """Whether the node, or one that it would lie in, was left out."""
        return path in self._paths or not self._paths.isdisjoint(ancestors(path))

    def explain(self, tree: "Lookup", error: ConfigError) -> bool:
        """Whether the violation may be there only because of the gaps."""
        path = error.error_path
        if path in self:
            return True
        match error.error_tag, error.error_app_tag:
            case "data-missing", "missing-choice":
                choice = error.error_info["missing-choice"]
                made_by = alternatives(tree.schema, path, choice) if path in self._above else ()
                return any(f"{path}/{label}" in self._paths for label in made_by)
            case "data-missing", _:
                return bool(self._keys) and self._refers_to_gap(tree.get(path))
            case "operation-failed", "data-not-unique" | "too-many-elements":
                return False
        return parent(path) in self._above

    def _refers_to_gap(self, value: object) -> bool:
        """Whether a leafref has the value of a key whose entry was left out."""
        return value is not None and predicate(".", value)[3:-1] in self._keys


def unexplained(
    schema: Schema, tree: Tree, violated: Iterable[ConfigError], gaps: Gaps
) -> Iterator[ConfigError]:
    """The violations that would be there without the malformed nodes, too, as far as that can be told."""
    lookup = Lookup(schema, tree)
    return (error for error in violated if not gaps.explain(lookup, error))
