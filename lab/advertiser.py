"""A router of the provider that tells its lines their prefixes by router advertisements: the real radvd.

Renumbering a line is what providers do: the new prefix is advertised, the old one with a preferred lifetime
of 0, and from that moment on nothing that is sent to the old one arrives.
"""

import os
import signal
import socket
import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from netns import Namespace
from programs import Program

INTERFACE = """interface {port} {{
  AdvSendAdvert on;
  MinRtrAdvInterval 3;
  MaxRtrAdvInterval 4;
  AdvManagedFlag {managed};
  AdvOtherConfigFlag {other};
  AdvDefaultLifetime {router_lifetime};
{prefixes}}};
"""
"""One line: advertisements as often as the RFC allows (RFC 4861 section 6.2.1)."""
PREFIX = "  prefix {prefix} {{ AdvValidLifetime {valid}; AdvPreferredLifetime {preferred}; }};\n"


@dataclass
class Advertiser:
    """radvd on one machine.

    Attributes:
        machine: the provider's router.
        directory: for its configuration, its log and the number of its process.
        lines: the prefix of each port; None advertises none there.
        router_lifetime: seconds that hosts have their default routes for; 4 at least.
        dhcpv6: whether hosts are told that there is DHCPv6 (the flags M and O), as NGN does.
    """

    machine: Namespace
    directory: Path
    lines: dict[str, str | None]
    router_lifetime: int = 1800
    dhcpv6: bool = False
    _withdrawn: dict[str, list[str]] = field(default_factory=dict, init=False)
    _program: Program = field(init=False)

    def __post_init__(self) -> None:
        """Nothing runs before `running`."""
        command = ["radvd", "--nodaemon", "--logmethod", "stderr_clean"]
        command += ["--config", f"{self._config}", "--pidfile", f"{self.directory}/radvd.pid"]
        self._program = Program(self.machine, command, self.directory / "radvd.log")

    @property
    def _config(self) -> Path:
        return self.directory / "radvd.conf"

    @contextmanager
    def running(self) -> Iterator[None]:
        """Route the lines' prefixes, and advertise them."""
        for port, prefix in self.lines.items():
            self._route("add", port, prefix)
        self._write()
        self._program.start()
        try:
            yield
        finally:
            self._program.stop()
            for port, prefix in self.lines.items():
                self._route("del", port, prefix)

    def renumber(self, lines: Mapping[str, str | None]) -> None:
        """Give these ports other prefixes, all at once; None takes the prefix away."""
        for port, prefix in lines.items():
            before = self.lines[port]
            if before == prefix:
                continue
            self._route("del", port, before)
            self._route("add", port, prefix)
            withdrawn = self._withdrawn.setdefault(port, [])
            withdrawn[:] = [old for old in (*withdrawn, before) if old and old != prefix]
            self.lines[port] = prefix
        self._reload()

    def shorten(self, router_lifetime: int) -> None:
        """Have hosts forget the default route after so many seconds without an advertisement."""
        self.router_lifetime = router_lifetime
        self._reload()

    def _reload(self) -> None:
        self._write()
        self._program.must_run()
        os.kill(self._program.pid, signal.SIGHUP)

    def _route(self, verb: str, port: str, prefix: str | None) -> None:
        if prefix:
            self.machine.ip(f"-6 route {verb} {prefix} dev {port}")

    def _write(self) -> None:
        text = ""
        for port, prefix in self.lines.items():
            prefixes = PREFIX.format(prefix=prefix, valid=14400, preferred=12600) if prefix else ""
            for old in self._withdrawn.get(port, ()):
                prefixes += PREFIX.format(prefix=old, valid=0, preferred=0)
            flag = "on" if self.dhcpv6 else "off"
            text += INTERFACE.format(
                port=port,
                managed=flag,
                other=flag,
                router_lifetime=self.router_lifetime,
                prefixes=prefixes,
            )
        # radvd may still be reading, told of an earlier change.
        written = self._config.with_suffix(".new")
        written.write_text(text)
        written.rename(self._config)


def flood(machine: Namespace, port: str, count: int) -> None:
    """Advertise so many prefixes that nobody has, one at a time, as fast as they can be sent."""
    with machine.entered():
        sender = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
        index = socket.if_nametoindex(port)
    with sender:
        sender.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
        sender.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
        for number in range(count):
            sender.sendto(_advertisement(number), ("ff02::1", 0, 0, index))


def _advertisement(number: int) -> bytes:
    """A router advertisement with one prefix, valid for a minute (RFC 4861 sections 4.2 and 4.6.2)."""
    router = struct.pack("!BBHBBHII", 134, 0, 0, 64, 0, 1800, 0, 0)
    on_link_and_autonomous = 0xC0
    information = struct.pack("!BBBBIII", 3, 4, 64, on_link_and_autonomous, 60, 60, 0)
    return router + information + struct.pack("!IIQ", 0x20010DB8, 0xF1000000 | number, 0)
