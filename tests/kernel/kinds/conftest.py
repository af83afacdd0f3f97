"""One router in a namespace of its own, with an underlay, and the kinds in the test's own process."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from kernel.kinds.machine import Kinds
from netns import Machines, Namespace, cable
from tasuki_agent.kernel import Kernel


@pytest.fixture
def router() -> Iterator[Namespace]:
    """A machine with the interfaces e0 and e2 and the underlay address 10.1.1.1, entered by this thread."""
    with Machines() as machines:
        router, outside = machines.add("router"), machines.add("outside")
        cable(router, "e0", outside, "port0")
        cable(router, "e2", outside, "port2")
        router.ip("addr add 10.1.1.1/24 dev e0")
        with router.entered():
            yield router


@pytest.fixture
async def kernel(router: Namespace, tmp_path: Path) -> AsyncIterator[Kernel]:
    async with Kernel(tmp_path) as kernel:
        yield kernel


@pytest.fixture
def kinds(kernel: Kernel) -> Kinds:
    return Kinds(kernel)
