"""What a schema consists of: the configuration nodes of one tree, ready to be walked along RFC 7951 data.

`generate` writes these as Python literals into `generated`; nobody builds them by hand. Types are complete;
constraints between nodes stay in the YANG modules and are the validator's business.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

BuiltIn: TypeAlias = Literal[
    "binary",
    "bits",
    "boolean",
    "decimal64",
    "empty",
    "enumeration",
    "identityref",
    "instance-identifier",
    "int8",
    "int16",
    "int32",
    "int64",
    "string",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "union",
]
Format: TypeAlias = Literal[
    "ipv4-address",
    "ipv4-address-no-zone",
    "ipv4-prefix",
    "ipv6-address",
    "ipv6-address-no-zone",
    "ipv6-prefix",
    "lower-case",
]
"""Formats with a canonical spelling that RFC 6991 gives to derived string types."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """The range of a number or the length of a string, with the model's own words for values outside."""

    parts: tuple[tuple[int, int], ...]
    message: str = ""
    app_tag: str = ""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern as a Python expression that the whole string matches or, if inverted, does not match."""

    expression: str
    invert: bool = False
    message: str = ""
    app_tag: str = ""


@dataclass(frozen=True, slots=True)
class Type:
    """Type of a leaf, seen through typedefs and leafrefs down to the built-in type (RFC 7950 section 9)."""

    base: BuiltIn
    format: Format | None = None
    bounds: Bounds | None = None
    patterns: tuple[Pattern, ...] = ()
    names: tuple[str, ...] = ()
    """Enums, bits in the order of their positions, or identities with their modules."""
    members: tuple["Type", ...] = ()
    """Of a union, in the order in which they are tried."""
    module: str = ""
    """Of an identityref: the module of the leaf, which unqualified identities belong to."""


Case: TypeAlias = tuple[str, str]
"""A choice and one of its cases."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """A leaf. `label` is the RFC 7951 member name: qualified where the module differs from the parent's."""

    label: str
    type: Type
    default: str | None = None
    mandatory: bool = False
    conditional: bool = False
    """A `when` decides whether the node may exist."""
    cases: tuple[Case, ...] = ()
    """Cases that the node lies in, outermost first."""
    when: tuple[tuple[str, str], ...] = ()
    """Of a conditional leaf with a default: siblings and values, one of which makes the `when` true."""


@dataclass(frozen=True, slots=True)
class LeafList:
    """A leaf-list. Its values are unique and, unless `user_ordered`, sorted."""

    label: str
    type: Type
    defaults: tuple[str, ...] = ()
    user_ordered: bool = False
    cases: tuple[Case, ...] = ()


@dataclass(frozen=True, slots=True)
class Container:
    """A container; the top of a schema is one with an empty label."""

    label: str
    children: Mapping[str, "Node"]
    state: tuple[str, ...] = ()
    """Labels of the state data, which a configuration cannot hold."""
    presence: bool = False
    conditional: bool = False
    cases: tuple[Case, ...] = ()


@dataclass(frozen=True, slots=True)
class List:
    """A list. Its entries are told apart by `keys` and, unless `user_ordered`, sorted by them."""

    label: str
    keys: tuple[str, ...]
    children: Mapping[str, "Node"]
    state: tuple[str, ...] = ()
    user_ordered: bool = False
    cases: tuple[Case, ...] = ()


Node: TypeAlias = Leaf | LeafList | Container | List


@dataclass(frozen=True, slots=True)
class Schema:
    """One of the two trees: its name, its modules and its top-level nodes."""

    name: str
    modules: tuple[str, ...]
    """Modules that are implemented: those whose nodes and identities data may have."""
    top: Container


def by_label(*nodes: Node) -> Mapping[str, Node]:
    """Arrange children for lookup."""
    return {node.label: node for node in nodes}


def excludes(one: Node, other: Node) -> bool:
    """Whether the two siblings lie in different cases of one choice, so that one removes the other."""
    for (choice, case), (other_choice, other_case) in zip(one.cases, other.cases, strict=False):
        if choice != other_choice:
            return False
        if case != other_case:
            return True
    return False
