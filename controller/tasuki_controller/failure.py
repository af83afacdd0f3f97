"""How a call fails: one gRPC code, one readable text, and every problem behind it.

The problems keep NETCONF's words (RFC 6241 section 4.3); a gRPC code stands for several error-tags, so both
travel. Servicers raise `Failed` or let `InvalidIntent` pass; `tasuki_controller.gate` makes the answer of it.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import grpc
from tasuki_proto.v1 import error_pb2
from tasuki_yang.errors import ConfigError, ErrorTag

_TEXT_LIMIT: Final = 3000
"""Length of the text of a failed call: HTTP/2 peers take about 8 KiB of headers, and percent-encode them."""

_CODES: Final[Mapping[ErrorTag, grpc.StatusCode]] = {
    "access-denied": grpc.StatusCode.PERMISSION_DENIED,
    "in-use": grpc.StatusCode.FAILED_PRECONDITION,
    "lock-denied": grpc.StatusCode.FAILED_PRECONDITION,
    "resource-denied": grpc.StatusCode.RESOURCE_EXHAUSTED,
    "malformed-message": grpc.StatusCode.INVALID_ARGUMENT,
    "invalid-value": grpc.StatusCode.INVALID_ARGUMENT,
    "too-big": grpc.StatusCode.INVALID_ARGUMENT,
    "missing-attribute": grpc.StatusCode.INVALID_ARGUMENT,
    "bad-attribute": grpc.StatusCode.INVALID_ARGUMENT,
    "unknown-attribute": grpc.StatusCode.INVALID_ARGUMENT,
    "missing-element": grpc.StatusCode.INVALID_ARGUMENT,
    "bad-element": grpc.StatusCode.INVALID_ARGUMENT,
    "unknown-element": grpc.StatusCode.INVALID_ARGUMENT,
    "unknown-namespace": grpc.StatusCode.INVALID_ARGUMENT,
    "data-missing": grpc.StatusCode.NOT_FOUND,
    "data-exists": grpc.StatusCode.ALREADY_EXISTS,
    "operation-not-supported": grpc.StatusCode.UNIMPLEMENTED,
    "rollback-failed": grpc.StatusCode.INTERNAL,
    "operation-failed": grpc.StatusCode.ABORTED,
}
"""The code of every error-tag. Of several problems, the one that stands first here decides."""

_SIGNIFICANCE: Final = {tag: rank for rank, tag in enumerate(_CODES)}


class Failed(Exception):  # noqa: N818 - the call failed; what is wrong is in the problems
    """The call cannot succeed, for these reasons."""

    def __init__(self, problems: Sequence[ConfigError], code: grpc.StatusCode | None = None) -> None:
        super().__init__(text_of(problems))
        self.problems = tuple(problems)
        self.code = code or code_of(problems)


def missing(message: str, path: str = "") -> Failed:
    """What the call names is not there."""
    return Failed(
        [ConfigError(error_type="application", error_tag="data-missing", error_path=path, message=message)]
    )


def invalid(message: str, tag: ErrorTag = "invalid-value") -> Failed:
    """The request itself, rather than the configuration in it, is wrong."""
    return Failed([ConfigError(error_type="protocol", error_tag=tag, message=message)])


def code_of(problems: Sequence[ConfigError]) -> grpc.StatusCode:
    """The gRPC code of the most significant problem."""
    return _CODES[min((problem.error_tag for problem in problems), key=_SIGNIFICANCE.__getitem__)]


def text_of(problems: Sequence[ConfigError]) -> str:
    """Every problem as a line for people, until the text gets too long."""
    lines = [_line(problem) for problem in problems]
    if len(lines) == 1:
        return lines[0][:_TEXT_LIMIT]
    text = f"{len(lines)} problems"
    for number, line in enumerate(lines):
        if len(text) + len(line) > _TEXT_LIMIT:
            return f"{text}\n… and {len(lines) - number} more, in the details of this status"
        text += f"\n{line}"
    return text


def _line(problem: ConfigError) -> str:
    place = " ".join(part for part in (problem.router, problem.error_path) if part)
    return f"{place}: {problem.message}" if place else problem.message


def message_of(problem: ConfigError) -> error_pb2.ConfigError:
    """The problem as it travels."""
    return error_pb2.ConfigError(
        error_type=problem.error_type,
        error_tag=problem.error_tag,
        error_app_tag=problem.error_app_tag,
        error_path=problem.error_path,
        message=problem.message,
        error_info=problem.error_info,
        router=problem.router,
    )
