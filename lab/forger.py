"""A DHCPv6 server that says what it is told to say, for what no real one can be made to say."""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from ipaddress import IPv6Address

from netns import Namespace

_PORT = 547
_ALL_SERVERS = "ff02::1:2"
_SOLICIT, _ADVERTISE, _REPLY = 1, 2, 7
_CLIENT_ID, _SERVER_ID, _IA_PD, _IA_PREFIX = 1, 2, 25, 26


@dataclass(frozen=True, slots=True)
class Answer:
    """What every message is answered with; times in seconds.

    Attributes:
        prefixes: address, length, preferred and valid lifetime of each.
        options: codes and raw bytes; a code may come often.
    """

    prefixes: tuple[tuple[str, int, int, int], ...] = ()
    renew: int = 4
    rebind: int = 8
    options: tuple[tuple[int, bytes], ...] = ()

    def message(self, asked: bytes, server_id: bytes) -> bytes:
        """The answer to a message (RFC 8415 sections 8 and 21)."""
        told = dict(_options(asked[4:]))
        kind = _ADVERTISE if asked[0] == _SOLICIT else _REPLY
        answer = bytes([kind]) + asked[1:4]
        answer += _option(_CLIENT_ID, told.get(_CLIENT_ID, b"")) + _option(_SERVER_ID, server_id)
        if _IA_PD in told:
            leased = b"".join(
                _option(
                    _IA_PREFIX, struct.pack("!IIB", preferred, valid, length) + IPv6Address(address).packed
                )
                for address, length, preferred, valid in self.prefixes
            )
            times = struct.pack("!II", self.renew, self.rebind)
            answer += _option(_IA_PD, told[_IA_PD][:4] + times + leased)
        return answer + b"".join(_option(code, data) for code, data in self.options)


@dataclass
class Forger:
    """Answers in the place of another server.

    Attributes:
        server_id: that of the other server, so that the client goes back to it.
        says: may be changed at any time.
        answered: how many messages so far.
    """

    machine: Namespace
    interface: str
    server_id: bytes
    says: Answer = field(default_factory=Answer)
    answered: int = 0

    @contextmanager
    def running(self) -> Iterator[None]:
        """Answer."""
        with self.machine.entered():
            server = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
            index = socket.if_nametoindex(self.interface)
        ended = threading.Event()
        with server:
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            server.bind((_ALL_SERVERS, _PORT, 0, index))
            group = socket.inet_pton(socket.AF_INET6, _ALL_SERVERS) + struct.pack("@I", index)
            server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, group)
            server.settimeout(0.05)
            thread = threading.Thread(target=self._serve, args=(server, ended), daemon=True)
            thread.start()
            try:
                yield
            finally:
                ended.set()
                thread.join()

    def _serve(self, server: socket.socket, ended: threading.Event) -> None:
        while not ended.is_set():
            try:
                asked, client = server.recvfrom(1 << 16)
            except TimeoutError:
                continue
            with suppress(OSError):  # the cable is out
                server.sendto(self.says.message(asked, self.server_id), client)
                self.answered += 1


def _option(code: int, data: bytes) -> bytes:
    return struct.pack("!HH", code, len(data)) + data


def _options(message: bytes) -> Iterator[tuple[int, bytes]]:
    while message:
        code, length = struct.unpack_from("!HH", message)
        yield code, message[4 : 4 + length]
        message = message[4 + length :]
