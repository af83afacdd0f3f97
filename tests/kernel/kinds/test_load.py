from graphlib import CycleError
from pathlib import Path

import pytest
from tasuki_agent import kinds
from tasuki_agent.kernel import Kernel


async def test_every_folder_is_a_kind_and_comes_after_those_that_it_follows(kernel: Kernel) -> None:
    names = [kind.name for kind in kinds.load(kernel)]
    folders = [path.parent.name for path in Path(kinds.__file__).parent.glob("*/__init__.py")]
    assert sorted(name.replace("-", "_") for name in names) == sorted(folders)
    assert names.index("link") < names.index("address") < names.index("route") < names.index("rule")


class Follower:
    """A kind that follows others, and nothing else."""

    def __init__(self, name: str, *follows: str) -> None:
        self.name, self.follows = name, follows


async def test_a_kind_that_follows_an_unknown_one_is_refused(
    kernel: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kinds, "_factories", lambda: [lambda _: Follower("tunnel", "lnik")])
    with pytest.raises(KeyError, match="lnik"):
        kinds.load(kernel)


async def test_kinds_that_follow_one_another_are_refused(
    kernel: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    circle = [lambda _: Follower("a", "b"), lambda _: Follower("b", "a")]
    monkeypatch.setattr(kinds, "_factories", lambda: circle)
    with pytest.raises(CycleError):
        kinds.load(kernel)
