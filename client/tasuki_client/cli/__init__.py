"""The `tasuki` command: what a person can type, and the help for it. What then happens is in `commands`.

Those modules are imported by the command that needs them, so that help and completion need not wait for gRPC.
"""

import errno
import os
import sys

from tasuki_client.cli import changing, reading  # noqa: F401 - each adds its commands, in the order of the help
from tasuki_client.cli.app import app

__all__ = ["app", "main"]


def main() -> None:
    """Run the command."""
    for stream in (sys.stdout, sys.stderr):
        # Comments come in any language; a terminal without UTF-8 shows escapes, not a traceback.
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    # What gRPC's own log has to say on a failed handshake is said by the command as well.
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
    try:
        try:
            app()
        finally:
            sys.stdout.flush()
    except OSError as error:
        # What cannot be written now cannot be written when Python ends either, which would tell so again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if error.errno != errno.EPIPE:
            sys.stderr.write(f"{error.filename or 'standard output'}: {error.strerror}\n")
        sys.exit(1)
