"""Who calls, and what they may do.

A peer's certificate says its part in a URI among the subject alternative names. A router may do nothing but
keep its own agent's stream; an operator may do everything else. Without TLS, which only loopback addresses
and UNIX sockets do without, whoever can reach the socket may do everything.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from urllib.parse import unquote

from tasuki_yang.errors import ConfigError

from tasuki_controller.failure import Failed

if TYPE_CHECKING:
    from grpc import aio

Context: TypeAlias = "aio.ServicerContext[Any, Any]"


class Role(Enum):
    """What a caller is to the controller."""

    OPERATOR = "operator"
    ROUTER = "router"
    LOCAL = "local"


@dataclass(frozen=True, slots=True)
class Caller:
    """A peer: its part, the name in its certificate, and where it calls from."""

    role: Role
    name: str
    peer: str


_FOR_EVERYONE: Final = frozenset({"grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection"})
_FOR_ROUTERS: Final = frozenset({"tasuki.v1.AgentService"})
_FOR_OPERATORS: Final = frozenset(
    {
        "tasuki.v1.ConfigService",
        "tasuki.v1.RouterService",
        "tasuki.v1.DriftService",
        "tasuki.v1.FactService",
    }
)
_ALLOWED: Final[Mapping[Role, frozenset[str]]] = {
    Role.ROUTER: _FOR_EVERYONE | _FOR_ROUTERS,
    Role.OPERATOR: _FOR_EVERYONE | _FOR_OPERATORS,
    Role.LOCAL: _FOR_EVERYONE | _FOR_ROUTERS | _FOR_OPERATORS,
}
"""Services by role. What is not listed is denied."""


def caller_of(context: Context) -> Caller:
    """The peer of a call.

    Raises:
        Failed: access-denied, because the peer's certificate does not say one part of one name.
    """
    peer = _readable(context.peer())
    properties = context.auth_context()
    if properties.get("transport_security_type") != [b"ssl"]:
        return Caller(Role.LOCAL, "local", peer)
    return identify([name.decode() for name in properties.get("x509_subject_alternative_name", ())], peer)


def identify(names: list[str], peer: str) -> Caller:
    """The caller that a certificate with these subject alternative names stands for.

    Raises:
        Failed: access-denied, because they do not say one part of one name.
    """
    parts = [name.split(":", 2) for name in names if name.startswith("tasuki:")]
    match parts:
        case [["tasuki", "router", name]] if name:
            return Caller(Role.ROUTER, name, peer)
        case [["tasuki", "operator", name]] if name:
            return Caller(Role.OPERATOR, name, peer)
    raise denied(
        "The certificate is neither a router's nor an operator's: it needs one subject alternative name"
        " URI:tasuki:router:NAME or URI:tasuki:operator:NAME, as 'tasuki-controller issue' makes them."
    )


def authorize(caller: Caller, service: str) -> None:
    """Let the caller use the service.

    Raises:
        Failed: access-denied.
    """
    if service not in _ALLOWED[caller.role]:
        raise denied(f"The {caller.role.value} '{caller.name}' may not call {service}.")


def denied(message: str) -> Failed:
    """The caller has no right to this."""
    return Failed([ConfigError(error_type="protocol", error_tag="access-denied", message=message)])


def _readable(peer: str) -> str:
    kind, _, address = peer.partition(":")
    return unquote(address) if kind in {"ipv4", "ipv6"} else unquote(peer).rstrip(":")
