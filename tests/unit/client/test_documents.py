"""Documents come in as people write them, and nothing in them changes its meaning on the way."""

import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tasuki_client import documents
from tasuki_client.documents import DocumentError
from tasuki_client.errors import ConfigRejected
from tasuki_yang.tree import Tree

NETWORK = "tasuki-network:network"

names = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=12)
TRAPS = (
    *("on", "no", "Yes", "null", "~", "", "12:30", "1e3", "0o17", "0x1f", "010", "1_000", ".inf", "true"),
    *("::", "::1", "2001:db8::", "2001:db8::/32", "2026-11-20", "=", "<<", "- a", "a: b", "#", "a #b", "@x"),
    *("...", "---", " a", "a ", "a\nb", "'", '"', "\\", "襷"),
)
traps = st.sampled_from(TRAPS)
strings = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=30) | traps
values = st.recursive(
    strings | st.booleans() | st.none() | st.integers(-(2**63), 2**64) | st.floats(-1e6, 1e6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names | traps, inner, max_size=3),
    max_leaves=12,
)
trees = st.dictionaries(names | traps, values, min_size=1, max_size=4)


@given(trees)
def test_what_is_written_as_yaml_reads_back_as_it_was(tree: Tree) -> None:
    assert documents.parse(documents.to_yaml(tree), "f.yaml") == tree


@given(trees)
def test_what_is_written_as_json_reads_back_as_it_was(tree: Tree) -> None:
    assert documents.parse(json.dumps(tree), "f.json") == tree


@pytest.mark.parametrize(
    ("scalar", "value"),
    [
        ("on", "on"),
        ("yes", "yes"),
        ("No", "No"),
        ("12:30", "12:30"),
        ("1:2:3", "1:2:3"),
        ("010", 10),
        ("0x1F", 31),
        ("0o17", 15),
        ("1_000", "1_000"),
        ("+1", 1),
        ("1e3", 1000.0),
        ("2026-11-20", "2026-11-20"),
        ("::1", "::1"),
        ("2001:db8:ae00::/40", "2001:db8:ae00::/40"),
        ("10.1.1.2", "10.1.1.2"),
        ("TRUE", True),
        ("tRUE", "tRUE"),
        ("~", None),
        ("", None),
        ("'1'", "1"),
        ("!!str 1", "1"),
        ("<<", "<<"),
    ],
)
def test_a_yaml_scalar_is_what_the_core_schema_of_yaml_1_2_says(scalar: str, value: object) -> None:
    read = documents.parse(f"leaf: {scalar}\n", "f.yaml")["leaf"]
    assert read == value
    assert type(read) is type(value)


def test_an_empty_leaf_is_written_as_a_list_of_null() -> None:
    assert documents.parse("unmanaged: [null]", "f.yaml") == {"unmanaged": [None]}


def test_qualified_names_need_no_quotes() -> None:
    text = "tasuki-network:network:\n  router:\n  - name: vps\n"
    assert documents.parse(text, "f.yaml") == {NETWORK: {"router": [{"name": "vps"}]}}


def test_a_byte_order_mark_is_no_part_of_the_document(tmp_path: Path) -> None:
    file = tmp_path / "bom.json"
    file.write_bytes(b'\xef\xbb\xbf{"a": 1}')
    assert documents.read(str(file)) == {"a": 1}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "f:"),
        ("# nothing\n", "f: the document is empty; the empty configuration is written {}"),
        ("- 1\n", "f: a configuration is a mapping"),
        ("just text", "f: a configuration is a mapping"),
        ("a: 1\nb:\n  c: 1\n  c: 2\n", "f:4: the key 'c' already stands in line 3"),
        ('{"a": 1, "a": 2}', "f: the key 'a' stands twice in one object"),
        ('{"a": [1,\n2,]}', "f:2: "),
        ('{"a": NaN}', "f: NaN is no JSON number"),
        ('{"a": 1} x', "f:1: Extra data"),
        ('{"a": ' + "9" * 5000 + "}", "f: "),
        ("a: " + "9" * 5000, "f:1: "),
        ("a: .inf", "f:1: '.inf' (float) has no counterpart in a configuration"),
        ("a: !!python/object:os.system x", "f:1: "),
        ("a: !!int abc", "f:1: "),
        ("1: a", "f:1: a key is the name of a node, a string"),
        ("? [a]\n: b", "f:1: a key is the name of a node, a string"),
        ("a: b\n\tc: d", "f:2: "),
        ("a: 'b", "f:1: "),
        ("a: *b", "f:1: found undefined alias"),
        ("a: &a [*a]", "f: the document is nested too deeply, or refers to itself"),
        ("a: b\n---\nc: d", "f:2: "),
        ("a: 1\nprefix: 2001:db8::\n", "f:2: "),
        ("a: [::1]", "needs quotes"),
        ("a: b\0c", "f: "),
        ("[" * 100_000, "f: "),
        ('{"a":' * 100_000, "f: "),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_line(text: str, problem: str) -> None:
    with pytest.raises(DocumentError) as error:
        documents.parse(text, "f")
    assert problem in str(error.value)
    assert "\n" not in str(error.value)


def test_an_address_that_yaml_misreads_is_explained() -> None:
    with pytest.raises(DocumentError, match="an IPv6 address that ends in ':'"):
        documents.parse("a: 1\nremote: 2001:db8::\n", "f")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r"none\.yaml: No such file or directory"):
        documents.read(str(tmp_path / "none.yaml"))


def test_a_directory_is_no_document(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="Is a directory"):
        documents.read(str(tmp_path))


def test_text_that_is_not_utf_8_is_refused_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "sjis.yaml"
    file.write_bytes("a: 1\nb: 2\nc: 流".encode("shift-jis"))
    with pytest.raises(DocumentError, match=r"sjis\.yaml:3: the text is not UTF-8"):
        documents.read(str(file))


def test_a_dash_is_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"a: 1\na: 2\n")))
    with pytest.raises(DocumentError, match="standard input:2: the key 'a' already stands in line 1"):
        documents.read("-")


def network(tmp_path: Path, name: str, *routers: dict[str, str]) -> str:
    file = tmp_path / name
    file.write_text(json.dumps({NETWORK: {"router": routers}}))
    return str(file)


def test_several_files_are_merged_in_their_order(tmp_path: Path) -> None:
    first = network(tmp_path, "1.json", {"name": "vps", "description": "old"}, {"name": "home"})
    second = network(tmp_path, "2.json", {"name": "vps", "description": "new"})
    merged = documents.read_all([first, second], router=False)
    assert merged == {NETWORK: {"router": [{"name": "home"}, {"name": "vps", "description": "new"}]}}


def test_one_file_is_left_to_the_controller_to_judge(tmp_path: Path) -> None:
    file = tmp_path / "wrong.json"
    file.write_text('{"no-such-node": 1}')
    assert documents.read_all([str(file)], router=False) == {"no-such-node": 1}


def test_files_that_cannot_be_merged_are_refused_with_every_problem(tmp_path: Path) -> None:
    file = tmp_path / "wrong.json"
    file.write_text('{"no-such-node": 1, "another": 2}')
    with pytest.raises(ConfigRejected) as rejected:
        documents.read_all([network(tmp_path, "1.json", {"name": "vps"}), str(file)], router=False)
    assert len(rejected.value.errors) == 2
