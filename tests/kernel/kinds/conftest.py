"""One router in a namespace of its own, with an underlay, and the kinds in the test's own process."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from kernel.kinds.line import Line
from kernel.kinds.machine import Kinds
from kernel.kinds.writes import Writes
from netns import Machines, Namespace, cable
from tasuki_agent.kernel import Kernel


@pytest.fixture
def machines() -> Iterator[Machines]:
    with Machines() as machines:
        yield machines


@pytest.fixture
def router(machines: Machines) -> Iterator[Namespace]:
    """A machine with the interfaces e0 and e2 and the underlay address 10.1.1.1, entered by this thread."""
    router, outside = machines.add("router"), machines.add("outside")
    cable(router, "e0", outside, "port0")
    cable(router, "e2", outside, "port2")
    router.ip("addr add 10.1.1.1/24 dev e0")
    with router.entered():
        yield router


@pytest.fixture
def line(machines: Machines) -> Iterator[Line]:
    """An IPv6 line between two machines. A module that uses it has its first machine for its router."""
    with Line.joining(machines.add("router"), machines.add("far")) as line:
        yield line


@pytest.fixture
async def kernel(router: Namespace, tmp_path: Path) -> AsyncIterator[Kernel]:
    async with Kernel(tmp_path) as kernel:
        yield kernel


@pytest.fixture
def kinds(kernel: Kernel) -> Kinds:
    return Kinds(kernel)


@pytest.fixture
def writes(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> Writes:
    return Writes(kernel, monkeypatch)
