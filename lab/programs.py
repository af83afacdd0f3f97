"""The three programs as real processes, each in the network namespace of its machine.

Tests and the demo start, stop and kill them as an administrator would; nothing is reached into.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from netns import Namespace, until

BIN = Path(sys.executable).parent
"""Where the programs of this environment are installed."""
STOP_SECONDS = 30.0


class ProgramError(Exception):
    """A program did not do what was asked of it; the message has its own words."""


@dataclass
class Program:
    """A command that runs in a namespace until it is stopped, with its output in a file."""

    namespace: Namespace
    command: Sequence[str]
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    """What is set for the program beyond what is set for its caller."""
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    _log_start: int = field(default=0, init=False)

    def start(self) -> None:
        """Start it; the log of an earlier run is kept."""
        with self.log.open("ab") as log:
            self._log_start = log.tell()
            self._process = subprocess.Popen(
                ["ip", "netns", "exec", self.namespace.name, *self.command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, "PYTHONUNBUFFERED": "1", **self.environment},
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The program's own process: `ip netns exec` becomes the program."""
        if self._process is None:
            raise ProgramError(f"{self.command[0]} has not been started")
        return self._process.pid

    @property
    def cpu_seconds(self) -> float:
        """Processor time that it has used."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @property
    def resident_mb(self) -> float:
        """Its resident memory, in megabytes."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1000

    @property
    def running(self) -> bool:
        """Whether it has been started and has not ended."""
        return self._process is not None and self._process.poll() is None

    def stop(self) -> int:
        """Ask it to end (SIGTERM) and wait; the exit status."""
        return self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once, as a power cut would (SIGKILL)."""
        self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> int:
        if self._process is None:
            return 0
        if self._process.poll() is None:
            self._process.send_signal(how)
        try:
            return self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise ProgramError(
                f"{self.command[0]} did not end within {STOP_SECONDS:.0f} s:\n{self.output()}"
            ) from None

    def output(self) -> str:
        """What it has printed since it was started."""
        return self.log.read_bytes()[self._log_start :].decode(errors="replace")

    def must_run(self) -> None:
        """Complain with its last words if it has ended."""
        if not self.running:
            raise ProgramError(f"{' '.join(map(str, self.command))} has ended:\n{self.output()}")


@dataclass
class Controller:
    """A controller with its CA, and the certificates that it issued."""

    namespace: Namespace
    state_dir: Path
    addresses: Sequence[str]
    insecure: bool = False
    program: Program = field(init=False)

    def __post_init__(self) -> None:
        """Nothing runs before `start`."""
        self.state_dir.mkdir(parents=True, exist_ok=True)
        command = [f"{BIN}/tasuki-controller", "--state-dir", f"{self.state_dir}"]
        for address in self.addresses:
            command += ["--listen", address]
        if self.insecure:
            command.append("--insecure")
        self.program = Program(self.namespace, command, self.state_dir / "log")

    def init(self) -> None:
        """Make the CA and the controller's certificate."""
        self._administer("init")

    def issue(self, role: str, name: str) -> Path:
        """A certificate for one router or operator; the directory that holds it."""
        out = self.state_dir.parent / f"{role}-{name}" / "tls"
        out.parent.mkdir(parents=True, exist_ok=True)
        self._administer("issue", role, name, "--out", f"{out}")
        return out

    def start(self) -> None:
        """Start it and wait until it listens, with what it had on disk."""
        self.program.start()

        def ready() -> bool:
            self.program.must_run()
            return "ready on" in self.program.output()

        until(ready, within=60, why="the controller is ready")

    def _administer(self, *arguments: str) -> None:
        command = [f"{BIN}/tasuki-controller", "--state-dir", f"{self.state_dir}", *arguments]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode != 0:
            raise ProgramError(f"tasuki-controller {' '.join(arguments)}: {done.stderr}")


@dataclass
class Agent:
    """The agent of one router."""

    router: str
    namespace: Namespace
    state_dir: Path
    controller: str
    insecure: bool = False
    observe_interval: float = 60.0
    program: Program = field(init=False)

    def __post_init__(self) -> None:
        """Nothing runs before `start`."""
        self.state_dir.mkdir(parents=True, exist_ok=True)
        self.program = Program(
            self.namespace,
            [
                f"{BIN}/tasuki-agent",
                *("--router", self.router),
                *("--controller", self.controller),
                *("--state-dir", f"{self.state_dir}"),
                *("--observe-interval", f"{self.observe_interval}"),
                *(["--insecure"] if self.insecure else []),
            ],
            self.state_dir / "log",
        )

    def start(self) -> None:
        """Start it; it converges by itself."""
        self.program.start()


@dataclass(frozen=True)
class Operator:
    """A person at the `tasuki` command."""

    namespace: Namespace
    controller: str
    tls: Path

    @property
    def environment(self) -> Mapping[str, str]:
        """What the command needs to know."""
        return {"TASUKI_CONTROLLER": self.controller, "TASUKI_TLS_DIR": f"{self.tls}"}

    def tasuki(self, *arguments: str | Path, status: int = 0) -> str:
        """Run `tasuki` with these arguments; its output.

        Raises:
            ProgramError: it ended with another exit status.
        """
        done = subprocess.run(
            ["ip", "netns", "exec", self.namespace.name, f"{BIN}/tasuki", *map(str, arguments)],
            check=False,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            env={**os.environ, **self.environment, "COLUMNS": "140"},
        )
        if done.returncode != status:
            said = f"{done.stdout}{done.stderr}"
            raise ProgramError(
                f"tasuki {' '.join(map(str, arguments))}: exit status {done.returncode}: {said}"
            )
        return done.stdout

    def tasuki_json(self, *arguments: str | Path, status: int = 0) -> Any:
        """As `tasuki`, with `--format json`, read."""
        return json.loads(self.tasuki(*arguments, "--format", "json", status=status))
