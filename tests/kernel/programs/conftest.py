"""A router in a namespace of its own, and who keeps its programs running there.

In a machine whose systemd is process 1 (test_systemd.py makes one) there is no other namespace: systemd's
services are in its own.
"""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from kernel.programs.agent_process import INSIDE, opened
from netns import Namespace
from tasuki_agent.kernel.programs import Supervisor


@pytest.fixture
def network() -> Iterator[None]:
    """This thread is in the router's namespace."""
    if INSIDE in os.environ:
        yield
        return
    namespace = Namespace.create("programs")
    try:
        with namespace.entered():
            yield
    finally:
        namespace.delete()


@pytest.fixture
async def supervisor(network: None, tmp_path: Path) -> AsyncIterator[Supervisor]:
    supervisor = opened(tmp_path)
    try:
        yield supervisor
    finally:
        for name in await supervisor.running():
            await supervisor.stop(name)
        supervisor.close()
