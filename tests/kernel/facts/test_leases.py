"""Leases of a real DHCPv6 server, by a real client that is set up as the example says."""

from collections.abc import Iterator
from pathlib import Path

import dhcpv6
import pytest
from dhcpv6 import Client, Delegation, Server
from kernel.facts.learner import Learner
from netns import Machines, Namespace, cable
from tasuki_agent.facts.leases import SOURCE
from tasuki_yang.facts import FactKey

pytestmark = pytest.mark.skipif(bool(dhcpv6.missing()), reason=f"needs {dhcpv6.missing()}")

PREFIX = FactKey("wan0", "delegated-prefix")
AFTR = FactKey("wan0", "aftr-name")
OLD, NEW = "2001:db8:1200::/56", "2001:db8:3400::/56"


@pytest.fixture
def line() -> Iterator[tuple[Namespace, Namespace]]:
    """The router and its provider."""
    with Machines() as machines:
        router, provider = machines.add("router"), machines.add("provider")
        cable(router, "wan0", provider, "port0")
        yield router, provider


@pytest.fixture
def server(line: tuple[Namespace, Namespace], tmp_path: Path) -> Iterator[Server]:
    server = Server(line[1], "port0", tmp_path, Delegation(OLD, "gw.example.net"))
    with server.running():
        yield server


@pytest.fixture
def client(line: tuple[Namespace, Namespace], tmp_path: Path) -> Client:
    return Client(line[0], "wan0", tmp_path, tmp_path / "state")


@pytest.fixture
def learner(tmp_path: Path) -> Learner:
    return Learner(SOURCE(tmp_path / "state"), (PREFIX, AFTR))


async def test_a_delegated_prefix_and_the_aftrs_name_arrive(
    line: tuple[Namespace, Namespace], server: Server, client: Client, learner: Learner
) -> None:
    def configured() -> str:
        return line[0].ip("-6 address show") + line[0].ip("-6 route show table all")

    before = configured()
    async with learner.running():
        with client.running():
            await learner.until(PREFIX, OLD)
            await learner.until(AFTR, "gw.example.net")
            assert configured() == before
    assert "duid=[00:03:00:01:" in server.log
    assert "DHCP6_PD_LEASE_ALLOC" in server.log
    assert "DHCP6_LEASE_ALLOC" not in server.log


async def test_a_renumbered_line_changes_the_fact_at_once(
    server: Server, client: Client, learner: Learner
) -> None:
    async with learner.running():
        with client.running():
            await learner.until(PREFIX, OLD)
            server.delegate(prefix=NEW, aftr_name="gw.example.org")
            client.renew()
            await learner.until(PREFIX, NEW)
            await learner.until(AFTR, "gw.example.org")
    assert learner.history[PREFIX][:3] == [None, (OLD,), (NEW,)]


async def test_a_line_without_an_aftr_still_has_its_prefix(
    server: Server, client: Client, learner: Learner
) -> None:
    server.delegate(aftr_name="")
    async with learner.running():
        with client.running():
            await learner.until(PREFIX, OLD)
            assert AFTR not in learner.facts


async def test_a_client_that_ends_takes_its_lease_along(
    server: Server, client: Client, learner: Learner
) -> None:
    async with learner.running():
        with client.running():
            await learner.until(PREFIX, OLD)
        await learner.until(PREFIX)
        await learner.until(AFTR)
        with client.running():
            await learner.until(PREFIX, OLD)


async def test_a_lease_that_is_given_back_is_no_fact_any_more(
    server: Server, client: Client, learner: Learner
) -> None:
    async with learner.running():
        with client.running():
            await learner.until(PREFIX, OLD)
            client.release()
            await learner.until(PREFIX)
    assert "DHCP6_RELEASE_PD" in server.log


async def test_a_client_that_dies_leaves_the_prefix_until_its_lifetime_ends(
    server: Server, client: Client, learner: Learner
) -> None:
    server.delegate(renew=3, preferred=4, valid=6)
    async with learner.running():
        with client.running():
            await learner.until(PREFIX, OLD)
            client.kill()
            assert learner.facts[PREFIX] == (OLD,)
            await learner.until(PREFIX)
