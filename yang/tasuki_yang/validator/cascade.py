"""Which violations are only the gaps that malformed nodes left behind when they were taken out of a tree."""

import re
from collections.abc import Iterable, Iterator

from tasuki_yang.errors import ConfigError
from tasuki_yang.node import Schema
from tasuki_yang.path import get, predicate
from tasuki_yang.tree import Tree

_LAST_STEP = re.compile(r"/[^/]*$")


def unexplained(
    schema: Schema, tree: Tree, violated: Iterable[ConfigError], malformed: Iterable[ConfigError]
) -> Iterator[ConfigError]:
    """The violations that would be there without the malformed nodes, too, as far as that can be told."""
    gaps = [error.error_path for error in malformed]
    for error in violated:
        if not any(_explains(schema, tree, gap, error) for gap in gaps):
            yield error


def _explains(schema: Schema, tree: Tree, gap: str, error: ConfigError) -> bool:
    path = error.error_path
    if within(path, gap):
        return True
    match error.error_tag, error.error_app_tag:
        case "data-missing", "missing-choice":
            return False
        case "data-missing", _:
            value = get(schema, tree, path)
            return value is not None and predicate("", value)[2:] in gap
        case "operation-failed", "data-not-unique" | "too-many-elements":
            return False
    return _is_below(gap, _LAST_STEP.sub("", path))


def within(path: str, gap: str) -> bool:
    """Whether a path is that of a gap, or leads below it."""
    return path == gap or _is_below(path, gap)


def _is_below(path: str, above: str) -> bool:
    return path.startswith((f"{above}/", f"{above}["))
