"""A controller that is killed anywhere is whole when it starts again.

Each story is lived again and again, killed at its first fail-point, at its second, and so on until it is
lived to its end; nobody lists the fail-points. What a caller was told must then be there, what was under way
must be there in full or not at all, and what was not confirmed must not be running.
"""

import ast
import asyncio
import sys
from pathlib import Path

import pytest
import tasuki_controller
from tasuki_controller.datastores import Datastores
from tasuki_controller.fleet import Fleet
from tasuki_controller.ledger import CONTROLLER
from tasuki_controller.sqlite import SqliteStore
from unit.controller.transactions import stories
from unit.controller.transactions.stories import KILLED, STORIES, TOLD, Story, description_of


async def restarted(directory: Path) -> tuple[Datastores, SqliteStore]:
    store = await SqliteStore.open(directory)
    datastores = Datastores(store, Fleet(store))
    await datastores.restore()
    return datastores, store


async def check(directory: Path, story: Story, told: list[tuple[int, str]]) -> None:
    """The store after a restart holds what it must, and nothing half."""
    datastores, store = await restarted(directory)
    done = len(told)
    outcomes = [story.begins_with, *(step.after_restart for step in story.steps)]
    assert description_of(datastores.state.running) in outcomes[done : done + 2]
    for revision, description in told:
        assert description_of((await datastores.at(revision))[1]) == description
    assert await store.baseline() is None
    newest = await store.newest()
    assert datastores.state.revision == (newest.revision.number if newest else 0)
    numbers = [each.number for each in await datastores.revisions(before=None, limit=100)]
    assert numbers == list(range(datastores.state.revision, 0, -1))
    for number in numbers:
        stored, _ = await datastores.at(number)
        if stored.revision.author == CONTROLLER.name:
            assert stored.revision.comment.startswith("Back to revision")
    await store.close()
    again, store = await restarted(directory)
    assert again.state == datastores.state
    await store.close()


@pytest.mark.parametrize("name", STORIES)
async def test_a_controller_that_is_killed_at_any_step_is_whole_after_a_restart(
    name: str, tmp_path: Path
) -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, stories.__file__, tmp_path, name)
    async with asyncio.timeout(150):
        assert await process.wait() == 0
    story, met = STORIES[name], set[str]()
    *killed, survivor = lives(tmp_path)
    for directory in killed:
        _, _, where = (directory / KILLED).read_text().partition("killed at ")
        assert where, "it died by itself"
        met.add(where.strip())
        await check(directory, story, told_in(directory))
    assert len(told_in(survivor)) == len(story.steps)
    await check(survivor, story, told_in(survivor))
    assert met == fail_points()


def lives(directory: Path) -> list[Path]:
    """State directories, in the order of the fail-points that ended them; 0 is what the story follows."""
    numbers = sorted(int(path.name) for path in directory.iterdir())
    return [directory / f"{number}" for number in numbers if number]


def told_in(directory: Path) -> list[tuple[int, str]]:
    """Revision and description of running after each step, as callers were told."""
    told = directory / TOLD
    lines = told.read_text().splitlines() if told.exists() else []
    return [
        (int(revision), description) for revision, _, description in (line.partition(" ") for line in lines)
    ]


def fail_points() -> set[str]:
    """The names of all fail-points in the controller's code."""
    names = set()
    for module in Path(tasuki_controller.__path__[0]).rglob("*.py"):
        for node in ast.walk(ast.parse(module.read_text())):
            match node:
                case ast.Call(func=ast.Name(id="failpoint"), args=[ast.Constant(value=str(name))]):
                    names.add(name)
    return names
