"""What goes over a wire and when: pings that go on, when addresses become usable, packets as they are.

The clocks are those of ping(8) and ip(8), which an emulated machine slows down less than anything in Python.
"""

import json
import random
import re
import socket
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Self

from netns import Namespace, patient, until
from programs import Program

PING_INTERVAL = 0.02
"""Seconds."""
_REPLY = re.compile(r"^\[(\d+\.\d+)\] \d+ bytes from .* icmp_seq=(\d+)", re.MULTILINE)
_NEW_ADDRESS = re.compile(r"^\[(\S+)\] \d+: (\S+) +inet6 (\S+)/\d+ scope global(.*)$", re.MULTILINE)
_UNUSABLE = {"tentative", "deprecated", "dadfailed"}
_ETH_P_ALL = 3
_TRANSFER_PORT = 7778
_FRAGMENTATION = ("IpFragCreates", "IpFragFails", "Ip6FragCreates", "Ip6FragFails")
_SO_RCVBUFFORCE = 33


@dataclass(frozen=True, slots=True)
class Flow:
    """Traffic that somebody wants to pass."""

    name: str
    machine: Namespace
    address: str
    source: str | None = None

    def __str__(self) -> str:
        """For people."""
        return self.name

    def must_pass(self, *, within: float = 30) -> None:
        """Insist that pings are answered before the deadline."""
        self.machine.must_reach(self.address, source=self.source, within=within)


@dataclass(frozen=True, slots=True)
class Pings:
    """A ping that goes on."""

    flow: Flow
    program: Program

    @property
    def replies(self) -> list[float]:
        """When answers came, in seconds since 1970."""
        return [float(moment) for moment, _ in _REPLY.findall(self.program.output())]

    @property
    def lost(self) -> list[int]:
        """Numbers of the pings that were not answered, although a later one was."""
        answered = {int(number) for _, number in _REPLY.findall(self.program.output())}
        return sorted(set(range(1, max(answered, default=0))) - answered)

    def passed_after(self, moment: float, *, within: float = 60) -> float:
        """When the first answer after that moment came; waits for it."""

        def answered() -> list[float]:
            return [reply for reply in self.replies if reply >= moment]

        until(answered, within=within, why=f"{self.flow} passes again")
        return answered()[0]

    @classmethod
    @contextmanager
    def going_on(cls, flow: Flow, directory: Path, *, interval: float = PING_INTERVAL) -> Iterator["Pings"]:
        """Ping until the end of the block; it has been answered once when the block begins."""
        source = ("-I", flow.source) if flow.source else ()
        command = ["ping", "-n", "-D", "-i", f"{interval}", *source, flow.address]
        program = Program(flow.machine, command, directory / f"ping-{flow.name}")
        program.start()
        pings = cls(flow, program)
        try:
            until(lambda: pings.replies, within=20, why=f"{flow} passes")
            yield pings
        finally:
            program.kill()


@dataclass(frozen=True, slots=True)
class AddressWatch:
    """What the kernel of a machine tells of global addresses."""

    program: Program
    before: frozenset[str]
    """Addresses that the machine had, deprecated ones too: they come up again and again."""

    def usable(self, interface: str, *, within: float = 30) -> float:
        """When an address that is new there was first usable, in seconds since 1970; waits for it."""

        def moments() -> list[float]:
            return [
                datetime.fromisoformat(moment).timestamp()
                for moment, name, address, flags in _NEW_ADDRESS.findall(self.program.output())
                if name == interface and address not in self.before and not _UNUSABLE & set(flags.split())
            ]

        until(moments, within=within, why=f"{interface} of {self.program.namespace.name} has a new address")
        return moments()[0]

    @classmethod
    @contextmanager
    def on(cls, machine: Namespace, directory: Path) -> Iterator["AddressWatch"]:
        """Watch until the end of the block."""
        command = ["ip", "-ts", "-6", "monitor", "address"]
        program = Program(machine, command, directory / f"addresses-{machine.name}")
        before = machine.ip("-6 -o addr show scope global").splitlines()
        program.start()
        try:
            yield cls(program, frozenset(line.split()[3].partition("/")[0] for line in before))
        finally:
            program.kill()


class Wire:
    """What goes by at an interface of a machine, from the moment it is opened."""

    def __init__(self, machine: Namespace, interface: str) -> None:
        """Begin to listen."""
        with machine.entered():
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_ETH_P_ALL))
        self._socket.bind((interface, _ETH_P_ALL))
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, 64 << 20)
        self._socket.setblocking(False)

    def __enter__(self) -> Self:
        """It listens already."""
        return self

    def __exit__(self, *_: object) -> None:
        """Listen no more."""
        self._socket.close()

    def packets(self) -> Iterator[bytes]:
        """What came by until now and was not read yet: IPv4 and IPv6 packets, in both directions."""
        while True:
            try:
                yield self._socket.recv(1 << 16)
            except BlockingIOError:
                return


def transfer(client: Namespace, server: Namespace, address: str, size: int) -> None:
    """Send so many bytes by TCP to a server that sends them back, and insist that they are the same."""
    sent = random.Random(size).randbytes(size)
    with server.entered():
        listener = socket.create_server((address, _TRANSFER_PORT))
    with listener, ThreadPoolExecutor(1) as threads:
        served = threads.submit(_send_back, listener, size)
        with client.entered(), socket.create_connection((address, _TRANSFER_PORT), patient(30)) as connection:
            connection.sendall(sent)
            received = _received(connection, size)
        served.result()
    assert received == sent


def _send_back(listener: socket.socket, size: int) -> None:
    listener.settimeout(patient(30))
    connection, _ = listener.accept()
    with connection:
        connection.settimeout(patient(30))
        connection.sendall(_received(connection, size))


def _received(connection: socket.socket, size: int) -> bytes:
    """So many bytes, or fewer if there are no more."""
    arrived = bytearray()
    while len(arrived) < size and (part := connection.recv(1 << 16)):
        arrived += part
    return bytes(arrived)


def fragmentation(machine: Namespace) -> Mapping[str, int]:
    """How often the machine made fragments, or would have had to, so far."""
    counters = json.loads(machine.run("nstat", "--json", "-asz"))["kernel"]
    return {name: counters[name] for name in _FRAGMENTATION}
