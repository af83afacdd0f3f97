"""Changes of a tree by a document: merge, replace, delete and remove of RFC 6241 section 7.2.

All are pure. The tree they start from is canonical; the document is foreign and is read first. What does not
change is shared with the tree that it came from.
"""

from typing import Any

from tasuki_yang.check import canonical
from tasuki_yang.errors import ConfigError, InvalidIntent
from tasuki_yang.node import Container, Leaf, LeafList, List, Node, Schema, excludes
from tasuki_yang.path import entry_path
from tasuki_yang.tree import Tree, arranged, by_key, key_of


def merge(schema: Schema, base: Tree, document: Any) -> Tree:
    """The base with all that the document holds; the base itself if that is nothing new.

    A node in one case of a choice removes what is there in the other cases (RFC 7950 section 7.9).

    Raises:
        InvalidIntent: the document has structural problems.
    """
    return merge_members(schema.top, base, canonical(schema, document))


def replace(schema: Schema, base: Tree, document: Any) -> Tree:
    """The document in place of the base; the base itself if they are equal.

    Raises:
        InvalidIntent: the document has structural problems.
    """
    tree = canonical(schema, document)
    return base if tree == base else tree


def delete(schema: Schema, base: Tree, document: Any, *, missing_ok: bool) -> Tree:
    """The base without what the document names: leaves, containers given as `{}`, list entries given by keys.

    An empty array names no entry, so it deletes nothing.

    Raises:
        InvalidIntent: the document has structural problems, or, unless `missing_ok`, names what is not there.
    """
    names = canonical(schema, document, names_only=True)
    deletion = _Deletion()
    tree = deletion.members(schema.top, base, names, "")
    if deletion.missing and not missing_ok:
        raise InvalidIntent(deletion.missing)
    return tree


def merge_members(node: Container | List, base: Tree, new: Tree) -> Tree:
    """The members of a container or entry with those of another one; both canonical."""
    merged: Tree | None = None
    for label, member in new.items():
        child = node.children[label]
        old = base.get(label)
        value = member if old is None else merge_member(child, old, member)
        if value is old:
            continue
        if merged is None:
            merged = dict(base)
        if child.cases:
            for rival in [other for other in merged if excludes(node.children[other], child)]:
                del merged[rival]
        merged[label] = value
    return base if merged is None else merged


def merge_member(node: Node, old: Any, new: Any) -> Any:
    """As `merge_members`, of the value of one member."""
    match node:
        case Leaf():
            return old if old == new else new
        case Container():
            return merge_members(node, old, new)
        case _:
            return _merge_entries(node, old, new)


def _merge_entries(node: List | LeafList, old: list[Any], new: list[Any]) -> list[Any]:
    merged = by_key(node, old)
    changed = False
    for entry in new:
        key = key_of(node, entry)
        before = merged.get(key)
        if before is None:
            after = entry
        else:
            after = merge_members(node, before, entry) if isinstance(node, List) else before
        if after is not before:
            merged[key] = after
            changed = True
    return arranged(node, merged.values()) if changed else old


class _Deletion:
    """One deletion; notes what was named and is not there."""

    def __init__(self) -> None:
        self.missing: list[ConfigError] = []

    def members(self, node: Container | List, base: Tree, names: Tree, path: str) -> Tree:
        left: Tree | None = None
        for label, named in names.items():
            child = node.children[label]
            old = base.get(label)
            value = self._member(child, old, named, f"{path}/{label}")
            if value is old:
                continue
            if left is None:
                left = dict(base)
            if value is None:
                del left[label]
            else:
                left[label] = value
        return base if left is None else left

    def _member(self, node: Node, old: Any, named: Any, path: str) -> Any | None:
        """What is left of a member. An absent one is searched as well, so that each missing node is named."""
        match node:
            case Container() if named:
                left = self.members(node, {} if old is None else old, named, path)
                return left if left or (node.presence and old is not None) else None
            case Leaf() | Container():
                if old is None:
                    self._miss(path)
                return None
            case _:
                return self._entries(node, old, named, path)

    def _entries(
        self, node: List | LeafList, old: list[Any] | None, named: list[Any], path: str
    ) -> list[Any] | None:
        left = by_key(node, old or [])
        for name in named:
            key = key_of(node, name)
            where = entry_path(path, node, key)
            if key not in left:
                self._miss(where)
            elif isinstance(node, LeafList) or len(name) == len(node.keys):
                del left[key]
            else:
                inner = {label: value for label, value in name.items() if label not in node.keys}
                left[key] = self.members(node, left[key], inner, where)
        entries = list(left.values())
        return old if old is not None and _same(entries, old) else entries or None

    def _miss(self, path: str) -> None:
        self.missing.append(
            ConfigError(error_tag="data-missing", error_path=path, message="There is nothing to delete here.")
        )


def _same(some: list[Any], others: list[Any]) -> bool:
    return len(some) == len(others) and all(a is b for a, b in zip(some, others, strict=True))
