"""Instance-identifiers: written, read, and followed."""

from typing import Any

import pytest
from hypothesis import given
from tasuki_yang.check import canonical
from tasuki_yang.errors import ErrorTag, InvalidIntent
from tasuki_yang.node import List, Type
from tasuki_yang.path import ancestors, entry_path, get, parent, parse, predicate
from unit.yang.example import EXAMPLE, values

TREE: dict[str, Any] = canonical(
    EXAMPLE,
    {
        "example:values": {"switch": True, "example-extension:extra": "5"},
        "example:people": {
            "person": [
                {"name": "anna", "age": 30, "nickname": ["a", "b"], "home": {"town": "Naha"}, "pet": {}},
                {"name": 'it\'s "b"', "age": 40, "example-extension:contact": {"mail": "b@example.net"}},
            ],
            "visit": [{"day": "mon", "hour": 8, "reason": "tea"}, {"day": "tue", "hour": 9}],
        },
    },
)
PEOPLE = TREE["example:people"]


@given(values(Type("string")))
def test_whatever_a_key_holds_its_path_leads_back_to_it(key: str) -> None:
    path = entry_path("/example:people/person", person(), (key,))
    assert parse(EXAMPLE, path)[-1].key == (key,)


def person() -> List:
    node = parse(EXAMPLE, "/example:people/person")[-1].node
    assert isinstance(node, List)
    return node


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("ae00", "[name='ae00']"),
        (8, "[name='8']"),
        (True, "[name='true']"),
        ("it's", '[name="it\'s"]'),
        ('say "hi"', "[name='say \"hi\"']"),
        ('it\'s "b\\c"', '[name="it\'s \\"b\\\\c\\""]'),
    ],
)
def test_a_value_is_quoted_so_that_it_can_be_read_again(value: object, expected: str) -> None:
    assert predicate("name", value) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("", TREE),
        ("/example:values/switch", True),
        ("/example:values/example-extension:extra", "5"),
        ("/example:people/person[name='anna']/age", 30),
        ("/example:people/example:person[example:name='anna']/example:age", 30),
        ('/example:people/person[ name = "anna" ]/home', {"town": "Naha"}),
        ('/example:people/person[name="it\'s \\"b\\""]/example-extension:contact/mail', "b@example.net"),
        ("/example:people/person[name='anna']/nickname[.='b']", "b"),
        ("/example:people/visit[day='mon'][hour='8']/reason", "tea"),
        ("/example:people/visit[hour='8'][day='mon']/reason", "tea"),
        ("/example:people/person", PEOPLE["person"]),
        ("/example:people/person[name='nobody']", None),
        ("/example:people/person[name='nobody']/age", None),
        ("/example:route/note", None),
    ],
)
def test_a_path_leads_to_its_value_or_to_nothing(path: str, expected: object) -> None:
    assert get(EXAMPLE, TREE, path) == expected


@pytest.mark.parametrize(
    ("path", "tag", "word"),
    [
        ("example:people", "invalid-value", "not an instance-identifier"),
        ("/example:people/", "invalid-value", "'/'"),
        ("/example:people/person[name=anna]", "invalid-value", "[name=anna]"),
        ("/people", "unknown-element", "'people'"),
        ("/example:people/persn", "unknown-element", "'persn'"),
        ("/example:people/contact", "unknown-element", "'contact'"),
        ("/example:values/switch/on", "unknown-element", "'on'"),
        ("/example:people/person[age='30']", "bad-element", "with name"),
        ("/example:people/visit[day='mon']", "bad-element", "with day, hour"),
        ("/example:people/person[name='a'][name='b']", "bad-element", "with name"),
        ("/example:people/person/age", "missing-element", "by its keys"),
        ("/example:people[name='a']", "bad-element", "without predicate"),
        ("/example:people/visit[day='mon'][hour='eight']", "invalid-value", "uint8"),
        ("/example:people/visit[day='mon'][hour='300']", "invalid-value", "300"),
    ],
)
def test_a_path_that_leads_nowhere_is_explained(path: str, tag: ErrorTag, word: str) -> None:
    with pytest.raises(InvalidIntent) as invalid:
        get(EXAMPLE, TREE, path)
    (error,) = invalid.value.errors
    assert (error.error_tag, error.error_path) == (tag, path)
    assert word in error.message


def test_what_lies_above_a_node_is_read_off_its_path() -> None:
    path = """/a:x/y[k='/z[1]'][l="it's \\"[/"]/z[3]"""
    entry = path.removesuffix("/z[3]")
    assert ancestors(path) == ["", "/a:x", "/a:x/y", entry, f"{entry}/z"]
    assert parent(path) == entry
    assert parent(entry) == "/a:x"
    assert (ancestors(""), parent("")) == ([], "")
