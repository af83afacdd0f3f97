"""What is in packets as they go over the wire. Pure."""

import struct
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

IPV4, TCP, UDP, GRE, ICMPV6 = 4, 6, 17, 47, 58
"""Next headers."""
_IPV6_HEADER = 40
_ROUTER_ADVERTISEMENT = 134
_SYN, _ACK = 0x02, 0x10
_MSS_OPTION = 2
_DHCPV4_PORTS, _DHCPV6_PORTS = {67, 68}, {546, 547}
_UDP_HEADER = 8
_DHCPV4_OPTIONS, _DHCPV4_PAD, _DHCPV4_END = 240, 0, 255
_DHCPV4_TYPE = 53


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


@dataclass(frozen=True, slots=True)
class Dhcp:
    """A message of DHCP: its type, and its options by their codes, in order."""

    type: int
    options: tuple[tuple[int, bytes], ...]

    def __getitem__(self, code: int) -> bytes:
        """The only option of this code."""
        (found,) = (data for each, data in self.options if each == code)
        return found

    def __contains__(self, code: int) -> bool:
        """Whether there is such an option."""
        return any(each == code for each, _ in self.options)


def dhcpv6_message(packet: bytes) -> Dhcp | None:
    """What a client or a server says (RFC 8415 section 8), if it is that."""
    if packet[0] >> 4 != 6 or packet[6] != UDP or not _ports(packet[_IPV6_HEADER:]) <= _DHCPV6_PORTS:  # noqa: PLR2004
        return None
    message = packet[_IPV6_HEADER + _UDP_HEADER :]
    return Dhcp(message[0], tuple(dhcpv6_options(message[4:])))


def dhcpv6_options(octets: bytes) -> Iterator[tuple[int, bytes]]:
    """Options one after another, as in a message or in an option that has options."""
    while octets:
        code, length = struct.unpack_from("!HH", octets)
        yield code, octets[4 : 4 + length]
        octets = octets[4 + length :]


def dhcpv4_message(packet: bytes) -> Dhcp | None:
    """The same of DHCPv4 (RFC 2131 section 2)."""
    if packet[0] >> 4 != 4 or packet[9] != UDP:  # noqa: PLR2004 - the version
        return None
    datagram = packet[(packet[0] & 0x0F) * 4 :]
    if not _ports(datagram) <= _DHCPV4_PORTS:
        return None
    options = tuple(_dhcpv4_options(datagram[_UDP_HEADER + _DHCPV4_OPTIONS :]))
    return Dhcp(dict(options)[_DHCPV4_TYPE][0], options)


def _dhcpv4_options(octets: bytes) -> Iterator[tuple[int, bytes]]:
    while octets and octets[0] != _DHCPV4_END:
        if octets[0] == _DHCPV4_PAD:
            octets = octets[1:]
            continue
        yield octets[0], octets[2 : 2 + octets[1]]
        octets = octets[2 + octets[1] :]


def _ports(datagram: bytes) -> set[int]:
    return set(struct.unpack_from("!HH", datagram))


def is_router_advertisement(packet: bytes) -> bool:
    """Whether it is one."""
    return (
        packet[0] >> 4 == 6  # noqa: PLR2004 - the version
        and packet[6] == ICMPV6
        and packet[_IPV6_HEADER] == _ROUTER_ADVERTISEMENT
    )
