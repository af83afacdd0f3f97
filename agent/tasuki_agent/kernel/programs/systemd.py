"""Programs as transient services of systemd, which keeps them apart and logs what they say.

It starts none again by itself: the reconciler does, and people learn of it. Each unit is named after its
program and the agent's state directory, and bears the digest in its environment, so that systemd itself says
what runs.
"""

import asyncio
import re
import string
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Final

from tasuki_agent.errors import Transient
from tasuki_agent.kernel.programs import MOMENT, STOP_SECONDS, Program, Running
from tasuki_agent.kernel.programs.process import Process
from tasuki_agent.kernel.programs.watch import Watch
from tasuki_agent.kernel.run import Answer, environment, find, run, said

DIGEST: Final = "TASUKI_DIGEST"
LAST_WORDS: Final = 5
"""Lines of the journal that may be told."""
_NOT_LOADED: Final = 5
"""Exit status of systemctl for a unit that there is not."""
_PLAIN: Final = f"{string.ascii_letters}{string.digits}:_.-"
_ESCAPED = re.compile(rb"\\x([0-9a-f]{2})")


class Systemd:
    """The transient services that belong to a state directory."""

    def __init__(self, state_dir: Path) -> None:
        self._suffix = f"-{sha256(bytes(state_dir.resolve())).hexdigest()[:8]}.service"
        self._watch = Watch()
        self._known = False
        """Whether what is followed is all that runs."""
        self._looking = asyncio.Lock()

    async def running(self) -> Mapping[str, Running]:
        """What runs now. systemd is asked only after the agent's start and after a program's end.

        Raises:
            Transient: systemd does not answer.
        """
        async with self._looking:
            if not self._known:
                # What ends from here on is doubted anew.
                self._known = True
                try:
                    await self._look()
                except Transient:
                    self._known = False
                    raise
        return self._watch.running

    async def start(self, program: Program) -> None:
        """Start it in the place of any other of its name.

        Raises:
            Transient: it cannot be started, or has ended.
        """
        doing = f"start {program.name}"
        find(program.command[0], doing=doing)
        for here in program.private.values():
            here.mkdir(parents=True, exist_ok=True)
        await self.stop(program.name)
        begin = time.time()
        answer = await run("systemd-run", *self._arguments(program, doing), doing=doing)
        unit = self._unit(program.name)
        if answer.status != 0:
            raise Transient(f"{doing}: {said(answer)}: {await _last_words(unit, begin)}")
        running = dict(await self._ask(unit)).get(program.name)
        if running is None or await _ends(running.pid):
            raise Transient(f"{doing}: {program.command[0]} ended: {await _last_words(unit, begin)}")
        self._follow(program.name, running)

    async def stop(self, name: str) -> None:
        """End it and all that it started.

        Raises:
            Transient: it cannot be ended.
        """
        self._watch.forget(name)
        answer = await _systemctl("stop", self._unit(name), doing=f"stop {name}")
        if answer.status not in (0, _NOT_LOADED):
            raise Transient(f"stop {name}: {said(answer)}")

    async def signal(self, name: str, number: int) -> None:
        """Send it a signal.

        Raises:
            Transient: it does not run.
        """
        doing = f"signal {name}"
        # systemd may send signals to any user's processes; the agent need not be allowed to.
        answer = await _systemctl(
            "kill", "--kill-who=main", f"--signal={number}", self._unit(name), doing=doing
        )
        if answer.status != 0:
            raise Transient(f"{doing}: {said(answer)}")

    def on_end(self, tell: Callable[[str], None]) -> None:
        """Have the name told of each program that ends by itself."""
        self._watch.on_end.append(tell)

    def close(self) -> None:
        """Look out for no end any more. The programs go on."""
        self._watch.close()
        self._known = False

    async def _look(self) -> None:
        for name, running in await self._ask(f"tasuki-*{self._suffix}"):
            self._follow(name, running)

    async def _ask(self, units: str) -> list[tuple[str, Running]]:
        doing = f"ask systemd for {units}"
        answer = await _systemctl("show", "--property=Id,MainPID,Environment", units, doing=doing)
        if answer.status != 0:
            raise Transient(f"{doing}: {said(answer)}")
        return list(self._parse(answer.output))

    def _parse(self, output: str) -> Iterator[tuple[str, Running]]:
        for unit in output.split("\n\n"):
            properties = dict(line.split("=", 1) for line in unit.splitlines() if "=" in line)
            pid = int(properties.get("MainPID", 0))
            if pid and (digest := re.search(rf"{DIGEST}=(\w+)", properties.get("Environment", ""))):
                yield self._name(properties["Id"]), Running(pid, digest[1])

    def _follow(self, name: str, running: Running) -> None:
        # Whoever ended it may have started it again.
        with suppress(ProcessLookupError):
            self._watch.follow(name, running, ended=self._doubt)

    def _doubt(self) -> None:
        self._known = False

    def _arguments(self, program: Program, doing: str) -> list[str]:
        executable, *arguments = program.command
        variables = {**environment(program.environment), DIGEST: program.digest}
        return [
            "--quiet",
            "--collect",
            "--service-type=exec",
            f"--unit={self._unit(program.name)}",
            f"--description={program.name}, kept by tasuki-agent",
            # As early as the agent, and as late.
            "--property=DefaultDependencies=no",
            "--property=Conflicts=shutdown.target",
            "--property=Before=shutdown.target",
            "--property=KillMode=mixed",
            f"--property=TimeoutStopSec={STOP_SECONDS}",
            *(f"--setenv={name}={value}" for name, value in variables.items()),
            *(f'--property=BindPaths="{here}":"{there}"' for there, here in program.private.items()),
            "--",
            find(executable, doing=doing),
            # systemd would put variables in their place.
            *(argument.replace("$", "$$") for argument in arguments),
        ]

    def _unit(self, name: str) -> str:
        """Name of a program's unit, with what may not be in one as systemd writes it."""
        plain = (chr(octet) if chr(octet) in _PLAIN else f"\\x{octet:02x}" for octet in name.encode())
        return f"tasuki-{''.join(plain)}{self._suffix}"

    def _name(self, unit: str) -> str:
        escaped = unit.removeprefix("tasuki-").removesuffix(self._suffix).encode()
        return _ESCAPED.sub(lambda found: bytes.fromhex(found[1].decode()), escaped).decode()


async def _ends(pid: int) -> bool:
    """Whether a process ends within a moment."""
    try:
        process = Process(pid)
    except ProcessLookupError:
        return True
    try:
        return await process.ends(within=MOMENT)
    finally:
        process.close()


async def _systemctl(*arguments: str, doing: str) -> Answer:
    return await run("systemctl", *arguments, doing=doing)


async def _last_words(unit: str, begin: float) -> str:
    """What the journal has of a unit since a time, by a program or of it."""
    doing = f"read the journal of {unit}"
    with suppress(Transient):
        await run("journalctl", "--sync", doing=doing)
        arguments = (f"--unit={unit}", f"--since=@{begin:.6f}", f"--lines={LAST_WORDS}", "--output=cat")
        answer = await run("journalctl", "--quiet", "--no-pager", *arguments, doing=doing)
        return "; ".join(answer.output.splitlines())
    return "see its journal"
