"""A line that delegates prefixes: the provider's DHCPv6 server (Kea) and the router's client (dhcpcd)."""

import json
import os
import shutil
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from ipaddress import IPv6Address
from pathlib import Path
from typing import Any

from netns import Namespace, until
from programs import Program, ProgramError
from tasuki_agent.kinds.dhcp_client import dhcpcd
from tasuki_yang.router import InterfacesInterfaceDhcpClientIpv6

ROOT = Path(__file__).parents[1]
HOOK = ROOT / "agent/tasuki-agent-lease-hook"
VENDOR, SIP, DNS, SEARCH, SNTP, AFTR = 17, 22, 23, 24, 31, 64
"""Codes of options."""


def missing() -> str:
    """What this machine lacks for it; empty if nothing."""
    lacking = {"dhcpcd": "dhcpcd-base", "kea-dhcp6": "kea-dhcp6-server"}
    return " and ".join(package for program, package in lacking.items() if not shutil.which(program))


@dataclass(frozen=True)
class Delegation:
    """What a line gives to its subscriber; times in seconds.

    Attributes:
        prefix: what is delegated; None delegates nothing.
        renew: T1. A client with a short one sees changes soon.
        options: by their codes, as messages have them; told whether they are asked for or not.
    """

    prefix: str | None = "2001:db8:1200::/56"
    aftr_name: str = ""
    renew: int = 7200
    preferred: int = 600
    valid: int = 900
    options: Mapping[int, bytes] = field(default_factory=dict)


@dataclass
class Server:
    """Kea at the provider's end of a line."""

    machine: Namespace
    interface: str
    directory: Path
    delegation: Delegation
    subscriber: str = ""
    """Link-local address of the router that delegated prefixes are routed to; none of them is without it."""

    @contextmanager
    def running(self) -> Iterator[None]:
        """Serve."""
        self.route("replace")
        self._configure()
        until(self._can_be_bound, within=10, why=f"{self.interface} has a link-local address")
        # AppArmor knows the program by its path, and would keep a server of that path from these files.
        kea = shutil.copy(str(shutil.which("kea-dhcp6")), self.directory / "kea")
        self._program = Program(
            self.machine,
            (f"{kea}", "-c", f"{self._file}"),
            self.directory / "kea.log",
            {"KEA_PIDFILE_DIR": f"{self.directory}", "KEA_LOCKFILE_DIR": f"{self.directory}"},
        )
        self._program.start()
        try:
            until(lambda: "DHCP6_STARTED" in self.log, within=20, why="Kea serves")
            yield
        finally:
            self._program.stop()

    def delegate(self, **changes: Any) -> None:
        """Give something else from the next message on, and route nothing to what was given before."""
        self.route("del")
        self.delegation = replace(self.delegation, **changes)
        self.route("replace")
        self._configure()
        loaded = self.log.count("DHCP6_CONFIG_COMPLETE")
        os.kill(self._program.pid, signal.SIGHUP)
        until(lambda: self.log.count("DHCP6_CONFIG_COMPLETE") > loaded, within=20, why="Kea has loaded it")

    @contextmanager
    def silent(self) -> Iterator[None]:
        """Answer nothing meanwhile."""
        os.kill(self._program.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self._program.pid, signal.SIGCONT)

    def route(self, verb: str) -> None:
        """Add, replace or del the route to what is delegated, which is lost when the interface goes down."""
        if self.subscriber and self.delegation.prefix:
            way = f"via {self.subscriber} dev {self.interface}"
            self.machine.ip(f"-6 route {verb} {self.delegation.prefix} {way}")

    def _can_be_bound(self) -> bool:
        return "fe80" in self.machine.ip(f"-6 address show dev {self.interface} scope link -tentative")

    @property
    def log(self) -> str:
        """All that it has said."""
        return (self.directory / "kea.log").read_text()

    @property
    def identifier(self) -> bytes:
        """Its DUID."""
        return bytes.fromhex((self.directory / "kea-dhcp6-serverid").read_text().replace(":", ""))

    @property
    def _file(self) -> Path:
        return self.directory / "kea.json"

    def _configure(self) -> None:
        given = self.delegation
        options = dict(given.options)
        if given.aftr_name:
            options[AFTR] = wire_name(given.aftr_name)
        configuration = {
            "interfaces-config": {"interfaces": [self.interface]},
            "data-directory": f"{self.directory}",
            "lease-database": {"type": "memfile", "persist": False},
            "renew-timer": given.renew,
            "rebind-timer": given.renew * 2,
            "preferred-lifetime": given.preferred,
            "valid-lifetime": given.valid,
            "option-data": [
                {"code": code, "csv-format": False, "data": data.hex(), "always-send": True}
                for code, data in options.items()
            ],
            "subnet6": [
                {
                    "id": 1,
                    "subnet": "2001:db8::/32",
                    "interface": self.interface,
                    "pd-pools": _pools(given),
                }
            ],
            "loggers": [
                {
                    "name": "kea-dhcp6",
                    "severity": "INFO",
                    "output_options": [{"output": "stdout", "flush": True}],
                }
            ],
        }
        self._file.write_text(json.dumps({"Dhcp6": configuration}))


@dataclass
class Client:
    """dhcpcd at the router's end, set up as the agent does it, and run by nobody but the test."""

    machine: Namespace
    interface: str
    directory: Path
    state_dir: Path
    """The agent's."""

    @contextmanager
    def running(self) -> Iterator[None]:
        """Ask for a prefix and tell of it. What it remembers of leases is kept."""
        file = self.directory / "dhcpcd.conf"
        file.write_text(dhcpcd.dhcpv6(InterfacesInterfaceDhcpClientIpv6()))
        memory = self.directory / "dhcpcd"
        memory.mkdir(exist_ok=True)
        # dhcpcd's files are named after the interface alone; `ip netns exec` has mounts of its own.
        own = "mkdir -p /run/dhcpcd /var/lib/dhcpcd && mount -t tmpfs run /run/dhcpcd"
        own += f" && mount --bind {memory} /var/lib/dhcpcd"
        command = f"dhcpcd -B -d -f {file} -e TASUKI_STATE_DIR={self.state_dir} -c {HOOK} {self.interface}"
        self._program = Program(
            self.machine, ("sh", "-c", f"{own} && exec {command}"), self.directory / "dhcpcd.log"
        )
        self._program.start()
        try:
            yield
        finally:
            # dhcpcd 9.4.1 may miss a signal that comes while its hook runs, and would then never end.
            until(lambda: not _hooks(), within=10, why="no hook is running")
            with suppress(ProgramError):
                self._program.stop()
            self.kill()

    def renew(self) -> None:
        """Ask again now, as `dhcpcd -n` makes it."""
        heard = self._log.count("received SIGHUP")
        until(lambda: self._has_heard(heard), within=20, why="dhcpcd has been told to ask again")

    def _has_heard(self, before: int) -> bool:
        """Tell it once more, unless it has heard.

        dhcpcd 9.4.1 misses a signal that comes while its hook runs.
        """
        if self._log.count("received SIGHUP") > before:
            return True
        if not _hooks():
            os.kill(self._program.pid, signal.SIGHUP)
            time.sleep(0.5)
        return self._log.count("received SIGHUP") > before

    @property
    def _log(self) -> str:
        return (self.directory / "dhcpcd.log").read_text(errors="replace")

    def release(self) -> None:
        """Give the lease back and end, as `dhcpcd -k` makes it."""
        os.kill(self._program.pid, signal.SIGALRM)

    def kill(self) -> None:
        """End it at once, with the processes that it has for its privileges."""
        with suppress(ProcessLookupError):
            os.killpg(self._program.pid, signal.SIGKILL)


def _hooks() -> list[str]:
    """The processes that run the hook, on whatever machine."""
    return [
        file.parent.name for file in Path("/proc").glob("[0-9]*/cmdline") if f"{HOOK}" in _words(file)[1:2]
    ]


def _words(file: Path) -> list[str]:
    """The command line of a process; nothing if it has ended."""
    try:
        return file.read_text(errors="replace").split("\0")
    except OSError:
        return []


def _pools(given: Delegation) -> list[dict[str, Any]]:
    if not given.prefix:
        return []
    prefix, _, length = given.prefix.partition("/")
    return [{"prefix": prefix, "prefix-len": int(length), "delegated-len": int(length)}]


def wire_name(name: str) -> bytes:
    """A name as messages have it (RFC 1035 section 3.1)."""
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"


def wire_addresses(*addresses: str) -> bytes:
    """Addresses as messages have them."""
    return b"".join(IPv6Address(address).packed for address in addresses)
