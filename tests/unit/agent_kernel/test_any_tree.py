"""Whatever the models allow, the agent can carry out: no valid router tree stops it."""

import importlib
import json
import pkgutil
from collections.abc import Iterator
from typing import Any

from hypothesis import Phase, event, given, settings
from hypothesis import strategies as st
from tasuki_agent import kinds
from tasuki_agent.kind import Waiting
from tasuki_agent.kinds.link import linktypes
from tasuki_agent.kinds.link.model import OTHER
from tasuki_agent.known import Known
from tasuki_yang.check import check
from tasuki_yang.errors import ConfigError
from tasuki_yang.facts import NOUNS, FactKey, Facts, Values
from tasuki_yang.node import Leaf, List
from tasuki_yang.path import get, parse
from tasuki_yang.router import Router
from tasuki_yang.schema import ROUTER
from tasuki_yang.tree import Tree, key_of
from tasuki_yang.validator import router_validator
from unit.yang.example import trees

KINDS = [
    importlib.import_module(f"{kinds.__name__}.{folder.name}").KIND
    for folder in pkgutil.iter_modules(kinds.__path__)
    if folder.ispkg
]
NAMES = {kind.name for kind in KINDS}


class Everything(dict[FactKey, Values]):
    """Facts of a line on which all is known, whatever is asked."""

    def __bool__(self) -> bool:
        return True

    def __contains__(self, key: object) -> bool:
        return True

    def __missing__(self, key: FactKey) -> Values:
        return (key.subject if key.noun == "local-address" else NOUNS[key.noun].example,)


@st.composite
def valid_trees(draw: st.DrawFn) -> Tree:
    """Router trees that the controller would accept."""
    tree = draw(trees(ROUTER, complete=True))
    interfaces = tree.get("ietf-interfaces:interfaces", {}).get("interface", ())
    for interface in interfaces:
        interface["type"] = draw(st.sampled_from((OTHER, *linktypes.by_identity())))
    names = st.sampled_from([interface["name"] for interface in interfaces] or [""])
    for hop in next_hops(tree):
        if "outgoing-interface" in hop:
            hop["outgoing-interface"] = draw(names)
    while errors := router_validator().validate(tree):
        take_out(tree, errors[0])
    return tree


def next_hops(value: Any) -> Iterator[Tree]:
    """Every next hop in a tree."""
    members = value.items() if isinstance(value, dict) else enumerate(value)
    for label, member in members:
        if label == "next-hop":
            yield member
        elif isinstance(member, dict | list):
            yield from next_hops(member)


def take_out(tree: Tree, error: ConfigError) -> None:
    """Remove the innermost node on the way to the problem that is there and need not be."""
    value: Any = tree
    keys: tuple[str, ...] = ()
    removable: list[tuple[Any, Any]] = []
    for step in parse(ROUTER, error.error_path):
        node = step.node
        if node.label not in value:
            break
        if node.label not in keys and not (isinstance(node, Leaf) and node.mandatory):
            removable.append((value, node.label))
        value = value[node.label]
        if isinstance(node, List):
            place = next((n for n, each in enumerate(value) if key_of(node, each) == step.key), None)
            if place is None:
                break
            removable.append((value, place))
            keys, value = node.keys, value[place]
    container, label = removable[-1]
    del container[label]


# Making a failing tree small takes minutes.
@settings(max_examples=150, deadline=None, phases=[Phase.generate])
@given(valid_trees(), st.sampled_from([{}, Everything()]))
def test_every_kind_carries_out_any_valid_tree_whatever_is_known(tree: Tree, facts: Facts) -> None:
    router = Router.model_validate_json(json.dumps(tree))
    for kind in KINDS:
        for key, spec in kind.want(router, Known(facts)).items():
            event(f"{kind.name} {type(spec).__name__}")
            assert str(key)
            assert kind.rank(key) >= 0
            get(ROUTER, tree, kind.path(key))
            if isinstance(spec, Waiting):
                assert str(spec)
            else:
                assert all(need.kind in NAMES for need in kind.needs(key, spec))
                assert check(ROUTER, kind.tree(key, spec)) == []
