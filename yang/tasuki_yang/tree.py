"""What the engines have in common: canonical trees, and the keys of list entries in them.

A tree is RFC 7951 data as `json` reads it. It is canonical when every value has its canonical spelling, what
exists only by its content (a container without presence, a list) is never empty, and entries whose order
means nothing are sorted. Equal configurations are then equal Python values. Nobody ever changes a tree in
place, so trees share what they have in common.
"""

from collections.abc import Iterable
from typing import Any, TypeAlias

from tasuki_yang.node import LeafList, List

Tree: TypeAlias = dict[str, Any]
Key: TypeAlias = tuple[Any, ...]
"""The values of a list entry's keys, in the order of the key statement; of a leaf-list's entry, its value."""


def key_of(node: List | LeafList, entry: Any) -> Key:
    """The key of an entry."""
    if isinstance(node, LeafList):
        return (entry,)
    return tuple([entry[name] for name in node.keys])


def by_key(node: List | LeafList, entries: Iterable[Any]) -> dict[Key, Any]:
    """Entries by their keys, in their order."""
    return {key_of(node, entry): entry for entry in entries}


def arranged(node: List | LeafList, entries: Iterable[Any]) -> list[Any]:
    """The entries in canonical order."""
    listed = list(entries)
    if node.user_ordered:
        return listed
    try:
        return sorted(listed, key=lambda entry: key_of(node, entry))
    except TypeError:  # the values of a union: numbers before texts
        return sorted(listed, key=lambda entry: [(isinstance(v, str), v) for v in key_of(node, entry)])
