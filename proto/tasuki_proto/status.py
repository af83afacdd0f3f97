"""The problems of a failed call, as gRPC carries them.

A failed call has one gRPC code and one text; every problem behind it travels as a `tasuki.v1.ConfigError`
in the details of a `google.rpc.Status`, in the trailing metadata. The controller writes them here, clients
read them here.
"""

from collections.abc import Iterable, Sequence
from typing import Final, cast

import grpc
from google.rpc import status_pb2  # type: ignore[import-untyped]

from tasuki_proto.v1 import error_pb2

_DETAILS: Final = "grpc-status-details-bin"
_LEFT_OUT: Final = "tasuki-problems-left-out"
MAX_DETAILS: Final = 1 << 20
"""Size in bytes up to which problems are sent: half of what `tasuki_proto.channel` lets a client take."""


def trailing_metadata(
    code: grpc.StatusCode, message: str, errors: Sequence[error_pb2.ConfigError]
) -> tuple[tuple[str, str | bytes], ...]:
    """The trailing metadata of a failed call; problems beyond `MAX_DETAILS` are left out, and counted."""
    status = status_pb2.Status(code=code.value[0], message=message)
    size = 0
    for error in errors:
        size += error.ByteSize() + 64
        if size > MAX_DETAILS:
            break
        status.details.add().Pack(error)
    details = (_DETAILS, status.SerializeToString())
    left_out = len(errors) - len(status.details)
    return (details, (_LEFT_OUT, str(left_out))) if left_out else (details,)


def config_errors(error: grpc.RpcError) -> tuple[error_pb2.ConfigError, ...]:
    """Every problem that a failed call reports; none when it failed otherwise, as by a lost connection."""
    problems = []
    for value in _values(error, _DETAILS):
        for detail in status_pb2.Status.FromString(value).details:
            problem = error_pb2.ConfigError()
            if detail.Unpack(problem):
                problems.append(problem)
    return tuple(problems)


def left_out(error: grpc.RpcError) -> int:
    """How many problems a failed call has beyond those that it reports."""
    return sum(map(int, _values(error, _LEFT_OUT)))


def _values(error: grpc.RpcError, name: str) -> list[bytes]:
    # The stubs know only one of the two shapes that the blocking and the asyncio errors have in common.
    metadata = cast("Iterable[tuple[str, bytes]]", error.trailing_metadata() or ())
    return [value for key, value in metadata if key == name]
