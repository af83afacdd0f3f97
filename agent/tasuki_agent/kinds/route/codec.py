"""Routes as rtnetlink messages: struct rtmsg and its attributes."""

import struct
import sys
from collections.abc import Iterator

from tasuki_agent.kernel import addresses, uapi
from tasuki_agent.kernel.attributes import number, parse, raw, u32
from tasuki_agent.kernel.interfaces import Names
from tasuki_agent.kernel.marks import PROTOCOL
from tasuki_agent.kind import Octet, Topic
from tasuki_agent.kinds.route.model import NextHop, Route, RouteKey

_HEAD = struct.Struct("=BBBBBBBBI")
"""struct rtmsg: family, destination length, source length, TOS, table, protocol, scope, type, flags."""
_NEXT_HOP = struct.Struct("=HBBi")
"""struct rtnexthop: length, flags, hops, index."""

_AT_PROTOCOL = 5

TOPIC = Topic(
    (uapi.RTNLGRP_IPV4_ROUTE, uapi.RTNLGRP_IPV6_ROUTE),
    (uapi.RTM_NEWROUTE, uapi.RTM_DELROUTE),
    only=Octet(_AT_PROTOCOL, (PROTOCOL, uapi.RTPROT_BOOT, uapi.RTPROT_STATIC)),
)
"""Ours and what people type: of a full BGP table's thousand changes a second, nothing."""

_TYPES = {
    1: "unicast",
    2: "local",
    3: "broadcast",
    4: "anycast",
    5: "multicast",
    6: "blackhole",
    7: "unreachable",
    8: "prohibit",
    9: "throw",
}
_NUMBERS = {name: kind for kind, name in _TYPES.items()}
_WITHOUT_NEXT_HOP = {"blackhole", "unreachable", "prohibit", "throw"}


def dump(family: int, protocol: int) -> bytes:
    """A request for all routes of one family and protocol: the kernel leaves the others out."""
    return _HEAD.pack(family, 0, 0, 0, 0, protocol, 0, 0, 0)


def decode(message: bytes, names: Names) -> tuple[RouteKey, Route] | None:
    """Key and spec of an observed route; None if it depends on source or TOS, as none of ours does."""
    family, length, source_length, tos, table, protocol, _, kind, _ = _HEAD.unpack_from(message)
    if source_length or tos:
        return None
    values = parse(message, _HEAD.size)
    destination = values.get(uapi.RTA_DST)
    prefix = f"{addresses.text(destination)}/{length}" if destination else addresses.DEFAULT[family]
    key = RouteKey(
        table=number(values[uapi.RTA_TABLE]) if uapi.RTA_TABLE in values else table,
        prefix=prefix,
        metric=number(values.get(uapi.RTA_PRIORITY, b"\0")),
    )
    name = _TYPES.get(kind, str(kind))
    index = number(values[uapi.RTA_OIF]) if uapi.RTA_OIF in values else None
    if name in _WITHOUT_NEXT_HOP:
        return key, Route(name, protocol=protocol, index=index)
    if uapi.RTA_MULTIPATH in values:
        first, *others = _next_hops(values[uapi.RTA_MULTIPATH], names)
        return key, Route(name, first.via, first.dev, tuple(others), protocol, first.index)
    dev = names(index) if index is not None else None
    return key, Route(name, _gateway(values), dev, (), protocol, index)


def create(key: RouteKey, spec: Route, index: int | None) -> bytes:
    """A route with our mark, new or in place of what has its key."""
    return b"".join(
        (
            _route(key, spec, PROTOCOL, _scope(key, spec)),
            _via(key, spec.via) if spec.via else b"",
            u32(uapi.RTA_OIF, index) if index is not None else b"",
        )
    )


def delete(key: RouteKey, observed: Route) -> bytes:
    """Deletion of the route with this key, protocol, type and first next hop, and of no other.

    Of IPv6 the next hop is said as one of several: else, if it has no gateway, the kernel takes the siblings
    too, whoever made them (net/ipv6/route.c, ip6_route_del()).
    """
    route = _route(key, observed, observed.protocol, uapi.RT_SCOPE_NOWHERE)
    gateway = _via(key, observed.via) if observed.via else b""
    if observed.index is None:
        return route + gateway
    if addresses.is_ipv6(key.prefix):
        hop = _NEXT_HOP.pack(_NEXT_HOP.size + len(gateway), 0, 0, observed.index) + gateway
        return route + raw(uapi.RTA_MULTIPATH, hop)
    return route + gateway + u32(uapi.RTA_OIF, observed.index)


def _route(key: RouteKey, spec: Route, protocol: int, scope: int) -> bytes:
    destination, length = addresses.split_prefix(key.prefix)
    kind = _NUMBERS[spec.type]
    flags = uapi.RTNH_F_ONLINK if spec.on_link else 0
    return b"".join(
        (
            _HEAD.pack(addresses.family(key.prefix), length, 0, 0, 0, protocol, scope, kind, flags),
            raw(uapi.RTA_DST, destination) if length else b"",
            u32(uapi.RTA_TABLE, key.table),
            u32(uapi.RTA_PRIORITY, key.metric),
        )
    )


def _via(key: RouteKey, gateway: str) -> bytes:
    """RTA_VIA is a gateway of the other family: two bytes of family before the address."""
    family, address = addresses.family(gateway), addresses.packed(gateway)
    if family == addresses.family(key.prefix):
        return raw(uapi.RTA_GATEWAY, address)
    return raw(uapi.RTA_VIA, family.to_bytes(2, sys.byteorder) + address)


def _scope(key: RouteKey, spec: Route) -> int:
    """IPv4 asks for the scope that ip-route(8) chooses; IPv6 has none."""
    if addresses.is_ipv6(key.prefix):
        return uapi.RT_SCOPE_UNIVERSE
    if spec.type == "local":
        return uapi.RT_SCOPE_HOST
    return uapi.RT_SCOPE_LINK if spec.type == "unicast" and spec.via is None else uapi.RT_SCOPE_UNIVERSE


def _next_hops(multipath: bytes, names: Names) -> Iterator[NextHop]:
    offset = 0
    while offset + _NEXT_HOP.size <= len(multipath):
        length, _, _, index = _NEXT_HOP.unpack_from(multipath, offset)
        inner = parse(multipath[offset + _NEXT_HOP.size : offset + length])
        yield NextHop(_gateway(inner), names(index), index=index)
        offset += (max(length, _NEXT_HOP.size) + 3) & ~3


def _gateway(values: dict[int, bytes]) -> str | None:
    if uapi.RTA_VIA in values:
        return addresses.text(values[uapi.RTA_VIA][2:])
    gateway = values.get(uapi.RTA_GATEWAY)
    return addresses.text(gateway) if gateway else None
