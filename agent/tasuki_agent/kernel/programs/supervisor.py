"""Who looks after the agent's programs on this machine."""

from pathlib import Path
from typing import Final

from tasuki_agent.kernel.programs import Supervisor
from tasuki_agent.kernel.programs.direct import Direct

SYSTEMD_RUNS: Final = Path("/run/systemd/system")
"""A directory that is there where systemd runs, see sd_booted(3)."""


def supervisor(state_dir: Path, world: str) -> Supervisor:
    """Where systemd runs, and in the agent's network namespace, it does: its services are in no other."""
    if SYSTEMD_RUNS.is_dir() and _is_in_the_first_network():
        # A router without systemd need not hold it in memory.
        from tasuki_agent.kernel.programs.systemd import Systemd  # noqa: PLC0415

        return Systemd(state_dir)
    return Direct(state_dir / "programs", world)


def _is_in_the_first_network() -> bool:
    """Whether this thread is in the network namespace of process 1.

    Of a process with more capabilities than the agent's the namespace itself must not be looked at. But each
    namespace has a /proc/net of its own, which everybody may see.
    """
    try:
        return Path("/proc/1/net/dev").stat().st_ino == Path("/proc/thread-self/net/dev").stat().st_ino
    except OSError:
        return False
