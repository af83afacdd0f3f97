"""What each command does at a real controller."""

import asyncio
import json
import os
import signal
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from controller_process import DEADLINE, Agent, ControllerProcess, agent, network, running
from tasuki_proto.v1 import agent_pb2
from tasuki_proto.v1.drift_pb2 import DriftItem
from tasuki_proto.v1.router_pb2 import ObjectCounts, ObjectStatus

from .conftest import COMMAND, Result, Tasuki, at, start

SPLIT = json.dumps(network("vps", "home", subscribers=[8]))
UNMANAGED = """
tasuki-network:network:
  tasuki-vxlan-split:vxlan-split:
  - name: split
    subscriber:
    - number: 9
      description: "a friend's\\nrouter"
      unmanaged: [null]
      underlay: {interface: eth0, address: 198.51.100.9}
"""


async def report(to: Agent, revision: int, *objects: ObjectStatus, drift: DriftItem | None = None) -> None:
    """Report a router that has applied the revision, but for these objects."""
    counts = ObjectCounts(total=5, done=5 - len(objects), waiting=len(objects))
    message = agent_pb2.Report(applied_revision=revision, counts=counts, objects=objects)
    message.observed_at.FromDatetime(datetime.now(UTC))
    if drift:
        message.drift.add(sequence=1, item=drift)
    await to.send(report=message)


async def until(tasuki: Tasuki, *arguments: str, shows: str) -> Result:
    """Run the command until its output has this in it."""
    async with asyncio.timeout(DEADLINE):
        while shows not in (result := await tasuki(*arguments)).out:
            pass
    return result


def drift_of(router: str, action: "DriftItem.Action" = DriftItem.ACTION_PENDING) -> DriftItem:
    item = DriftItem(
        id="1",
        router=router,
        path="/ietf-interfaces:interfaces/interface[name='vxlan08']/tasuki-link:mtu",
        kind="link",
        key="vxlan08",
        field="mtu",
        intended="1450",
        observed="1400",
        action=action,
        count=1,
    )
    setattr(item, "class", DriftItem.CLASS_CHANGED)
    item.first_seen.FromDatetime(datetime.now(UTC))
    item.last_seen.CopyFrom(item.first_seen)
    return item


async def test_apply_shows_what_it_changed_and_for_whom(tasuki: Tasuki) -> None:
    result = await tasuki("apply", "-", "--comment", "first", stdin=SPLIT)
    assert result.status == 0
    assert result.err == ""
    assert "+ /tasuki-network:network/router[name='vps']" in result.out
    assert "Committed revision 1." in result.out
    assert "home    offline" in result.out
    again = await tasuki("apply", "-", stdin=SPLIT)
    assert again == Result(0, "No changes; running is revision 1.\n", "")


async def test_a_dry_run_says_all_and_commits_nothing(tasuki: Tasuki) -> None:
    result = await tasuki("apply", "-", "--dry-run", stdin=SPLIT)
    assert result.status == 0
    assert "+ /ietf-interfaces:interfaces/interface[name='vxlan08']" in result.out
    assert json.loads((await tasuki("history", "--format", "json")).out) == {"revisions": []}


async def test_a_refused_change_is_a_line_for_every_problem(tasuki: Tasuki) -> None:
    wrong = json.dumps(network("vps", "home", subscribers=[0, 300]))
    result = await tasuki("apply", "-", stdin=wrong)
    assert (result.status, result.out) == (1, "")
    lines = result.err.splitlines()
    assert len(lines) >= 2
    assert all(line.startswith("/tasuki-network:network/") for line in lines)
    assert "number 0 is reserved" in result.err


async def test_files_of_yaml_and_json_make_one_change(tasuki: Tasuki, tmp_path: Path) -> None:
    (tmp_path / "split.json").write_text(SPLIT)
    (tmp_path / "friend.yaml").write_text(UNMANAGED)
    result = await tasuki("apply", tmp_path / "split.json", tmp_path / "friend.yaml")
    assert result.status == 0
    history = json.loads((await tasuki("history", "--format", "json")).out)
    assert len(history["revisions"]) == 1


async def test_one_problem_in_one_file_stops_all_of_them(tasuki: Tasuki, tmp_path: Path) -> None:
    (tmp_path / "split.json").write_text(SPLIT)
    (tmp_path / "twice.yaml").write_text("a: 1\na: 2\n")
    result = await tasuki("apply", tmp_path / "split.json", tmp_path / "twice.yaml")
    assert result.status == 1
    assert result.err == f"{tmp_path}/twice.yaml:2: the key 'a' already stands in line 1\n"


@pytest.mark.parametrize("layout", ["json", "yaml"])
async def test_what_get_prints_can_be_applied_and_changes_nothing(tasuki: Tasuki, layout: str) -> None:
    await tasuki("apply", "-", stdin=SPLIT)
    await tasuki("apply", "-", stdin=UNMANAGED)
    printed = await tasuki("get", "--format", layout)
    again = await tasuki("apply", "--replace", "-", stdin=printed.out)
    assert again.out == "No changes; running is revision 2.\n"


async def test_a_subscriber_is_deleted_by_its_keys_and_the_diff_says_what_goes(tasuki: Tasuki) -> None:
    await tasuki("apply", "-", stdin=SPLIT)
    entry = {"name": "split", "subscriber": [{"number": 8}]}
    names = json.dumps({"tasuki-network:network": {"tasuki-vxlan-split:vxlan-split": [entry]}})
    shown = await tasuki("diff", "--delete", "-", stdin=names)
    assert "- /tasuki-network:network/tasuki-vxlan-split:vxlan-split[name='split']/subscriber" in shown.out
    assert "Router home\n- " in shown.out
    assert (await tasuki("apply", "--delete", "-", stdin=names)).status == 0
    missing = await tasuki("apply", "--delete", "-", stdin=names)
    assert missing.status == 1
    assert "subscriber" in missing.err


async def test_a_routers_own_tree_is_written_and_read_by_its_name(tasuki: Tasuki) -> None:
    await tasuki("apply", "-", stdin=SPLIT)
    written = "ietf-routing:routing: {tasuki-sysctl:forwarding: {ipv4: true}}"
    result = await tasuki("apply", "-", "--router", "vps", stdin=written)
    assert "Written for router vps\n" in result.out
    table = await tasuki("get", "--router", "vps", "--datastore", "intended", "--format", "table")
    assert "/ietf-routing:routing/tasuki-sysctl:forwarding/ipv4 = true\n" in table.out
    running = json.loads((await tasuki("get", "--router", "vps")).out)
    assert running == {"ietf-routing:routing": {"tasuki-sysctl:forwarding": {"ipv4": True}}}


async def test_commits_can_be_listed_shown_and_compared(tasuki: Tasuki) -> None:
    await tasuki("apply", "-", "--comment", "first", stdin=SPLIT)
    await tasuki("apply", "-", "--comment", "friend", stdin=UNMANAGED)
    lines = (await tasuki("history")).out.splitlines()
    assert lines[0].split() == ["REVISION", "WHEN", "AUTHOR", "FROM", "CHANGES", "COMMENT"]
    assert [line.split()[0] for line in lines[1:]] == ["2", "1"]
    shown = await tasuki("show", "2")
    assert "  friend\n" in shown.out
    assert "subscriber[number='9']" in shown.out
    first = json.loads((await tasuki("show", "1", "--format", "json")).out)
    assert first["comment"] == "first"
    assert len(first["config"]["tasuki-network:network"]["router"]) == 2
    compared = json.loads((await tasuki("diff", "--from", "1", "--format", "json")).out)
    assert [change["op"] for change in compared["changes"]] == ["create"]


async def test_wait_ends_when_the_router_has_applied_it_and_tells_what_still_waits(
    tasuki: Tasuki, controller: ControllerProcess
) -> None:
    async with agent(controller.target) as vps, agent(controller.target) as home:
        await tasuki("apply", "-", stdin=json.dumps(network("vps", "home")))
        await vps.hello("vps")
        await home.hello("home")
        waiting = asyncio.create_task(tasuki("apply", "-", "--wait", "50", stdin=SPLIT))
        for router in (vps, home):
            while (await router.intent())[0] < 2:
                pass
        waits = ObjectStatus(kind="link", key="vxlan08", state=ObjectStatus.STATE_WAITING, message="wan0")
        await report(vps, 2, waits)
        await report(home, 2)
        result = await waiting
    assert result.status == 0
    assert sorted(result.err.splitlines()) == [
        "home: applied revision 2",
        "vps: applied revision 2; waiting: link vxlan08 (wan0)",
    ]


async def test_wait_goes_on_though_the_controller_is_killed_and_started_again(
    tasuki: Tasuki, controller: ControllerProcess, tmp_path: Path
) -> None:
    waiting = asyncio.create_task(tasuki("apply", "-", "--wait", "50", stdin=SPLIT))
    await until(tasuki, "history", shows="local")
    await controller.kill()
    async with (
        running(tmp_path / "state", "--insecure", listen=str(controller.target)) as again,
        agent(again.target) as vps,
        agent(again.target) as home,
    ):
        for name, router in (("vps", vps), ("home", home)):
            await router.hello(name)
            await report(router, (await router.intent())[0])
        result = await waiting
    assert result.status == 0
    assert result.err.count("applied revision 1") == 2


async def test_wait_fails_with_an_account_of_each_router_that_did_not_come(tasuki: Tasuki) -> None:
    result = await tasuki("apply", "-", "--wait", "0.5", stdin=SPLIT)
    assert result.status == 1
    assert "Committed revision 1." in result.out
    assert result.err == (
        "home: offline (never seen); it gets revision 1 when it returns\n"
        "vps: offline (never seen); it gets revision 1 when it returns\n"
    )


async def test_wait_is_for_no_router_that_has_left_the_network(
    tasuki: Tasuki, controller: ControllerProcess
) -> None:
    await tasuki("apply", "-", stdin=SPLIT)
    async with agent(controller.target) as home:
        await home.hello("home")
        waiting = asyncio.create_task(
            tasuki("apply", "-", "--replace", "--wait", "50", stdin=json.dumps(network("home")))
        )
        while (await home.intent())[0] < 2:
            pass
        await report(home, 2)
        result = await waiting
    assert (result.status, result.err) == (0, "home: applied revision 2\n")


async def test_drift_is_exit_status_3_and_no_drift_is_0_with_the_age_of_the_evidence(
    tasuki: Tasuki, controller: ControllerProcess
) -> None:
    await tasuki("apply", "-", stdin=SPLIT)
    none = await tasuki("drift")
    assert none.status == 0
    assert "vps: never observed, nothing is known about it" in none.out
    async with agent(controller.target) as vps:
        await vps.hello("vps")
        await report(vps, 1, drift=drift_of("vps"))
        some = await until(tasuki, "drift", shows="vxlan08")
    assert some.status == 3
    assert "vps: link vxlan08 mtu changed: 1450 intended, 1400 observed" in some.out
    assert "1 item, 1 open." in some.out
    only_home = await tasuki("drift", "--router", "home", "--format", "json")
    assert only_home.status == 0
    assert json.loads(only_home.out)["items"] == []


async def test_a_watch_gives_each_item_at_once_and_ends_quietly_when_interrupted(
    tasuki: Tasuki, controller: ControllerProcess
) -> None:
    await tasuki("apply", "-", stdin=SPLIT)
    watching = await start("drift", "--watch", "--format", "json", **at(controller.target))
    assert watching.stdout
    async with agent(controller.target) as vps, asyncio.timeout(DEADLINE):
        await vps.hello("vps")
        await report(vps, 1, drift=drift_of("vps"))
        item: dict[str, Any] = json.loads(await watching.stdout.readline())
    watching.send_signal(signal.SIGINT)
    out, err = await watching.communicate()
    assert (item["key"], item["class"], item["action"]) == ("vxlan08", "changed", "pending")
    assert (watching.returncode, out, err) == (130, b"", b"")


async def test_routers_are_listed_watched_and_shown_one_by_one(
    tasuki: Tasuki, controller: ControllerProcess
) -> None:
    await tasuki("apply", "-", stdin=SPLIT)
    async with agent(controller.target) as vps:
        await vps.hello("vps", agent_version="0.1")
        foreign = ObjectStatus(
            kind="link", key="vxlan08", state=ObjectStatus.STATE_FOREIGN, message="not ours"
        )
        await report(vps, 0, foreign)
        result = await until(tasuki, "routers", shows="0 of 1      4/5")
        assert "home    never seen" in result.out
        detail = await tasuki("routers", "vps")
        assert "foreign   link vxlan08\n          not ours\n" in detail.out
    unknown = await tasuki("routers", "nobody")
    assert unknown.status == 1
    assert "There is no router 'nobody'" in unknown.err


async def test_the_map_shows_each_subscribers_state(tasuki: Tasuki, controller: ControllerProcess) -> None:
    await tasuki("apply", "-", stdin=SPLIT)
    await tasuki("apply", "-", stdin=UNMANAGED)
    async with agent(controller.target) as vps:
        await vps.hello("vps")
        await report(vps, 2)
        drawn = await until(tasuki, "map", "split", shows="# 1 converged")
    await until(tasuki, "routers", shows="vps     seen")
    assert "- . . . . . . . ? # ." in drawn.out
    assert "?     8 2001:db8:ae08::/48 home: not connected" in drawn.out
    document = json.loads((await tasuki("map", "split", "--format", "json")).out)
    assert document["counts"]["unreachable"] == 2
    assert [s["prefix"] for s in document["subscribers"]] == ["2001:db8:ae08::/48", "2001:db8:ae09::/48"]
    assert (await tasuki("map", "nothing")).err == "there is no split 'nothing': there is split\n"


async def test_the_other_end_is_printed_for_subscribers_with_and_without_an_agent(tasuki: Tasuki) -> None:
    await tasuki("apply", "-", stdin=SPLIT)
    await tasuki("apply", "-", stdin=UNMANAGED)
    script = await tasuki("render", "split", "9")
    assert script.out.startswith(
        "#!/bin/sh\n# Subscriber 9 of the split split, 2001:db8:ae00::/40: its end of the"
    )
    assert "\n# a friend's router\n" in script.out
    assert " mtu 1450 type vxlan id 9 dev eth0 remote 192.0.2.1 " in script.out
    stanza = await tasuki("render", "split", "8", "--format", "ifupdown")
    assert "\nauto vxlan08\niface vxlan08 inet6 manual\n" in stanza.out
    none = await tasuki("render", "split", "77")
    assert (none.status, none.out) == (1, "")


async def test_a_reader_that_goes_away_is_no_reason_to_complain(
    tasuki: Tasuki, controller: ControllerProcess
) -> None:
    await tasuki("apply", "-", stdin=json.dumps(network(*(f"r{n}" for n in range(2000)))))
    for arguments in ("get", "get --format yaml", "get --format table", "routers"):
        pipe = await asyncio.create_subprocess_shell(
            f"{COMMAND} {arguments} | head -n 1",
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={"PATH": os.environ["PATH"], **at(controller.target)},
        )
        out, err = await pipe.communicate()
        assert len(out.splitlines()) == 1
        assert err == b""


async def test_modules_are_listed_and_printed(tasuki: Tasuki) -> None:
    assert "tasuki-vxlan-split" in (await tasuki("modules")).out
    assert (await tasuki("modules", "tasuki-network")).out.startswith("module tasuki-network {\n")


async def test_a_restarted_controller_is_the_same_to_the_next_command(
    tasuki: Tasuki, controller: ControllerProcess
) -> None:
    await controller.kill()
    result = await tasuki("routers")
    assert (result.status, result.out) == (1, "")
    assert result.err.startswith(f"no controller answers at {controller.target}: start tasuki-controller")


async def test_output_that_cannot_be_written_is_one_line(controller: ControllerProcess) -> None:
    process = await asyncio.create_subprocess_shell(
        f"{COMMAND} get > /dev/full",
        stderr=asyncio.subprocess.PIPE,
        env={"PATH": os.environ["PATH"], **at(controller.target)},
    )
    _, err = await process.communicate()
    assert (process.returncode, err.decode()) == (1, "standard output: No space left on device\n")
