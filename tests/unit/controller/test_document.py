import json
import math

import pytest
from google.protobuf import struct_pb2
from hypothesis import given
from hypothesis import strategies as st
from tasuki_controller.document import parse, struct_of, text_of, tree_of
from tasuki_controller.failure import Failed
from tasuki_yang.tree import Tree

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**32), 2**32) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=10,
)
TREES = st.dictionaries(TEXTS, VALUES, max_size=4)


@given(TREES)
def test_a_tree_survives_a_struct_and_back(tree: Tree) -> None:
    back = tree_of(struct_of(tree), b"")
    assert back == tree
    # 1 == True in Python: the texts tell them apart.
    assert text_of(back, sort_names=True) == text_of(tree, sort_names=True)


@given(TREES)
def test_a_tree_survives_json_and_back(tree: Tree) -> None:
    assert parse(text_of(tree), what="config_json") == tree


@given(TREES)
def test_equal_trees_have_equal_texts(tree: Tree) -> None:
    turned = dict(reversed(tree.items()))
    assert text_of(turned, sort_names=True) == text_of(tree, sort_names=True)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b'{"a": 1,}', "line 1 column 9"),
        (b'{\n"a" 1}', "line 2 column 5"),
        (b'{"a": 1', "line 1"),
        (b'{"a": 1, "a": 2}', "'a' occurs twice"),
        (b'{"x": {"a": 1, "b": 2, "a": 1}}', "'a' occurs twice"),
        (b'{"a": NaN}', "NaN"),
        (b'{"a": -Infinity}', "-Infinity"),
        (b'{"a": "\xff"}', "byte 7"),
        (b'{"a": "\\ud800"}', "surrogate"),
        (b'{"\\udfff": 1}', "surrogate"),
        (b"[]", "object"),
        (b'"text"', "object"),
        (b"null", "object"),
        (b'{"a": ' + b"9" * 5000 + b"}", "digits"),
        (b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested"),
        (b'{"a":' * 50_000 + b"1" + b"}" * 50_000, "nested"),
        ("﻿{}".encode(), "BOM"),
    ],
)
def test_malformed_text_is_refused_in_words(text: bytes, words: str) -> None:
    with pytest.raises(Failed, match=words) as failed:
        parse(text, what="config_json")
    (problem,) = failed.value.problems
    assert problem.error_tag == "malformed-message"
    assert problem.message.endswith(".")


def test_a_surrogate_pair_is_a_character() -> None:
    assert parse(b'{"a": "\\ud83d\\ude00"}', what="config_json") == {"a": "😀"}


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_a_struct_with_a_number_that_json_lacks_is_refused(number: float) -> None:
    struct = struct_pb2.Struct()
    struct.fields["a"].list_value.values.add().number_value = number
    with pytest.raises(Failed, match="no JSON number"):
        tree_of(struct, b"")


def test_a_struct_with_a_hole_is_refused() -> None:
    struct = struct_pb2.Struct()
    struct.fields["a"].SetInParent()
    with pytest.raises(Failed, match="without a value"):
        tree_of(struct, b"")


def test_two_spellings_at_once_are_refused() -> None:
    with pytest.raises(Failed, match="two spellings"):
        tree_of(struct_pb2.Struct(), b"{}")


def test_no_spelling_is_no_document() -> None:
    assert tree_of(None, b"") is None
    assert tree_of(struct_pb2.Struct(), b"") == {}


def test_integral_doubles_of_a_struct_are_integers() -> None:
    struct = struct_pb2.Struct()
    struct.fields["vni"].number_value = 8.0
    tree = tree_of(struct, b"")
    assert json.dumps(tree) == '{"vni": 8}'
