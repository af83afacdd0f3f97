"""Programs that the agent starts itself, where no systemd looks after its network namespace.

    NAME.json   which process it is: a restarted agent goes on with it, and never with another of its pid
    NAME.log    what it says; NAME.log.1 has what was before

A program begins only when its record is on the disk: none is ever lost, whenever the agent is killed.
"""

import asyncio
import json
import logging
import os
import shutil
import signal
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from tasuki_agent.durable import replace_file
from tasuki_agent.errors import Transient
from tasuki_agent.kernel.programs import MOMENT, STOP_SECONDS, Program, Running
from tasuki_agent.kernel.programs.process import Process, all_end, family, stat
from tasuki_agent.kernel.programs.watch import Watch
from tasuki_agent.kernel.run import environment, find

BEGIN_SECONDS: Final = 30.0
"""For the preparations before the program itself: a few mounts."""
KILLED_SECONDS: Final = 10.0
LOG_SIZE: Final = 1 << 20
STDERR: Final = 2
LAST_WORDS: Final = 2000
"""Bytes of the log that may be told."""

_NOT_IGNORED: Final = (signal.SIGHUP, signal.SIGINT, signal.SIGPIPE, signal.SIGQUIT, signal.SIGXFSZ)

_BEGIN: Final = """\
read -r _ || exit 1
umask 022
cd /
while [ "$1" != -- ]; do
    mount --bind "$1" "$2" || exit 1
    shift 2
done
shift
exec "$@" </dev/null
"""
"""Waits for word that its record is kept, and closes its standard input when the program itself begins."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Record:
    """Which process a program is."""

    pid: int
    started: int
    """As `process.Stat`."""
    world: str
    digest: str

    def of_this_boot(self, world: str) -> bool:
        """Whether there can be such a process."""
        return self.world.split()[:1] == world.split()[:1]


class Direct:
    """The programs whose records are in a directory."""

    def __init__(self, directory: Path, world: str) -> None:
        """Find what runs already.

        Args:
            directory: for records and logs.
            world: this boot and this network namespace, in which programs can serve.
        """
        self._directory = directory
        self._world = world
        self._watch = Watch()
        for path in directory.glob("*.json"):
            name = path.name.removesuffix(".json")
            record = self._load(name)
            if not record or record.world != world:
                continue
            if _is_there(record):
                self._follow(name, record)
            elif stat(record.pid) is None:
                _kill_session(record.pid, since=record.started)

    async def running(self) -> Mapping[str, Running]:
        """What runs now. Their logs are cut when they have become long."""
        running = self._watch.running
        for name in running:
            _bound(self._log_file(name))
        return running

    async def start(self, program: Program) -> None:
        """Start it in the place of any other of its name.

        Raises:
            Transient: it cannot be started, or has ended.
        """
        doing = f"start {program.name}"
        await self.stop(program.name)
        find(program.command[0], doing=doing)
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            log = self._log_file(program.name)
            _bound(log)
            said_before = log.stat().st_size if log.exists() else 0
            go, pid = _spawn(program, log)
        except OSError as e:
            raise Transient(f"{doing}: {e.strerror}: {e.filename or program.command[0]}") from e
        process = Process(pid)
        try:
            found = stat(pid)
            record = Record(pid, found.started if found else 0, self._world, program.digest)
            replace_file(self._record_file(program.name), json.dumps(asdict(record)).encode())
            if not await _begins(go) or await process.ends(within=MOMENT):
                await _kill(process)
                words = _last_words(log, said_before) or "without a word"
                raise Transient(f"{doing}: {program.command[0]} ended ({process.exit}): {words}")
        except OSError as e:
            await _kill(process)
            raise Transient(f"{doing}: cannot keep its record: {e.strerror}") from e
        finally:
            os.close(go)
            process.close()
        self._follow(program.name, record)

    async def stop(self, name: str) -> None:
        """End it and all that it started.

        Raises:
            Transient: it cannot be ended.
        """
        self._watch.forget(name)
        record = self._load(name)
        if record and record.of_this_boot(self._world) and _is_there(record, or_left_behind=True):
            await _end(name, record.pid)
        self._record_file(name).unlink(missing_ok=True)

    async def signal(self, name: str, number: int) -> None:
        """Send it a signal.

        Raises:
            Transient: it does not run.
        """
        self._watch.signal(name, number)

    def on_end(self, tell: Callable[[str], None]) -> None:
        """Have the name told of each program that ends by itself."""
        self._watch.on_end.append(tell)

    def close(self) -> None:
        """Look out for no end any more. The programs go on."""
        self._watch.close()

    def _follow(self, name: str, record: Record) -> None:
        with suppress(ProcessLookupError):
            self._watch.follow(
                name, Running(record.pid, record.digest), ended=lambda: _kill_session(record.pid)
            )

    def _load(self, name: str) -> Record | None:
        try:
            match json.loads(self._record_file(name).read_bytes()):
                case {"pid": int(pid), "started": int(started), "world": str(world), "digest": str(digest)}:
                    return Record(pid, started, world, digest)
        except FileNotFoundError:
            return None
        except ValueError:
            pass
        _log.warning("%s is damaged: if %s runs, it is not known", self._record_file(name), name)
        return None

    def _record_file(self, name: str) -> Path:
        return self._directory / f"{name}.json"

    def _log_file(self, name: str) -> Path:
        return self._directory / f"{name}.log"


def _is_there(record: Record, *, or_left_behind: bool = False) -> bool:
    """Whether it runs, or may have left something behind: no other process gets its pid while that lasts."""
    found = stat(record.pid)
    return or_left_behind if found is None else found.started == record.started


def _spawn(program: Program, log: Path) -> tuple[int, int]:
    """A process that will be the program; and the pipe by which to have it begin.

    Not by asyncio, which ends its children when it ends itself.
    """
    for there, here in program.private.items():
        here.mkdir(parents=True, exist_ok=True)
        there.mkdir(parents=True, exist_ok=True)
    mounts = [str(path) for there, here in program.private.items() for path in (here, there)]
    # Unmounts of the machine go on being seen, so that the program holds no file system.
    alone = ("unshare", "--mount", "--propagation", "slave", "--") if mounts else ()
    command = (*alone, "sh", "-c", _BEGIN, program.name, *mounts, "--", *program.command)
    wait, go = os.pipe()
    try:
        pid = os.posix_spawnp(
            command[0],
            command,
            environment(program.environment),
            file_actions=[
                (os.POSIX_SPAWN_DUP2, wait, 0),
                (os.POSIX_SPAWN_OPEN, 1, log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
                (os.POSIX_SPAWN_DUP2, 1, 2),
                *((os.POSIX_SPAWN_CLOSE, each) for each in _inherited()),
            ],
            setsid=True,
            setsigmask=(),
            # What is ignored stays so: by Python itself, and by nohup(1), in which an agent may run.
            setsigdef=_NOT_IGNORED,
        )
    except OSError:
        os.close(go)
        raise
    finally:
        os.close(wait)
    return go, pid


def _inherited() -> Iterator[int]:
    """Files that whoever started the agent left open, and may wait for the end of."""
    for number in [int(each.name) for each in Path("/proc/self/fd").iterdir()]:
        # The listing's own file is closed by now.
        with suppress(OSError):
            if number > STDERR and os.get_inheritable(number):
                yield number


async def _begins(go: int) -> bool:
    """Have the program begin; whether it has, or has ended."""
    loop = asyncio.get_running_loop()
    begun = asyncio.Event()
    # The end for writing becomes ready when nobody has the one for reading any more.
    loop.add_reader(go, begun.set)
    try:
        with suppress(BrokenPipeError):
            os.write(go, b"\n")
        async with asyncio.timeout(BEGIN_SECONDS):
            await begun.wait()
    except TimeoutError:
        return False
    finally:
        loop.remove_reader(go)
    return True


async def _end(name: str, pid: int) -> None:
    with ExitStack() as held:
        everybody = _hold(family(pid), held)
        # Once a second: dhcpcd 9.4.1 can miss it while its hook runs.
        for _ in range(STOP_SECONDS):
            # It ends its own children. What it leaves behind is asked itself.
            for process in [each for each in everybody if each.pid == pid and not each.ended] or everybody:
                process.signal(signal.SIGTERM)
            if await all_end(everybody, within=1.0):
                return
        everybody += _hold(family(pid), held)
        for process in everybody:
            process.signal(signal.SIGKILL)
        if not await all_end(everybody, within=KILLED_SECONDS):
            raise Transient(f"stop {name}: process {pid} does not end")


async def _kill(process: Process) -> None:
    process.signal(signal.SIGKILL)
    await process.ends(within=KILLED_SECONDS)


def _hold(pids: Collection[int], held: ExitStack) -> list[Process]:
    processes = []
    for pid in pids:
        with suppress(ProcessLookupError):
            process = Process(pid)
            held.callback(process.close)
            processes.append(process)
    return processes


def _kill_session(pid: int, since: int = 0) -> None:
    """Kill what a program has left behind, which was started no sooner: a new one would meet it."""
    for member in set(family(pid)) - {pid}:
        found = stat(member)
        with suppress(ProcessLookupError):
            if found and found.started >= since:
                os.kill(member, signal.SIGKILL)


def _bound(log: Path) -> None:
    """Put away what was said long ago, if the disk lets us. The program goes on writing to the same file."""
    with suppress(OSError):
        if log.stat().st_size > LOG_SIZE:
            # On a disk that is full the room is worth more than what was said.
            with suppress(OSError):
                shutil.copyfile(log, log.with_name(f"{log.name}.1"))
            os.truncate(log, 0)


def _last_words(log: Path, start: int) -> str:
    with log.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(start, size - LAST_WORDS))
        return "; ".join(file.read().decode(errors="backslashreplace").split("\n")).strip("; ")
