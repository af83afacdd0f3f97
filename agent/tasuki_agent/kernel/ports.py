"""Who has a port that a program of ours needs. Nothing is taken from anybody: people are told what to do.

Whether a port can be had, the kernel itself is asked, by taking it for a moment; only if it refuses are all
sockets and processes gone through for who has it.
"""

import errno
import re
import socket
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Final, NamedTuple

from tasuki_agent.errors import Transient
from tasuki_agent.kernel.uapi import IP_FREEBIND

_PROC = Path("/proc")
_SOCKET = re.compile(r"socket:\[(\d+)\]")
IPV4_BYTES: Final = 4
_LISTEN: Final = "0A"
"""State of a TCP socket that waits for connections."""

ADVICE: Final[Mapping[str, str]] = {
    "dhclient": "stop it for this interface (ifupdown or NetworkManager runs it)",
    "dhcp6c": "stop wide-dhcpv6-client and disable it",
    "dhcpcd": "stop it for this interface, or disable its service",
    "dhcpd": "stop isc-dhcp-server and disable it",
    "dnsmasq": "stop it and disable its service; libvirt and LXD run one for each of their networks",
    "kea-dhcp4": "stop kea-dhcp4-server and disable it",
    "kea-dhcp6": "stop kea-dhcp6-server and disable it",
    "named": "stop it and disable its service, or have it listen on other addresses",
    "systemd-network": "set DHCP=no and DHCPServer=no for this interface in its .network file",
    "systemd-resolve": "set DNSStubListener=no in /etc/systemd/resolved.conf and restart it",
    "unbound": "stop it and disable its service, or have it listen on other addresses",
}
"""What to do, by the name of the process as the kernel has it: fifteen characters at most."""


class Port(NamedTuple):
    """A port that a program needs, in this network namespace."""

    protocol: str
    """udp or tcp."""
    number: int
    address: str = "::"
    """The one that it is bound to; "::" or "0.0.0.0" for all of a family."""
    device: str = ""
    """The only interface that it serves, if it binds to one."""

    def __str__(self) -> str:
        at = "" if ip_address(self.address).is_unspecified else f" of {self.address}"
        return f"{self.protocol.upper()} port {self.number}{at}{f' on {self.device}' if self.device else ''}"


@dataclass(frozen=True, slots=True)
class Holder:
    """A process that has a port."""

    pid: int
    name: str

    def __str__(self) -> str:
        """With what can be done about it."""
        return f"{self.name} (pid {self.pid}): {ADVICE.get(self.name, 'stop it, or have it use another one')}"


def require_free(ports: Collection[Port], *, ours: Collection[int] = (), doing: str) -> None:
    """Insist that each port can be had, or that a process of ours has it.

    Args:
        ports: those that are needed.
        ours: processes that have them by right.
        doing: begins the message.

    Raises:
        Transient: somebody else has one; the message says who has which, and what to do.
    """
    refused = [port for port in ports if not _can_be_had(port)]
    if not refused:
        return
    holders = _holders(refused)
    held: dict[str, list[str]] = {}
    for port, found in holders.items():
        if not any(holder.pid in ours for holder in found):
            by = " and by ".join(map(str, found)) or "a process that cannot be seen from here"
            held.setdefault(by, []).append(str(port))
    if held:
        told = (
            f"{'each of ' * bool(each[1:])}{', '.join(each)} is held by {by}" for by, each in held.items()
        )
        raise Transient(f"{doing}: {'; '.join(told)}")


def _can_be_had(port: Port) -> bool:
    """Whether the kernel gives the port to who does not share it."""
    ipv6 = ":" in port.address
    kind = socket.SOCK_STREAM if port.protocol == "tcp" else socket.SOCK_DGRAM
    with socket.socket(socket.AF_INET6 if ipv6 else socket.AF_INET, kind | socket.SOCK_CLOEXEC) as probe:
        if port.protocol == "tcp":
            # As servers do: connections that have ended are in nobody's way.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if ipv6:
            probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        # The address may come later.
        probe.setsockopt(socket.IPPROTO_IP, IP_FREEBIND, 1)
        try:
            if port.device:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, port.device.encode())
            probe.bind((port.address, port.number))
        except OSError as e:
            # Anything else (there is no such interface yet) says nothing of who has the port.
            return e.errno != errno.EADDRINUSE
    return True


def _holders(ports: Collection[Port]) -> dict[Port, list[Holder]]:
    """The processes whose sockets may be what is in the way of each port."""
    inodes = {port: set(_sockets(port)) for port in ports}
    holders: dict[Port, list[Holder]] = {port: [] for port in ports}
    for holder, inode in _owners(set[int]().union(*inodes.values())):
        for port, wanted in inodes.items():
            if inode in wanted and holder not in holders[port]:
                holders[port].append(holder)
    return holders


def _sockets(port: Port) -> Iterator[int]:
    """Inodes of the sockets that are bound to the port, on an address that overlaps."""
    wanted = ip_address(port.address)
    for family in ("", "6"):
        # Not /proc/net, which is the first thread's.
        table = _PROC / "thread-self/net" / f"{port.protocol}{family}"
        for line in table.read_text().splitlines()[1:] if table.exists() else ():
            fields = line.split()
            address, _, number = fields[1].partition(":")
            if int(number, 16) != port.number or (port.protocol == "tcp" and fields[3] != _LISTEN):
                continue
            if _overlap(wanted, _address(address)):
                yield int(fields[9])


def _overlap(one: IPv4Address | IPv6Address, other: IPv4Address | IPv6Address) -> bool:
    """Whether one of them takes in the other. All of IPv6 takes in IPv4, unless its socket says not to."""
    if one.version != other.version:
        return (other if other.version > one.version else one).is_unspecified
    return one == other or one.is_unspecified or other.is_unspecified


def _address(text: str) -> IPv4Address | IPv6Address:
    """An address as /proc/net has it: words of four bytes, as the machine holds numbers."""
    words = (text[start : start + 8] for start in range(0, len(text), 8))
    packed = b"".join(int(word, 16).to_bytes(4, "little") for word in words)
    if len(packed) == IPV4_BYTES:
        return IPv4Address(packed)
    address = IPv6Address(packed)
    return address.ipv4_mapped or address


def _owners(inodes: set[int]) -> Iterator[tuple[Holder, int]]:
    for process in _PROC.iterdir():
        # A process may end at any moment, and a container may keep its first one to itself.
        with suppress(FileNotFoundError, ProcessLookupError, PermissionError):
            if process.name.isdigit() and (held := _inodes(process) & inodes):
                holder = Holder(int(process.name), (process / "comm").read_text().strip())
                yield from ((holder, inode) for inode in held)


def _inodes(process: Path) -> set[int]:
    """Of the sockets that a process has."""
    inodes = set()
    for descriptor in (process / "fd").iterdir():
        with suppress(FileNotFoundError):
            if found := _SOCKET.fullmatch(str(descriptor.readlink())):
                inodes.add(int(found[1]))
    return inodes
