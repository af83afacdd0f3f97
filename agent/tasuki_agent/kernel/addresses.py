"""One spelling of addresses: the one that the C library prints for what the kernel holds.

Wanted and observed values go through the same two functions, so that they cannot differ in spelling.
"""

import socket
from typing import Literal

DEFAULT = {socket.AF_INET: "0.0.0.0/0", socket.AF_INET6: "::/0"}
"""The prefix of everything, by family."""


def is_ipv6(address: str) -> bool:
    """Whether the text of an address or prefix is one of IPv6."""
    return ":" in address


def family(address: str) -> int:
    """AF_INET or AF_INET6 of an address or prefix in text."""
    return socket.AF_INET6 if is_ipv6(address) else socket.AF_INET


def yang_family(address: str) -> Literal["ipv4", "ipv6"]:
    """The family as containers of the router tree are called."""
    return "ipv6" if is_ipv6(address) else "ipv4"


def packed(address: str) -> bytes:
    """The 4 or 16 bytes of an address."""
    return socket.inet_pton(family(address), address)


def text(address: bytes) -> str:
    """The address in text: IPv4 of 4 bytes, IPv6 of 16."""
    return socket.inet_ntop(socket.AF_INET if len(address) == 4 else socket.AF_INET6, address)  # noqa: PLR2004


def canonical(address: str) -> str:
    """The same address as the kernel's would be spelled."""
    return text(packed(address))


def canonical_prefix(prefix: str) -> str:
    """The same prefix as the kernel's would be spelled, without bits beyond its length."""
    bits, length = split_prefix(prefix)
    return f"{text(bits)}/{length}"


def split_prefix(prefix: str) -> tuple[bytes, int]:
    """Bytes, masked, and length of a prefix."""
    address, _, digits = prefix.partition("/")
    bits, length = packed(address), int(digits)
    spare = 8 * len(bits) - length
    return ((int.from_bytes(bits, "big") >> spare) << spare).to_bytes(len(bits), "big"), length


def contains(prefix: str, other: str) -> bool:
    """Whether a prefix is all of the other one or more, of the same family."""
    bits, length = split_prefix(prefix)
    other_bits, other_length = split_prefix(other)
    return (
        len(bits) == len(other_bits)
        and length <= other_length
        and split_prefix(f"{text(other_bits)}/{length}")[0] == bits
    )
