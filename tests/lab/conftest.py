"""Networks with tasuki installed. Those that a module shares are left by each test as it found them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from deployment import Deployment, example
from netns import Machines
from network import Network


@pytest.fixture
def network() -> Iterator[Network]:
    with Machines() as machines:
        yield Network.build(machines)


@pytest.fixture
def vps_and_home(network: Network, tmp_path: Path) -> Iterator[Deployment]:
    with Deployment.on(network, tmp_path, routers=("vps", "home")) as deployment:
        yield deployment


@pytest.fixture(scope="module")
def converged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """The example's split on the example's network; what changes is seen by the kernel's events or never."""
    with Machines() as machines:
        network, directory = Network.build(machines), tmp_path_factory.mktemp("lab")
        with Deployment.on(network, directory, observe_interval=3600) as deployment:
            deployment.apply(example())
            yield deployment
