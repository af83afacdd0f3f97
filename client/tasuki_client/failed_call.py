"""What a failed call means to the one who made it."""

import re
from collections.abc import Callable
from typing import Final

import grpc
from tasuki_proto.channel import Target
from tasuki_proto.status import config_errors, left_out

from tasuki_client.errors import AccessDenied, CallFailed, ConfigRejected, TasukiError, Unreachable, sentence


def from_rpc(error: grpc.RpcError, target: Target) -> TasukiError:
    """The exception for a failed call: problems of the request first, else what its code says."""
    problems = config_errors(error)
    if problems and error.code() not in _DENIED:
        return ConfigRejected(problems, left_out(error))
    details = "; ".join(map(sentence, problems)) or error.details() or "no details"
    return _EXPLAINED.get(error.code(), _failed)(target, details)


def _unreachable(target: Target, details: str) -> TasukiError:
    if "handshake" in details.lower():
        return Unreachable(
            f"the TLS handshake with the controller at {target} failed: the certificate must come from its "
            f"CA and be valid today, and a controller that runs with --insecure is reached with --insecure "
            f"({details})"
        )
    # By TLS 1.3 a client is through with the handshake before the controller judges its certificate.
    if _HUNG_UP.search(details):
        return Unreachable(
            f"the controller at {target} closes the connection: the certificate must come from its CA and be "
            f"valid today, and only a controller that runs with --insecure is reached with --insecure "
            f"({details})"
        )
    return Unreachable(
        f"no controller answers at {target}: start tasuki-controller there, or give its address with "
        f"--controller or TASUKI_CONTROLLER ({details})"
    )


def _too_late(target: Target, details: str) -> TasukiError:
    return Unreachable(f"the controller at {target} did not answer in time: look at its log ({details})")


def _denied(target: Target, details: str) -> TasukiError:
    return AccessDenied(
        f"{details} The controller at {target} lets operators do this: 'tasuki-controller issue operator "
        f"NAME --out DIR' makes a certificate for one"
    )


def _unknown_call(target: Target, details: str) -> TasukiError:
    return CallFailed(
        f"the controller at {target} does not offer this: is it as new as this program? ({details})"
    )


def _failed(target: Target, details: str) -> TasukiError:
    return CallFailed(f"the controller at {target} failed: {details}")


def _said(_target: Target, details: str) -> TasukiError:
    return CallFailed(details)


_HUNG_UP: Final = re.compile(r"failed to connect .*: (Socket closed|.*Connection reset)", re.DOTALL)
_DENIED: Final = (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED)
_EXPLAINED: Final[dict[grpc.StatusCode, Callable[[Target, str], TasukiError]]] = {
    grpc.StatusCode.UNAVAILABLE: _unreachable,
    grpc.StatusCode.DEADLINE_EXCEEDED: _too_late,
    **dict.fromkeys(_DENIED, _denied),
    grpc.StatusCode.UNIMPLEMENTED: _unknown_call,
    grpc.StatusCode.NOT_FOUND: _said,
    grpc.StatusCode.INVALID_ARGUMENT: _said,
    grpc.StatusCode.FAILED_PRECONDITION: _said,
}
