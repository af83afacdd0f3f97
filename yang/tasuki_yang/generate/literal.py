"""Schemas and module records as Python source, in the fewest words that evaluate to an equal value."""

from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Any

_WIDTH = 110
_INDENT = "    "


def literal(value: object, depth: int = 0) -> str:
    """Source of a value made of dataclasses, children, tuples and scalars; defaults are left out."""
    if isinstance(value, Mapping):
        return _call("by_label", [literal(child, depth + 1) for child in value.values()], depth)
    if isinstance(value, tuple):
        return repr(value) if not any(is_dataclass(item) for item in value) else _tuple(value, depth)
    if not is_dataclass(value):
        return repr(value)
    arguments = []
    positional = True
    for field in fields(value):
        content = getattr(value, field.name)
        if content == _default(field):
            positional = False
        else:
            source = literal(content, depth + 1)
            arguments.append(source if positional else f"{field.name}={source}")
    return _call(type(value).__name__, arguments, depth)


def _default(field: Field[Any]) -> object:
    return field.default_factory() if field.default_factory is not MISSING else field.default


def _tuple(items: tuple[object, ...], depth: int) -> str:
    return _call("", [*(literal(item, depth + 1) for item in items)], depth, closing=",)")


def _call(name: str, arguments: list[str], depth: int, *, closing: str = ")") -> str:
    line = f"{name}({', '.join(arguments)}{closing}"
    if len(line) + depth * len(_INDENT) <= _WIDTH and "\n" not in line:
        return line
    inner = "\n" + _INDENT * (depth + 1)
    return f"{name}({inner}{f',{inner}'.join(arguments)},\n{_INDENT * depth})"
