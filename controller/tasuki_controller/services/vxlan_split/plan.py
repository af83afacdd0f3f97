"""What follows from a split's prefix and a subscriber's number: every address, name and size.

Pure arithmetic. A person types a prefix and numbers; nothing that is computed here is ever typed.
"""

from dataclasses import dataclass
from ipaddress import IPv6Network
from socket import AF_INET6, inet_ntop

SITE_LENGTH = 48
PREFIX_LENGTHS = range(32, SITE_LENGTH)
RESERVED_NUMBER = 0
"""Number of the /48 that holds the routed /64s and, inside its /64 number 0, the links."""

SMALLEST_MTU = 1280
"""What IPv6 demands of every link (RFC 8200 section 5)."""

_OVERHEAD = {4: 50, 6: 70}
"""Bytes by family of the underlay: outer IP header, UDP 8, VXLAN 8 and the inner Ethernet header 14."""


@dataclass(frozen=True, slots=True)
class Prefix:
    """An IPv6 prefix, and the first addresses in it, in the spelling of RFC 5952.

    Thousands are spelled in one transaction, which `ipaddress` does ten times slower.
    """

    base: int
    length: int

    def __str__(self) -> str:
        """As people write it."""
        return f"{self.address(0)}/{self.length}"

    def address(self, number: int) -> str:
        """The address with this number in the prefix."""
        return inet_ntop(AF_INET6, (self.base + number).to_bytes(16))


@dataclass(frozen=True, slots=True)
class Share:
    """One subscriber's part of a split."""

    base: int
    """The split's prefix."""
    number: int
    vni: int

    @property
    def link(self) -> Prefix:
        """The /80 of the tunnel itself."""
        return Prefix(self.base | self.number << 48, 80)

    @property
    def routed64(self) -> Prefix:
        """The /64 in the /48 number 0."""
        return Prefix(self.base | self.number << 64, 64)

    @property
    def routed48(self) -> Prefix:
        """The /48."""
        return Prefix(self.base | self.number << 80, SITE_LENGTH)

    @property
    def interface(self) -> str:
        """Name of the tunnel, on both ends."""
        return interface_name(self.vni)

    @property
    def hub_address(self) -> str:
        """The hub's address on the link."""
        return self.link.address(1)

    @property
    def subscriber_address(self) -> str:
        """The subscriber's address on the link."""
        return self.link.address(2)

    @property
    def hub_mac_address(self) -> str:
        """Link-layer address of the hub's end."""
        return _mac_address(self.vni, 1)

    @property
    def subscriber_mac_address(self) -> str:
        """Link-layer address of the subscriber's end."""
        return _mac_address(self.vni, 2)

    @property
    def prefixes(self) -> tuple[Prefix, Prefix, Prefix]:
        """All that the tunnel carries."""
        return self.link, self.routed64, self.routed48

    def lan(self, subnet_id: int | None) -> Prefix:
        """The /64 of a LAN: one of the routed /48's, or the routed /64 itself for None."""
        return self.routed64 if subnet_id is None else Prefix(self.routed48.base | subnet_id << 64, 64)


def share(prefix: IPv6Network, vni_base: int, number: int) -> Share:
    """The share of one subscriber; `number` lies in `numbers(prefix)`."""
    return Share(int(prefix.network_address), number, vni_base + number)


def numbers(prefix: IPv6Network) -> range:
    """The numbers that subscribers of a prefix can have: none unless it is between /32 and /47 long."""
    if prefix.prefixlen not in PREFIX_LENGTHS:
        return range(0)
    return range(RESERVED_NUMBER + 1, 1 << SITE_LENGTH - prefix.prefixlen)


def interface_name(vni: int) -> str:
    """Name of the tunnel with a VNI: at least two hexadecimal digits, 24 bits fit into IFNAMSIZ."""
    return f"vxlan{vni:02x}"


def _mac_address(vni: int, end: int) -> str:
    """Locally administered, and the same each time the tunnel is built: 02:74, the VNI, the end."""
    return (b"\x02\x74" + vni.to_bytes(3) + bytes([end])).hex(":")


def tunnel_mtu(underlay_mtu: int, family: int) -> int:
    """MTU of a tunnel over an underlay of IP version 4 or 6."""
    return underlay_mtu - _OVERHEAD[family]


def smallest_underlay_mtu(family: int) -> int:
    """MTU that an underlay of IP version 4 or 6 needs at least."""
    return SMALLEST_MTU + _OVERHEAD[family]
