"""As much of an agent as starts a program and is killed: python agent_process.py STATE_DIR NAME COMMAND..."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

from tasuki_agent.kernel.programs import Program, Supervisor
from tasuki_agent.kernel.programs.supervisor import supervisor
from tasuki_agent.kernel.sysctl import world
from tasuki_proto import failpoint

INSIDE = "TASUKI_INSIDE_SYSTEMD"
"""Environment variable that is set where process 1 is systemd."""


def opened(state_dir: Path) -> Supervisor:
    """What an agent with this state directory has to keep programs running."""
    return supervisor(state_dir, world())


def start_and_die(state_dir: Path, program: Program, *, at: int = 0) -> bool:
    """Have another process start a program and be killed at the N-th fail-point; whether it got past it."""
    ended = subprocess.run(
        [sys.executable, __file__, state_dir, program.name, *program.command],
        check=False,
        env={**os.environ, failpoint.VARIABLE: str(at)},
        capture_output=True,
        text=True,
    )
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    return "killed at" not in ended.stderr


async def _main(state_dir: str, name: str, *command: str) -> None:
    await opened(Path(state_dir)).start(Program(name, command, "digest"))
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:]))
