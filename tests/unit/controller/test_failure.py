from typing import get_args

import grpc
import pytest
from tasuki_controller.failure import Failed, code_of, message_of, text_of
from tasuki_proto import status
from tasuki_proto.v1 import error_pb2
from tasuki_yang.errors import ConfigError, ErrorTag


def problem(tag: ErrorTag, message: str = "It is wrong.", path: str = "", router: str = "") -> ConfigError:
    return ConfigError(error_tag=tag, message=message, error_path=path, router=router)


@pytest.mark.parametrize("tag", get_args(ErrorTag))
def test_every_error_tag_has_a_grpc_code(tag: ErrorTag) -> None:
    assert code_of([problem(tag)]) not in (grpc.StatusCode.OK, grpc.StatusCode.UNKNOWN)


@pytest.mark.parametrize(
    ("tags", "code"),
    [
        (["data-missing"], grpc.StatusCode.NOT_FOUND),
        (["data-exists"], grpc.StatusCode.ALREADY_EXISTS),
        (["operation-failed"], grpc.StatusCode.ABORTED),
        (["data-missing", "unknown-element"], grpc.StatusCode.INVALID_ARGUMENT),
        (["operation-failed", "data-missing"], grpc.StatusCode.NOT_FOUND),
        (["invalid-value", "access-denied"], grpc.StatusCode.PERMISSION_DENIED),
    ],
)
def test_the_most_significant_problem_decides_the_code(tags: list[ErrorTag], code: grpc.StatusCode) -> None:
    assert code_of([problem(tag) for tag in tags]) is code


def test_one_problem_is_one_line() -> None:
    assert text_of([problem("invalid-value", "Too large.", "/a:b")]) == "/a:b: Too large."


def test_a_router_is_named_before_the_path() -> None:
    assert text_of([problem("invalid-value", "Too large.", "/a:b", "vps")]) == "vps /a:b: Too large."


def test_several_problems_are_counted_and_listed() -> None:
    assert text_of([problem("invalid-value", f"No {n}.") for n in (1, 2)]) == "2 problems\nNo 1.\nNo 2."


def test_the_text_ends_before_headers_get_too_large_and_says_so() -> None:
    text = text_of([problem("invalid-value", "x" * 100) for _ in range(255)])
    assert len(text) < 4000
    assert text.startswith("255 problems\n")
    assert text.endswith("more, in the details of this status")


def test_a_huge_single_problem_is_cut() -> None:
    assert len(str(Failed([problem("invalid-value", "x" * 100_000)]))) < 4000


class Call(grpc.RpcError):
    def __init__(self, metadata: object) -> None:
        self._metadata = metadata

    def trailing_metadata(self) -> object:  # type: ignore[override]
        return self._metadata


def sent(count: int, size: int) -> tuple[error_pb2.ConfigError, ...]:
    problems = [
        message_of(problem("invalid-value", f"{n} " + "x" * size, f"/a:b[c='{n}']")) for n in range(count)
    ]
    return status.config_errors(
        Call(status.trailing_metadata(grpc.StatusCode.INVALID_ARGUMENT, "text", problems))
    )


def test_clients_get_every_problem() -> None:
    problems = sent(255, 100)
    assert len(problems) == 255
    assert problems[7].error_path == "/a:b[c='7']"
    assert problems[7].error_tag == "invalid-value"


def test_problems_stop_where_clients_would_not_take_more() -> None:
    assert 0 < len(sent(20_000, 1000)) < 2000


@pytest.mark.parametrize("metadata", [None, (), (("grpc-status-details-bin", b""),), (("other", b"\xff"),)])
def test_a_failure_without_details_has_no_problems(metadata: object) -> None:
    assert status.config_errors(Call(metadata)) == ()
