"""A configuration as one line a leaf, each with its instance-identifier: what grep can work on."""

import json
from collections.abc import Iterator
from typing import Any

from rich.text import Text
from tasuki_yang.node import Container, LeafList, List
from tasuki_yang.path import entry_path
from tasuki_yang.schema import NETWORK, ROUTER
from tasuki_yang.tree import Tree, key_of

from tasuki_client.terminal import one_line


def leaves(tree: Tree, *, of_router: bool) -> Iterator[Text]:
    """Path and value of every leaf of a network tree, or of a router's tree."""
    for path, value in _members((ROUTER if of_router else NETWORK).top, tree, ""):
        yield Text(one_line(path), style="dim").append(f" = {leaf(value)}", style="")


def leaf(value: Any) -> str:
    """A leaf's value as people read it, in one line."""
    if value == [None]:
        return "present"
    return one_line(value) if isinstance(value, str) and value else json.dumps(value)


def _members(node: Container | List, members: Tree, path: str) -> Iterator[tuple[str, Any]]:
    for label, value in members.items():
        child = node.children[label]
        here = f"{path}/{label}"
        match child:
            case Container():
                yield from _members(child, value, here)
            case List():
                for entry in value:
                    yield from _members(child, entry, entry_path(here, child, key_of(child, entry)))
            case LeafList():
                for entry in value:
                    yield entry_path(here, child, (entry,)), entry
            case _:
                yield here, value
