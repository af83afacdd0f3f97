"""Merge, replace, delete and remove of RFC 6241 on trees."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tasuki_yang.check import canonical
from tasuki_yang.edit import delete, merge, replace
from tasuki_yang.errors import InvalidIntent
from unit.yang.example import EXAMPLE, trees

TREES = trees(EXAMPLE)
Json = dict[str, Any]


def people(*entries: Json, **members: Any) -> Json:
    return {"example:people": {"person": list(entries), **members}}


def route(**members: Any) -> Json:
    return {"example:route": members}


ANNA = {"name": "anna", "age": 30, "home": {"town": "Naha"}}
BERT = {"name": "bert", "age": 40}


@given(TREES)
def test_merging_a_tree_into_itself_gives_that_very_tree(tree: Json) -> None:
    assert merge(EXAMPLE, tree, copy.deepcopy(tree)) is tree


@given(TREES)
def test_merging_into_nothing_gives_the_document(tree: Json) -> None:
    assert merge(EXAMPLE, {}, tree) == tree


@given(TREES, TREES)
def test_merging_twice_is_merging_once(base: Json, document: Json) -> None:
    once = merge(EXAMPLE, base, document)
    assert merge(EXAMPLE, once, document) is once


@given(TREES, TREES)
def test_a_merge_holds_all_of_the_document(base: Json, document: Json) -> None:
    delete(EXAMPLE, merge(EXAMPLE, base, document), document, missing_ok=False)


@given(TREES, TREES, TREES)
def test_merging_is_associative_where_no_choice_forgets(one: Json, two: Json, three: Json) -> None:
    a, b, c = (
        {label: tree[label] for label in tree if label != "example:route"} for tree in (one, two, three)
    )
    assert merge(EXAMPLE, merge(EXAMPLE, a, b), c) == merge(EXAMPLE, a, merge(EXAMPLE, b, c))


@given(TREES, TREES)
def test_results_are_canonical_and_arguments_stay_as_they_were(base: Json, document: Json) -> None:
    before = copy.deepcopy((base, document))
    for result in (
        merge(EXAMPLE, base, document),
        replace(EXAMPLE, base, document),
        delete(EXAMPLE, base, document, missing_ok=True),
    ):
        assert canonical(EXAMPLE, result) is result
    assert (base, document) == before


@given(TREES, TREES)
def test_replacing_gives_the_document_whatever_was_there(base: Json, document: Json) -> None:
    assert replace(EXAMPLE, base, document) == document


@given(TREES)
def test_deleting_all_that_is_there_leaves_nothing(tree: Json) -> None:
    whole = {label: {} if isinstance(value, dict) else value for label, value in tree.items()}
    assert delete(EXAMPLE, tree, whole, missing_ok=False) == {}


@given(TREES, st.data())
def test_removing_what_is_not_there_gives_that_very_tree(tree: Json, data: st.DataObject) -> None:
    names = data.draw(TREES)
    once = delete(EXAMPLE, tree, names, missing_ok=True)
    assert delete(EXAMPLE, once, names, missing_ok=True) is once


def test_what_a_merge_does_not_touch_is_shared() -> None:
    base = canonical(EXAMPLE, people(ANNA, BERT) | route(note="x"))
    merged = merge(EXAMPLE, base, people({"name": "bert", "age": 41}))
    assert merged["example:route"] is base["example:route"]
    assert merged["example:people"]["person"][0] is base["example:people"]["person"][0]
    assert merged["example:people"]["person"][1] == {"name": "bert", "age": 41}


def test_a_merge_reads_its_document_first() -> None:
    with pytest.raises(InvalidIntent) as invalid:
        merge(EXAMPLE, {}, people({"name": "anna", "age": "30"}, {"age": 3}))
    assert [error.error_tag for error in invalid.value.errors] == ["invalid-value", "missing-element"]


def test_a_case_removes_the_other_cases_of_its_choice() -> None:
    base = canonical(EXAMPLE, route(road="A1", car="red", note="x"))
    assert merge(EXAMPLE, base, route(ship={"port": "Naha"})) == route(ship={"port": "Naha"}, note="x")
    assert merge(EXAMPLE, base, route(stop=["b", "a"])) == route(stop=["a", "b"], note="x")


def test_a_case_of_an_inner_choice_leaves_the_outer_case_alone() -> None:
    base = canonical(EXAMPLE, route(road="A1", car="red"))
    assert merge(EXAMPLE, base, route(train="Yui")) == route(road="A1", train="Yui")


def test_a_second_member_of_one_case_joins_the_first() -> None:
    assert merge(EXAMPLE, route(car="red"), route(road="A1")) == route(car="red", road="A1")


def test_entries_of_a_user_ordered_list_are_appended_and_those_of_others_sorted() -> None:
    base = canonical(EXAMPLE, people(BERT | {"language": ["ja"], "nickname": ["m"]}))
    merged = merge(EXAMPLE, base, people(ANNA, {"name": "bert", "language": ["en"], "nickname": ["b"]}))
    anna, bert = merged["example:people"]["person"]
    assert anna == ANNA
    assert bert["language"] == ["ja", "en"]
    assert bert["nickname"] == ["b", "m"]


def test_an_empty_container_is_nothing_unless_its_presence_means_something() -> None:
    assert merge(EXAMPLE, {}, people(ANNA | {"home": {}, "pet": {}})) == people(
        {"name": "anna", "age": 30, "pet": {}}
    )


def test_deleting_an_entry_by_its_key_deletes_all_of_it() -> None:
    base = canonical(EXAMPLE, people(ANNA, BERT))
    assert delete(EXAMPLE, base, people({"name": "anna"}), missing_ok=False) == people(BERT)


def test_deleting_the_last_entry_deletes_the_list_and_the_container_around_it() -> None:
    assert delete(EXAMPLE, people(ANNA), people({"name": "anna"}), missing_ok=False) == {}


def test_deleting_a_leaf_needs_no_value_of_it() -> None:
    base = people(ANNA)
    names = people({"name": "anna", "home": {"town": None}})
    assert delete(EXAMPLE, base, names, missing_ok=False) == people({"name": "anna", "age": 30})


def test_deleting_a_container_by_an_empty_object_deletes_all_of_it() -> None:
    assert delete(EXAMPLE, people(ANNA), people({"name": "anna", "home": {}}), missing_ok=False) == people(
        {"name": "anna", "age": 30}
    )


def test_an_empty_array_names_no_entry_and_so_deletes_none() -> None:
    base = people(ANNA)
    assert delete(EXAMPLE, base, people(), missing_ok=False) is base
    assert delete(EXAMPLE, base, people({"name": "anna", "nickname": []}), missing_ok=False) is base


def test_deleting_values_of_a_leaf_list_leaves_the_others() -> None:
    base = canonical(EXAMPLE, people(ANNA | {"nickname": ["a", "b"]}))
    left = delete(EXAMPLE, base, people({"name": "anna", "nickname": ["a"]}), missing_ok=False)
    assert left == people(ANNA | {"nickname": ["b"]})


def test_a_presence_container_stays_when_its_last_member_is_deleted() -> None:
    base = people(ANNA | {"pet": {"species": "cat"}})
    names = people({"name": "anna", "pet": {"species": ""}})
    assert delete(EXAMPLE, base, names, missing_ok=False) == people(ANNA | {"pet": {}})


def test_every_missing_node_of_a_deletion_is_named() -> None:
    base = canonical(EXAMPLE, people(ANNA | {"nickname": ["a"]}))
    names = people(
        {"name": "it's"},
        {"name": "anna", "nickname": ["a", "b"], "pet": {}, "home": {"town": None}},
    ) | route(note=None, ship={"port": None})
    with pytest.raises(InvalidIntent) as invalid:
        delete(EXAMPLE, base, names, missing_ok=False)
    assert {error.error_tag for error in invalid.value.errors} == {"data-missing"}
    assert [error.error_path for error in invalid.value.errors] == [
        "/example:people/person[name='anna']/nickname[.='b']",
        "/example:people/person[name='anna']/pet",
        '/example:people/person[name="it\'s"]',
        "/example:route/note",
        "/example:route/ship/port",
    ]


def test_a_deletion_that_names_an_unknown_node_does_not_delete_what_is_around_it() -> None:
    with pytest.raises(InvalidIntent) as invalid:
        delete(EXAMPLE, people(ANNA), people({"name": "anna", "adress": None}), missing_ok=True)
    assert [error.error_tag for error in invalid.value.errors] == ["unknown-element"]
