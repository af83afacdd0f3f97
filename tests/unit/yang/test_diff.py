"""Differences of trees, and trees made of differences."""

import copy
from typing import Any

import pytest
from hypothesis import given
from tasuki_yang.check import canonical
from tasuki_yang.diff import Change, Op, diff, patch
from tasuki_yang.edit import merge
from tasuki_yang.errors import InvalidIntent
from tasuki_yang.node import Schema
from tasuki_yang.path import get
from tasuki_yang.schema import NETWORK, ROUTER
from unit.yang.example import EXAMPLE, trees

TREES = trees(EXAMPLE)
Json = dict[str, Any]
ORDERED = ("/visit", "/language")
"""What people give an order: an entry may go from anywhere, and comes back at the end."""


def people(*entries: Json, **members: Any) -> Json:
    return canonical(EXAMPLE, {"example:people": {"person": list(entries), **members}})


@given(TREES, TREES)
def test_a_tree_patched_with_the_difference_to_another_is_the_other(a: Json, b: Json) -> None:
    assert patch(EXAMPLE, a, diff(EXAMPLE, a, b)) == b


@given(TREES)
def test_a_tree_does_not_differ_from_its_equal(tree: Json) -> None:
    assert diff(EXAMPLE, tree, copy.deepcopy(tree)) == []


@given(TREES, TREES)
def test_a_patch_of_nothing_but_additions_is_a_merge(a: Json, b: Json) -> None:
    merged = merge(EXAMPLE, a, b)
    assert patch(EXAMPLE, a, diff(EXAMPLE, a, merged)) == merged


@given(TREES, TREES)
def test_the_way_back_is_the_way_forth_reversed(a: Json, b: Json) -> None:
    reverse = {Op.CREATE: Op.DELETE, Op.DELETE: Op.CREATE, Op.REPLACE: Op.REPLACE}
    back = [Change(reverse[c.op], c.path, c.new, c.old) for c in diff(EXAMPLE, a, b)]
    assert unordered(diff(EXAMPLE, b, a)) == unordered(back)


def unordered(changes: list[Change]) -> set[tuple[Op, str]]:
    return {(c.op, c.path) for c in changes if not any(name in c.path for name in ORDERED)}


@given(TREES, TREES)
def test_paths_of_changes_lead_to_the_old_and_the_new_value(a: Json, b: Json) -> None:
    before = copy.deepcopy((a, b))
    for change in diff(EXAMPLE, a, b):
        assert get(EXAMPLE, a, change.path) == change.old
        assert get(EXAMPLE, b, change.path) == change.new
    assert (a, b) == before


@pytest.mark.parametrize("schema", [NETWORK, ROUTER], ids=["network", "router"])
def test_the_laws_hold_for_tasukis_own_trees(schema: Schema) -> None:
    @given(trees(schema), trees(schema))
    def law(a: Json, b: Json) -> None:
        assert patch(schema, a, diff(schema, a, b)) == b

    law()


def test_a_list_entry_is_created_and_deleted_as_a_whole() -> None:
    anna = {"name": "anna", "age": 30, "home": {"town": "Naha"}}
    path = "/example:people/person[name='anna']"
    assert diff(EXAMPLE, {}, people(anna)) == [Change(Op.CREATE, path, None, anna)]
    assert diff(EXAMPLE, people(anna), {}) == [Change(Op.DELETE, path, anna, None)]


def test_a_container_without_presence_is_no_change_itself() -> None:
    assert diff(
        EXAMPLE, people({"name": "a", "age": 1}), people({"name": "a", "age": 1, "home": {"town": "x"}})
    ) == [Change(Op.CREATE, "/example:people/person[name='a']/home/town", None, "x")]


def test_a_container_with_presence_comes_as_a_whole_and_changes_in_parts() -> None:
    without = people({"name": "a", "age": 1})
    empty = people({"name": "a", "age": 1, "pet": {}})
    cat = people({"name": "a", "age": 1, "pet": {"species": "cat"}})
    path = "/example:people/person[name='a']/pet"
    assert diff(EXAMPLE, without, empty) == [Change(Op.CREATE, path, None, {})]
    assert diff(EXAMPLE, empty, cat) == [Change(Op.CREATE, f"{path}/species", None, "cat")]
    assert diff(EXAMPLE, cat, without) == [Change(Op.DELETE, path, {"species": "cat"}, None)]


def test_a_changed_leaf_is_replaced() -> None:
    old, new = people({"name": "a", "age": 1}), people({"name": "a", "age": 2})
    assert diff(EXAMPLE, old, new) == [Change(Op.REPLACE, "/example:people/person[name='a']/age", 1, 2)]


def test_values_of_a_leaf_list_come_and_go_one_by_one() -> None:
    old = people({"name": "a", "age": 1, "nickname": ["x", "y"]})
    new = people({"name": "a", "age": 1, "nickname": ["y", "z"]})
    path = "/example:people/person[name='a']/nickname"
    assert diff(EXAMPLE, old, new) == [
        Change(Op.DELETE, f"{path}[.='x']", "x", None),
        Change(Op.CREATE, f"{path}[.='z']", None, "z"),
    ]


def test_appending_to_a_user_ordered_list_is_a_creation_and_another_order_a_replacement() -> None:
    first, second = {"day": "mon", "hour": 8}, {"day": "tue", "hour": 9}
    one, both, reverse = people(visit=[first]), people(visit=[first, second]), people(visit=[second, first])
    path = "/example:people/visit"
    assert diff(EXAMPLE, one, both) == [Change(Op.CREATE, f"{path}[day='tue'][hour='9']", None, second)]
    assert diff(EXAMPLE, both, reverse) == [Change(Op.REPLACE, path, [first, second], [second, first])]


def test_another_case_of_a_choice_deletes_the_one_and_creates_the_other() -> None:
    old, new = {"example:route": {"road": "A1"}}, {"example:route": {"ship": {"port": "Naha"}}}
    assert diff(EXAMPLE, old, new) == [
        Change(Op.DELETE, "/example:route/road", "A1", None),
        Change(Op.CREATE, "/example:route/ship/port", None, "Naha"),
    ]


def test_a_change_below_an_entry_that_is_not_there_is_refused() -> None:
    change = Change(Op.REPLACE, "/example:people/person[name='nobody']/age", 1, 2)
    with pytest.raises(InvalidIntent) as invalid:
        patch(EXAMPLE, {}, [change])
    (error,) = invalid.value.errors
    assert (error.error_tag, error.error_path) == ("data-missing", "/example:people/person[name='nobody']")


def test_one_more_subscriber_among_thousands_is_found_without_looking_at_the_others() -> None:
    def split(count: int) -> Json:
        subscribers = [
            {"number": n, "unmanaged": [None], "underlay": {"interface": "wan", "address": "192.0.2.1"}}
            for n in range(1, count + 1)
        ]
        return {
            "tasuki-network:network": {
                "tasuki-vxlan-split:vxlan-split": [{"name": "ae00", "subscriber": subscribers}]
            }
        }

    base = canonical(NETWORK, split(4094))
    (before,) = base["tasuki-network:network"]["tasuki-vxlan-split:vxlan-split"]
    merged = merge(NETWORK, base, split(4095))
    (after,) = merged["tasuki-network:network"]["tasuki-vxlan-split:vxlan-split"]
    assert all(a is b for a, b in zip(before["subscriber"], after["subscriber"], strict=False))
    (change,) = diff(NETWORK, base, merged)
    assert change.path.endswith("[name='ae00']/subscriber[number='4095']")
