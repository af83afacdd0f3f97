"""The examples are valid, and are what they say they are."""

import json
from pathlib import Path

import pytest
import yaml
from tasuki_controller.running import Running
from tasuki_controller.transaction import Edit, Prepared, prepare

EXAMPLES = Path(__file__).parents[3] / "examples"
DOCUMENTS = sorted(path.name for path in EXAMPLES.iterdir() if path.suffix in (".json", ".yaml"))


def prepared(name: str) -> Prepared:
    return prepare(Running(), Edit(network=yaml.safe_load((EXAMPLES / name).read_text())))


@pytest.mark.parametrize("name", DOCUMENTS)
def test_example_is_valid(name: str) -> None:
    assert prepared(name).changes


@pytest.mark.parametrize("name", DOCUMENTS)
def test_example_is_listed_in_the_readme(name: str) -> None:
    assert f"`{name}`" in (EXAMPLES / "README.md").read_text()


def test_yaml_example_says_the_same_as_the_json_one() -> None:
    text = (EXAMPLES / "vxlan-split-minimal.json").read_text()

    assert yaml.safe_load((EXAMPLES / "vxlan-split-minimal.yaml").read_text()) == json.loads(text)


def test_full_example_has_a_tree_for_every_router_and_for_the_machine_without_an_agent() -> None:
    assert set(prepared("vxlan-split.json").intended) == {"vps", "home", "branch", "office", "ae00/4"}
