"""Configuration documents as people keep them: YAML or JSON, in files or on standard input.

YAML is read by the core schema of YAML 1.2: only true and false are booleans, `on`, `no` and `12:30` are
strings, 010 is ten. A key that stands twice in one mapping is an error, because one of the two would vanish.
"""

import json
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from functools import partial, reduce
from pathlib import Path
from typing import Any, Final

import yaml
from tasuki_proto.v1.error_pb2 import ConfigError
from tasuki_yang.edit import merge
from tasuki_yang.errors import InvalidIntent
from tasuki_yang.schema import NETWORK, ROUTER
from tasuki_yang.tree import Tree
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from tasuki_client.errors import ConfigRejected, TasukiError

try:
    from yaml import CSafeDumper as _Dumper
    from yaml import CSafeLoader as _Loader
except ImportError:  # PyYAML was built without libyaml
    from yaml import SafeDumper as _Dumper  # type: ignore[assignment]
    from yaml import SafeLoader as _Loader  # type: ignore[assignment]

_STANDARD_INPUT: Final = "-"
_NEVER_WRAP: Final = (1 << 31) - 1
_DEEPEST: Final = 200
"""Nested values; the models have a tenth of it."""
_TAG: Final = "tag:yaml.org,2002:"
_CORE_SCHEMA: Final = (
    ("null", r"~|null|Null|NULL|", "~nN\0"),
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", "-+.0123456789"),
    ("float", r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)", "-+."),
)
"""YAML 1.2.2 section 10.3.2: tag, spelling, and what it can begin with (\\0: nothing, the empty scalar)."""


class DocumentError(TasukiError):
    """A document cannot be read. The message begins with file and line."""


def read(source: str) -> Tree:
    """The document in a file, or on standard input for `-`.

    Raises:
        DocumentError: there is no such file, or what it holds is no document.
    """
    name = "standard input" if source == _STANDARD_INPUT else source
    try:
        data = sys.stdin.buffer.read() if source == _STANDARD_INPUT else Path(source).read_bytes()
        text = data.decode("utf-8-sig")
    except OSError as error:
        raise DocumentError(f"{name}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise DocumentError(f"{name}:{line}: the text is not UTF-8") from error
    return parse(text, name)


def read_all(sources: Sequence[str], *, router: bool) -> Tree:
    """The documents merged in their order, as trees of a router or of the network.

    Raises:
        DocumentError: one of them cannot be read.
        ConfigRejected: one of them does not fit into the tree, so that it cannot be merged.
    """
    trees = [read(source) for source in sources]
    if len(trees) == 1:
        return trees[0]
    schema = ROUTER if router else NETWORK
    try:
        return reduce(partial(merge, schema), trees, {})
    except InvalidIntent as invalid:
        raise ConfigRejected([ConfigError(**asdict(error)) for error in invalid.errors]) from invalid


def parse(text: str, name: str) -> Tree:
    """The document in a text: JSON when it begins with a brace, else YAML.

    Raises:
        DocumentError: the text is neither, or it is no mapping.
    """
    value = _from_json(text, name) if text.lstrip().startswith("{") else _from_yaml(text, name)
    if value is None:
        raise DocumentError(f"{name}: the document is empty; the empty configuration is written {{}}")
    if not isinstance(value, dict):
        raise DocumentError(
            f"{name}: a configuration is a mapping with keys such as 'tasuki-network:network'"
        )
    return value


def to_yaml(value: Any) -> str:
    """A value as YAML that readers of YAML 1.1 and 1.2 understand alike."""
    text: str = yaml.dump(
        value, Dumper=_CautiousDumper, sort_keys=False, allow_unicode=True, width=_NEVER_WRAP
    )
    return text.removesuffix("...\n")


def _from_json(text: str, name: str) -> Any:
    def unique(pairs: list[tuple[str, Any]]) -> Tree:
        tree = dict(pairs)
        if len(tree) < len(pairs):
            keys = [key for key, _ in pairs]
            twice = next(key for key in tree if keys.count(key) > 1)
            raise DocumentError(f"{name}: the key '{twice}' stands twice in one object")
        return tree

    def no_number(constant: str) -> float:
        raise DocumentError(f"{name}: {constant} is no JSON number")

    try:
        return json.loads(text, object_pairs_hook=unique, parse_constant=no_number)
    except json.JSONDecodeError as error:
        raise DocumentError(f"{name}:{error.lineno}: {error.msg} (column {error.colno})") from error
    except (ValueError, RecursionError) as error:
        raise DocumentError(f"{name}: {error}") from error


class _CoreLoader(_Loader):
    """Composes nodes; the implicit tags of YAML 1.1 are replaced by those of the core schema below."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML's way
    depth = 0

    def descend_resolver(self, current_node: Node | None, current_index: object) -> None:  # noqa: ARG002
        """Count the depth: libyaml's binding recurses on the C stack until it overflows."""
        self.depth += 1
        if self.depth > _DEEPEST:
            raise RecursionError

    def ascend_resolver(self) -> None:
        """Count the depth."""
        self.depth -= 1


class _CautiousDumper(_Dumper):
    """Quotes a string that either version of YAML would take for something else."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - PyYAML's signature
        """Write equal values out each time."""
        return True


for _name, _spelling, _first in _CORE_SCHEMA:
    for _class in (_CoreLoader, _CautiousDumper):
        _class.add_implicit_resolver(
            _TAG + _name, re.compile(rf"(?:{_spelling})\Z"), ["" if c == "\0" else c for c in _first]
        )


def _from_yaml(text: str, name: str) -> Any:
    try:
        node = yaml.compose(text, Loader=_CoreLoader)
        return None if node is None else _Construction(name).value(node)
    except yaml.MarkedYAMLError as error:
        raise DocumentError(_explain(error, text, name)) from error
    except yaml.YAMLError as error:
        raise DocumentError(f"{name}: {error}".replace("\n", " ")) from error
    except RecursionError as error:
        raise DocumentError(f"{name}: the document is nested too deeply, or refers to itself") from error


def _explain(error: yaml.MarkedYAMLError, text: str, name: str) -> str:
    mark = error.problem_mark or error.context_mark
    if mark is None:
        return f"{name}: {error.problem}"
    lines = text.splitlines()
    problem = f"{name}:{mark.line + 1}: {error.problem} (column {mark.column + 1})"
    if mark.line < len(lines) and "::" in lines[mark.line]:
        problem += "; an IPv6 address that ends in ':' or stands in a [list] needs quotes"
    return problem


class _Construction:
    """Values out of the nodes of one document."""

    def __init__(self, name: str) -> None:
        self._name = name

    def value(self, node: Node) -> Any:
        match node:
            case MappingNode():
                return dict(self._pairs(node))
            case SequenceNode():
                return [self.value(item) for item in node.value]
            case ScalarNode():
                return self._scalar(node)
        raise self._error(node, "this is no mapping, sequence or scalar")

    def _pairs(self, node: MappingNode) -> Iterator[tuple[str, Any]]:
        seen: dict[str, int] = {}
        for key, value in node.value:
            if not isinstance(key, ScalarNode) or key.tag != f"{_TAG}str":
                raise self._error(key, "a key is the name of a node, a string")
            line = key.start_mark.line + 1
            if key.value in seen:
                raise self._error(key, f"the key '{key.value}' already stands in line {seen[key.value]}")
            seen[key.value] = line
            yield key.value, self.value(value)

    def _scalar(self, node: ScalarNode) -> Any:
        try:
            return _scalar(node.tag.removeprefix(_TAG), node.value)
        except ValueError as error:
            raise self._error(node, str(error)) from error

    def _error(self, node: Node, problem: str) -> DocumentError:
        return DocumentError(f"{self._name}:{node.start_mark.line + 1}: {problem}")


def _scalar(tag: str, text: str) -> Any:
    match tag:
        case "str":
            return text
        case "null":
            return None
        case "bool":
            return text.lower() == "true"
        case "int":
            return int(text, 0) if text[:2] in {"0o", "0x"} else int(text)
        case "float" if text.lower()[-3:] not in {"inf", "nan"}:
            return float(text)
    raise ValueError(f"'{text}' ({tag}) has no counterpart in a configuration")
