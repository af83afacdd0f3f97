import pytest
from hypothesis import given
from hypothesis import strategies as st
from tasuki_agent.kernel import attributes

kinds = st.integers(1, 0x3FFF)


@given(st.dictionaries(kinds, st.binary(max_size=40)))
def test_what_was_packed_is_parsed_again(values: dict[int, bytes]) -> None:
    data = b"".join(attributes.raw(kind, value) for kind, value in values.items())
    assert len(data) % 4 == 0
    assert attributes.parse(data) == values


@given(st.binary(max_size=200))
def test_any_bytes_are_parsed_or_refused(data: bytes) -> None:
    try:
        values = attributes.parse(data)
    except ValueError:
        return
    assert sum(map(len, values.values())) <= len(data)


@pytest.mark.parametrize("data", [b"\3\0\1\0", b"\0\0\0\0", b"\xff\0\1\0abcd"])
def test_an_attribute_of_an_impossible_length_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="attribute of"):
        attributes.parse(data)


@given(st.integers(0, 2**32 - 1))
def test_numbers_survive(number: int) -> None:
    assert attributes.number(attributes.parse(attributes.u32(1, number))[1]) == number


def test_nested_attributes_are_marked_and_parsed_without_the_mark() -> None:
    data = attributes.nested(18, (attributes.u8(1, 7), attributes.be16(2, 4789)))
    assert data[2:4] == (18 | 0x8000).to_bytes(2, "little")
    inner = attributes.parse(attributes.parse(data)[18])
    assert inner == {1: b"\7", 2: b"\x12\xb5"}


@given(st.binary(max_size=15))
def test_every_name_of_an_interface_is_text_that_can_be_reported(name: bytes) -> None:
    attributes.text(name + b"\0").encode()


def test_bytes_that_are_no_text_are_spelled_out() -> None:
    assert attributes.text(b"caf\xe9\0") == "caf\\xe9"
    assert attributes.text("caf\u00e9\0".encode()) == "caf\u00e9"
