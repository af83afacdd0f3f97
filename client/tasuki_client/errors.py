"""Why a call to the controller, or the work before it, did not succeed.

Every message is for the person at the keyboard: what was tried, what went wrong, what to do next.
Imports no gRPC, which takes longer than the rest of `tasuki --help`.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tasuki_proto.v1.error_pb2 import ConfigError


class TasukiError(Exception):
    """What the other classes have in common, for callers that treat all of them alike."""


class ConfigRejected(TasukiError):  # noqa: N818 - a verdict on the request, not a fault of the program
    """The controller refused a request and changed nothing; `errors` has every problem."""

    def __init__(self, errors: Sequence["ConfigError"]) -> None:
        self.errors = tuple(errors)
        super().__init__("\n".join(map(sentence, self.errors)))


class Unreachable(TasukiError):  # noqa: N818
    """No controller answers, or it does not answer in time."""


class AccessDenied(TasukiError):  # noqa: N818
    """The controller does not know the caller, or does not let it do this."""


class CallFailed(TasukiError):  # noqa: N818
    """The controller answered with a failure that names no problem of the request."""


def sentence(error: "ConfigError") -> str:
    """One problem as one line: where, and what is wrong and allowed there."""
    message = error.message or error.error_tag
    return ": ".join(part for part in (error.router, error.error_path, message) if part)
