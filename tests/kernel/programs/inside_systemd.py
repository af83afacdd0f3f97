"""What only systemd can do to programs. test_systemd.py runs this where systemd is process 1."""

import asyncio
import subprocess
import sys
from pathlib import Path

from kernel.programs.agent_process import opened
from kernel.programs.test_supervisor import SLEEPER, eventually
from kernel.test_ports import held
from netns import Namespace
from tasuki_agent.kernel.ports import Port
from tasuki_agent.kernel.programs import Supervisor
from tasuki_agent.kernel.programs.direct import Direct
from tasuki_agent.kernel.programs.systemd import Systemd
from tasuki_agent.kernel.run import run


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


async def test_whoever_asks_first_or_second_is_told_all(supervisor: Supervisor, tmp_path: Path) -> None:
    await supervisor.start(SLEEPER)
    after = opened(tmp_path)
    assert [set(running) for running in await asyncio.gather(after.running(), after.running())] == [
        {"sleeper"},
        {"sleeper"},
    ]
    after.close()


async def test_a_program_waits_for_no_other_unit_of_the_boot(supervisor: Supervisor) -> None:
    await supervisor.start(SLEEPER)
    assert "basic.target" not in systemctl("show", "--property=After,Requires", unit())


async def test_a_unit_says_whose_it_is(supervisor: Supervisor) -> None:
    await supervisor.start(SLEEPER)
    described = systemctl("show", "--property=Description", unit())
    assert described.strip() == "Description=sleeper, kept by tasuki-agent"


UNIT = Path(__file__).parents[3] / "examples/systemd/tasuki-agent.service"
HIDING = ("PrivateTmp=", "ProtectHome=")
AGENT = """
import asyncio, sys
from pathlib import Path
from tasuki_agent.kernel.ports import Port, require_free
from tasuki_agent.kernel.programs import Program
from tasuki_agent.kernel.programs.systemd import Systemd

async def main(state_dir):
    await Systemd(Path(state_dir)).start(Program("sleeper", ("sleep", "infinity"), "digest"))
    require_free([Port("udp", 547)], doing="start")

asyncio.run(main(*sys.argv[1:]))
"""


async def test_what_the_agents_own_unit_allows_is_enough(supervisor: Supervisor, tmp_path: Path) -> None:
    """Its daemons run, and whoever has a port that one needs is found."""
    said = tmp_path / "said"
    own = (f"--property=ReadWritePaths={tmp_path}", f"--property=StandardError=file:{said}")
    # Of this type it is waited for.
    command = (
        "systemd-run",
        "--quiet",
        "--service-type=oneshot",
        *own,
        *rights(),
        sys.executable,
        "-c",
        AGENT,
    )
    with held(Port("udp", 547), by="somebody") as pid:
        await run(*command, str(tmp_path), doing="run an agent")
    assert f"UDP port 547 is held by somebody (pid {pid})" in said.read_text()
    assert set(await supervisor.running()) == {"sleeper"}


def rights() -> list[str]:
    """What the unit allows the agent, but for what would hide the test's files and its Python."""
    _, _, allowed = UNIT.read_text().partition("CapabilityBoundingSet=")
    lines = f"CapabilityBoundingSet={allowed}".partition("\n\n")[0].splitlines()
    return [f"--property={line}" for line in lines if not line.startswith(HIDING)]
