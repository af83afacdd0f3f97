"""What only systemd can do to programs. test_systemd.py runs this where systemd is process 1."""

import subprocess
from pathlib import Path

from kernel.programs.agent_process import opened, start_and_die
from kernel.programs.test_supervisor import SLEEPER, eventually
from netns import Namespace
from tasuki_agent.kernel.programs import Supervisor
from tasuki_agent.kernel.programs.direct import Direct
from tasuki_agent.kernel.programs.systemd import Systemd


def unit() -> str:
    (only,) = systemctl("list-units", "--plain", "--no-legend", "tasuki-sleeper-*.service").splitlines()
    return only.split()[0]


def systemctl(*arguments: str) -> str:
    done = subprocess.run(["systemctl", *arguments], check=True, capture_output=True, text=True)
    return done.stdout


async def test_systemd_is_used_where_it_runs_in_the_agents_network(supervisor: Supervisor) -> None:
    assert isinstance(supervisor, Systemd)


async def test_in_another_network_the_agent_keeps_programs_itself(network: None, tmp_path: Path) -> None:
    namespace = Namespace.create("other")
    try:
        with namespace.entered():
            assert isinstance(opened(tmp_path), Direct)
    finally:
        namespace.delete()


async def test_a_unit_that_is_stopped_by_hand_is_told(supervisor: Supervisor) -> None:
    ended: list[str] = []
    supervisor.on_end(ended.append)
    await supervisor.start(SLEEPER)
    systemctl("stop", unit())
    await eventually(lambda: bool(ended))
    assert await supervisor.running() == {}


async def test_a_unit_that_is_restarted_by_hand_is_found_again(supervisor: Supervisor) -> None:
    ended: list[str] = []
    supervisor.on_end(ended.append)
    await supervisor.start(SLEEPER)
    before = (await supervisor.running())["sleeper"]
    systemctl("restart", unit())
    await eventually(lambda: bool(ended))
    after = (await supervisor.running())["sleeper"]
    assert after.pid != before.pid
    assert after.digest == before.digest


async def test_what_a_program_says_is_in_the_journal_under_its_name(supervisor: Supervisor) -> None:
    await supervisor.start(SLEEPER)
    described = systemctl("show", "--property=Description", unit())
    assert described.strip() == "Description=sleeper, kept by tasuki-agent"


async def test_the_agents_own_rights_are_enough(supervisor: Supervisor, tmp_path: Path) -> None:
    """As examples/systemd/tasuki-agent.service has them."""
    start_and_die(tmp_path, SLEEPER, within=("setpriv", "--bounding-set=-all,+net_admin", "--"))
    assert set(await supervisor.running()) == {"sleeper"}
