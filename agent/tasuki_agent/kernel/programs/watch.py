"""Which programs run, and word of each that ends by itself: the kernel tells it, so that asking is free."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tasuki_agent.errors import Transient
from tasuki_agent.kernel.programs import Running
from tasuki_agent.kernel.programs.process import Process

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Watch:
    """Programs by name, each with its process."""

    on_end: list[Callable[[str], None]] = field(default_factory=list)
    """Who is told the name of a program that has ended by itself."""
    _followed: dict[str, tuple[Running, Process]] = field(default_factory=dict)

    @property
    def running(self) -> Mapping[str, Running]:
        """Those that run."""
        return {name: running for name, (running, process) in self._followed.items() if not process.ended}

    def follow(self, name: str, running: Running, ended: Callable[[], None] = lambda: None) -> Process:
        """Look out for the end of a program; `ended` is called before all who are told.

        Raises:
            ProcessLookupError: it has ended.
        """

        def end() -> None:
            del self._followed[name]
            ended()
            _log.warning("%s (pid %d) has ended by itself", name, running.pid)
            for tell in self.on_end:
                tell(name)

        self.forget(name)
        process = Process(running.pid, end)
        self._followed[name] = (running, process)
        return process

    def forget(self, name: str) -> None:
        """Tell nobody of its end."""
        if followed := self._followed.pop(name, None):
            followed[1].close()

    def signal(self, name: str, number: int) -> None:
        """Send a program a signal.

        Raises:
            Transient: it does not run.
        """
        if name not in self.running:
            raise Transient(f"signal {name}: it does not run")
        self._followed[name][1].signal(number)

    def close(self) -> None:
        """Follow none any more. They go on."""
        for name in tuple(self._followed):
            self.forget(name)
