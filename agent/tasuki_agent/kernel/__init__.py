"""The only part of the agent that touches the machine: netlink, its monitor, /proc/sys, and programs.

    attributes, uapi, addresses   bytes and numbers (pure)
    netlink, memo                 requests in batches, dumps that are decoded once
    interfaces                    names and indexes
    monitor                       whose objects may have changed
    sysctl                        parameters, and what they were before
    nft                           nftables
    marks                         how we know our objects again
    run                           programs that are asked something
    programs                      programs that are kept running
    ports                         who has a port that they need

Everything belongs to the network namespace of the thread that enters `Kernel`.
"""

import os
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Self

from tasuki_agent.errors import Permanent
from tasuki_agent.kernel.interfaces import Interfaces
from tasuki_agent.kernel.monitor import Listeners, Monitor
from tasuki_agent.kernel.netlink import Rtnetlink
from tasuki_agent.kernel.nft import Nft
from tasuki_agent.kernel.programs import Supervisor
from tasuki_agent.kernel.programs.supervisor import supervisor
from tasuki_agent.kernel.sysctl import Sysctls, world

__all__ = ["Kernel"]

MINIMUM_RELEASE = (5, 18)
"""The first kernel that keeps a protocol on addresses."""


class Kernel:
    """The machine, as the kinds see it. Enter it once, in the loop's thread."""

    rtnetlink: Rtnetlink
    interfaces: Interfaces
    sysctls: Sysctls
    nft: Nft
    programs: Supervisor
    monitor: Monitor | None = None

    def __init__(self, state_dir: Path) -> None:
        self.state_dir = state_dir
        """Where daemons have their files too."""

    async def __aenter__(self) -> Self:
        """Open the sockets.

        Raises:
            Permanent: the kernel is too old.
        """
        check_release(os.uname().release)
        self.rtnetlink = Rtnetlink()
        self.interfaces = Interfaces()
        self.sysctls = Sysctls(self.state_dir / "sysctl.json")
        self.nft = Nft(self.state_dir / "nftables.json")
        self.programs = supervisor(self.state_dir, self.world)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the sockets. Nothing that was made goes away with them."""
        await self.rtnetlink.close()
        self.interfaces.close()
        self.nft.close()
        self.programs.close()
        if self.monitor:
            self.monitor.close()

    def events(self, listeners: Listeners) -> AsyncIterator[frozenset[str]]:
        """The listeners that something changed for since the last time, coalesced, for ever. One reader.

        Whatever changes after this call is told.
        """
        if self.monitor:
            self.monitor.close()
        self.monitor = Monitor(self.rtnetlink.port, listeners)
        return self.monitor.events()

    @property
    def world(self) -> str:
        """This boot and this network namespace. In another one nothing is left of what was made."""
        return world()


def check_release(release: str) -> None:
    """Refuse a kernel that cannot carry our marks.

    Raises:
        Permanent: it is older than `MINIMUM_RELEASE`.
    """
    numbers = re.match(r"(\d+)\.(\d+)", release)
    if numbers and (int(numbers[1]), int(numbers[2])) < MINIMUM_RELEASE:
        needed = ".".join(map(str, MINIMUM_RELEASE))
        raise Permanent(f"kernel {release} is too old: addresses keep a protocol since Linux {needed}")
