"""Other programs, run for their answer: one call, with a time limit, in English."""

import asyncio
import os
import shutil
from asyncio.subprocess import PIPE
from collections.abc import Mapping
from contextlib import suppress
from typing import Final, NamedTuple

from tasuki_agent.errors import Transient

LIMIT: Final = 60.0
"""Seconds that a program may take: nft takes a few for a ruleset of a hundred thousand elements."""
PACKAGE: Final[Mapping[str, str]] = {
    "dhcpcd": "dhcpcd-base",
    "dnsmasq": "dnsmasq-base",
    "mount": "mount",
    "nft": "nftables",
    "setpriv": "util-linux",
    "systemctl": "systemd",
    "systemd-run": "systemd",
    "unshare": "util-linux",
}
"""Debian packages of the programs that the agent runs."""


class Answer(NamedTuple):
    """What a program said before it ended."""

    status: int
    output: str
    complaint: str


async def run(*command: str, doing: str, stdin: str = "") -> Answer:
    """Run a program and wait for its end, however it ends.

    Raises:
        Transient: it is not there, cannot be run, or does not end; the message begins with `doing`.
    """
    name = command[0]
    try:
        process = await asyncio.create_subprocess_exec(
            find(name, doing=doing), *command[1:], stdin=PIPE, stdout=PIPE, stderr=PIPE, env=environment()
        )
    except OSError as e:
        raise Transient(f"{doing}: cannot run {name}: {e.strerror}") from e
    try:
        async with asyncio.timeout(LIMIT):
            output, complaint = await process.communicate(stdin.encode())
    except TimeoutError:
        raise Transient(f"{doing}: {name} did not end within {LIMIT:.0f} s") from None
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    return Answer(process.returncode or 0, _text(output), _text(complaint))


def find(name: str, *, doing: str) -> str:
    """Path of a program.

    Raises:
        Transient: there is none of this name; the message says which package has it.
    """
    if path := shutil.which(name, path=environment()["PATH"]):
        return path
    install = f": install the package {PACKAGE[name]}" if name in PACKAGE else ""
    raise Transient(f"{doing}: there is no program {name}{install}")


def environment(more: Mapping[str, str] | None = None) -> Mapping[str, str]:
    """What programs are run with: their words are read in English.

    Most of them are in /usr/sbin, which is not in everybody's PATH.
    """
    path = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"
    return {"PATH": path, "LC_ALL": "C.UTF-8", **(more or {})}


def said(answer: Answer) -> str:
    """Why a program failed, by its own words."""
    words = answer.complaint.strip() or answer.output.strip()
    return "; ".join(words.splitlines()) or f"ended with status {answer.status} without a word"


def _text(output: bytes) -> str:
    return output.decode(errors="backslashreplace")
