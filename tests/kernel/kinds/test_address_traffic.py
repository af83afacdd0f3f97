"""What is reported as done carries packets: addresses of ours, proved by what is forwarded over them."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from netns import LabError, Machines, Namespace, cable, until
from tasuki_agent.intent import Intent
from tasuki_agent.kernel import Kernel
from tasuki_agent.kind import Ref
from tasuki_agent.kinds import load
from tasuki_agent.kinds.address.model import AddressKey
from tasuki_agent.reconcile.compare import Class
from tasuki_agent.reconcile.drift import Action, DriftItem
from tasuki_agent.reconcile.reconciler import Reconciler
from tasuki_agent.reconcile.status import State

NEAR, FAR, FAR_END = "2001:db8:1::2", "2001:db8:2::2", "2001:db8:3::2"
WAN = AddressKey("wan0", "2001:db8:2::1")
WAN_REF = Ref("address", WAN)
SECONDS = 60.0
"""After which a test gives up."""


@pytest.fixture
def machines() -> Iterator[tuple[Namespace, Namespace, Namespace]]:
    """Two hosts, and between them a router without its addresses and its end of a tunnel to the far one."""
    with Machines() as machines:
        near, router, far = machines.add("near"), machines.add("router"), machines.add("far")
        cable(router, "lan0", near, "e0")
        cable(router, "wan0", far, "e0")
        router.sysctl("net/ipv6/conf/all/forwarding", "1")
        for host, address, gateway in ((near, NEAR, "2001:db8:1::1"), (far, FAR, WAN.ip)):
            host.ip(f"addr add {address}/64 dev e0")
            host.ip(f"-6 route add default via {gateway}")
        router.ip("addr add 198.51.100.1/24 dev wan0")
        far.ip("addr add 198.51.100.2/24 dev e0")
        far.ip("link add tunnel up type vxlan id 1 dstport 4789 remote 198.51.100.1 dev e0")
        far.ip(f"addr add {FAR_END}/64 dev tunnel")
        yield near, router, far


@pytest.fixture
async def reconciler(
    machines: tuple[Namespace, Namespace, Namespace], tmp_path: Path
) -> AsyncIterator[Reconciler]:
    """The agent's loop, without an intent."""
    with machines[1].entered():
        async with Kernel(tmp_path) as kernel:
            reconciler = Reconciler(load(kernel), time.time, time.monotonic)
            async with asyncio.TaskGroup() as tasks:
                running = [
                    tasks.create_task(reconciler.run()),
                    tasks.create_task(follow(kernel, reconciler)),
                ]
                yield reconciler
                for task in running:
                    task.cancel()


async def follow(kernel: Kernel, reconciler: Reconciler) -> None:
    async for names in kernel.events({kind.name: kind.wakes_on for kind in reconciler.kinds}):
        reconciler.mark_dirty(names)


def intent() -> Intent:
    interfaces: list[dict[str, Any]] = [
        {
            "name": name,
            "type": "iana-if-type:other",
            "ietf-ip:ipv6": {"address": [{"ip": ip, "prefix-length": 64}]},
        }
        for name, ip in (("lan0", "2001:db8:1::1"), WAN, ("vxlan01", "2001:db8:3::1"))
    ]
    tunnel = {"vni": 1, "underlay": "wan0", "remote": "198.51.100.2"}
    interfaces[-1] |= {"type": "tasuki-link:vxlan", "tasuki-link:mtu": 1450, "tasuki-link:vxlan": tunnel}
    return Intent.parse(1, json.dumps({"ietf-interfaces:interfaces": {"interface": interfaces}}).encode())


async def eventually(condition: Callable[[], object], why: str, within: float = SECONDS) -> None:
    """Wait for what machines do, while the agent's loop goes on."""
    await asyncio.to_thread(lambda: until(condition, within=within, why=why))


async def told(condition: Callable[[], object], why: str) -> None:
    """Wait for what the reconciler knows, which changes on this loop only."""
    try:
        async with asyncio.timeout(SECONDS):
            while not condition():  # noqa: ASYNC110 - steps tell nobody here
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise LabError(f"not within {SECONDS:g} s: {why}") from None


async def applied(reconciler: Reconciler) -> None:
    """Wait until all of the intent is seen to be so: what is lost earlier is unfinished work, not drift."""
    await told(lambda: reconciler.applied is reconciler.intent is not None, "the intent is applied")


def link_local_drift(reconciler: Reconciler) -> list[DriftItem]:
    return [item for _, item in reconciler.drift.unacknowledged() if item.field == "link_local"]


def duplicates(reconciler: Reconciler) -> list[DriftItem]:
    return [item for _, item in reconciler.drift.unacknowledged() if item.field == "duplicate"]


@pytest.mark.parametrize(("interface", "beyond"), [("wan0", FAR), ("vxlan01", FAR_END)])
@pytest.mark.parametrize("scope", ["", " scope link"], ids=["all of them", "the link-local one"])
async def test_packets_are_forwarded_after_an_interface_has_lost_its_addresses(
    machines: tuple[Namespace, Namespace, Namespace],
    reconciler: Reconciler,
    interface: str,
    beyond: str,
    scope: str,
) -> None:
    near, router, _ = machines
    reconciler.set_intent(intent())
    await applied(reconciler)
    await eventually(lambda: near.reaches(beyond), "packets are forwarded")

    router.ip(f"-6 addr flush dev {interface}{scope}")
    await told(lambda: link_local_drift(reconciler), "the loss is noticed")
    await told(lambda: reconciler.drift.open_count == 0, "the loss is made good")
    router.ip(f"-6 neigh flush dev {interface}")
    await eventually(lambda: near.reaches(beyond), "packets are forwarded again")
    await told(lambda: reconciler.drift.open_count == 0, "nothing more is lost")

    (item,) = link_local_drift(reconciler)
    assert (item.class_, item.action) == (Class.CHANGED, Action.HEALED)
    assert (item.intended, item.observed) == ("true", "false")


TAKEN = (
    "address 2001:db8:2::1 dev wan0: another host on the link has this address "
    "(duplicate address detection failed)"
)


async def test_an_address_that_another_host_has_is_failed_until_that_one_gives_it_up(
    machines: tuple[Namespace, Namespace, Namespace], reconciler: Reconciler
) -> None:
    near, router, far = machines
    router.sysctl("net/ipv6/conf/wan0/accept_dad", "1")
    far.ip(f"addr add {WAN.ip}/64 dev e0")
    reconciler.set_intent(intent())
    await told(lambda: has_tried(reconciler, 2), "the address is tried again and again")
    status = reconciler.board.get(WAN_REF)
    assert status is not None
    assert status.message == TAKEN

    far.ip(f"addr del {WAN.ip}/64 dev e0")
    await told(lambda: reconciler.board.get(WAN_REF) is None, "the address is tried once more")
    await eventually(lambda: near.reaches(FAR), "packets are forwarded")
    assert reconciler.drift.open_count == 0
    assert "tentative" not in router.ip("-6 addr show dev wan0 scope global")


async def test_an_address_that_another_host_has_taken_is_drift_until_that_one_gives_it_up(
    machines: tuple[Namespace, Namespace, Namespace], reconciler: Reconciler
) -> None:
    _, router, far = machines
    router.sysctl("net/ipv6/conf/wan0/accept_dad", "1")
    reconciler.set_intent(intent())
    await applied(reconciler)
    far.ip(f"addr add {WAN.ip}/64 dev e0")
    router.ip(f"addr del {WAN.ip}/64 dev wan0")

    def actions() -> set[Action]:
        return {item.action for item in duplicates(reconciler)}

    await told(lambda: has_tried(reconciler, 2) and actions() == {Action.FAILED}, "it is told as drift")
    (item,) = duplicates(reconciler)
    assert (item.message, item.intended, item.observed) == (TAKEN, "false", "true")

    far.ip(f"addr del {WAN.ip}/64 dev e0")
    await told(lambda: reconciler.drift.open_count == 0, "it is no drift any more")
    assert reconciler.board.get(WAN_REF) is None


def has_tried(reconciler: Reconciler, attempts: int) -> bool:
    status = reconciler.board.get(WAN_REF)
    return status is not None and status.state is State.FAILED and status.attempts >= attempts


async def test_an_address_comes_back_soon_after_ipv6_was_disabled_for_a_while(
    machines: tuple[Namespace, Namespace, Namespace], reconciler: Reconciler
) -> None:
    near, router, _ = machines
    reconciler.set_intent(intent())
    await applied(reconciler)
    await eventually(lambda: near.reaches(FAR), "packets are forwarded")

    router.sysctl("net/ipv6/conf/wan0/disable_ipv6", "1")
    await told(lambda: has_tried(reconciler, 1), "the address is refused")
    status = reconciler.board.get(WAN_REF)
    assert status is not None
    assert "[EACCES]" in status.message
    assert "net.ipv6.conf.wan0.disable_ipv6" in status.message
    router.sysctl("net/ipv6/conf/wan0/disable_ipv6", "0")
    await eventually(lambda: near.reaches(FAR), "packets are forwarded again", within=30)
