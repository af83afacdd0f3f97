"""Tells that something changed, and in which topic; never what. Whoever cares observes again.

A router with a full BGP table sees thousands of route messages a second that are none of ours: a socket
filter drops them in the kernel, before they wake anybody. So it does with what the kernel tells of our own
requests: whoever made them looks at the result anyhow.
"""

import asyncio
import errno
import socket
import struct
from array import array
from collections.abc import AsyncIterator
from enum import StrEnum

from tasuki_agent.kernel import uapi
from tasuki_agent.kernel.marks import PROTOCOL

RECEIVE_QUEUE = 8 << 20
MESSAGES_PER_TURN = 512
"""Read in one go before the loop gets its turn."""


class Topic(StrEnum):
    """What a message of the kernel is about."""

    LINK = "link"
    ADDRESS = "address"
    ROUTE = "route"
    RULE = "rule"
    NETCONF = "netconf"


_TOPICS = {
    uapi.RTM_NEWLINK: Topic.LINK,
    uapi.RTM_DELLINK: Topic.LINK,
    uapi.RTM_NEWADDR: Topic.ADDRESS,
    uapi.RTM_DELADDR: Topic.ADDRESS,
    uapi.RTM_NEWROUTE: Topic.ROUTE,
    uapi.RTM_DELROUTE: Topic.ROUTE,
    uapi.RTM_NEWRULE: Topic.RULE,
    uapi.RTM_DELRULE: Topic.RULE,
    uapi.RTM_NEWNETCONF: Topic.NETCONF,
    uapi.RTM_DELNETCONF: Topic.NETCONF,
}
_GROUPS = (
    uapi.RTNLGRP_LINK,
    uapi.RTNLGRP_IPV4_IFADDR,
    uapi.RTNLGRP_IPV4_ROUTE,
    uapi.RTNLGRP_IPV4_RULE,
    uapi.RTNLGRP_IPV4_NETCONF,
    uapi.RTNLGRP_IPV6_IFADDR,
    uapi.RTNLGRP_IPV6_ROUTE,
    uapi.RTNLGRP_IPV6_RULE,
    uapi.RTNLGRP_IPV6_NETCONF,
)


class Monitor:
    """The subscription, bound to the network namespace of the thread that opens it."""

    def __init__(self, own_port: int) -> None:
        """Tell of everybody's changes but those requested by the netlink port `own_port`."""
        self._own_port = own_port
        self._socket = _open(own_port)
        self._topics: set[Topic] = set()
        self._changed = asyncio.Event()
        self.overruns = 0
        """How often messages were lost because they came faster than we read."""
        asyncio.get_running_loop().add_reader(self._socket, self._read)

    def close(self) -> None:
        """End the subscription."""
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()

    async def events(self) -> AsyncIterator[frozenset[Topic]]:
        """The topics that changed since the last time, for ever. One reader."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            topics, self._topics = frozenset(self._topics), set()
            yield topics

    def _read(self) -> None:
        try:
            for _ in range(MESSAGES_PER_TURN):
                # Only the head counts; what does not fit is dropped by the kernel.
                _, message_type = _LENGTH_TYPE.unpack_from(self._socket.recv(16))
                if topic := _TOPICS.get(message_type):
                    self._topics.add(topic)
        except BlockingIOError:
            pass
        except OSError as e:
            if e.errno != errno.ENOBUFS:
                raise
            self._overrun()
        self._changed.set()

    def _overrun(self) -> None:
        """Subscribe anew rather than read what is left: the observation that follows knows better."""
        self.overruns += 1
        replacement = _open(self._own_port)
        self.close()
        self._socket = replacement
        asyncio.get_running_loop().add_reader(self._socket, self._read)
        self._topics.update(Topic)


_LENGTH_TYPE = struct.Struct("=LH")


def _open(own_port: int) -> socket.socket:
    opened = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, uapi.NETLINK_ROUTE)
    opened.setblocking(False)
    opened.setsockopt(socket.SOL_SOCKET, uapi.SO_RCVBUFFORCE, RECEIVE_QUEUE)
    _attach_filter(opened, own_port)
    opened.bind((0, sum(1 << (group - 1) for group in _GROUPS)))
    return opened


_LOAD_WORD, _LOAD_HALF, _LOAD_BYTE, _JUMP_IF_EQUAL, _RETURN = 0x20, 0x28, 0x30, 0x15, 0x06
_ALL = 0xFFFFFFFF
_AT_TYPE = 4
_AT_PORT = 12
_AT_ROUTE_PROTOCOL = 16 + 5


def _filter(own_port: int) -> bytes:
    """A classic BPF program: pass everything but our own changes and routes of others' protocols.

    Each instruction is (code, skip if true, skip if false, operand). Loads are in network byte order,
    message types are not.
    """
    program = [
        (_LOAD_WORD, 0, 0, _AT_PORT),
        (_JUMP_IF_EQUAL, 8, 0, socket.htonl(own_port)),
        (_LOAD_HALF, 0, 0, _AT_TYPE),
        (_JUMP_IF_EQUAL, 1, 0, socket.htons(uapi.RTM_NEWROUTE)),
        (_JUMP_IF_EQUAL, 0, 4, socket.htons(uapi.RTM_DELROUTE)),
        (_LOAD_BYTE, 0, 0, _AT_ROUTE_PROTOCOL),
        (_JUMP_IF_EQUAL, 2, 0, PROTOCOL),
        (_JUMP_IF_EQUAL, 1, 0, uapi.RTPROT_BOOT),
        (_JUMP_IF_EQUAL, 0, 1, uapi.RTPROT_STATIC),
        (_RETURN, 0, 0, _ALL),
        (_RETURN, 0, 0, 0),
    ]
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in program)


def _attach_filter(opened: socket.socket, own_port: int) -> None:
    memory = array("B", _filter(own_port))
    address, size = memory.buffer_info()
    opened.setsockopt(socket.SOL_SOCKET, uapi.SO_ATTACH_FILTER, struct.pack("@HP", size // 8, address))
