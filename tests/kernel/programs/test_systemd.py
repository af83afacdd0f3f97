"""The same requirements where systemd looks after the programs: Debian's own, as process 1 of a namespace.

It has a cgroup, a /run and a journal of its own: it needs nothing of this machine's, and changes nothing.
"""

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from kernel.programs.agent_process import INSIDE
from netns import patient, until

HERE = Path(__file__).parent
SYSTEMD = Path("/lib/systemd/systemd")


@dataclass(frozen=True)
class Machine:
    """A running systemd; `pid` is process 1 as this machine numbers it."""

    pid: int

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["nsenter", f"--target={self.pid}", "--all", f"--wd={Path.cwd()}", *command],
            check=False,
            capture_output=True,
            text=True,
            env={**os.environ, INSIDE: "1"},
        )

    @property
    def is_up(self) -> bool:
        return self.run("systemctl", "is-active", "--quiet", "test.target").returncode == 0


@contextmanager
def booted(directory: Path) -> Iterator[Machine]:
    cgroup = group() / f"tasuki-{os.getpid()}"
    console, units = directory / "console", directory / "units"
    units.mkdir()
    apart = "unshare --pid --mount --cgroup --net --uts --ipc --fork --kill-child --mount-proc setsid"
    boot = shlex.join([str(HERE / "boot-systemd"), str(units), str(console)])
    begin = f"echo $$ >{cgroup}/cgroup.procs && exec {apart} {boot} >{shlex.quote(str(console))} 2>&1"
    try:
        cgroup.mkdir()
    except OSError as error:
        pytest.skip(f"there can be no cgroup for systemd here: {error}")
    try:
        process = subprocess.Popen(["sh", "-c", begin], stdin=subprocess.DEVNULL)
        try:
            until(lambda: process.poll() is not None or systemd_of(process.pid), within=60, why="it begins")
            pid = systemd_of(process.pid)
            if pid is None:
                pytest.skip(f"systemd cannot be process 1 of a namespace here: {console.read_text()}")
            machine = Machine(pid)
            until(lambda: machine.is_up, within=60, why="systemd is up")
            yield machine
        finally:
            process.kill()
            process.wait()
    finally:
        until(lambda: is_removed(cgroup), within=30, why="its cgroups are empty")


def group() -> Path:
    """Where cgroups of the second version are."""
    for line in Path("/proc/mounts").read_text().splitlines():
        _, mountpoint, kind, *_ = line.split()
        if kind == "cgroup2":
            return Path(mountpoint)
    pytest.skip("no cgroup2 is mounted here")


def systemd_of(pid: int) -> int | None:
    """The child that is systemd by now."""
    with suppress(FileNotFoundError):
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            if Path(f"/proc/{child}/comm").read_text() == "systemd\n":
                return int(child)
    return None


def is_removed(cgroup: Path) -> bool:
    for path in sorted(cgroup.rglob("*"), reverse=True):
        if path.is_dir():
            with suppress(OSError):
                path.rmdir()
    with suppress(OSError):
        cgroup.rmdir()
    return not cgroup.exists()


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    if not SYSTEMD.exists():
        pytest.skip("systemd is not installed")
    with booted(tmp_path_factory.mktemp("systemd")) as machine:
        yield machine


@pytest.mark.parametrize("module", ["test_supervisor.py", "inside_systemd.py"])
def test_systemd_keeps_programs_as_the_agent_would(machine: Machine, tmp_path: Path, module: str) -> None:
    done = machine.run(
        *(sys.executable, "-m", "pytest", "-p", "no:cacheprovider", f"--basetemp={tmp_path}/inside"),
        *(f"--timeout={patient(120):.0f}", str(HERE / module)),
    )
    assert (done.returncode, "skipped" in done.stdout) == (0, False), done.stdout + done.stderr
