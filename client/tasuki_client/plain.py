"""The protocol's messages as plain JSON values: what `--format json` prints.

Keys are the fields of `tasuki.v1`, which document them. Enumerations are their names in lower case, without
the prefix; times are RFC 3339 in UTC; what is not set is null; a field `X_json` is the value itself, named X.
"""

import json
from typing import Any

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp


def plain(message: Message) -> dict[str, Any]:
    """Every field of the message, set or not. For messages without Structs."""
    return dict(_item(message, name) for name in message.DESCRIPTOR.fields_by_name)


def name_of(message: Message, field: str) -> str:
    """The name of an enumeration's value: "healed" for ACTION_HEALED; the number if it is unknown."""
    return _name(message.DESCRIPTOR.fields_by_name[field].enum_type, getattr(message, field))


def _item(message: Message, name: str) -> tuple[str, Any]:
    field: Any = message.DESCRIPTOR.fields_by_name[name]
    value = getattr(message, name)
    if field.message_type and field.message_type.GetOptions().map_entry:
        return name, dict(value)
    if field.is_repeated:
        return name, [_value(field, item) for item in value]
    if field.has_presence and not message.HasField(name):
        return name, None
    if name.endswith("_json"):
        return name.removesuffix("_json"), json.loads(value) if value else None
    return name, _value(field, value)


def _value(field: Any, value: Any) -> Any:
    if isinstance(value, Timestamp):
        return value.ToJsonString()
    if isinstance(value, Message):
        return plain(value)
    return _name(field.enum_type, value) if field.enum_type else value


def _name(enum: Any, number: int) -> str:
    names = enum.values_by_number
    if number not in names:
        return str(number)
    prefix = names[0].name.removesuffix("UNSPECIFIED")
    return str(names[number].name.removeprefix(prefix).lower())
