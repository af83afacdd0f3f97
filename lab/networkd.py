"""systemd-networkd as the DHCP client of a machine, with a message bus of its own: the real ones."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from netns import Namespace, until
from programs import Program

PROGRAM = "/lib/systemd/systemd-networkd"
_BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>{address}</listen>
  <policy context="default">
    <allow user="*"/> <allow own="*"/> <allow send_destination="*"/> <allow receive_sender="*"/>
  </policy>
</busconfig>
"""
_PREPARE = """
mount --make-rprivate /
mount -t tmpfs own /run/systemd
mkdir -p /run/systemd/netif /run/systemd/network
chown systemd-network:systemd-network /run/systemd/netif
cp "$0"/*.network /run/systemd/network/
# Where /sys cannot be written, it waits for no udev.
mount -o remount,ro,bind /sys
exec "$1"
"""


def missing() -> str:
    """What this machine lacks for it; empty if nothing."""
    lacking = {"dbus-daemon": "dbus-daemon", PROGRAM: "systemd"}
    return " and ".join(package for program, package in lacking.items() if not shutil.which(program))


@dataclass
class Networkd:
    """It, on one machine. Its configuration is every *.network file in the directory."""

    machine: Namespace
    directory: Path

    @property
    def bus(self) -> str:
        """Address of the message bus, as DBUS_SYSTEM_BUS_ADDRESS has it; of this machine's network only."""
        return f"unix:abstract={self.machine.name}"

    @contextmanager
    def bus_running(self) -> Iterator[None]:
        """Have a message bus."""
        configuration = self.directory / "bus.conf"
        configuration.write_text(_BUS.format(address=self.bus))
        command = ("dbus-daemon", "--nofork", "--nopidfile", f"--config-file={configuration}")
        bus = Program(self.machine, command, self.directory / "bus.log")
        bus.start()
        try:
            until(self._has_bus, within=10, why="the message bus can be reached")
            yield
        finally:
            bus.stop()

    def _has_bus(self) -> bool:
        with self.machine.entered():
            return f" @{self.machine.name}\n" in Path("/proc/thread-self/net/unix").read_text()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Ask for leases."""
        command = ("sh", "-euc", _PREPARE, f"{self.directory}", os.path.realpath(PROGRAM))
        program = Program(
            self.machine, command, self.directory / "networkd.log", {"DBUS_SYSTEM_BUS_ADDRESS": self.bus}
        )
        program.start()
        try:
            yield
        finally:
            program.stop()
