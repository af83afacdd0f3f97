"""The kind `dnsmasq`: the model, joined to the program."""

import asyncio
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import ClassVar, Final

from tasuki_agent.daemon import Daemon
from tasuki_agent.kernel import Kernel
from tasuki_agent.kernel.ports import Port
from tasuki_agent.kernel.programs.daemon import Installation
from tasuki_agent.kind import Change, Create, Delete, Topic, Update, as_it_is
from tasuki_agent.kinds.dnsmasq import model
from tasuki_agent.kinds.dnsmasq.health import Health
from tasuki_agent.kinds.dnsmasq.model import SERVER, ServerKey
from tasuki_agent.kinds.dnsmasq.section import CONFIGURATION, DIRECTORY, REREAD, SERVERS

PROGRAM: Final = "dnsmasq"


class DnsmasqKind:
    """One program for all LANs. It outlives the agent, and finds its leases again when it is restarted."""

    name: ClassVar = "dnsmasq"
    follows: ClassVar[tuple[str, ...]] = ("address",)
    wakes_on: ClassVar[tuple[Topic, ...]] = ()
    """dnsmasq itself sees interfaces and addresses come and go."""

    want = staticmethod(model.want)
    needs = staticmethod(model.needs)
    rank = staticmethod(model.rank)
    owns = staticmethod(model.owns)
    typed_over = staticmethod(model.typed_over)
    in_place = staticmethod(model.in_place)
    suspended = staticmethod(as_it_is)
    path = staticmethod(model.path)
    tree = staticmethod(model.tree)

    def __init__(self, kernel: Kernel) -> None:
        self._programs = kernel.programs
        self._health = Health()
        self._forwards = asyncio.Event()
        """There is a forwarder that can be asked."""
        self._installation = Installation(
            kernel.programs,
            PROGRAM,
            kernel.state_dir / PROGRAM,
            (
                PROGRAM,
                "--keep-in-foreground",
                f"--conf-file={DIRECTORY}/{CONFIGURATION}",
                # Opened before dnsmasq becomes another user, and kept open.
                f"--dhcp-leasefile={kernel.state_dir / 'dnsmasq.leases'}",
            ),
            reread=REREAD,
            checker=_checker,
            probe=self._probe,
            private={Path(DIRECTORY): kernel.state_dir / PROGRAM},
        )

    async def observe(self) -> Mapping[ServerKey, Daemon]:
        """The agent's own; others that may run are not looked at."""
        seen = await self._installation.observe()
        if seen and SERVERS in seen.files:
            self._forwards.set()
        else:
            self._forwards.clear()
        return {SERVER: seen} if seen else {}

    async def apply(self, change: Change) -> None:
        """Start, tell, restart or end it."""
        match change:
            case Create(key, spec) | Update(key, _, spec):
                await self._installation.apply(spec, doing=_doing(change), ports=_ports(key))
                self._health = Health()
            case Delete():
                await self._installation.remove()

    async def check(self, change: Change) -> None:
        """Ask dnsmasq whether it would take its files, and see who has its ports."""
        if not isinstance(change, Delete):
            await self._installation.check(change.spec, doing=_doing(change), ports=_ports(change.key))

    async def watch(self, changed: Callable[[], None]) -> None:
        """Learn at once of its end, and by asking of its silence."""
        self._programs.on_end(lambda name: changed() if name == PROGRAM else None)
        while True:
            await self._forwards.wait()
            await asyncio.sleep(self._health.rest_seconds)
            before = self._health.verdict
            await self._health.ask()
            if self._health.verdict != before:
                changed()

    async def _probe(self) -> str:
        return self._health.verdict


def _checker(directory: Path) -> tuple[str, ...]:
    return (PROGRAM, "--test", f"--conf-file={directory / CONFIGURATION}")


def _ports(key: ServerKey) -> Collection[Port]:
    return [Port(*listener) for section in key.sections for listener in section.listeners]


def _doing(change: Change) -> str:
    verb = {Create: "create", Update: "change", Delete: "delete"}[type(change)]
    return f"{verb} dnsmasq {change.key}"
