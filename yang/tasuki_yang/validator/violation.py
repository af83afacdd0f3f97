"""The violations of constraints in the terms of RFC 7950 section 15, whichever validator found them."""

from collections.abc import Sequence

from tasuki_yang.errors import ConfigError
from tasuki_yang.leaf import shown
from tasuki_yang.node import Container, LeafList, List, Node, Schema
from tasuki_yang.path import entry_path, parse


def missing_node(schema: Schema, path: str, name: str) -> ConfigError:
    """A mandatory node is not there. The path is that of its parent."""
    label = next((child for child in _children(schema, path) if child.rpartition(":")[2] == name), name)
    return ConfigError(
        error_tag="data-missing",
        error_app_tag="instance-required",
        error_path=f"{path}/{label}",
        message=f"'{name}' is missing: it must be given.",
    )


def missing_choice(schema: Schema, path: str, choice: str) -> ConfigError:
    """No case of a mandatory choice is there. The path is that of the choice's parent."""
    names = [f"'{label}'" for label in alternatives(schema, path, choice)]
    return ConfigError(
        error_tag="data-missing",
        error_app_tag="missing-choice",
        error_path=path,
        message=f"Nothing is chosen: give {' or '.join(names)}.",
        error_info={"missing-choice": choice},
    )


def alternatives(schema: Schema, path: str, choice: str) -> list[str]:
    """The labels of the nodes that make a choice. The path is that of the choice's parent."""
    return [label for label, child in _children(schema, path).items() if _in_choice(child, choice)]


def dangling_reference(path: str, value: object, target: str = "") -> ConfigError:
    """A leafref's value is that of no instance."""
    place = f" among {target}" if target else ""
    return ConfigError(
        error_tag="data-missing",
        error_app_tag="instance-required",
        error_path=path,
        message=f"There is no {shown(value)}{place}.",
    )


def not_unique(path: str, leaves: Sequence[str], entries: Sequence[str] = ()) -> ConfigError:
    """Two entries have the same values where the model wants unique ones."""
    which = f" in {' and '.join(entries)}" if entries else " as in another entry"
    return ConfigError(
        error_tag="operation-failed",
        error_app_tag="data-not-unique",
        error_path=path,
        message=f"{', '.join(leaves)} must be unique, and have the same values{which}.",
        error_info={"non-unique": " ".join(entries)} if entries else {},
    )


def not_applicable(path: str, condition: str = "") -> ConfigError:
    """A node is there although its `when` is false."""
    name = path.rpartition("/")[2]
    only_if = f"only if {condition}" if condition else "only under another condition"
    return ConfigError(
        error_tag="unknown-element",
        error_path=path,
        message=f"'{name}' is allowed {only_if}.",
        error_info={"bad-element": name},
    )


def wrong_count(schema: Schema, path: str, app_tag: str) -> ConfigError:
    """A list has too few or too many entries. The path is that of the list or of any entry."""
    *_, last = parse(schema, path)
    if isinstance(last.node, List | LeafList) and last.key is not None:
        path = path.removesuffix(entry_path("", last.node, last.key))
    return ConfigError(
        error_tag="operation-failed",
        error_app_tag=app_tag,
        error_path=path,
        message=f"The list has {app_tag.replace('-', ' ')}.",
    )


def broken_must(path: str, message: str, app_tag: str) -> ConfigError:
    """A `must` is false; the message is the model's own if it has one."""
    return ConfigError(
        error_tag="operation-failed",
        error_app_tag=app_tag or "must-violation",
        error_path=path,
        message=message,
    )


def _in_choice(node: Node, choice: str) -> bool:
    return any(name.rpartition("/")[2] == choice for name, _ in node.cases)


def _children(schema: Schema, path: str) -> dict[str, Node]:
    steps = parse(schema, path)
    node = steps[-1].node if steps else schema.top
    return dict(node.children) if isinstance(node, Container | List) else {}
