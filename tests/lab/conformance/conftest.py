"""A controller process and two operators for every rule."""

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


@pytest.fixture
async def bob(controller: ControllerProcess) -> AsyncIterator[Operator]:
    async with operator(controller.target) as caller:
        yield caller
