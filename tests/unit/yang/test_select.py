"""The part of a tree that somebody asks for."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tasuki_yang.check import canonical
from tasuki_yang.diff import diff
from tasuki_yang.edit import merge
from tasuki_yang.errors import InvalidIntent
from tasuki_yang.path import get
from tasuki_yang.select import select
from unit.yang.example import EXAMPLE, trees

TREES = trees(EXAMPLE)
Json = dict[str, Any]
PERSON = "/example:people/person"
TREE: Json = canonical(
    EXAMPLE,
    {
        "example:values": {"switch": True, "text": "x"},
        "example:people": {
            "person": [
                {"name": "anna", "age": 30, "nickname": ["a", "b"], "home": {"town": "Naha"}, "pet": {}},
                {"name": "bert", "age": 40, "example-extension:contact": {"mail": "b@example.net"}},
            ],
        },
    },
)


def people(*entries: Json) -> Json:
    return {"example:people": {"person": list(entries)}}


def test_a_selection_keeps_what_is_above_and_below_and_the_keys_on_the_way() -> None:
    assert select(EXAMPLE, TREE, [f"{PERSON}[name='anna']/home"]) == people(
        {"name": "anna", "home": {"town": "Naha"}}
    )


def test_a_selection_below_all_entries_leaves_out_those_without_it() -> None:
    assert select(EXAMPLE, TREE, [f"{PERSON}/home/town"]) == people(
        {"name": "anna", "home": {"town": "Naha"}}
    )


def test_a_selection_of_what_is_not_there_is_empty() -> None:
    for path in (f"{PERSON}[name='nobody']/home", "/example:route/note", f"{PERSON}/nickname[.='z']"):
        assert select(EXAMPLE, TREE, [path]) == {}


def test_several_paths_select_their_union() -> None:
    paths = [f"{PERSON}[name='bert']/age", f"{PERSON}/nickname[.='b']", "/example:values/switch"]
    assert select(EXAMPLE, TREE, paths) == {
        "example:values": {"switch": True},
        **people({"name": "anna", "nickname": ["b"]}, {"name": "bert", "age": 40}),
    }


@given(TREES)
def test_no_path_and_the_empty_path_select_everything(tree: Json) -> None:
    assert select(EXAMPLE, tree) == tree
    assert select(EXAMPLE, tree, ["", "/example:people"]) == tree


@given(TREES, st.data())
def test_a_union_is_the_merge_of_its_parts(tree: Json, data: st.DataObject) -> None:
    paths = [change.path for change in diff(EXAMPLE, {}, tree)]
    chosen = data.draw(st.lists(st.sampled_from(paths), min_size=1) if paths else st.just([""]))
    union: Json = {}
    for path in chosen:
        union = merge(EXAMPLE, union, select(EXAMPLE, tree, [path]))
    together = select(EXAMPLE, tree, chosen)
    assert _sorted(together) == _sorted(union)
    assert all(get(EXAMPLE, together, path) == get(EXAMPLE, tree, path) for path in chosen)


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {label: _sorted(member) for label, member in value.items()}
    return sorted(map(_sorted, value), key=repr) if isinstance(value, list) else value


def test_depth_counts_levels_from_the_selected_nodes_on() -> None:
    anna, bert = {"name": "anna"}, {"name": "bert"}
    assert select(EXAMPLE, TREE, depth=1) == {"example:values": {}, "example:people": {}}
    assert select(EXAMPLE, TREE, depth=2) == {**people(anna, bert), "example:values": TREE["example:values"]}
    assert select(EXAMPLE, TREE, [PERSON], depth=1) == people(anna, bert)
    assert select(EXAMPLE, TREE, [PERSON], depth=2) == people(
        anna | {"age": 30, "nickname": ["a", "b"], "home": {}, "pet": {}},
        bert | {"age": 40, "example-extension:contact": {}},
    )
    assert select(EXAMPLE, TREE, [PERSON], depth=3) == people(*TREE["example:people"]["person"])
    assert select(EXAMPLE, TREE, [f"{PERSON}/age"], depth=1) == people(
        {"name": "anna", "age": 30}, {"name": "bert", "age": 40}
    )


def test_depth_counts_anew_from_each_path() -> None:
    paths = [PERSON, f"{PERSON}[name='anna']/home"]
    assert select(EXAMPLE, TREE, paths, depth=1) == people({"name": "anna", "home": {}}, {"name": "bert"})


@given(TREES, st.integers(1, 9))
def test_more_depth_shows_more(tree: Json, depth: int) -> None:
    deep = 100
    assert select(EXAMPLE, tree, depth=deep) == tree
    less, more = select(EXAMPLE, tree, depth=depth), select(EXAMPLE, tree, depth=depth + 1)
    assert select(EXAMPLE, more, depth=depth) == less


def test_state_data_is_shown_with_what_it_lies_in() -> None:
    tree = {"example:values": {"text": "x", "observed": "y"}, "example:people": {"seen": {"at": {"gate": 1}}}}
    assert select(EXAMPLE, tree, ["/example:values"]) == {"example:values": tree["example:values"]}
    assert select(EXAMPLE, tree, depth=2) == {**tree, "example:people": {"seen": {}}}
    assert select(EXAMPLE, tree, ["/example:values/text"]) == {"example:values": {"text": "x"}}


def test_all_wrong_paths_are_told() -> None:
    with pytest.raises(InvalidIntent) as invalid:
        select(EXAMPLE, TREE, ["nonsense", PERSON, "/example:nope"])
    assert [error.error_tag for error in invalid.value.errors] == ["invalid-value", "unknown-element"]


LEARNED = {"ietf-origin:origin": "ietf-origin:learned"}


def test_an_annotation_stays_with_its_leaf_and_with_its_entry() -> None:
    tree = people({"@": LEARNED, "name": "anna", "age": 30, "@age": LEARNED, "home": {"town": "Naha"}})
    anna = {"@": LEARNED, "name": "anna"}
    assert select(EXAMPLE, tree, [f"{PERSON}[name='anna']/age"]) == people(
        anna | {"age": 30, "@age": LEARNED}
    )
    assert select(EXAMPLE, tree, [f"{PERSON}/home"]) == people(anna | {"home": {"town": "Naha"}})
    assert select(EXAMPLE, tree, [PERSON], 1) == people(anna)
    assert select(EXAMPLE, tree) == tree


def test_annotations_of_entries_go_when_only_some_entries_are_shown() -> None:
    tree = people({"name": "anna", "nickname": ["a", "b"], "@nickname": [LEARNED, None]})
    assert select(EXAMPLE, tree, [f"{PERSON}/nickname"]) == tree
    assert select(EXAMPLE, tree, [f"{PERSON}/nickname[.='b']"]) == people({"name": "anna", "nickname": ["b"]})
