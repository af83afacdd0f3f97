"""What is in packets as they go over the wire. Pure."""

import struct
from collections.abc import Collection
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

IPV4, TCP, GRE, ICMPV6 = 4, 6, 47, 58
"""Next headers."""
_IPV6_HEADER = 40
_ROUTER_ADVERTISEMENT = 134
_SYN, _ACK = 0x02, 0x10
_MSS_OPTION = 2


@dataclass(frozen=True, slots=True)
class Outer:
    """An IPv6 packet that may carry another one; of any other packet all is empty."""

    source: str = ""
    to: str = ""
    next_header: int = -1
    hop_limit: int = 0
    size: int = 0
    inner_ipv4: tuple[str, str] | None = None

    @classmethod
    def read(cls, packet: bytes) -> "Outer":
        """From the wire."""
        if packet[0] >> 4 != 6:  # noqa: PLR2004 - the version
            return cls()
        inner = packet[_IPV6_HEADER:]
        return cls(
            str(IPv6Address(packet[8:24])),
            str(IPv6Address(packet[24:40])),
            packet[6],
            packet[7],
            len(packet),
            (str(IPv4Address(inner[12:16])), str(IPv4Address(inner[16:20]))) if packet[6] == IPV4 else None,
        )

    def between(self, addresses: Collection[str]) -> bool:
        """Whether one of its ends is one of these."""
        return self.source in addresses or self.to in addresses


def announced_mss(packet: bytes, *, answering: bool) -> int | None:
    """The MSS of an IPv4 packet that opens a TCP connection, or that answers such a one."""
    if packet[0] >> 4 != 4 or packet[9] != TCP:  # noqa: PLR2004 - the version
        return None
    segment = packet[(packet[0] & 0x0F) * 4 :]
    if segment[13] & (_SYN | _ACK) != (_SYN | _ACK if answering else _SYN):
        return None
    options = segment[20 : (segment[12] >> 4) * 4]
    while options and options[0]:
        if options[0] == _MSS_OPTION:
            return int(struct.unpack_from("!H", options, 2)[0])
        options = options[1 if options[0] == 1 else options[1] :]
    return None


def is_router_advertisement(packet: bytes) -> bool:
    """Whether it is one."""
    return (
        packet[0] >> 4 == 6  # noqa: PLR2004 - the version
        and packet[6] == ICMPV6
        and packet[_IPV6_HEADER] == _ROUTER_ADVERTISEMENT
    )
