"""Leases of real DHCP servers, by a real client."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import dhcpv6
import pytest
from dhcpv4 import leasing
from dhcpv6 import HOOK, Client, Delegation, Server, wire_addresses, wire_name
from kernel.facts.learner import Learner, eventually
from netns import Machines, Namespace, cable
from programs import Program
from tasuki_agent.facts import Dated
from tasuki_agent.facts.leases import SOURCE
from tasuki_agent.facts.leases.files import Now
from tasuki_agent.kinds.dhcp_client import dhcpcd
from tasuki_yang.facts import FactKey, Terms
from tasuki_yang.router import InterfacesInterfaceDhcpClientIpv4, InterfacesInterfaceDhcpClientIpv6

pytestmark = pytest.mark.skipif(bool(dhcpv6.missing()), reason=f"needs {dhcpv6.missing()}")

PREFIX, FORMER, AFTR, DNS, SNTP, SIP, SIP_DOMAINS, SEARCH, VENDOR = (
    FactKey("wan0", noun)
    for noun in (
        "delegated-prefix",
        "former-prefixes",
        "aftr-name",
        "dns-servers",
        "sntp-servers",
        "sip-servers",
        "sip-domains",
        "search-domains",
        "vendor-options",
    )
)
ADDRESS, ROUTERS = FactKey("wan0", "ipv4-address"), FactKey("wan0", "ipv4-routers")
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
    return Learner(SOURCE(tmp_path / "state"), (PREFIX, FORMER, AFTR))


def terms(learner: Learner, key: FactKey, value: str) -> Terms:
    assert isinstance(learner.source, Dated)
    return learner.source.terms()[key, value]


def later(one: Terms, other: Terms) -> bool:
    assert one.valid_until is not None
    assert other.valid_until is not None
    return one.valid_until > other.valid_until


@contextmanager
def asking(router: Namespace, configuration: str, directory: Path) -> Iterator[None]:
    """Run dhcpcd as it is set up for a router, with directories of its own."""
    file = directory / "asking.conf"
    file.write_text(configuration)
    own = "mkdir -p /run/dhcpcd /var/lib/dhcpcd && mount -t tmpfs run /run/dhcpcd"
    own += " && mount -t tmpfs lib /var/lib/dhcpcd"
    command = f"dhcpcd -B -d -f {file} -e TASUKI_STATE_DIR={directory}/state -c {HOOK} wan0"
    client = Program(router, ("sh", "-c", f"{own} && exec {command}"), directory / "asking.log")
    client.start()
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            os.killpg(client.pid, signal.SIGKILL)
        client.stop()


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
    assert "DHCP6_PD_LEASE_ALLOC" in server.log
    assert "DHCP6_LEASE_ALLOC" not in server.log


async def test_a_renumbered_line_changes_the_fact_at_once_and_leaves_a_former_prefix(
    server: Server, client: Client, learner: Learner
) -> None:
    async with learner.running():
        with client.running():
            await learner.until(PREFIX, OLD)
            end = terms(learner, PREFIX, OLD).valid_until
            server.delegate(prefix=NEW, aftr_name="gw.example.org")
            client.renew()
            await learner.until(PREFIX, NEW)
            await learner.until(AFTR, "gw.example.org")
            await learner.until(FORMER, OLD)
    assert learner.history[PREFIX] == [None, (OLD,), (NEW,)]
    former = terms(learner, FORMER, OLD)
    assert former.preferred_until is not None
    assert former.preferred_until <= Now.of_machine().uptime
    assert former.valid_until == end


async def test_a_line_without_an_aftr_still_has_its_prefix(
    server: Server, client: Client, learner: Learner
) -> None:
    server.delegate(aftr_name="")
    async with learner.running():
        with client.running():
            await learner.until(PREFIX, OLD)
            assert AFTR not in learner.facts


async def test_a_client_that_ends_leaves_its_lease_until_the_next_one_renews_it(
    server: Server, client: Client, learner: Learner
) -> None:
    async with learner.running():
        with client.running():
            await learner.until(PREFIX, OLD)
        first = terms(learner, PREFIX, OLD)
        with client.running():
            await eventually(lambda: later(terms(learner, PREFIX, OLD), first), "the lease is renewed")
    assert learner.history[PREFIX] == [None, (OLD,)]


async def test_a_line_that_is_down_for_a_moment_leaves_the_lease(
    line: tuple[Namespace, Namespace], server: Server, client: Client, learner: Learner, tmp_path: Path
) -> None:
    log = tmp_path / "dhcpcd.log"
    async with learner.running():
        with client.running():
            await learner.until(PREFIX, OLD)
            line[1].ip("link set port0 down")
            await eventually(lambda: "EXPIRE6" in log.read_text(errors="replace"), "the client has seen it")
            assert learner.source.learn(learner.asked, {}, learner.facts) == learner.facts
            first = terms(learner, PREFIX, OLD)
            line[1].ip("link set port0 up")
            await eventually(lambda: later(terms(learner, PREFIX, OLD), first), "the lease is renewed")
    assert learner.history[PREFIX] == [None, (OLD,)]


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


async def test_all_that_a_dhcpv6_server_tells_arrives(
    line: tuple[Namespace, Namespace], server: Server, tmp_path: Path
) -> None:
    vendor = bytes.fromhex("000000d200c900060010db11223300d200030a2700")
    server.delegate(
        renew=300,
        options={
            17: vendor,
            21: wire_name("sip.example.net"),
            22: wire_addresses("2001:db8::5060"),
            23: wire_addresses("2001:db8::53", "2001:db8::54"),
            24: wire_name("example.net") + wire_name("example.org"),
            31: wire_addresses("2001:db8::123"),
        },
    )
    asked = InterfacesInterfaceDhcpClientIpv6()
    keys = (PREFIX, AFTR, DNS, SNTP, SIP, SIP_DOMAINS, SEARCH, VENDOR)
    learner = Learner(SOURCE(tmp_path / "state"), keys)
    async with learner.running():
        with asking(line[0], dhcpcd.dhcpv6(asked), tmp_path):
            await learner.until(PREFIX, OLD)
    assert learner.facts == {
        PREFIX: (OLD,),
        AFTR: ("gw.example.net",),
        DNS: ("2001:db8::53", "2001:db8::54"),
        SNTP: ("2001:db8::123",),
        SIP: ("2001:db8::5060",),
        SIP_DOMAINS: ("sip.example.net",),
        SEARCH: ("example.net", "example.org"),
        VENDOR: ("210/201:0010db112233", "210/210:0a2700"),
    }
    found = terms(learner, PREFIX, OLD)
    assert found.valid_until is not None
    begin = found.valid_until - 900
    assert found.origin == "dhcpv6"
    assert found[1:] == pytest.approx((begin + 600, begin + 900, begin + 300, begin + 600))


async def test_what_a_dhcpv4_server_leases_arrives_and_ends_when_it_is_refused(
    line: tuple[Namespace, Namespace], tmp_path: Path
) -> None:
    learner = Learner(SOURCE(tmp_path / "state"), (ADDRESS, ROUTERS, DNS))
    asked = InterfacesInterfaceDhcpClientIpv4()
    async with learner.running():
        with asking(line[0], dhcpcd.dhcpv4(asked), tmp_path):
            with leasing(line[1], "port0", "192.0.2.0/24", tmp_path):
                await eventually(lambda: ADDRESS in learner.facts, "an address is leased")
                (first,) = learner.facts[ADDRESS]
                assert learner.facts[ROUTERS] == ("192.0.2.1",)
                found = terms(learner, ADDRESS, first)
                assert found.valid_until is not None
                begin = found.valid_until - 120
                assert (found.origin, found.preferred_until) == ("dhcpv4", None)
                assert found[2:] == pytest.approx((begin + 120, begin + 60, begin + 105))
            line[1].ip("link set port0 down")
            lost = "carrier lost"
            await eventually(lambda: lost in (tmp_path / "asking.log").read_text(), "the client has seen it")
            with leasing(line[1], "port0", "198.51.100.0/24", tmp_path):
                line[1].ip("link set port0 up")
                await eventually(lambda: learner.facts.get(ROUTERS) == ("198.51.100.1",), "another one is")
    assert learner.history[ROUTERS][1] == ("192.0.2.1",)
    assert "192.0.2." not in learner.facts[ADDRESS][0]
