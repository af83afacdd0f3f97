"""What is reported as done carries packets: addresses of ours, proved by what is forwarded over them."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from netns import Machines, Namespace, cable, until
from tasuki_agent.intent import Intent
from tasuki_agent.kernel import Kernel
from tasuki_agent.kind import Ref
from tasuki_agent.kinds import load
from tasuki_agent.kinds.address.model import AddressKey
from tasuki_agent.reconcile.compare import Class
from tasuki_agent.reconcile.drift import Action, DriftItem
from tasuki_agent.reconcile.reconciler import Reconciler
from tasuki_agent.reconcile.status import State

NEAR, FAR = "2001:db8:1::2", "2001:db8:2::2"
WAN = AddressKey("wan0", "2001:db8:2::1")
WAN_REF = Ref("address", WAN)


@pytest.fixture
def machines() -> Iterator[tuple[Namespace, Namespace, Namespace]]:
    """Two hosts, and between them a router whose addresses are still missing."""
    with Machines() as machines:
        near, router, far = machines.add("near"), machines.add("router"), machines.add("far")
        cable(router, "lan0", near, "e0")
        cable(router, "wan0", far, "e0")
        router.sysctl("net/ipv6/conf/all/forwarding", "1")
        for host, address, gateway in ((near, NEAR, "2001:db8:1::1"), (far, FAR, WAN.ip)):
            host.ip(f"addr add {address}/64 dev e0")
            host.ip(f"-6 route add default via {gateway}")
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
    interfaces = [
        {
            "name": name,
            "type": "iana-if-type:other",
            "ietf-ip:ipv6": {"address": [{"ip": ip, "prefix-length": 64}]},
        }
        for name, ip in (("lan0", "2001:db8:1::1"), WAN)
    ]
    return Intent.parse(1, json.dumps({"ietf-interfaces:interfaces": {"interface": interfaces}}).encode())


async def eventually(condition: Callable[[], object], within: float, why: str) -> None:
    """Wait while the agent's loop goes on."""
    await asyncio.to_thread(lambda: until(condition, within=within, why=why))


def link_local_drift(reconciler: Reconciler) -> list[DriftItem]:
    return [item for _, item in reconciler.drift.unacknowledged() if item.field == "link_local"]


@pytest.mark.parametrize("taken", ["all of them", "the link-local one"])
async def test_packets_are_forwarded_after_an_interface_has_lost_its_addresses(
    machines: tuple[Namespace, Namespace, Namespace], reconciler: Reconciler, taken: str
) -> None:
    near, router, _ = machines
    reconciler.set_intent(intent())
    await eventually(lambda: near.reaches(FAR), 10, "packets are forwarded")

    which = "" if taken == "all of them" else " scope link"
    router.ip(f"-6 addr flush dev wan0{which}")
    await eventually(lambda: link_local_drift(reconciler), 5, "the loss is noticed")
    await eventually(lambda: reconciler.drift.open_count == 0, 5, "the loss is made good")
    router.ip("-6 neigh flush dev wan0")
    await eventually(lambda: near.reaches(FAR), 5, "packets are forwarded again")

    (item,) = link_local_drift(reconciler)
    assert (item.class_, item.action) == (Class.CHANGED, Action.HEALED)
    assert (item.intended, item.observed) == ("true", "false")


async def test_an_address_that_another_host_has_is_failed_until_that_one_gives_it_up(
    machines: tuple[Namespace, Namespace, Namespace], reconciler: Reconciler
) -> None:
    near, router, far = machines
    router.sysctl("net/ipv6/conf/wan0/accept_dad", "1")
    far.ip(f"addr add {WAN.ip}/64 dev e0")
    reconciler.set_intent(intent())
    await eventually(lambda: has_tried(reconciler, 2), 15, "the address is tried again and again")
    status = reconciler.board.get(WAN_REF)
    assert status is not None
    assert status.message == (
        "address 2001:db8:2::1 dev wan0: another host on the link has this address "
        "(duplicate address detection failed)"
    )
    (item,) = (item for _, item in reconciler.drift.unacknowledged() if item.field == "duplicate")
    assert (item.action, item.intended, item.observed) == (Action.FAILED, "false", "true")
    assert item.message == status.message

    far.ip(f"addr del {WAN.ip}/64 dev e0")
    await eventually(lambda: reconciler.board.get(WAN_REF) is None, 30, "the address is tried once more")
    await eventually(lambda: near.reaches(FAR), 10, "packets are forwarded")
    assert reconciler.drift.open_count == 0
    assert "tentative" not in router.ip("-6 addr show dev wan0 scope global")


def has_tried(reconciler: Reconciler, attempts: int) -> bool:
    status = reconciler.board.get(WAN_REF)
    return status is not None and status.state is State.FAILED and status.attempts >= attempts


async def test_an_address_comes_back_soon_after_ipv6_was_disabled_for_a_while(
    machines: tuple[Namespace, Namespace, Namespace], reconciler: Reconciler
) -> None:
    near, router, _ = machines
    reconciler.set_intent(intent())
    await eventually(lambda: near.reaches(FAR), 10, "packets are forwarded")

    router.sysctl("net/ipv6/conf/wan0/disable_ipv6", "1")
    await eventually(lambda: has_tried(reconciler, 1), 5, "the address is refused")
    status = reconciler.board.get(WAN_REF)
    assert status is not None
    assert "[EACCES]" in status.message
    assert "net.ipv6.conf.wan0.disable_ipv6" in status.message
    router.sysctl("net/ipv6/conf/wan0/disable_ipv6", "0")
    await eventually(lambda: near.reaches(FAR), 15, "packets are forwarded again")
