"""A home whose line delegates prefixes, shared by all modules here: each test finds it as it is by itself."""

from collections.abc import Iterator

import dhcpv6
import pytest
from home import Home


@pytest.fixture(scope="session", autouse=True)
def _daemons() -> None:
    if dhcpv6.missing():
        pytest.skip(f"needs {dhcpv6.missing()}")


@pytest.fixture(scope="package")
def running_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    with Home.running(tmp_path_factory.mktemp("home")) as home:
        yield home


@pytest.fixture
def home(running_home: Home) -> Home:
    """As intended, whatever the test before has done to it."""
    running_home.restore()
    return running_home
