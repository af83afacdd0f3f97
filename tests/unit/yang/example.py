"""A schema with one node of every sort, and random trees of any schema."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import assume
from hypothesis import strategies as st
from tasuki_yang.check import canonical
from tasuki_yang.generate.yang import Modules, Tree
from tasuki_yang.leaf import INTEGERS, InvalidValue
from tasuki_yang.leaf import canonical as canonical_value
from tasuki_yang.modules import FOLDER
from tasuki_yang.node import Bounds, Container, Leaf, LeafList, List, Node, Schema, Type, excludes

_TRIES = 20
EXAMPLE_MODULES = Path(__file__).parent / "modules"


@contextmanager
def example_folder() -> Iterator[str]:
    """The example's modules beside those that they import."""
    with TemporaryDirectory() as folder:
        copytree(str(FOLDER), folder, dirs_exist_ok=True)
        copytree(EXAMPLE_MODULES, folder, dirs_exist_ok=True)
        yield folder


@cache
def example() -> Tree:
    """The example's schema and descriptions."""
    with example_folder() as folder:
        modules = Modules(Path(folder))
        return modules.tree("example", modules.members(("example",)))


EXAMPLE: Schema = example().schema


@cache
def values(leaf_type: Type) -> st.SearchStrategy[Any]:
    """Canonical values of a type."""
    return _allowed(leaf_type).map(lambda value: canonical_value(leaf_type, value))


@st.composite
def _allowed(draw: st.DrawFn, leaf_type: Type) -> Any:
    """With more tries than a filter has: a text is drawn by one of several patterns, and has to match all."""
    drawn = (draw(_spelled(leaf_type)) for _ in range(_TRIES))
    value = next((value for value in drawn if _is_allowed(leaf_type, value)), None)
    assume(value is not None)
    return value


def _is_allowed(leaf_type: Type, value: Any) -> bool:
    try:
        canonical_value(leaf_type, value)
    except InvalidValue:
        return False
    return True


def _spelled(leaf_type: Type) -> st.SearchStrategy[Any]:
    match leaf_type.base:
        case "union":
            return st.one_of(*(_spelled(member) for member in leaf_type.members))
        case "boolean":
            return st.booleans()
        case "empty":
            return st.just([None])
        case "enumeration" | "identityref":
            return st.sampled_from(leaf_type.names)
        case "bits":
            return st.lists(st.sampled_from(leaf_type.names), unique=True).map(" ".join)
        case "decimal64":
            return st.decimals(-1000, 1000, places=3).map(str)
        case "int64" | "uint64":
            return st.integers(*INTEGERS[leaf_type.base]).map(str)
        case base if base in INTEGERS:
            return _numbers(leaf_type.bounds or Bounds((INTEGERS[base],)))
    return _strings(leaf_type)


def _numbers(bounds: Bounds) -> st.SearchStrategy[int]:
    return st.one_of(*(st.integers(low, high) for low, high in bounds.parts))


def _strings(leaf_type: Type) -> st.SearchStrategy[str]:
    match leaf_type.format:
        case "ipv4-address-no-zone":
            return st.ip_addresses(v=4).map(str)
        case "ipv6-address-no-zone":
            return st.ip_addresses(v=6).map(str)
        case "ipv4-address" | "ipv6-address":
            address = st.ip_addresses(v=4 if leaf_type.format == "ipv4-address" else 6)
            return st.builds("{}{}".format, address, st.sampled_from(("", "%eth0")))
        case "ipv4-prefix":
            return st.builds("{}/{}".format, st.ip_addresses(v=4), st.integers(0, 32))
        case "ipv6-prefix":
            return st.builds("{}/{}".format, st.ip_addresses(v=6), st.integers(0, 128))
    required = [pattern.expression for pattern in leaf_type.patterns if not pattern.invert]
    if required:
        return st.one_of(*(st.from_regex(expression, fullmatch=True) for expression in required))
    shortest = leaf_type.bounds.parts[0][0] if leaf_type.bounds else 0
    return st.text(min_size=shortest, max_size=shortest + 8)


def trees(schema: Schema, *, complete: bool = False) -> st.SearchStrategy[dict[str, Any]]:
    """Canonical trees: sound nodes and values; constraints between nodes may be violated.

    In complete ones little that there can be is missing, and nothing that is mandatory.
    """
    return _members(schema.top, complete=complete).map(lambda tree: canonical(schema, tree))


_LIKELY = st.sampled_from((True, True, True, False))


@st.composite
def _members(draw: st.DrawFn, node: Container | List, *, complete: bool) -> dict[str, Any]:
    keys = node.keys if isinstance(node, List) else ()
    members: dict[str, Any] = {}
    chosen: list[Node] = []
    for label, child in node.children.items():
        needed = label in keys or (complete and _is_mandatory(child))
        if not needed and not draw(_LIKELY if complete else st.booleans()):
            continue
        if any(excludes(other, child) for other in chosen):
            continue
        chosen.append(child)
        members[label] = draw(_member(child, complete=complete))
    return members


def _is_mandatory(node: Node) -> bool:
    match node:
        case Leaf():
            return node.mandatory
        case Container():
            return not node.presence and any(map(_is_mandatory, node.children.values()))
    return False


def _member(node: Node, *, complete: bool) -> st.SearchStrategy[Any]:
    match node:
        case Leaf():
            return values(node.type)
        case LeafList():
            return st.lists(values(node.type), max_size=3, unique=True)
        case Container():
            return _members(node, complete=complete)
        case List():
            return st.lists(
                _members(node, complete=complete),
                min_size=int(complete),
                max_size=3,
                unique_by=lambda entry: repr([entry[key] for key in node.keys]),
            )
