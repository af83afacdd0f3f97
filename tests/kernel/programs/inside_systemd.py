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
MANUAL = UNIT.parents[2] / "docs/operations.md"
UNITS = Path("/run/systemd/system")
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
DIRECT = """
import asyncio, sys
from pathlib import Path
from tasuki_agent.kernel.programs import Program
from tasuki_agent.kernel.programs.supervisor import supervisor
from tasuki_agent.kernel.sysctl import world

async def main(state_dir):
    private = {Path("/run/never-there-before"): Path(state_dir, "here")}
    sleeper = Program("sleeper", ("sleep", "infinity"), "digest", private)
    await supervisor(Path(state_dir), world()).start(sleeper)

asyncio.run(main(*sys.argv[1:]))
"""


async def test_what_the_agents_own_unit_allows_is_enough(supervisor: Supervisor, tmp_path: Path) -> None:
    """Its daemons run, and whoever has a port that one needs is found."""
    with held(Port("udp", 547), by="somebody") as pid:
        said = run_as_unit(AGENT, tmp_path)
    assert f"UDP port 547 is held by somebody (pid {pid})" in said
    assert set(await supervisor.running()) == {"sleeper"}


async def test_an_agent_in_another_network_keeps_daemons_with_what_the_manual_adds_to_its_unit(
    network: None, tmp_path: Path
) -> None:
    """They outlive the unit."""
    namespace = Namespace.create("other")
    network_of_its_own = f"NetworkNamespacePath=/run/netns/{namespace.name}"
    try:
        assert run_as_unit(DIRECT, tmp_path, network_of_its_own, *added()) == ""
        with namespace.entered():
            after = opened(tmp_path)
            assert set(await after.running()) == {"sleeper"}
            await after.stop("sleeper")
            after.close()
    finally:
        namespace.delete()


def run_as_unit(script: str, state_dir: Path, *more: str) -> str:
    """What an agent says that may do what its unit allows, and `more`."""
    (state_dir / "agent.py").write_text(script)
    said = state_dir / "said"
    unit = UNITS / f"agent-{state_dir.name}.service"
    unit.parent.mkdir(parents=True, exist_ok=True)
    lines = (
        "[Service]",
        "Type=oneshot",
        f"ExecStart={sys.executable} {state_dir}/agent.py {state_dir}",
        f"StandardError=file:{said}",
        f"ReadWritePaths={state_dir}",
        *allowed(),
        *more,
    )
    unit.write_text("\n".join(lines) + "\n")
    systemctl("daemon-reload")
    # What it says is what counts.
    subprocess.run(["systemctl", "start", unit.name], check=False, stderr=subprocess.DEVNULL)
    return said.read_text()


def allowed() -> list[str]:
    """What the unit allows the agent, but for what would hide the test's files and its Python."""
    _, _, rights = UNIT.read_text().partition("CapabilityBoundingSet=")
    lines = f"CapabilityBoundingSet={rights}".partition("\n\n")[0].splitlines()
    return [line for line in lines if not line.startswith(HIDING)]


def added() -> list[str]:
    """What the manual adds for an agent that starts its daemons itself."""
    _, _, text = MANUAL.read_text().partition("# systemctl edit tasuki-agent\n[Service]\n")
    return text.partition("```")[0].splitlines()
