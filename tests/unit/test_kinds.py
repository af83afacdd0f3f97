"""What every kind owes to the others, checked of each that there is: a kind without tests is held to it too.

The objects are those of one tree with some of everything, and of random ones: a new kind needs to be in the
models only.
"""

import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest
from hypothesis import Phase, example, given, settings
from tasuki_agent import kinds
from tasuki_agent.kind import Key, Kind, Spec, Waiting, differing_fields
from tasuki_agent.kinds.link.model import OTHER
from tasuki_agent.known import Known
from tasuki_yang.check import check
from tasuki_yang.path import parse
from tasuki_yang.router import Router
from tasuki_yang.schema import ROUTER
from tasuki_yang.tree import Tree
from unit.agent_kernel.test_any_tree import Everything, valid_trees
from unit.agent_kernel.test_models import TREE

DOCS = Path(__file__).parents[2] / "docs"
KINDS = kinds.load(MagicMock())  # their pure halves: the kernel behind them is never asked
NAMES = [kind.name for kind in KINDS]
each_kind = pytest.mark.parametrize("kind", KINDS, ids=NAMES)

Objects = list[tuple[Key, Spec]]


@pytest.fixture(scope="module")
def wanted() -> Mapping[str, Objects]:
    """Objects by the names of their kinds."""
    objects: dict[str, Objects] = defaultdict(list)

    @settings(max_examples=100, derandomize=True, database=None, phases=[Phase.explicit, Phase.generate])
    @example(TREE)
    @given(valid_trees())
    def collect(tree: Tree) -> None:
        for kind in KINDS:
            objects[kind.name] += want(kind, tree).items()

    collect()
    return objects


def want(kind: Kind, tree: Any) -> Mapping[Key, Spec]:
    """What is wanted once all is known. What still waits has a place in the tree all the same."""
    wanted = kind.want(Router.model_validate_json(json.dumps(tree)), Known(Everything()))
    for key, spec in wanted.items():
        if isinstance(spec, Waiting):
            parse(ROUTER, kind.path(key))
            assert str(spec)
    return {key: spec for key, spec in wanted.items() if not isinstance(spec, Waiting)}


@each_kind
def test_a_kind_is_called_as_its_folder_and_has_a_page(kind: Kind) -> None:
    assert type(kind).__module__.split(".")[:3] == ["tasuki_agent", "kinds", kind.name.replace("-", "_")]
    assert (DOCS / f"{kind.name}.md").read_text().startswith(f"# {kind.name}\n")


@each_kind
def test_a_kind_follows_kinds_that_there_are_and_that_come_before_it(kind: Kind) -> None:
    assert set(kind.follows) <= set(NAMES[: NAMES.index(kind.name)])


@each_kind
def test_a_kind_wakes_on_topics_that_can_be_subscribed_to(kind: Kind) -> None:
    for topic in kind.wakes_on:
        assert topic.groups
        assert topic.types


@each_kind
def test_an_empty_tree_wants_nothing(kind: Kind) -> None:
    assert want(kind, {}) == {}


@each_kind
def test_the_trees_want_objects_of_the_kind_or_nothing_here_is_proven(
    kind: Kind, wanted: Mapping[str, Objects]
) -> None:
    assert wanted[kind.name]


@each_kind
def test_an_object_shown_as_a_tree_is_wanted_as_the_same_object(
    kind: Kind, wanted: Mapping[str, Objects]
) -> None:
    for key, spec in wanted[kind.name]:
        tree = json.loads(json.dumps(kind.tree(key, spec)))
        for interface in tree.get("ietf-interfaces:interfaces", {}).get("interface", ()):
            interface.setdefault("type", OTHER)
        assert check(ROUTER, tree) == []
        assert want(kind, tree) == {key: spec}


@each_kind
def test_every_object_and_every_field_of_it_has_a_place_in_the_tree(
    kind: Kind, wanted: Mapping[str, Objects]
) -> None:
    for key, spec in wanted[kind.name]:
        own = parse(ROUTER, kind.path(key))
        for field in fields(spec):
            if field.compare:
                assert parse(ROUTER, kind.path(key, field.name))[: len(own)] == own


@each_kind
def test_an_object_differs_from_itself_in_nothing(kind: Kind, wanted: Mapping[str, Objects]) -> None:
    for _, spec in wanted[kind.name]:
        assert differing_fields(spec, spec) == ()


@each_kind
def test_an_object_needs_what_comes_before_it(kind: Kind, wanted: Mapping[str, Objects]) -> None:
    """Of its own kind another one may be needed: the plan orders these by their needs."""
    before = {*NAMES[: NAMES.index(kind.name)], kind.name}
    for key, spec in wanted[kind.name]:
        assert {need.kind for need in kind.needs(key, spec)} <= before
        assert str(key)
        assert kind.rank(key) >= 0


def test_what_most_routers_never_need_is_not_in_their_memory_from_the_start() -> None:
    script = """
import pkgutil, sys
from importlib import import_module
import tasuki_agent.main
for folder in ("tasuki_agent.kinds", "tasuki_agent.facts"):
    for module in pkgutil.iter_modules(import_module(folder).__path__):
        import_module(f"{folder}.{module.name}")
print({"tasuki_yang.schema", "dns", "jeepney"} & sys.modules.keys())
"""
    loaded = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert loaded.stdout == "set()\n"
