"""Addresses as rtnetlink messages: struct ifaddrmsg and its attributes."""

import struct

from tasuki_agent.kernel import addresses, uapi
from tasuki_agent.kernel.attributes import number, parse, raw, u8, u32
from tasuki_agent.kernel.interfaces import Names
from tasuki_agent.kernel.marks import PROTOCOL
from tasuki_agent.kind import Topic
from tasuki_agent.kinds.address import link_local
from tasuki_agent.kinds.address.model import Address, AddressKey

_HEAD = struct.Struct("=BBBBI")
"""struct ifaddrmsg: family, prefix length, flags, scope, index."""
_TSTAMP = slice(12, 16)
"""The last one of the numbers in struct ifa_cacheinfo: when the lifetimes were told."""

TOPIC = Topic((uapi.RTNLGRP_IPV4_IFADDR, uapi.RTNLGRP_IPV6_IFADDR), (uapi.RTM_NEWADDR, uapi.RTM_DELADDR))
MARK = u8(uapi.IFA_PROTO, PROTOCOL)


def dump(family: int) -> bytes:
    """A request for all addresses of one family."""
    return _HEAD.pack(family, 0, 0, 0, 0)


def decode(message: bytes, names: Names) -> tuple[AddressKey, Address]:
    """Key and spec of an observed address. Of a point-to-point pair the local end counts."""
    _, prefix_length, flags, _, index = _HEAD.unpack_from(message)
    values = parse(message, _HEAD.size)
    if uapi.IFA_FLAGS in values:
        flags = number(values[uapi.IFA_FLAGS])
    ip = values.get(uapi.IFA_LOCAL) or values[uapi.IFA_ADDRESS]
    return AddressKey(names(index), addresses.text(ip)), Address(
        prefix_length=prefix_length,
        no_prefix_route=bool(flags & uapi.IFA_F_NOPREFIXROUTE),
        duplicate=bool(flags & uapi.IFA_F_DADFAILED),
        protocol=number(values.get(uapi.IFA_PROTO, b"\0")),
        flags=flags,
        refreshed=0 if flags & uapi.IFA_F_PERMANENT else number(values.get(uapi.IFA_CACHEINFO, b"")[_TSTAMP]),
        index=index,
    )


def create(key: AddressKey, spec: Address, index: int) -> bytes:
    """A new address with our mark. IPv4 takes the loopback's scope for 127.0.0.0/8, as ip(8) does."""
    scope = uapi.RT_SCOPE_HOST if key.ip.startswith("127.") else uapi.RT_SCOPE_UNIVERSE
    flags = spec.flags & uapi.IFA_F_NODAD | (uapi.IFA_F_NOPREFIXROUTE if spec.no_prefix_route else 0)
    attribute = u32(uapi.IFA_FLAGS, flags) if flags else b""
    return _exact(key.ip, spec.prefix_length, index, scope) + attribute + MARK


def create_link_local(ip: str, index: int) -> bytes:
    """A link-local address as people type one: without our mark, for it stays when ours go."""
    return _exact(ip, link_local.LENGTH, index, uapi.RT_SCOPE_LINK)


def delete(key: AddressKey, observed: Address) -> bytes:
    """Deletion of this address, with this prefix length, on the interface that was observed."""
    return _exact(key.ip, observed.prefix_length, observed.index, 0)


def _exact(ip: str, prefix_length: int, index: int, scope: int) -> bytes:
    bits = addresses.packed(ip)
    return (
        _HEAD.pack(addresses.family(ip), prefix_length, 0, scope, index)
        + raw(uapi.IFA_LOCAL, bits)
        + raw(uapi.IFA_ADDRESS, bits)
    )
