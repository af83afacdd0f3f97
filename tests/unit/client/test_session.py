"""A session is kept while its context is open and closed when it is left. Here a real server counts."""

import asyncio
import inspect
import json
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest
from tasuki_client import AsyncClient, Client, ConfigRejected, NodeEdit, TasukiError, Unreachable, calls
from tasuki_client.aio import AsyncSession
from tasuki_client.client import Session
from tasuki_proto.channel import SERVER_OPTIONS
from tasuki_proto.status import trailing_metadata
from tasuki_proto.v1 import config_pb2, config_pb2_grpc
from tasuki_proto.v1.error_pb2 import ConfigError

LEASE = 1
"""Seconds; the shortest there is, so that it is renewed three times a second."""
Fail = Callable[[grpc.ServicerContext], None]


def succeed(_: grpc.ServicerContext) -> None:
    pass


def ended(context: grpc.ServicerContext) -> None:
    problem = ConfigError(error_tag="invalid-value", message="There is no such session.")
    context.set_trailing_metadata(trailing_metadata(grpc.StatusCode.INVALID_ARGUMENT, "", [problem]))
    context.abort(grpc.StatusCode.INVALID_ARGUMENT, "There is no such session.")


def unavailable(context: grpc.ServicerContext) -> None:
    context.abort(grpc.StatusCode.UNAVAILABLE, "shutting down")


class Sessions(config_pb2_grpc.ConfigServiceServicer):
    """Opens one session, and counts how often it is kept and closed."""

    def __init__(self) -> None:
        self.kept, self.closed = 0, 0
        self.on_keep: Fail = succeed
        self.on_close: Fail = succeed
        self._changed = threading.Condition()

    def OpenSession(  # noqa: N802
        self, request: config_pb2.OpenSessionRequest, context: grpc.ServicerContext
    ) -> config_pb2.OpenSessionResponse:
        return config_pb2.OpenSessionResponse(
            token="secret", session_id=7, lease_seconds=request.lease_seconds
        )

    def KeepSession(  # noqa: N802
        self, request: config_pb2.KeepSessionRequest, context: grpc.ServicerContext
    ) -> config_pb2.KeepSessionResponse:
        assert request.token == "secret"
        with self._changed:
            self.kept += 1
            self._changed.notify_all()
        self.on_keep(context)
        return config_pb2.KeepSessionResponse(lease_seconds=LEASE)

    def CloseSession(  # noqa: N802
        self, request: config_pb2.CloseSessionRequest, context: grpc.ServicerContext
    ) -> config_pb2.CloseSessionResponse:
        assert request.token == "secret"
        self.closed += 1
        self.on_close(context)
        return config_pb2.CloseSessionResponse()

    def until_kept(self, times: int) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: self.kept >= times, timeout=60)


@pytest.fixture
def sessions() -> Sessions:
    return Sessions()


@pytest.fixture
def address(sessions: Sessions, tmp_path: Path) -> Iterator[str]:
    server = grpc.server(ThreadPoolExecutor(2), options=SERVER_OPTIONS)
    config_pb2_grpc.add_ConfigServiceServicer_to_server(sessions, server)  # type: ignore[no-untyped-call]
    server.add_insecure_port(f"unix:{tmp_path}/socket")
    server.start()
    yield f"unix:{tmp_path}/socket"
    server.stop(None).wait()


@pytest.fixture
def client(address: str) -> Iterator[Client]:
    with Client(address) as made:
        yield made


@pytest.fixture
async def async_client(address: str) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(address) as made:
        yield made


def test_a_session_is_kept_while_it_is_open_and_closed_once(client: Client, sessions: Sessions) -> None:
    with client.session(lease=LEASE) as session:
        assert (session.token, session.number, session.lease) == ("secret", 7, LEASE)
        sessions.until_kept(2)
    assert sessions.closed == 1
    kept = sessions.kept
    time.sleep(2 * LEASE / 3)
    assert sessions.kept <= kept + 1  # one may have been under way


async def test_so_it_is_on_an_event_loop(async_client: AsyncClient, sessions: Sessions) -> None:
    async with async_client.session(lease=LEASE) as session:
        assert (session.token, session.number, session.lease) == ("secret", 7, LEASE)
        await asyncio.to_thread(sessions.until_kept, 2)
    assert sessions.closed == 1
    assert not [task for task in asyncio.all_tasks() if task.get_name() == "tasuki-session"]


def test_a_short_outage_does_not_end_the_renewals(client: Client, sessions: Sessions) -> None:
    with client.session(lease=LEASE):
        sessions.on_keep = unavailable
        sessions.until_kept(1)
        sessions.on_keep = succeed
        sessions.until_kept(3)


async def test_nor_on_an_event_loop(async_client: AsyncClient, sessions: Sessions) -> None:
    async with async_client.session(lease=LEASE):
        sessions.on_keep = unavailable
        await asyncio.to_thread(sessions.until_kept, 1)
        sessions.on_keep = succeed
        await asyncio.to_thread(sessions.until_kept, 3)


def test_a_session_that_has_ended_is_not_kept_and_its_end_is_told(client: Client, sessions: Sessions) -> None:
    sessions.on_keep = sessions.on_close = ended

    def stay() -> None:
        with client.session(lease=LEASE) as session:
            sessions.until_kept(1)
            session._keeper.join(timeout=60)
            assert not session._keeper.is_alive()

    with pytest.raises(ConfigRejected, match="no such session"):
        stay()


def test_what_failed_inside_is_told_rather_than_that_it_could_not_be_closed(
    client: Client, sessions: Sessions
) -> None:
    sessions.on_close = unavailable
    with pytest.raises(ZeroDivisionError), client.session():
        _ = 1 / 0
    assert sessions.closed == 1
    with pytest.raises(Unreachable), client.session():
        pass


async def test_so_is_it_on_an_event_loop(async_client: AsyncClient, sessions: Sessions) -> None:
    sessions.on_close = unavailable
    with pytest.raises(ZeroDivisionError):
        async with async_client.session():
            _ = 1 / 0
    with pytest.raises(TasukiError):
        async with async_client.session():
            pass
    assert sessions.closed == 2


@pytest.mark.parametrize(("blocking", "awaited"), [(Client, AsyncClient), (Session, AsyncSession)])
def test_both_clients_offer_the_same_and_say_the_same_of_it(blocking: type, awaited: type) -> None:
    def offered(of: type) -> dict[str, inspect.Signature]:
        return {
            name: inspect.signature(member)
            for name, member in vars(of).items()
            if callable(member) and not name.startswith("_") and name not in {"session", "perform", "follow"}
        }

    assert offered(blocking) == offered(awaited)
    assert "token" not in inspect.signature(Session.commit).parameters
    assert Session.commit.__doc__ == calls.commit.__doc__


def test_a_commit_is_confirmed_only_if_a_time_is_given_and_no_time_is_no_time() -> None:
    plain = calls.commit("t").request
    assert not plain.confirmed  # type: ignore[attr-defined]
    assert not plain.HasField("confirm_timeout")
    assert calls.commit("t", confirm=60).request == config_pb2.CommitRequest(
        token="t", confirmed=True, confirm_timeout=60
    )
    # The controller refuses this one: RFC 6241 has the timeout begin at one second.
    assert calls.commit("t", confirm=0).request == config_pb2.CommitRequest(
        token="t", confirmed=True, confirm_timeout=0
    )
    for one_shot in (calls.apply, lambda **o: calls.rollback(1, **o)):
        with pytest.raises(ValueError, match="at least a second"):
            one_shot(confirm=0)


def test_an_edit_takes_documents_and_nodes_each_with_what_it_says_for_itself() -> None:
    document = {"tasuki-network:network": {"router": [{"name": "襷"}]}}
    remove = NodeEdit("/a:b", operation=config_pb2.EDIT_OPERATION_REMOVE, router="vps")
    request = calls.edit(
        "t", document, remove, NodeEdit("/a:c", False), operation=config_pb2.EDIT_OPERATION_CREATE, router="r"
    ).request
    assert isinstance(request, config_pb2.EditRequest)
    first, second, third = request.edits
    assert (first.path, json.loads(first.value_json), first.router) == ("", document, "r")
    assert first.operation == third.operation == config_pb2.EDIT_OPERATION_CREATE
    assert (second.value_json, second.operation, second.router) == (b"", remove.operation, "vps")
    assert third.value_json == b"false"
    assert request.default_operation == config_pb2.EDIT_OPERATION_MERGE


def test_a_call_that_waits_for_routers_is_given_the_time() -> None:
    assert calls.commit("t", wait=300).seconds > 300
    assert calls.apply(wait=300).seconds > 300
    assert calls.rollback(1, wait=300).seconds > 300
