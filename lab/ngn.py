"""NGN in miniature: a routed IPv6 network without internet, with everything that is not tasuki's.

    pc-a ── home-a ──┐                ┌── vps       2001:db8:5::1, where the controller is
                     ├───── ngn ──────┤
    pc-b ── home-b ──┘                └── aftr ── internet    198.51.100.1, IPv4 only

The lines of both homes get a /64 by router advertisements and nothing else, as without a phone contract.
Behind the homes are 192.168.10.0/24 and 192.168.20.0/24, which NGN knows nothing of.
"""

import ipaddress
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path

from advertiser import Advertiser
from netns import Machines, Namespace, cable, until

INTERNET_HOST = "198.51.100.1"
AFTRS = ("2001:db8:af::a", "2001:db8:af::b")
RESOLVER = "2001:db8:53::53"
"""Where NGN's name server is, on the machine `ngn`."""
VPS = "2001:db8:5::1"
LINE_A, LINE_B = "to-home-a", "to-home-b"
"""Ports of the machine `ngn`."""


@dataclass(frozen=True, slots=True)
class Ngn:
    """The machines by name, and what numbers their lines."""

    ngn: Namespace
    aftr: Namespace
    internet: Namespace
    vps: Namespace
    home_a: Namespace
    pc_a: Namespace
    home_b: Namespace
    pc_b: Namespace
    lines: Advertiser

    @classmethod
    @contextmanager
    def running(cls, directory: Path) -> Iterator["Ngn"]:
        """All machines and cables; both lines have their first prefixes."""
        with Machines() as machines:
            labels = [field.name for field in fields(cls) if field.type is Namespace]
            made = {label: machines.add(label.replace("_", "-")) for label in labels}
            lines = Advertiser(
                made["ngn"], directory, {LINE_A: "2001:db8:a1:a::/64", LINE_B: "2001:db8:b1:b::/64"}
            )
            network = cls(**made, lines=lines)
            network._join_core()
            network._join_homes()
            with lines.running():
                for home in (network.home_a, network.home_b):
                    until(partial(global_address, home), within=30, why=f"{home.name} has an address")
                yield network

    @property
    def controller_addresses(self) -> tuple[str, ...]:
        """Where the controller listens, on the VPS."""
        return (f"[{VPS}]:9339",)

    def controller_for(self, router: str) -> str:  # noqa: ARG002
        """Where this router reaches it."""
        return self.controller_addresses[0]

    def machine(self, router: str) -> Namespace:
        """The machine that a router is."""
        found: Namespace = getattr(self, router.replace("-", "_"))
        return found

    def _join_core(self) -> None:
        ngn = self.ngn
        ngn.sysctl("net/ipv6/conf/all/forwarding", "1")
        ngn.ip(f"addr add {RESOLVER}/128 dev lo")
        for machine, prefix in ((self.vps, "2001:db8:5"), (self.aftr, "2001:db8:a")):
            port = f"to-{machine.name.rpartition('-')[2]}"
            cable(ngn, port, machine, "wan0")
            ngn.ip(f"addr add {prefix}::fe/64 dev {port}")
            machine.ip(f"addr add {prefix}::1/64 dev wan0")
            machine.ip(f"-6 route add default via {prefix}::fe")
        for address in AFTRS:
            ngn.ip(f"route add {address} via 2001:db8:a::1")
        cable(self.aftr, "internet0", self.internet, "eth0")
        self.aftr.ip("addr add 203.0.113.1/24 dev internet0")
        self.internet.ip("addr add 203.0.113.2/24 dev eth0")
        self.internet.ip(f"addr add {INTERNET_HOST}/32 dev lo")
        self.aftr.ip(f"route add {INTERNET_HOST} via 203.0.113.2")

    def _join_homes(self) -> None:
        homes = ((self.home_a, self.pc_a, LINE_A, 10), (self.home_b, self.pc_b, LINE_B, 20))
        for home, pc, port, number in homes:
            # As on real routers, an address is checked for collisions before it is usable: a second.
            home.sysctl("net/ipv6/conf/default/accept_dad", "1")
            cable(self.ngn, port, home, "wan0")
            cable(home, "lan0", pc, "eth0")
            home.ip(f"addr add 192.168.{number}.1/24 dev lan0")
            pc.ip(f"addr add 192.168.{number}.2/24 dev eth0")
            pc.ip(f"route add default via 192.168.{number}.1")


def link_local_address(machine: Namespace, interface: str = "wan0") -> str:
    """The address of the interface that depends on nothing."""
    return machine.ip(f"-6 -o addr show dev {interface} scope link").split()[3].partition("/")[0]


def global_address(machine: Namespace, interface: str = "wan0") -> str | None:
    """The usable global address that the interface has learned, if it has one."""
    shown = machine.ip(f"-6 -o addr show dev {interface} scope global -tentative -deprecated -dadfailed")
    addresses = [line.split()[3] for line in shown.splitlines()]
    return str(ipaddress.IPv6Interface(addresses[0]).ip) if addresses else None
