"""A schema with one node of every sort, and random trees of any schema."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from shutil import copytree
from string import ascii_letters
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import strategies as st
from tasuki_yang.check import canonical
from tasuki_yang.generate.yang import Modules, Tree
from tasuki_yang.leaf import INTEGERS, InvalidValue
from tasuki_yang.leaf import canonical as canonical_value
from tasuki_yang.modules import FOLDER
from tasuki_yang.node import Bounds, Container, Leaf, LeafList, List, Node, Schema, Type, excludes

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


def values(leaf_type: Type) -> st.SearchStrategy[Any]:
    """Canonical values of a type."""
    return (
        _spelled(leaf_type)
        .filter(lambda value: _is_allowed(leaf_type, value))
        .map(lambda value: canonical_value(leaf_type, value))
    )


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
    lengths = st.integers(0, 128)
    match leaf_type.format:
        case "ipv4-address" | "ipv4-address-no-zone":
            return st.ip_addresses(v=4).map(str)
        case "ipv6-address" | "ipv6-address-no-zone":
            return st.ip_addresses(v=6).map(str)
        case "ipv4-prefix":
            return st.builds("{}/{}".format, st.ip_addresses(v=4), lengths)
        case "ipv6-prefix":
            return st.builds("{}/{}".format, st.ip_addresses(v=6), lengths)
    if leaf_type.patterns:
        return st.text(ascii_letters + "0123456789", min_size=1, max_size=8)
    return st.text(max_size=8)


def trees(schema: Schema) -> st.SearchStrategy[dict[str, Any]]:
    """Canonical trees: sound nodes and values; constraints between nodes may be violated."""
    return _members(schema.top).map(lambda tree: canonical(schema, tree))


@st.composite
def _members(draw: st.DrawFn, node: Container | List) -> dict[str, Any]:
    keys = node.keys if isinstance(node, List) else ()
    members: dict[str, Any] = {}
    chosen: list[Node] = []
    for label, child in node.children.items():
        if label not in keys and not draw(st.booleans()):
            continue
        if any(excludes(other, child) for other in chosen):
            continue
        chosen.append(child)
        members[label] = draw(_member(child))
    return members


def _member(node: Node) -> st.SearchStrategy[Any]:
    match node:
        case Leaf():
            return values(node.type)
        case LeafList():
            return st.lists(values(node.type), max_size=3, unique=True)
        case Container():
            return _members(node)
        case List():
            return st.lists(
                _members(node), max_size=3, unique_by=lambda entry: repr([entry[key] for key in node.keys])
            )
