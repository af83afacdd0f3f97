"""DHCP clients against real servers: what is on the wire, what is kept, and what is in the way."""

import asyncio
import os
import re
import signal
import socket
import struct
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dhcpv6
import pytest
from dhcpv4 import leasing
from dhcpv6 import Delegation, Server
from netns import Machines, Namespace, cable, until
from packets import Dhcp, dhcpv4_message, dhcpv6_message, dhcpv6_options
from tasuki_agent.daemon import SERVES, Daemon
from tasuki_agent.errors import Transient
from tasuki_agent.kernel import Kernel, run
from tasuki_agent.kind import Create, Delete, Update, differences
from tasuki_agent.kinds import load
from tasuki_agent.kinds.dhcp_client.kind import DhcpClientKind
from tasuki_agent.kinds.dhcp_client.model import ClientKey
from tasuki_agent.known import Known
from tasuki_yang.router import Router
from traffic import Wire

pytestmark = pytest.mark.skipif(bool(dhcpv6.missing()), reason=f"needs {dhcpv6.missing()}")

SOLICIT, REQUEST, RENEW, REBIND, RELEASE, INFORMATION_REQUEST = 1, 3, 5, 6, 8, 11
FROM_CLIENT = {SOLICIT, REQUEST, 4, RENEW, REBIND, RELEASE, 9, INFORMATION_REQUEST}
CLIENT_ID, IA_NA, ORO, RAPID_COMMIT, VENDOR_CLASS, IA_PD, FQDN = 1, 3, 6, 14, 16, 25, 39
PREFIX = "2001:db8:1200::"
VENDOR_OPTIONS = bytes.fromhex("000000d2 00c90006 0010db112233 00ca0000")


@dataclass
class Wan:
    """A router with a line: what the provider sees on it."""

    router: Namespace
    provider: Namespace
    wire: Wire
    packets: list[bytes] = field(default_factory=list)

    def asked(self) -> list[Dhcp]:
        """What DHCPv6 clients have said until now."""
        return [message for message in self._messages(dhcpv6_message) if message.type in FROM_CLIENT]

    def asked4(self) -> list[Dhcp]:
        """What DHCPv4 clients have said: what no server says of itself."""
        return [message for message in self._messages(dhcpv4_message) if 54 not in message or 50 in message]

    def _messages(self, read: Callable[[bytes], Dhcp | None]) -> list[Dhcp]:
        self.packets += self.wire.packets()
        return [message for packet in self.packets if (message := read(packet))]

    def mac(self, interface: str) -> bytes:
        line = self.router.ip(f"-oneline link show dev {interface}")
        return bytes.fromhex(line.partition("link/ether ")[2][:17].replace(":", ""))


@contextmanager
def joined(machines: Machines) -> Iterator[Wan]:
    router, provider = machines.add("router"), machines.add("provider")
    cable(router, "wan0", provider, "port0")
    cable(router, "lan0", provider, "port1")
    with Wire(provider, "port0") as wire:
        yield Wan(router, provider, wire)


@pytest.fixture
def wan(machines: Machines) -> Iterator[Wan]:
    with joined(machines) as wan:
        yield wan


@pytest.fixture
def router(wan: Wan) -> Iterator[Namespace]:
    """Entered by this thread."""
    with wan.router.entered():
        yield wan.router


@pytest.fixture
def server(wan: Wan, tmp_path: Path) -> Iterator[Server]:
    server = Server(wan.provider, "port0", tmp_path, Delegation(f"{PREFIX}/56"))
    with server.running():
        yield server


@dataclass
class Agent:
    """The kind, and what it keeps."""

    kernel: Kernel
    kind: DhcpClientKind

    def want(self, asked: Mapping[str, Any]) -> tuple[ClientKey, Daemon]:
        """The only client that is asked for."""
        node = {"name": "wan0", "type": "iana-if-type:other", "tasuki-dhcp-client:dhcp-client": asked}
        tree = Router.model_validate({"ietf-interfaces:interfaces": {"interface": [node]}})
        ((key, client),) = self.kind.want(tree, Known()).items()
        assert isinstance(client, Daemon)
        return key, client

    async def create(self, asked: Mapping[str, Any]) -> ClientKey:
        key, client = self.want(asked)
        await self.kind.check(Create(key, client))
        await self.kind.apply(Create(key, client))
        assert await self.kind.observe() == {key: client}
        return key

    async def change(self, asked: Mapping[str, Any]) -> None:
        """Make of the client that is there what is asked for."""
        key, client = self.want(asked)
        observed = (await self.kind.observe())[key]
        assert differences(client, observed)
        await self.kind.check(Update(key, observed, client))
        await self.kind.apply(Update(key, observed, client))
        assert await self.kind.observe() == {key: client}

    async def delete(self, key: ClientKey) -> None:
        await self.kind.apply(Delete(key, (await self.kind.observe())[key]))

    async def pid(self) -> int:
        (program,) = (await self.kernel.programs.running()).values()
        return program.pid

    @property
    def state_dir(self) -> Path:
        return self.kernel.state_dir

    def lease(self, version: str = "") -> str:
        """What is told of the lease; nothing without one."""
        file = self.state_dir / "leases" / f"wan0.lease{version}"
        return file.read_text() if file.exists() else ""

    def must_lease(self, what: str, version: str = "") -> None:
        until(lambda: what in self.lease(version), within=30, why=f"{what} is leased")


def agent_of(kernel: Kernel) -> Agent:
    (kind,) = (kind for kind in load(kernel) if isinstance(kind, DhcpClientKind))
    return Agent(kernel, kind)


async def stop_all(kernel: Kernel) -> None:
    for name in list(await kernel.programs.running()):
        await kernel.programs.stop(name)


@pytest.fixture
async def agent(kernel: Kernel) -> AsyncIterator[Agent]:
    try:
        yield agent_of(kernel)
    finally:
        await stop_all(kernel)


def configured(router: Namespace) -> tuple[str, ...]:
    """What a DHCP client might configure. That addresses remain primary ones is no concern of anybody."""
    return (
        router.ip("address show"),
        router.ip("route show table all"),
        router.ip("-6 route show table all"),
        *(
            router.sysctl(f"net/ipv6/conf/wan0/{parameter}")
            for parameter in ("accept_ra", "autoconf", "addr_gen_mode", "forwarding", "disable_ipv6")
        ),
    )


async def test_a_line_is_asked_for_a_prefix_and_for_nothing_that_it_does_not_want(
    wan: Wan, server: Server, agent: Agent
) -> None:
    before = configured(wan.router)
    vendor = {"enterprise-number": 210, "octets": "00:10:db:22:0a:5c:ff"}
    options = [17, 23, 24, 31, 88, 103]
    await agent.create(
        {
            "ipv6": {
                "duid-interface": "lan0",
                "prefix-hint": 56,
                "request-option": options,
                "vendor-class": [vendor],
            }
        }
    )
    agent.must_lease(PREFIX)
    solicit = wan.asked()[0]
    assert solicit.type == SOLICIT
    assert solicit[CLIENT_ID] == bytes.fromhex("00030001") + wan.mac("lan0")
    assert solicit[VENDOR_CLASS] == struct.pack("!IH", 210, 7) + bytes.fromhex("0010db220a5cff")
    assert set(options) <= {code for (code,) in struct.iter_unpack("!H", solicit[ORO])}
    assert solicit[IA_PD][:4] == bytes(4)
    ((_, hint),) = dhcpv6_options(solicit[IA_PD][12:])
    assert hint[8:] == bytes([56]) + bytes(16)
    for message in wan.asked():
        assert not {IA_NA, RAPID_COMMIT, FQDN} & {code for code, _ in message.options}
    assert configured(wan.router) == before


async def test_what_is_not_given_is_not_said(wan: Wan, agent: Agent) -> None:
    await agent.create({"ipv6": {"iaid": 4294967295}})
    until(wan.asked, within=30, why="the client asks")
    solicit = wan.asked()[0]
    assert solicit[CLIENT_ID] == bytes.fromhex("00030001") + wan.mac("wan0")
    assert solicit[IA_PD] == b"\xff" * 4 + bytes(8)
    assert VENDOR_CLASS not in solicit


@pytest.mark.parametrize("octets", ["00", "22", "5c", ":".join(f"{n:02x}" for n in range(255))])
async def test_a_vendor_class_of_any_bytes_is_said_as_it_is(wan: Wan, agent: Agent, octets: str) -> None:
    await agent.create({"ipv6": {"vendor-class": [{"enterprise-number": 4294967295, "octets": octets}]}})
    until(wan.asked, within=30, why="the client asks")
    raw = bytes.fromhex(octets.replace(":", ""))
    assert wan.asked()[0][VENDOR_CLASS] == struct.pack("!IH", 4294967295, len(raw)) + raw


async def test_vendor_options_are_told_as_they_came(server: Server, agent: Agent) -> None:
    server.delegate(options={dhcpv6.VENDOR: VENDOR_OPTIONS})
    await agent.create({"ipv6": {}})
    agent.must_lease(f"new_dhcp6_vendor_options={VENDOR_OPTIONS.hex()}\n")


async def test_information_alone_is_asked_for_without_any_lease(
    wan: Wan, server: Server, agent: Agent
) -> None:
    server.delegate(options={dhcpv6.DNS: bytes.fromhex(f"20010db8{0:022x}53")})
    await agent.create({"ipv6": {"request": "information"}})
    agent.must_lease("new_dhcp6_name_servers=2001:db8::53")
    assert {message.type for message in wan.asked()} == {INFORMATION_REQUEST}
    assert PREFIX not in agent.lease()


@pytest.mark.parametrize("host_name", ["router-1", None])
async def test_an_ipv4_address_is_asked_for_and_its_use_left_to_others(
    wan: Wan, agent: Agent, tmp_path: Path, host_name: str | None
) -> None:
    before = configured(wan.router)
    with leasing(wan.provider, "port0", "192.0.2.0/24", tmp_path):
        await agent.create({"ipv4": {"host-name": host_name} if host_name else {}})
        agent.must_lease("new_ip_address=192.0.2.1", "4")
        for message in wan.asked4():
            said = dict(message.options)
            assert said.get(12) == (host_name.encode() if host_name else None)
            assert not {60, 61, 81, 124, 125} & said.keys()
    assert configured(wan.router) == before


async def test_one_version_of_ip_does_not_hear_what_is_meant_for_the_other(
    wan: Wan, server: Server, agent: Agent, tmp_path: Path
) -> None:
    with leasing(wan.provider, "port0", "192.0.2.0/24", tmp_path):
        vendor = {"enterprise-number": 210, "octets": "00:01"}
        for asked in ({"ipv6": {"vendor-class": [vendor]}}, {"ipv4": {"host-name": "router-1"}}):
            key, client = agent.want(asked)
            await agent.kind.apply(Create(key, client))
        agent.must_lease(PREFIX)
        agent.must_lease("new_ip_address=192.0.2.1", "4")
        assert not any(FQDN in message for message in wan.asked())
        assert not any(124 in message for message in wan.asked4())


async def test_another_configuration_keeps_the_lease(wan: Wan, server: Server, agent: Agent) -> None:
    await agent.create({"ipv6": {}})
    agent.must_lease(PREFIX)
    lease, asked_before = agent.lease(), len(wan.asked())
    await agent.change({"ipv6": {"request-option": [23]}})
    assert agent.lease() == lease
    until(lambda: agent.lease() != lease, within=30, why="the lease is confirmed")
    assert PREFIX in agent.lease()
    assert {message.type for message in wan.asked()[asked_before:]} == {REBIND}


async def test_a_client_that_was_killed_is_seen_and_keeps_its_lease(
    wan: Wan, server: Server, agent: Agent
) -> None:
    key = await agent.create({"ipv6": {}})
    agent.must_lease(PREFIX)
    told = asyncio.Event()
    watch = asyncio.create_task(agent.kind.watch(told.set))
    await asyncio.sleep(0)
    asked_before = len(wan.asked())
    os.kill(await agent.pid(), signal.SIGKILL)
    async with asyncio.timeout(30):
        await told.wait()
    watch.cancel()
    client, observed = agent.want({"ipv6": {}})[1], (await agent.kind.observe())[key]
    assert differences(client, observed) == {"health": (SERVES, "it does not run")}
    # The processes that it had for its privileges may hold its port for a moment.
    await agent.kind.apply(Update(key, observed, client))
    assert await agent.kind.observe() == {key: client}
    until(lambda: len(wan.asked()) > asked_before, within=30, why="the line is asked again")
    assert wan.asked()[asked_before].type == REBIND


async def test_a_client_that_somebody_reconfigures_is_set_right(server: Server, agent: Agent) -> None:
    await agent.create({"ipv6": {}})
    file = agent.state_dir / "dhcp-client/wan0-ipv6/dhcpcd.conf"
    file.write_text(file.read_text().replace("iaid 0", "iaid 7"))
    await agent.change({"ipv6": {}})
    assert "iaid 0" in file.read_text()


async def test_a_restarted_agent_finds_its_client_and_writes_nothing(
    router: Namespace, server: Server, tmp_path: Path
) -> None:
    async with Kernel(tmp_path / "state") as kernel:
        agent = agent_of(kernel)
        await agent.create({"ipv6": {}})
        agent.must_lease(PREFIX)
        pid, files = await agent.pid(), stamps(agent.state_dir)
    async with Kernel(tmp_path / "state") as kernel:
        try:
            agent = agent_of(kernel)
            assert await agent.kind.observe() == dict([agent.want({"ipv6": {}})])
            assert (await agent.pid(), stamps(agent.state_dir)) == (pid, files)
        finally:
            await stop_all(kernel)


def stamps(directory: Path) -> dict[str, int]:
    """When each file was written, but for what the programs say."""
    return {
        f"{path}": path.stat().st_mtime_ns
        for path in directory.rglob("*")
        if path.is_file() and path.suffix != ".log"
    }


async def test_a_client_that_is_not_wanted_any_more_ends_with_its_facts_and_releases_nothing(
    wan: Wan, server: Server, agent: Agent
) -> None:
    key = await agent.create({"ipv6": {}})
    agent.must_lease(PREFIX)
    await agent.delete(key)
    assert agent.lease() == ""
    assert await agent.kind.observe() == {}
    assert await agent.kernel.programs.running() == {}
    assert RELEASE not in {message.type for message in wan.asked()}
    asked_before = len(wan.asked())
    await agent.create({"ipv6": {}})
    agent.must_lease(PREFIX)
    assert wan.asked()[asked_before].type == REBIND


@pytest.mark.parametrize(
    ("away", "back"),
    [("port0 down", "port0 up"), ("wan0 down", "wan0 up")],
    ids=["the cable is pulled", "the interface is set down"],
)
async def test_a_line_that_was_away_is_asked_whether_the_lease_holds(
    wan: Wan, server: Server, agent: Agent, away: str, back: str
) -> None:
    machine = wan.provider if away.startswith("port0") else wan.router
    await agent.create({"ipv6": {}})
    agent.must_lease(PREFIX)
    lease, asked_before = agent.lease(), len(wan.asked())
    machine.ip(f"link set {away}")
    until(lambda: "NO-CARRIER" in wan.router.ip("link show wan0") or away == "wan0 down", within=30, why=away)
    with suppress(OSError):
        wan.asked()  # once, a socket tells that its interface went down
    machine.ip(f"link set {back}")
    until(lambda: len(wan.asked()) > asked_before, within=60, why="the line is asked again")
    assert wan.asked()[asked_before].type == REBIND
    assert agent.lease().splitlines()[0] in lease


async def test_a_client_ends_with_its_interface_and_starts_when_it_is_back(
    wan: Wan, router: Namespace, agent: Agent
) -> None:
    """As that of a PPPoE session does."""
    key = await agent.create({"ipv6": {}})
    told = asyncio.Event()
    watch = asyncio.create_task(agent.kind.watch(told.set))
    await asyncio.sleep(0)
    router.ip("link delete wan0")
    async with asyncio.timeout(60):
        await told.wait()
    watch.cancel()
    client, observed = agent.want({"ipv6": {}})[1], (await agent.kind.observe())[key]
    assert differences(client, observed) == {"health": (SERVES, "it does not run")}
    with pytest.raises(Transient, match="start dhcp-client wan0 ipv6: link wan0 does not exist"):
        await agent.kind.apply(Update(key, observed, client))
    cable(router, "wan0", wan.provider, "port0")
    await agent.change({"ipv6": {}})


async def test_routers_with_interfaces_of_the_same_name_do_not_disturb_one_another(
    wan: Wan, server: Server, agent: Agent, machines: Machines, tmp_path: Path
) -> None:
    await agent.create({"ipv6": {}})
    other_dir = tmp_path / "other"
    other_dir.mkdir()
    with joined(machines) as other:
        delegation = Delegation("2001:db8:3400::/56")
        with Server(other.provider, "port0", other_dir, delegation).running(), other.router.entered():
            async with Kernel(other_dir / "state") as kernel:
                second = agent_of(kernel)
                key = await second.create({"ipv6": {}})
                second.must_lease("2001:db8:3400::")
                agent.must_lease(PREFIX)
                await second.delete(key)
    assert PREFIX in agent.lease()
    assert len(await agent.kind.observe()) == 1
    assert len(await agent.kernel.programs.running()) == 1


@pytest.mark.parametrize(("version", "port"), [("ipv6", 546), ("ipv4", 68)])
async def test_who_has_the_port_is_named_and_left_alone(
    router: Namespace, agent: Agent, version: str, port: int
) -> None:
    key, client = agent.want({version: {}})
    with socket.socket(socket.AF_INET6 if version == "ipv6" else socket.AF_INET, socket.SOCK_DGRAM) as holder:
        holder.bind(("", port))
        for judge in (agent.kind.check, agent.kind.apply):
            with pytest.raises(
                Transient, match=rf"UDP port {port} on wan0 is held by .*\(pid {os.getpid()}\)"
            ):
                await judge(Create(key, client))
        assert await agent.kernel.programs.running() == {}
    await agent.kind.apply(Create(key, client))
    assert await agent.kind.observe() == {key: client}


async def test_a_client_that_another_one_was_too_quick_for_is_seen_and_recovers(
    wan: Wan, router: Namespace, agent: Agent
) -> None:
    # Without a link-local address a client cannot take its port.
    router.ip("address flush dev wan0 scope link")
    key = await agent.create({"ipv6": {}})
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as holder:
        holder.bind(("::", 546))
        router.ip("address add fe80::1/64 dev wan0 nodad")
        until(wan.asked, within=30, why="the client asks, and hears nothing")
        observed = (await agent.kind.observe())[key]
        assert re.search(rf"UDP port 546 on wan0 is held by \S+ \(pid {os.getpid()}\)", observed.health)
        change = Update(key, observed, agent.want({"ipv6": {}})[1])
        with pytest.raises(Transient, match="UDP port 546 on wan0 is held by"):
            await agent.kind.apply(change)
    await agent.change({"ipv6": {}})
    until(lambda: ":546" in sockets(router), within=30, why="the client listens")


def sockets(router: Namespace) -> str:
    return router.run("ss", "--udp", "--listening", "--numeric", "--no-header")


async def test_an_interface_without_an_ethernet_address_makes_no_duid(agent: Agent) -> None:
    key, client = agent.want({"ipv6": {"duid-interface": "lo"}})
    with pytest.raises(Transient, match="link lo has no Ethernet address: name an interface that has one"):
        await agent.kind.apply(Create(key, client))
    assert await agent.kind.observe() == {}


async def test_a_commit_without_dhcpcd_is_refused_with_what_to_install(
    agent: Agent, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "environment", lambda: {"PATH": f"{tmp_path}"})
    with pytest.raises(Transient, match="there is no program dhcpcd: install the package dhcpcd-base"):
        await agent.kind.check(Create(*agent.want({"ipv6": {}})))


async def test_any_name_that_an_interface_can_have_is_no_option_of_dhcpcd(
    wan: Wan, router: Namespace, agent: Agent
) -> None:
    name = "--x;$(y)'.=,]\""
    router.run("ip", "link", "set", "wan0", "down")
    router.run("ip", "link", "set", "dev", "wan0", "name", name, "up")
    node = {"name": name, "type": "iana-if-type:other", "tasuki-dhcp-client:dhcp-client": {"ipv6": {}}}
    tree = Router.model_validate({"ietf-interfaces:interfaces": {"interface": [node]}})
    ((key, client),) = agent.kind.want(tree, Known()).items()
    await agent.kind.apply(Create(key, client))
    assert await agent.kind.observe() == {key: client}
    until(wan.asked, within=30, why="the client asks")
