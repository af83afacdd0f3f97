"""Network namespaces as machines: the vocabulary of the kernel tests, the lab, the demo and the benchmarks.

Names are unique per process, so that runs side by side do not meet, and everything is removed again, also
after a failure.
"""

import ctypes
import itertools
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

POLL_SECONDS = 0.05
SLOWNESS = float(os.environ.get("TASUKI_SLOWNESS", "1"))
"""How many times longer things may take here: an emulated machine sets it, see guest.py."""
_CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)
_serial = itertools.count(1)


class LabError(AssertionError):
    """What was expected of the machines did not come about."""


def patient(seconds: float) -> float:
    """A deadline for this machine, from one for an ordinary machine."""
    return seconds * SLOWNESS


def until(condition: Callable[[], object], *, within: float, why: str) -> None:
    """Wait for the condition.

    Raises:
        LabError: it did not hold within so many seconds (on a slow machine: more); an assertion that failed
            inside it is the cause.
    """
    deadline = time.monotonic() + patient(within)
    cause: AssertionError | None = None
    while True:
        try:
            if condition():
                return
            cause = None
        except AssertionError as e:
            cause = e
        if time.monotonic() >= deadline:
            raise LabError(f"not within {patient(within):g} s: {why}") from cause
        time.sleep(POLL_SECONDS)


@dataclass(frozen=True, slots=True)
class Namespace:
    """One machine."""

    name: str

    @classmethod
    def create(cls, label: str) -> Self:
        """A new machine, with its loopback up; without duplicate address detection, which only costs time."""
        namespace = cls(f"tasuki-{os.getpid()}-{next(_serial)}-{label}")
        subprocess.run(["ip", "netns", "add", namespace.name], check=True)
        namespace.run("ip", "link", "set", "lo", "up")
        namespace.sysctl("net/ipv6/conf/default/accept_dad", "0")
        return namespace

    def delete(self) -> None:
        """Remove it, every process's way into it, and the processes that are left in it.

        Some are: the daemons that an agent starts go on without it.
        """
        for pid in self.pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        subprocess.run(["ip", "netns", "delete", self.name], check=False, stderr=subprocess.DEVNULL)

    @property
    def pids(self) -> list[int]:
        """The processes that run there."""
        shown = subprocess.run(
            ["ip", "netns", "pids", self.name], check=False, capture_output=True, text=True
        )
        return [int(pid) for pid in shown.stdout.split()]

    def run(self, *command: str, stdin: str = "", check: bool = True) -> str:
        """Run a command there; its standard output.

        Raises:
            LabError: it failed, with what it said.
        """
        done = subprocess.run(
            ["ip", "netns", "exec", self.name, *command],
            check=False,
            capture_output=True,
            text=True,
            input=stdin,
        )
        if check and done.returncode != 0:
            said = f"{done.stdout}{done.stderr}".strip()
            raise LabError(f"{self.name}: {' '.join(command)}: exit status {done.returncode}: {said}")
        return done.stdout

    def ip(self, arguments: str) -> str:
        """Run the ip command there, with its arguments as one writes them in a shell."""
        return self.run("ip", *arguments.split())

    def addresses(self, selection: str) -> list[dict[str, Any]]:
        """The addresses that `ip address show` selects with these arguments, as JSON has them."""
        links = json.loads(self.ip(f"-j address show {selection}") or "[]")
        # What is not selected comes as empty entries.
        return [
            {"dev": link["ifname"], **entry} for link in links for entry in link.get("addr_info", ()) if entry
        ]

    def sysctl(self, key: str, value: str | None = None) -> str:
        """Read a file under /proc/sys as it is there, or write it."""
        path = Path("/proc/sys", key)
        with self.entered():
            if value is not None:
                path.write_text(value)
            return path.read_text().strip()

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Have this thread's sockets, and its /proc/sys/net, be of this machine."""
        with Path("/proc/thread-self/ns/net").open() as before, Path("/run/netns", self.name).open() as there:
            _setns(there.fileno())
            try:
                yield
            finally:
                _setns(before.fileno())

    def reaches(self, address: str, *, source: str | None = None) -> bool:
        """Whether a ping is answered, from the given source address if any."""
        from_source = ("-I", source) if source else ()
        ping = ("ping", "-n", "-c", "1", "-W", "1", *from_source, address)
        return ", 0% packet loss" in self.run(*ping, check=False)

    def must_reach(self, address: str, *, source: str | None = None, within: float = 30) -> None:
        """Insist that pings are answered before the deadline."""
        until(
            lambda: self.reaches(address, source=source),
            within=within,
            why=f"{self.name} reaches {address}{f' from {source}' if source else ''}",
        )


def _setns(fd: int) -> None:
    if _libc.setns(fd, _CLONE_NEWNET) != 0:
        errno = ctypes.get_errno()
        raise OSError(errno, os.strerror(errno))


def cable(one: Namespace, interface: str, other: Namespace, other_interface: str) -> None:
    """Join two machines by a cable (a veth pair), plugged in and up at both ends."""
    one.ip(f"link add {interface} type veth peer name {other_interface} netns {other.name}")
    one.ip(f"link set {interface} up")
    other.ip(f"link set {other_interface} up")


class Machines:
    """Machines that are removed together, in the end of a `with` block, whatever happens."""

    def __init__(self) -> None:
        """No machine yet."""
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        """Nothing to prepare."""
        return self

    def __exit__(self, *_: object) -> None:
        """Remove them all."""
        self._stack.close()

    def add(self, label: str) -> Namespace:
        """A new machine."""
        namespace = Namespace.create(label)
        self._stack.callback(namespace.delete)
        return namespace
