"""Changes of a tree by operations on single nodes (RFC 6241 section 7.2), whose order means nothing.

The operations are arranged along the tree and carried out in one descent, so that many of them in one long
list cost little more than one. What does not change is shared with the tree that it came from.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, Literal, TypeAlias

from tasuki_yang.check import read_node
from tasuki_yang.edit import merge_member, merge_members
from tasuki_yang.errors import ConfigError, ErrorTag, InvalidIntent
from tasuki_yang.node import Container, Leaf, LeafList, List, Node, Schema, excludes
from tasuki_yang.path import Step, parse, spelled
from tasuki_yang.tree import Key, Tree, arranged, by_key


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
    plan, clashes = _planned(orders)
    descent = _Descent(needs_parents=default_operation is EditOperation.NONE)
    tree: Tree | None = descent.node(schema.top, _Place((), base or None), plan, base or None, entry=True)
    problems += [*clashes, *descent.problems]
    if problems:
        raise InvalidIntent(problems)
    return base if not base and not tree else tree or {}


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
    def decides(self) -> bool:
        """Whether it says what becomes of everything below its node."""
        return self.operation not in (EditOperation.MERGE, EditOperation.NONE)

    def result(self, node: Node, old: Any | None, *, entry: bool) -> Any | None:
        """What it makes of its node: of a member, or of one entry (or the tree) as a whole."""
        if self.operation in _TAKING:
            return None
        if self.operation is EditOperation.NONE or self.value is None:
            return None if self.operation is EditOperation.REPLACE else old
        if old is None or self.operation is EditOperation.REPLACE:
            return old if old == self.value else self.value
        if not entry:
            return merge_member(node, old, self.value)
        return merge_members(node, old, self.value) if isinstance(node, Container | List) else old


@dataclass(slots=True)
class _Plan:
    """The operations on a node and on what lies below it, by labels and keys."""

    order: _Order | None = None
    below: dict[str | Key, "_Plan"] = field(default_factory=dict)
    sets: bool = False
    """Whether one of them sets something."""

    def orders(self) -> Iterator[_Order]:
        """All of them."""
        if self.order:
            yield self.order
        for plan in self.below.values():
            yield from plan.orders()


def _planned(orders: Iterable[_Order]) -> tuple[_Plan, list[ConfigError]]:
    clashes: list[ConfigError] = []
    root = _Plan()
    for order in orders:
        plan = root
        plan.sets |= order.sets
        for token in [token for step in order.steps for token in (step.node.label, step.key)]:
            if token is not None:
                plan = plan.below.setdefault(token, _Plan())
                plan.sets |= order.sets
        if plan.order:
            message = "Two operations of the request are on this node."
            clashes.append(_wrong("bad-element", order.steps, message))
        else:
            plan.order = order
    return root, clashes


@dataclass(frozen=True, slots=True)
class _Place:
    """A node on the way down: what is there, and what operations further up say."""

    steps: tuple[Step, ...]
    base: Any | None
    """Its value in the base."""
    stated: Any | None = None
    """Its value in what is merged further up."""
    stater: _Order | None = None
    """The operation that states it."""
    gap: tuple[Step, ...] | None = None
    """The nearest node above that is not there, nor made by an operation further up."""

    def below(self, step: Step, base: Any | None, stated: Any | None) -> "_Place":
        return _Place((*self.steps, step), base, stated, self.stater, self.gap)


class _Descent:
    """One descent with a plan; notes the problems. Its result is worth something only if there are none."""

    def __init__(self, *, needs_parents: bool) -> None:
        self.problems: list[ConfigError] = []
        self._needs_parents = needs_parents

    def node(self, node: Node, place: _Place, plan: _Plan, current: Any | None, *, entry: bool) -> Any | None:
        """What becomes of a node; `current` is its value after operations further up.

        A list's entry, and the tree, are given as `entry`: a list as a whole is not.
        """
        order = plan.order
        if order:
            current = self._ordered(order, node, place, current, entry=entry)
            if order.decides:
                self._note_clashes(order, plan)
                return current
            if order.sets:
                place = _Place(place.steps, place.base, order.value, order)
        if not plan.below:
            return current
        if isinstance(node, List | LeafList) and not entry:
            return self._entries(node, place, plan, current)
        if isinstance(node, Container | List):
            return self._below(node, place, plan, current, entry=entry)
        return current

    def _ordered(
        self, order: _Order, node: Node, place: _Place, current: Any | None, *, entry: bool
    ) -> Any | None:
        if place.stated is not None and place.stater:
            self._note(*_clash(place.stater, order))
        match order.operation:
            case EditOperation.DELETE | EditOperation.NONE if place.base is None:
                self._note("data-missing", order.steps, "There is no such node.")
            case EditOperation.CREATE if place.base is not None:
                self._note_existing(order, node, place.base, entry=entry)
        if self._needs_parents and place.gap is not None and order.operation is not EditOperation.NONE:
            self._note("data-missing", place.gap, "There is no such node to edit anything below.")
        return order.result(node, current, entry=entry)

    def _below(
        self, node: Container | List, place: _Place, plan: _Plan, current: Any | None, *, entry: bool
    ) -> Any | None:
        seed = _named(node, place.steps[-1].key) if place.steps and entry else {}
        inner = place
        if place.base is not None or place.stater:
            inner = _Place(place.steps, place.base, place.stated, place.stater)
        elif isinstance(node, List) or node.presence:
            inner = _Place(place.steps, place.base, gap=place.steps)
        members = self._members(node, inner, plan, seed if current is None else current)
        if entry:
            return members if current is not None or plan.sets else None
        stays = current is not None and isinstance(node, Container) and node.presence
        return members if members or stays else None

    def _members(self, node: Container | List, place: _Place, plan: _Plan, members: Tree) -> Tree:
        base, stated = place.base or {}, place.stated or {}
        changed = members
        chosen = set(stated)
        for label, below in plan.below.items():
            child = node.children[str(label)]
            old = changed.get(child.label)
            inner = place.below(Step(child), base.get(child.label), stated.get(child.label))
            new = self.node(child, inner, below, old, entry=False)
            rivals: list[str] = []
            if below.sets and new is not None:
                rivals = [other for other in changed if excludes(node.children[other], child)]
                if not chosen.isdisjoint(rivals):
                    message = "Another operation of the request chooses a case that excludes this node."
                    self._note("bad-element", next(below.orders()).steps, message)
                chosen.add(child.label)
            if new is not old or rivals:
                gone = {*rivals, child.label}
                changed = {name: value for name, value in changed.items() if name not in gone}
                if new is not None:
                    changed[child.label] = new
        return changed

    def _entries(
        self, node: List | LeafList, place: _Place, plan: _Plan, current: list[Any] | None
    ) -> list[Any] | None:
        base, stated = by_key(node, place.base or []), by_key(node, place.stated or [])
        entries, changed = by_key(node, current or []), False
        for key, below in plan.below.items():
            if isinstance(key, str):
                continue
            steps = (*place.steps[:-1], Step(node, key))
            inner = _Place(steps, base.get(key), stated.get(key), place.stater, place.gap)
            old = entries.get(key)
            new = self.node(node, inner, below, old, entry=True)
            if new is old:
                continue
            changed = True
            if new is None:
                del entries[key]
            else:
                entries[key] = new
        return (arranged(node, entries.values()) or None) if changed else current

    def _note(self, tag: ErrorTag, steps: Sequence[Step], message: str) -> None:
        self.problems.append(_wrong(tag, steps, message))

    def _note_clashes(self, above: _Order, plan: _Plan) -> None:
        for below in plan.below.values():
            for order in below.orders():
                self._note(*_clash(above, order))

    def _note_existing(self, order: _Order, node: Node, base: Any, *, entry: bool) -> None:
        """The node that is to be created and is there; of all entries of a list, those that are."""
        message = "The node is there already."
        if entry or not isinstance(node, List | LeafList):
            self._note("data-exists", order.steps, message)
            return
        there = by_key(node, base)
        for key in by_key(node, order.value or []):
            if key in there:
                self._note("data-exists", (*order.steps[:-1], Step(node, key)), message)


def _named(node: Node, key: Key | None) -> Tree:
    """An entry that has nothing but its keys."""
    return dict(zip(node.keys, key, strict=True)) if isinstance(node, List) and key else {}


def _clash(above: _Order, order: _Order) -> tuple[ErrorTag, Sequence[Step], str]:
    message = f"The request has an operation on {spelled(above.steps) or 'the whole tree'}"
    return "bad-element", order.steps, f"{message}, which decides about this node, too."


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


def _wrong(
    tag: ErrorTag, steps: Sequence[Step], message: str, info: Mapping[str, str] | None = None
) -> ConfigError:
    return ConfigError(error_tag=tag, error_path=spelled(steps), message=message, error_info=info or {})
