"""A failed call says what to do next. Here real calls to a real server fail."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest
from tasuki_client import AccessDenied, CallFailed, Client, ConfigRejected, TasukiError, Unreachable
from tasuki_proto.channel import SERVER_OPTIONS
from tasuki_proto.status import trailing_metadata
from tasuki_proto.v1 import router_pb2, router_pb2_grpc
from tasuki_proto.v1.error_pb2 import ConfigError

Fail = Callable[[grpc.ServicerContext], None]


class Routers(router_pb2_grpc.RouterServiceServicer):
    """Fails every call as it is told to; answers watches with one router first."""

    def __init__(self) -> None:
        self.fail: Fail = lambda context: context.abort(grpc.StatusCode.INTERNAL, "not told how")

    def ListRouters(  # noqa: N802
        self, request: router_pb2.ListRoutersRequest, context: grpc.ServicerContext
    ) -> router_pb2.ListRoutersResponse:
        self.fail(context)
        return router_pb2.ListRoutersResponse()

    def WatchRouters(  # noqa: N802
        self, request: router_pb2.WatchRoutersRequest, context: grpc.ServicerContext
    ) -> Iterator[router_pb2.WatchRoutersResponse]:
        yield router_pb2.WatchRoutersResponse(router=router_pb2.Router(name="vps"))
        self.fail(context)


@pytest.fixture
def routers() -> Routers:
    return Routers()


@pytest.fixture
def client(routers: Routers, tmp_path: Path) -> Iterator[Client]:
    server = grpc.server(ThreadPoolExecutor(2), options=SERVER_OPTIONS)
    router_pb2_grpc.add_RouterServiceServicer_to_server(routers, server)  # type: ignore[no-untyped-call]
    server.add_insecure_port(f"unix:{tmp_path}/socket")
    server.start()
    with Client(f"unix:{tmp_path}/socket") as made:
        yield made
    server.stop(None).wait()


def refuse(code: grpc.StatusCode, details: str, *problems: ConfigError) -> Fail:
    def fail(context: grpc.ServicerContext) -> None:
        context.set_trailing_metadata(trailing_metadata(code, details, problems))
        context.abort(code, details)

    return fail


def test_every_problem_of_a_refused_request_arrives_whatever_the_code(
    client: Client, routers: Routers
) -> None:
    problems = [
        ConfigError(error_tag="invalid-value", error_path=f"/a[n='{n}']", message=f"Wrong {n}.")
        for n in range(300)
    ]
    problems.append(ConfigError(error_tag="data-missing", router="vps", message="襷"))
    routers.fail = refuse(grpc.StatusCode.UNAVAILABLE, "301 problems", *problems)
    with pytest.raises(ConfigRejected) as rejected:
        client.routers()
    assert list(rejected.value.errors) == problems
    lines = str(rejected.value).splitlines()
    assert lines[0] == "/a[n='0']: Wrong 0."
    assert lines[-1] == "vps: 襷"


def test_problems_that_do_not_fit_into_the_answer_are_counted(client: Client, routers: Routers) -> None:
    problems = [ConfigError(error_tag="invalid-value", message=f"{n} {'x' * 1000}") for n in range(1500)]
    routers.fail = refuse(grpc.StatusCode.INVALID_ARGUMENT, "1500 problems", *problems)
    with pytest.raises(ConfigRejected) as rejected:
        client.routers()
    arrived = len(rejected.value.errors)
    assert 0 < arrived < 1500
    assert rejected.value.left_out == 1500 - arrived
    assert str(rejected.value).splitlines()[-1] == f"and {1500 - arrived} more problems"


def test_one_problem_that_does_not_fit_is_told_in_the_singular() -> None:
    assert str(ConfigRejected([ConfigError(message="Wrong.")], left_out=1)) == "Wrong.\nand 1 more problem"


@pytest.mark.parametrize(
    ("details", "words"),
    [
        ("failed to connect to all addresses; last error: Socket closed", "closes the connection"),
        ("failed to connect to all addresses; last error: Connection reset by peer", "closes the connection"),
        ("last error: Tls handshake failed: CERTIFICATE_VERIFY_FAILED", "the TLS handshake"),
        ("last error: unix:/run/tls/socket: Connection refused", "no controller answers"),
        ("Socket closed", "no controller answers"),
    ],
)
def test_who_answers_and_hangs_up_is_told_from_nobody(
    client: Client, routers: Routers, details: str, words: str
) -> None:
    routers.fail = refuse(grpc.StatusCode.UNAVAILABLE, details)
    with pytest.raises(Unreachable, match=words):
        client.routers()


def test_a_problem_without_a_message_is_told_by_its_tag(client: Client, routers: Routers) -> None:
    routers.fail = refuse(grpc.StatusCode.ABORTED, "", ConfigError(error_tag="in-use"))
    with pytest.raises(ConfigRejected, match="in-use"):
        client.routers()


@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [
        (grpc.StatusCode.PERMISSION_DENIED, AccessDenied, "tasuki-controller issue operator"),
        (grpc.StatusCode.UNAUTHENTICATED, AccessDenied, "tasuki-controller issue operator"),
        (grpc.StatusCode.DEADLINE_EXCEEDED, Unreachable, "did not answer in time"),
        (grpc.StatusCode.UNAVAILABLE, Unreachable, "start tasuki-controller there"),
        (grpc.StatusCode.NOT_FOUND, CallFailed, "the words"),
        (grpc.StatusCode.INTERNAL, CallFailed, "failed: the words"),
        (grpc.StatusCode.DATA_LOSS, CallFailed, "failed: the words"),
    ],
)
def test_each_code_has_its_class_and_its_advice(
    client: Client, routers: Routers, code: grpc.StatusCode, kind: type[TasukiError], words: str
) -> None:
    routers.fail = refuse(code, "the words")
    with pytest.raises(kind, match=words):
        client.routers()


def test_a_call_that_the_controller_does_not_know_is_told_as_such(client: Client) -> None:
    with pytest.raises(CallFailed, match="is it as new as this program"):
        client.revisions()


def test_a_watch_that_breaks_off_gives_what_came_and_then_fails(client: Client, routers: Routers) -> None:
    routers.fail = refuse(grpc.StatusCode.UNAVAILABLE, "gone")
    watch = client.watch_routers()
    assert next(watch).name == "vps"
    with pytest.raises(Unreachable):
        next(watch)


def test_a_watch_ends_after_its_own_time_without_an_error(client: Client, routers: Routers) -> None:
    routers.fail = lambda context: context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, "")
    assert [router.name for router in client.watch_routers(seconds=5)] == ["vps"]


def test_nobody_at_the_address_is_told_with_the_address(tmp_path: Path) -> None:
    with (
        Client(f"unix:{tmp_path}/none") as client,
        pytest.raises(Unreachable, match="none: start "),
    ):
        client.get()


def test_without_tls_only_this_machine_is_talked_to() -> None:
    with pytest.raises(ValueError, match=r"--insecure is refused for 192\.0\.2\.1"):
        Client("192.0.2.1:9339")


def test_an_address_that_makes_no_sense_is_refused() -> None:
    with pytest.raises(ValueError, match="ambiguous"):
        Client("2001:db8::1")
