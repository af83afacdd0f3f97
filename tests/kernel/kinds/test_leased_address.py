"""An IPv4 line whose address and router are leased, on a real kernel."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kernel.kinds.lease import Lease, lasting, statuses
from kernel.kinds.machine import listing
from kernel.kinds.writes import Writes
from netns import Machines, Namespace, cable, until
from tasuki_agent.intent import Intent
from tasuki_agent.kernel import Kernel
from tasuki_agent.kinds import load
from tasuki_agent.reconcile.facts import FactBook
from tasuki_agent.reconcile.reconciler import Reconciler
from tasuki_agent.reconcile.status import State
from tasuki_yang.facts import Terms

HOUR = 3_600.0
LEASED, GATEWAY, OUTSIDE = "192.0.2.10", "192.0.2.1", "203.0.113.1"
ADDRESS = f"address {LEASED} dev wan0"
ROUTE = "route 0.0.0.0/0 table 254 metric 0"
AN_ADDRESS = "an IPv4 address leased on wan0: does a DHCPv4 server answer there?"
A_ROUTER = "a router of the DHCPv4 lease on wan0: does the DHCPv4 server of wan0 tell of one (option 3)?"
TAKEN = "cannot be made of 192.0.2.0/24, leased on wan0: lan0 has 192.0.2.128/25: give lan0 another subnet"


def tree(lan: str = "198.51.100.1/24", wan: str = "") -> bytes:
    """A line with a lease, and a LAN that is typed; and another address of the line, if any."""

    def interface(name: str, typed: str, leased: dict[str, Any]) -> dict[str, Any]:
        ip, _, length = typed.partition("/")
        address = [{"ip": ip, "prefix-length": int(length)}] if typed else []
        return {"name": name, "type": "iana-if-type:other", "ietf-ip:ipv4": {"address": address, **leased}}

    default = {
        "destination-prefix": "0.0.0.0/0",
        "next-hop": {"tasuki-route:router-of-lease": "wan0"},
    }
    protocol = {
        "type": "ietf-routing:static",
        "name": "wan",
        "static-routes": {"ietf-ipv4-unicast-routing:ipv4": {"route": [default]}},
    }
    document = {
        "ietf-interfaces:interfaces": {
            "interface": [
                interface("lan0", lan, {}),
                interface("wan0", wan, {"tasuki-address:leased-address": {}}),
            ]
        },
        "ietf-routing:routing": {"control-plane-protocols": {"control-plane-protocol": [protocol]}},
    }
    return json.dumps(document).encode()


@pytest.fixture
def provider(machines: Machines) -> Namespace:
    """Behind whose gateway the rest of the world is."""
    provider = machines.add("provider")
    provider.ip(f"addr add {OUTSIDE}/32 dev lo")
    return provider


@pytest.fixture
def router(machines: Machines, provider: Namespace) -> Iterator[Namespace]:
    """A router between its provider and a LAN, entered by this thread."""
    router = machines.add("router")
    cable(router, "wan0", provider, "port0")
    cable(router, "lan0", provider, "port1")
    provider.ip(f"addr add {GATEWAY}/24 dev port0")
    # As systemd sets it: without it an address takes those of its subnet along that came later.
    router.sysctl("net/ipv4/conf/wan0/promote_secondaries", "1")
    with router.entered():
        yield router


@pytest.fixture
def lease(tmp_path: Path) -> Lease:
    return Lease(tmp_path)


@pytest.fixture
def reconciler(kernel: Kernel, lease: Lease) -> Reconciler:
    facts = FactBook(lease.learn, terms=lease.terms)
    reconciler = Reconciler(load(kernel), time.time, time.monotonic, facts=facts)
    reconciler.set_intent(Intent.parse(1, tree()))
    return reconciler


def give(lease: Lease, address: str = f"{LEASED}/24", router: str = GATEWAY, seconds: float = HOUR) -> None:
    end = lasting(seconds, seconds).valid_until
    lease.tell("ipv4-address", {address: Terms("dhcpv4", None, end)})
    lease.tell("ipv4-routers", {router: Terms("dhcpv4", None, end), "192.0.2.254": Terms()})


def held(router: Namespace) -> dict[str, dict[str, Any]]:
    """The addresses on wan0."""
    return {
        entry["local"]: entry for entry in router.addresses("dev wan0 scope global") if "." in entry["local"]
    }


def default_route(router: Namespace) -> list[tuple[str, list[str]]]:
    return [(route["gateway"], route["flags"]) for route in listing(router, "route show default")]


async def test_the_line_has_the_address_and_the_route_of_its_lease_as_long_as_it_lasts(
    router: Namespace, reconciler: Reconciler, lease: Lease, writes: Writes
) -> None:
    give(lease)
    assert await statuses(reconciler) == {}
    assert held(router)[LEASED]["prefixlen"] == 24
    assert held(router)[LEASED]["valid_life_time"] == pytest.approx(HOUR, abs=60)
    assert default_route(router) == [(GATEWAY, [])]
    router.must_reach(OUTSIDE)
    writes.taken()
    assert await statuses(reconciler) == {}
    assert writes.taken() == []
    give(lease, seconds=2 * HOUR)
    assert await statuses(reconciler) == {}
    assert writes.taken() == [f"change {ADDRESS}"]
    assert list(reconciler.drift.unacknowledged()) == []
    give(lease, seconds=0.5)
    await statuses(reconciler)
    until(lambda: not held(router), within=30, why="the kernel removes the address by itself")
    assert default_route(router) == []


async def test_without_a_lease_both_wait_and_with_it_both_go(
    router: Namespace, reconciler: Reconciler, lease: Lease
) -> None:
    expected = {
        "address of the lease dev wan0": (State.WAITING, f"waits for {AN_ADDRESS}"),
        "route 0.0.0.0/0 by the router of wan0 table 254 metric 0": (State.WAITING, f"waits for {A_ROUTER}"),
    }
    reconciler.set_intent(Intent.parse(2, tree(wan="10.0.0.1/24")))
    assert await statuses(reconciler) == expected
    give(lease)
    assert await statuses(reconciler) == {}
    for noun in ("ipv4-address", "ipv4-routers"):
        lease.tell(noun, {})
    assert await statuses(reconciler) == expected
    assert held(router).keys() == {"10.0.0.1"}
    assert default_route(router) == [], "though the interface has another address"
    assert list(reconciler.drift.unacknowledged()) == []


@pytest.mark.parametrize("moved", ["192.0.2.11/24", "192.0.2.10/25", "203.0.113.77/32"])
async def test_another_lease_takes_the_place_of_the_former_one_whatever_it_is(
    router: Namespace, reconciler: Reconciler, lease: Lease, moved: str
) -> None:
    give(lease)
    await statuses(reconciler)
    give(lease, moved)
    assert await statuses(reconciler) == {}
    ip, _, length = moved.partition("/")
    assert {name: entry["prefixlen"] for name, entry in held(router).items()} == {ip: int(length)}
    assert [gateway for gateway, _ in default_route(router)] == [GATEWAY]
    assert list(reconciler.drift.unacknowledged()) == []


async def test_a_router_outside_the_subnet_is_reached_on_the_link(
    router: Namespace, provider: Namespace, reconciler: Reconciler, lease: Lease
) -> None:
    provider.ip("route add 198.18.0.7/32 dev port0")
    give(lease, "198.18.0.7/32")
    assert await statuses(reconciler) == {}
    assert default_route(router) == [(GATEWAY, ["onlink"])]
    router.must_reach(OUTSIDE)


async def test_a_lease_of_the_lans_subnet_is_a_failure_and_nothing_of_it_is_applied(
    router: Namespace, reconciler: Reconciler, lease: Lease, writes: Writes
) -> None:
    reconciler.set_intent(Intent.parse(2, tree(lan="192.0.2.129/25")))
    give(lease)
    assert await statuses(reconciler) == {
        ADDRESS: (State.FAILED, TAKEN),
        ROUTE: (State.WAITING, f"waits for {ADDRESS}"),
    }
    assert writes.taken() == ["create address 192.0.2.129 dev lan0"]
    give(lease, "192.0.2.10/29")
    assert await statuses(reconciler) == {}, "these two do not overlap"
    router.must_reach(OUTSIDE)


async def test_a_lan_that_takes_the_subnet_of_the_lease_does_not_cut_the_line(
    router: Namespace, reconciler: Reconciler, lease: Lease
) -> None:
    give(lease)
    await statuses(reconciler)
    reconciler.set_intent(Intent.parse(2, tree(lan="192.0.2.129/25")))
    assert await statuses(reconciler) == {ADDRESS: (State.FAILED, TAKEN)}
    router.must_reach(OUTSIDE)
