"""How agents and clients reach the controller: addresses, TLS files, and the gRPC options of both sides.

The options of the two sides stand together because they must agree: a server answers `too_many_pings` and
closes the connection when a client pings more often than it was told to allow, and an error's details travel
in metadata that the receiving side must be willing to take.
"""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import grpc
from grpc import aio

DEFAULT_PORT: Final = 9339
CONTROLLER_TLS_NAME: Final = "tasuki-controller"
"""DNS name in every controller certificate. Clients check this one, so that any address of it works."""
HEARTBEAT_SECONDS: Final = 5.0
"""Silence on an agent's stream after which a side says that it is there."""
SILENCE_SECONDS: Final = 20.0
"""Silence after which the other side's program is taken for stuck, though its connection may live."""
_MAX_PORT: Final = 65_535

_MAX_MESSAGE: Final = 64 << 20
_MAX_METADATA: Final = 2 << 20
_KEEPALIVE_MS: Final = 5_000
_KEEPALIVE_TIMEOUT_MS: Final = 10_000

_BOTH_SIDES: Final = (
    # A peer that vanished without a word is noticed after both together: 15 seconds.
    ("grpc.keepalive_time_ms", _KEEPALIVE_MS),
    ("grpc.keepalive_timeout_ms", _KEEPALIVE_TIMEOUT_MS),
    # The timeout of any ping, which keepalive's own is too in fact: gRPC ignores the one above for it. On a
    # slow line the answer to a ping queues behind data, so this is the longer part of the 15 seconds.
    ("grpc.http2.ping_timeout_ms", _KEEPALIVE_TIMEOUT_MS),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.max_receive_message_length", _MAX_MESSAGE),
    ("grpc.max_send_message_length", _MAX_MESSAGE),
    # The default of 8 KiB holds about thirty problems of a failed call.
    ("grpc.max_metadata_size", _MAX_METADATA),
    ("grpc.absolute_max_metadata_size", _MAX_METADATA),
)

CLIENT_OPTIONS: Final[Sequence[tuple[str, int | str]]] = (
    *_BOTH_SIDES,
    ("grpc.initial_reconnect_backoff_ms", 500),
    ("grpc.min_reconnect_backoff_ms", 2_000),
    ("grpc.max_reconnect_backoff_ms", 5_000),
    ("grpc.enable_http_proxy", 0),
    # Otherwise two channels of one process to one address share a connection, and its fate.
    ("grpc.use_local_subchannel_pool", 1),
)

_TLS_CLIENT_OPTIONS: Final = (*CLIENT_OPTIONS, ("grpc.ssl_target_name_override", CONTROLLER_TLS_NAME))

SERVER_OPTIONS: Final[Sequence[tuple[str, int | str]]] = (
    *_BOTH_SIDES,
    # gRPC core spells it so; the name with "recv", which the constant has, is silently ignored.
    ("grpc.http2.min_ping_interval_without_data_ms", _KEEPALIVE_MS // 2),
    # A second controller on the port must be an error, not a share of the connections.
    ("grpc.so_reuseport", 0),
)


@dataclass(frozen=True, slots=True)
class Target:
    """Where a controller listens: a host and port, or the path of a UNIX socket."""

    host: str = ""
    port: int = 0
    path: str = ""

    @classmethod
    def parse(cls, text: str) -> "Target":
        """Read `HOST:PORT`, `[IPV6]:PORT`, `HOST` (port 9339) or `unix:PATH`.

        Raises:
            ValueError: none of these; the message says what is allowed.
        """
        if text.startswith("unix:"):
            path = text.removeprefix("unix:")
            if not path:
                raise ValueError(
                    "'unix:' needs the path of a socket, such as unix:/run/tasuki/controller.sock"
                )
            return cls(path=path)
        host, port = _split_port(text)
        if not host or any(c.isspace() or c in "/[]" for c in host):
            raise ValueError(f"'{text}' is no address: write HOST:PORT, [IPV6-ADDRESS]:PORT or unix:PATH")
        return cls(host=host, port=port)

    @property
    def is_local(self) -> bool:
        """Whether nobody but this machine can be on the line, so that TLS may be left out."""
        if self.path or self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def grpc_address(self) -> str:
        """The address in gRPC's own spelling, for channels and for listening."""
        return f"unix:{self.path}" if self.path else str(self)

    def __str__(self) -> str:
        """The address as `parse` reads it."""
        if self.path:
            return f"unix:{self.path}"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def _split_port(text: str) -> tuple[str, int]:
    if text.startswith("["):
        host, closed, rest = text[1:].partition("]")
        if not closed or (rest and not rest.startswith(":")) or ":" not in host:
            raise ValueError(
                f"'{text}' is no address: an IPv6 address is written [2001:db8::1]:{DEFAULT_PORT}"
            )
        port = rest[1:] if rest else str(DEFAULT_PORT)
    elif text.count(":") > 1:
        raise ValueError(
            f"'{text}' is ambiguous: put the IPv6 address in brackets, [2001:db8::1]:{DEFAULT_PORT}"
        )
    else:
        host, colon, port = text.partition(":")
        port = port if colon else str(DEFAULT_PORT)
    if not (port.isascii() and port.isdecimal()) or int(port) > _MAX_PORT:
        raise ValueError(f"'{text}' has no usable port: a port is a number from 0 to {_MAX_PORT}")
    return host, int(port)


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """A certificate, its key, and the CA that both sides trust: the PEM files that `issue` writes."""

    cert: Path
    key: Path
    ca: Path

    @classmethod
    def in_directory(cls, directory: Path) -> "TlsFiles":
        """The files under the names that `tasuki-controller issue` gives them."""
        return cls(cert=directory / "cert.pem", key=directory / "key.pem", ca=directory / "ca.pem")

    def channel_credentials(self) -> grpc.ChannelCredentials:
        """Credentials of an agent or a client.

        Raises:
            OSError: a file cannot be read; the error names it.
        """
        return grpc.ssl_channel_credentials(
            root_certificates=self.ca.read_bytes(),
            private_key=self.key.read_bytes(),
            certificate_chain=self.cert.read_bytes(),
        )

    def server_credentials(self) -> grpc.ServerCredentials:
        """Credentials of the controller, which asks every peer for a certificate of the CA.

        Raises:
            OSError: a file cannot be read; the error names it.
        """
        return grpc.ssl_server_credentials(
            [(self.key.read_bytes(), self.cert.read_bytes())],
            root_certificates=self.ca.read_bytes(),
            require_client_auth=True,
        )


def require_local(target: Target) -> None:
    """Refuse to do without TLS where somebody else may be on the line.

    Raises:
        ValueError: the target is not this machine.
    """
    if not target.is_local:
        raise ValueError(
            f"--insecure is refused for {target}: without TLS only a loopback address or unix:PATH is allowed"
        )


def aio_channel(target: Target, tls: TlsFiles | None) -> aio.Channel:
    """Open an asyncio channel; nothing is dialled before the first call.

    Raises:
        ValueError: no TLS files, and the target is not this machine.
        OSError: a TLS file cannot be read.
    """
    if tls is None:
        require_local(target)
        return aio.insecure_channel(target.grpc_address, CLIENT_OPTIONS)
    return aio.secure_channel(target.grpc_address, tls.channel_credentials(), _TLS_CLIENT_OPTIONS)


def channel(target: Target, tls: TlsFiles | None) -> grpc.Channel:
    """As `aio_channel`, for programs without an event loop."""
    if tls is None:
        require_local(target)
        return grpc.insecure_channel(target.grpc_address, CLIENT_OPTIONS)
    return grpc.secure_channel(target.grpc_address, tls.channel_credentials(), _TLS_CLIENT_OPTIONS)
