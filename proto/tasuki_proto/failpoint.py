"""Places where a test may kill the process, to see that what was under way is whole or gone after a restart.

They stand around every step that a restart could tell from the one before it. A test does not know their
names: it lets the N-th one that is passed kill the process, for N = 1, 2, … until nothing dies any more.
"""

import itertools
import os
import signal
from typing import Final

VARIABLE: Final = "TASUKI_FAILPOINT"
"""Environment variable: which pass of a fail-point kills the process; unset or 0 for none."""

_passed: Final = itertools.count(1)


def failpoint(name: str) -> None:
    """Die here as by a power cut, if it is this one's turn."""
    fatal = os.environ.get(VARIABLE)
    if fatal and next(_passed) == int(fatal):
        os.write(2, f"killed at {name}\n".encode())
        os.kill(os.getpid(), signal.SIGKILL)
