"""Configuration documents as they travel: a protobuf Struct or JSON text in, RFC 7951 trees inside, and back.

Here only the form is judged; whether the tree fits the models is `tasuki_yang`'s business. JSON is read more
strictly than by Python: a duplicate name, NaN or half a surrogate pair would mean different things to
different readers (RFC 8259 section 4, RFC 7493).
"""

import json
import math
import re
from collections.abc import Iterable
from typing import Any, Final

from google.protobuf import struct_pb2
from tasuki_yang.errors import ConfigError
from tasuki_yang.tree import Tree

from tasuki_controller.failure import Failed

_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def tree_of(struct: struct_pb2.Struct | None, text: bytes, *, what: str = "config") -> Tree | None:
    """The tree of a request that spells it in one of two ways; None if it has none.

    Args:
        struct: the document as a Struct, or None if the field is not set.
        text: the same as JSON text, or empty.
        what: name of the field, for the message.

    Raises:
        Failed: both are there, or the one that is there is malformed.
    """
    if struct is not None and text:
        raise malformed(f"'{what}' and '{what}_json' are two spellings of one document: send one of them.")
    if struct is not None:
        return {name: _value_of(value, what) for name, value in struct.fields.items()}
    return parse(text, what=f"{what}_json") if text else None


def value_of(value: struct_pb2.Value | None, text: bytes, *, what: str = "value") -> Any | None:
    """As `tree_of`, of any JSON value. JSON's null is no value of YANG, and so is none here."""
    if value is not None and text:
        raise malformed(f"'{what}' and '{what}_json' are two spellings of one value: send one of them.")
    if value is not None:
        return _value_of(value, what)
    return _parse(text, what=f"{what}_json") if text else None


def parse(text: bytes, *, what: str) -> Tree:
    """Read JSON text.

    Raises:
        Failed: malformed-message, with line and column where they can be told.
    """
    document = _parse(text, what=what)
    if not isinstance(document, dict):
        raise malformed(f"'{what}' must be a JSON object whose members are top-level nodes.")
    return document


def _parse(text: bytes, *, what: str) -> Any:
    try:
        value = json.loads(text.decode("utf-8"), object_pairs_hook=_object, parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        raise malformed(f"'{what}' is not UTF-8 text: byte {error.start} has no meaning there.") from error
    except json.JSONDecodeError as error:
        raise malformed(
            f"'{what}' is not JSON: {error.msg}, line {error.lineno} column {error.colno}."
        ) from error
    except ValueError as error:
        raise malformed(f"'{what}' is not JSON that can be used: {error}.") from error
    except RecursionError as error:
        raise malformed(f"'{what}' is nested too deeply.") from error
    if b"\\u" in text and _SURROGATE.search(json.dumps(value, ensure_ascii=False)):
        raise malformed(f"'{what}' contains half a surrogate pair, which is no character.")
    return value


def struct_of(tree: Tree) -> struct_pb2.Struct:
    """The tree as a Struct. Its numbers are doubles, which hold every 32-bit integer exactly."""
    struct = struct_pb2.Struct()
    for name, value in tree.items():
        _fill(struct.fields[name], value)
    return struct


def text_of(value: Any, *, sort_names: bool = False) -> bytes:
    """A value as compact JSON text. With sorted names, equal values have equal texts."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=sort_names).encode()


def malformed(message: str) -> Failed:
    """The request cannot be read at all."""
    return Failed([ConfigError(error_type="rpc", error_tag="malformed-message", message=message)])


def _object(members: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    members = list(members)
    result = dict(members)
    if len(result) < len(members):
        names = [name for name, _ in members]
        twice = next(name for name in result if names.count(name) > 1)
        raise ValueError(f"the name '{twice}' occurs twice in one object")
    return result


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


def _value_of(value: struct_pb2.Value, what: str) -> Any:
    match value.WhichOneof("kind"):
        case "struct_value":
            return {name: _value_of(member, what) for name, member in value.struct_value.fields.items()}
        case "list_value":
            return [_value_of(entry, what) for entry in value.list_value.values]
        case "string_value":
            return value.string_value
        case "bool_value":
            return value.bool_value
        case "null_value":
            return None
        case "number_value":
            number = value.number_value
            if not math.isfinite(number):
                raise malformed(f"'{what}' contains {number}, which is no JSON number.")
            return int(number) if number.is_integer() else number
    raise malformed(f"'{what}' contains a google.protobuf.Value without a value.")


def _fill(value: struct_pb2.Value, content: Any) -> None:
    match content:
        case dict():
            value.struct_value.SetInParent()
            for name, member in content.items():
                _fill(value.struct_value.fields[name], member)
        case list():
            value.list_value.SetInParent()
            for entry in content:
                _fill(value.list_value.values.add(), entry)
        case str():
            value.string_value = content
        case bool():
            value.bool_value = content
        case None:
            value.null_value = struct_pb2.NULL_VALUE
        case _:
            value.number_value = content
