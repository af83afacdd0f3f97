"""Programs that the agent itself has started: their records, their logs, and what of them a crash leaves."""

import json
import os
import signal
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from kernel.programs.agent_process import start_and_die
from kernel.programs.test_supervisor import SLEEPER, eventually, is_alive
from netns import Namespace
from tasuki_agent.errors import Transient
from tasuki_agent.kernel.programs import Program, direct
from tasuki_agent.kernel.programs.direct import Direct
from tasuki_agent.kernel.sysctl import world

pytestmark = pytest.mark.usefixtures("network")


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "programs"


@pytest.fixture
def opened(directory: Path) -> Callable[[], Direct]:
    """Supervisors of the directory, one after another, as agents come and go."""
    all_of_them: list[Direct] = []

    def open_next() -> Direct:
        for each in all_of_them:
            each.close()
        all_of_them.append(Direct(directory, world()))
        return all_of_them[-1]

    return open_next


@pytest.fixture
async def supervisor(opened: Callable[[], Direct]) -> AsyncIterator[Direct]:
    supervisor = opened()
    yield supervisor
    last = opened()
    for name in await last.running():
        await last.stop(name)
    last.close()
    supervisor.close()


def record(directory: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads((directory / "sleeper.json").read_bytes())
    return found


def alter(directory: Path, **values: object) -> None:
    (directory / "sleeper.json").write_text(json.dumps({**record(directory), **values}))


async def test_another_process_of_the_same_number_is_none_of_ours(
    supervisor: Direct, opened: Callable[[], Direct], directory: Path
) -> None:
    await supervisor.start(SLEEPER)
    kept = record(directory)
    pid, started = kept["pid"], kept["started"]
    assert isinstance(pid, int)
    assert isinstance(started, int)
    alter(directory, started=started - 1)
    after = opened()
    assert await after.running() == {}
    await after.stop("sleeper")
    assert is_alive(pid)
    os.kill(pid, signal.SIGKILL)


async def test_after_a_reboot_no_process_is_ours(
    supervisor: Direct, opened: Callable[[], Direct], directory: Path
) -> None:
    await supervisor.start(SLEEPER)
    kept = record(directory)
    alter(directory, world="another-boot 1")
    after = opened()
    assert await after.running() == {}
    await after.stop("sleeper")
    (directory / "sleeper.json").write_text(json.dumps(kept))
    assert "sleeper" in await opened().running()


async def test_what_runs_in_another_network_serves_nobody_and_is_replaced(
    supervisor: Direct, opened: Callable[[], Direct], directory: Path
) -> None:
    await supervisor.start(SLEEPER)
    pid = (await supervisor.running())["sleeper"].pid
    elsewhere = Namespace.create("elsewhere")
    try:
        with elsewhere.entered():
            after = opened()
            assert await after.running() == {}
            await after.start(SLEEPER)
            assert not is_alive(pid)
            assert "sleeper" in await after.running()
            await after.stop("sleeper")
    finally:
        elsewhere.delete()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"pid": "1"}', b"\xff"])
async def test_a_damaged_record_is_told_and_stops_nobody(
    supervisor: Direct,
    opened: Callable[[], Direct],
    directory: Path,
    content: bytes,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await supervisor.start(SLEEPER)
    pid = (await supervisor.running())["sleeper"].pid
    kept = json.dumps(record(directory))
    (directory / "sleeper.json").write_bytes(content)
    after = opened()
    assert "sleeper.json is damaged" in caplog.text
    await after.stop("sleeper")
    assert is_alive(pid)
    (directory / "sleeper.json").write_text(kept)


async def test_whenever_the_agent_is_killed_no_program_is_lost(
    supervisor: Direct, opened: Callable[[], Direct], directory: Path, tmp_path: Path
) -> None:
    """A program that no record leads to would hold its ports for ever."""
    marked = Program("sleeper", ("sh", "-c", f"exec sleep infinity # {tmp_path}"), "digest")
    for at in range(1, 10):
        past = start_and_die(tmp_path, marked, at=at)
        after = opened()
        recorded = {running.pid for running in (await after.running()).values()}
        # Whatever waits for its record in vain ends by itself.
        await eventually(partial(only_these_run, tmp_path, recorded))
        await after.stop("sleeper")
        if past:
            return
    pytest.fail("no end of fail-points")


def only_these_run(state_dir: Path, pids: set[int]) -> bool:
    return processes_of(state_dir) <= pids


def processes_of(state_dir: Path) -> set[int]:
    """Processes whose standard output is a log of this state directory."""
    found = set()
    for process in Path("/proc").iterdir():
        if process.name.isdigit() and is_alive(int(process.name)):
            try:
                if str((process / "fd/1").readlink()).startswith(str(state_dir)):
                    found.add(int(process.name))
            except OSError:
                continue
    return found


async def test_what_a_dead_program_leaves_behind_ends_with_it(supervisor: Direct, tmp_path: Path) -> None:
    child = tmp_path / "child"
    script = f"sleep infinity & echo $! >{child}; wait"
    await supervisor.start(Program("parent", ("sh", "-c", script), "digest"))
    await eventually(lambda: child.exists() and bool(child.read_text().strip()))
    os.kill((await supervisor.running())["parent"].pid, signal.SIGKILL)
    await eventually(lambda: not is_alive(int(child.read_text())))


async def test_what_a_program_that_died_without_an_agent_leaves_behind_ends_with_the_next_one(
    supervisor: Direct, opened: Callable[[], Direct], tmp_path: Path
) -> None:
    child = tmp_path / "child"
    script = f"sleep infinity & echo $! >{child}; wait"
    await supervisor.start(Program("parent", ("sh", "-c", script), "digest"))
    await eventually(lambda: child.exists() and bool(child.read_text().strip()))
    pid = (await supervisor.running())["parent"].pid
    supervisor.close()
    kill_and_reap(pid)
    assert is_alive(int(child.read_text()))
    assert await opened().running() == {}
    await eventually(lambda: not is_alive(int(child.read_text())))


def kill_and_reap(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


async def test_what_a_program_says_is_kept_and_bounded(
    supervisor: Direct, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(direct, "LOG_SIZE", 10_000)
    script = "yes 'so it says' | while read -r line; do echo $line; done"
    await supervisor.start(Program("talker", ("sh", "-c", script), "digest"))
    log, before = directory / "talker.log", directory / "talker.log.1"
    await eventually(lambda: log.stat().st_size > 50_000)
    await supervisor.running()
    assert before.read_text().startswith("so it says\n")
    await eventually(lambda: log.stat().st_size > 50_000)
    await supervisor.running()
    assert log.stat().st_size < 50_000
    assert log.read_bytes().count(b"\0") == 0


async def test_a_log_that_cannot_be_put_away_is_cut_all_the_same_and_keeps_nothing_from_being_seen(
    supervisor: Direct, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(direct, "LOG_SIZE", 10)
    await supervisor.start(Program("talker", ("sh", "-c", "echo so it says; sleep infinity"), "digest"))
    log = directory / "talker.log"
    await eventually(lambda: log.stat().st_size > 10)
    (directory / "talker.log.1").mkdir()
    assert "talker" in await supervisor.running()
    assert log.stat().st_size == 0


async def test_a_full_disk_starts_no_program_without_a_record(supervisor: Direct, directory: Path) -> None:
    (directory / "sleeper.json.new").mkdir(parents=True)
    with pytest.raises(Transient, match="start sleeper: cannot keep its record: Is a directory"):
        await supervisor.start(SLEEPER)
    assert await supervisor.running() == {}
    assert processes_of(directory.parent) == set()


async def test_to_ask_what_runs_looks_at_no_process(
    supervisor: Direct, monkeypatch: pytest.MonkeyPatch
) -> None:
    await supervisor.start(SLEEPER)

    def none_is_asked(pid: int) -> None:
        pytest.fail("a process was looked at")

    monkeypatch.setattr(direct, "stat", none_is_asked)
    assert "sleeper" in await supervisor.running()
    monkeypatch.undo()


async def test_a_program_keeps_no_file_of_the_agents_open(supervisor: Direct, tmp_path: Path) -> None:
    with (tmp_path / "secret").open("w"):
        await supervisor.start(replace(SLEEPER, private={tmp_path / "there": tmp_path / "here"}))
        pid = (await supervisor.running())["sleeper"].pid
    assert files_of(pid) == {"/dev/null", f"{tmp_path}/programs/sleeper.log"}


async def test_a_program_keeps_no_file_open_that_whoever_started_the_agent_waits_for(
    supervisor: Direct, tmp_path: Path
) -> None:
    with (tmp_path / "pipe").open("w") as file:
        os.set_inheritable(file.fileno(), True)
        await supervisor.start(SLEEPER)
    assert str(tmp_path / "pipe") not in files_of((await supervisor.running())["sleeper"].pid)


def files_of(pid: int) -> set[str]:
    return {str(each.readlink()) for each in Path(f"/proc/{pid}/fd").iterdir()}
