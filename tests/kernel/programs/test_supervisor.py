"""Programs that are kept running by whoever does that here: the agent, or systemd (test_systemd.py)."""

import asyncio
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from kernel.programs.agent_process import opened, start_and_die
from netns import POLL_SECONDS, patient
from tasuki_agent.errors import Transient
from tasuki_agent.kernel.programs import Program, Supervisor

SLEEPER = Program("sleeper", ("sleep", "infinity"), "digest")


async def eventually(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(patient(30)):
        while not condition():  # noqa: ASYNC110 - files and processes tell nobody
            await asyncio.sleep(POLL_SECONDS)


def is_alive(pid: int) -> bool:
    """Whether the process runs; one that only waits for its parent's word does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def number_in(path: Path) -> int:
    return int(path.read_text().strip() or 0) if path.exists() else 0


async def test_a_program_runs_until_it_is_stopped(supervisor: Supervisor) -> None:
    assert await supervisor.running() == {}
    await supervisor.start(SLEEPER)
    running = (await supervisor.running())["sleeper"]
    assert running.digest == "digest"
    assert is_alive(running.pid)
    await supervisor.stop("sleeper")
    assert await supervisor.running() == {}
    assert not is_alive(running.pid)


async def test_to_stop_what_does_not_run_is_no_error(supervisor: Supervisor) -> None:
    await supervisor.stop("nothing")


async def test_a_program_outlives_a_killed_agent_and_is_found_by_the_next(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    start_and_die(tmp_path, SLEEPER)
    after = opened(tmp_path)
    try:
        (name, running), *others = (await after.running()).items()
        assert (name, running.digest, others) == ("sleeper", "digest", [])
        assert is_alive(running.pid)
        ended: list[str] = []
        after.on_end(ended.append)
        os.kill(running.pid, signal.SIGKILL)
        await eventually(lambda: ended == ["sleeper"])
        assert await after.running() == {}
    finally:
        await after.stop("sleeper")
        after.close()


async def test_an_agent_ends_what_the_one_before_it_has_started(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    start_and_die(tmp_path, SLEEPER)
    after = opened(tmp_path)
    try:
        pid = (await after.running())["sleeper"].pid
        await after.stop("sleeper")
        assert not is_alive(pid)
    finally:
        after.close()


async def test_the_programs_of_another_state_directory_are_another_agents(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    other = opened(tmp_path / "other")
    await supervisor.start(SLEEPER)
    assert await other.running() == {}
    await other.stop("sleeper")
    assert "sleeper" in await supervisor.running()
    other.close()


async def test_of_one_name_one_runs(supervisor: Supervisor) -> None:
    await supervisor.start(SLEEPER)
    first = (await supervisor.running())["sleeper"].pid
    await supervisor.start(Program("sleeper", SLEEPER.command, "other"))
    second = (await supervisor.running())["sleeper"]
    assert (is_alive(first), is_alive(second.pid), second.digest) == (False, True, "other")


async def test_the_end_of_a_killed_program_is_told_once(supervisor: Supervisor) -> None:
    ended: list[str] = []
    supervisor.on_end(ended.append)
    await supervisor.start(SLEEPER)
    await supervisor.start(Program("other", SLEEPER.command, "digest"))
    os.kill((await supervisor.running())["sleeper"].pid, signal.SIGKILL)
    await eventually(lambda: bool(ended))
    await supervisor.stop("other")
    assert ended == ["sleeper"]
    assert await supervisor.running() == {}


async def test_a_program_that_ends_at_once_is_told_with_its_last_words(supervisor: Supervisor) -> None:
    with pytest.raises(Transient, match=r"start broken: .*no such luck.*"):
        await supervisor.start(Program("broken", ("sh", "-c", "echo no such luck >&2; exit 3"), "digest"))
    assert await supervisor.running() == {}


async def test_a_missing_program_is_told_with_what_to_install(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Transient, match="start x: there is no program never-heard-of"):
        await supervisor.start(Program("x", ("never-heard-of",), "digest"))
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    with pytest.raises(Transient, match="no program dnsmasq: install the package dnsmasq-base"):
        await supervisor.start(Program("x", ("dnsmasq",), "digest"))


async def test_arguments_and_environment_come_through_as_they_are(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    script = 'printf "%s|" "$@" "$WORD" >"$0"; exec sleep infinity'
    arguments = ("$HOME", "${HOME}", "a b", "%n", '"', "\\", "é", ";")
    program = Program(
        "writer",
        ("sh", "-c", script, str(tmp_path / "out"), *arguments),
        "digest",
        environment={"WORD": "a $b"},
    )
    await supervisor.start(program)
    await eventually((tmp_path / "out").exists)
    assert (tmp_path / "out").read_text() == "|".join((*arguments, "a $b", ""))


async def test_a_name_may_hold_what_an_interfaces_may(supervisor: Supervisor, tmp_path: Path) -> None:
    name = "dhcpcd-wan0.100:é@\\x2d"
    await supervisor.start(Program(name, SLEEPER.command, "digest"))
    after = opened(tmp_path)
    assert set(await after.running()) == {name}
    after.close()


async def test_private_directories_are_seen_by_the_program_alone(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    there, here = tmp_path / "there", tmp_path / "its own"
    there.mkdir()
    script = f"echo here >{there}/file; exec sleep infinity"
    await supervisor.start(Program("writer", ("sh", "-c", script), "digest", {there: here}))
    await eventually((here / "file").exists)
    assert list(there.iterdir()) == []


async def test_a_signal_comes_to_the_program(supervisor: Supervisor, tmp_path: Path) -> None:
    ready, told = tmp_path / "ready", tmp_path / "told"
    script = f"trap 'echo 1 >{told}' HUP; touch {ready}; while :; do sleep 0.01; done"
    await supervisor.start(Program("trapper", ("sh", "-c", script), "digest"))
    await eventually(ready.exists)
    await supervisor.signal("trapper", signal.SIGHUP)
    await eventually(lambda: number_in(told) == 1)
    assert "trapper" in await supervisor.running()


async def test_a_program_hears_a_hangup_though_its_agent_ignores_it(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    # A shell cannot trap what was ignored when it was started.
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        await test_a_signal_comes_to_the_program(supervisor, tmp_path)
    finally:
        signal.signal(signal.SIGHUP, before)


async def test_a_signal_to_what_does_not_run_is_an_error(supervisor: Supervisor) -> None:
    with pytest.raises(Transient, match="signal nothing: "):
        await supervisor.signal("nothing", signal.SIGHUP)


async def test_a_program_that_does_not_end_is_killed_with_its_children(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    child = tmp_path / "child"
    script = f"trap '' TERM; (trap '' TERM; exec setsid sleep infinity) & echo $! >{child}; wait"
    await supervisor.start(Program("stubborn", ("sh", "-c", script), "digest"))
    await eventually(lambda: number_in(child) > 0)
    pid = (await supervisor.running())["stubborn"].pid
    await supervisor.stop("stubborn")
    assert not is_alive(pid)
