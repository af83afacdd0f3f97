"""tasuki at the home of `access`: the intents of its router and of the VPS, and what the hosts then have.

The intent holds no address of the line: everything follows the prefix that is delegated.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from ipaddress import IPv6Network
from pathlib import Path
from typing import Any

from access import LINE, OUTSIDE, PROMPT, VPS, Access
from deployment import Deployment
from dhcpv6 import Delegation
from hosts import Host
from netns import Namespace, until
from tasuki_proto.v1.config_pb2 import OPERATION_REPLACE
from tasuki_yang.facts import address_in
from traffic import AddressWatch, Flow, Pings

ROUTERS = ("vps", "home")
NETWORK, SPLIT = "tasuki-network:network", "tasuki-vxlan-split:vxlan-split"
WAN, LAN, FORWARDER = "tasuki-wan:wan", "tasuki-lan:lan", "tasuki-lan:dns-forwarder"
LAN0, LAN1, OWN = 1, 2, 15
"""Subnets of the delegated prefix; also a /60 has them all."""
UNASSIGNED = 7
HUB = "2001:db8:ae00:0:1::1"
"""The VPS's address in its tunnel to the home."""
DOMAIN = "home.example"


def wan(**access: object) -> dict[str, Any]:
    """The home's line, which delegates a prefix unless something else is said."""
    return {"router": "home", "interface": "wan0", **(access or {"ipv6": {"prefix-delegation": {}}})}


def lan(number: int, **ipv6: object) -> dict[str, Any]:
    """One of the home's LANs; its IPv6 is delegated unless something else is said."""
    subnet = f"192.168.{number + 1}"
    delegated = {
        "delegated": {"wan": "wan0", "subnet-id": number + 1},
        "router-advertisements": {"interval": 4, "search-domain": [DOMAIN]},
    }
    return {
        "router": "home",
        "interface": f"lan{number}",
        "ipv4": {
            "address": f"{subnet}.1",
            "prefix-length": 24,
            "dhcp-server": {
                "range": {"start": f"{subnet}.100", "end": f"{subnet}.199"},
                "domain": DOMAIN,
                "ntp-server": ["203.0.113.123"],
            },
        },
        "ipv6": ipv6 or delegated,
    }


def stateful(number: int) -> dict[str, Any]:
    """One of the home's LANs, whose hosts get addresses by DHCPv6."""
    given = lan(number)
    given["ipv6"]["router-advertisements"] |= {
        "hosts": "stateful-dhcpv6",
        "dhcpv6-range": {"start": "::1000", "end": "::1fff", "lease-time": 120},
    }
    return given


FORWARDS: Mapping[str, Any] = {
    "router": "home",
    "servers-of-lease": "wan0",
    "domain": DOMAIN,
    "host": [{"name": f"nas.{DOMAIN}", "address": ["192.168.1.10"]}],
}
DELEGATED_END: Mapping[str, Any] = {"delegated-address": {"subnet-id": OWN, "interface-id": "::1"}}
"""A tunnel's end in the delegated prefix."""


def tunnel(end: Mapping[str, Any] = DELEGATED_END) -> dict[str, Any]:
    """A split whose hub is the VPS and whose only subscriber is the home."""
    subscriber = {
        "number": 1,
        "router": "home",
        "underlay": {"interface": "wan0", **end},
        "mode": "policy-routing",
    }
    return {
        "name": "ae00",
        "prefix": "2001:db8:ae00::/40",
        "hub": {"router": "vps", "underlay": {"interface": "wan0", "ipv6-address": VPS}},
        "subscriber": [subscriber],
    }


def document(**lists: list[Any]) -> dict[str, Any]:
    """A network of the VPS and the home with these lists, by the names of their nouns."""
    names = {"wan": WAN, "lan": LAN, "forwarder": FORWARDER, "split": SPLIT}
    entries = {names[noun]: entries for noun, entries in lists.items()}
    return {NETWORK: {"router": [{"name": name} for name in ROUTERS], **entries}}


WHOLE: Mapping[str, Any] = document(wan=[wan()], lan=[lan(0), lan(1)], forwarder=[FORWARDS], split=[tunnel()])


@dataclass(frozen=True, slots=True)
class Home:
    """The programs on the machines of `access`, and the hosts with their clients."""

    access: Access
    deployment: Deployment[Access]
    pc: Host
    laptop: Host
    directory: Path

    @classmethod
    @contextmanager
    def running(cls, directory: Path, delegation: Delegation = PROMPT) -> Iterator["Home"]:
        """Everything runs, and nothing is intended yet."""
        with ExitStack() as stack:
            access = stack.enter_context(Access.running(directory, delegation))
            deployment = stack.enter_context(Deployment.on(access, directory, ROUTERS))
            pc = stack.enter_context(Host.with_udhcpc(access.pc, directory))
            laptop = stack.enter_context(Host.with_dhcpcd(access.laptop, directory))
            yield cls(access, deployment, pc, laptop, directory)

    @property
    def router(self) -> Namespace:
        """The home's router."""
        return self.access.home

    @property
    def hosts(self) -> Mapping[Host, int]:
        """The hosts and their subnets of the delegated prefix."""
        return {self.pc: LAN0, self.laptop: LAN1}

    @property
    def outward(self) -> tuple[Flow, ...]:
        """What passes without a tunnel."""
        return Flow("pc", self.access.pc, OUTSIDE), Flow("laptop", self.access.laptop, OUTSIDE)

    @property
    def through_the_tunnel(self) -> Flow:
        """What passes by it."""
        return Flow("tunnel", self.router, HUB)

    @property
    def prefix(self) -> str:
        """What is delegated."""
        prefix = self.access.server.delegation.prefix
        assert prefix is not None
        return prefix

    @property
    def end(self) -> str:
        """Where the home's end of the tunnel has to be."""
        return address_in(self.prefix, OWN, "::1")

    def must_work(self) -> None:
        """Insist that routers are as intended, and hosts in the right subnets and reach the outside."""
        self.deployment.converge()
        for host, number in self.hosts.items():
            until(
                lambda host=host, number=number: host.is_in(subnet(self.prefix, number)),  # type: ignore[misc]
                within=30,
                why=f"{host.machine.name} has addresses in subnet {number} of {self.prefix}, and no others",
            )
        for flow in self.outward:
            flow.must_pass()

    def restore(self) -> None:
        """Make everything as it is by itself, whatever has been done to it."""
        self.access.line.renumber({LINE: None})
        if self.access.server.delegation != PROMPT:
            self.access.server.delegate(**vars(PROMPT))
        self.deployment.apply(WHOLE, operation=OPERATION_REPLACE)
        self.must_work()

    def ends(self, router: str) -> tuple[str | None, str | None]:
        """The local and the remote end of the tunnel that the router's kernel has."""
        (link,) = json.loads(self.access.machine(router).ip("-j -d link show vxlan01"))
        data = link["linkinfo"]["info_data"]
        return data.get("local6"), data.get("remote6")

    @property
    def _lease(self) -> Path:
        """The file by which the client tells the agent."""
        return self.deployment.agents["home"].state_dir / "leases/wan0.lease"

    def leased_at(self) -> float:
        """When the client told of the prefix that is delegated now, in seconds since 1970; waits for it."""
        address = self.prefix.partition("/")[0]
        until(lambda: f"={address}\n" in self._lease.read_text(), within=30, why=f"{self.prefix} is leased")
        return self._lease.stat().st_mtime

    @contextmanager
    def unserved(self) -> Iterator[None]:
        """Nobody answers meanwhile, and the lease is over soon."""
        self.access.server.delegate(preferred=12, valid=16)
        until(lambda: "vltime=16\n" in self._lease.read_text(), within=30, why="the lease is a short one")
        with self.access.server.silent():
            yield

    def recovery(self, move: Callable[[], None]) -> tuple[float, float]:
        """What it takes from a new lease to hosts that use the new prefix, and to a tunnel that works."""
        with ExitStack() as stack:
            watches = [
                stack.enter_context(AddressWatch.on(host.machine, self.directory)) for host in self.hosts
            ]
            pings = stack.enter_context(Pings.going_on(self.through_the_tunnel, self.directory))
            move()
            leased = self.leased_at()
            hosts = max(watch.usable("eth0") for watch in watches)
            return hosts - leased, pings.passed_after(leased) - leased

    def status(self, router: str = "home") -> str:
        """What `tasuki routers` says of a router, on one line."""
        return " ".join(self.deployment.operator.tasuki("routers", router).split())


def subnet(prefix: str, number: int) -> str:
    """A /64 of a delegated prefix."""
    return str(IPv6Network((address_in(prefix, number, "::1"), 64), strict=False))
