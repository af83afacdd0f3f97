"""Processes, each held by a pidfd: never mistaken for a later one that got the same number."""

import asyncio
import os
import select
import signal
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

_PROC = Path("/proc")


class Process:
    """A process of this machine, anybody's child. Made and used in the loop's thread."""

    def __init__(self, pid: int, on_end: Callable[[], None] = lambda: None) -> None:
        """Hold it, and call `on_end` when it has ended.

        Raises:
            ProcessLookupError: there is no such process.
        """
        self.pid = pid
        self.exit = ""
        """How it ended, if it was ours to learn that."""
        self._on_end = on_end
        self._ended = asyncio.Event()
        self._fd = os.pidfd_open(pid)
        asyncio.get_running_loop().add_reader(self._fd, self._end)

    @property
    def ended(self) -> bool:
        """Whether it has ended."""
        return self._ended.is_set() or bool(select.select([self._fd], [], [], 0)[0])

    def signal(self, number: int) -> None:
        """Send it a signal. One that has ended takes none, and that is all right."""
        if self._fd >= 0:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._fd, number)

    async def ends(self, within: float) -> bool:
        """Whether it ends within so many seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                await self._ended.wait()
        return self._ended.is_set()

    def close(self) -> None:
        """Hold it no longer. It goes on."""
        if self._fd >= 0:
            asyncio.get_running_loop().remove_reader(self._fd)
            os.close(self._fd)
            self._fd = -1

    def _end(self) -> None:
        self._on_end()
        # Only a child is left to be asked how it ended; whoever started another one is told of that.
        with suppress(ChildProcessError):
            if end := os.waitid(os.P_PIDFD, self._fd, os.WEXITED | os.WNOHANG):
                exited = end.si_code == os.CLD_EXITED
                self.exit = f"{'status' if exited else 'signal'} {end.si_status}"
        self._ended.set()
        self.close()


class Stat(NamedTuple):
    """Of what /proc/PID/stat says."""

    pid: int
    parent: int
    session: int
    started: int
    """In ticks since the machine was started: with the pid, a name that no other process of this boot has."""


def stat(pid: int) -> Stat | None:
    """What the kernel says of a process; None if there is none."""
    try:
        text = (_PROC / str(pid) / "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The second field is the program's name, which may hold anything.
    fields = text.rpartition(")")[2].split()
    return Stat(pid, parent=int(fields[1]), session=int(fields[3]), started=int(fields[19]))


def family(pid: int) -> Collection[int]:
    """Itself, all that it and they have started, and all others of its session."""
    everybody = sorted(_everybody(), key=lambda each: each.started)
    members = {pid}
    for each in everybody:
        if each.parent in members or each.session == pid:
            members.add(each.pid)
    return members


def _everybody() -> Iterator[Stat]:
    for entry in os.scandir(_PROC):
        if entry.name.isdigit() and (found := stat(int(entry.name))):
            yield found


async def all_end(processes: Collection[Process], within: float) -> bool:
    """Whether all of them end within so many seconds."""
    return all(await asyncio.gather(*(process.ends(within) for process in processes)))
