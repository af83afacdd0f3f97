"""Leases that systemd-networkd has: read and told, and nothing asked."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import dhcpv6
import networkd
import pytest
from dhcpv4 import leasing
from dhcpv6 import Delegation, Server
from netns import Machines, Namespace, cable, until
from networkd import Networkd as Daemon
from tasuki_agent.errors import Transient
from tasuki_agent.facts.leases.reading import parse_dhcpv4, parse_dhcpv6
from tasuki_agent.kernel import Kernel
from tasuki_agent.kind import Create, Delete, Update
from tasuki_agent.kinds import load
from tasuki_agent.kinds.dhcp_client.kind import DhcpClientKind
from tasuki_agent.kinds.dhcp_client.model import IPV4, IPV6, ClientKey, Networkd
from tasuki_agent.known import Known
from tasuki_yang.router import Router

LACKING = " and ".join(filter(None, (dhcpv6.missing(), networkd.missing())))
pytestmark = pytest.mark.skipif(bool(LACKING), reason=f"needs {LACKING}")

KEY, KEY4 = ClientKey("wan0", IPV6), ClientKey("wan0", IPV4)
OLD, NEW = "2001:db8:1200::", "2001:db8:3400::"
NETWORK = """[Match]
Name=wan0
[Network]
DHCP=yes
IPv6AcceptRA=no
[DHCPv4]
ClientIdentifier=mac
UseHostname=no
[DHCPv6]
DUIDType=link-layer
WithoutRA=solicit
UseAddress=no
UseHostname=no
"""


@pytest.fixture
def provider(machines: Machines) -> Namespace:
    return machines.add("provider")


@pytest.fixture
def router(machines: Machines, provider: Namespace) -> Iterator[Namespace]:
    router = machines.add("router")
    cable(router, "wan0", provider, "port0")
    with router.entered():
        yield router


@pytest.fixture
def server(provider: Namespace, router: Namespace, tmp_path: Path) -> Iterator[Server]:
    dns = {dhcpv6.DNS: bytes.fromhex(f"20010db8{0:022x}53")}
    server = Server(provider, "port0", tmp_path, Delegation(f"{OLD}/56", options=dns))
    with server.running():
        yield server


@pytest.fixture
def daemon(router: Namespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Daemon]:
    """networkd, which does not run yet."""
    (tmp_path / "wan0.network").write_text(NETWORK)
    daemon = Daemon(router, tmp_path)
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", daemon.bus)
    with daemon.bus_running():
        yield daemon


@pytest.fixture
async def kind(kernel: Kernel) -> AsyncIterator[DhcpClientKind]:
    (kind,) = (kind for kind in load(kernel) if isinstance(kind, DhcpClientKind))
    yield kind
    for name in list(await kernel.programs.running()):
        await kernel.programs.stop(name)


async def must_read(kind: DhcpClientKind, file: Path, *said: str) -> None:
    """Look until all of it is told of a lease; until there is none, if nothing is said."""
    loop = asyncio.get_running_loop()

    def told() -> bool:
        asyncio.run_coroutine_threadsafe(kind.observe(), loop).result()
        lines = file.read_text().splitlines() if file.exists() else []
        return set(said) <= set(lines) and bool(said) == bool(lines)

    await asyncio.to_thread(lambda: until(told, within=60, why=f"{said or 'nothing'} is told"))


async def test_a_lease_is_told_as_it_is_and_written_once(
    server: Server, daemon: Daemon, kind: DhcpClientKind, tmp_path: Path
) -> None:
    lease = tmp_path / "leases/wan0.lease"
    with daemon.running():
        await applied(kind, KEY)
        await must_read(
            kind,
            lease,
            "origin=networkd",
            f"new_dhcp6_ia_pd1_prefix1={OLD}",
            "new_dhcp6_ia_pd1_prefix1_length=56",
            "new_dhcp6_name_servers=2001:db8::53",
        )
        told = parse_dhcpv6(lease.read_text())
        assert not told.unusable
        assert 0 < told.prefixes[0].valid_until - told.told_at <= 900
        settled = lease.stat().st_mtime_ns
        assert await kind.observe() == {KEY: Networkd()}
        assert lease.stat().st_mtime_ns == settled
    assert "duid=[00:03:00:01:" in server.log


async def applied(kind: DhcpClientKind, key: ClientKey) -> None:
    """Have what networkd leases read, once it knows the interface."""
    loop = asyncio.get_running_loop()

    def taken() -> bool:
        try:
            asyncio.run_coroutine_threadsafe(kind.check(Create(key, Networkd())), loop).result()
        except Transient:
            return False
        return True

    await asyncio.to_thread(lambda: until(taken, within=60, why="networkd serves wan0"))
    await kind.apply(Create(key, Networkd()))
    assert await kind.observe() == {key: Networkd()}


async def test_a_line_that_is_renumbered_wakes_the_kind_and_the_new_prefix_counts(
    server: Server, daemon: Daemon, kernel: Kernel, kind: DhcpClientKind, tmp_path: Path
) -> None:
    lease = tmp_path / "leases/wan0.lease"
    server.delegate(renew=4)
    with daemon.running():
        await applied(kind, KEY)
        await must_read(kind, lease, f"new_dhcp6_ia_pd1_prefix1={OLD}")
        events = kernel.events({kind.name: kind.wakes_on})
        server.delegate(prefix=f"{NEW}/56")
        async with asyncio.timeout(60):
            assert await anext(events) == {kind.name}
        await must_read(kind, lease, "new_dhcp6_ia_pd1_prefix1_length=56")
        told = parse_dhcpv6(lease.read_text())
        now = told.told_at
        assert [prefix.prefix for prefix in told.prefixes if prefix.preferred_until > now] == [f"{NEW}/56"]


async def test_an_ipv4_lease_is_told_with_its_router(
    provider: Namespace, daemon: Daemon, kind: DhcpClientKind, tmp_path: Path
) -> None:
    lease = tmp_path / "leases/wan0.lease4"
    with leasing(provider, "port0", "192.0.2.0/24", tmp_path), daemon.running():
        await applied(kind, KEY4)
        await must_read(kind, lease, "origin=networkd", "new_subnet_cidr=24", "new_routers=192.0.2.1")
        assert not parse_dhcpv4(lease.read_text()).unusable


async def test_where_networkd_does_not_run_that_is_said_and_what_was_leased_counts_on(
    server: Server, daemon: Daemon, kind: DhcpClientKind, tmp_path: Path
) -> None:
    lease = tmp_path / "leases/wan0.lease"
    for judge in (kind.check, kind.apply):
        with pytest.raises(Transient, match="start dhcp-client wan0 ipv6: systemd-networkd does not run"):
            await judge(Create(KEY, Networkd()))
    with daemon.running():
        await applied(kind, KEY)
        await must_read(kind, lease, f"new_dhcp6_ia_pd1_prefix1={OLD}")
    assert "does not run" in (await kind.observe())[KEY].health
    assert lease.exists()


async def test_an_interface_that_networkd_does_not_manage_is_said_to_be_none(
    daemon: Daemon, kind: DhcpClientKind
) -> None:
    daemon.machine.ip("link add br0 type bridge")
    loop = asyncio.get_running_loop()

    def told() -> bool:
        with pytest.raises(Transient) as refused:
            asyncio.run_coroutine_threadsafe(
                kind.check(Create(ClientKey("br0", IPV6), Networkd())), loop
            ).result()
        return "does not manage br0: no .network file matches it" in str(refused.value)

    with daemon.running():
        await asyncio.to_thread(lambda: until(told, within=60, why="networkd has seen br0"))


async def test_reading_ends_with_its_facts_and_survives_a_restart_of_the_agent(
    server: Server, daemon: Daemon, kind: DhcpClientKind, tmp_path: Path
) -> None:
    lease = tmp_path / "leases/wan0.lease"
    with daemon.running():
        await applied(kind, KEY)
        await must_read(kind, lease, f"new_dhcp6_ia_pd1_prefix1={OLD}")
        async with Kernel(tmp_path) as kernel:
            (again,) = (kind for kind in load(kernel) if isinstance(kind, DhcpClientKind))
            assert await again.observe() == {KEY: Networkd()}
            await again.apply(Delete(KEY, Networkd()))
            assert await again.observe() == {}
        assert not lease.exists()


async def test_who_has_the_lease_can_change(
    server: Server, daemon: Daemon, kernel: Kernel, kind: DhcpClientKind, tmp_path: Path
) -> None:
    lease = tmp_path / "leases/wan0.lease"
    node = {"name": "wan0", "type": "iana-if-type:other", "tasuki-dhcp-client:dhcp-client": {"ipv6": {}}}
    tree = Router.model_validate({"ietf-interfaces:interfaces": {"interface": [node]}})
    (client,) = kind.want(tree, Known()).values()
    with daemon.running():
        await applied(kind, KEY)
        await must_read(kind, lease, f"new_dhcp6_ia_pd1_prefix1={OLD}")
        with pytest.raises(
            Transient, match=r"UDP port 546 on wan0 is held by systemd-network \(pid \d+\): set DHCP"
        ):
            await kind.apply(Update(KEY, Networkd(), client))
    await kind.apply(Update(KEY, Networkd(), client))
    assert await kind.observe() == {KEY: client}
    assert lease.exists()
    with pytest.raises(Transient, match="does not run"):
        await kind.apply(Update(KEY, client, Networkd()))
    assert await kind.observe() == {KEY: client}
    with daemon.running():
        await applied(kind, KEY)
        assert await kernel.programs.running() == {}
