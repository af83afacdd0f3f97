"""Tunnels whose ends follow, on the network of `ngn`: the intents, and what it takes to watch one move.

`VXLAN` needs no more of a kernel than VXLAN; `EVERY_TUNNEL` has DS-Lite and two site links beside it.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aftr import aftr
from deployment import Deployment
from nameserver import Nameserver, asked_by
from ngn import AFTRS, INTERNET_HOST, RESOLVER, VPS, Ngn
from traffic import AddressWatch, Flow, Pings

ROUTERS = ("vps", "home-a", "home-b")
AFTR_NAME = "gw.example.net"
LATE = {"interface": "wan0", "global-address": [None]}
"""An end that is the global address of the line, whatever it is."""
NETWORK, SPLIT = "tasuki-network:network", "tasuki-vxlan-split:vxlan-split"

VXLAN: Mapping[str, Any] = {
    NETWORK: {
        "router": [{"name": name} for name in ROUTERS],
        SPLIT: [
            {
                "name": "ae00",
                "prefix": "2001:db8:ae00::/40",
                "hub": {"router": "vps", "underlay": {"interface": "wan0", "ipv6-address": VPS}},
                "subscriber": [
                    {
                        "number": 1,
                        "router": "home-a",
                        "underlay": LATE,
                        "mode": "policy-routing",
                        "delegation": {"lan": [{"interface": "lan0"}]},
                    }
                ],
            },
            {
                "name": "be00",
                "prefix": "2001:db8:be00::/40",
                "vni-base": 256,
                "hub": {"router": "home-b", "underlay": {**LATE, "router-advertisements": "accept"}},
                "subscriber": [{"number": 1, "router": "home-a", "underlay": LATE, "mode": "policy-routing"}],
            },
        ],
    }
}
"""A split whose hub has a fixed address, and one whose hub moves as its subscriber does."""


def _side(router: str, number: int, **underlay: object) -> Mapping[str, Any]:
    return {
        "router": router,
        "underlay": {"interface": "wan0", **underlay},
        "lan": {"prefix": [f"192.168.{number}.0/24"], "interface": ["lan0"]},
    }


EVERY_TUNNEL: Mapping[str, Any] = {
    NETWORK: {
        **VXLAN[NETWORK],
        "tasuki-ds-lite:ds-lite": [
            {
                "name": "a",
                "router": "home-a",
                "underlay": {"interface": "wan0"},
                "aftr-name": {"name": AFTR_NAME, "resolver": [RESOLVER]},
            }
        ],
        "tasuki-site-link:site-link": [
            {
                "name": "ipip1",
                "inner-prefix": "172.16.1.0/30",
                "a": _side("home-a", 10, **{"ipv6-internet": False}),
                "b": _side("home-b", 20),
            },
            {
                "name": "gre1",
                "mode": "gre6",
                "inner-prefix": "172.16.1.4/30",
                "a": _side("home-a", 11, **{"ipv6-internet": False}),
                "b": _side("home-b", 21),
            },
        ],
    }
}

SUBNET_ID, INTERFACE_ID = 255, "::1"
LEASED = {
    "interface": "wan0",
    "delegated-address": {"subnet-id": SUBNET_ID, "interface-id": INTERFACE_ID},
}
"""An end that lies in the prefix of the line's lease."""

_DELEGATING: Mapping[str, Any] = {
    "router": [{"name": "vps"}, {"name": "home-a"}],
    "tasuki-wan:wan": [{"router": "home-a", "interface": "wan0", "ipv6": {"prefix-delegation": {}}}],
}

LEASED_VXLAN: Mapping[str, Any] = {
    NETWORK: {
        **_DELEGATING,
        SPLIT: [
            {
                "name": "ae00",
                "prefix": "2001:db8:ae00::/40",
                "hub": {"router": "vps", "underlay": {"interface": "wan0", "ipv6-address": VPS}},
                "subscriber": [
                    {
                        "number": 1,
                        "router": "home-a",
                        "underlay": LEASED,
                        "mode": "policy-routing",
                        "delegation": {"lan": [{"interface": "lan0"}]},
                    }
                ],
            }
        ],
    }
}
LEASED_DS_LITE: Mapping[str, Any] = {
    NETWORK: {
        **_DELEGATING,
        "tasuki-ds-lite:ds-lite": [
            {"name": "a", "router": "home-a", "underlay": LEASED, "aftr-of-lease": [None]}
        ],
    }
}
"""Both ends are of the lease."""


@dataclass(frozen=True, slots=True)
class Site:
    """A deployment on NGN.

    Attributes:
        flows: what passes by tunnels, one each.
        peers: the other end's router of each tunnel of each router, or "aftr".
        directory: for what programs print.
        names: the DNS of the line.
    """

    deployment: Deployment[Ngn]
    document: Mapping[str, Any]
    flows: tuple[Flow, ...]
    peers: Mapping[tuple[str, str], str]
    directory: Path
    names: Nameserver

    @property
    def network(self) -> Ngn:
        """The machines."""
        return self.deployment.network

    @classmethod
    @contextmanager
    def with_vxlan(cls, directory: Path) -> Iterator["Site"]:
        """`VXLAN`, converged."""
        with _deployed(directory) as deployment:
            site = cls(deployment, VXLAN, _vxlan_flows(deployment.network), _VXLANS, directory, Nameserver())
            site.begin()
            yield site

    @classmethod
    @contextmanager
    def with_every_tunnel(cls, directory: Path) -> Iterator["Site"]:
        """`EVERY_TUNNEL`, converged, with an AFTR and a name server."""
        names = Nameserver({AFTR_NAME: [f"AAAA {AFTRS[0]}"]}, ttl=2)
        with ExitStack() as stack:
            deployment = stack.enter_context(_deployed(directory))
            network = deployment.network
            stack.enter_context(aftr(network.aftr, "wan0", AFTRS, "internet0"))
            stack.enter_context(names.on(network.ngn, RESOLVER))
            flows = (*_vxlan_flows(network), *_ipv4_flows(network))
            site = cls(deployment, EVERY_TUNNEL, flows, _TUNNELS, directory, names)
            site.begin()
            yield site

    @classmethod
    @contextmanager
    def with_leased_vxlan(cls, directory: Path) -> Iterator["Site"]:
        """`LEASED_VXLAN`, which waits for a lease."""
        with _deployed(directory, ("vps", "home-a")) as deployment:
            deployment.apply(LEASED_VXLAN)
            flows = _vxlan_flows(deployment.network)[:1]
            peers = {key: _VXLANS[key] for key in (("vps", "vxlan01"), ("home-a", "vxlan01"))}
            yield cls(deployment, LEASED_VXLAN, flows, peers, directory, Nameserver())

    @classmethod
    @contextmanager
    def with_leased_ds_lite(cls, directory: Path) -> Iterator["Site"]:
        """`LEASED_DS_LITE`, which waits for a lease, with two AFTRs and a name server that knows none."""
        names = Nameserver(ttl=2)
        with ExitStack() as stack:
            deployment = stack.enter_context(_deployed(directory, ("vps", "home-a")))
            network = deployment.network
            stack.enter_context(aftr(network.aftr, "wan0", AFTRS, "internet0"))
            stack.enter_context(names.on(network.ngn, RESOLVER))
            deployment.apply(LEASED_DS_LITE)
            flows = _ipv4_flows(network)[:1]
            peers = {("home-a", "ip6tnl1"): "aftr"}
            yield cls(deployment, LEASED_DS_LITE, flows, peers, directory, names)

    def begin(self) -> None:
        """Everything converges, and all traffic passes."""
        self.deployment.apply(self.document, within=60)
        for flow in self.flows:
            flow.must_pass()

    def indexes(self) -> Mapping[tuple[str, str], str]:
        """The kernel's numbers of all tunnels: another one means that the tunnel was built anew."""
        return {
            (router, name): self.deployment.router(router).ip(f"-o link show {name}").split(":")[0]
            for router, name in self.peers
        }

    def interfaces(self, router: str) -> tuple[str, ...]:
        """The tunnels of a router."""
        return tuple(name for owner, name in self.peers if owner == router)

    def operational(self, router: str) -> Mapping[str, Any]:
        """What the router says that it is."""
        tree: Mapping[str, Any] = self.deployment.operator.tasuki_json(
            "get", "--router", router, "--datastore", "operational"
        )
        return tree

    def ends(self, router: str, interface: str) -> tuple[str | None, str | None]:
        """The local and the remote end that the kernel has."""
        (link,) = json.loads(self.deployment.router(router).ip(f"-j -d link show {interface}"))
        data = link["linkinfo"]["info_data"]
        return data.get("local6", data.get("local")), data.get("remote6", data.get("remote"))

    def recovery(self, move: Callable[[], None], *routers: str) -> Mapping[Flow, float]:
        """Seconds from the moment that all these routers' new addresses are usable until each flow passes."""
        machines = [self.deployment.router(router) for router in routers]
        with ExitStack() as stack:
            pings = [stack.enter_context(Pings.going_on(flow, self.directory)) for flow in self.flows]
            watches = [stack.enter_context(AddressWatch.on(machine, self.directory)) for machine in machines]
            move()
            usable = max(watch.usable("wan0") for watch in watches)
            return {ping.flow: ping.passed_after(usable) - usable for ping in pings}


_VXLANS = {
    ("vps", "vxlan01"): "home-a",
    ("home-a", "vxlan01"): "vps",
    ("home-a", "vxlan101"): "home-b",
    ("home-b", "vxlan101"): "home-a",
}
_TUNNELS = {
    **_VXLANS,
    ("home-a", "ip6tnl1"): "aftr",
    ("home-a", "ipip1"): "home-b",
    ("home-b", "ipip1"): "home-a",
    ("home-a", "gre1"): "home-b",
    ("home-b", "gre1"): "home-a",
}


def _vxlan_flows(network: Ngn) -> tuple[Flow, ...]:
    return (
        Flow("vxlan-to-a-fixed-hub", network.pc_a, "2001:db8:ae00:0:1::1"),
        Flow("vxlan-to-a-hub-that-moves", network.home_a, "2001:db8:be00:0:1::1"),
    )


def _ipv4_flows(network: Ngn) -> tuple[Flow, ...]:
    return (
        Flow("ds-lite", network.pc_a, INTERNET_HOST),
        Flow("site-link-ipip6", network.pc_a, "192.168.20.2"),
        Flow("site-link-ipip6-back", network.pc_b, "192.168.10.2"),
        Flow("site-link-gre6", network.pc_a, "192.168.21.2", "192.168.11.2"),
        Flow("site-link-gre6-back", network.pc_b, "192.168.11.2", "192.168.21.2"),
    )


@contextmanager
def _deployed(directory: Path, routers: tuple[str, ...] = ROUTERS) -> Iterator[Deployment[Ngn]]:
    with Ngn.running(directory) as network, asked_by(network.home_a, RESOLVER):
        network.pc_a.ip("addr add 2001:db8:ae00:1::100/64 dev eth0")
        network.pc_a.ip("-6 route add default via 2001:db8:ae00:1::1")
        for home, pc, number in ((network.home_a, network.pc_a, 11), (network.home_b, network.pc_b, 21)):
            home.ip(f"addr add 192.168.{number}.1/24 dev lan0")
            pc.ip(f"addr add 192.168.{number}.2/24 dev eth0")
        with Deployment.on(network, directory, routers) as deployment:
            yield deployment
