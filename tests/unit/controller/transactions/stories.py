"""Short lives of a controller, told step by step, to be cut off anywhere.

Run as a program it lives one story in many processes, each killed at a later fail-point, until one lives to
the end. Each notes in its state directory what a caller was told after every step, and what killed it.
"""

import asyncio
import itertools
import os
import shutil
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tasuki_controller.access import Caller, Role
from tasuki_controller.datastores import Datastores
from tasuki_controller.fleet import Fleet
from tasuki_controller.running import Running
from tasuki_controller.sqlite import SqliteStore
from tasuki_controller.transaction import Edit, RoutedEdit
from tasuki_controller.transactions.commits import CommitOrder
from tasuki_proto.failpoint import VARIABLE
from tasuki_yang.node_edit import NodeEdit

ALICE = Caller(Role.OPERATOR, "alice", "192.0.2.7:1234")


@dataclass
class Life:
    """A controller that runs."""

    datastores: Datastores
    now: float = 0
    token: str = ""


@dataclass(frozen=True)
class Step:
    """Something that the controller does, and what is running when it has been restarted after it."""

    do: Callable[[Life], Awaitable[object]]
    after_restart: str


@dataclass(frozen=True)
class Story:
    """Steps, on a new state directory or on that of another story that has ended."""

    steps: Sequence[Step]
    follows: str = ""
    begins_with: str = field(default="")
    """What is running after a restart before the first step."""


def apply(description: str) -> Callable[[Life], Awaitable[object]]:
    def do(life: Life) -> Awaitable[object]:
        return life.datastores.apply(Edit(network=network(description)), ALICE, CommitOrder())

    return do


def commit(description: str, **order: Any) -> Callable[[Life], Awaitable[object]]:
    """Edit the candidate, unless the description is empty, and commit it."""

    async def do(life: Life) -> None:
        life.token = life.token or life.datastores.open_session(ALICE).token
        if description:
            edit = RoutedEdit("", NodeEdit("", network(description)))
            await life.datastores.edit(ALICE, life.token, [edit])
        await life.datastores.commit(ALICE, life.token, CommitOrder(**order))

    return do


async def cancel(life: Life) -> None:
    await life.datastores.cancel(ALICE, "", "x")


async def close(life: Life) -> None:
    await life.datastores.close_session(ALICE, life.token)


async def time_out(life: Life) -> None:
    """The clock reaches the deadline; whoever comes next notices."""
    life.now = 600
    token = life.datastores.open_session(ALICE).token
    await life.datastores.discard(ALICE, token)


async def roll_back(life: Life) -> None:
    await life.datastores.rollback(ALICE, 1, CommitOrder())


async def restart(_: Life) -> None:
    """Has happened when the first step begins."""


NAMED = {"confirmed": True, "persist": "x", "timeout": 60}
STARTED = (Step(apply("one"), "one"), Step(commit("two", **NAMED), "one"))

STORIES = {
    "commit": Story((Step(apply("one"), "one"), Step(commit("two"), "two"), Step(apply("three"), "three"))),
    "rollback": Story((Step(apply("one"), "one"), Step(apply("two"), "two"), Step(roll_back, "one"))),
    "confirmed commit": Story((*STARTED, Step(commit("three", persist_id="x", confirmed=True), "one"))),
    "confirmation": Story((*STARTED, Step(commit("", persist_id="x"), "two"))),
    "confirmation with changes": Story((*STARTED, Step(commit("three", persist_id="x"), "three"))),
    "cancellation": Story((*STARTED, Step(cancel, "one"))),
    "time-out": Story((*STARTED, Step(time_out, "one"))),
    "end of the session": Story(
        (Step(apply("one"), "one"), Step(commit("two", confirmed=True), "one"), Step(close, "one"))
    ),
    "the first commit": Story((Step(commit("one", confirmed=True), ""),)),
    "restart": Story((Step(restart, "one"),), follows="confirmed commit", begins_with="one"),
    "restart after the first commit": Story((Step(restart, ""),), follows="the first commit"),
}


def network(description: str) -> Any:
    return {"tasuki-network:network": {"router": [{"name": "home", "description": description}]}}


def description_of(running: Running) -> str:
    entries = running.network.get("tasuki-network:network", {}).get("router", [])
    return "".join(entry["description"] for entry in entries)


TOLD, KILLED = "told", "killed"


async def live(directory: Path, story: Story) -> None:
    with (directory / TOLD).open("w") as told:
        store = await SqliteStore.open(directory)
        life = Life(Datastores(store, Fleet(store), clock=lambda: life.now))
        await life.datastores.restore()
        for step in story.steps:
            await step.do(life)
            state = life.datastores.state
            print(state.revision, description_of(state.running), file=told, flush=True)
        await store.close()


def live_in_a_process(directory: Path, story: Story, kill_at: int) -> bool:
    """Whether it lived to the end. The modules that take long to load are there already."""
    directory.mkdir(exist_ok=True)
    child = os.fork()
    if not child:
        os.environ[VARIABLE] = str(kill_at)
        os.dup2(os.open(directory / KILLED, os.O_CREAT | os.O_WRONLY), 2)
        asyncio.run(live(directory, story))
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def live_to_every_end(directory: Path, name: str) -> None:
    story = STORIES[name]
    if story.follows:
        live_in_a_process(directory / "0", STORIES[story.follows], 0)
    for kill_at in itertools.count(1):
        if story.follows:
            shutil.copytree(directory / "0", directory / f"{kill_at}")
        if live_in_a_process(directory / f"{kill_at}", story, kill_at):
            break


if __name__ == "__main__":
    live_to_every_end(Path(sys.argv[1]), sys.argv[2])
