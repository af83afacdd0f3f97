"""Where the kinds' objects are in the router tree: the places that more than one kind needs."""

from collections.abc import Mapping
from typing import Any

from tasuki_yang.path import predicate

ROUTING = "/ietf-routing:routing"


def interface_path(name: str) -> str:
    """The entry of an interface."""
    return f"/ietf-interfaces:interfaces/interface{predicate('name', name)}"


def interface_tree(name: str, members: Mapping[str, Any]) -> Mapping[str, Any]:
    """A tree with one interface. `type` is mandatory there, and known to the kind `link` only."""
    return {"ietf-interfaces:interfaces": {"interface": [{"name": name, **members}]}}
