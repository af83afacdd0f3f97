"""A daemon of this machine: a directory that holds nothing but its files, and its program."""

import shutil
import signal
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, TypeAlias

from tasuki_agent.daemon import Daemon
from tasuki_agent.durable import replace_file
from tasuki_agent.errors import Transient
from tasuki_agent.kernel.ports import Port, require_free
from tasuki_agent.kernel.programs import Program, Running, Supervisor
from tasuki_agent.kernel.programs.process import family
from tasuki_agent.kernel.run import run, said

TOLD: Final = ".told"
"""File that keeps which of the files that are read again the program was told to read last."""
DOES_NOT_RUN: Final = "it does not run"

Checker: TypeAlias = Callable[[Path], Sequence[str]]
"""The command that judges the files in a directory."""
Probe: TypeAlias = Callable[[], Awaitable[str]]
"""Says why a daemon that runs does not serve; nothing if it does."""


async def serves() -> str:
    """Of a daemon that can only be asked whether it runs."""
    return ""


@dataclass(slots=True)
class Installation:
    """One daemon of this router, whether it is there or not.

    The directory lies below the agent's own, which only root may enter. A daemon that has become another user
    and reads files again finds them in a place of its own: `private` maps one to the directory.

    Attributes:
        name: of its program.
        directory: for its files.
        command: runs it in the foreground.
        reread: as `Daemon`: which of the files that are there it reads again.
        checker: has its files judged before they take the place of the old ones.
        probe: asked at each observation while it runs.
        private, environment: as `Program`.
    """

    supervisor: Supervisor
    name: str
    directory: Path
    command: tuple[str, ...]
    reread: frozenset[str] = frozenset()
    checker: Checker | None = None
    probe: Probe = serves
    private: Mapping[Path, Path] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    _read: dict[str, tuple[tuple[int, ...], str]] = field(default_factory=dict, init=False)
    """Stamp and contents of each file when it was read last."""

    async def observe(self) -> Daemon | None:
        """What is there of it; None if nothing is.

        Whether it runs, a supervisor may not tell: then it does not serve, as far as one can see. What else
        the router has does not wait for that.

        Raises:
            Transient: its files cannot be read.
        """
        files = self._files()
        seen = Daemon({name: text for name, text in files.items() if name != TOLD}, self.reread)
        try:
            running = (await self.supervisor.running()).get(self.name)
        except Transient as error:
            return Daemon(seen.files, self.reread, f"{error}", current=False) if files else None
        if not files and running is None:
            return None
        current = running is not None and self._is_current(running, seen, files.get(TOLD, ""))
        health = DOES_NOT_RUN if running is None else await self.probe()
        return Daemon(seen.files, self.reread, health, current)

    async def check(self, wanted: Daemon, *, doing: str, ports: Collection[Port] = ()) -> None:
        """Whether it would start with these files, without touching anything.

        Raises:
            Transient: its checker refuses them, or somebody else has a port that it needs.
        """
        await self._judge(wanted, doing)
        await self._require(ports, doing)

    async def apply(self, wanted: Daemon, *, doing: str, ports: Collection[Port] = ()) -> None:
        """Have it run with these files: started, told to read them again, or restarted, as it takes.

        Raises:
            Transient: as `check`, and if it does not stay; the message has its last words.
        """
        files = self._files()
        changed = {name: text for name, text in wanted.files.items() if files.get(name) != text}
        if changed:
            await self._judge(wanted, doing)
        running = (await self.supervisor.running()).get(self.name)
        self._make_private(doing)
        program = self._program(wanted)
        stays = running is not None and running.digest == program.digest
        if not stays:
            await self._require(ports, doing)
        try:
            _write(self.directory, changed)
            for name in files.keys() - wanted.files.keys() - {TOLD}:
                (self.directory / name).unlink(missing_ok=True)
            if not stays:
                await self._start(program, ports, doing)
            elif files.get(TOLD) != wanted.reread_digest or changed.keys() & wanted.reread:
                await self.supervisor.signal(self.name, signal.SIGHUP)
            elif not changed and await self.probe():
                await self._start(program, ports, doing)
            if files.get(TOLD) != wanted.reread_digest:
                _write(self.directory, {TOLD: wanted.reread_digest})
        except OSError as e:
            raise Transient(f"{doing}: {e.strerror}: {e.filename}") from e

    async def remove(self) -> None:
        """End it and delete its files.

        Raises:
            Transient: it does not end, or its files cannot be deleted.
        """
        try:
            await self.supervisor.stop(self.name)
            shutil.rmtree(self.directory)
        except FileNotFoundError:
            pass
        except OSError as e:
            raise Transient(f"delete {self.directory}: {e.strerror}: {e.filename}") from e

    async def _start(self, program: Program, ports: Collection[Port], doing: str) -> None:
        try:
            await self.supervisor.start(program)
        except Transient as error:
            await self._require(ports, f"{doing}: {error}")
            raise

    def _make_private(self, doing: str) -> None:
        try:
            for here in self.private.values():
                here.mkdir(parents=True, exist_ok=True)
        except OSError as e:
            raise Transient(f"{doing}: {e.strerror}: {e.filename}") from e

    def _program(self, daemon: Daemon) -> Program:
        # A program that runs goes on seeing a directory that has been deleted, also when there is a new one.
        private = {there: (here, _inode(here)) for there, here in self.private.items()}
        digest = sha256(repr((self.command, daemon.digest, private, self.environment)).encode())
        return Program(self.name, self.command, digest.hexdigest(), self.private, self.environment)

    def _is_current(self, running: Running, seen: Daemon, told: str) -> bool:
        return running.digest == self._program(seen).digest and told == seen.reread_digest

    async def _judge(self, wanted: Daemon, doing: str) -> None:
        if self.checker is None:
            return
        try:
            with TemporaryDirectory(prefix="tasuki-") as trial:
                _write(Path(trial), wanted.files)
                answer = await run(*self.checker(Path(trial)), doing=doing)
        except OSError as e:
            raise Transient(f"{doing}: {e.strerror}: {e.filename}") from e
        if answer.status != 0:
            raise Transient(f"{doing}: {said(answer).replace(f'{trial}/', '')}")

    async def _require(self, ports: Collection[Port], doing: str) -> None:
        if not ports:
            return
        running = (await self.supervisor.running()).get(self.name)
        require_free(ports, ours=family(running.pid) if running else (), doing=doing)

    def _files(self) -> dict[str, str]:
        """The files that are there, each read only when it is another one than last time."""
        try:
            self._read = {
                path.name: self._text(path)
                for path in self.directory.iterdir()
                if path.is_file() and path.suffix != ".new"
            }
        except FileNotFoundError:
            self._read = {}
        except OSError as e:
            raise Transient(f"read the files of {self.name}: {e.strerror}: {e.filename}") from e
        return {name: text for name, (_, text) in self._read.items()}

    def _text(self, path: Path) -> tuple[tuple[int, ...], str]:
        status = path.stat()
        stamp = (status.st_ino, status.st_mtime_ns, status.st_size)
        before = self._read.get(path.name)
        if before and before[0] == stamp:
            return before
        return stamp, path.read_bytes().decode(errors="backslashreplace")


def _inode(path: Path) -> int | None:
    return path.stat().st_ino if path.exists() else None


def _write(directory: Path, files: Mapping[str, str]) -> None:
    """Put files into a directory that everybody may read who may come there."""
    directory.mkdir(parents=True, exist_ok=True)
    directory.chmod(0o755)
    for name, text in files.items():
        path = directory / name
        replace_file(path, text.encode())
        path.chmod(0o644)
