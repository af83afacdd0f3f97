"""The commands around a commit, at a real controller: confirm, cancel, roll back, edit, lock, follow."""

import asyncio
import json
import os
import pty
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from controller_process import DEADLINE, ControllerProcess, agent, network
from tasuki_client import Client
from tasuki_proto.v1 import agent_pb2
from tasuki_proto.v1.router_pb2 import ObjectCounts, ObjectStatus

from .conftest import COMMAND, Result, Tasuki, at, start

VPS = json.dumps(network("vps"))
BOTH = json.dumps(network("vps", "home"))


def editor(directory: Path, *scripts: str) -> dict[str, str]:
    """An editor that does one of these in each round; what it was shown is kept as `seen.0`, `seen.1` ..."""
    directory.mkdir(exist_ok=True)
    rounds = "".join(f"{number}) {script};;\n" for number, script in enumerate(scripts))
    program = directory / "editor"
    program.write_text(
        f"#!/bin/sh\ncd {directory}\nround=$(ls seen.* 2>/dev/null | wc -l)\ncp $1 seen.$round\n"
        f"case $round in\n{rounds}*) exit 9;;\nesac\n"
    )
    program.chmod(0o755)
    return {"EDITOR": str(program)}


def add(name: str) -> str:
    """Adds a router to the text."""
    return f'sed -i "s/^  router:/  router:\\n  - name: {name}/" $1'


def kept_text(result: Result) -> str:
    """What was written and not committed."""
    return Path(result.err.split("What you wrote is kept in ")[1].split("\n")[0]).read_text()


async def revisions(tasuki: Tasuki) -> int:
    history = json.loads((await tasuki("history", "--format", "json")).out)
    return len(history["revisions"])


async def test_a_confirmed_apply_is_confirmed_from_the_same_place_without_its_name(tasuki: Tasuki) -> None:
    applied = await tasuki("apply", "-", "--confirm", "100", stdin=VPS)
    assert applied.status == 0
    assert "unless 'tasuki confirm' comes before" in applied.err
    assert "reverts in" in (await tasuki("commits")).out
    confirmed = await tasuki("confirm")
    assert (confirmed.status, confirmed.out) == (0, "Confirmed; running is revision 1.\n")
    assert (await tasuki("commits")).out == "No commit awaits its confirmation; running is revision 1.\n"
    again = await tasuki("confirm")
    assert (again.status, again.out) == (1, "")
    assert "no confirmed commit was made from here" in again.err


async def test_it_is_cancelled_from_elsewhere_by_its_name(tasuki: Tasuki) -> None:
    await tasuki("apply", "-", stdin=VPS)
    await tasuki("apply", "-", "--confirm", "100", "--persist", "night", stdin=BOTH)
    elsewhere = {"HOME": "/nonexistent"}
    wrong = await tasuki("cancel", "day", **elsewhere)
    assert (wrong.status, wrong.out) == (1, "")
    cancelled = await tasuki("cancel", "night", "--format", "json", **elsewhere)
    assert json.loads(cancelled.out) == {"revision": 3}
    assert json.loads((await tasuki("get")).out) == network("vps")


async def test_a_refused_apply_does_not_forget_the_one_that_is_pending(tasuki: Tasuki) -> None:
    await tasuki("apply", "-", "--confirm", "100", stdin=VPS)
    refused = await tasuki("apply", "-", "--confirm", "100", stdin=BOTH)
    assert refused.status == 1
    assert "awaits its confirmation" in refused.err
    assert (await tasuki("confirm")).status == 0


async def test_a_persist_name_is_in_the_json(tasuki: Tasuki) -> None:
    answer = json.loads((await tasuki("apply", "-", "--confirm", "9", "--format", "json", stdin=VPS)).out)
    assert (await tasuki("confirm", answer["persist_id"])).status == 0


async def test_a_router_that_refuses_refuses_the_commit(
    tasuki: Tasuki, controller: ControllerProcess
) -> None:
    async with agent(controller.target) as vps:
        await tasuki("apply", "-", stdin=VPS)
        await vps.hello("vps")
        await vps.intent()
        written = "ietf-routing:routing: {tasuki-sysctl:forwarding: {ipv4: true}}"
        applying = asyncio.create_task(tasuki("apply", "-", "--router", "vps", stdin=written))
        asked = await vps.receive("prepare_request")
        answer = agent_pb2.PrepareAnswer(id=asked.id)
        answer.refusals.add(error_tag="operation-failed", message="Read-only file system.", router="vps")
        await vps.send(prepare_answer=answer)
        result = await applying
    assert (result.status, result.out) == (1, "")
    assert result.err == "vps: Read-only file system.\n"
    assert await revisions(tasuki) == 1


async def test_a_plan_says_what_each_router_would_do(tasuki: Tasuki, controller: ControllerProcess) -> None:
    async with agent(controller.target) as vps:
        await tasuki("apply", "-", stdin=VPS)
        await vps.hello("vps")
        await vps.intent()
        written = "ietf-routing:routing: {tasuki-sysctl:forwarding: {ipv4: true}}"
        asking = asyncio.create_task(tasuki("diff", "-", "--router", "vps", "--plan", stdin=written))
        asked = await vps.receive("prepare_request")
        plan = ["set sysctl net/ipv4/conf/all/forwarding"]
        await vps.send(prepare_answer=agent_pb2.PrepareAnswer(id=asked.id, plan=plan))
        result = await asking
    assert result.status == 0
    assert "\n* set sysctl net/ipv4/conf/all/forwarding\n" in result.out
    offline = await tasuki("apply", "-", "--router", "vps", "--dry-run", "--plan", stdin=written)
    assert "offline" in offline.out.splitlines()[-1]


@pytest.mark.parametrize("confirm", [(), ("--confirm", "100")])
async def test_when_a_router_fails_it_is_told_why_and_all_is_as_before(
    tasuki: Tasuki, controller: ControllerProcess, confirm: tuple[str, ...]
) -> None:
    async with agent(controller.target) as vps:
        await tasuki("apply", "-", stdin=VPS)
        await vps.hello("vps")
        await vps.intent()
        written = "ietf-routing:routing: {tasuki-sysctl:forwarding: {ipv4: true}}"
        options = ("--router", "vps", "--rollback-on-failure", *confirm)
        applying = asyncio.create_task(tasuki("apply", "-", *options, stdin=written))
        asked = await vps.receive("prepare_request")
        await vps.send(prepare_answer=agent_pb2.PrepareAnswer(id=asked.id))
        revision, _ = await vps.intent()
        counts = ObjectCounts(total=1, failed=1)
        fails = ObjectStatus(kind="sysctl", key="x", state=ObjectStatus.STATE_FAILED, message="No such file.")
        await vps.send(report=agent_pb2.Report(revision=revision, counts=counts, objects=[fails]))
        result = await applying
    assert result.status == 1
    assert "vps" in result.err
    assert "No such file." in result.err
    assert json.loads((await tasuki("get", "--router", "vps")).out) == {}
    assert (await tasuki("commits")).out.startswith("No commit awaits its confirmation")
    assert (await tasuki("confirm")).status == 1


async def test_a_rollback_is_shown_and_then_made(tasuki: Tasuki) -> None:
    await tasuki("apply", "-", stdin=VPS)
    await tasuki("apply", "-", stdin=BOTH)
    shown = await tasuki("rollback", "1", "--dry-run")
    assert "- /tasuki-network:network/router[name='home']" in shown.out
    assert await revisions(tasuki) == 2
    made = await tasuki("rollback", "1", "--comment", "as before")
    assert "Committed revision 3." in made.out
    assert "as before" in (await tasuki("show", "3")).out
    unknown = await tasuki("rollback", "77")
    assert (unknown.status, unknown.out) == (1, "")


async def test_validate_lists_every_problem_and_changes_nothing(tasuki: Tasuki) -> None:
    assert (await tasuki("validate", "-", stdin=VPS)).out == "Valid.\n"
    wrong = json.dumps(network("vps", "home", subscribers=[0, 300]))
    told = await tasuki("validate", "-", stdin=wrong)
    assert (told.status, told.out) == (1, "")
    assert len(told.err.splitlines()) >= 2
    as_json = await tasuki("validate", "-", "--format", "json", stdin=wrong)
    assert as_json.status == 1
    assert all(error["error_path"] for error in json.loads(as_json.out)["errors"])
    assert await revisions(tasuki) == 0
    assert (await tasuki("validate")).out == "Valid.\n"


async def test_what_is_edited_is_shown_asked_for_and_committed(tasuki: Tasuki, tmp_path: Path) -> None:
    await tasuki("apply", "-", stdin=VPS)
    environment = editor(tmp_path / "ed", add("home"))
    result = await tasuki("edit", "--comment", "by hand", stdin="y\n", **environment)
    assert result.status == 0
    assert "+ /tasuki-network:network/router[name='home']" in result.out
    assert "Committed revision 2." in result.out
    assert "Commit this?" in result.err
    assert (tmp_path / "ed" / "seen.0").read_text().startswith("tasuki-network:network:\n")
    assert not list((tmp_path / "home" / "tasuki" / "drafts").iterdir())


async def test_problems_are_shown_in_the_editor_until_they_are_mended(tasuki: Tasuki, tmp_path: Path) -> None:
    await tasuki("apply", "-", stdin=VPS)
    rounds = (add("'bad name'"), "echo a: [ >> $1", "sed -i '/^a:/d;/bad name/d' $1; " + add("home"))
    result = await tasuki("edit", stdin="y\n", **editor(tmp_path / "ed", *rounds))
    assert result.status == 0, result.err
    second, third = ((tmp_path / "ed" / f"seen.{n}").read_text() for n in (1, 2))
    assert second.startswith(
        "#! 1 to mend; leave this as it is to give up:\n#! /tasuki-network:network/router"
    )
    assert third.count("#!") == 2
    assert "#! /" not in third.replace(f"#! {tmp_path}", "")
    assert json.loads((await tasuki("get")).out) == network("home", "vps")


async def test_what_is_given_up_or_not_wanted_is_kept_in_a_file(tasuki: Tasuki, tmp_path: Path) -> None:
    await tasuki("apply", "-", stdin=VPS)
    given_up = await tasuki("edit", **editor(tmp_path / "one", add("'bad name'"), "true"))
    refused = await tasuki("edit", stdin="n\n", **editor(tmp_path / "two", add("home")))
    for result, wrote in ((given_up, "bad name"), (refused, "home")):
        assert result.status == 1
        assert wrote in kept_text(result)
    assert await revisions(tasuki) == 1


async def test_nothing_is_lost_when_the_controller_goes_away(
    tasuki: Tasuki, controller: ControllerProcess, tmp_path: Path
) -> None:
    await tasuki("apply", "-", stdin=VPS)
    kill = f"kill -9 {controller.process.pid}"
    result = await tasuki("edit", **editor(tmp_path / "ed", f"{add('home')}; {kill}"))
    assert result.status == 1
    assert "no controller answers" in result.err
    assert "home" in kept_text(result)


async def test_saving_it_unchanged_is_no_change(tasuki: Tasuki, tmp_path: Path) -> None:
    await tasuki("apply", "-", stdin=VPS)
    result = await tasuki("edit", "--router", "vps", **editor(tmp_path / "ed", "true"))
    assert (result.status, result.out) == (0, "No changes.\n")


async def test_while_it_is_edited_the_candidate_is_locked(tasuki: Tasuki, tmp_path: Path) -> None:
    await tasuki("apply", "-", stdin=VPS)
    apply = f"echo '{BOTH}' | {COMMAND} apply - 2> {tmp_path}/refused"
    result = await tasuki("edit", **editor(tmp_path / "ed", apply))
    assert result.status == 1
    assert "The candidate is locked by session" in (tmp_path / "refused").read_text()


async def test_nobody_commits_while_a_command_holds_the_lock(tasuki: Tasuki) -> None:
    apply = f"echo '{VPS}' | {COMMAND} apply -"
    result = await tasuki("lock", "--", "sh", "-c", f"{apply}; exit 7")
    assert result.status == 7
    assert "Running is locked by session" in result.err
    assert (await tasuki("apply", "-", stdin=VPS)).status == 0
    missing = await tasuki("lock", "--", "/nonexistent")
    assert (missing.status, missing.err) == (1, "/nonexistent: No such file or directory\n")


async def test_the_candidate_of_a_session_can_be_reviewed_and_committed_by_hand(
    tasuki: Tasuki, controller: ControllerProcess
) -> None:
    def edit(
        session_open: asyncio.Event, loop: asyncio.AbstractEventLoop, done: "asyncio.Future[None]"
    ) -> None:
        with Client(controller.target) as client, client.session() as session:
            session.edit(network("vps"))
            loop.call_soon_threadsafe(session_open.set)
            asyncio.run_coroutine_threadsafe(_wait(done), loop).result(DEADLINE)

    loop, opened = asyncio.get_running_loop(), asyncio.Event()
    done = loop.create_future()
    editing = asyncio.create_task(asyncio.to_thread(edit, opened, loop, done))
    await opened.wait()
    assert "router[name='vps']" in (await tasuki("diff", "--candidate")).out
    assert "vps" in (await tasuki("get", "--datastore", "candidate")).out
    assert "Committed revision 1." in (await tasuki("commit")).out
    done.set_result(None)
    await editing


async def _wait(done: "asyncio.Future[None]") -> None:
    await done


async def test_commits_are_followed_as_they_happen(tasuki: Tasuki, controller: ControllerProcess) -> None:
    watching = await start("commits", "--watch", "--format", "json", **at(controller.target))
    assert watching.stdout
    await tasuki("apply", "-", "--confirm", "100", stdin=VPS)
    events = []
    async with asyncio.timeout(DEADLINE):
        for last in ("start", "cancel"):
            while last not in events:
                events.append(json.loads(await watching.stdout.readline())["event"])
            if last == "start":
                await tasuki("cancel")
    watching.send_signal(signal.SIGINT)
    await watching.communicate()
    assert [event for event in events if event != "router"] == ["start", "cancel"]
    assert watching.returncode == 130


@asynccontextmanager
async def on_a_terminal(
    controller: ControllerProcess, directory: Path, *arguments: str
) -> AsyncIterator[tuple[asyncio.subprocess.Process, int]]:
    """The command on a terminal of its own, and the other side of that."""
    ours, theirs = pty.openpty()
    environment = {"PATH": os.environ["PATH"], "XDG_STATE_HOME": str(directory), **at(controller.target)}
    process = await asyncio.create_subprocess_exec(
        COMMAND, *arguments, stdin=theirs, stdout=theirs, stderr=theirs, env=environment
    )
    os.close(theirs)
    yield process, ours
    os.close(ours)


def read_to_its_end(side: int) -> str:
    """All that a terminal shows until nobody has it any more, which read(2) tells by an error."""
    shown = b""
    with suppress(OSError):
        while some := os.read(side, 1000):
            shown += some
    return shown.decode()


@pytest.mark.parametrize(
    ("key", "ends"),
    [
        ("y", "Confirmed; running is revision 1."),
        ("n", "Reverted by revision 2."),
        ("q", "'tasuki confirm' keeps it, 'tasuki cancel' reverts it"),
    ],
)
async def test_on_a_terminal_one_is_asked_while_the_time_runs(
    controller: ControllerProcess, tmp_path: Path, key: str, ends: str
) -> None:
    (tmp_path / "vps.json").write_text(VPS)
    apply = ("apply", str(tmp_path / "vps.json"), "--confirm", "50")
    async with asyncio.timeout(DEADLINE), on_a_terminal(controller, tmp_path, *apply) as (process, side):
        shown = ""
        while "y keeps it" not in shown:
            shown += (await asyncio.to_thread(os.read, side, 1000)).decode()
        os.write(side, key.encode())
        shown += await asyncio.to_thread(read_to_its_end, side)
        assert await process.wait() == 0
    assert ends in shown


async def test_on_a_terminal_letting_the_time_pass_is_a_failure(
    controller: ControllerProcess, tmp_path: Path
) -> None:
    (tmp_path / "vps.json").write_text(VPS)
    apply = ("apply", str(tmp_path / "vps.json"), "--confirm", "1")
    async with asyncio.timeout(DEADLINE), on_a_terminal(controller, tmp_path, *apply) as (process, side):
        assert "not confirmed in time" in await asyncio.to_thread(read_to_its_end, side)
        assert await process.wait() == 1
