"""The Python client and the `tasuki` command."""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from tasuki_client.errors import AccessDenied, CallFailed, ConfigRejected, TasukiError, Unreachable

if TYPE_CHECKING:
    from tasuki_client.aio import AsyncClient
    from tasuki_client.calls import NodeEdit
    from tasuki_client.client import Client

__all__ = [
    "AccessDenied",
    "AsyncClient",
    "CallFailed",
    "Client",
    "ConfigRejected",
    "NodeEdit",
    "TasukiError",
    "Unreachable",
]

_LATER: Final = {"AsyncClient": "aio", "Client": "client", "NodeEdit": "calls"}


def __getattr__(name: str) -> Any:
    """Import what needs gRPC when first asked for: it takes longer than the rest of `tasuki --help`."""
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"tasuki_client.{_LATER[name]}"), name)
