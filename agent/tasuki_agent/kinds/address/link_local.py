"""Link-local addresses of IPv6: which interfaces lack the one that they need, and which one that is.

The kernel asks for the neighbours of packets that it forwards from the interface's link-local address and
from no other. Where `ip address flush` took it away, addresses and routes look as they should, and nothing
gets through any more. The kernel itself makes one only when an interface comes up.
"""

import struct
from collections.abc import Container, Iterable
from typing import Final

from tasuki_agent.kernel import addresses, uapi
from tasuki_agent.kernel.attributes import number, parse

PREFIX: Final = "fe80::/10"
LENGTH: Final = 64
"""Of the addresses that are made."""

# linux/if.h, linux/if_arp.h, linux/if_link.h
_IFF_RUNNING: Final = 0x40
_IFF_NOARP: Final = 0x80
_ARPHRD_ETHER: Final = 1
_IFLA_AF_SPEC: Final = 26
_IFLA_INET6_ADDR_GEN_MODE: Final = 8
_IN6_ADDR_GEN_MODE_NONE: Final = 1

_ADDRESS = struct.Struct("=BBBBI")
"""struct ifaddrmsg: family, prefix length, flags, scope, index."""
_LINK = struct.Struct("=BxHiII")
"""struct ifinfomsg: family, type of the device, index, flags, mask of the flags."""


def without(messages: Iterable[bytes]) -> set[int]:
    """Indexes of the interfaces that have IPv6 addresses but no link-local one, of a dump of IPv6 addresses.

    One that another host has as well is none.
    """
    with_any, with_link_local = set(), set()
    for message in messages:
        _, _, flags, scope, index = _ADDRESS.unpack_from(message)
        if scope < uapi.RT_SCOPE_LINK:
            with_any.add(index)
        elif scope == uapi.RT_SCOPE_LINK and not flags & uapi.IFA_F_DADFAILED:
            with_link_local.add(index)
    return with_any - with_link_local


def missing(links: Iterable[bytes], indexes: Container[int]) -> dict[int, str]:
    """The addresses that the interfaces need which are up, seek neighbours, and are to have one at all.

    Args:
        links: a dump of links.
        indexes: of the interfaces without a link-local address.
    """
    needed = {}
    for message in links:
        _, device_type, index, flags, _ = _LINK.unpack_from(message)
        in_use = flags & uapi.IFF_UP and flags & _IFF_RUNNING and not flags & _IFF_NOARP
        if index not in indexes or device_type != _ARPHRD_ETHER or not in_use:
            continue
        values = parse(message, _LINK.size)
        ipv6 = parse(parse(values.get(_IFLA_AF_SPEC, b"")).get(uapi.AF_INET6, b""))
        mode = ipv6.get(_IFLA_INET6_ADDR_GEN_MODE)
        # Without a mode the interface lost IPv6 while we looked.
        if mode is not None and number(mode) != _IN6_ADDR_GEN_MODE_NONE:
            needed[index] = of_mac_address(values[uapi.IFLA_ADDRESS])
    return needed


def of_mac_address(mac: bytes) -> str:
    """The address with the interface's identifier in Modified EUI-64 format (RFC 4291 appendix A)."""
    return addresses.text(b"\xfe\x80" + bytes(6) + bytes((mac[0] ^ 2,)) + mac[1:3] + b"\xff\xfe" + mac[3:6])
