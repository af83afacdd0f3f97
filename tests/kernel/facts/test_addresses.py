"""Addresses that a router on the line advertises, and those whose prefix it has forgotten."""

import asyncio
import socket
import struct
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from netns import Machines, Namespace, cable
from tasuki_agent.facts import addresses
from tasuki_agent.facts.addresses import SOURCE, AddressSource
from tasuki_agent.kernel import Kernel
from tasuki_agent.kinds.address.kind import AddressKind
from tasuki_yang.facts import FactKey

WAN = FactKey("wan0", "global-address")
OLD, NEW = "2001:db8:a::", "2001:db8:b::"
DEADLINE = 30.0
"""Seconds; only a guard against hanging."""


class Provider:
    """Advertises prefixes on the line, each as it would: for a day."""

    def __init__(self, machine: Namespace, port: str) -> None:
        machine.ip(f"addr add fe80::1/64 dev {port} nodad")
        with machine.entered():
            self._socket = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
            self._everybody = ("ff02::1", 0, 0, socket.if_nametoindex(port))
        self._socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)

    def close(self) -> None:
        self._socket.close()

    def advertise(self, prefix: str) -> None:
        """Send one router advertisement (RFC 4861 section 4.2) with a prefix for autoconfiguration."""
        head = struct.pack("!BBHBBHII", 134, 0, 0, 64, 0, 1800, 0, 0)
        information = struct.pack("!BBBBIII", 3, 4, 64, 0xC0, 172_800, 86_400, 0)
        message = head + information + socket.inet_pton(socket.AF_INET6, prefix)
        self._socket.sendto(message, self._everybody)


@dataclass
class Router:
    """Learns the address of its line.

    Attributes:
        history: every address that it has had.
    """

    kind: AddressKind
    history: list[str] = field(default_factory=list)
    _source: AddressSource = field(default_factory=lambda: SOURCE(Path()))

    async def learn(self) -> str:
        before = {WAN: (self.history[-1],)} if self.history else {}
        found = self._source.learn([WAN], {"address": await self.kind.observe()}, before)
        if WAN in found and [*found[WAN]] != self.history[-1:]:
            self.history += found[WAN]
        return self.history[-1] if WAN in found else ""


@pytest.fixture
def provider() -> Iterator[Provider]:
    """The other end of the line of a router that is entered by this thread."""
    with Machines() as machines:
        router, machine = machines.add("router"), machines.add("provider")
        cable(router, "wan0", machine, "port0")
        router.sysctl("net/ipv6/conf/wan0/accept_ra", "2")
        with closing(Provider(machine, "port0")) as provider, router.entered():
            yield provider


async def test_a_prefix_that_the_line_has_forgotten_is_left_for_the_one_that_it_advertises(
    provider: Provider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Kernel(tmp_path) as kernel, asyncio.timeout(DEADLINE):
        router = Router(AddressKind(kernel))

        async def advertised(*prefixes: str) -> str:
            for prefix in prefixes:
                provider.advertise(prefix)
            await asyncio.sleep(0.1)  # between advertisements
            return await router.learn()

        while not await advertised(OLD):
            pass
        monkeypatch.setattr(addresses, "GIVEN_UP", 100)
        for _ in range(20):
            await advertised(OLD, NEW)
        (old,) = router.history
        while await advertised(NEW) == old:
            pass
        _, new = router.history
        assert old.startswith("2001:db8:a:")
        assert new.startswith("2001:db8:b:")
