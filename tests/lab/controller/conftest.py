"""One controller process per test, without TLS on loopback."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from controller_process import ControllerProcess, Operator, operator, running


@pytest.fixture
async def controller(tmp_path: Path) -> AsyncIterator[ControllerProcess]:
    async with running(tmp_path / "state", "--insecure") as process:
        yield process


@pytest.fixture
async def alice(controller: ControllerProcess) -> AsyncIterator[Operator]:
    async with operator(controller.target) as caller:
        yield caller
