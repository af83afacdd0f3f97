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
    """The controller refused a request and changed nothing; `errors` has every problem, up to thousands."""

    def __init__(self, errors: Sequence["ConfigError"], left_out: int = 0) -> None:
        self.errors = tuple(errors)
        self.left_out = left_out
        """How many problems there are beyond `errors`, for which the answer had no room."""
        super().__init__("\n".join(self.sentences()))

    def sentences(self) -> list[str]:
        """Every problem as one line, and how many more there are."""
        lines = [sentence(error) for error in self.errors]
        if self.left_out:
            lines.append(f"and {self.left_out} more problem{'s' if self.left_out > 1 else ''}")
        return lines


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
