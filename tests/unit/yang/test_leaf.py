"""Values of leaves: what each type takes, and the one spelling that it keeps."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tasuki_yang.leaf import InvalidValue, canonical, from_text, shown, to_text
from tasuki_yang.node import Leaf, Type
from tasuki_yang.path import parse
from unit.yang.example import EXAMPLE, values

LEAVES = {
    node.label: node.type
    for node in parse(EXAMPLE, "/example:values")[0].node.children.values()  # type: ignore[union-attr]
    if isinstance(node, Leaf)
}


@pytest.mark.parametrize(
    ("leaf", "value", "expected"),
    [
        ("offset", 8.0, 8),
        ("offset", -5, -5),
        ("counter", "007", "7"),
        ("counter", "18446744073709551615", "18446744073709551615"),
        ("ratio", "+01.50", "1.5"),
        ("ratio", "-0", "0.0"),
        ("ratio", "3", "3.0"),
        ("switch", False, False),
        ("flag", [None], [None]),
        ("level", "high", "high"),
        ("rights", "write  read", "read write"),
        ("rights", "", ""),
        ("paint", "red", "example:red"),
        ("paint", "example-extension:blue", "example-extension:blue"),
        ("paint", "dark-red", "example:dark-red"),
        ("address", "2001:DB8:0:0::1", "2001:db8::1"),
        ("address", "FE80::1%eth0", "fe80::1%eth0"),
        ("address", "192.0.2.1", "192.0.2.1"),
        ("address", "::FFFF:192.0.2.1", "::ffff:192.0.2.1"),
        ("prefix", "2001:DB8::1/40", "2001:db8::1/40"),
        ("prefix", "192.0.2.0/24", "192.0.2.0/24"),
        ("domain", "Example.NET", "example.net"),
        ("host", "2001:DB8::1", "2001:db8::1"),
        ("host", 8.0, 8),
        ("host", "any", "any"),
        ("host", True, True),
        ("friend", "anna", "anna"),
        ("text", "日本\n", "日本\n"),
        ("word", "abc", "abc"),
        ("example-extension:extra", "-5", "-5"),
    ],
)
def test_a_value_gets_its_canonical_spelling(leaf: str, value: object, expected: object) -> None:
    spelled = canonical(LEAVES[leaf], value)
    assert spelled == expected
    assert type(spelled) is type(expected)


@pytest.mark.parametrize(
    ("leaf", "value", "sentence"),
    [
        ("offset", "8", 'An int32 is written as a JSON number without fraction, not as "8".'),
        ("offset", 1.5, "An int32 is written as a JSON number without fraction, not as 1.5."),
        ("offset", float("inf"), "An int32 is written as a JSON number without fraction, not as Infinity."),
        ("offset", True, "An int32 is written as a JSON number without fraction, not as true."),
        ("offset", 2**31, "2147483648 is out of range; allowed is -2147483648 to 2147483647."),
        ("counter", 5, "A uint64 is written as a JSON string, not as 5."),
        ("counter", "-1", "-1 is out of range; allowed is 0 to 18446744073709551615."),
        ("counter", "many", '"many" is not a whole number.'),
        ("ratio", "1,5", '"1,5" is not a decimal number.'),
        ("share", 101, "A percentage is 0 to 100."),
        ("share", 256, "256 is out of range; allowed is 0 to 100."),
        ("smaller-share", 11, "11 is out of range; allowed is 0 to 10."),
        ("switch", "true", 'A boolean is written as true or false, not as "true".'),
        ("switch", 1, "A boolean is written as true or false, not as 1."),
        ("flag", None, "An empty is written as [null], not as null."),
        ("flag", True, "An empty is written as [null], not as true."),
        ("level", "middle", "\"middle\" is not allowed here; 'low' or 'high' is."),
        ("rights", "read fly", "\"fly\" is not allowed here; 'read' or 'write' or 'execute' is."),
        ("paint", "colour", '"example:colour" is not an identity that is allowed here.'),
        ("paint", "example:dark-rde", "'example:dark-red' is."),
        ("paint", "blue", "'example-extension:blue' is."),
        ("address", "2001:db8::g", '"2001:db8::g" is not an IPv6 address.'),
        ("address", "010.0.0.1", '"010.0.0.1" is not an IPv4 address.'),
        ("plain-address", "fe80::1%eth0", '"fe80::1%eth0" is not an IPv6 address without zone.'),
        ("prefix", "2001:db8::/129", '"2001:db8::/129" is not an IPv6 prefix with its length.'),
        ("prefix", "2001:db8::", '"2001:db8::" is not an IPv6 prefix with its length.'),
        ("prefix", "192.0.2.0/024", '"192.0.2.0/024" is not an IPv4 prefix with its length.'),
        ("host", 1.5, "A uint16 is written as a JSON number without fraction, not as 1.5."),
        ("text", "123456789", '"123456789" is 9 characters long; allowed is 0 to 8 or 12.'),
        ("text", "a\0", "The character U+0000 is not allowed in a YANG string."),
        ("text", "\ud800", "The character U+D800 is not allowed in a YANG string."),
        ("text", None, "A string is written as a JSON string, not as null."),
        ("text", {}, "A string is written as a JSON string, not as an object."),
        ("word", "ABC", '"ABC" does not match the pattern [a-z]+'),
        ("word", "abc\n", '"abc\\n" does not match the pattern [a-z]+'),
        ("word", "xyz", "A word does not start with an x."),
    ],
)
def test_a_value_that_is_not_allowed_is_told_what_is(leaf: str, value: object, sentence: str) -> None:
    with pytest.raises(InvalidValue) as invalid:
        canonical(LEAVES[leaf], value)
    assert sentence in str(invalid.value)


def test_the_models_own_app_tag_goes_with_its_message() -> None:
    with pytest.raises(InvalidValue) as invalid:
        canonical(LEAVES["share"], 101)
    assert invalid.value.app_tag == "not-a-percentage"


@given(st.sampled_from(sorted(LEAVES)).flatmap(lambda leaf: st.tuples(st.just(leaf), values(LEAVES[leaf]))))
def test_a_canonical_value_is_kept_and_survives_its_path(sample: tuple[str, Any]) -> None:
    leaf, value = sample
    assert canonical(LEAVES[leaf], value) is value
    assert from_text(LEAVES[leaf], to_text(value)) == value


@given(
    st.sampled_from(sorted(LEAVES)),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    ),
)
def test_any_json_value_is_taken_or_refused_in_words_that_can_be_sent(leaf: str, value: Any) -> None:
    try:
        canonical(LEAVES[leaf], value)
    except InvalidValue as error:
        str(error).encode()


def test_a_long_value_is_shown_in_one_short_line() -> None:
    assert shown("x" * 100) == f'"{"x" * 59}..."'
    assert shown("a\nb") == '"a\\nb"'
    assert shown("日本") == '"日本"'


def test_a_type_that_is_a_union_of_one_behaves_as_its_member() -> None:
    assert canonical(Type("union", members=(Type("boolean"),)), True) is True
