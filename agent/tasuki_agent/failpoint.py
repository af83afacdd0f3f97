"""Places at which a test can have the agent die as by a power cut. Without the variable they do nothing."""

import os
import signal
from typing import Final

VARIABLE: Final = "TASUKI_FAILPOINT"
_armed: Final = os.environ.get(VARIABLE, "")


def failpoint(name: str) -> None:
    """Die here if the variable names this place."""
    if name == _armed:
        os.kill(os.getpid(), signal.SIGKILL)
