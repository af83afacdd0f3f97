"""Running in the types of the models, as rules and services see it.

What does not fit the models was reported by the validator. Rules go on with the rest, so that a person sees
all problems at once: of what does not fit only the innermost node is left out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, TypeVar

from pydantic import BaseModel, ValidationError
from tasuki_yang.network import Network
from tasuki_yang.node import Container, Leaf, List, Node, Schema, Type
from tasuki_yang.router import Router
from tasuki_yang.schema import NETWORK, ROUTER

from tasuki_controller.running import Running

Root = TypeVar("Root", bound=BaseModel)
Location: TypeAlias = tuple[int | str, ...]
"""Labels and indexes, as pydantic names a place."""

_LEFT_OUT: Final = None
"""What takes the place of a misfit; JSON's null is no value of YANG."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Typed views of running."""

    network: Network
    """A text that it needs and has not is empty, which none of its names, addresses and prefixes is."""
    written: Mapping[str, Router]
    """What was written directly, by router name."""


def read(running: Running) -> Reading:
    """All of running that fits the models: everything, if running is valid."""
    return Reading(
        network=_fitting(Network, NETWORK, running.network),
        written={name: _fitting(Router, ROUTER, tree) for name, tree in running.routers.items()},
    )


def _fitting(root: type[Root], schema: Schema, tree: Any) -> Root:
    while True:
        try:
            return root.model_validate(tree)
        except ValidationError as error:
            problems = error.errors(include_url=False, include_context=False, include_input=False)
            repaired = _repaired(tree, dict(_repair(schema, tree, problem["loc"]) for problem in problems))
            if repaired == tree:
                raise
            tree = repaired


def _repair(schema: Schema, tree: Any, location: Location) -> tuple[Location, Any]:
    """A place, and what to put there: a misfit is left out, and what is missing is stood in for.

    Without its key, or a number that it needs, a list entry says nothing, and is a misfit itself; so is a
    container whose presence means something.
    """
    node: Node | None = schema.top
    way: Location = ()
    entry: Location = ()
    for step in location:
        above, node = node, _child(node, step)
        if isinstance(tree, dict) and step in tree:
            way = (*way, step)
            if isinstance(node, Container) and node.presence:
                entry = way
        elif isinstance(tree, list) and isinstance(step, int):
            entry = way = (*way, step)
        elif isinstance(tree, dict) and node is not None:
            substitute = _substitute(above, node)
            return (entry or way, _LEFT_OUT) if substitute is None else ((*way, step), substitute)
        else:
            break
        tree = tree[step]
    return way, _LEFT_OUT


def _child(node: Node | None, step: int | str) -> Node | None:
    if isinstance(step, int):
        return node
    return node.children.get(step) if isinstance(node, Container | List) else None


def _substitute(above: Node | None, missing: Node) -> Any | None:
    if isinstance(missing, Container):
        return {}
    is_key = isinstance(above, List) and missing.label in above.keys
    return "" if isinstance(missing, Leaf) and _is_text(missing.type) and not is_key else None


def _is_text(leaf_type: Type) -> bool:
    return leaf_type.base == "string" or any(map(_is_text, leaf_type.members))


def _repaired(tree: Any, repairs: Mapping[Location, Any]) -> Any:
    """A copy of what lies above the repairs, with these made."""
    below: dict[int | str, dict[Location, Any]] = {}
    for (step, *rest), substitute in repairs.items():
        below.setdefault(step, {})[tuple(rest)] = substitute
    repaired = dict(enumerate(tree)) if isinstance(tree, list) else dict(tree)
    for step, within in below.items():
        repaired[step] = within[()] if () in within else _repaired(tree[step], within)
    left = {step: value for step, value in repaired.items() if value is not _LEFT_OUT}
    return list(left.values()) if isinstance(tree, list) else left
