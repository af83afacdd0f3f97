"""Changes of a tree by a document or by operations on single nodes (RFC 6241 section 7.2).

All are pure. The tree they start from is canonical; the document is foreign and is read first. What does not
change is shared with the tree that it came from.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, Literal, TypeAlias

from tasuki_yang.check import canonical, read_node
from tasuki_yang.errors import ConfigError, ErrorTag, InvalidIntent
from tasuki_yang.node import Container, Leaf, LeafList, List, Node, Schema, excludes
from tasuki_yang.path import Step, entry_path, find, parse, spelled
from tasuki_yang.tree import Key, Tree, arranged, by_key, key_of


def merge(schema: Schema, base: Tree, document: Any) -> Tree:
    """The base with all that the document holds; the base itself if that is nothing new.

    A node in one case of a choice removes what is there in the other cases (RFC 7950 section 7.9).

    Raises:
        InvalidIntent: the document has structural problems.
    """
    return _merge_members(schema.top, base, canonical(schema, document))


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


def _merge_members(node: Container | List, base: Tree, new: Tree) -> Tree:
    merged: Tree | None = None
    for label, member in new.items():
        child = node.children[label]
        old = base.get(label)
        value = member if old is None else _merge_member(child, old, member)
        if value is old:
            continue
        if merged is None:
            merged = dict(base)
        if child.cases:
            for rival in [other for other in merged if excludes(node.children[other], child)]:
                del merged[rival]
        merged[label] = value
    return base if merged is None else merged


def _merge_member(node: Node, old: Any, new: Any) -> Any:
    match node:
        case Leaf():
            return old if old == new else new
        case Container():
            return _merge_members(node, old, new)
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
            after = _merge_members(node, before, entry) if isinstance(node, List) else before
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


class EditOperation(Enum):
    """What an operation does to its node (RFC 6241 section 7.2)."""

    MERGE = "merge"
    REPLACE = "replace"
    CREATE = "create"
    DELETE = "delete"
    REMOVE = "remove"
    NONE = "none"
    """Nothing, but the node must be there. As a default: what lies above any node must be there, too."""


DefaultOperation: TypeAlias = Literal[EditOperation.MERGE, EditOperation.REPLACE, EditOperation.NONE]


@dataclass(frozen=True, slots=True)
class NodeEdit:
    """One operation on one node."""

    path: str
    """Instance-identifier; empty for the whole tree, and without keys for all entries of a list."""
    value: Any | None = None
    """Of merge, replace and create: any JSON value. Keys of an entry may be left to the path."""
    operation: EditOperation | None = None
    """None means the default operation."""


def apply_edits(
    schema: Schema,
    base: Tree,
    edits: Sequence[NodeEdit],
    default_operation: DefaultOperation = EditOperation.MERGE,
) -> Tree:
    """The base after all operations, whose order does not matter.

    Operations look at the base, not at what others of them leave. So two on one node are refused, and so is
    one below a node that another one replaces, creates or deletes, or whose value names it.

    Args:
        schema: of the tree.
        base: a canonical tree.
        edits: the operations.
        default_operation: merge, replace or none: of edits that name none. With none, what lies above each
            node must be there.

    Raises:
        InvalidIntent: with all that is wrong with the operations.
    """
    orders, problems = _read(schema, edits, default_operation)
    problems += _clashes(schema, orders)
    problems += (problem for order in orders for problem in _unmet(base, order, orders, default_operation))
    if problems:
        raise InvalidIntent(problems)
    tree = base
    for order in orders:
        tree = order.apply(schema, tree)
    if lost := [_excluded(order) for order in orders if order.sets and order.apply(schema, tree) is not tree]:
        raise InvalidIntent(lost)
    return tree


_SETTING: Final = frozenset({EditOperation.MERGE, EditOperation.REPLACE, EditOperation.CREATE})
_TAKING: Final = frozenset({EditOperation.DELETE, EditOperation.REMOVE})


@dataclass(frozen=True, slots=True)
class _Order:
    """An operation whose path and value have been read."""

    operation: EditOperation
    steps: tuple[Step, ...]
    value: Any | None

    @property
    def sets(self) -> bool:
        return self.operation in _SETTING

    @property
    def place(self) -> tuple[str | Key, ...]:
        """Labels and keys of the path; that of a list is above those of its entries."""
        return tuple(
            token for step in self.steps for token in (step.node.label, step.key) if token is not None
        )

    def apply(self, schema: Schema, tree: Tree) -> Tree:
        """The tree after it; the tree itself if that changes nothing."""
        if not self.sets and find(tree, self.steps) is None:
            return tree
        if not self.steps:
            after: Tree = self._result(schema.top, tree, entry=True) or {}
            return after if after or tree else tree
        return self._members(schema.top, tree, self.steps)

    def _members(self, node: Container | List, members: Tree, steps: tuple[Step, ...]) -> Tree:
        (step, *below), label = steps, steps[0].node.label
        old = members.get(label)
        new = self._member(step, old, tuple(below))
        if new is old:
            return members
        child = node.children[label]
        changed = dict(members)
        changed.pop(label, None)
        if new is not None:
            if child.cases:
                for rival in [other for other in changed if excludes(node.children[other], child)]:
                    del changed[rival]
            changed[label] = new
        return changed

    def _member(self, step: Step, old: Any | None, below: tuple[Step, ...]) -> Any | None:
        node, key = step.node, step.key
        if isinstance(node, List | LeafList) and key is not None:
            return self._entries(node, old, key, below)
        if not below or not isinstance(node, Container):
            return self._result(node, old)
        members = self._members(node, {} if old is None else old, below)
        return members if members or (node.presence and old is not None) else None

    def _entries(
        self, node: List | LeafList, old: list[Any] | None, key: Key, below: tuple[Step, ...]
    ) -> list[Any] | None:
        entries = by_key(node, old or [])
        before = entries.get(key)
        if below and isinstance(node, List):
            named = dict(zip(node.keys, key, strict=True))
            after: Any = self._members(node, named if before is None else before, below)
        else:
            after = self._result(node, before, entry=True)
        if after is before:
            return old
        if after is None:
            del entries[key]
        else:
            entries[key] = after
        return arranged(node, entries.values()) or None

    def _result(self, node: Node, old: Any | None, *, entry: bool = False) -> Any | None:
        """What the operation makes of its node: of a member, or of one entry (or the tree) as a whole."""
        if self.operation in _TAKING:
            return None
        if self.operation is EditOperation.NONE or self.value is None:
            return None if self.operation is EditOperation.REPLACE else old
        if old is None or self.operation is EditOperation.REPLACE:
            return old if old == self.value else self.value
        if not entry:
            return _merge_member(node, old, self.value)
        return _merge_members(node, old, self.value) if isinstance(node, Container | List) else old


def _read(
    schema: Schema, edits: Iterable[NodeEdit], default: DefaultOperation
) -> tuple[list[_Order], list[ConfigError]]:
    orders: list[_Order] = []
    problems: list[ConfigError] = []
    for edit in edits:
        operation = edit.operation or default
        try:
            steps = _steps(schema, edit.path)
        except InvalidIntent as error:
            problems += error.errors
            continue
        value = None
        if operation not in _SETTING:
            if edit.value is not None:
                problems.append(_wrong("invalid-value", steps, f"'{operation.value}' takes no value."))
        elif edit.value is None:
            problems.append(_wrong("missing-element", steps, f"'{operation.value}' needs a value."))
            continue
        else:
            value, found = read_node(schema, steps, edit.value)
            problems += found
        orders.append(_Order(operation, steps, value))
    return orders, problems


def _steps(schema: Schema, path: str) -> tuple[Step, ...]:
    """The steps to a node that can be edited.

    Raises:
        InvalidIntent: the path is wrong, or leads through all entries of a list, or to a key.
    """
    steps = parse(schema, path)
    for step in steps[:-1]:
        if isinstance(step.node, List) and step.key is None:
            message = f"Below '{step.node.label}' an entry must be named by its keys."
            raise InvalidIntent([_wrong("missing-element", steps, message)])
    match steps:
        case [*_, Step(List() as entry), Step(Leaf() as leaf)] if leaf.label in entry.keys:
            message = f"'{leaf.label}' is a key: edit the entry as a whole."
            raise InvalidIntent([_wrong("bad-element", steps, message, {"bad-element": leaf.label})])
    return steps


def _clashes(schema: Schema, orders: Sequence[_Order]) -> Iterator[ConfigError]:
    """Operations whose result would depend on which comes first."""
    by_place: dict[tuple[str | Key, ...], _Order] = {}
    for order in orders:
        if by_place.setdefault(order.place, order) is not order:
            yield _wrong("bad-element", order.steps, "Two operations of the request are on this node.")
    for order in orders:
        place = order.place
        for length in range(len(place)):
            above = by_place.get(place[:length])
            if above is not None and _decides(schema, above, order):
                message = f"The request has an operation on {spelled(above.steps) or 'the whole tree'}"
                yield _wrong("bad-element", order.steps, f"{message}, which decides about this node, too.")


def _decides(schema: Schema, above: _Order, order: _Order) -> bool:
    """Whether an operation on a node further up says what becomes of the other one's node."""
    if above.operation is EditOperation.NONE:
        return False
    if above.operation is not EditOperation.MERGE:
        return True
    return find(above.apply(schema, {}), order.steps) is not None


def _unmet(
    base: Tree, order: _Order, orders: Iterable[_Order], default: DefaultOperation
) -> Iterator[ConfigError]:
    """What the operation expects of the base and does not find."""
    found = find(base, order.steps) if order.steps else base or None
    match order.operation:
        case EditOperation.DELETE | EditOperation.NONE if found is None:
            yield _wrong("data-missing", order.steps, "There is no such node.")
            return
        case EditOperation.CREATE if found is not None:
            yield from _existing(order, found)
    if default is EditOperation.NONE:
        parent = order.steps[:-1]
        while parent and isinstance(parent[-1].node, Container) and not parent[-1].node.presence:
            parent = parent[:-1]
        if find(base, parent) is None and not any(
            other.sets and other.steps == parent[: len(other.steps)] for other in orders
        ):
            yield _wrong("data-missing", parent, "There is no such node to edit anything below.")


def _existing(order: _Order, found: Any) -> Iterator[ConfigError]:
    """The node that is to be created and is there; of all entries of a list, those that are."""
    message = "The node is there already."
    match order.steps:
        case [*above, Step(List() | LeafList() as node, None)]:
            there = by_key(node, found)
            for key in by_key(node, order.value or []):
                if key in there:
                    yield _wrong("data-exists", (*above, Step(node, key)), message)
        case _:
            yield _wrong("data-exists", order.steps, message)


def _excluded(order: _Order) -> ConfigError:
    message = "Another operation of the request chooses a case that excludes this node."
    return _wrong("bad-element", order.steps, message)


def _wrong(
    tag: ErrorTag, steps: Sequence[Step], message: str, info: Mapping[str, str] | None = None
) -> ConfigError:
    return ConfigError(error_tag=tag, error_path=spelled(steps), message=message, error_info=info or {})
