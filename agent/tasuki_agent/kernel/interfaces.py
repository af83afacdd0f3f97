"""Names and indexes of interfaces, asked of the kernel each time: both change behind our back."""

import errno
import fcntl
import socket
import struct
from collections.abc import Callable
from typing import TypeAlias

from tasuki_agent.errors import Transient
from tasuki_agent.kernel.attributes import text

# linux/sockios.h
_SIOCGIFNAME = 0x8910
_SIOCGIFHWADDR = 0x8927
_SIOCGIFINDEX = 0x8933
_ARPHRD_ETHER = 1
"""linux/if_arp.h."""

_IFREQ = struct.Struct("=16si20x")
"""struct ifreq with a name and an index."""
_HARDWARE = struct.Struct("=16sH6s16x")
"""struct ifreq with a name, a type of hardware and an Ethernet address."""
_GONE = (errno.ENODEV, errno.ENXIO)


NameOf: TypeAlias = Callable[[int], str | None]
"""The name of an interface by its index; None if there is no such interface now."""


class Interfaces:
    """The interfaces of the network namespace of the thread that opens it.

    One socket for all questions: socket.if_nametoindex() opens one for each and takes five times as long.
    """

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)

    def close(self) -> None:
        """End it."""
        self._socket.close()

    def index_of(self, name: str) -> int:
        """The interface's index.

        Raises:
            Transient: there is no such interface now.
        """
        return int(_IFREQ.unpack(self._of(name, _SIOCGIFINDEX))[1])

    def ethernet_address_of(self, name: str) -> str:
        """The interface's Ethernet address, such as "00:00:5e:00:53:01".

        Raises:
            Transient: there is no such interface now, or it has no such address.
        """
        _, hardware, address = _HARDWARE.unpack(self._of(name, _SIOCGIFHWADDR))
        if hardware != _ARPHRD_ETHER:
            raise Transient(f"link {name} has no Ethernet address")
        return bytes(address).hex(":")

    def name_of(self, index: int) -> str | None:
        """The interface's name; None if there is no such interface now."""
        answer = self._ask(_SIOCGIFNAME, b"", index)
        if answer is None:
            return None
        return text(_IFREQ.unpack(answer)[0])

    def _of(self, name: str, question: int) -> bytes:
        # A longer name would be cut and might hit another interface.
        answer = self._ask(question, name.encode(), 0) if len(name.encode()) < 16 else None  # noqa: PLR2004
        if answer is None:
            raise Transient(f"link {name} does not exist")
        return answer

    def _ask(self, question: int, name: bytes, index: int) -> bytes | None:
        try:
            return fcntl.ioctl(self._socket, question, _IFREQ.pack(name, index))
        except OSError as e:
            if e.errno in _GONE:
                return None
            raise


class Names:
    """Names by index for the length of one dump."""

    def __init__(self, name_of: NameOf) -> None:
        self._name_of = name_of
        self.known: dict[int, str] = {}
        self.asked: list[int] = []
        self.missing = False
        """Whether an index was asked for that no interface has."""

    def __call__(self, index: int) -> str:
        """The interface's name, noted as asked for.

        An index without an interface is spelled `if7`, as ip(8) does: the link went away while we looked.
        """
        self.asked.append(index)
        name = self.current(index)
        if name is None:
            self.missing = True
            return f"if{index}"
        return name

    def current(self, index: int) -> str | None:
        """The interface's name, if there is one now."""
        name = self.known.get(index)
        if name is None:
            name = self._name_of(index)
            if name is not None:
                self.known[index] = name
        return name
