"""What a router advertisement says (RFC 4861 section 4.2, RFC 8106)."""

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from ipaddress import IPv6Address
from typing import NamedTuple

from packets import is_router_advertisement

MANAGED, OTHER = 0x80, 0x40
PREFERENCES = {0x08: "high", 0x00: "medium", 0x18: "low"}
_IPV6_HEADER, _HEADER = 40, 16
_PREFIX, _MTU, _RDNSS, _DNSSL = 3, 5, 25, 31


class Lifetimes(NamedTuple):
    valid: int
    preferred: int


@dataclass
class Advertisement:
    """One advertisement.

    Attributes:
        flags: managed and other.
        lifetime: of the default router.
        prefixes: those that hosts may make addresses of.
    """

    flags: int
    preference: str
    lifetime: int
    prefixes: dict[str, Lifetimes] = field(default_factory=dict)
    mtu: int | None = None
    dns_servers: list[str] = field(default_factory=list)
    search_domains: list[str] = field(default_factory=list)

    @classmethod
    def read(cls, packet: bytes) -> "Advertisement":
        icmp = packet[_IPV6_HEADER:]
        flags, lifetime = icmp[5], int.from_bytes(icmp[6:8], "big")
        said = cls(flags & (MANAGED | OTHER), PREFERENCES[flags & 0x18], lifetime)
        for code, data in _options(icmp[_HEADER:]):
            if code == _PREFIX and data[1] & 0x40:
                said.prefixes[str(IPv6Address(data[14:30]))] = Lifetimes(*struct.unpack_from("!II", data, 2))
            elif code == _MTU:
                said.mtu = int.from_bytes(data[2:6], "big")
            elif code == _RDNSS:
                said.dns_servers += [str(IPv6Address(data[n : n + 16])) for n in range(6, len(data), 16)]
            elif code == _DNSSL:
                said.search_domains += _names(data[6:])
        return said


def advertisements(packets: Iterable[bytes]) -> list[Advertisement]:
    """Those among the packets."""
    return [Advertisement.read(packet) for packet in packets if is_router_advertisement(packet)]


def _options(octets: bytes) -> Iterator[tuple[int, bytes]]:
    while octets:
        length = 8 * octets[1]
        yield octets[0], octets[2:length]
        octets = octets[length:]


def _names(octets: bytes) -> list[str]:
    names = []
    labels: list[str] = []
    while octets:
        length = octets[0]
        if length:
            labels.append(octets[1 : 1 + length].decode())
        elif labels:
            names.append(".".join(labels))
            labels = []
        octets = octets[1 + length :]
    return names
