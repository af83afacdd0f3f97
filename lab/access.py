"""A home whose line delegates prefixes, as NGN with a phone contract and Flet's Cross do.

    outside ────┐         wan0       ┌─ lan0 ── pc        its kernel makes its addresses, udhcpc asks for IPv4
                ├─── ngn ────── home ┤
    vps ────────┘                │   └─ lan1 ── laptop    dhcpcd does everything, as on a Raspberry Pi
     └───────────────────────────┘
                 mgmt0

NGN advertises itself as the default router and, by itself, no prefix; its DHCPv6 server delegates one and
routes it to the home. Nothing of the home is configured. The controller, on the VPS, is reached by another
wire, so that a home whose line is dead can say so.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path

from advertiser import Advertiser
from dhcpv6 import DNS, SNTP, Delegation, Server, wire_addresses
from nameserver import Nameserver
from netns import Machines, Namespace, cable, until
from ngn import link_local_address

LINE = "to-home"
"""The port of NGN."""
OUTSIDE = "2001:db8:ffff::1"
OUTSIDE_NAME = "outside.example.net"
RESOLVER = "2001:db8:53::53"
TIME_SERVER = "2001:db8:53::123"
VPS = "2001:db8:5::1"
CONTROLLER = "192.0.2.1"
FIRST, SECOND, SMALL = "2001:db8:1200::/56", "2001:db8:3400::/56", "2001:db8:5600:ab0::/60"
"""What is delegated; the last one as a home gateway does it."""
OPTIONS = {DNS: wire_addresses(RESOLVER), SNTP: wire_addresses(TIME_SERVER)}
NGN = Delegation(FIRST, renew=7200, preferred=12600, valid=14400, options=OPTIONS)
PROMPT = Delegation(FIRST, renew=4, preferred=60, valid=90, options=OPTIONS)
"""A lease that the client has renewed so often that it sees any change within seconds."""


@dataclass(frozen=True, slots=True)
class Access:
    """The machines by name, and what NGN does on the home's line."""

    ngn: Namespace
    outside: Namespace
    vps: Namespace
    home: Namespace
    pc: Namespace
    laptop: Namespace
    line: Advertiser
    server: Server
    names: Nameserver

    @classmethod
    @contextmanager
    def running(cls, directory: Path, delegation: Delegation = PROMPT) -> Iterator["Access"]:
        """All machines and cables, NGN's daemons, and a name server that knows the host outside."""
        with Machines() as machines:
            labels = [field.name for field in fields(cls) if field.type is Namespace]
            made = {label: machines.add(label) for label in labels}
            made["home"].sysctl("net/ipv6/conf/default/accept_dad", "1")
            cable(made["ngn"], LINE, made["home"], "wan0")
            names = Nameserver({OUTSIDE_NAME: [f"AAAA {OUTSIDE}"]})
            line = Advertiser(made["ngn"], directory, {LINE: None}, dhcpv6=True)
            until(lambda: "fe80" in made["home"].ip("addr show wan0"), within=10, why="wan0 is up")
            server = Server(made["ngn"], LINE, directory, delegation, link_local_address(made["home"]))
            access = cls(**made, line=line, server=server, names=names)
            access._join()
            with line.running(), names.on(access.ngn, RESOLVER), server.running():
                yield access

    @property
    def controller_addresses(self) -> tuple[str, ...]:
        """Where the controller listens, on the VPS."""
        return (f"{CONTROLLER}:9339",)

    def controller_for(self, router: str) -> str:  # noqa: ARG002
        """Where this router reaches it."""
        return self.controller_addresses[0]

    def machine(self, router: str) -> Namespace:
        """The machine that a router is."""
        found: Namespace = getattr(self, router)
        return found

    def replug(self) -> None:
        """Take the cable of the line out and put it in again."""
        self.ngn.ip(f"link set {LINE} down")
        self.ngn.ip(f"link set {LINE} up")
        self.server.route("replace")

    def _join(self) -> None:
        self.ngn.sysctl("net/ipv6/conf/all/forwarding", "1")
        self.ngn.ip(f"addr add {RESOLVER}/128 dev lo")
        for machine, prefix in ((self.vps, "2001:db8:5"), (self.outside, "2001:db8:ffff")):
            port = f"to-{machine.name.rpartition('-')[2]}"
            cable(self.ngn, port, machine, "wan0")
            self.ngn.ip(f"addr add {prefix}::fe/64 dev {port}")
            machine.ip(f"addr add {prefix}::1/64 dev wan0")
            machine.ip(f"-6 route add default via {prefix}::fe")
        cable(self.vps, "mgmt0", self.home, "mgmt0")
        self.vps.ip(f"addr add {CONTROLLER}/30 dev mgmt0")
        self.home.ip("addr add 192.0.2.2/30 dev mgmt0")
        cable(self.home, "lan0", self.pc, "eth0")
        cable(self.home, "lan1", self.laptop, "eth0")
