"""A daemon on a router: dnsmasq, by its files and its process, changed with as little as it takes."""

import os
import shutil
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from kernel.programs.agent_process import opened
from kernel.programs.test_supervisor import eventually, is_alive
from tasuki_agent.daemon import SERVES, Daemon
from tasuki_agent.errors import Transient
from tasuki_agent.kernel import run
from tasuki_agent.kernel.ports import Port
from tasuki_agent.kernel.programs import Supervisor
from tasuki_agent.kernel.programs.daemon import DOES_NOT_RUN, Installation
from tasuki_agent.kernel.programs.process import stat

CONFIGURATION = "port=53\nno-resolv\nno-hosts\nlisten-address=127.0.0.1\nbind-interfaces\nuser=root\n"
PORTS = (Port("udp", 53, "127.0.0.1"), Port("tcp", 53, "127.0.0.1"))
REREAD = frozenset({"hosts"})


@dataclass
class Health:
    """What the probe says."""

    says: str = ""
    asked: int = 0

    async def probe(self) -> str:
        self.asked += 1
        return self.says


@pytest.fixture
def health() -> Health:
    return Health()


def installed(supervisor: Supervisor, state_dir: Path, health: Health) -> Installation:
    directory = state_dir / "dnsmasq"
    return Installation(
        supervisor,
        "dnsmasq",
        directory,
        ("dnsmasq", "--keep-in-foreground", "--log-facility=-", f"--conf-file={directory}/dnsmasq.conf"),
        reread=REREAD,
        checker=lambda files: ("dnsmasq", "--test", f"--conf-file={files}/dnsmasq.conf"),
        probe=health.probe,
    )


@pytest.fixture
async def dnsmasq(supervisor: Supervisor, tmp_path: Path, health: Health) -> AsyncIterator[Installation]:
    dnsmasq = installed(supervisor, tmp_path, health)
    yield dnsmasq
    await dnsmasq.remove()


@pytest.fixture
def wanted(dnsmasq: Installation) -> Daemon:
    files = {
        "dnsmasq.conf": f"{CONFIGURATION}addn-hosts={dnsmasq.directory}/hosts\n",
        "hosts": "192.0.2.1 one.example\n",
    }
    return Daemon(files, REREAD)


def changed(daemon: Daemon, name: str, more: str) -> Daemon:
    return replace(daemon, files={**daemon.files, name: daemon.files[name] + more})


async def process(dnsmasq: Installation) -> int:
    return (await dnsmasq.supervisor.running())["dnsmasq"].pid


async def test_nothing_is_there_at_first(dnsmasq: Installation) -> None:
    assert await dnsmasq.observe() is None


async def test_what_is_applied_is_observed(dnsmasq: Installation, wanted: Daemon) -> None:
    await dnsmasq.apply(wanted, doing="create dnsmasq", ports=PORTS)
    assert await dnsmasq.observe() == wanted


async def test_what_is_removed_leaves_nothing(dnsmasq: Installation, wanted: Daemon) -> None:
    await dnsmasq.apply(wanted, doing="create dnsmasq")
    pid = await process(dnsmasq)
    await dnsmasq.remove()
    assert await dnsmasq.observe() is None
    assert not is_alive(pid)
    assert not dnsmasq.directory.exists()


async def test_the_next_agent_finds_it_as_it_is(
    dnsmasq: Installation, wanted: Daemon, tmp_path: Path, health: Health
) -> None:
    await dnsmasq.apply(wanted, doing="create dnsmasq")
    supervisor = opened(tmp_path)
    assert await installed(supervisor, tmp_path, health).observe() == wanted
    supervisor.close()


async def test_a_change_of_what_it_reads_again_needs_no_restart(
    dnsmasq: Installation, wanted: Daemon
) -> None:
    await dnsmasq.apply(wanted, doing="create dnsmasq")
    pid = await process(dnsmasq)
    more = changed(wanted, "hosts", "192.0.2.2 two.example\n")
    await dnsmasq.apply(more, doing="change dnsmasq")
    assert await process(dnsmasq) == pid
    assert await dnsmasq.observe() == more


async def test_a_change_of_what_it_reads_only_when_started_restarts_it(
    dnsmasq: Installation, wanted: Daemon
) -> None:
    await dnsmasq.apply(wanted, doing="create dnsmasq", ports=PORTS)
    pid = await process(dnsmasq)
    other = changed(wanted, "dnsmasq.conf", "cache-size=10\n")
    await dnsmasq.apply(other, doing="change dnsmasq", ports=PORTS)
    assert await process(dnsmasq) != pid
    assert await dnsmasq.observe() == other


async def test_another_command_restarts_it_too(dnsmasq: Installation, wanted: Daemon) -> None:
    await dnsmasq.apply(wanted, doing="create dnsmasq")
    dnsmasq.command = (*dnsmasq.command, "--cache-size=10")
    seen = await dnsmasq.observe()
    assert seen is not None
    assert wanted.differences(seen) == {"current": (True, False)}
    await dnsmasq.apply(wanted, doing="change dnsmasq")
    assert await dnsmasq.observe() == wanted


async def test_to_apply_what_is_there_changes_nothing(dnsmasq: Installation, wanted: Daemon) -> None:
    await dnsmasq.apply(wanted, doing="create dnsmasq")
    pid = await process(dnsmasq)
    before = {path: path.stat().st_ino for path in dnsmasq.directory.iterdir()}
    await dnsmasq.apply(wanted, doing="change dnsmasq")
    assert {path: path.stat().st_ino for path in dnsmasq.directory.iterdir()} == before
    assert await process(dnsmasq) == pid


@pytest.mark.parametrize("name", ["dnsmasq.conf", "hosts"])
async def test_a_file_that_somebody_changed_is_seen_and_written_anew_without_a_restart(
    dnsmasq: Installation, wanted: Daemon, name: str
) -> None:
    await dnsmasq.apply(wanted, doing="create dnsmasq")
    pid = await process(dnsmasq)
    (dnsmasq.directory / name).write_text(f"{wanted.files[name]}# mine\n")
    seen = await dnsmasq.observe()
    assert seen is not None
    assert wanted.differences(seen) == {name: ("", "# mine")}
    await dnsmasq.apply(wanted, doing="change dnsmasq")
    assert await dnsmasq.observe() == wanted
    assert await process(dnsmasq) == pid


async def test_a_directory_that_somebody_deleted_is_made_anew_and_seen(
    dnsmasq: Installation, wanted: Daemon, tmp_path: Path
) -> None:
    dnsmasq.private = {tmp_path / "seen": dnsmasq.directory}
    await dnsmasq.apply(wanted, doing="create dnsmasq")
    shutil.rmtree(dnsmasq.directory)
    await dnsmasq.apply(wanted, doing="change dnsmasq")
    assert await dnsmasq.observe() == wanted
    assert seen_by(await process(dnsmasq), tmp_path / "seen/hosts") == wanted.files["hosts"]


def seen_by(pid: int, path: Path) -> str:
    return Path(f"/proc/{pid}/root{path}").read_text()


async def test_a_file_too_many_is_seen_and_removed(dnsmasq: Installation, wanted: Daemon) -> None:
    await dnsmasq.apply(wanted, doing="create dnsmasq")
    (dnsmasq.directory / "more").write_text("text\n")
    seen = await dnsmasq.observe()
    assert seen is not None
    assert wanted.differences(seen) == {"more": (None, "text\n")}
    await dnsmasq.apply(wanted, doing="change dnsmasq")
    assert await dnsmasq.observe() == wanted


async def test_what_no_text_can_be_read_from_is_no_crash(dnsmasq: Installation, wanted: Daemon) -> None:
    await dnsmasq.apply(wanted, doing="create dnsmasq")
    (dnsmasq.directory / "hosts").write_bytes(b"\xff\n")
    (dnsmasq.directory / "directory").mkdir()
    seen = await dnsmasq.observe()
    assert seen is not None
    assert set(wanted.differences(seen)) == {"hosts"}


async def test_a_killed_one_is_seen_and_started_again(dnsmasq: Installation, wanted: Daemon) -> None:
    await dnsmasq.apply(wanted, doing="create dnsmasq")
    os.kill(await process(dnsmasq), signal.SIGKILL)
    ended: list[str] = []
    dnsmasq.supervisor.on_end(ended.append)
    await eventually(lambda: ended == ["dnsmasq"])
    seen = await dnsmasq.observe()
    assert seen is not None
    assert wanted.differences(seen) == {"health": (SERVES, DOES_NOT_RUN)}
    await dnsmasq.apply(wanted, doing="change dnsmasq", ports=PORTS)
    assert await dnsmasq.observe() == wanted


async def test_one_that_runs_and_does_not_serve_is_restarted(
    dnsmasq: Installation, wanted: Daemon, health: Health
) -> None:
    await dnsmasq.apply(wanted, doing="create dnsmasq")
    pid = await process(dnsmasq)
    health.says = "it answers no query"
    seen = await dnsmasq.observe()
    assert seen is not None
    assert wanted.differences(seen) == {"health": (SERVES, "it answers no query")}
    await dnsmasq.apply(wanted, doing="change dnsmasq", ports=PORTS)
    assert await process(dnsmasq) != pid


async def test_an_agent_that_dies_before_it_has_told_tells_after_its_restart(
    dnsmasq: Installation, wanted: Daemon, tmp_path: Path, health: Health
) -> None:
    await dnsmasq.apply(wanted, doing="create dnsmasq")
    pid = await process(dnsmasq)
    more = changed(wanted, "hosts", "192.0.2.2 two.example\n")
    (dnsmasq.directory / "hosts").write_text(more.files["hosts"])
    seen = await dnsmasq.observe()
    assert seen is not None
    assert more.differences(seen) == {"current": (True, False)}
    await dnsmasq.apply(more, doing="change dnsmasq")
    assert await dnsmasq.observe() == more
    assert await process(dnsmasq) == pid


async def test_files_that_its_checker_refuses_never_take_the_others_place(
    dnsmasq: Installation, wanted: Daemon
) -> None:
    await dnsmasq.apply(wanted, doing="create dnsmasq")
    pid = await process(dnsmasq)
    bad = changed(wanted, "dnsmasq.conf", "no-such-option\n")
    for refused in (dnsmasq.check(bad, doing="change"), dnsmasq.apply(bad, doing="change")):
        with pytest.raises(Transient, match=r"^change: dnsmasq: bad option at line 8 of dnsmasq.conf$"):
            await refused
    assert await dnsmasq.observe() == wanted
    assert await process(dnsmasq) == pid


async def test_a_check_touches_nothing(dnsmasq: Installation, wanted: Daemon) -> None:
    await dnsmasq.check(wanted, doing="create", ports=PORTS)
    assert await dnsmasq.observe() is None
    assert not dnsmasq.directory.exists()


async def test_its_own_ports_are_not_in_its_way(dnsmasq: Installation, wanted: Daemon) -> None:
    await dnsmasq.apply(wanted, doing="create", ports=PORTS)
    await dnsmasq.check(changed(wanted, "dnsmasq.conf", "cache-size=10\n"), doing="change", ports=PORTS)


async def test_who_has_its_port_is_told_and_goes_on(
    dnsmasq: Installation, wanted: Daemon, tmp_path: Path, health: Health
) -> None:
    await dnsmasq.apply(wanted, doing="create", ports=PORTS)
    pid = await process(dnsmasq)
    supervisor = opened(tmp_path / "other")
    other = installed(supervisor, tmp_path / "other", health)
    for refused in (
        other.check(wanted, doing="create", ports=PORTS),
        other.apply(wanted, doing="create", ports=PORTS),
    ):
        with pytest.raises(
            Transient, match=rf"^create: each of UDP port 53 of 127.0.0.1, .*dnsmasq \(pid {pid}\)"
        ):
            await refused
    with pytest.raises(Transient, match=r"start dnsmasq: .*failed to create listening socket .*in use"):
        await other.apply(wanted, doing="create")
    assert await dnsmasq.observe() == wanted
    await other.remove()
    supervisor.close()


async def test_other_users_may_read_its_files(dnsmasq: Installation, wanted: Daemon, tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        await dnsmasq.apply(wanted, doing="create")
    finally:
        os.umask(before)
    assert {path.stat().st_mode & 0o777 for path in dnsmasq.directory.iterdir()} == {0o644}
    assert dnsmasq.directory.stat().st_mode & 0o777 == 0o755


async def test_nothing_runs_and_nothing_is_read_while_nothing_changes(
    dnsmasq: Installation, wanted: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    await dnsmasq.apply(wanted, doing="create")
    await dnsmasq.observe()

    def forbidden(*_: object, **__: object) -> None:
        pytest.fail("something was read or run")

    monkeypatch.setattr(run, "run", forbidden)
    monkeypatch.setattr(Path, "read_bytes", forbidden)
    assert await dnsmasq.observe() == wanted
    monkeypatch.undo()


async def test_a_directory_that_cannot_be_written_says_so(dnsmasq: Installation, wanted: Daemon) -> None:
    dnsmasq.directory.write_text("in the way\n")
    with pytest.raises(Transient, match=r"Not a directory|File exists"):
        await dnsmasq.apply(wanted, doing="create")
    dnsmasq.directory.unlink()


async def test_its_process_is_a_session_of_its_own(dnsmasq: Installation, wanted: Daemon) -> None:
    await dnsmasq.apply(wanted, doing="create")
    found = stat(await process(dnsmasq))
    assert found is not None
    assert found.session == found.pid


async def test_a_supervisor_that_does_not_answer_is_told_and_holds_up_nothing_else(
    dnsmasq: Installation, wanted: Daemon, supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def silent() -> None:
        raise Transient("systemd does not answer")

    await dnsmasq.apply(wanted, doing="serve")
    with monkeypatch.context() as patched:
        patched.setattr(supervisor, "running", silent)
        assert await dnsmasq.observe() == replace(wanted, health="systemd does not answer", current=False)
    assert await dnsmasq.observe() == wanted
    await dnsmasq.remove()
    with monkeypatch.context() as patched:
        patched.setattr(supervisor, "running", silent)
        assert await dnsmasq.observe() is None
