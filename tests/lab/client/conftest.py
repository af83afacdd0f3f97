"""The `tasuki` command as a process, at a real controller whose agents are spoken by hand."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path

import pytest
from controller_process import DEADLINE, ControllerProcess, running
from tasuki_proto.channel import Target

COMMAND = Path(sys.executable).parent / "tasuki"


@dataclass(frozen=True, slots=True)
class Result:
    """How a command ended."""

    status: int
    out: str
    err: str


Tasuki = Callable[..., Coroutine[None, None, Result]]


async def start(*arguments: str | Path, **environment: str) -> asyncio.subprocess.Process:
    """Start the command in an environment that has only what is given."""
    return await asyncio.create_subprocess_exec(
        COMMAND,
        *map(str, arguments),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={"PATH": os.environ["PATH"], **environment},
    )


async def run(*arguments: str | Path, stdin: str = "", **environment: str) -> Result:
    """Run the command to its end."""
    process = await start(*arguments, **environment)
    async with asyncio.timeout(DEADLINE):
        out, err = await process.communicate(stdin.encode())
    assert process.returncode is not None
    return Result(process.returncode, out.decode(), err.decode())


def at(target: Target) -> dict[str, str]:
    """The environment that names a controller without TLS."""
    return {"TASUKI_CONTROLLER": str(target), "TASUKI_INSECURE": "1"}


@pytest.fixture
async def controller(tmp_path: Path) -> AsyncIterator[ControllerProcess]:
    async with running(tmp_path / "state", "--insecure") as process:
        yield process


@pytest.fixture
def tasuki(controller: ControllerProcess, tmp_path: Path) -> Tasuki:
    async def run_there(*arguments: str | Path, stdin: str = "", **environment: str) -> Result:
        there = at(controller.target) | {"XDG_STATE_HOME": str(tmp_path / "home")}
        return await run(*arguments, stdin=stdin, **there, **environment)

    return run_there
