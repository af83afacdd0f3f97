"""One dnsmasq for all LANs, asked by real hosts."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from pathlib import Path
from typing import Any

import pytest
from hosts import Host
from kernel.kinds.advertisement import Advertisement, advertisements
from nameserver import Nameserver
from netns import Machines, Namespace, cable, until
from packets import Dhcp, dhcpv4_message
from tasuki_agent.daemon import Daemon
from tasuki_agent.errors import Transient
from tasuki_agent.kernel import Kernel, run
from tasuki_agent.kernel.programs.daemon import DOES_NOT_RUN
from tasuki_agent.kind import Create, Delete, Update, differences
from tasuki_agent.kinds import load
from tasuki_agent.kinds.dnsmasq import health
from tasuki_agent.kinds.dnsmasq.kind import DnsmasqKind
from tasuki_agent.kinds.dnsmasq.model import SERVER, ServerKey
from tasuki_agent.known import Known
from tasuki_yang.facts import FactKey
from tasuki_yang.router import Router
from traffic import Wire

FIRST, SECOND = "2001:db8:1:1::", "2001:db8:2:1::"
UPSTREAM, CORPORATE, LATER = "192.0.2.53", "192.0.2.54", "192.0.2.55"
"""Name servers."""
MAC = "02:00:00:00:00:05"
RESERVED = "192.168.1.5"
DEADLINE = 30.0
"""Seconds; only a guard against hanging."""
OFFER = 2

IPV4: dict[str, Any] = {
    "range": {"start": "192.168.1.20", "end": "192.168.1.99"},
    "lease-time": 600,
    "router": ["192.168.1.7"],
    "ntp-server": ["192.0.2.123"],
    "domain": "home.example",
    "search-domain": ["home.example", "corp.example"],
    "reservation": [{"mac-address": MAC, "address": RESERVED, "host-name": "nas"}],
    "option": [{"code": 66, "text": "tftp, boot #1"}, {"code": 43, "octets": "01:02:00"}],
}
ADVERTISEMENTS: dict[str, Any] = {
    "send-advertisements": True,
    "max-rtr-adv-interval": 4,
    "link-mtu": 1460,
    "tasuki-dnsmasq:preference": "high",
    "tasuki-dnsmasq:search-domain": ["home.example", "corp.example"],
}
FORWARDER: dict[str, Any] = {
    "interface": ["lan0", "lan1"],
    "server": [UPSTREAM],
    "zone": [{"domain": "corp.example", "server": [CORPORATE]}, {"domain": "test.example"}],
    "host": [{"name": "router.home.example", "address": ["192.168.1.1", "2001:db8::1"]}],
    "domain": "home.example",
}


def lan(number: int, dhcp: Mapping[str, Any] | None = None, **ipv6: Any) -> dict[str, Any]:
    """The interface of a LAN: what its hosts get by DHCPv4, and by whatever else is given."""
    ipv4: dict[str, Any] = {"address": [{"ip": f"192.168.{number + 1}.1", "prefix-length": 24}]}
    node: dict[str, Any] = {"name": f"lan{number}", "type": "iana-if-type:other", "ietf-ip:ipv4": ipv4}
    if dhcp:
        ipv4["tasuki-dnsmasq:dhcp-server"] = dhcp
    if ipv6:
        names = {
            "advertised": "ietf-ipv6-unicast-routing:ipv6-router-advertisements",
            "server": "tasuki-dnsmasq:dhcp-server",
        }
        node["ietf-ip:ipv6"] = {names[name]: value for name, value in ipv6.items()}
    return node


def tree(*lans: Mapping[str, Any], forwarder: Mapping[str, Any] | None = None) -> dict[str, Any]:
    forwarding = {"tasuki-dnsmasq:dns-forwarder": forwarder} if forwarder else {}
    return {"ietf-interfaces:interfaces": {"interface": list(lans)}, **forwarding}


WHOLE = tree(
    lan(0, IPV4, advertised=ADVERTISEMENTS),
    lan(1, advertised={**ADVERTISEMENTS, "other-config-flag": True}),
    forwarder=FORWARDER,
)


@dataclass
class Home:
    """A router with two LANs, a host on each, and name servers outside."""

    router: Namespace
    pc: Namespace
    laptop: Namespace
    outside: Namespace
    directory: Path
    wire: Wire
    """At the first LAN."""
    packets: list[bytes] = field(default_factory=list)

    @classmethod
    @contextmanager
    def built(cls, machines: Machines, directory: Path) -> Iterator["Home"]:
        router, pc, laptop, outside = map(machines.add, ("router", "pc", "laptop", "outside"))
        router.sysctl("net/ipv6/conf/all/forwarding", "1")
        cable(router, "wan0", outside, "port0")
        router.ip("addr add 192.0.2.1/24 dev wan0")
        for server in (UPSTREAM, CORPORATE, LATER):
            outside.ip(f"addr add {server}/24 dev port0")
        pc.ip("link add eth0 type veth peer name lan0 netns " + router.name)
        pc.ip(f"link set eth0 address {MAC}")
        pc.ip("link set eth0 up")
        router.ip("link set lan0 up")
        router.ip("addr add 192.168.1.1/24 dev lan0")
        cable(router, "lan1", laptop, "eth0")
        router.ip("addr add 192.168.2.1/24 dev lan1")
        with Wire(pc, "eth0") as wire:
            yield cls(router, pc, laptop, outside, directory, wire)

    def number(self, interface: str, prefix: str, valid: int = 14400, preferred: int = 12600) -> None:
        """Give the router's interface its address in a prefix, or change how long it lasts."""
        lifetimes = f"valid_lft {valid} preferred_lft {preferred}"
        self.router.ip(f"addr replace {prefix}1/64 dev {interface} {lifetimes} nodad")

    def advertised(self) -> list[Advertisement]:
        """What the first LAN was told until now."""
        self.packets += self.wire.packets()
        return advertisements(self.packets)

    def leased(self) -> list[Dhcp]:
        """What its host was offered by DHCPv4."""
        self.packets += self.wire.packets()
        messages = (dhcpv4_message(packet) for packet in self.packets)
        return [message for message in messages if message and message.type == OFFER]

    @contextmanager
    def hosts(self) -> Iterator[tuple[Host, Host]]:
        """Their clients run."""
        with ExitStack() as stack:
            pc = stack.enter_context(Host.with_udhcpc(self.pc, self.directory))
            yield pc, stack.enter_context(Host.with_dhcpcd(self.laptop, self.directory))


@pytest.fixture
def home(machines: Machines, tmp_path: Path) -> Iterator[Home]:
    with Home.built(machines, tmp_path) as home:
        yield home


@pytest.fixture
def router(home: Home) -> Iterator[Namespace]:
    """Entered by this thread."""
    with home.router.entered():
        yield home.router


@dataclass
class Agent:
    """The kind, and what it is told."""

    kernel: Kernel
    kind: DnsmasqKind

    def want(self, intent: Mapping[str, Any], *servers: str) -> tuple[ServerKey, Daemon]:
        """What is wanted when the lease on wan0 has these DNS servers."""
        known = Known({FactKey("wan0", "dns-servers"): servers} if servers else {})
        ((key, server),) = self.kind.want(Router.model_validate(intent), known).items()
        return key, server

    async def create(self, intent: Mapping[str, Any], *servers: str) -> None:
        key, server = self.want(intent, *servers)
        await self.kind.check(Create(key, server))
        await self.kind.apply(Create(key, server))
        assert await self.kind.observe() == {key: server}

    async def change(self, intent: Mapping[str, Any], *servers: str) -> None:
        """Make what is wanted of what is there, which is something else."""
        key, server = self.want(intent, *servers)
        observed = (await self.kind.observe())[key]
        assert differences(server, observed)
        await self.kind.apply(Update(key, observed, server))
        assert await self.kind.observe() == {key: server}

    async def pid(self) -> int:
        return (await self.kernel.programs.running())["dnsmasq"].pid

    async def health(self) -> str:
        return (await self.kind.observe())[SERVER].health

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[asyncio.Event]:
        """The event is set whenever the kind is to be observed again."""
        changed = asyncio.Event()
        task = asyncio.create_task(self.kind.watch(changed.set))
        try:
            await asyncio.sleep(0)
            yield changed
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


def agent_of(kernel: Kernel) -> Agent:
    (kind,) = (kind for kind in load(kernel) if isinstance(kind, DnsmasqKind))
    return Agent(kernel, kind)


@pytest.fixture
async def agent(kernel: Kernel) -> AsyncIterator[Agent]:
    try:
        yield agent_of(kernel)
    finally:
        for name in list(await kernel.programs.running()):
            await kernel.programs.stop(name)


def soon(condition: Callable[[], object], why: str) -> None:
    until(condition, within=DEADLINE, why=why)


def changed(**names: Any) -> dict[str, Any]:
    """The whole intent with another server for DHCPv4 on the first LAN, or another forwarder."""
    forwarder = {**FORWARDER, **names.pop("forwarder", {})}
    _, second = WHOLE["ietf-interfaces:interfaces"]["interface"]
    return tree(lan(0, {**IPV4, **names}, advertised=ADVERTISEMENTS), second, forwarder=forwarder)


async def test_hosts_get_what_they_are_given(home: Home, agent: Agent) -> None:
    await agent.create(WHOLE)
    home.number("lan0", FIRST)
    home.number("lan1", SECOND)
    with home.hosts() as (pc, laptop):
        soon(lambda: pc.ipv4() == [RESERVED], "the host has the address that is reserved for it")
        told = pc.told("dhcp")
        assert (told["router"], told["dns"], told["lease"]) == ("192.168.1.7", "192.168.1.1", "600")
        assert (told["domain"], told["hostname"]) == ("home.example", "nas")

        soon(lambda: pc.is_in(f"{FIRST}/64"), "the host has made itself an address")
        soon(lambda: laptop.is_in(f"{SECOND}/64"), "the other host too")
        soon(lambda: laptop.told("dhcp6").get("new_dhcp6_domain_search"), "it has asked by DHCPv6")
        assert laptop.told("dhcp6")["new_dhcp6_domain_search"] == "home.example corp.example"
        assert IPv6Address(laptop.told("dhcp6")["new_dhcp6_name_servers"].partition("%")[0]).is_link_local


async def test_hosts_are_told_of_the_prefix_of_the_mtu_and_of_names(home: Home, agent: Agent) -> None:
    await agent.create(WHOLE)
    home.number("lan0", FIRST)
    soon(home.advertised, "the prefix is advertised")
    said = home.advertised()[0]
    assert (said.flags, said.preference, said.lifetime, said.mtu) == (0, "high", 12, 1460)
    assert said.prefixes[FIRST] == (5400, 5400)
    assert said.search_domains == ["home.example", "corp.example"]
    assert said.dns_servers == [home.router.addresses("dev lan0 scope link")[0]["local"]]


async def test_options_are_on_the_wire_as_they_were_written(home: Home, agent: Agent) -> None:
    await agent.create(WHOLE)
    asking = "busybox udhcpc -f -q -n -i eth0 -O 42 -O 43 -O 66 -O 119 -s /bin/true"
    home.pc.run(*asking.split(), check=False)
    soon(home.leased, "an address is offered")
    offer = home.leased()[0]
    assert offer[66] == b"tftp, boot #1\0"
    assert offer[43] == bytes.fromhex("010200")
    assert offer[42] == IPv4Address("192.0.2.123").packed
    assert offer[119] == b"\4home\7example\0\4corp\xc0\5"  # RFC 3397 section 2: compressed
    assert offer[51] == (600).to_bytes(4, "big")


async def test_a_host_gets_an_address_by_dhcpv6(home: Home, agent: Agent) -> None:
    advertised = {"send-advertisements": True, "max-rtr-adv-interval": 4, "managed-flag": True}
    server = {"start": "::1fff", "end": "::1000", "lease-time": 120}
    await agent.create(tree(lan(1, advertised=advertised, server=server)))
    home.number("lan1", FIRST)
    with home.hosts() as (_, laptop):
        given = (IPv6Network(f"{FIRST}1000/116"),)
        soon(lambda: any(address in given[0] for address in laptop.ipv6()), "it has an address of the range")


async def test_names_are_asked_where_they_are_known(home: Home, agent: Agent) -> None:
    upstream = Nameserver({"www.example": ["AAAA 2001:db8::80"], "private.example": ["A 10.0.0.1"]})
    corporate = Nameserver(
        {"git.corp.example": ["A 10.1.2.3"], "3.2.1.10.in-addr.arpa": ["PTR git.corp.example."]}
    )
    zones = [*FORWARDER["zone"], {"domain": "10.in-addr.arpa", "server": [CORPORATE]}]
    await agent.create(changed(forwarder={"zone": zones}))
    with upstream.on(home.outside, UPSTREAM), corporate.on(home.outside, CORPORATE), home.hosts() as (pc, _):
        soon(pc.ipv4, "the host has an address")

        def answer(name: str, rdtype: str = "A", server: str = "192.168.1.1") -> list[str]:
            return pc.resolves(name, server, rdtype)

        soon(lambda: answer("www.example", "AAAA") == ["2001:db8::80"], "another server is asked")
        soon(lambda: answer("git.corp.example") == ["10.1.2.3"], "the domain's own server is asked")
        soon(
            lambda: answer("3.2.1.10.in-addr.arpa", "PTR") == ["git.corp.example."],
            "a server is asked for private addresses if it is named for them",
        )
        assert answer("private.example") == ["10.0.0.1"]
        assert answer("router.home.example", "AAAA") == ["2001:db8::1"]
        assert answer("1.1.168.192.in-addr.arpa", "PTR") == ["router.home.example."]
        assert answer("nas.home.example") == [RESERVED]
        for name in ("else.home.example", "host.test.example", "single"):
            assert answer(name) == []
        assert answer("9.9.168.192.in-addr.arpa", "PTR") == []
    assert set(upstream.asked) == {"www.example", "private.example"}
    assert set(corporate.asked) == {"git.corp.example", "3.2.1.10.in-addr.arpa"}


async def test_servers_and_reservations_change_without_a_restart(home: Home, agent: Agent) -> None:
    later = Nameserver({"www.example": ["A 198.51.100.1"]})
    await agent.create(WHOLE)
    pid = await agent.pid()
    with later.on(home.outside, LATER), home.hosts() as (pc, _):
        soon(lambda: pc.ipv4() == [RESERVED], "the host has its address")
        reservation = {"mac-address": MAC, "address": "192.168.1.6", "host-name": "store"}
        host = {"name": "new.home.example", "address": ["192.168.1.9"]}
        await agent.change(changed(reservation=[reservation], forwarder={"server": [LATER], "host": [host]}))
        assert await agent.pid() == pid
        soon(
            lambda: pc.resolves("www.example", "192.168.1.1", "A") == ["198.51.100.1"],
            "the other server is asked",
        )
        assert pc.resolves("new.home.example", "192.168.1.1", "A") == ["192.168.1.9"]
        assert pc.resolves("router.home.example", "192.168.1.1", "A") == []
    with home.hosts() as (pc, _):
        soon(lambda: pc.ipv4() == ["192.168.1.6"], "the host has the address that is reserved now")


async def test_servers_of_a_lease_come_and_go_without_a_restart(home: Home, agent: Agent) -> None:
    upstream = Nameserver({"www.example": ["A 198.51.100.1"]})
    following = tree(lan(0), forwarder={"interface": ["lan0"], "servers-of-lease": "wan0"})
    home.pc.ip("addr add 192.168.1.2/24 dev eth0")
    host = Host(home.pc, home.directory / "none")

    def answer() -> list[str]:
        return host.resolves("www.example", "192.168.1.1", "A")

    await agent.create(following)
    pid = await agent.pid()
    with upstream.on(home.outside, UPSTREAM):
        assert answer() == []
        assert await agent.health() == ""
        await agent.change(following, UPSTREAM)
        soon(lambda: answer() == ["198.51.100.1"], "the server of the lease is asked")
        await agent.change(following)
        soon(lambda: answer() == [], "it is asked no more")
    assert await agent.pid() == pid


async def test_a_link_local_server_is_asked_on_the_line_that_told_of_it(home: Home, agent: Agent) -> None:
    (link_local,) = home.outside.addresses("dev port0 scope link")
    upstream = Nameserver({"www.example": ["A 198.51.100.1"]})
    home.pc.ip("addr add 192.168.1.2/24 dev eth0")
    host = Host(home.pc, home.directory / "none")
    following = tree(lan(0), forwarder={"interface": ["lan0"], "servers-of-lease": "wan0"})
    await agent.create(following, link_local["local"])
    with upstream.on(home.outside, "::"):
        soon(lambda: host.resolves("www.example", "192.168.1.1", "A") == ["198.51.100.1"], "it is asked")


async def test_a_restart_forgets_no_lease(home: Home, agent: Agent) -> None:
    await agent.create(changed(reservation=[]))
    pid = await agent.pid()
    with home.hosts() as (pc, _):
        soon(pc.ipv4, "the host has an address")
        before = pc.ipv4()
        await agent.change(changed(reservation=[], **{"ntp-server": ["192.0.2.124"]}))
        assert await agent.pid() != pid
        assert home.router.run("grep", "-c", before[0], f"{home.directory}/dnsmasq.leases") == "1\n"


async def test_hosts_follow_a_renumbered_lan_at_once(home: Home, agent: Agent) -> None:
    await agent.create(WHOLE)
    pid = await agent.pid()
    home.number("lan0", FIRST)
    with home.hosts() as (pc, _):
        soon(lambda: pc.is_in(f"{FIRST}/64"), "the host has an address of the first prefix")
        home.number("lan0", SECOND)
        home.number("lan0", FIRST, valid=7200, preferred=0)
        soon(lambda: pc.is_in(f"{SECOND}/64"), "the host prefers the second prefix")
        assert pc.has_deprecated(f"{FIRST}/64")
        last = home.advertised()[-1]
        assert last.prefixes[FIRST].preferred == 0
        assert 0 < last.prefixes[FIRST].valid <= 5400
    assert await agent.pid() == pid


async def test_a_lan_without_a_prefix_has_no_default_router(home: Home, agent: Agent) -> None:
    await agent.create(WHOLE)
    assert home.advertised() == []
    home.number("lan0", FIRST)
    soon(home.advertised, "the prefix is advertised")
    home.router.ip(f"addr del {FIRST}1/64 dev lan0")
    soon(lambda: home.advertised()[-1].lifetime == 0, "hosts are told that there is no router")
    over = home.advertised()[-1].prefixes[FIRST]
    assert over.preferred == 0
    assert 0 < over.valid <= 5400
    home.number("lan0", SECOND)
    soon(lambda: home.advertised()[-1].lifetime == 12, "there is a router again")


async def test_a_lan_that_comes_later_is_served(home: Home, agent: Agent, machines: Machines) -> None:
    guest = machines.add("guest")
    served = {"range": {"start": "192.168.3.20", "end": "192.168.3.99"}}
    forwarder = {**FORWARDER, "interface": ["lan0", "lan1", "lan2"]}
    await agent.create(tree(lan(2, served, advertised=ADVERTISEMENTS), forwarder=forwarder))
    cable(home.router, "lan2", guest, "eth0")
    home.router.ip("addr add 192.168.3.1/24 dev lan2")
    home.number("lan2", FIRST)
    with Host.with_udhcpc(guest, home.directory) as host:
        soon(host.ipv4, "the host has an address")
        soon(lambda: host.is_in(f"{FIRST}/64"), "it has one of the prefix too")
        assert host.resolves("router.home.example", "192.168.3.1") == ["2001:db8::1"]


async def test_its_end_is_told_at_once_and_mended(agent: Agent) -> None:
    await agent.create(WHOLE)
    async with agent.watching() as changed:
        os.kill(await agent.pid(), signal.SIGKILL)
        async with asyncio.timeout(DEADLINE):
            await changed.wait()
        assert await agent.health() == DOES_NOT_RUN
        await agent.change(WHOLE)


async def test_a_server_that_does_not_answer_is_told_of_and_restarted(
    agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ASK_SECONDS", "ASK_AGAIN_SECONDS", "ANSWER_SECONDS"):
        monkeypatch.setattr(health, name, 0.2)
    await agent.create(WHOLE)
    pid = await agent.pid()
    async with agent.watching() as changed:
        os.kill(pid, signal.SIGSTOP)
        async with asyncio.timeout(DEADLINE):
            await changed.wait()
        assert "does not answer" in await agent.health()
        monkeypatch.undo()
        await agent.change(WHOLE)
        assert await agent.pid() != pid


async def test_a_server_that_answers_again_is_well_again(agent: Agent) -> None:
    asked = health.Health()
    await asked.ask()
    assert asked.unanswered == 1
    await agent.create(WHOLE)
    await asked.ask()
    assert asked.unanswered == 0


async def test_the_next_agent_finds_it_and_changes_nothing(agent: Agent, tmp_path: Path) -> None:
    await agent.create(WHOLE)
    pid = await agent.pid()
    key, server = agent.want(WHOLE)
    async with Kernel(tmp_path) as kernel:
        later = agent_of(kernel)
        assert await later.kind.observe() == {key: server}
        assert await later.pid() == pid


async def test_nothing_is_left_of_what_is_not_wanted_any_more(home: Home, agent: Agent) -> None:
    await agent.create(WHOLE)
    await agent.kind.apply(Delete(SERVER, (await agent.kind.observe())[SERVER]))
    assert await agent.kind.observe() == {}
    assert await agent.kernel.programs.running() == {}


async def test_a_changed_file_is_drift_of_the_place_that_it_is_about(agent: Agent, tmp_path: Path) -> None:
    await agent.create(WHOLE)
    key, server = agent.want(WHOLE)
    (tmp_path / "dnsmasq/servers").write_text("server=203.0.113.1\n")
    observed = (await agent.kind.observe())[SERVER]
    assert set(differences(server, observed)) == {"servers"}
    shown = agent.kind.tree(key, observed)
    assert set(shown) == {"ietf-interfaces:interfaces"}
    await agent.change(WHOLE)


@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_STREAM])
async def test_who_has_the_port_of_dns_is_named(agent: Agent, kind: socket.SocketKind) -> None:
    with socket.socket(socket.AF_INET, kind) as holder:
        holder.bind(("0.0.0.0", 53))
        if kind == socket.SOCK_STREAM:
            holder.listen()
        with pytest.raises(Transient, match=rf"port 53 .* is held by .* \(pid {os.getpid()}\)"):
            await agent.kind.check(Create(*agent.want(WHOLE)))
    await agent.create(WHOLE)


async def test_who_has_the_port_of_dhcp_is_named(agent: Agent) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as holder:
        holder.bind(("0.0.0.0", 67))
        with pytest.raises(Transient, match=rf"UDP port 67 on lan0 is held by .* \(pid {os.getpid()}\)"):
            await agent.kind.check(Create(*agent.want(WHOLE)))


async def test_a_resolver_of_the_router_itself_is_in_nobodys_way(agent: Agent) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as resolved:
        resolved.bind(("127.0.0.53", 53))
        await agent.create(WHOLE)


async def test_without_a_forwarder_nobody_is_at_the_port_of_dns(agent: Agent) -> None:
    await agent.create(tree(lan(0, IPV4)))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("0.0.0.0", 53))


async def test_a_commit_without_dnsmasq_is_refused_with_what_to_install(
    agent: Agent, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "environment", lambda: {"PATH": f"{tmp_path}"})
    with pytest.raises(Transient, match="there is no program dnsmasq: install the package dnsmasq-base"):
        await agent.kind.check(Create(*agent.want(WHOLE)))
