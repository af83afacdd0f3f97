"""Which topics wake whom, and what wakes nobody."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from kernel.kinds.machine import Kinds
from netns import Namespace
from tasuki_agent.kernel import Kernel, Topic
from tasuki_agent.kind import Create
from tasuki_agent.kinds.route.model import Route, RouteKey


async def topics(events: AsyncIterator[frozenset[Topic]], expected: Topic) -> set[Topic]:
    """All topics up to the expected one."""
    seen: set[Topic] = set()
    async with asyncio.timeout(5):
        while expected not in seen:
            seen |= await anext(events)
    return seen


async def quiet(kernel: Kernel) -> bool:
    try:
        async with asyncio.timeout(0.3):
            await anext(kernel.events())
    except TimeoutError:
        return True
    return False


@pytest.fixture(autouse=True)
async def settled(router: Namespace, kernel: Kernel) -> None:
    """Every interface has its link-local address, and the events of that are over."""
    router.ip("addr add 2001:db8:0:1::1/64 dev e0 nodad")
    async with asyncio.timeout(10):
        while "tentative" in router.ip("addr") or not await quiet(kernel):
            pass


@pytest.mark.parametrize(
    ("command", "topic"),
    [
        ("link set e2 mtu 1400", Topic.LINK),
        ("link add br0 type bridge", Topic.LINK),
        ("addr add 2001:db8::1/64 dev e0", Topic.ADDRESS),
        ("-4 addr add 192.0.2.1/24 dev e0", Topic.ADDRESS),
        ("-6 route add 2001:db8:8::/48 via 2001:db8:0:1::2 dev e0", Topic.ROUTE),
        ("-6 route add unreachable 2001:db8:8::/48 proto 116", Topic.ROUTE),
        ("-4 route add blackhole 203.0.113.0/24 proto static", Topic.ROUTE),
        ("-6 rule add from 2001:db8::/48 table 100", Topic.RULE),
        ("-4 rule add from 192.0.2.0/24 table 100", Topic.RULE),
    ],
)
async def test_a_change_by_hand_is_told_by_its_topic(
    router: Namespace, kernel: Kernel, command: str, topic: Topic
) -> None:
    router.ip(command)
    assert topic in await topics(kernel.events(), topic)


@pytest.mark.parametrize("family", ["ipv4", "ipv6"])
async def test_forwarding_that_is_switched_is_told(router: Namespace, kernel: Kernel, family: str) -> None:
    router.sysctl(f"net/{family}/conf/all/forwarding", "1")
    await topics(kernel.events(), Topic.NETCONF)


@pytest.mark.parametrize("protocol", ["bgp", "ra", "kernel", "115"])
async def test_routes_of_others_wake_nobody(router: Namespace, kernel: Kernel, protocol: str) -> None:
    for prefix in ("2001:db8:8::/48", "2001:db8:9::/48"):
        router.ip(f"-6 route add {prefix} via 2001:db8:0:1::2 dev e0 proto {protocol}")
        router.ip(f"-6 route del {prefix}")
    router.ip(f"-4 route add 203.0.113.0/24 via 10.1.1.2 dev e0 proto {protocol}")
    assert await quiet(kernel)


async def test_lost_messages_make_every_topic_dirty(
    router: Namespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reader stands still while more happens than its queue holds."""
    monkeypatch.setattr("tasuki_agent.kernel.monitor.RECEIVE_QUEUE", 1)
    async with Kernel(tmp_path) as kernel, asyncio.timeout(5):
        for mtu in range(1400, 1410):
            router.ip(f"link set e2 mtu {mtu}")
        assert await anext(kernel.events()) == set(Topic)
        assert kernel.overruns == 1

        router.ip("link set e2 mtu 1300")
        assert Topic.LINK in await anext(kernel.events())


async def test_each_kind_wakes_on_topics_that_there_are(kinds: Kinds) -> None:
    for name in ("link", "address", "route", "rule", "sysctl"):
        assert kinds[name].wakes_on <= set(Topic)


async def test_our_own_requests_wake_nobody(kernel: Kernel, kinds: Kinds) -> None:
    for prefix in ("2001:db8:8::/48", "2001:db8:9::/48"):
        await kinds["route"].apply(Create(RouteKey(254, prefix, 1024), Route("unreachable")))
    assert await quiet(kernel)


async def test_our_own_requests_wake_nobody_after_the_socket_was_replaced_either(
    kernel: Kernel, kinds: Kinds
) -> None:
    kernel.rtnetlink._reopen()
    await kinds["route"].apply(Create(RouteKey(254, "2001:db8:8::/48", 1024), Route("unreachable")))
    assert await quiet(kernel)
