"""What wakes which kind, and what wakes nobody."""

import asyncio
import errno
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NoReturn

import pytest
from kernel.kinds.machine import Kinds, listing
from netns import Namespace
from tasuki_agent.kernel import Kernel, monitor, netlink, uapi
from tasuki_agent.kernel.monitor import Listeners
from tasuki_agent.kind import Create, Octet, Topic
from tasuki_agent.kinds.route.model import Route, RouteKey

Events = AsyncIterator[frozenset[str]]
SECONDS = 60.0
"""After which a test gives up."""
LISTENERS: Listeners = {
    "link": [Topic((uapi.RTNLGRP_LINK,), (uapi.RTM_NEWLINK,))],
    "rule": [Topic((uapi.RTNLGRP_IPV6_RULE,), (uapi.RTM_NEWRULE,))],
}


async def told(events: Events, expected: str) -> set[str]:
    """Everybody who was told something until the expected one was."""
    seen: set[str] = set()
    async with asyncio.timeout(SECONDS):
        while expected not in seen:
            seen |= await anext(events)
    return seen


async def quiet(kernel: Kernel) -> bool:
    assert kernel.monitor is not None
    try:
        async with asyncio.timeout(0.3):
            await anext(kernel.monitor.events())
    except TimeoutError:
        return True
    return False


def has_come_up(link: Any) -> bool:
    """Whether the kernel has nothing more to tell of the link by itself."""
    addresses = link["addr_info"]
    return link["link_type"] != "ether" or (
        link["operstate"] == "UP"
        and any(address["scope"] == "link" for address in addresses)
        and not any("tentative" in address for address in addresses)
    )


@pytest.fixture
async def events(router: Namespace, kernel: Kernel, kinds: Kinds) -> Events:
    """What all kinds are told from now on: every interface has its link-local address."""
    router.ip("addr add 2001:db8:0:1::1/64 dev e0 nodad")
    listeners = {name: kinds[name].wakes_on for name in ("link", "address", "route", "rule", "sysctl")}
    events = kernel.events(listeners)
    async with asyncio.timeout(SECONDS):
        while not all(map(has_come_up, listing(router, "addr"))) or not await quiet(kernel):
            pass
    return events


@pytest.mark.parametrize(
    ("command", "kind"),
    [
        ("link set e2 mtu 1400", "link"),
        ("link set e2 mtu 1400", "address"),
        ("link set e2 mtu 1400", "route"),
        ("link set e2 mtu 1400", "sysctl"),
        ("link add br0 type bridge", "link"),
        ("addr add 2001:db8::1/64 dev e0", "address"),
        ("-4 addr add 192.0.2.1/24 dev e0", "address"),
        ("-4 addr add 192.0.2.1/24 dev e0", "route"),
        ("-6 route add 2001:db8:8::/48 via 2001:db8:0:1::2 dev e0", "route"),
        ("-6 route add unreachable 2001:db8:8::/48 proto 116", "route"),
        ("-4 route add blackhole 203.0.113.0/24 proto static", "route"),
        ("-6 rule add from 2001:db8::/48 table 100", "rule"),
        ("-4 rule add from 192.0.2.0/24 table 100", "rule"),
    ],
)
async def test_a_change_by_hand_is_told_to_whom_it_concerns(
    router: Namespace, events: Events, command: str, kind: str
) -> None:
    router.ip(command)
    assert kind in await told(events, kind)


@pytest.mark.parametrize("family", ["ipv4", "ipv6"])
async def test_forwarding_that_is_switched_is_told(router: Namespace, events: Events, family: str) -> None:
    router.sysctl(f"net/{family}/conf/all/forwarding", "1")
    await told(events, "sysctl")


async def test_reverse_path_filtering_that_is_switched_is_told(router: Namespace, events: Events) -> None:
    router.sysctl("net/ipv4/conf/e2/rp_filter", "2")
    await told(events, "sysctl")


@pytest.mark.parametrize("protocol", ["bgp", "ra", "kernel", "115"])
@pytest.mark.usefixtures("events")
async def test_routes_of_others_wake_nobody(router: Namespace, kernel: Kernel, protocol: str) -> None:
    for prefix in ("2001:db8:8::/48", "2001:db8:9::/48"):
        router.ip(f"-6 route add {prefix} via 2001:db8:0:1::2 dev e0 proto {protocol}")
        router.ip(f"-6 route del {prefix}")
    router.ip(f"-4 route add 203.0.113.0/24 via 10.1.1.2 dev e0 proto {protocol}")
    assert await quiet(kernel)


async def test_what_nobody_listens_to_wakes_nobody(router: Namespace, kernel: Kernel) -> None:
    """A group carries more types than one: of links also what bridges say of their ports."""
    events = kernel.events({"rule": [Topic((uapi.RTNLGRP_IPV6_RULE,), (uapi.RTM_DELRULE,))]})
    router.ip("-6 rule add from 2001:db8::/48 table 100")
    assert await quiet(kernel)
    router.ip("-6 rule del from 2001:db8::/48 table 100")
    await told(events, "rule")


@pytest.mark.parametrize(
    "conditions",
    [
        (Octet(5, (2,)), Octet(5, (7,))),  # of the rtmsg: the protocol
        (Octet(5, (7, 2)), None),
        (Octet(5, (255,)), Octet(1, (48,))),  # the length of the prefix
    ],
)
async def test_kinds_may_listen_to_one_type_under_different_conditions(
    router: Namespace, kernel: Kernel, conditions: tuple[Octet | None, ...]
) -> None:
    topics = [Topic((uapi.RTNLGRP_IPV6_ROUTE,), (uapi.RTM_NEWROUTE,), only=octet) for octet in conditions]
    events = kernel.events({f"kind{n}": [topic] for n, topic in enumerate(topics)})
    router.ip("-6 route add unreachable 2001:db8:8::/48 proto 7")
    await told(events, "kind1")


async def test_a_kind_can_bring_a_topic_that_no_other_has(router: Namespace, kernel: Kernel) -> None:
    """Neighbours, those alone that do not expire: the low byte of their state, NUD_PERMANENT."""
    events = kernel.events({"neighbor": [Topic((3,), (28, 29), only=Octet(8, (0x80,)))]})
    router.ip("neigh add 2001:db8::7 lladdr 02:00:5e:00:53:01 dev e0 nud reachable")
    assert await quiet(kernel)
    router.ip("neigh add 2001:db8::8 lladdr 02:00:5e:00:53:01 dev e0 nud permanent")
    assert await anext(events) == {"neighbor"}


async def test_lost_messages_concern_everybody(
    router: Namespace, kernel: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reader stands still while more happens than its queue holds."""
    monkeypatch.setattr(monitor, "RECEIVE_QUEUE", 1)
    events = kernel.events(LISTENERS)
    async with asyncio.timeout(SECONDS):
        for mtu in range(1400, 1410):
            router.ip(f"link set e2 mtu {mtu}")
        assert await anext(events) == {"link", "rule"}
        assert kernel.monitor is not None
        assert kernel.monitor.overruns == 1

        router.ip("link set e2 mtu 1300")
        assert await anext(events) == {"link"}


async def test_a_monitor_that_finds_no_new_socket_tries_again_and_then_everybody_is_told(
    router: Namespace, kernel: Kernel, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(monitor, "RECEIVE_QUEUE", 1)
    monkeypatch.setattr(monitor, "RETRY_SECONDS", 0.05)
    events = kernel.events(LISTENERS)
    opened, tries = netlink.open_socket, []

    def scarce(*arguments: int) -> Any:
        tries.append(arguments)
        return opened(*arguments) if len(tries) == 3 else _raise(errno.EMFILE)

    monkeypatch.setattr(monitor, "open_socket", scarce)
    async with asyncio.timeout(SECONDS):
        for mtu in range(1400, 1410):
            router.ip(f"link set e2 mtu {mtu}")
        assert await anext(events) == {"link", "rule"}
        assert caplog.text.count("cannot be listened to, for now: Too many open files") == 2

        router.ip("link set e2 mtu 1300")
        assert await anext(events) == {"link"}


async def test_a_monitor_that_waits_for_a_new_socket_can_be_closed(
    router: Namespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(monitor, "RECEIVE_QUEUE", 1)
    async with Kernel(tmp_path) as kernel:
        kernel.events(LISTENERS)
        monkeypatch.setattr(monitor, "open_socket", lambda *_: _raise(errno.EMFILE))
        for mtu in range(1400, 1410):
            router.ip(f"link set e2 mtu {mtu}")
        for _ in range(2):  # turns of the loop, which then sees the socket and calls its reader
            await asyncio.sleep(0)
        assert kernel.monitor is not None
        assert kernel.monitor.overruns == 1


def _raise(number: int) -> NoReturn:
    raise OSError(number, os.strerror(number))


@pytest.mark.usefixtures("events")
async def test_our_own_requests_wake_nobody(kernel: Kernel, kinds: Kinds) -> None:
    for prefix in ("2001:db8:8::/48", "2001:db8:9::/48"):
        await kinds["route"].apply(Create(RouteKey(254, prefix, 1024), Route("unreachable")))
    assert await quiet(kernel)


@pytest.mark.usefixtures("events")
async def test_our_own_requests_wake_nobody_after_the_socket_was_replaced_either(
    kernel: Kernel, kinds: Kinds
) -> None:
    kernel.rtnetlink._reopen()
    await kinds["route"].apply(Create(RouteKey(254, "2001:db8:8::/48", 1024), Route("unreachable")))
    assert await quiet(kernel)
