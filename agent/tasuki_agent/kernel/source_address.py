"""Which of its addresses this machine uses toward a destination, as the kernel says; nothing is sent."""

import asyncio
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

SocketAddress: TypeAlias = tuple[Any, ...]
"""A family, and a destination as Python's sockets take it."""
Sources: TypeAlias = Mapping[SocketAddress, str]
"""Of each destination that can be reached now, the address that packets to it come from."""


@dataclass(frozen=True, slots=True)
class Destinations:
    """All addresses of a host."""

    addresses: tuple[SocketAddress, ...]

    @classmethod
    async def of(cls, host: str, port: int) -> "Destinations":
        """Those that a name or an address stands for now; none if it is not known."""
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_DGRAM)
        except (OSError, UnicodeError):  # UnicodeError: it cannot be a name
            found = []
        return cls(tuple((family, address) for family, _, _, _, address in found))

    def sources(self) -> Sources:
        """Where packets to them come from now."""
        found = {}
        for family, address in self.addresses:
            with socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as probe:
                try:
                    probe.connect(address)  # of a datagram socket: a look at routes and addresses, no more
                except OSError:
                    continue
                found[family, address] = str(probe.getsockname()[0])
        return found


@dataclass(slots=True)
class Host:
    """A host by its name or address.

    Attributes:
        _lookup: the last one. The resolver is asked in a thread that nobody can stop: who comes before it has
            answered waits for the same answer.
    """

    name: str
    port: int
    _lookup: asyncio.Task[Destinations] | None = None

    async def destinations(self) -> Destinations:
        """Its addresses now. A resolver that is away may take long to say that there are none."""
        if self._lookup is None or self._lookup.done():
            self._lookup = asyncio.create_task(Destinations.of(self.name, self.port))
        return await asyncio.shield(self._lookup)


def moved(before: Sources, now: Sources) -> str | None:
    """The new address toward a destination that had another one before; None if there is none."""
    return next((now[there] for there, source in before.items() if now.get(there, source) != source), None)
