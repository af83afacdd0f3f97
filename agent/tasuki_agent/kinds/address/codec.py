"""Addresses as rtnetlink messages: struct ifaddrmsg and its attributes."""

import struct

from tasuki_agent.kernel import addresses, uapi
from tasuki_agent.kernel.attributes import number, parse, raw, u8, u32
from tasuki_agent.kernel.interfaces import Names
from tasuki_agent.kernel.marks import PROTOCOL
from tasuki_agent.kind import Topic
from tasuki_agent.kinds.address import link_local
from tasuki_agent.kinds.address.lifetimes import INFINITY, Lifetimes
from tasuki_agent.kinds.address.model import Address, AddressKey

_HEAD = struct.Struct("=BBBBI")
"""struct ifaddrmsg: family, prefix length, flags, scope, index."""
_CACHEINFO = struct.Struct("=IIII")
"""struct ifa_cacheinfo: seconds for which the address is preferred, and valid; when it was made, and told its
lifetimes, in hundredths of seconds since boot. Only the kernel tells the latter two."""
_FOR_EVER = _CACHEINFO.pack(INFINITY, INFINITY, 0, 0)

TOPIC = Topic((uapi.RTNLGRP_IPV4_IFADDR, uapi.RTNLGRP_IPV6_IFADDR), (uapi.RTM_NEWADDR, uapi.RTM_DELADDR))
MARK = u8(uapi.IFA_PROTO, PROTOCOL)


def dump(family: int) -> bytes:
    """A request for all addresses of one family."""
    return _HEAD.pack(family, 0, 0, 0, 0)


def decode(message: bytes, names: Names) -> tuple[AddressKey, Address]:
    """Key and spec of an observed address. Of a point-to-point pair the local end counts.

    Its lifetimes are what is left of them when the message was sent: messages say no time.
    """
    _, prefix_length, flags, _, index = _HEAD.unpack_from(message)
    values = parse(message, _HEAD.size)
    if uapi.IFA_FLAGS in values:
        flags = number(values[uapi.IFA_FLAGS])
    ip = values.get(uapi.IFA_LOCAL) or values[uapi.IFA_ADDRESS]
    protocol = number(values.get(uapi.IFA_PROTO, b"\0"))
    preferred, valid, _, told = _CACHEINFO.unpack(values.get(uapi.IFA_CACHEINFO, _FOR_EVER))
    return AddressKey(names(index), addresses.text(ip)), Address(
        prefix_length=prefix_length,
        no_prefix_route=bool(flags & uapi.IFA_F_NOPREFIXROUTE),
        duplicate=bool(flags & uapi.IFA_F_DADFAILED),
        lifetimes=Lifetimes.left(preferred, valid),
        protocol=protocol,
        flags=flags,
        refreshed=0 if flags & uapi.IFA_F_PERMANENT or protocol == PROTOCOL else told,
        index=index,
    )


def create(key: AddressKey, spec: Address, index: int, now: float) -> bytes:
    """An address with our mark, new or in place of itself. Of IPv4 127.0.0.0/8 is host scope, as in ip(8)."""
    scope = uapi.RT_SCOPE_HOST if key.ip.startswith("127.") else uapi.RT_SCOPE_UNIVERSE
    flags = spec.flags & uapi.IFA_F_NODAD | (uapi.IFA_F_NOPREFIXROUTE if spec.no_prefix_route else 0)
    return b"".join(
        (
            _exact(key.ip, spec.prefix_length, index, scope),
            u32(uapi.IFA_FLAGS, flags) if flags else b"",
            _cacheinfo(spec.lifetimes, now) if spec.lifetimes else b"",
            MARK,
        )
    )


def _cacheinfo(lifetimes: Lifetimes, now: float) -> bytes:
    return raw(uapi.IFA_CACHEINFO, _CACHEINFO.pack(*lifetimes.seconds(now), 0, 0))


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
