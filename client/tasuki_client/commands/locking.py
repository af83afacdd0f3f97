"""`tasuki lock`: nobody commits while a command runs. And how a command is run, which the editor is too."""

import os
import signal
from collections.abc import Sequence
from typing import Final

from tasuki_client.calls import Target
from tasuki_client.client import Client
from tasuki_client.errors import TasukiError

_FROM_THE_KEYBOARD: Final = (signal.SIGINT, signal.SIGQUIT)
_SIGNALLED: Final = 128
"""Added to a signal's number, as shells do it, it is an exit status."""


def run_locked(client: Client, target: Target, command: Sequence[str]) -> int:
    """Run the command under a lock; its exit status.

    Raises:
        TasukiError: the lock is not to be had, the command cannot be started, or the lock was lost meanwhile.
    """
    with client.session() as session:
        session.lock(target)
        return run(command)


def run(command: Sequence[str]) -> int:
    """Run a command in the foreground to its end; its exit status.

    What is typed to stop it, such as Ctrl-C, is for the command alone.

    Raises:
        TasukiError: it cannot be started.
    """
    before = {number: signal.signal(number, signal.SIG_IGN) for number in _FROM_THE_KEYBOARD}
    try:
        process = os.posix_spawnp(command[0], tuple(command), os.environ, setsigdef=_FROM_THE_KEYBOARD)
        _, status = os.waitpid(process, 0)
    except OSError as error:
        raise TasukiError(f"{command[0]}: {error.strerror}") from error
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else _SIGNALLED - code
