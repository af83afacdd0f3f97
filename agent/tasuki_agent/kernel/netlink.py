"""Requests and dumps over one rtnetlink socket.

The kernel carries a request out inside send(), so its answer waits in the socket when the call returns. One
thread does nothing but that: while the kernel works on a batch, the loop encodes the next one, decodes dumps
and serves everybody else. All requests that are made in one turn of the loop go out in as few calls as
`BATCH` allows.
"""

import asyncio
import errno
import os
import socket
import struct
from collections.abc import Callable, Container, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeAlias

from tasuki_agent.errors import ApplyError, Transient, error_class
from tasuki_agent.kernel import attributes, uapi

BATCH = 64
"""Requests in one send(): about 10 KB, some milliseconds of the kernel's time."""
BUFFER = 65536
"""The kernel fills 32 KB of it at most."""
ANY_PORT = 0
RECEIVE_QUEUE = 1 << 20
PAUSES = (0, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2)
"""Seconds before a dump starts anew when the kernel says that things changed meanwhile.

A hub that has just started changes its IPv6 addresses for two seconds, by duplicate address detection.
"""

NO_ADVICE: Mapping[int, str] = {}

_HEAD = struct.Struct("=LHHLL")
_LENGTH_TYPE_FLAGS = struct.Struct("=LHH")
_ERROR = struct.Struct("=i")
_CAPPED_ACK = 16 + 4 + 16
"""Head, error number, and the head of the request: what precedes an acknowledgement's attributes."""


_Refusals: TypeAlias = dict[int, tuple[int, str]]
"""Error number and the kernel's words, by sequence number."""


@dataclass(slots=True)
class _Request:
    message_type: int
    flags: int
    payload: Callable[[], bytes]
    doing: str
    subject: object
    tolerate: Container[int]
    advice: Mapping[int, str]
    done: asyncio.Future[None]

    def __str__(self) -> str:
        return f"{self.doing} {self.subject}"


class Rtnetlink:
    """The socket, bound to the network namespace of the thread that makes this object."""

    def __init__(self) -> None:
        self._socket = _open(ANY_PORT)
        self.port: int = self._socket.getsockname()[0]
        """Netlink port: the kernel's messages about our changes bear it."""
        self._queue: list[_Request] = []
        self._sender: asyncio.Task[None] | None = None
        # Nobody else touches the socket, so that requests and dumps need no lock.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="rtnetlink")

    async def close(self) -> None:
        """Give up what was not sent yet, take the answer to what was, and end the socket."""
        for request in self._queue:
            request.done.cancel()
        if self._sender:
            await asyncio.wait([self._sender])
        self._thread.shutdown()
        self._socket.close()

    def request(
        self,
        message_type: int,
        flags: int,
        payload: Callable[[], bytes],
        *,
        doing: str,
        subject: object,
        tolerate: Container[int] = (),
        advice: Mapping[int, str] = NO_ADVICE,
    ) -> asyncio.Future[None]:
        """Have the kernel make one change; the future ends with its answer.

        Args:
            message_type: RTM_NEW… or RTM_DEL….
            flags: NLM_F_CREATE and the like; NLM_F_REQUEST is understood.
            payload: makes the family's header and the attributes, a multiple of four bytes long. It is called
                when the request goes out, for the newest indexes of interfaces; it may raise ApplyError.
            doing: what is done, such as "create link", for the error's message.
            subject: the object's key, for the error's message.
            tolerate: error numbers that count as success.
            advice: what people can do about an error, by its number.

        Raises:
            Transient, Permanent, Foreign: by the kernel's error number.
        """
        loop = asyncio.get_running_loop()
        if self._sender is None:
            self._sender = loop.create_task(self._send_queue())
        done = loop.create_future()
        self._queue.append(_Request(message_type, flags, payload, doing, subject, tolerate, advice, done))
        return done

    async def dump(self, message_type: int, payload: bytes) -> list[bytes]:
        """All objects that match the payload, each as its message without the netlink head.

        Raises:
            Transient: no complete and consistent answer.
        """
        for pause in (*PAUSES, None):
            try:
                messages, interrupted = await asyncio.get_running_loop().run_in_executor(
                    self._thread, self._dump_once, message_type, payload
                )
            except OSError as e:
                raise Transient(f"dump of message type {message_type}: {e.strerror}") from e
            if not interrupted:
                return messages
            if pause is not None:
                await asyncio.sleep(pause)
        raise Transient(f"dump of message type {message_type}: it changed whenever it was read")

    async def _send_queue(self) -> None:
        """Send until nothing waits, and encode a batch while the kernel works on the one before."""
        loop = asyncio.get_running_loop()
        sent: list[_Request] = []
        encoded: list[_Request] = []
        answer: asyncio.Future[_Refusals] | None = None
        try:
            while self._queue or answer:
                batch, self._queue = self._queue[:BATCH], self._queue[BATCH:]
                encoded, messages = _encode(batch)
                if answer:
                    await asyncio.wait([answer])
                    _settle(sent, answer)
                sent, answer = encoded, None
                if sent:
                    answer = loop.run_in_executor(self._thread, self._exchange, messages, len(sent))
        finally:
            # Nobody waits for ever, even if this task is cancelled: what has its answer takes no harm.
            for request in (*sent, *encoded, *self._queue):
                request.done.cancel()
            self._queue.clear()
            self._sender = None

    def _exchange(self, messages: bytes, last: int) -> _Refusals:
        """Send one batch and read what was refused."""
        try:
            self._socket.send(messages)
            return self._refusals(last)
        except OSError:
            self._reopen()
            raise

    def _refusals(self, last: int) -> _Refusals:
        """Error number and text by sequence number, read up to the answer to the last request."""
        refusals = {}
        while True:
            data = self._socket.recv(BUFFER)
            _, _, flags, sequence, _ = _HEAD.unpack_from(data)
            (error,) = _ERROR.unpack_from(data, _HEAD.size)
            if error:
                refusals[sequence] = -error, _explanation(data, flags)
            if sequence == last:
                return refusals

    def _dump_once(self, message_type: int, payload: bytes) -> tuple[list[bytes], bool]:
        try:
            return self._read_dump(message_type, payload)
        except OSError:
            self._reopen()
            raise

    def _read_dump(self, message_type: int, payload: bytes) -> tuple[list[bytes], bool]:
        head = _HEAD.pack(16 + len(payload), message_type, uapi.NLM_F_REQUEST | uapi.NLM_F_DUMP, 1, 0)
        self._socket.send(head + payload)
        messages: list[bytes] = []
        seen_flags = 0
        unpack = _LENGTH_TYPE_FLAGS.unpack_from
        while True:
            data = self._socket.recv(BUFFER)
            offset, end = 0, len(data)
            while offset < end:
                length, kind, flags = unpack(data, offset)
                seen_flags |= flags
                if kind < uapi.NLMSG_MIN_TYPE:
                    (error,) = _ERROR.unpack_from(data, offset + 16)
                    if error:
                        raise OSError(-error, os.strerror(-error))
                    return messages, bool(seen_flags & uapi.NLM_F_DUMP_INTR)
                messages.append(data[offset + 16 : offset + length])
                offset += (length + 3) & ~3

    def _reopen(self) -> None:
        """Leave behind whatever answers the old socket still holds."""
        self._socket.close()
        self._socket = _open(self.port)


def _settle(sent: list[_Request], answer: asyncio.Future[_Refusals]) -> None:
    """Tell everybody what became of the request."""
    error = answer.exception()
    refusals = {} if error else answer.result()
    for sequence, request in enumerate(sent, 1):
        if request.done.cancelled():
            continue
        refusal = refusals.get(sequence)
        if isinstance(error, OSError):
            request.done.set_exception(Transient(f"{request}: {error.strerror}"))
        elif error:
            request.done.set_exception(error)
        elif refusal is None or refusal[0] in request.tolerate:
            request.done.set_result(None)
        else:
            request.done.set_exception(_error(request, *refusal))


def _open(port: int) -> socket.socket:
    opened = open_socket(RECEIVE_QUEUE)
    for option in (uapi.NETLINK_CAP_ACK, uapi.NETLINK_EXT_ACK, uapi.NETLINK_GET_STRICT_CHK):
        opened.setsockopt(uapi.SOL_NETLINK, option, 1)
    opened.bind((port, 0))
    return opened


def open_socket(receive_queue: int, protocol: int = uapi.NETLINK_ROUTE) -> socket.socket:
    """A netlink socket that never blocks, with a queue of so many bytes if the system permits."""
    opened = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, protocol)
    opened.setblocking(False)
    try:
        opened.setsockopt(socket.SOL_SOCKET, uapi.SO_RCVBUFFORCE, receive_queue)
    except PermissionError:  # a container's administrator may not pass net.core.rmem_max
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_queue)
    return opened


def _encode(batch: list[_Request]) -> tuple[list[_Request], bytes]:
    """The requests that can be made, and their messages in one buffer, numbered from 1.

    Only the last one asks for an acknowledgement. The kernel works in order and always answers a refusal, so
    silence before the last answer is success.
    """
    sent: list[_Request] = []
    parts: list[bytes] = []
    for request in batch:
        if request.done.cancelled():
            continue
        try:
            payload = request.payload()
        except ApplyError as e:
            request.done.set_exception(type(e)(f"{request}: {e}"))
            continue
        except Exception as e:  # noqa: BLE001 - a defect of one kind is told to whoever waits, and to nobody else
            request.done.set_exception(e)
            continue
        sent.append(request)
        flags = request.flags | uapi.NLM_F_REQUEST
        parts += (_HEAD.pack(16 + len(payload), request.message_type, flags, len(sent), 0), payload)
    if sent:
        last, head = sent[-1], parts[-2]
        flags = last.flags | uapi.NLM_F_REQUEST | uapi.NLM_F_ACK
        parts[-2] = _HEAD.pack(len(head) + len(parts[-1]), last.message_type, flags, len(sent), 0)
    return sent, b"".join(parts)


def _explanation(answer: bytes, flags: int) -> str:
    """The kernel's own words, or at least the place in the request that it did not like."""
    if not flags & uapi.NLM_F_ACK_TLVS:
        return ""
    values = attributes.parse(answer, _CAPPED_ACK)
    message = attributes.text(values.get(uapi.NLMSGERR_ATTR_MSG, b"")).rstrip(".")
    offset = values.get(uapi.NLMSGERR_ATTR_OFFS)
    return message or (f"attribute at byte {attributes.number(offset)}" if offset else "")


def _error(request: _Request, number: int, explanation: str) -> ApplyError:
    name = errno.errorcode.get(number, str(number))
    advice = f": {request.advice[number]}" if number in request.advice else ""
    return error_class(number)(f"{request}: {explanation or os.strerror(number)} [{name}]{advice}")
