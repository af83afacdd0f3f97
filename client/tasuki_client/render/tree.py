"""A configuration as one line a leaf, each with its instance-identifier: what grep can work on."""

import json
from collections.abc import Iterator
from typing import Any, Final

from rich.text import Text
from tasuki_yang.node import Container, LeafList, List
from tasuki_yang.path import entry_path
from tasuki_yang.schema import NETWORK, ROUTER
from tasuki_yang.tree import Tree, key_of

from tasuki_client.terminal import one_line

_ORIGIN: Final = "ietf-origin:origin"


def leaves(tree: Tree, *, of_router: bool) -> Iterator[Text]:
    """Path and value of every leaf of a network tree, or of a router's tree; where it comes from if said."""
    for path, value, origin in _members((ROUTER if of_router else NETWORK).top, tree, "", ""):
        line = Text(one_line(path), style="dim").append(f" = {leaf(value)}", style="")
        yield line.append(f"  ({one_line(origin)})" if origin else "", style="cyan")


def leaf(value: Any) -> str:
    """A leaf's value as people read it, in one line."""
    if value == [None]:
        return "present"
    return one_line(value) if isinstance(value, str) and value else json.dumps(value)


def _members(node: Container | List, members: Tree, path: str, above: str) -> Iterator[tuple[str, Any, str]]:
    """Path, value and origin of each leaf; what says nothing of its origin has that of what is above it."""
    origin = _origin(members.get("@")) or above
    for label, value in members.items():
        if label.startswith("@"):
            continue
        child = node.children.get(label)
        here = f"{path}/{label}"
        match child:
            case None:
                yield from _state(value, here)
            case Container():
                yield from _members(child, value, here, origin)
            case List():
                for entry in value:
                    yield from _members(child, entry, entry_path(here, child, key_of(child, entry)), origin)
            case LeafList():
                for entry in value:
                    yield entry_path(here, child, (entry,)), entry, origin
            case _:
                yield here, value, _origin(members.get(f"@{label}")) or origin


def _state(value: Any, path: str) -> Iterator[tuple[str, Any, str]]:
    """State data, which the schema does not know: entries by their positions (RFC 7950 section 9.13)."""
    match value:
        case dict():
            for label, member in value.items():
                yield from _state(member, f"{path}/{label}")
        case list():
            for position, entry in enumerate(value, 1):
                yield from _state(entry, f"{path}[{position}]")
        case _:
            yield path, value, ""


def _origin(annotations: Any) -> str:
    """Where a value comes from (RFC 8342 section 5.3.4), such as "learned"."""
    origin = annotations.get(_ORIGIN, "") if isinstance(annotations, dict) else ""
    return str(origin).rpartition(":")[2]
