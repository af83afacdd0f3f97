"""Network namespaces as test hosts.

A host is a namespace, a cable is a veth pair, and an assertion is traffic. Whatever is made here is removed
at the end of its `with`, whatever happens in between. Knows nothing of tasuki and nothing of pytest, so that
the demo can use it too.
"""

import ctypes
import itertools
import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")

_CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)
_numbers = itertools.count(1)


def why_not() -> str | None:
    """Why this machine cannot make namespaces, in words for a skipped test; None if it can."""
    if os.geteuid() != 0:
        return "needs root (network namespaces)"
    if shutil.which("ip") is None:
        return "needs ip(8) of iproute2"
    probe = subprocess.run(
        ["unshare", "--net", "ip", "link", "add", "probe0", "type", "veth", "peer", "name", "probe1"],
        capture_output=True,
        text=True,
        check=False,
    )
    return f"cannot make a veth pair in a namespace: {probe.stderr.strip()}" if probe.returncode else None


def lacks_link_type(link_type: str) -> str | None:
    """Why links of this type cannot be made here; None if they can."""
    command = ["unshare", "--net", "ip", "link", "add", "probe", "type", link_type]
    command += ["id", "1", "dstport", "4789"] if link_type == "vxlan" else []
    probe = subprocess.run(command, capture_output=True, text=True, check=False)
    return f"no {link_type} links here: {probe.stderr.strip()}" if probe.returncode else None


@dataclass(frozen=True)
class Namespace:
    """A network namespace, by its name in ip-netns(8)."""

    name: str

    def command(self, *argv: str) -> list[str]:
        """The command line that runs `argv` inside, for subprocess.Popen and asyncio."""
        return ["ip", "netns", "exec", self.name, *argv]

    def run(self, *argv: str, stdin: str | None = None, check: bool = True) -> str:
        """Run a command inside and return its output. A failure shows what it said."""
        done = subprocess.run(self.command(*argv), input=stdin, capture_output=True, text=True, check=False)
        if check and done.returncode:
            raise AssertionError(
                f"{self.name}: {' '.join(argv)}: {done.stderr.strip() or done.stdout.strip()}"
            )
        return done.stdout

    def ip(self, arguments: str) -> str:
        """Run ip(8) with the arguments, as one would type them."""
        return self.run("ip", *arguments.split())

    def ip_json(self, arguments: str) -> list[dict[str, Any]]:
        """What `ip -json -details` prints, without its empty objects."""
        rows = json.loads(self.run("ip", "-json", "-details", *arguments.split()) or "[]")
        return [row for row in rows if row]

    def ip_batch(self, lines: Sequence[str]) -> None:
        """Run many ip(8) commands in one process."""
        self.run("ip", "-batch", "-", stdin="\n".join(lines) + "\n")

    def sysctl(self, key: str, value: str | None = None) -> str:
        """Read a parameter by its path under /proc/sys, after writing it if a value is given."""
        with self.entered():
            file = Path("/proc/sys", key)
            if value is not None:
                file.write_text(value)
            return file.read_text().strip()

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Move the calling thread inside: its new sockets, /proc/sys/net and children are this host's."""
        here, there = Path("/proc/thread-self/ns/net"), Path("/run/netns", self.name)
        with here.open() as outside, there.open() as inside:
            _setns(inside.fileno())
            try:
                yield
            finally:
                _setns(outside.fileno())


def _setns(descriptor: int) -> None:
    if _libc.setns(descriptor, _CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


@contextmanager
def namespace(role: str = "host", *, name: str | None = None) -> Iterator[Namespace]:
    """A new namespace with its loopback up; named after the process and the role unless a name is given."""
    host = Namespace(name or f"t{os.getpid()}-{next(_numbers)}-{role}")
    subprocess.run(["ip", "netns", "add", host.name], check=True)
    try:
        host.ip("link set lo up")
        yield host
    finally:
        end_processes(host)
        subprocess.run(["ip", "netns", "del", host.name], check=True)


def end_processes(host: Namespace) -> None:
    """Kill what still runs inside, so that the namespace can go."""
    listed = subprocess.run(["ip", "netns", "pids", host.name], capture_output=True, text=True, check=False)
    for pid in map(int, listed.stdout.split()):
        if pid != os.getpid():
            with suppress(ProcessLookupError):
                os.kill(pid, 9)


def cable(a: Namespace, a_name: str, b: Namespace, b_name: str, *, mtu: int = 1500) -> None:
    """Join two hosts by a veth pair, both ends up."""
    a.ip(f"link add {a_name} mtu {mtu} type veth peer name {b_name} mtu {mtu} netns {b.name}")
    a.ip(f"link set {a_name} up")
    b.ip(f"link set {b_name} up")


def until(condition: Callable[[], T], deadline: float = 10.0, *, what: str = "") -> T:
    """Poll until the condition is true or its assertions hold, for at most `deadline` seconds."""
    end = time.monotonic() + deadline
    while True:
        failure: AssertionError | None = None
        try:
            if answer := condition():
                return answer
        except AssertionError as error:
            failure = error
        if time.monotonic() > end:
            name = what or getattr(condition, "__name__", "condition")
            raise AssertionError(f"not within {deadline} s: {name}") from failure
        time.sleep(0.02)


def reaches(source: Namespace, destination: str, *, from_address: str | None = None) -> bool:
    """Whether one ping is answered within a second."""
    origin = ["-I", from_address] if from_address else []
    command = source.command("ping", "-n", "-q", "-c", "1", "-W", "1", *origin, destination)
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def must_reach(
    source: Namespace, destination: str, *, from_address: str | None = None, deadline: float = 10.0
) -> None:
    """Assert that pings get answers, at the latest when the deadline is over."""
    until(
        lambda: reaches(source, destination, from_address=from_address),
        deadline,
        what=f"{source.name} reaches {destination}",
    )


def must_not_reach(source: Namespace, destination: str, *, from_address: str | None = None) -> None:
    """Assert that a ping gets no answer. Meaningful only after a `must_reach` of the same kind."""
    if reaches(source, destination, from_address=from_address):
        raise AssertionError(f"{source.name} reaches {destination}")
