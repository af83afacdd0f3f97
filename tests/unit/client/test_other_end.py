"""What a machine without an agent is given: what the agent would do, and nothing that a name says."""

import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tasuki_client import linux
from tasuki_client.linux import Stage
from tasuki_client.render import other_end
from tasuki_yang.node import Container, List
from tasuki_yang.router import Router
from tasuki_yang.schema import ROUTER

GOLDEN = Path(__file__).parent / "golden"
TITLE = ("Subscriber 4 of the split ae00.", "A friend's\nreboot")
CASES = ("policy-routing", "default-gateway", "everything")


def tree(case: str) -> Router:
    return Router.model_validate_json((GOLDEN / f"{case}.json").read_bytes())


@pytest.mark.parametrize("case", CASES)
def test_a_script_of_iproute2_for_the_other_end(case: str) -> None:
    assert other_end.iproute2(linux.steps(tree(case)), TITLE) == (GOLDEN / f"{case}.sh").read_text()


@pytest.mark.parametrize("case", CASES)
def test_stanzas_of_ifupdown_for_the_other_end(case: str) -> None:
    assert other_end.ifupdown(linux.steps(tree(case)), TITLE) == (GOLDEN / f"{case}.interfaces").read_text()


@pytest.mark.parametrize("case", CASES)
def test_router_advertisements_are_accepted_before_the_machine_forwards(case: str) -> None:
    commands = [step.do for step in linux.steps(tree(case))]
    accept = [n for n, command in enumerate(commands) if "accept_ra" in command]
    forward = [n for n, command in enumerate(commands) if "forwarding" in command]
    assert max(accept) < min(forward)


@pytest.mark.parametrize("case", CASES)
def test_the_stages_come_in_their_order(case: str) -> None:
    stages = [list(Stage).index(step.stage) for step in linux.steps(tree(case))]
    assert stages == sorted(stages)


def test_a_route_on_the_link_comes_before_the_route_by_it() -> None:
    routes = [step.do for step in linux.steps(tree("everything")) if step.stage is Stage.ROUTES]
    on_link = next(n for n, command in enumerate(routes) if "2001:db8:ae00:0:ff::/80 dev" in command)
    by_it = next(n for n, command in enumerate(routes) if "via 2001:db8:ae00:0:ff::1" in command)
    assert on_link < by_it


def test_a_disabled_tunnel_is_made_and_stays_down() -> None:
    commands = [step.do for step in linux.steps(tree("everything")) if step.link == "down1"]
    assert any("link add name down1" in command for command in commands)
    assert not any(command.endswith(" up") for command in commands)


def test_a_default_route_that_may_collide_with_an_advertised_one_is_pointed_out() -> None:
    text = (GOLDEN / "default-gateway.json").read_text()
    same_metric = Router.model_validate_json(
        text.replace('"tasuki-route:metric": 512', '"tasuki-route:metric": 1024')
    )
    assert "default-route-metric below 1024" in next(linux.hints(same_metric))
    assert not [hint for case in CASES for hint in linux.hints(tree(case))]


def leaves(node: Container | List, path: str = "") -> Iterator[str]:
    for label, child in node.children.items():
        if isinstance(child, Container | List):
            yield from leaves(child, f"{path}/{label}")
        else:
            yield f"{path}/{label}"


@pytest.mark.parametrize("leaf", sorted(linux.RENDERED))
def test_a_leaf_that_is_rendered_is_in_the_model_and_in_a_case_above(leaf: str) -> None:
    assert leaf in set(leaves(ROUTER.top))
    documents = [json.loads((GOLDEN / f"{case}.json").read_text()) for case in CASES]
    assert leaf.endswith("/description") or any(leaf in linux.leaf_paths(each) for each in documents)


@pytest.mark.parametrize("case", CASES)
def test_a_tree_of_what_is_rendered_leaves_nothing_out(case: str) -> None:
    assert linux.not_rendered(json.loads((GOLDEN / f"{case}.json").read_text())) == []


@pytest.mark.parametrize(
    ("document", "left_out"),
    [
        ({"tasuki-firewall:firewall": {"policy": "drop"}}, "/tasuki-firewall:firewall/policy"),
        (
            {
                "ietf-interfaces:interfaces": {
                    "interface": [{"name": "a"}, {"name": "b", "x:y": {"z": [1, 2]}}]
                }
            },
            "/ietf-interfaces:interfaces/interface/x:y/z",
        ),
        ({"ietf-routing:routing": {"router-id": "192.0.2.1"}}, "/ietf-routing:routing/router-id"),
    ],
)
def test_what_is_not_rendered_is_named(document: dict[str, Any], left_out: str) -> None:
    assert linux.not_rendered(document) == [left_out]


def test_an_end_that_nobody_has_told_is_named_and_not_rendered() -> None:
    document = json.loads((GOLDEN / "policy-routing.json").read_text())
    tunnel = document["ietf-interfaces:interfaces"]["interface"][1]["tasuki-link:vxlan"]
    assert linux.unknown_ends(Router.model_validate(document)) == []
    del tunnel["remote"]
    tunnel["remote-unknown"] = "a global address of eth0 of router vps"
    assert linux.not_rendered(document) == [linux.REMOTE_UNKNOWN]
    assert linux.unknown_ends(Router.model_validate(document)) == ["a global address of eth0 of router vps"]


interface_names = st.text(
    st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters="/:"), min_size=1
)


@given(interface_names)
def test_a_name_is_one_word_to_the_shell_whatever_it_consists_of(name: str) -> None:
    text = (GOLDEN / "everything.json").read_text().replace('"lan;$(reboot)\'"', '"LAN"')
    router = Router.model_validate_json(text)
    lan = router.interfaces.interface[3].model_copy(update={"name": name})
    interfaces = router.interfaces.model_copy(update={"interface": (*router.interfaces.interface[:3], lan)})
    every = linux.steps(router.model_copy(update={"interfaces": interfaces}))
    address = next(step.do for step in every if "2001:db8:aeff::1/64" in step.do)
    assert shlex.split(address)[6] == name


@given(st.text())
def test_a_description_stays_in_its_comment(text: str) -> None:
    script = other_end.iproute2([], [text])
    head, rest = script.split("\nset -eu\n")
    assert len([*head.splitlines()]) == 2
    assert head.splitlines()[1].startswith("# ")
    assert rest == "\n# What an earlier run made\n"


def test_a_tree_without_anything_makes_a_script_that_does_nothing() -> None:
    assert linux.steps(Router()) == []
