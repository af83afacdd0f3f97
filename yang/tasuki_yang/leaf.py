"""Values of leaves: their JSON forms (RFC 7951 section 6) and their canonical spellings (RFC 7950 section 9).

Ranges, lengths, patterns and names are the validator's business.
"""

import json
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from socket import AF_INET6, inet_ntop, inet_pton
from typing import Any, TypeAlias

from tasuki_yang.node import BuiltIn, Type

_NOT_A_YANG_CHARACTER = re.compile(
    "[^\t\n\r\x20-\ud7ff\ue000-\ufdcf\ufdf0-\ufffd"
    + "".join(f"{chr(plane << 16)}-{chr(plane << 16 | 0xFFFD)}" for plane in range(1, 17))
    + "]"
)
_SHOWN = 64
_DECIMAL = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")
_INTEGER = re.compile(r"[+-]?[0-9]+")


class WrongForm(ValueError):  # noqa: N818 - says what is wrong, as a sentence
    """The JSON value cannot be a value of the type."""


def canonical(leaf_type: Type, value: Any) -> Any:
    """The value in its canonical spelling; the same object if it already has it.

    A number without fraction counts as an integer, because protobuf's Struct knows no others. A value that
    its type does not allow is returned as it is.

    Raises:
        WrongForm: it has the wrong JSON form.
    """
    return _READERS[leaf_type.base](leaf_type, value)


def from_text(leaf_type: Type, text: str) -> Any:
    """The canonical value that is spelled `text` in an instance-identifier.

    Raises:
        WrongForm: no value of the type is spelled like this.
    """
    if leaf_type.base == "union":
        for member in leaf_type.members:
            try:
                value = from_text(member, text)
            except WrongForm:
                continue
            if _recognises(member, value):
                return value
    if leaf_type.base in _NUMBERS and _INTEGER.fullmatch(text):
        return int(text)
    if leaf_type.base == "boolean" and text in ("true", "false"):
        return text == "true"
    if leaf_type.base == "empty" and not text:
        return [None]
    return canonical(leaf_type, text)


def to_text(value: Any) -> str:
    """The spelling of a value in an instance-identifier."""
    match value:
        case bool():
            return "true" if value else "false"
        case [None]:
            return ""
    return str(value)


def shown(value: Any) -> str:
    """A JSON value as a message shows it: in one short line that any terminal and UTF-8 can take."""
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "an array"
    text = json.dumps(value, ensure_ascii=False)
    if not text.isprintable():
        text = json.dumps(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 4]}...{text[-1]}"


def _number(leaf_type: Type, value: Any) -> Any:
    if type(value) is int:
        return value
    if type(value) is float and value.is_integer():
        return int(value)
    raise _wrong_form(leaf_type, value, "a JSON number without fraction")


def _boolean(leaf_type: Type, value: Any) -> Any:
    if type(value) is bool:
        return value
    raise _wrong_form(leaf_type, value, "true or false")


def _empty(leaf_type: Type, value: Any) -> Any:
    if value == [None]:
        return value
    raise _wrong_form(leaf_type, value, "[null]")


def _string(leaf_type: Type, value: Any) -> Any:
    text = _text(leaf_type, value)
    if leaf_type.spelling is None:
        return text
    spelled = _SPELLERS[leaf_type.spelling](text)
    return text if spelled is None or spelled == text else spelled


def _integer_text(leaf_type: Type, value: Any) -> Any:
    text = _text(leaf_type, value)
    return str(int(text)) if _INTEGER.fullmatch(text) else text


def _decimal_text(leaf_type: Type, value: Any) -> Any:
    text = _text(leaf_type, value)
    if not _DECIMAL.fullmatch(text):
        return text
    plain = format(Decimal(text), "f")
    whole, _, fraction = plain.partition(".")
    sign = "-" if whole.startswith("-") and Decimal(text) else ""
    return f"{sign}{whole.lstrip('-')}.{fraction.rstrip('0') or '0'}"


def _bits(leaf_type: Type, value: Any) -> Any:
    text = _text(leaf_type, value)
    names = text.split()
    return " ".join(sorted(names, key=leaf_type.names.index)) if set(names) <= set(leaf_type.names) else text


def _identity(leaf_type: Type, value: Any) -> Any:
    text = _text(leaf_type, value)
    return text if ":" in text else f"{leaf_type.module}:{text}"


def _union(leaf_type: Type, value: Any) -> Any:
    """The first member that recognises the value spells it (RFC 7950 section 9.12)."""
    fits = False
    for member in leaf_type.members:
        try:
            spelled = canonical(member, value)
        except WrongForm:
            continue
        fits = True
        if _recognises(member, spelled):
            return spelled
    if not fits:
        raise WrongForm(f"The value {shown(value)} has the form of none of the types that are allowed.")
    return value


def _recognises(member: Type, value: Any) -> bool:
    match member.base:
        case "string" if member.spelling is not None:
            return _SPELLERS[member.spelling](value) is not None
        case "enumeration":
            return value in member.names
        case "bits":
            return set(value.split()) <= set(member.names)
        case "int64" | "uint64":
            return _INTEGER.fullmatch(value) is not None
        case "decimal64":
            return _DECIMAL.fullmatch(value) is not None
    return True


def _text(leaf_type: Type, value: Any) -> str:
    if type(value) is not str:
        raise _wrong_form(leaf_type, value, "a JSON string")
    if not (value.isascii() and value.isprintable()):
        foreign = _NOT_A_YANG_CHARACTER.search(value)
        if foreign:
            raise WrongForm(f"The character U+{ord(foreign[0]):04X} is not allowed in a YANG string.")
    return value


def _wrong_form(leaf_type: Type, value: Any, form: str) -> WrongForm:
    article = "An" if leaf_type.base[0] in "aei" else "A"
    return WrongForm(f"{article} {leaf_type.base} is written as {form}, not as {shown(value)}.")


def _address(text: str) -> str | None:
    """RFC 5952 for IPv6; dotted quads have one spelling. None if it is not an address."""
    address, percent, zone = text.partition("%")
    if ":" not in address:
        return text if address.count(".") == 3 else None  # noqa: PLR2004 - a dotted quad
    try:
        return inet_ntop(AF_INET6, inet_pton(AF_INET6, address)) + percent + zone
    except OSError:
        return None


def _prefix(text: str) -> str | None:
    """Only the spelling changes: bits beyond the length stay, so that they can be reported."""
    address, slash, length = text.partition("/")
    spelled = _address(address)
    return None if spelled is None or not slash else f"{spelled}/{length}"


_SPELLERS: Mapping[str, Callable[[str], str | None]] = {
    "address": _address,
    "prefix": _prefix,
    "lower-case": str.lower,
}
_NUMBERS = frozenset({"int8", "int16", "int32", "uint8", "uint16", "uint32"})
_Reader: TypeAlias = Callable[[Type, Any], Any]
_READERS: Mapping[BuiltIn, _Reader] = {
    "binary": _string,
    "bits": _bits,
    "boolean": _boolean,
    "decimal64": _decimal_text,
    "empty": _empty,
    "enumeration": _string,
    "identityref": _identity,
    "instance-identifier": _string,
    "int8": _number,
    "int16": _number,
    "int32": _number,
    "int64": _integer_text,
    "string": _string,
    "uint8": _number,
    "uint16": _number,
    "uint32": _number,
    "uint64": _integer_text,
    "union": _union,
}
