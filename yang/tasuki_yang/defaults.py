"""Default values: shown, tagged or trimmed, as a reader asks for (RFC 6243).

Trees hold what was set, and no more. So what is set is explicit data, even where it equals the default, and
what is not set has its default in use (RFC 6243 section 2.3).
"""

from enum import Enum
from typing import Any, Final

from tasuki_yang.leaf import from_text, to_text
from tasuki_yang.node import Container, Leaf, LeafList, List, Node, Schema
from tasuki_yang.tree import Tree

_TAG: Final = {"ietf-netconf-with-defaults:default": True}
"""RFC 6243 section 6, spelled as RFC 7952 and RFC 8040 section 4.8.9 say."""


class WithDefaults(Enum):
    """The modes of RFC 6243 section 3."""

    EXPLICIT = "explicit"
    REPORT_ALL = "report-all"
    REPORT_ALL_TAGGED = "report-all-tagged"
    TRIM = "trim"


def with_defaults(schema: Schema, tree: Tree, mode: WithDefaults) -> Tree:
    """The tree as the mode shows it. Only what is explicit or trimmed is a configuration by itself."""
    match mode:
        case WithDefaults.EXPLICIT:
            return tree
        case WithDefaults.TRIM:
            return _trimmed(schema.top, tree)
    return _filled(schema.top, tree, tag=mode is WithDefaults.REPORT_ALL_TAGGED)


def _filled(node: Container | List, members: Tree, *, tag: bool) -> Tree:
    filled = {
        label: _filled_member(node.children.get(label), value, tag=tag) for label, value in members.items()
    }
    absent = [child for child in node.children.values() if child.label not in members]
    # A condition looks at siblings with their defaults in place (RFC 7950 section 6.4.1).
    for child in sorted(absent, key=_has_condition):
        if child.cases and not _is_chosen(node, child, members):
            continue
        if isinstance(child, Container):
            inner = {} if child.presence or child.conditional else _filled(child, {}, tag=tag)
            if inner:
                filled[child.label] = inner
        elif (default := _default(child)) is not None and _applies(child, filled):
            filled[child.label] = default
            if tag:
                filled[f"@{child.label}"] = [_TAG for _ in default] if isinstance(child, LeafList) else _TAG
    return filled


def _filled_member(node: Node | None, value: Any, *, tag: bool) -> Any:
    match node:
        case Container():
            return _filled(node, value, tag=tag)
        case List():
            return [_filled(node, entry, tag=tag) for entry in value]
    return value


def _has_condition(node: Node) -> bool:
    return isinstance(node, Leaf) and bool(node.when)


def _applies(node: Node, siblings: Tree) -> bool:
    if not isinstance(node, Leaf) or not node.when:
        return True
    return any(to_text(siblings.get(label, "")) == value for label, value in node.when)


def _is_chosen(parent: Container | List, node: Node, members: Tree) -> bool:
    """Whether something of the node's case is there: no choice of the models has a default case."""
    return any(
        parent.children[label].cases[: len(node.cases)] == node.cases
        for label in members
        if label in parent.children
    )


def _default(node: Node) -> Any | None:
    """The canonical value in use when a leaf or leaf-list is not set."""
    match node:
        case Leaf() if node.default is not None:
            return from_text(node.type, node.default)
        case LeafList() if node.defaults:
            return [from_text(node.type, default) for default in node.defaults]
    return None


def _trimmed(node: Container | List, members: Tree) -> Tree:
    left: Tree = {}
    for label, value in members.items():
        child = node.children.get(label)
        match child:
            case Container():
                inner = _trimmed(child, value)
                if inner or child.presence:
                    left[label] = inner
            case List():
                left[label] = [_trimmed(child, entry) for entry in value]
            case _:
                is_key = isinstance(node, List) and label in node.keys
                if child is None or is_key or value != _default(child):
                    left[label] = value
    return {label: value for label, value in left.items() if label[:1] != "@" or label[1:] in {"", *left}}
