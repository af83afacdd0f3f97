"""A router notices that it uses another address toward its controller, without a packet."""

import asyncio
import socket
import threading
from collections.abc import Iterator

import pytest
from netns import Machines, Namespace, cable
from tasuki_agent.kernel.source_address import Host, moved

CONTROLLER = "2001:db8:5::1"


@pytest.fixture
def router() -> Iterator[Namespace]:
    with Machines() as machines:
        router, line = machines.add("router"), machines.add("line")
        cable(router, "wan0", line, "port")
        router.ip("route add 2001:db8:5::/48 dev wan0")
        router.ip("addr add 2001:db8:a1::1/64 dev wan0")
        yield router


async def test_a_deprecated_address_is_left_for_a_new_one(router: Namespace) -> None:
    with router.entered():
        controller = await Host(CONTROLLER, 9339).destinations()
        before = controller.sources()
        assert list(before.values()) == ["2001:db8:a1::1"]
        router.ip("addr add 2001:db8:a2::1/64 dev wan0 preferred_lft 0")
        assert moved(before, controller.sources()) is None
        router.ip("addr change 2001:db8:a1::1/64 dev wan0 preferred_lft 0")
        router.ip("addr change 2001:db8:a2::1/64 dev wan0 preferred_lft forever")
        assert moved(before, controller.sources()) == "2001:db8:a2::1"


async def test_without_any_way_it_has_not_moved_yet(router: Namespace) -> None:
    with router.entered():
        controller = await Host(CONTROLLER, 9339).destinations()
        before = controller.sources()
        router.ip("link set wan0 down")
        assert controller.sources() == {}
        assert moved(before, {}) is None


async def test_a_name_that_nobody_knows_leads_nowhere() -> None:
    for name in ("controller.invalid", "", f"{'a' * 64}.example", "."):
        assert (await Host(name, 9339).destinations()).sources() == {}


async def test_a_resolver_that_does_not_answer_is_asked_once_however_often_one_comes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked, answer = 0, threading.Event()

    def hanging(*_: object, **__: object) -> list[object]:
        nonlocal asked
        asked += 1
        answer.wait(30)
        return [(socket.AF_INET6, socket.SOCK_DGRAM, 17, "", ("::1", 9339, 0, 0))]

    monkeypatch.setattr(socket, "getaddrinfo", hanging)
    host = Host("controller.example.net", 9339)
    for _ in range(20):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await host.destinations()
    assert asked == 1
    answer.set()
    assert list((await host.destinations()).sources().values()) == ["::1"]
    await host.destinations()
    assert asked == 2
