"""Running in the types of the models, as rules and services see it.

What does not fit the models was reported by the validator. Rules go on with the rest, so that a person sees
all problems at once: a mandatory text that is missing is empty there, which names nothing, and the entries of
lists that do not fit even so are left out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from pydantic import BaseModel, ValidationError
from tasuki_yang.network import Network
from tasuki_yang.node import Container, Leaf, List, Schema, Type
from tasuki_yang.router import Router
from tasuki_yang.schema import NETWORK, ROUTER
from tasuki_yang.tree import Tree

from tasuki_controller.running import Running

Root = TypeVar("Root", bound=BaseModel)
Location: TypeAlias = tuple[int | str, ...]
"""Labels and indexes, as pydantic names a place."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Typed views of running."""

    network: Network
    written: Mapping[str, Router]
    """What was written directly, by router name."""


def read(running: Running) -> Reading:
    """All of running that fits the models: everything, if running is valid."""
    return Reading(
        network=_typed(Network, NETWORK, running.network),
        written={name: _typed(Router, ROUTER, tree) for name, tree in running.routers.items()},
    )


def _typed(root: type[Root], schema: Schema, tree: Tree) -> Root:
    try:
        return root.model_validate(tree)
    except ValidationError:
        return _fitting(root, _filled(schema.top, tree))


def _filled(node: Container | List, members: Any) -> Any:
    """The members, and an empty text in each place of a mandatory one that is missing."""
    if not isinstance(members, dict):
        return members
    filled = dict(members)
    for label, child in node.children.items():
        match child:
            case Leaf(mandatory=True, type=Type(base="string" | "union")):
                filled.setdefault(label, "")
            case Container(presence=False):
                if below := _filled(child, members.get(label, {})):
                    filled[label] = below
            case Container() if label in members:
                filled[label] = _filled(child, members[label])
            case List() if isinstance(members.get(label), list):
                filled[label] = [_filled(child, entry) for entry in members[label]]
    return filled


def _fitting(root: type[Root], tree: Any) -> Root:
    while True:
        try:
            return root.model_validate(tree)
        except ValidationError as error:
            misfits = {_misfit(tree, problem["loc"]) for problem in error.errors(include_url=False)}
            fewer = _without(tree, misfits)
            if fewer == tree:
                raise
            tree = fewer


def _misfit(tree: Any, location: Location) -> Location:
    """The innermost list entry on the way to the location, or else the location as far as it exists."""
    way: Location = ()
    entry: Location = ()
    for step in location:
        if isinstance(tree, dict) and step in tree:
            tree = tree[step]
            way = (*way, step)
        elif isinstance(tree, list) and isinstance(step, int):
            tree = tree[step]
            entry = way = (*way, step)
        else:
            break
    return entry or way


def _without(value: Any, misfits: set[Location], way: Location = ()) -> Any:
    match value:
        case dict():
            return {
                label: _without(member, misfits, (*way, label))
                for label, member in value.items()
                if (*way, label) not in misfits
            }
        case list():
            return [
                _without(entry, misfits, (*way, index))
                for index, entry in enumerate(value)
                if (*way, index) not in misfits
            ]
    return value
