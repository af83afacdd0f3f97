"""A home whose line delegates prefixes, shared by all modules here: each test finds it as it is by itself."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import dhcpv6
import pytest
from home import Home

HERE = Path(__file__).parent
RUNNING = ExitStack()
"""The home. What renews leases every few seconds must not run beside all tests that come after these."""


@pytest.fixture(scope="session", autouse=True)
def _daemons() -> None:
    if dhcpv6.missing():
        pytest.skip(f"needs {dhcpv6.missing()}")


@pytest.fixture(scope="session")
def running_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    with RUNNING:
        yield RUNNING.enter_context(Home.running(tmp_path_factory.mktemp("home")))


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> None:
    """End the home with the last test here: a package that is none to Python has no such scope."""
    if nextitem is None or HERE not in nextitem.path.parents:
        RUNNING.close()


@pytest.fixture
def home(running_home: Home) -> Home:
    """As intended, whatever the test before has done to it."""
    running_home.restore()
    return running_home
