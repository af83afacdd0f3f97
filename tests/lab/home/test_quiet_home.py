"""A line with the lifetimes of NGN, on which nothing happens while one looks on."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from ipaddress import IPv6Address
from pathlib import Path

import pytest
from access import FIRST, NGN
from home import LAN as LANS
from home import LAN1, NETWORK, WHOLE, Home, stateful
from netns import until
from programs import Program
from tasuki_yang.facts import address_in
from traffic import Pings

PING_INTERVAL = 0.01


@pytest.fixture(scope="module")
def quiet_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """All hosts have asked for all that they can."""
    with Home.running(tmp_path_factory.mktemp("quiet"), NGN) as home:
        home.deployment.apply(WHOLE)
        home.deployment.apply({NETWORK: {LANS: [stateful(1)]}})
        home.must_work()
        for host in home.hosts:
            until(host.ipv4, within=30, why=f"{host.machine.name} has a DHCPv4 lease")
        until(lambda: home.laptop.told("dhcp6"), within=60, why="the laptop has a DHCPv6 lease")
        yield home


def test_hosts_that_ask_for_an_address_get_one_of_the_range(quiet_home: Home) -> None:
    first, last = (IPv6Address(address_in(FIRST, LAN1, end)) for end in ("::1000", "::1fff"))
    told = IPv6Address(quiet_home.laptop.told("dhcp6")["new_dhcp6_ia_na1_ia_addr1"])
    assert first <= told <= last
    assert told in quiet_home.laptop.ipv6()


def test_the_lifetimes_of_the_lease_are_those_of_addresses_and_facts(quiet_home: Home) -> None:
    (address,) = (
        entry for entry in quiet_home.router.addresses("dev lan0 scope global") if entry["family"] == "inet6"
    )
    assert 12000 < address["preferred_life_time"] <= 12600
    assert 13800 < address["valid_life_time"] <= 14400


@pytest.mark.parametrize("end", [Program.stop, Program.kill], ids=["SIGTERM", "SIGKILL"])
def test_a_restart_of_the_agent_writes_nothing_and_loses_no_packet(
    quiet_home: Home, end: Callable[[Program], object]
) -> None:
    home, agent = quiet_home, quiet_home.deployment.agents["home"]
    daemons, files = running_daemons(home), written_files(agent.state_dir)
    with ExitStack() as stack:
        pings = [
            stack.enter_context(Pings.going_on(flow, home.directory, interval=PING_INTERVAL))
            for flow in (*home.outward, home.through_the_tunnel)
        ]
        monitor = Program(
            home.router,
            ("ip", "-ts", "monitor", "link", "address", "route", "rule"),
            home.directory / "writes",
        )
        monitor.start()
        stack.callback(monitor.kill)
        end(agent.program)
        before = [len(ping.replies) for ping in pings]
        until(
            lambda: all(len(ping.replies) >= n + 50 for ping, n in zip(pings, before, strict=True)),
            within=30,
            why="traffic passes without an agent",
        )
        agent.start()
        until(lambda: "connected to" in agent.program.output(), within=60, why="the agent is back")
        home.deployment.converge()
        assert {ping.flow.name: ping.lost for ping in pings} == {ping.flow.name: [] for ping in pings}
        assert monitor.output() == ""
    assert running_daemons(home) == daemons
    assert written_files(agent.state_dir) == files
    assert not home.deployment.client.drift().items


def running_daemons(home: Home) -> Mapping[int, str]:
    """Processes that serve the home, by their ids."""
    names = {pid: Path(f"/proc/{pid}/comm").read_text().strip() for pid in home.router.pids}
    found = {pid: name for pid, name in names.items() if name in {"dhcpcd", "dnsmasq"}}
    assert set(found.values()) == {"dhcpcd", "dnsmasq"}
    return found


def written_files(directory: Path) -> Mapping[str, tuple[int, int]]:
    """Which file each is, and when it was written, but for the log."""
    return {
        f"{file}": (file.stat().st_ino, file.stat().st_mtime_ns)
        for file in directory.rglob("*")
        if file.is_file() and file.name != "log"
    }
