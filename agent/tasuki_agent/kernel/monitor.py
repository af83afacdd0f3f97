"""Tells whose objects may have changed, never how: whoever cares observes again.

Each kind says by `Topic`s what it listens to; subscription and filter are made of these. A router with a full
BGP table sees thousands of route messages a second that are none of ours: a socket filter drops them in the
kernel, before they wake anybody. So it does with what the kernel tells of our own requests: whoever made them
looks at the result anyhow.
"""

import asyncio
import errno
import logging
import socket
import struct
from array import array
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Iterator, Mapping
from typing import TypeAlias

from tasuki_agent.kernel import uapi
from tasuki_agent.kernel.netlink import open_socket
from tasuki_agent.kind import Octet, Topic

RECEIVE_QUEUE = 8 << 20
MESSAGES_PER_TURN = 512
"""Read in one go before the loop gets its turn."""
RETRY_SECONDS = 1.0
"""Until the next try when no new subscription can be had."""

_log = logging.getLogger(__name__)


Listeners: TypeAlias = Mapping[str, Collection[Topic]]
"""Names of kinds, and what each listens to."""


class Monitor:
    """The subscriptions, bound to the network namespace of the thread that opens it."""

    def __init__(self, own_port: int, listeners: Listeners) -> None:
        """Tell the listeners of everybody's changes but those requested by the rtnetlink port `own_port`."""
        self._changed: set[str] = set()
        self._wake = asyncio.Event()
        protocols = {topic.protocol for topics in listeners.values() for topic in topics}
        self._subscriptions = [
            _Subscription(
                protocol,
                own_port if protocol == uapi.NETLINK_ROUTE else None,
                {
                    name: own
                    for name, topics in listeners.items()
                    if (own := [topic for topic in topics if topic.protocol == protocol])
                },
                self._tell,
            )
            for protocol in sorted(protocols)
        ]

    @property
    def overruns(self) -> int:
        """How often messages were lost because they came faster than we read."""
        return sum(subscription.overruns for subscription in self._subscriptions)

    def close(self) -> None:
        """End the subscriptions."""
        for subscription in self._subscriptions:
            subscription.close()

    async def events(self) -> AsyncIterator[frozenset[str]]:
        """The listeners that something changed for since the last time, for ever. One reader."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            changed, self._changed = frozenset(self._changed), set()
            yield changed

    def _tell(self, names: Iterable[str]) -> None:
        self._changed.update(names)
        if self._changed:
            self._wake.set()


class _Subscription:
    """What one protocol of netlink tells: one socket, until it has to be replaced."""

    def __init__(
        self,
        protocol: int,
        own_port: int | None,
        listeners: Listeners,
        tell: Callable[[Iterable[str]], None],
    ) -> None:
        topics = [topic for topics in listeners.values() for topic in topics]
        self._protocol = protocol
        self._groups = {group for topic in topics for group in topic.groups}
        self._filter = packet_filter(own_port, topics)
        self._everybody = frozenset(listeners)
        self._names = {
            message_type: {
                name for name, own in listeners.items() if any(message_type in t.types for t in own)
            }
            for topic in topics
            for message_type in topic.types
        }
        self._tell = tell
        self.overruns = 0
        self._retry: asyncio.TimerHandle | None = None
        self._socket: socket.socket | None = None
        try:
            self._subscribe()
        except OSError as e:
            if e.errno != errno.EPROTONOSUPPORT:
                raise
            # The kernel has nothing of the sort, and so nothing to tell.

    def close(self) -> None:
        if self._retry:
            self._retry.cancel()
        if self._socket:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()
            self._socket = None

    def _read(self, opened: socket.socket) -> None:
        try:
            for _ in range(MESSAGES_PER_TURN):
                # Only the head counts; what does not fit is dropped by the kernel.
                _, message_type = _LENGTH_TYPE.unpack_from(opened.recv(16))
                self._tell(self._names.get(message_type, ()))
        except BlockingIOError:
            pass
        except OSError as e:
            if e.errno == errno.ENOBUFS:
                self.overruns += 1
            else:
                _log.warning("the kernel's events cannot be read: %s", e.strerror)
            self._resubscribe()

    def _resubscribe(self) -> None:
        """Subscribe anew rather than read what is left: the observation that follows knows better."""
        self.close()
        try:
            self._subscribe()
        except OSError as e:
            _log.warning("the kernel's events cannot be listened to, for now: %s", e.strerror)
            self._retry = asyncio.get_running_loop().call_later(RETRY_SECONDS, self._resubscribe)
        else:
            self._retry = None
            self._tell(self._everybody)

    def _subscribe(self) -> None:
        opened = open_socket(RECEIVE_QUEUE, self._protocol)
        try:
            attach_filter(opened, self._filter)
            opened.bind((0, 0))  # a socket without a port would miss what the kernel itself tells
            for group in self._groups:
                opened.setsockopt(uapi.SOL_NETLINK, uapi.NETLINK_ADD_MEMBERSHIP, group)
        except OSError:
            opened.close()
            raise
        asyncio.get_running_loop().add_reader(opened, self._read, opened)
        self._socket = opened


_LENGTH_TYPE = struct.Struct("=LH")

_Instruction: TypeAlias = tuple[int, int, int, int]
"""Code, instructions to skip if true, instructions to skip if false, operand."""
_LOAD_WORD, _LOAD_HALF, _LOAD_BYTE, _JUMP_IF_EQUAL, _RETURN = 0x20, 0x28, 0x30, 0x15, 0x06
_PASS, _DROP = (_RETURN, 0, 0, 0xFFFFFFFF), (_RETURN, 0, 0, 0)
_AT_TYPE = 4
_AT_PORT = 12
_HEAD = 16


def packet_filter(own_port: int | None, topics: Iterable[Topic]) -> bytes:
    """A classic BPF program: pass what a topic is about, but for our own changes if they have a port.

    Loads are in network byte order, ports and message types are not.
    """
    conditions: dict[int, set[Octet | None]] = {}
    for topic in topics:
        for message_type in topic.types:
            conditions.setdefault(message_type, set()).add(topic.only)
    program: list[_Instruction] = []
    if own_port is not None:
        program += (_LOAD_WORD, 0, 0, _AT_PORT), (_JUMP_IF_EQUAL, 0, 1, socket.htonl(own_port)), _DROP
    for message_type, octets in conditions.items():
        check = list(_check(octet for octet in octets if octet)) if None not in octets else [_PASS]
        program += (
            (_LOAD_HALF, 0, 0, _AT_TYPE),
            (_JUMP_IF_EQUAL, 0, len(check), socket.htons(message_type)),
            *check,
        )
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in (*program, _DROP))


def _check(octets: Iterable[Octet]) -> Iterator[_Instruction]:
    """Pass a message that meets one of the conditions, and drop any other."""
    for octet in octets:
        yield _LOAD_BYTE, 0, 0, _HEAD + octet.offset
        for value in octet.values:
            yield _JUMP_IF_EQUAL, 0, 1, value
            yield _PASS
    yield _DROP


def attach_filter(opened: socket.socket, program: bytes) -> None:
    """Have a socket receive only what the program passes."""
    memory = array("B", program)
    address, size = memory.buffer_info()
    opened.setsockopt(socket.SOL_SOCKET, uapi.SO_ATTACH_FILTER, struct.pack("@HP", size // 8, address))
