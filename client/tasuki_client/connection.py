"""Which controller a command talks to, and as whom: options, environment, defaults.

Imports no gRPC, so that `tasuki --help` and completion stay quick; `open_client` does.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tasuki_client.errors import TasukiError

if TYPE_CHECKING:
    from tasuki_proto.channel import Target, TlsFiles

    from tasuki_client.client import Client

DEFAULT_CONTROLLER: Final = "127.0.0.1:9339"


class ConnectionProblem(TasukiError):  # noqa: N818 - what the options ask for cannot be done
    """The options name no usable address or certificate."""


@dataclass(frozen=True, slots=True)
class Connection:
    """The options as they were given; None where the environment or the default decides."""

    controller: str | None = None
    cert: Path | None = None
    key: Path | None = None
    ca: Path | None = None
    insecure: bool = False

    def overridden_by(self, other: "Connection") -> "Connection":
        """Options may stand before and after the command; those after it win."""
        return Connection(
            controller=other.controller or self.controller,
            cert=other.cert or self.cert,
            key=other.key or self.key,
            ca=other.ca or self.ca,
            insecure=other.insecure or self.insecure,
        )

    def open_client(self) -> "Client":
        """A client; nothing is dialled before its first call.

        Raises:
            ConnectionProblem: an option makes no sense, or a TLS file is missing.
        """
        from tasuki_proto.channel import Target  # noqa: PLC0415

        from tasuki_client.client import Client  # noqa: PLC0415

        try:
            target = Target.parse(self.controller or DEFAULT_CONTROLLER)
            return Client(target, self._tls(target))
        except ValueError as error:
            raise ConnectionProblem(str(error)) from error
        except OSError as error:
            raise ConnectionProblem(f"{error.filename}: {error.strerror}") from error

    def _tls(self, target: "Target") -> "TlsFiles | None":
        from tasuki_proto.channel import TlsFiles  # noqa: PLC0415

        if self.insecure:
            if self.cert or self.key or self.ca:
                raise ConnectionProblem("--insecure and TLS files exclude each other: give one or the other")
            return None
        default = TlsFiles.in_directory(_tls_directory())
        if not (self.cert or self.key or self.ca or default.cert.exists()):
            raise ConnectionProblem(_no_certificate(default.cert.parent, target))
        return TlsFiles(cert=self.cert or default.cert, key=self.key or default.key, ca=self.ca or default.ca)


def _tls_directory() -> Path:
    if directory := os.environ.get("TASUKI_TLS_DIR"):
        return Path(directory)
    return Path.home() / ".config" / "tasuki" / "tls"


def _no_certificate(directory: Path, target: "Target") -> str:
    local = "if it runs with --insecure, say --insecure too; else " if target.is_local else ""
    return (
        f"no certificate for the controller at {target} in {directory}: {local}let "
        f"'tasuki-controller issue operator NAME --out {directory}' make one on its machine, "
        f"or name the files with --tls-cert, --tls-key and --tls-ca"
    )
