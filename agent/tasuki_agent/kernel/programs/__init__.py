"""Programs that the agent keeps running: DHCP clients and servers.

They outlive the agent, because a router whose agent is renewed must go on serving its hosts: whoever starts
finds them running and goes on from there. Where systemd runs they are its transient services (`systemd`);
elsewhere the agent starts them itself, each in a session of its own (`direct`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple, Protocol

MOMENT: Final = 0.3
"""Seconds that a program must stay: one that finds its port taken or its file wrong ends sooner."""
STOP_SECONDS: Final = 5
"""Until a program that was asked to end is killed."""


@dataclass(frozen=True, slots=True)
class Program:
    """What is to run.

    Attributes:
        name: by which it is known, such as "dhcpcd-wan0"; one program of a name runs at a time.
        command: the program and its arguments; it stays in the foreground.
        digest: of all that it reads when it is started, by which a change that needs a restart shows; a word.
        private: directories of its own in the place of others, which only it sees: path there to path here.
        environment: beside PATH and the language.
    """

    name: str
    command: tuple[str, ...]
    digest: str
    private: Mapping[Path, Path] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)


class Running(NamedTuple):
    """A program that runs."""

    pid: int
    digest: str


class Supervisor(Protocol):
    """Who starts and ends programs. Only those with this agent's state directory are seen."""

    async def running(self) -> Mapping[str, Running]:
        """What runs now, by name.

        Raises:
            Transient: that cannot be told.
        """
        ...

    async def start(self, program: Program) -> None:
        """Start it. Returns when it has stayed for a moment: a program that cannot serve ends at once.

        Raises:
            Transient: it cannot be started, or has ended; the message has its last words.
        """
        ...

    async def stop(self, name: str) -> None:
        """End it and all that it started. Ends well if it does not run.

        Raises:
            Transient: it cannot be ended.
        """
        ...

    async def signal(self, name: str, number: int) -> None:
        """Send it a signal, such as SIGHUP to have it read its files again.

        Raises:
            Transient: it does not run.
        """
        ...

    def on_end(self, tell: Callable[[str], None]) -> None:
        """Have the name told of each program that ends by itself."""
        ...

    def close(self) -> None:
        """Look out for no end any more. The programs go on."""
        ...
