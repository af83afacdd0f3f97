"""Values of leaves: JSON forms (RFC 7951 section 6), spellings and restrictions (RFC 7950 section 9).

The validator checks types as well, but it loses its place below a list entry with a bad key, and says that a
value is wrong without saying what is allowed. So values are judged here, before it sees them.
"""

import functools
import json
import re
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from difflib import get_close_matches
from socket import AF_INET, AF_INET6, AddressFamily, inet_ntop, inet_pton
from typing import Any, TypeAlias

from tasuki_yang.node import Bounds, BuiltIn, Format, Pattern, Type

INTEGERS: Mapping[str, tuple[int, int]] = {
    f"{sign}int{bits}": (0, 2**bits - 1) if sign else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    for sign in ("", "u")
    for bits in (8, 16, 32, 64)
}
"""Least and greatest number of each integer type."""

_NOT_A_YANG_CHARACTER = re.compile(
    "[^\t\n\r\x20-\ud7ff\ue000-\ufdcf\ufdf0-\ufffd"
    + "".join(f"{chr(plane << 16)}-{chr(plane << 16 | 0xFFFD)}" for plane in range(1, 17))
    + "]"
)
_SHOWN = 64
_DECIMAL = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")
_INTEGER = re.compile(r"[+-]?[0-9]+")
_LENGTH_IN_PREFIX = re.compile(r"0|[1-9][0-9]{0,2}")


class InvalidValue(ValueError):  # noqa: N818 - says what is wrong, as a sentence
    """The type does not allow the value."""

    def __init__(self, message: str, app_tag: str = "") -> None:
        super().__init__(message)
        self.app_tag = app_tag


def canonical(leaf_type: Type, value: Any) -> Any:
    """The value in its canonical spelling; the same object if it already has it.

    A number without fraction counts as an integer, because protobuf's Struct knows no others.

    Raises:
        InvalidValue: the type does not allow the value.
    """
    return _READERS[leaf_type.base](leaf_type, value)


def from_text(leaf_type: Type, text: str) -> Any:
    """The canonical value that is spelled `text` in an instance-identifier.

    Raises:
        InvalidValue: no value of the type is spelled like this.
    """
    if leaf_type.base == "union":
        return _first_of_union(leaf_type, text, from_text)
    value: Any = text
    if leaf_type.base in _NUMBERS and _INTEGER.fullmatch(text):
        value = int(text)
    elif leaf_type.base == "boolean" and text in ("true", "false"):
        value = text == "true"
    elif leaf_type.base == "empty" and not text:
        value = [None]
    return canonical(leaf_type, value)


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
    number = int(value) if type(value) is float and value.is_integer() else value
    if type(number) is not int:
        raise _wrong_form(leaf_type, value, "a JSON number without fraction")
    _check_range(leaf_type, number)
    return number


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
    if leaf_type.format is not None:
        text = _FORMATS[leaf_type.format](text)
    bounds = leaf_type.bounds
    if bounds is not None and not _is_within(bounds, len(text)):
        message = f"{shown(text)} is {len(text)} characters long; allowed is {_allowed(bounds)}."
        raise InvalidValue(bounds.message or message, bounds.app_tag)
    for pattern in leaf_type.patterns:
        _check_pattern(pattern, text)
    return value if text == value else text


def _integer_text(leaf_type: Type, value: Any) -> Any:
    text = _text(leaf_type, value)
    if not _INTEGER.fullmatch(text):
        raise InvalidValue(f"{shown(text)} is not a whole number.")
    number = int(text)
    _check_range(leaf_type, number)
    return value if str(number) == value else str(number)


def _decimal_text(leaf_type: Type, value: Any) -> Any:
    text = _text(leaf_type, value)
    if not _DECIMAL.fullmatch(text):
        raise InvalidValue(f"{shown(text)} is not a decimal number.")
    number = Decimal(text)
    whole, _, fraction = format(abs(number), "f").partition(".")
    spelled = f"{'-' if number < 0 else ''}{whole.lstrip('0') or '0'}.{fraction.rstrip('0') or '0'}"
    return value if spelled == value else spelled


def _enumeration(leaf_type: Type, value: Any) -> Any:
    return _chosen(leaf_type, _text(leaf_type, value))


def _bits(leaf_type: Type, value: Any) -> Any:
    names = [_chosen(leaf_type, name) for name in _text(leaf_type, value).split()]
    spelled = " ".join(sorted(set(names), key=leaf_type.names.index))
    return value if spelled == value else spelled


def _identity(leaf_type: Type, value: Any) -> Any:
    text = _text(leaf_type, value)
    return _chosen(leaf_type, text if ":" in text else f"{leaf_type.module}:{text}")


def _chosen(leaf_type: Type, name: str) -> str:
    if name in leaf_type.names:
        return name
    if leaf_type.base != "identityref":
        raise InvalidValue(f"{shown(name)} is not allowed here; {_listed(leaf_type.names)} is.")
    plain = name.rpartition(":")[2].lower()
    likely = get_close_matches(plain, [known.rpartition(":")[2].lower() for known in leaf_type.names])
    meant = [known for known in leaf_type.names if known.rpartition(":")[2].lower() in likely]
    hint = f"; {_listed(meant)} is" if meant else ""
    raise InvalidValue(f"{shown(name)} is not an identity that is allowed here{hint}.")


def _union(leaf_type: Type, value: Any) -> Any:
    return _first_of_union(leaf_type, value, canonical)


def _first_of_union(union: Type, value: Any, read: "_Reader") -> Any:
    """What the first member that allows the value makes of it (RFC 7950 section 9.12)."""
    problems: dict[str, None] = {}
    for member in union.members:
        try:
            return read(member, value)
        except InvalidValue as error:
            problems[str(error)] = None
    raise InvalidValue(" ".join(problems))


def _check_range(leaf_type: Type, number: int) -> None:
    """The model's own message is about its range, and not about what no number of the type can be."""
    bounds = leaf_type.bounds
    if bounds is not None and not _is_within(bounds, number):
        message = f"{number} is out of range; allowed is {_allowed(bounds)}."
        lowest, highest = INTEGERS[leaf_type.base]
        raise InvalidValue(
            bounds.message if lowest <= number <= highest and bounds.message else message, bounds.app_tag
        )


def _is_within(bounds: Bounds, measure: int) -> bool:
    return any(low <= measure <= high for low, high in bounds.parts)


def _allowed(bounds: Bounds) -> str:
    return " or ".join(str(low) if low == high else f"{low} to {high}" for low, high in bounds.parts)


def _check_pattern(pattern: Pattern, text: str) -> None:
    matches = _compiled(pattern.expression).fullmatch(text) is not None
    if matches == pattern.invert:
        verb = "matches" if matches else "does not match"
        raise InvalidValue(
            pattern.message or f"{shown(text)} {verb} the pattern {pattern.expression}", pattern.app_tag
        )


_compiled = functools.cache(re.compile)


def _text(leaf_type: Type, value: Any) -> str:
    if type(value) is not str:
        raise _wrong_form(leaf_type, value, "a JSON string")
    if not (value.isascii() and value.isprintable()):
        foreign = _NOT_A_YANG_CHARACTER.search(value)
        if foreign:
            raise InvalidValue(f"The character U+{ord(foreign[0]):04X} is not allowed in a YANG string.")
    return value


def _wrong_form(leaf_type: Type, value: Any, form: str) -> InvalidValue:
    article = "An" if leaf_type.base[0] in "aei" else "A"
    return InvalidValue(f"{article} {leaf_type.base} is written as {form}, not as {shown(value)}.")


def _listed(names: Iterable[str]) -> str:
    return " or ".join(f"'{name}'" for name in names)


def _address(family: AddressFamily, name: str, *, zone_allowed: bool) -> Callable[[str], str]:
    """RFC 5952 for IPv6; a dotted quad has one spelling only."""

    def spell(text: str) -> str:
        address, percent, zone = text.partition("%")
        try:
            spelled = inet_ntop(family, inet_pton(family, address))
        except (OSError, UnicodeEncodeError):
            spelled = ""
        if not spelled or (percent and not (zone and zone_allowed)):
            without_zone = "" if zone_allowed else " without zone"
            raise InvalidValue(f"{shown(text)} is not an {name} address{without_zone if percent else ''}.")
        return spelled + percent + zone

    return spell


def _prefix(family: AddressFamily, name: str, longest: int) -> Callable[[str], str]:
    """Bits beyond the length stay, unlike in RFC 6991's canonical format, so that they can be reported."""

    def spell(text: str) -> str:
        address, _, length = text.partition("/")
        try:
            spelled = inet_ntop(family, inet_pton(family, address))
        except (OSError, UnicodeEncodeError):
            spelled = ""
        if not spelled or not _LENGTH_IN_PREFIX.fullmatch(length) or int(length) > longest:
            raise InvalidValue(f"{shown(text)} is not an {name} prefix with its length.")
        return f"{spelled}/{length}"

    return spell


_FORMATS: Mapping[Format, Callable[[str], str]] = {
    "ipv4-address": _address(AF_INET, "IPv4", zone_allowed=True),
    "ipv4-address-no-zone": _address(AF_INET, "IPv4", zone_allowed=False),
    "ipv4-prefix": _prefix(AF_INET, "IPv4", 32),
    "ipv6-address": _address(AF_INET6, "IPv6", zone_allowed=True),
    "ipv6-address-no-zone": _address(AF_INET6, "IPv6", zone_allowed=False),
    "ipv6-prefix": _prefix(AF_INET6, "IPv6", 128),
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
    "enumeration": _enumeration,
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
