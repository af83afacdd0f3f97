"""Who looks after the agent's programs on this machine."""

from pathlib import Path

from tasuki_agent.kernel.programs import Supervisor
from tasuki_agent.kernel.programs.direct import Direct


def supervisor(state_dir: Path, world: str) -> Supervisor:
    """The agent itself."""
    return Direct(state_dir / "programs", world)
