"""NGN with tunnels on it, shared by all modules here; each test leaves it as it found it.

`site` comes twice: with VXLAN on this machine's kernel, and with every tunnel where the kernel has them.
"""

from collections.abc import Iterator

import pytest
from tunnels import Site


@pytest.fixture(scope="package")
def vxlan_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with Site.with_vxlan(tmp_path_factory.mktemp("vxlan")) as site:
        yield site


@pytest.fixture(scope="package")
def tunnel_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with Site.with_every_tunnel(tmp_path_factory.mktemp("tunnels")) as site:
        yield site


@pytest.fixture(
    scope="package",
    params=[
        "vxlan_site",
        pytest.param("tunnel_site", marks=pytest.mark.needs_kernel("ip6_tunnel", "ip6_gre")),
    ],
)
def site(request: pytest.FixtureRequest) -> Site:
    found: Site = request.getfixturevalue(request.param)
    return found
