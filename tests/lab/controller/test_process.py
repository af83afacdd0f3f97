"""The command `tasuki-controller` as an administrator meets it."""

import asyncio
import contextlib
import json
import signal
import socket
import sqlite3
import stat
import zlib
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import pytest
from controller_process import ControllerProcess, Operator, command, health, network, operator, running
from grpc import aio
from grpc_health.v1 import health_pb2
from tasuki_proto.channel import Target
from tasuki_proto.v1 import config_pb2


@dataclass
class Writer:
    """Commits one router after the other until the controller is gone."""

    acknowledged: int = 0
    further: asyncio.Event = field(default_factory=asyncio.Event)

    async def write(self, alice: Operator, goal: int) -> None:
        self.further.clear()
        while True:
            number = self.acknowledged + 1
            response = await alice.apply(network(f"r{number}"), comment=f"{number}")
            assert response.committed
            self.acknowledged = response.revision
            if number >= goal:
                self.further.set()


async def test_kill_9_during_a_stream_of_commits_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    writer = Writer()
    for goal in (10, 30, 50):
        async with running(tmp_path, "--insecure") as controller, operator(controller.target) as alice:
            writing = asyncio.create_task(writer.write(alice, goal))
            await writer.further.wait()
            await controller.kill()
            with pytest.raises(aio.AioRpcError):
                await writing
        async with running(tmp_path, "--insecure") as controller, operator(controller.target) as alice:
            listed = await alice.config.ListRevisions(config_pb2.ListRevisionsRequest())
            numbers = [revision.number for revision in listed.revisions]
            # One more may be durable, whose acknowledgement was lost on the way.
            assert numbers[0] in (writer.acknowledged, writer.acknowledged + 1)
            assert numbers == list(range(numbers[0], 0, -1))
            writer.acknowledged = numbers[0]
            names = {router["name"] for router in (await alice.get())["tasuki-network:network"]["router"]}
            assert names == {f"r{revision.comment}" for revision in listed.revisions}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_ends_cleanly_when_asked_though_streams_are_open(
    controller: ControllerProcess, alice: Operator, number: signal.Signals
) -> None:
    watch = alice.router.WatchRouters({})
    watched = health(alice.channel).Watch(health_pb2.HealthCheckRequest())
    first = await watched.read()
    assert first.status == health_pb2.HealthCheckResponse.SERVING
    reading = asyncio.create_task(watch.read())
    controller.process.send_signal(number)
    assert (await watched.read()).status == health_pb2.HealthCheckResponse.NOT_SERVING
    assert await controller.process.wait() == 0
    with pytest.raises(aio.AioRpcError) as ended:
        await reading
    assert ended.value.code() is grpc.StatusCode.UNAVAILABLE
    assert ended.value.details() == "The controller is shutting down."


@pytest.mark.parametrize("service", ["", "tasuki.v1.ConfigService", "tasuki.v1.AgentService"])
async def test_health_is_told_of_the_whole_and_of_each_service(alice: Operator, service: str) -> None:
    answer = await health(alice.channel).Check(health_pb2.HealthCheckRequest(service=service))
    assert answer.status == health_pb2.HealthCheckResponse.SERVING


async def test_it_listens_on_several_addresses_and_unix_sockets(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    arguments = ("--listen", "[::1]:0", "--listen", f"unix:{path}", "--insecure")
    async with running(tmp_path / "state", *arguments) as controller:
        ready = controller.lines[-1]
        assert "127.0.0.1:" in ready
        assert "[::1]:" in ready
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        async with operator(Target(path=str(path))) as alice:
            await alice.apply(network("a"))
            listed = await alice.config.ListRevisions(config_pb2.ListRevisionsRequest())
            assert listed.revisions[0].peer == "unix"


async def test_the_socket_of_a_killed_controller_is_no_obstacle_and_that_of_a_living_one_is(
    tmp_path: Path,
) -> None:
    target = f"unix:{tmp_path}/socket"
    async with running(tmp_path / "a", "--insecure", listen=target) as controller:
        await controller.kill()
    async with running(tmp_path / "a", "--insecure", listen=target):
        status, output = await command("--state-dir", tmp_path / "b", "--listen", target, "--insecure")
        assert status == 1
        assert output == f"tasuki-controller: cannot listen on {target}: Address already in use\n"
    (tmp_path / "file").write_text("precious")
    status, output = await command(
        "--state-dir", tmp_path / "b", "--listen", f"unix:{tmp_path}/file", "--insecure"
    )
    assert status == 1
    assert (tmp_path / "file").read_text() == "precious"


async def test_a_port_in_use_is_one_clear_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        status, output = await command("--state-dir", tmp_path, "--listen", f"127.0.0.1:{port}", "--insecure")
    assert status == 1
    assert output == f"tasuki-controller: cannot listen on 127.0.0.1:{port}: Address already in use\n"


@pytest.mark.parametrize("listen", ["198.51.100.1:1", "no-such-host.invalid:1", "unix:/nonexistent/socket"])
async def test_an_address_that_is_not_ours_is_one_clear_line(tmp_path: Path, listen: str) -> None:
    status, _ = await command("init", "--state-dir", tmp_path)
    assert status == 0
    status, output = await command("--state-dir", tmp_path, "--listen", listen)
    assert status == 1
    assert output.startswith(f"tasuki-controller: cannot listen on {listen}: ")
    assert output.count("\n") == 1


async def test_without_init_it_says_what_to_do(tmp_path: Path) -> None:
    status, output = await command("--state-dir", tmp_path)
    assert status == 1
    assert "run 'tasuki-controller init' first" in output
    assert output.count("\n") == 1


async def test_a_second_controller_on_the_state_directory_is_refused(
    controller: ControllerProcess, tmp_path: Path
) -> None:
    status, output = await command("--state-dir", tmp_path / "state", "--listen", "127.0.0.1:0", "--insecure")
    assert status == 1
    assert output == f"tasuki-controller: another tasuki-controller is running on {tmp_path / 'state'}\n"


async def test_a_damaged_database_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "tasuki.db").write_bytes(b"\0garbage" * 1000)
    status, output = await command("--state-dir", tmp_path, "--listen", "127.0.0.1:0", "--insecure")
    assert status == 1
    assert output == f"tasuki-controller: {tmp_path}/tasuki.db cannot be used: file is not a database\n"


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (b"nonsense", "The database failed"),
        (
            zlib.compress(b'[{"tasuki-network:network":{"gone":1}},{}]'),
            "revision 1 is not valid for this version",
        ),
    ],
)
async def test_a_revision_that_this_version_cannot_take_ends_the_start(
    tmp_path: Path, document: bytes, words: str
) -> None:
    async with running(tmp_path, "--insecure") as controller, operator(controller.target) as alice:
        await alice.apply(network("a"))
    with contextlib.closing(sqlite3.connect(tmp_path / "tasuki.db")) as database, database:
        database.execute("UPDATE revision SET document = ?", (document,))
    status, output = await command("--state-dir", tmp_path, "--listen", "127.0.0.1:0", "--insecure")
    assert status == 1
    assert output.startswith(f"tasuki-controller: {words}")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--insecure", "--listen", "0.0.0.0:9339"], "--insecure is refused"),
        (["--insecure", "--listen", "127.0.0.1:1", "--listen", "[2001:db8::1]:1"], "--insecure is refused"),
        (["--insecure", "--tls-cert", "x"], "exclude each other"),
        (["--tls-cert", "x"], "go together"),
        (["--listen", "2001:db8::1"], "brackets"),
        (["--listen", "host:99999"], "port"),
        (["--blub"], "unrecognized"),
        (["issue", "king", "x", "--out", "y"], "invalid choice"),
        (["issue", "router", "x"], "--out"),
    ],
)
async def test_wrong_usage_is_exit_status_2(tmp_path: Path, arguments: list[str], words: str) -> None:
    status, output = await command("--state-dir", tmp_path, *arguments)
    assert status == 2
    assert words in output


@pytest.mark.parametrize("arguments", [[], ["init"], ["issue"]])
async def test_every_command_helps_with_an_example(arguments: list[str]) -> None:
    status, output = await command(*arguments, "--help")
    assert status == 0
    assert "example" in output


async def test_init_and_issue_say_what_they_made_and_refuse_to_overwrite(tmp_path: Path) -> None:
    state, out = tmp_path / "state", tmp_path / "out"
    assert (await command("init", "--state-dir", state, "--host", "vps.example.net"))[0] == 0
    assert (await command("--state-dir", state, "issue", "router", "home", "--out", out))[0] == 0
    assert sorted(file.name for file in out.iterdir()) == ["ca.pem", "cert.pem", "key.pem"]
    for again in (["init"], ["issue", "router", "home", "--out", str(out)]):
        status, output = await command("--state-dir", state, *again)
        assert status == 1
        assert "exists already" in output
        assert output.count("\n") == 1


async def test_log_lines_are_json_when_asked(tmp_path: Path) -> None:
    async with running(tmp_path, "--insecure", "--log-format", "json") as controller:
        line = json.loads(controller.lines[0])
        assert line["level"] == "info"
        assert line["message"].startswith("ready on 127.0.0.1:")


async def test_what_it_keeps_is_for_its_owner_only(controller: ControllerProcess, tmp_path: Path) -> None:
    for path in [tmp_path / "state", *(tmp_path / "state").iterdir()]:
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
