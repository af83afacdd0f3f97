"""The routes that router advertisements make: default routers, and prefixes that are on the link.

A line may advertise as many prefixes as it likes, and the kernel takes them all: 50,000 a second have been
seen. So no more than `MOST` are read, and what comes in between two looks is not listened to.
"""

import asyncio
import itertools
import math
import os
import socket
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from tasuki_agent.errors import Transient
from tasuki_agent.kernel import addresses, uapi
from tasuki_agent.kernel.attributes import number, parse, u32
from tasuki_agent.kernel.interfaces import Interfaces
from tasuki_agent.kernel.monitor import attach_filter, packet_filter
from tasuki_agent.kernel.netlink import BUFFER, RECEIVE_QUEUE, open_socket
from tasuki_agent.kind import Octet, Topic

MOST: Final = 1000
"""Routes that are read of an interface in one look."""

EVERYTHING: Final = "::/0"
"""The prefix of a default route."""

RTPROT_KERNEL: Final = 2
RTPROT_RA: Final = 9
RTA_PREF: Final = 20
RTA_CACHEINFO: Final = 12

_SMALL_QUEUE: Final = 4096
"""Bytes; that anything came is all that counts."""
_PROTOCOLS: Final = (RTPROT_RA, RTPROT_KERNEL)
"""The kernel's own prefixes are among its other routes."""
_TOPIC: Final = Topic(
    (uapi.RTNLGRP_IPV6_ROUTE,), (uapi.RTM_NEWROUTE, uapi.RTM_DELROUTE), only=Octet(5, _PROTOCOLS)
)
_HEAD: Final = struct.Struct("=BBBBBBBBI")
"""struct rtmsg: family, destination length, source length, TOS, table, protocol, scope, type, flags."""
_MESSAGE: Final = struct.Struct("=LHHLL")
_EXPIRES: Final = struct.Struct("=8xi")
"""Of struct rta_cacheinfo; in hundredths of seconds (USER_HZ), 0 for never, below 0 if it is over."""
_ORDER: Final = {1: 0, 0: 1, 3: 2}
"""High, medium and low, as RFC 4191 section 2.1 numbers them: the order in which routers are used."""


class AdvertisedRoute(NamedTuple):
    """A route that an advertisement may have made.

    Attributes:
        gateway: the router; empty for a prefix that is on the link.
        expires: seconds until it is over; infinity for never.
        order: among default routes, the first one to be used first.
        protocol: RTPROT_….
    """

    prefix: str
    gateway: str
    expires: float
    order: tuple[int, int]
    protocol: int


class Seen(NamedTuple):
    """What one look has found on an interface.

    Attributes:
        cut_short: whether there may be more.
    """

    routes: Sequence[AdvertisedRoute]
    cut_short: bool


class Look:
    """One look at interfaces of the network namespace of the thread that makes it."""

    def __init__(self, interfaces: Iterable[str]) -> None:
        names = Interfaces()
        try:
            self._indexes = {name: index for name in interfaces if (index := _index(names, name))}
        finally:
            names.close()
        self._sockets = {name: open_socket(RECEIVE_QUEUE) for name in self._indexes}

    def read(self) -> Mapping[str, Seen]:
        """What is there by interface, of each `MOST` at the most. Any thread may call it, once.

        Raises:
            OSError: the kernel does not answer.
        """
        return {name: self._seen(name) for name in self._indexes}

    def _seen(self, name: str) -> Seen:
        with self._sockets[name] as opened:
            opened.setsockopt(uapi.SOL_NETLINK, uapi.NETLINK_GET_STRICT_CHK, 1)
            dumps = (_dump(opened, protocol, self._indexes[name]) for protocol in _PROTOCOLS)
            # What is left of a dump goes with its socket.
            messages = list(itertools.islice(itertools.chain.from_iterable(dumps), MOST))
        # Those that are over already are among them, as long as the kernel has not cleared them away.
        return Seen([route for message in messages if (route := _decode(message))], len(messages) == MOST)


class News:
    """Tells when such routes have changed since it was made, once."""

    def __init__(self) -> None:
        self._socket = open_socket(_SMALL_QUEUE)
        attach_filter(self._socket, packet_filter(None, [_TOPIC]))
        self._socket.bind((0, 0))  # a socket without a port would miss what the kernel itself tells
        for group in _TOPIC.groups:
            self._socket.setsockopt(uapi.SOL_NETLINK, uapi.NETLINK_ADD_MEMBERSHIP, group)

    def close(self) -> None:
        """Listen no more."""
        self._socket.close()

    async def come(self) -> None:
        """Wait for it."""
        loop = asyncio.get_running_loop()
        there = asyncio.Event()
        loop.add_reader(self._socket, there.set)
        try:
            await there.wait()
        finally:
            loop.remove_reader(self._socket)


def _index(interfaces: Interfaces, name: str) -> int | None:
    try:
        return interfaces.index_of(name)
    except Transient:  # there is no such interface
        return None


def _dump(opened: socket.socket, protocol: int, index: int) -> Iterator[bytes]:
    """Messages without their netlink head: routes of the main table by this interface, and no others."""
    question = _HEAD.pack(uapi.AF_INET6, 0, 0, 0, uapi.RT_TABLE_MAIN, protocol, 0, uapi.RTN_UNICAST, 0)
    question += u32(uapi.RTA_OIF, index)
    flags = uapi.NLM_F_REQUEST | uapi.NLM_F_DUMP
    opened.send(_MESSAGE.pack(_MESSAGE.size + len(question), uapi.RTM_GETROUTE, flags, 1, 0) + question)
    while True:
        data = opened.recv(BUFFER)
        at = 0
        while at < len(data):
            length, kind, *_ = _MESSAGE.unpack_from(data, at)
            if kind < uapi.NLMSG_MIN_TYPE:
                if error := number(data[at + _MESSAGE.size : at + _MESSAGE.size + 4]):
                    raise OSError((1 << 32) - error, os.strerror((1 << 32) - error))
                return
            yield data[at + _MESSAGE.size : at + length]
            at += (length + 3) & ~3


def _decode(message: bytes) -> AdvertisedRoute | None:
    """None for what is neither a default router nor a prefix on the link."""
    _, length, source_length, _, _, protocol, *_ = _HEAD.unpack_from(message)
    values = parse(message, _HEAD.size)
    destination, gateway = values.get(uapi.RTA_DST), values.get(uapi.RTA_GATEWAY)
    if source_length or bool(destination) == bool(gateway):
        return None
    (expires,) = _EXPIRES.unpack_from(values.get(RTA_CACHEINFO, bytes(_EXPIRES.size)))
    if expires < 0:
        return None
    return AdvertisedRoute(
        f"{addresses.text(destination)}/{length}" if destination else EVERYTHING,
        addresses.text(gateway) if gateway else "",
        expires / 100 if expires else math.inf,
        (number(values.get(uapi.RTA_PRIORITY, b"")), _ORDER.get(number(values.get(RTA_PREF, b"")), 1)),
        protocol,
    )
