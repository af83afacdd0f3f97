"""Netlink attributes: type, length and value, aligned to four bytes, in host byte order (netlink(7))."""

import struct
import sys
from collections.abc import Iterable

from tasuki_agent.kernel.uapi import NLA_F_NESTED, NLA_TYPE_MASK

_HEAD = struct.Struct("=HH")
_U8 = struct.Struct("=HHB3x")
_U16_BIG_ENDIAN = struct.Struct("=HH2s2x")
_U32 = struct.Struct("=HHI")


def raw(kind: int, value: bytes) -> bytes:
    """An attribute of any bytes."""
    return _HEAD.pack(4 + len(value), kind) + value + bytes(-len(value) % 4)


def u8(kind: int, value: int) -> bytes:
    """An 8-bit number."""
    return _U8.pack(5, kind, value)


def be16(kind: int, value: int) -> bytes:
    """A 16-bit number in network byte order, as ports are."""
    return _U16_BIG_ENDIAN.pack(6, kind, value.to_bytes(2, "big"))


def u32(kind: int, value: int) -> bytes:
    """A 32-bit number."""
    return _U32.pack(8, kind, value)


def string(kind: int, value: str) -> bytes:
    """A text with its closing zero."""
    return raw(kind, value.encode() + b"\0")


def nested(kind: int, attributes: Iterable[bytes]) -> bytes:
    """Attributes inside an attribute."""
    return raw(kind | NLA_F_NESTED, b"".join(attributes))


def parse(data: bytes, start: int = 0) -> dict[int, bytes]:
    """Values by type, from `start` to the end of the data.

    Raises:
        ValueError: an attribute is shorter than its own head or longer than the data.
    """
    values: dict[int, bytes] = {}
    unpack = _HEAD.unpack_from
    end = len(data)
    while start + 4 <= end:
        length, kind = unpack(data, start)
        stop = start + length
        if length < 4 or stop > end:  # noqa: PLR2004 - length of the head
            raise ValueError(f"attribute of {length} bytes at byte {start} of {end}")
        values[kind & NLA_TYPE_MASK] = data[start + 4 : stop]
        start = (stop + 3) & ~3
    return values


def number(value: bytes) -> int:
    """The number in a value of 1 to 8 bytes, in host byte order."""
    return int.from_bytes(value, sys.byteorder)


def text(value: bytes) -> str:
    """The text in a value, without its closing zero.

    Names of interfaces may hold any byte but a few. What is not UTF-8 is spelled out in hexadecimal: the text
    ends up in reports, and no message to the kernel names an interface that we only saw.
    """
    return value.rstrip(b"\0").decode(errors="backslashreplace")
