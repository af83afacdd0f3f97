"""The kind `dhcp-client`: the model, joined to dhcpcd.

STATE_DIR/dhcp-client/wan0-ipv6/   what the client is told to do
STATE_DIR/dhcpcd/wan0-ipv6/        what it remembers: its DUID and its lease
STATE_DIR/leases/wan0.lease        what its hook tells of the lease; wan0.lease4 by DHCPv4
"""

import asyncio
import sysconfig
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import ClassVar, Final

from tasuki_agent.daemon import Daemon
from tasuki_agent.durable import replace_file
from tasuki_agent.errors import Transient
from tasuki_agent.facts.leases.files import Now
from tasuki_agent.kernel import Kernel, networkd
from tasuki_agent.kernel.ports import Port, require_free
from tasuki_agent.kernel.programs.daemon import Installation
from tasuki_agent.kernel.programs.process import family
from tasuki_agent.kernel.run import find
from tasuki_agent.kind import Change, Create, Delete, Topic, Update, as_it_is
from tasuki_agent.kinds.dhcp_client import model
from tasuki_agent.kinds.dhcp_client.dhcpcd import CONFIGURATION, DUID_INTERFACE
from tasuki_agent.kinds.dhcp_client.model import IPV4, IPV6, Client, ClientKey, Networkd
from tasuki_agent.kinds.dhcp_client.networkd import Description, Told

HOOK: Final = Path(sysconfig.get_path("scripts"), "tasuki-agent-lease-hook")
_PROGRAM: Final = "dhcpcd-"
"""What the names of its programs begin with."""
_NOTE: Final = "networkd"
"""File that is there where networkd has the lease."""
_WITHOUT_RIGHTS: Final = ("setpriv", "--bounding-set=-net_admin", "--")
"""Told to configure nothing, dhcpcd 9.4.1 still keeps the kernel from making link-local addresses."""
_PORTS: Final[Mapping[str, tuple[int, str]]] = {IPV6: (546, "::"), IPV4: (68, "0.0.0.0")}  # noqa: S104
_LEASES: Final[Mapping[str, str]] = {IPV6: "lease", IPV4: "lease4"}


class DhcpClientKind:
    """Clients by interface and IP version. Only those of our state directory are observed."""

    name: ClassVar = "dhcp-client"
    follows: ClassVar[tuple[str, ...]] = ("link",)
    wakes_on: ClassVar[tuple[Topic, ...]] = (networkd.TOPIC,)

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
        self._ethernet_address_of = kernel.interfaces.ethernet_address_of
        self._state_dir = kernel.state_dir
        self._installations: dict[ClientKey, Installation] = {}

    async def observe(self) -> Mapping[ClientKey, Client]:
        """Every client that has files, or runs. What networkd has leased is written down."""
        directories = [path.name for path in self._directory.glob("*-ipv[46]")]
        running = [name.removeprefix(_PROGRAM) for name in await self._running() if _is_client(name)]
        observed: dict[ClientKey, Client] = {}
        for name in dict.fromkeys((*directories, *running)):
            interface, _, version = name.rpartition("-")
            key = ClientKey(interface, version)
            if (client := await self._installation(key).observe()) is not None:
                observed[key] = client
        read = [
            key for key, client in observed.items() if isinstance(client, Daemon) and _NOTE in client.files
        ]
        return {**observed, **await self._read(read)} if read else observed

    async def _running(self) -> Collection[str]:
        """Programs that run; of those that have files, their `Installation` says so if it cannot be told."""
        try:
            return await self._programs.running()
        except Transient:
            return ()

    async def apply(self, change: Change) -> None:
        """Have a client run as it is wanted, or not at all. Its lease it keeps in any case."""
        match change:
            case Create(key, Networkd()) | Update(key, _, Networkd()):
                await self._require_networkd(key)
                await self._installation(key).remove()
                self._note(key)
            case Create(key, spec):
                await self._run(key, spec)
            case Update(key, observed, spec):
                if observed.health:
                    await self._programs.stop(_program(key))
                await self._run(key, spec)
            case Delete(key):
                await self._installation(key).remove()
                self._tell(key, None)

    async def check(self, change: Change) -> None:
        """Whether the programs are here, and whether another client has the port."""
        match change:
            case Create(key, Networkd()) | Update(key, _, Networkd()):
                await self._require_networkd(key)
            case Create(key, spec) | Update(key, _, spec):
                _find_programs(_doing(key))
                await self._installation(key).check(spec, doing=_doing(key), ports=(_port(key),))
            case Delete():
                pass

    async def watch(self, changed: Callable[[], None]) -> None:
        """Tell of each client that ends."""
        self._programs.on_end(lambda name: changed() if _is_client(name) else None)
        await asyncio.Event().wait()

    async def _require_networkd(self, key: ClientKey) -> None:
        try:
            trouble = Description.parse(await networkd.describe()).trouble(key.interface)
        except Transient as error:
            trouble = str(error)
        except ValueError as error:
            trouble = _unreadable(error)
        if trouble:
            raise Transient(f"{_doing(key)}: {trouble}")

    async def _read(self, keys: Iterable[ClientKey]) -> Mapping[ClientKey, Networkd]:
        """Write down what networkd has leased. While it does not answer, what it had counts until its end."""
        try:
            description = Description.parse(await networkd.describe())
            health = {key: description.trouble(key.interface) for key in keys}
            for key, trouble in health.items():
                self._tell(key, None if trouble else description.lease(*key))
        except Transient as error:
            health = dict.fromkeys(keys, str(error))
        except ValueError as error:
            health = dict.fromkeys(keys, _unreadable(error))
        return {key: Networkd(trouble) for key, trouble in health.items()}

    def _tell(self, key: ClientKey, told: Told | None) -> None:
        file = self._lease(key)
        try:
            if told is None:
                file.unlink(missing_ok=True)
                return
            before = file.read_text() if file.exists() else ""
            now = Now.of_machine()
            text = told.by_clock(now.behind).retold(before, f"{now.uptime}", now.boot)
            if text != before:
                file.parent.mkdir(parents=True, exist_ok=True)
                replace_file(file, text.encode())
        except OSError as error:
            raise Transient(f"cannot write {file}: {error.strerror}") from error

    def _note(self, key: ClientKey) -> None:
        """Note that networkd has the lease."""
        directory = self._directory / _directory(key)
        try:
            directory.mkdir(parents=True, exist_ok=True)
            (directory / _NOTE).touch()
        except OSError as error:
            raise Transient(f"{_doing(key)}: {error.strerror}: {error.filename}") from error

    async def _run(self, key: ClientKey, client: Daemon) -> None:
        doing = _doing(key)
        _find_programs(doing)
        self._settle_duid(key, client, doing)
        await self._installation(key).apply(client, doing=doing, ports=(_port(key),))

    def _settle_duid(self, key: ClientKey, client: Daemon, doing: str) -> None:
        """Write down who the client is: DUID-LL of Ethernet (RFC 8415 section 11.4), as dhcpcd does itself.

        Raises:
            Transient: the interface has no address to make it of.
        """
        if DUID_INTERFACE not in client.files:
            return
        interface = client.files[DUID_INTERFACE].strip()
        try:
            duid = f"00:03:00:01:{self._ethernet_address_of(interface)}\n".encode()
        except Transient as error:
            raise Transient(f"{doing}: {error}: name an interface that has one as duid-interface") from error
        file = self._memory(key) / "lib/duid"
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            if not file.exists() or file.read_bytes() != duid:
                replace_file(file, duid)
        except OSError as error:
            raise Transient(f"{doing}: {error.strerror}: {error.filename}") from error

    def _installation(self, key: ClientKey) -> Installation:
        if key not in self._installations:
            self._installations[key] = self._install(key)
        return self._installations[key]

    def _install(self, key: ClientKey) -> Installation:
        directory, memory = self._directory / _directory(key), self._memory(key)
        options = (
            "--nobackground",
            f"--config={directory / CONFIGURATION}",
            f"--script={HOOK}",
            f"--env=TASUKI_STATE_DIR={self._state_dir}",
        )

        async def deaf() -> str:
            return await self._deaf(key)

        return Installation(
            self._programs,
            _program(key),
            directory,
            (*_WITHOUT_RIGHTS, "dhcpcd", *options, "--", key.interface),
            probe=deaf,
            private={Path("/var/lib/dhcpcd"): memory / "lib", Path("/run/dhcpcd"): memory / "run"},
        )

    async def _deaf(self, key: ClientKey) -> str:
        """Who has the port of a client that runs, if it is another one.

        dhcpcd goes on asking without it, and never hears an answer. One that has a lease does hear.
        """
        running = (await self._programs.running()).get(_program(key))
        if running is None or self._lease(key).exists():
            return ""
        try:
            require_free((_port(key),), ours=family(running.pid), doing="it hears nothing")
        except Transient as held:
            return str(held)
        return ""

    @property
    def _directory(self) -> Path:
        return self._state_dir / "dhcp-client"

    def _memory(self, key: ClientKey) -> Path:
        return self._state_dir / "dhcpcd" / _directory(key)

    def _lease(self, key: ClientKey) -> Path:
        return self._state_dir / "leases" / f"{key.interface}.{_LEASES[key.version]}"


def _find_programs(doing: str) -> None:
    for program in ("dhcpcd", "setpriv"):
        find(program, doing=doing)
    if not HOOK.exists():
        raise Transient(f"{doing}: there is no {HOOK}: install tasuki anew")


def _unreadable(error: ValueError) -> str:
    return f"systemd-networkd tells of its leases in unknown words: {error}"


def _is_client(program: str) -> bool:
    return program.startswith(_PROGRAM)


def _doing(key: ClientKey) -> str:
    return f"start dhcp-client {key}"


def _program(key: ClientKey) -> str:
    return f"{_PROGRAM}{_directory(key)}"


def _directory(key: ClientKey) -> str:
    return f"{key.interface}-{key.version}"


def _port(key: ClientKey) -> Port:
    """On the interface only: each has a client of its own."""
    number, anywhere = _PORTS[key.version]
    return Port("udp", number, anywhere, key.interface)
