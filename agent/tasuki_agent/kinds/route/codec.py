"""Routes as rtnetlink messages: struct rtmsg and its attributes."""

import struct
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
    if name in _WITHOUT_NEXT_HOP:
        return key, Route(name, protocol=protocol)
    if uapi.RTA_MULTIPATH in values:
        first, *others = _next_hops(values[uapi.RTA_MULTIPATH], names)
        return key, Route(name, first.via, first.dev, tuple(others), protocol)
    index = number(values[uapi.RTA_OIF]) if uapi.RTA_OIF in values else None
    dev = names(index) if index is not None else None
    return key, Route(name, _gateway(values), dev, (), protocol, index)


def create(key: RouteKey, spec: Route, index: int | None) -> bytes:
    """A route with our mark, new or in place of what has its key."""
    return _message(key, spec, PROTOCOL, _scope(key, spec), index)


def delete(key: RouteKey, observed: Route) -> bytes:
    """Deletion of the route with this key, protocol, type and next hop, and of no other."""
    return _message(key, observed, observed.protocol, uapi.RT_SCOPE_NOWHERE, observed.index)


def _message(key: RouteKey, spec: Route, protocol: int, scope: int, index: int | None) -> bytes:
    destination, length = addresses.split_prefix(key.prefix)
    kind = _NUMBERS[spec.type]
    parts = [
        _HEAD.pack(addresses.family(key.prefix), length, 0, 0, 0, protocol, scope, kind, 0),
        raw(uapi.RTA_DST, destination) if length else b"",
        u32(uapi.RTA_TABLE, key.table),
        u32(uapi.RTA_PRIORITY, key.metric),
    ]
    if not spec.others:
        parts.append(raw(uapi.RTA_GATEWAY, addresses.packed(spec.via)) if spec.via else b"")
        parts.append(u32(uapi.RTA_OIF, index) if index is not None else b"")
    return b"".join(parts)


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
        yield NextHop(_gateway(inner), names(index))
        offset += (max(length, _NEXT_HOP.size) + 3) & ~3


def _gateway(values: dict[int, bytes]) -> str | None:
    """RTA_VIA is a gateway of the other family: two bytes of family before the address."""
    if uapi.RTA_VIA in values:
        return addresses.text(values[uapi.RTA_VIA][2:])
    gateway = values.get(uapi.RTA_GATEWAY)
    return addresses.text(gateway) if gateway else None
