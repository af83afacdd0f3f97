"""The Python client and the `tasuki` command."""

from typing import TYPE_CHECKING, Any

from tasuki_client.errors import AccessDenied, CallFailed, ConfigRejected, TasukiError, Unreachable

if TYPE_CHECKING:
    from tasuki_client.client import Client

__all__ = ["AccessDenied", "CallFailed", "Client", "ConfigRejected", "TasukiError", "Unreachable"]


def __getattr__(name: str) -> Any:
    """Import the client when it is first asked for: gRPC takes longer than the rest of `tasuki --help`."""
    if name != "Client":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from tasuki_client.client import Client  # noqa: PLC0415

    return Client
