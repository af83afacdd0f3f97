"""A change of running is computed whole, or refused with everything that is wrong."""

from typing import Any

import pytest
from hypothesis import given
from tasuki_controller.compile import compile_running
from tasuki_controller.running import Running
from tasuki_controller.transaction import Edit, Operation, Prepared, prepare, running_changes
from tasuki_yang.check import canonical
from tasuki_yang.diff import Op, patch
from tasuki_yang.errors import ConfigError, InvalidIntent
from tasuki_yang.schema import NETWORK
from unit.services.networks import Json, network, networks, running, split, subscriber

BASE = running(network(split(subscriber(1), subscriber(2, "branch"))))
FORWARDING = {"ietf-routing:routing": {"tasuki-sysctl:forwarding": {"ipv4": True}}}
SPLIT = "/tasuki-network:network/tasuki-vxlan-split:vxlan-split[name='ae00']"


def only_subscribers(*subscribers: Json) -> Json:
    """A document that names subscribers of the split and nothing else."""
    entry = {"name": "ae00", "subscriber": list(subscribers)}
    return {"tasuki-network:network": {"tasuki-vxlan-split:vxlan-split": [entry]}}


def edited(operation: Operation, document: Any, base: Running = BASE, **routers: Any) -> Prepared:
    return prepare(base, Edit(operation, document, routers))


def problems(
    operation: Operation, document: Any, base: Running = BASE, **routers: Any
) -> tuple[ConfigError, ...]:
    with pytest.raises(InvalidIntent) as invalid:
        edited(operation, document, base, **routers)
    return invalid.value.errors


def routes(tree: Json) -> Json:
    """A router tree with a static route through an interface."""
    protocol = {
        "type": "static",
        "name": "mine",
        "static-routes": {"ietf-ipv6-unicast-routing:ipv6": {"route": [tree]}},
    }
    return {"ietf-routing:routing": {"control-plane-protocols": {"control-plane-protocol": [protocol]}}}


def test_merge_adds_a_subscriber_and_changes_only_it() -> None:
    after = edited(Operation.MERGE, only_subscribers(subscriber(3, None)))
    (change,) = after.changes

    assert (change.router, change.change.op) == ("", Op.CREATE)
    assert change.change.path == f"{SPLIT}/subscriber[number='3']"
    assert after.intended.keys() == {"vps", "home", "branch", "ae00/3"}


def test_edit_of_nothing_changes_nothing() -> None:
    after = edited(Operation.MERGE, BASE.network)

    assert after.changes == []
    assert after.running == BASE


def test_delete_removes_a_subscriber_and_its_end_elsewhere() -> None:
    after = edited(Operation.DELETE, only_subscribers({"number": 2}))

    assert [change.change.op for change in after.changes] == [Op.DELETE]
    assert after.intended["branch"] == {}
    assert "vxlan02" not in str(after.intended["vps"])


def test_delete_of_what_is_not_there_is_refused_and_all_of_it_named() -> None:
    found = problems(Operation.DELETE, only_subscribers({"number": 8}, {"number": 9}))

    assert [problem.error_tag for problem in found] == ["data-missing"] * 2
    assert [problem.error_path for problem in found] == [f"{SPLIT}/subscriber[number='{n}']" for n in (8, 9)]


def test_remove_of_what_is_not_there_is_silently_fine() -> None:
    assert edited(Operation.REMOVE, only_subscribers({"number": 8})).changes == []


def test_delete_of_what_is_needed_is_refused() -> None:
    (problem,) = problems(Operation.DELETE, {"tasuki-network:network": {"router": [{"name": "home"}]}})

    assert (problem.error_tag, problem.error_app_tag) == ("data-missing", "instance-required")


def test_replace_takes_the_place_of_running_as_a_whole() -> None:
    base = running(network(split(subscriber(1))), home=FORWARDING)
    after = edited(Operation.REPLACE, network(split(name="be00")), base)

    assert after.running == running(network(split(name="be00")))


def test_replace_of_a_router_tree_alone_leaves_the_rest() -> None:
    base = running(network(split(subscriber(1))), home=FORWARDING, branch=FORWARDING)
    after = edited(Operation.REPLACE, None, base, home={})

    assert after.running == running(network(split(subscriber(1))), branch=FORWARDING)


def test_written_router_tree_joins_the_compiled_one() -> None:
    after = edited(Operation.MERGE, None, home=FORWARDING)

    assert [change.router for change in after.changes] == ["home"]
    assert after.intended["home"]["ietf-routing:routing"]["tasuki-sysctl:forwarding"] == {
        "ipv4": True,
        "ipv6": True,
    }
    assert after.intended["branch"] == compile_running(BASE)["branch"]


def test_written_route_may_lead_through_a_compiled_tunnel() -> None:
    through = routes({"destination-prefix": "2001:db8:f::/48", "next-hop": {"outgoing-interface": "vxlan01"}})

    assert edited(Operation.MERGE, None, home=through).changes


def test_written_route_through_an_interface_that_nobody_knows_is_refused() -> None:
    through = routes({"destination-prefix": "2001:db8:f::/48", "next-hop": {"outgoing-interface": "vxlan99"}})
    (problem,) = problems(Operation.MERGE, None, home=through)

    assert problem.router == "home"
    assert problem.error_app_tag == "instance-required"


def test_contradiction_of_written_and_compiled_is_refused() -> None:
    against = {"ietf-routing:routing": {"tasuki-sysctl:forwarding": {"ipv6": False}}}
    (problem,) = problems(Operation.MERGE, None, home=against)

    assert (problem.router, problem.error_app_tag) == ("home", "sources-conflict")
    assert problem.error_path == "/ietf-routing:routing/tasuki-sysctl:forwarding/ipv6"
    assert "vxlan-split ae00, subscriber 1" in problem.message


@pytest.mark.parametrize(
    "document", [None, 5, "network", [], [{}], {"network": {}}, {"tasuki-network:network": []}]
)
def test_any_json_value_is_answered(document: Any) -> None:
    if document is None:
        assert edited(Operation.MERGE, document).changes == []
    else:
        assert problems(Operation.MERGE, document)


def test_problems_of_every_document_and_of_every_sort_come_together() -> None:
    found = problems(
        Operation.MERGE,
        only_subscribers(
            subscriber(300), subscriber(4, None, mode="magic"), subscriber(5, None, colour="red")
        ),
        home={"ietf-interfaces:interfaces": {"interface": [{"name": "lan0", "colour": "red"}]}},
        branch={
            "ietf-routing:routing": {
                "tasuki-rule:rules": {"ipv6": {"rule": [{"name": "x", "priority": 0, "table": 1}]}}
            }
        },
        hoem=FORWARDING,
    )

    assert {(problem.router, problem.error_path) for problem in found} >= {
        ("", f"{SPLIT}/subscriber[number='300']/number"),
        ("", f"{SPLIT}/subscriber[number='4']/mode"),
        ("", f"{SPLIT}/subscriber[number='5']/colour"),
        ("", "/tasuki-network:network/router[name='hoem']"),
        ("home", "/ietf-interfaces:interfaces/interface[name='lan0']/colour"),
        ("branch", "/ietf-routing:routing/tasuki-rule:rules/ipv6/rule[name='x']/priority"),
    }


def test_nodes_that_were_left_out_are_not_reported_as_missing_too() -> None:
    (problem,) = problems(
        Operation.MERGE,
        only_subscribers(subscriber(3, None, underlay={"interface": 5, "address": "10.1.1.9"})),
    )

    assert problem.error_path == f"{SPLIT}/subscriber[number='3']/underlay/interface"


def test_refused_edit_leaves_running_as_it_was() -> None:
    before = canonical(NETWORK, BASE.network)
    problems(Operation.MERGE, only_subscribers(subscriber(0)))

    assert BASE.network == before


@given(before=networks(), after=networks())
def test_changes_lead_from_one_running_to_the_other(before: Json, after: Json) -> None:
    old, new = running(before), running(after)
    changes = [change.change for change in prepare(old, Edit(Operation.REPLACE, after)).changes]

    assert patch(NETWORK, old.network, changes) == new.network
    assert running_changes(old, old) == []


@given(document=networks())
def test_valid_network_is_accepted_and_compiled(document: Json) -> None:
    prepared = prepare(Running(), Edit(network=document))

    assert prepared.intended == compile_running(prepared.running)
