"""A DS-Lite tunnel from an address in a delegated prefix, on a real kernel: it follows the prefix."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kernel.kinds.lease import FIRST, SECOND, Lease, statuses
from kernel.kinds.line import HERE, INNER, THERE, TUNNEL, Line
from kernel.kinds.machine import listing
from netns import Namespace
from tasuki_agent.intent import Intent
from tasuki_agent.kernel import Kernel
from tasuki_agent.kinds import load
from tasuki_agent.reconcile.facts import FactBook
from tasuki_agent.reconcile.reconciler import Reconciler
from tasuki_agent.reconcile.status import State

pytestmark = pytest.mark.needs_kernel("ip6_tunnel")

END = {FIRST: "2001:db8:1200:2::b4", SECOND: "2001:db8:3400:2::b4"}
PLACE = {"subnet-id": 2, "interface-id": "::b4"}
RP_FILTER = f"net/ipv4/conf/{TUNNEL}/rp_filter"
TREE: dict[str, Any] = {
    "ietf-interfaces:interfaces": {
        "interface": [
            {
                "name": "wan0",
                "type": "iana-if-type:other",
                "ietf-ip:ipv6": {
                    "tasuki-address:delegated-address": [{"lease": "wan0", **PLACE, "prefix-length": 128}]
                },
            },
            {
                "name": TUNNEL,
                "type": "tasuki-link:ip6tnl",
                "tasuki-link:mtu": 1460,
                "tasuki-link:ip6tnl": {
                    "mode": "ipip6",
                    "local-delegated": {"interface": "wan0", **PLACE},
                    "remote": THERE,
                },
                "ietf-ip:ipv4": {
                    "address": [{"ip": INNER["ipv4"][0], "prefix-length": 30}],
                    "tasuki-sysctl:reverse-path-filter": "off",
                },
            },
        ]
    },
    "ietf-routing:routing": {
        "control-plane-protocols": {
            "control-plane-protocol": [
                {
                    "type": "ietf-routing:static",
                    "name": "main",
                    "static-routes": {
                        "ietf-ipv4-unicast-routing:ipv4": {
                            "route": [
                                {
                                    "destination-prefix": "0.0.0.0/0",
                                    "next-hop": {"outgoing-interface": TUNNEL},
                                }
                            ]
                        }
                    },
                }
            ]
        }
    },
}


@pytest.fixture
def router(line: Line) -> Iterator[Namespace]:
    line.router.sysctl("net/ipv4/conf/default/rp_filter", "1")
    with line.router.entered():
        yield line.router


@pytest.fixture
def lease(tmp_path: Path) -> Lease:
    return Lease(tmp_path)


@pytest.fixture
def reconciler(kernel: Kernel, lease: Lease) -> Reconciler:
    clock = iter(range(1000, 2000))
    reconciler = Reconciler(
        load(kernel), lambda: next(clock), lambda: next(clock), facts=FactBook(lease.learn)
    )
    reconciler.set_intent(Intent.parse(1, json.dumps(TREE).encode()))
    return reconciler


def tunnel(router: Namespace) -> dict[str, Any]:
    (link,) = listing(router, f"-d link show dev {TUNNEL}")
    return link


async def renumbered(reconciler: Reconciler, lease: Lease, line: Line, prefix: str) -> None:
    """The line has another prefix, and the far end of the tunnel follows."""
    line.far.ip(f"-6 route replace {prefix} via {HERE}")
    if listing(line.far, "link show type ip6tnl"):
        line.far.ip(f"link set {TUNNEL} type ip6tnl remote {END[prefix]}")
    lease.prefix = prefix
    assert await statuses(reconciler) == {}


async def test_a_tunnel_waits_for_the_prefix_and_then_carries_packets(
    line: Line, reconciler: Reconciler, lease: Lease
) -> None:
    assert await statuses(reconciler) == {
        f"link {TUNNEL}": (State.WAITING, WAITS),
        "address ::b4 in subnet 2 of the prefix of wan0 dev wan0": (State.WAITING, WAITS),
        f"address {INNER['ipv4'][0]} dev {TUNNEL}": (State.WAITING, f"waits for link {TUNNEL}"),
        "route 0.0.0.0/0 table 254 metric 0": (State.WAITING, f"waits for link {TUNNEL}"),
        f"sysctl {RP_FILTER}": (State.WAITING, f"waits for link {TUNNEL}"),
    }
    line.make_far_end("ip6tnl mode ip4ip6", ["ipv4"])
    await renumbered(reconciler, lease, line, FIRST)
    assert line.router.sysctl(RP_FILTER) == "0"
    line.must_carry("ipv4")


WAITS = "waits for a prefix delegated on wan0: does a client ask for one there, and a DHCPv6 server answer?"


async def test_a_tunnel_follows_the_prefix_in_place_and_is_left_alone_then(
    line: Line, kernel: Kernel, reconciler: Reconciler, lease: Lease, monkeypatch: pytest.MonkeyPatch
) -> None:
    line.make_far_end("ip6tnl mode ip4ip6", ["ipv4"])
    await renumbered(reconciler, lease, line, FIRST)
    before, routes = tunnel(line.router), listing(line.router, "-4 route show")
    with line.connection() as connection:
        await renumbered(reconciler, lease, line, SECOND)
        connection.must_carry(b"still there")
    after = tunnel(line.router)
    assert after["address"] == END[SECOND]
    assert {name: after[name] for name in ("ifindex", "mtu", "flags")} == {
        name: before[name] for name in ("ifindex", "mtu", "flags")
    }
    assert listing(line.router, "-4 route show") == routes
    assert END[FIRST] not in line.router.ip("-6 addr show")

    monkeypatch.setattr(kernel.rtnetlink, "request", None)
    monkeypatch.setattr(kernel.sysctls, "write", None)
    assert await statuses(reconciler) == {}


async def test_a_tunnel_without_its_prefix_is_down_until_there_is_one_again(
    line: Line, reconciler: Reconciler, lease: Lease
) -> None:
    line.make_far_end("ip6tnl mode ip4ip6", ["ipv4"])
    await renumbered(reconciler, lease, line, FIRST)
    before = tunnel(line.router)
    lease.prefix = None
    waiting = await statuses(reconciler)
    assert waiting[f"link {TUNNEL}"] == (State.WAITING, WAITS)
    assert "UP" not in tunnel(line.router)["flags"]
    assert END[FIRST] not in line.router.ip("-6 addr show")

    await renumbered(reconciler, lease, line, SECOND)
    assert tunnel(line.router)["ifindex"] == before["ifindex"]
    line.must_carry("ipv4")


async def test_a_tunnel_that_somebody_deletes_comes_back_with_its_parameters(
    line: Line, reconciler: Reconciler, lease: Lease
) -> None:
    line.make_far_end("ip6tnl mode ip4ip6", ["ipv4"])
    await renumbered(reconciler, lease, line, FIRST)
    line.router.ip(f"link del {TUNNEL}")
    assert await statuses(reconciler) == {}
    assert line.router.sysctl(RP_FILTER) == "0"
    line.must_carry("ipv4")
