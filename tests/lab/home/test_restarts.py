"""The agent ends, by itself or not, and begins again: nobody notices."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest
from access import NGN
from home import WHOLE, Home
from netns import until
from programs import Program
from traffic import Pings

PING_INTERVAL = 0.01


@pytest.fixture(scope="module")
def quiet_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """With the lifetimes of NGN, so that nothing is renewed while one looks on."""
    with Home.running(tmp_path_factory.mktemp("quiet"), NGN) as home:
        home.deployment.apply(WHOLE)
        home.must_work()
        for host in (home.pc, home.laptop):
            until(host.ipv4, within=30, why=f"{host.machine.name} has a DHCPv4 lease")
        yield home


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
        home.deployment.converge()
        assert {ping.flow.name: ping.lost for ping in pings} == {ping.flow.name: [] for ping in pings}
        assert monitor.output() == ""
    assert running_daemons(home) == daemons
    assert written_files(agent.state_dir) == files
    assert not home.deployment.client.drift().items


def running_daemons(home: Home) -> Mapping[int, str]:
    """Processes that serve the home, by their ids."""
    pids = map(int, home.router.run("ip", "netns", "pids", home.router.name).split())
    names = {pid: Path(f"/proc/{pid}/comm").read_text().strip() for pid in pids}
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
