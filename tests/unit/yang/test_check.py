"""Reading foreign data: every structural problem is named, what is sound survives."""

import copy
import json
from typing import Any

import pytest
from google.protobuf import json_format, struct_pb2
from hypothesis import given
from hypothesis import strategies as st
from tasuki_yang.check import canonical, check, read
from tasuki_yang.errors import ConfigError, InvalidIntent
from tasuki_yang.schema import NETWORK
from unit.yang.example import EXAMPLE, trees

Json = dict[str, Any]
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["example:people", "person", "name", "age", "example:route", "road", "ship", "port"]
            )
            | st.text(max_size=5),
            inner,
            max_size=4,
        )
    ),
)


def the_error(document: Any) -> ConfigError:
    (error,) = check(EXAMPLE, document)
    return error


def people(*entries: Any) -> Json:
    return {"example:people": {"person": list(entries)}}


def routers(*entries: Any) -> Json:
    return {"tasuki-network:network": {"router": list(entries)}}


@pytest.mark.parametrize(
    ("document", "tag", "path", "word"),
    [
        (None, "invalid-value", "", "A configuration is written as a JSON object, not as null."),
        ([], "invalid-value", "", "not as an array"),
        ({"example:people": 3}, "invalid-value", "/example:people", "JSON object, not as 3"),
        ({"example:people": {"person": {}}}, "invalid-value", "/example:people/person", "JSON array"),
        (people(5), "invalid-value", "/example:people/person[1]", "JSON object, not as 5"),
        (people({"age": 3}), "missing-element", "/example:people/person[1]", "needs its key 'name'"),
        (people({"name": 3}), "invalid-value", "/example:people/person[name='3']/name", "JSON string"),
        (people({"name": None}), "invalid-value", "/example:people/person[1]/name", "not as null"),
        (people({"name": "a\0"}), "invalid-value", "/example:people/person[1]/name", "U+0000"),
        (
            people({"name": "it's", "age": "3"}),
            "invalid-value",
            '/example:people/person[name="it\'s"]/age',
            "uint8",
        ),
        (
            people({"name": "a"}, {"name": "a"}),
            "bad-element",
            "/example:people/person[name='a']",
            "more than once",
        ),
        (
            people({"name": "a", "nickname": ["x", "x"]}),
            "bad-element",
            "/example:people/person[name='a']/nickname[.='x']",
            "more than once",
        ),
        (
            people({"name": "a", "nickname": ["x", 5]}),
            "invalid-value",
            "/example:people/person[name='a']/nickname[2]",
            "JSON string",
        ),
        ({"example:peopel": {}}, "unknown-element", "/example:peopel", "'example:people' is meant, perhaps"),
        ({"people": {}}, "unknown-element", "/people", "'example:people' is meant, perhaps"),
        (
            people({"name": "a", "example:age": 3}),
            "unknown-element",
            "/example:people/person[name='a']/example:age",
            "'age'",
        ),
        (
            {"example:route": {"zeppelin": 1}},
            "unknown-element",
            "/example:route/zeppelin",
            "allowed are road, car",
        ),
        ({"example:values": {"observed": "x"}}, "unknown-element", "/example:values/observed", "state data"),
        ({"nobody:values": {}}, "unknown-namespace", "/nobody:values", 'no module "nobody"'),
        ({"\ud800 ": {}}, "unknown-element", "", "\\ud800"),
        (
            {"example:route": {"road": "A1", "ship": {"port": "x"}}},
            "bad-element",
            "/example:route/ship",
            "'road' and 'ship' exclude each other",
        ),
        (
            {"example:route": {"car": "red", "train": "Yui"}},
            "bad-element",
            "/example:route/train",
            "'car' and 'train' exclude each other",
        ),
        (
            {"example:values": {"share": 101}},
            "invalid-value",
            "/example:values/share",
            "A percentage is 0 to 100.",
        ),
    ],
)
def test_a_structural_problem_is_named_with_tag_and_path(
    document: Any, tag: str, path: str, word: str
) -> None:
    error = the_error(document)
    assert (error.error_type, error.error_tag, error.error_path) == ("application", tag, path)
    assert word in error.message


@pytest.mark.parametrize(
    ("document", "info"),
    [
        ({"example:routes": {}}, {"bad-element": "example:routes"}),
        ({"nobody:values": {}}, {"bad-element": "nobody:values", "bad-namespace": "nobody"}),
        (people({"age": 3}), {"bad-element": "name"}),
        (people({"name": "a"}, {"name": "a"}), {"bad-element": "person"}),
        ({"example:route": {"car": "red", "train": "Yui"}}, {"bad-element": "train"}),
    ],
)
def test_the_offending_element_is_in_the_error_info(document: Any, info: dict[str, str]) -> None:
    assert the_error(document).error_info == info


def test_the_models_app_tag_is_passed_on() -> None:
    assert the_error({"example:values": {"share": 101}}).error_app_tag == "not-a-percentage"


def test_all_problems_are_found_at_once_and_the_sound_rest_survives() -> None:
    document = people(
        {"name": "a", "age": 1, "hight": 2, "pet": []},
        {"name": 7, "home": {"city": 1}},
        {"name": "b", "age": -1, "home": {"town": "Naha"}},
    ) | {"example:route": {"note": 5, "road": "A1"}}
    reading = read(EXAMPLE, document)
    assert [error.error_path for error in reading.errors] == [
        "/example:people/person[name='a']/hight",
        "/example:people/person[name='a']/pet",
        "/example:people/person[name='7']/name",
        "/example:people/person[name='7']/home/city",
        "/example:people/person[name='b']/age",
        "/example:route/note",
    ]
    assert reading.tree == people({"name": "a", "age": 1}, {"name": "b", "home": {"town": "Naha"}}) | {
        "example:route": {"road": "A1"}
    }


def test_the_first_of_two_cases_survives() -> None:
    assert read(EXAMPLE, {"example:route": {"car": "red", "train": "Yui"}}).tree == {
        "example:route": {"car": "red"}
    }


def test_what_protobuf_makes_of_a_document_reads_as_the_document() -> None:
    document: Json = {
        "tasuki-network:network": {
            "router": [{"name": "vps"}, {"name": "home"}],
            "tasuki-vxlan-split:vxlan-split": [
                {"name": "ae00", "vni-base": 256, "subscriber": [{"number": 8, "unmanaged": [None]}]}
            ],
        }
    }
    struct = struct_pb2.Struct()
    json_format.Parse(json.dumps(document), struct)
    by_protobuf = read(NETWORK, json_format.MessageToDict(struct))
    assert by_protobuf == read(NETWORK, document)
    assert json.dumps(by_protobuf.tree, sort_keys=True) == json.dumps(
        read(NETWORK, document).tree, sort_keys=True
    )


def test_equal_configurations_read_as_equal_trees() -> None:
    one = {"example:people": {"person": [{"name": "b", "age": 2.0, "home": {}}, {"name": "a", "age": 1}]}}
    other = {
        "example:route": {},
        "example:people": {"visit": [], "person": [{"age": 1, "name": "a"}, {"name": "b", "age": 2}]},
    }
    assert canonical(EXAMPLE, one) == canonical(EXAMPLE, other)


def test_entries_are_sorted_by_their_keys_numbers_as_numbers() -> None:
    document = {"example:crowd": [{"number": 10}, {"number": 9}, {"number": 100}]}
    assert canonical(EXAMPLE, document) == {"example:crowd": [{"number": 9}, {"number": 10}, {"number": 100}]}


def test_the_order_of_a_user_is_kept() -> None:
    visits = [{"day": "tue", "hour": 9}, {"day": "mon", "hour": 8}]
    assert canonical(EXAMPLE, {"example:people": {"visit": visits}}) == {"example:people": {"visit": visits}}


@given(trees(EXAMPLE))
def test_a_canonical_tree_is_returned_itself(tree: Json) -> None:
    assert canonical(EXAMPLE, tree) is tree


@given(ANYTHING)
def test_any_json_value_is_read_without_being_changed(document: Any) -> None:
    before = copy.deepcopy(document)
    reading = read(EXAMPLE, document)
    assert repr(document) == repr(before)
    assert check(EXAMPLE, reading.tree) == []
    for error in reading.errors:
        f"{error} {error.error_info}".encode()


def test_an_invalid_document_raises_all_its_problems_as_lines_for_people() -> None:
    with pytest.raises(InvalidIntent) as invalid:
        canonical(NETWORK, routers({"name": "-"}, {"nam": "x"}))
    assert len(invalid.value.errors) == 3
    assert str(invalid.value).splitlines()[0] == (
        "/tasuki-network:network/router[name='-']/name: A router's name consists of letters, digits, dots, "
        "dashes and underscores, and starts and ends with a letter or digit."
    )


def test_an_error_of_a_router_tree_says_whose_it_is() -> None:
    error = ConfigError(error_tag="invalid-value", error_path="/x:y", message="No.", router="vps")
    assert str(error) == "vps: /x:y: No."
    assert str(ConfigError(error_tag="in-use", message="No.")) == "No."
