"""Operations on single nodes: all of them or none, in any order."""

import copy
from itertools import permutations
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tasuki_yang.check import canonical
from tasuki_yang.diff import Op, diff
from tasuki_yang.edit import delete, merge
from tasuki_yang.errors import InvalidIntent
from tasuki_yang.node import Schema
from tasuki_yang.node_edit import DefaultOperation, EditOperation, NodeEdit, apply_edits
from tasuki_yang.path import get
from tasuki_yang.schema import NETWORK, ROUTER
from unit.yang.example import EXAMPLE, trees

TREES = trees(EXAMPLE)
Json = dict[str, Any]

MERGE: Final = EditOperation.MERGE
REPLACE: Final = EditOperation.REPLACE
CREATE: Final = EditOperation.CREATE
DELETE: Final = EditOperation.DELETE
REMOVE: Final = EditOperation.REMOVE
NONE: Final = EditOperation.NONE
AS_EDIT = {Op.CREATE: CREATE, Op.REPLACE: REPLACE, Op.DELETE: DELETE}

ANNA = {"name": "anna", "age": 30, "home": {"town": "Naha"}}
BERT = {"name": "bert", "age": 40}
PERSON = "/example:people/person"
A, B = f"{PERSON}[name='anna']", f"{PERSON}[name='bert']"


def people(*entries: Json, **members: Any) -> Json:
    return canonical(EXAMPLE, {"example:people": {"person": list(entries), **members}})


def route(**members: Any) -> Json:
    return canonical(EXAMPLE, {"example:route": members})


def edited(base: Json, *edits: NodeEdit, default: DefaultOperation = EditOperation.MERGE) -> Json:
    return apply_edits(EXAMPLE, base, edits, default)


def problems(
    base: Json, *edits: NodeEdit, default: DefaultOperation = EditOperation.MERGE
) -> list[tuple[str, str]]:
    before = copy.deepcopy(base)
    with pytest.raises(InvalidIntent) as invalid:
        edited(base, *edits, default=default)
    assert base == before
    assert all(error.message for error in invalid.value.errors)
    return [(error.error_tag, error.error_path) for error in invalid.value.errors]


@pytest.mark.parametrize("schema", [EXAMPLE, NETWORK, ROUTER], ids=["example", "network", "router"])
def test_the_changes_between_two_trees_are_the_operations_that_make_one_of_the_other(schema: Schema) -> None:
    @given(trees(schema), trees(schema), st.randoms())
    def law(a: Json, b: Json, random: Any) -> None:
        changes = diff(schema, a, b)
        if not any(isinstance(change.new, list) for change in changes if change.op is Op.REPLACE):
            random.shuffle(changes)
        edits = [NodeEdit(change.path, change.new, AS_EDIT[change.op]) for change in changes]
        before = copy.deepcopy((a, edits))
        result = apply_edits(schema, a, edits)
        assert canonical(schema, result) is result
        assert {**_unordered(result)} == {**_unordered(b)}
        assert (a, edits) == before

    law()


def _unordered(tree: Json) -> Json:
    """What users order is appended in the order of the operations, which was shuffled."""

    def sort(value: Any, label: str = "") -> Any:
        if isinstance(value, dict):
            return {name: sort(member, name) for name, member in value.items()}
        if isinstance(value, list):
            inner = [sort(entry) for entry in value]
            return sorted(inner, key=repr) if label in ("visit", "language") else inner
        return value

    found: Json = sort(tree)
    return found


@given(TREES, TREES)
def test_merging_the_whole_tree_is_merging_a_document(base: Json, document: Json) -> None:
    assert edited(base, NodeEdit("", document, MERGE)) == merge(EXAMPLE, base, document)


@given(TREES, TREES)
def test_merging_each_member_is_merging_the_document(base: Json, document: Json) -> None:
    edits = [NodeEdit(f"/{label}", value) for label, value in document.items()]
    assert edited(base, *edits) == merge(EXAMPLE, base, document)


@given(TREES)
def test_an_operation_that_changes_nothing_gives_that_very_tree(tree: Json) -> None:
    document = copy.deepcopy(tree)
    assert edited(tree, NodeEdit("", document, REPLACE)) is tree
    assert edited(tree, *(NodeEdit(f"/{label}", document[label], MERGE) for label in tree)) is tree
    assert edited(tree, *(NodeEdit(f"/{label}", None, NONE) for label in tree)) is tree
    assert edited(tree, *(NodeEdit(f"/{label}", document[label], REPLACE) for label in tree)) is tree


@given(TREES)
def test_deleting_every_member_leaves_nothing(tree: Json) -> None:
    assert edited(tree, *(NodeEdit(f"/{label}", None, DELETE) for label in tree)) == {}


@given(TREES, TREES)
def test_removing_is_deleting_what_is_there(base: Json, names: Json) -> None:
    whole = {label: {} if isinstance(value, dict) else value for label, value in names.items()}
    edits = [
        NodeEdit(f"/{label}[number='{entry['number']}']", None, REMOVE)
        for label, value in whole.items()
        if isinstance(value, list)
        for entry in value
    ]
    edits += [
        NodeEdit(f"/{label}", None, REMOVE) for label, value in whole.items() if isinstance(value, dict)
    ]
    assert edited(base, *edits) == delete(EXAMPLE, base, whole, missing_ok=True)


def test_create_makes_what_is_not_there_and_all_that_is_above_it() -> None:
    assert edited({}, NodeEdit(f"{A}/home/town", "Naha", CREATE)) == people_loosely("anna", home="Naha")
    base = people(ANNA)
    assert edited(base, NodeEdit(B, {"age": 40}, CREATE)) == people(ANNA, BERT)


def people_loosely(name: str, home: str) -> Json:
    """An entry without its mandatory leaf: a candidate may be incomplete."""
    return {"example:people": {"person": [{"name": name, "home": {"town": home}}]}}


def test_create_of_what_is_there_says_data_exists() -> None:
    base = people(ANNA, BERT)
    assert problems(base, NodeEdit(A, {"age": 1}, CREATE)) == [("data-exists", A)]
    assert problems(base, NodeEdit(f"{A}/age", 1, CREATE)) == [("data-exists", f"{A}/age")]
    assert problems(base, NodeEdit("", {}, CREATE)) == [("data-exists", "")]
    cora = {"name": "cora", "age": 1}
    assert problems(base, NodeEdit(PERSON, [ANNA, cora], CREATE)) == [("data-exists", A)]
    assert edited(base, NodeEdit(PERSON, [cora], CREATE)) == people(ANNA, BERT, cora)


def test_a_value_that_python_calls_false_is_there() -> None:
    base = canonical(EXAMPLE, {"example:values": {"switch": False, "offset": 0, "text": ""}})
    for leaf, value in (("switch", False), ("offset", 0), ("text", "")):
        path = f"/example:values/{leaf}"
        assert problems(base, NodeEdit(path, value, CREATE)) == [("data-exists", path)]
        assert get(EXAMPLE, edited(base, NodeEdit(path, None, DELETE)), path) is None
    pet = people(ANNA | {"pet": {}})
    assert problems(pet, NodeEdit(f"{A}/pet", {}, CREATE)) == [("data-exists", f"{A}/pet")]


def test_delete_of_what_is_not_there_says_data_missing_and_remove_is_silent() -> None:
    base = people(ANNA)
    for path in (B, f"{B}/age", f"{A}/pet", f"{A}/nickname[.='x']", "/example:route/note"):
        assert problems(base, NodeEdit(path, None, DELETE)) == [("data-missing", path)]
        assert edited(base, NodeEdit(path, None, REMOVE)) is base
    assert problems({}, NodeEdit("", None, DELETE)) == [("data-missing", "")]


def test_delete_takes_the_emptied_list_and_container_along_but_no_presence() -> None:
    assert edited(people(ANNA), NodeEdit(A, None, DELETE)) == {}
    cat = people(ANNA | {"pet": {"species": "cat"}})
    assert edited(cat, NodeEdit(f"{A}/pet/species", None, DELETE)) == people(ANNA | {"pet": {}})


def test_replace_forgets_what_the_value_does_not_say() -> None:
    base = people(ANNA, BERT)
    assert edited(base, NodeEdit(A, {"age": 31}, REPLACE)) == people({"name": "anna", "age": 31}, BERT)
    assert edited(base, NodeEdit(PERSON, [BERT], REPLACE)) == people(BERT)
    assert edited(base, NodeEdit(f"{A}/home", {}, REPLACE)) == people({"name": "anna", "age": 30}, BERT)
    assert edited(base, NodeEdit("", {}, REPLACE)) == {}


def test_a_replaced_entry_keeps_its_place_among_those_that_users_order() -> None:
    first, second = {"day": "tue", "hour": 9}, {"day": "mon", "hour": 8}
    base = people(visit=[first, second])
    path = "/example:people/visit[day='tue'][hour='9']"
    changed = edited(base, NodeEdit(path, {"reason": "tea"}, REPLACE))
    assert changed == people(visit=[first | {"reason": "tea"}, second])


def test_none_only_asks_that_the_node_is_there() -> None:
    base = people(ANNA)
    assert edited(base, NodeEdit(A, None, NONE), NodeEdit(f"{A}/age", 31)) == people(ANNA | {"age": 31})
    assert problems(base, NodeEdit(B, None, NONE)) == [("data-missing", B)]


def test_with_default_none_what_is_above_a_node_must_be_there() -> None:
    base = people(ANNA)
    assert edited(base, NodeEdit(f"{A}/age", 31, MERGE), default=NONE) == people(ANNA | {"age": 31})
    for operation, value in ((MERGE, 1), (CREATE, 1), (REPLACE, 1), (REMOVE, None)):
        assert problems(base, NodeEdit(f"{B}/age", value, operation), default=NONE) == [("data-missing", B)]
    made = edited(
        base, NodeEdit(B, {"age": 40}, MERGE), NodeEdit(f"{B}/home/town", "Ie", MERGE), default=NONE
    )
    assert made == people(ANNA, BERT | {"home": {"town": "Ie"}})


def test_the_default_operation_is_that_of_an_edit_that_names_none() -> None:
    base = people(ANNA, BERT)
    assert edited(base, NodeEdit(A, {"age": 31}), default=MERGE) == people(ANNA | {"age": 31}, BERT)
    replaced = edited(base, NodeEdit(A, {"age": 31}), default=REPLACE)
    assert replaced == people({"name": "anna", "age": 31}, BERT)
    assert edited(base, NodeEdit(A), default=NONE) is base


def test_two_operations_on_one_node_are_refused() -> None:
    base = people(ANNA)
    age = f"{A}/age"
    assert problems(base, NodeEdit(age, 1), NodeEdit(age, 2)) == [("bad-element", age)]
    other_spelling = """/example:people/example:person[name="anna"]/age"""
    assert problems(base, NodeEdit(age, 1), NodeEdit(other_spelling, None, DELETE)) == [("bad-element", age)]


@pytest.mark.parametrize("above", ["", "/example:people", PERSON, A])
@pytest.mark.parametrize("operation", [REPLACE, DELETE, REMOVE, CREATE])
def test_an_operation_below_a_node_that_another_one_decides_about_is_refused(
    above: str, operation: EditOperation
) -> None:
    sets = operation in (REPLACE, CREATE)
    value: Any = ([] if above == PERSON else {}) if sets else None
    base = {} if operation is CREATE else people(ANNA)
    edits = [NodeEdit(f"{A}/age", 2, MERGE), NodeEdit(above, value, operation)]
    assert ("bad-element", f"{A}/age") in problems(base, *edits)
    assert ("bad-element", f"{A}/age") in problems(base, *reversed(edits))


def test_an_operation_below_a_merge_is_refused_only_where_the_merged_value_names_its_node() -> None:
    base = people(ANNA)
    both = edited(base, NodeEdit(A, {"age": 31}), NodeEdit(f"{A}/home/town", None, DELETE))
    assert both == people({"name": "anna", "age": 31})
    assert problems(base, NodeEdit(A, {"age": 31}), NodeEdit(f"{A}/age", None, DELETE)) == [
        ("bad-element", f"{A}/age")
    ]


def test_two_cases_of_a_choice_in_one_request_are_refused_whichever_comes_first() -> None:
    road, ship = NodeEdit("/example:route/road", "A1"), NodeEdit("/example:route", {"ship": {"port": "Naha"}})
    assert problems({}, road, ship) == [("bad-element", "/example:route/road")]
    assert problems({}, ship, road) == [("bad-element", "/example:route/road")]
    assert edited(route(road="A1"), ship) == route(ship={"port": "Naha"})
    assert edited(route(road="A1"), ship, NodeEdit("/example:route/road", None, DELETE)) == route(
        ship={"port": "Naha"}
    )


def test_the_key_in_a_value_may_be_left_out_and_must_agree_with_the_path() -> None:
    assert edited({}, NodeEdit(A, {"name": "anna", "age": 1})) == people({"name": "anna", "age": 1})
    assert problems({}, NodeEdit(A, {"name": "bert", "age": 1})) == [("invalid-value", A)]
    nickname = f"{A}/nickname[.='x']"
    assert edited(people(ANNA), NodeEdit(nickname, "x")) == people(ANNA | {"nickname": ["x"]})
    assert problems(people(ANNA), NodeEdit(nickname, "y")) == [("invalid-value", nickname)]


def test_all_problems_of_all_operations_are_told_at_once() -> None:
    found = problems(
        people(ANNA),
        NodeEdit("/example:nonsense", 1),
        NodeEdit("no path", 1),
        NodeEdit(f"{PERSON}/age", 1),
        NodeEdit(f"{A}/name", "cora"),
        NodeEdit(f"{A}/age", "thirty"),
        NodeEdit(f"{A}/pet", {"species": 1, "fur": True}),
        NodeEdit(f"{A}/home"),
        NodeEdit("/example:route/note", "x", REMOVE),
        NodeEdit(B, None, DELETE),
        NodeEdit(f"{A}/nickname", [1]),
    )
    assert found == [
        ("unknown-element", "/example:nonsense"),
        ("invalid-value", "no path"),
        ("missing-element", f"{PERSON}/age"),
        ("bad-element", f"{A}/name"),
        ("invalid-value", f"{A}/age"),
        ("invalid-value", f"{A}/pet/species"),
        ("unknown-element", f"{A}/pet/fur"),
        ("missing-element", f"{A}/home"),
        ("invalid-value", "/example:route/note"),
        ("invalid-value", f"{A}/nickname[1]"),
        ("data-missing", B),
    ]


def test_what_an_operation_does_not_touch_is_shared() -> None:
    base = people(ANNA, BERT) | route(note="x")
    changed = edited(base, NodeEdit(f"{B}/age", 41))
    assert changed["example:route"] is base["example:route"]
    assert changed["example:people"]["person"][0] is base["example:people"]["person"][0]


def test_many_operations_take_a_long_list_apart_once() -> None:
    numbers = range(1, 3001)
    base = {"example:crowd": [{"number": number} for number in numbers]}
    path = "/example:crowd[number='{}']"
    deleted = [NodeEdit(path.format(number), None, DELETE) for number in numbers if number % 2]
    created = [NodeEdit(path.format(number + len(numbers)), {}, CREATE) for number in numbers]
    # Taking it apart for each of them would take minutes.
    result = edited(base, *deleted, *created)
    assert [entry["number"] for entry in result["example:crowd"]] == [
        *range(2, 3001, 2),
        *range(3001, 6001),
    ]


def test_a_deletion_beside_the_choice_of_another_case_still_asks_the_base() -> None:
    road, ship = "/example:route/road", NodeEdit("/example:route/ship/port", "Naha", CREATE)
    for edits in permutations([ship, NodeEdit(road, None, DELETE)]):
        assert edited(route(road="A1"), *edits) == route(ship={"port": "Naha"})
        assert problems(route(note="x"), *edits) == [("data-missing", road)]
