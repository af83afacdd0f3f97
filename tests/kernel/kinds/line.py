"""An IPv6 line between the router and another machine, and what can be seen of the tunnels over it."""

import json
import socket
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Self

from kernel.kinds.machine import Kinds
from netns import Namespace, cable, patient
from tasuki_agent.kind import Create, Update
from tasuki_agent.kinds.address.model import Address, AddressKey

HERE, HERE_LATER = "2001:db8:1::1", "2001:db8:1::101"
THERE, THERE_LATER = "2001:db8:1::2", "2001:db8:1::102"
"""Ends of tunnels, of the router and of the other machine."""
INNER = {"ipv4": ("192.0.2.1", "192.0.2.2", 30), "ipv6": ("2001:db8:2::1", "2001:db8:2::2", 64)}
"""Addresses in the tunnel, here and there."""
TUNNEL = "tunnel1"

_ETH_P_IPV6 = 0x86DD
_IPV6_HEAD = struct.Struct("!4xHBB16s16s")
"""Payload length, next header, hop limit, source, destination."""


class Outer(NamedTuple):
    """What carries a packet through the line."""

    source: str
    destination: str
    next_header: int
    hop_limit: int


@dataclass(frozen=True, slots=True)
class Line:
    """The two machines, and the wire at the other one."""

    router: Namespace
    far: Namespace
    wire: socket.socket

    @classmethod
    @contextmanager
    def joining(cls, router: Namespace, far: Namespace) -> Iterator[Self]:
        """Lay the cable, and look at what arrives at its far end."""
        cable(router, "wan0", far, "wan0")
        for machine, addresses in ((router, (HERE, HERE_LATER)), (far, (THERE, THERE_LATER))):
            for address in addresses:
                machine.ip(f"addr add {address}/64 dev wan0 nodad")
        with far.entered():
            wire = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_ETH_P_IPV6))
        with wire:
            wire.bind(("wan0", _ETH_P_IPV6))
            wire.setblocking(False)
            yield cls(router, far, wire)

    def sent(self) -> set[Outer]:
        """How packets came from the router's ends since the last look, but for neighbour discovery."""
        seen: set[Outer] = set()
        while True:
            try:
                packet = self.wire.recv(65536)
            except BlockingIOError:
                return seen
            _, next_header, hop_limit, source, destination = _IPV6_HEAD.unpack_from(packet)
            outer = Outer(
                socket.inet_ntop(socket.AF_INET6, source),
                socket.inet_ntop(socket.AF_INET6, destination),
                next_header,
                hop_limit,
            )
            if outer.source in (HERE, HERE_LATER) and next_header != socket.IPPROTO_ICMPV6:
                seen.add(outer)

    def make_far_end(self, link_type: str, families: Sequence[str] = ("ipv4", "ipv6")) -> None:
        """The other machine's tunnel, by hand, with its addresses."""
        self.far.ip(f"link add {TUNNEL} type {link_type} local {THERE} remote {HERE} encaplimit none")
        self.far.ip(f"link set {TUNNEL} up")
        for family in families:
            _, there, length = INNER[family]
            self.far.ip(f"addr add {there}/{length} dev {TUNNEL}{' nodad' if family == 'ipv6' else ''}")

    def move_far_end(self, link_type: str) -> None:
        """The other machine's tunnel from its later address to the router's."""
        self.far.ip(f"link set {TUNNEL} type {link_type} local {THERE_LATER} remote {HERE_LATER}")

    def must_carry(self, *families: str) -> None:
        """Pings pass both ways."""
        for family in families:
            here, there, _ = INNER[family]
            self.router.must_reach(there)
            self.far.must_reach(here)

    @contextmanager
    def connection(self) -> Iterator["Connection"]:
        """A TCP connection through the tunnel, from the router to the other machine."""
        here, there, _ = INNER["ipv4"]
        with self.far.entered():
            listener = socket.create_server((there, 0))
        with listener, self.router.entered():
            client = socket.create_connection(
                listener.getsockname(), timeout=patient(10), source_address=(here, 0)
            )
            with client, listener.accept()[0] as served:
                served.settimeout(patient(10))
                yield Connection(client, served)


class Connection(NamedTuple):
    """The two sockets."""

    here: socket.socket
    there: socket.socket

    def must_carry(self, text: bytes) -> None:
        """What one sends the other receives, both ways."""
        for sender, receiver in ((self.here, self.there), (self.there, self.here)):
            sender.sendall(text)
            assert receiver.recv(len(text), socket.MSG_WAITALL) == text


def as_ip_shows_it(router: Namespace) -> dict[str, Any]:
    """The tunnel without our mark, and without what differs from one link to the next."""
    (link,) = json.loads(router.ip(f"-d -json link show dev {TUNNEL}"))
    apart = {"ifindex", "group", "permaddr", *(() if link["link_type"] != "ether" else ("address",))}
    return {name: value for name, value in link.items() if name not in apart}


async def made(kinds: Kinds, spec: Any, families: Sequence[str] = ("ipv4", "ipv6")) -> Any:
    """The router's tunnel with its addresses; as observed."""
    await kinds["link"].apply(Create(TUNNEL, spec))
    for family in families:
        here, _, length = INNER[family]
        await kinds["address"].apply(Create(AddressKey(TUNNEL, here), Address(length)))
    return (await kinds["link"].observe())[TUNNEL]


async def moved(kinds: Kinds, spec: Any) -> Any:
    """The router's tunnel from its later address to the other machine's; as observed."""
    link = kinds["link"]
    before = (await link.observe())[TUNNEL]
    wanted = replace(spec, local=HERE_LATER, remote=THERE_LATER)
    assert link.in_place(before, wanted)
    await link.apply(Update(TUNNEL, before, wanted))
    return (await link.observe())[TUNNEL]
