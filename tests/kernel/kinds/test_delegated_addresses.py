"""The addresses of a LAN whose prefix is delegated, and renumbered, on a real kernel."""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from kernel.kinds.lease import FIRST, SECOND, Lease, lasting, statuses
from kernel.kinds.machine import listing
from kernel.kinds.writes import Writes
from netns import Machines, Namespace, cable, patient, until
from tasuki_agent.intent import Intent
from tasuki_agent.kernel import Kernel
from tasuki_agent.kinds import load
from tasuki_agent.reconcile.facts import FactBook
from tasuki_agent.reconcile.reconciler import Reconciler
from tasuki_agent.reconcile.status import State
from tasuki_yang.facts import FactKey, Terms
from traffic import Flow, Pings

HOUR = 3_600.0
OLD, NEW = "2001:db8:1200:1::1", "2001:db8:3400:1::1"
HOST = "2001:db8:1200:1::99"
OUTSIDE = "2001:db8:ffff::1"
LAN_ADDRESS = FactKey("lan0", "global-address")

NO_SUCH_SUBNET = (
    "cannot be made of the prefix delegated on wan0: 2001:db8:1200::/60 has no subnet 16: "
    "its subnets are 0 to 15"
)
TAKEN = (
    "cannot be made of 2001:db8:1200:1::/64, delegated on wan0: lo has 2001:db8:1200:1::/64: "
    "give lo another subnet"
)


def tree(subnet_id: int = 1, **others: str) -> bytes:
    """A LAN in the delegated prefix, and typed addresses of other interfaces."""
    place = {"lease": "wan0", "subnet-id": subnet_id, "interface-id": "::1", "renumbering": "deprecate"}
    interfaces: list[dict[str, Any]] = [
        {
            "name": "lan0",
            "type": "iana-if-type:other",
            "ietf-ip:ipv6": {"tasuki-address:delegated-address": [place]},
        }
    ]
    interfaces += [
        {
            "name": name,
            "type": "iana-if-type:other",
            "ietf-ip:ipv6": {"address": [{"ip": address, "prefix-length": 64}]},
        }
        for name, address in others.items()
    ]
    document = {
        "ietf-interfaces:interfaces": {"interface": interfaces},
        "ietf-routing:routing": {"tasuki-route:delegated-prefix-route": [{"interface": "wan0"}]},
    }
    return json.dumps(document).encode()


@pytest.fixture
def host(machines: Machines) -> Namespace:
    """A host that goes on with its address of the first prefix, whatever it is told."""
    return machines.add("host")


@pytest.fixture
def router(machines: Machines, host: Namespace) -> Iterator[Namespace]:
    """The router of the host's LAN, entered by this thread."""
    router = machines.add("router")
    cable(router, "lan0", host, "lan0")
    router.ip(f"addr add {OUTSIDE}/128 dev lo")
    host.ip(f"addr add {HOST}/64 dev lan0 nodad")
    host.ip(f"route add default via {OLD} dev lan0")
    with router.entered():
        yield router


@pytest.fixture
def lease(tmp_path: Path) -> Lease:
    return Lease(tmp_path)


def starting(kernel: Kernel, lease: Lease, intent: bytes) -> Reconciler:
    reconciler = Reconciler(
        load(kernel), time.time, time.monotonic, facts=FactBook(lease.learn, terms=lease.terms)
    )
    reconciler.set_intent(Intent.parse(1, intent))
    return reconciler


@pytest.fixture
def reconciler(kernel: Kernel, lease: Lease) -> Reconciler:
    return starting(kernel, lease, tree())


def held(router: Namespace) -> dict[str, dict[str, Any]]:
    """The global addresses on lan0."""
    return {entry["local"]: entry for entry in router.addresses("dev lan0 scope global")}


def unreachable(router: Namespace) -> set[str]:
    routes = listing(router, "-6 route show type unreachable")
    return {route["dst"] for route in routes if route["protocol"] == "116"}


async def test_an_address_is_told_how_long_its_lease_lasts_once(
    router: Namespace, reconciler: Reconciler, lease: Lease, writes: Writes
) -> None:
    lease.tell("delegated-prefix", {FIRST: lasting(HOUR, 2 * HOUR)})
    assert await statuses(reconciler) == {}
    assert held(router)[OLD]["preferred_life_time"] == pytest.approx(HOUR, abs=60)
    assert held(router)[OLD]["valid_life_time"] == pytest.approx(2 * HOUR, abs=60)
    assert unreachable(router) == {FIRST}
    assert writes.taken() == [
        f"create address {OLD} dev lan0",
        f"create route {FIRST} table 254 metric 1024",
    ]
    for _ in range(3):
        assert await statuses(reconciler) == {}
    assert writes.taken() == []


async def test_a_renewed_lease_is_one_change_in_place(
    router: Namespace, reconciler: Reconciler, lease: Lease, writes: Writes
) -> None:
    for terms in (lasting(HOUR, 2 * HOUR), lasting(3 * HOUR, 4 * HOUR), Terms(), lasting(9 * HOUR, HOUR)):
        lease.tell("delegated-prefix", {FIRST: terms})
        await statuses(reconciler)
    assert [line for line in writes.taken() if "address" in line] == [
        f"create address {OLD} dev lan0",
        *[f"change address {OLD} dev lan0"] * 3,
    ]
    assert held(router)[OLD]["preferred_life_time"] == pytest.approx(HOUR, abs=60), "as long as it is valid"
    assert reconciler.drift.open_count == 0
    assert list(reconciler.drift.unacknowledged()) == []


async def test_a_lease_that_is_renewed_in_small_steps_is_no_drift(
    router: Namespace, reconciler: Reconciler, lease: Lease
) -> None:
    for step in range(4):
        lease.tell("delegated-prefix", {FIRST: lasting(HOUR + 3 * step, 2 * HOUR + 3 * step)})
        await statuses(reconciler)
    assert held(router)[OLD]["valid_life_time"] > 2 * HOUR
    assert list(reconciler.drift.unacknowledged()) == []


async def test_a_subnet_that_another_lan_gets_leads_to_that_one_alone(
    router: Namespace, reconciler: Reconciler, lease: Lease
) -> None:
    lease.tell("delegated-prefix", {FIRST: lasting(HOUR, 2 * HOUR)})
    await statuses(reconciler)
    reconciler.set_intent(Intent.parse(2, tree(2)))
    await statuses(reconciler)
    routes = listing(router, "-6 route show dev lan0 protocol kernel")
    assert {route["dst"] for route in routes} == {"fe80::/64", "2001:db8:1200:2::/64"}


async def test_an_agent_that_starts_again_writes_nothing(
    router: Namespace, kernel: Kernel, reconciler: Reconciler, lease: Lease, writes: Writes
) -> None:
    lease.tell("delegated-prefix", {SECOND: lasting(HOUR, 2 * HOUR)})
    lease.tell("former-prefixes", {FIRST: lasting(0, HOUR)})
    await statuses(reconciler)
    assert len(writes.taken()) == 4
    intent = Intent.parse(1, tree())
    again = starting(kernel, lease, tree())
    again.resume(intent, intent)
    assert await statuses(again) == {}
    assert writes.taken() == []
    assert list(again.drift.unacknowledged()) == []


async def test_the_new_address_is_there_before_the_former_one_is_deprecated_and_later_goes(
    router: Namespace, reconciler: Reconciler, lease: Lease, writes: Writes
) -> None:
    lease.tell("delegated-prefix", {FIRST: lasting(HOUR, 2 * HOUR)})
    await statuses(reconciler)
    writes.taken()
    lease.tell("delegated-prefix", {SECOND: lasting(HOUR, 2 * HOUR)})
    lease.tell("former-prefixes", {FIRST: lasting(0, HOUR)})
    assert await statuses(reconciler) == {}
    assert writes.taken() == [
        f"create address {NEW} dev lan0",
        f"change address {OLD} dev lan0",
        f"create route {SECOND} table 254 metric 1024",
    ]
    assert held(router)[OLD]["deprecated"]
    assert held(router)[OLD]["preferred_life_time"] == 0
    assert held(router)[OLD]["valid_life_time"] == pytest.approx(HOUR, abs=60)
    assert "deprecated" not in held(router)[NEW]
    assert lease.learn([LAN_ADDRESS], reconciler.observed, {LAN_ADDRESS: (OLD,)}) == {LAN_ADDRESS: (NEW,)}
    assert unreachable(router) == {FIRST, SECOND}
    lease.tell("former-prefixes", {})
    assert await statuses(reconciler) == {}
    assert held(router).keys() == {NEW}
    assert unreachable(router) == {SECOND}
    assert list(reconciler.drift.unacknowledged()) == []


async def test_who_has_an_address_of_the_former_prefix_loses_nothing(
    router: Namespace, host: Namespace, reconciler: Reconciler, lease: Lease, tmp_path: Path
) -> None:
    lease.tell("delegated-prefix", {FIRST: lasting(HOUR, 2 * HOUR)})
    await statuses(reconciler)
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server((OLD, 0), family=socket.AF_INET6))
        with host.entered():
            address = listener.getsockname()[:2]
            client = stack.enter_context(socket.create_connection(address, patient(10), (HOST, 0)))
        served = stack.enter_context(listener.accept()[0])
        flow = Flow("host", host, OUTSIDE, HOST)
        pings = stack.enter_context(Pings.going_on(flow, tmp_path, interval=0.01))
        served.settimeout(patient(10))
        for prefix, former in ((SECOND, {FIRST: lasting(0, HOUR)}), (FIRST, {SECOND: lasting(0, HOUR)})):
            lease.tell("delegated-prefix", {prefix: lasting(HOUR, 2 * HOUR)})
            lease.tell("former-prefixes", former)
            assert await statuses(reconciler) == {}
            for sender, receiver in ((client, served), (served, client)):
                sender.sendall(b"still here")
                assert receiver.recv(10, socket.MSG_WAITALL) == b"still here"
        pings.passed_after(time.time())
        assert pings.lost == []


async def test_an_address_of_ours_is_not_given_up_though_no_router_advertises_it(
    router: Namespace, reconciler: Reconciler, lease: Lease
) -> None:
    """Of two prefixes on a line that are advertised the one whose router fell silent is given up."""
    lease.tell("delegated-prefix", {FIRST: lasting(HOUR, 2 * HOUR)})
    await statuses(reconciler)
    router.ip("addr add 2001:db8:1200:1::2/64 dev lan0 valid_lft 3600 preferred_lft 3600")
    await statuses(reconciler)
    seen = {key.ip: spec for key, spec in reconciler.observed["address"].items() if key.interface == "lan0"}
    assert seen["2001:db8:1200:1::2"].refreshed
    assert not seen[OLD].refreshed


async def test_the_kernel_deprecates_and_removes_an_address_while_nobody_looks_after_it(
    router: Namespace, reconciler: Reconciler, lease: Lease
) -> None:
    lease.tell("delegated-prefix", {FIRST: lasting(0.5, HOUR)})
    await statuses(reconciler)
    until(lambda: held(router)[OLD].get("deprecated"), within=30, why="it is deprecated")
    assert await statuses(reconciler) == {}
    assert list(reconciler.drift.unacknowledged()) == []
    lease.tell("delegated-prefix", {FIRST: lasting(0.5, 0.5)})
    await statuses(reconciler)
    until(lambda: not held(router), within=30, why="it is gone")


@pytest.mark.parametrize(
    "lifetimes", ["preferred_lft 0", "preferred_lft 60 valid_lft 60", "preferred_lft forever"]
)
async def test_lifetimes_that_were_changed_by_hand_are_changed_back_in_place(
    router: Namespace, reconciler: Reconciler, lease: Lease, writes: Writes, lifetimes: str
) -> None:
    lease.tell("delegated-prefix", {FIRST: lasting(HOUR, 2 * HOUR)})
    await statuses(reconciler)
    writes.taken()
    router.ip(f"addr change {OLD}/64 dev lan0 {lifetimes}")
    assert await statuses(reconciler) == {}
    assert writes.taken() == [f"change address {OLD} dev lan0"]
    assert held(router)[OLD]["preferred_life_time"] == pytest.approx(HOUR, abs=60)
    assert held(router)[OLD]["valid_life_time"] == pytest.approx(2 * HOUR, abs=60)
    ((_, item),) = reconciler.drift.unacknowledged()
    assert item.field == "lifetimes"
    assert item.path.endswith("[lease='wan0'][subnet-id='1'][interface-id='::1']")


async def test_a_subnet_that_the_prefix_does_not_have_is_a_failure_and_the_rest_is_done(
    router: Namespace, kernel: Kernel, lease: Lease
) -> None:
    lease.prefix = "2001:db8:1200::/60"
    reconciler = starting(kernel, lease, tree(subnet_id=16))
    assert await statuses(reconciler) == {
        "address ::1 in subnet 16 of the prefix of wan0 dev lan0": (State.FAILED, NO_SUCH_SUBNET)
    }
    assert held(router) == {}
    assert unreachable(router) == {"2001:db8:1200::/60"}


async def test_a_subnet_that_another_interface_has_is_a_failure(
    router: Namespace, kernel: Kernel, lease: Lease
) -> None:
    lease.prefix = FIRST
    reconciler = starting(kernel, lease, tree(lo="2001:db8:1200:1::53"))
    assert await statuses(reconciler) == {f"address {OLD} dev lan0": (State.FAILED, TAKEN)}
    assert held(router) == {}
