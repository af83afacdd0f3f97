"""Ends that come with a lease: Kea delegates, the agent's client asks, and the peer follows.

Nobody answers until the routers have said what they wait for.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import dhcpv6
import pytest
from dhcpv6 import Delegation, Server
from netns import until
from ngn import AFTRS, LINE_A, VPS, link_local_address
from tasuki_yang.facts import address_in
from tunnels import INTERFACE_ID, SUBNET_ID, Site

pytestmark = pytest.mark.skipif(bool(dhcpv6.missing()), reason=f"needs {dhcpv6.missing()}")

FIRST, SECOND, SUPPOSED = "2001:db8:1200::/56", "2001:db8:3400::/56", "2001:db8:5600::/56"
AFTR_NAMES = ("gw-a.example.net", "gw-b.example.net")
FACT, FORMER = "home-a/wan0/delegated-prefix", "home-a/wan0/former-prefixes"
RENEW = 3
"""Seconds until the client asks again, and sees what is otherwise."""


@dataclass(frozen=True)
class Line:
    """home-a's line, with its lease.

    Attributes:
        waited: what each router waited for before there was a lease, in its own words.
    """

    site: Site
    server: Server
    waited: Mapping[str, str]

    @property
    def end(self) -> str:
        """Where home-a's end has to be."""
        assert self.server.delegation.prefix
        return end_in(self.server.delegation.prefix)

    def addresses(self) -> list[str]:
        """All that wan0 of home-a has in prefixes that can be delegated here."""
        (link,) = json.loads(self.site.network.home_a.ip("-j -6 addr show dev wan0"))
        ends = {end_in(prefix) for prefix in (FIRST, SECOND, SUPPOSED)}
        return [entry["local"] for entry in link["addr_info"] if entry["local"] in ends]


def end_in(prefix: str) -> str:
    """The address that the intent means in this prefix."""
    return address_in(prefix, SUBNET_ID, INTERFACE_ID)


@contextmanager
def leased(site: Site, aftr_name: str = "") -> Iterator[Line]:
    """Have home-a get a lease that it renews soon, and wait until traffic passes."""
    network = site.network
    home = link_local_address(network.home_a)
    delegation = Delegation(FIRST, aftr_name=aftr_name, renew=RENEW)
    server = Server(network.ngn, LINE_A, site.directory, delegation, home)
    waited = {router: site.deployment.operator.tasuki("routers", router) for router in ("vps", "home-a")}
    with server.running():
        for flow in site.flows:
            flow.must_pass()
        site.deployment.converge()
        yield Line(site, server, waited)


@contextmanager
def nothing_but(line: Line, *facts: str) -> Iterator[None]:
    """Insist that these facts change once each meanwhile, and that this is all that anybody sees."""
    client, indexes = line.site.deployment.client, line.site.indexes()
    newest = client.fact_changes(limit=1)[0].number
    yield
    line.site.deployment.converge()
    changes = [change for change in client.fact_changes() if change.number > newest]
    assert sorted(f"{change.router}/{change.subject}/{change.noun}" for change in changes) == sorted(facts)
    assert not client.drift().items
    assert line.site.indexes() == indexes, "no tunnel was built anew"
    assert [router.problem for router in client.routers()] == [""] * 2


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Line]:
    with Site.with_leased_vxlan(tmp_path_factory.mktemp("leased")) as site, leased(site) as line:
        yield line


def test_before_the_lease_the_tunnel_waits_for_it_on_both_routers(line: Line) -> None:
    own, peer = (" ".join(line.waited[router].split()) for router in ("home-a", "vps"))
    hint = "does a client ask for one there, and a DHCPv6 server answer?"
    assert f"waits for a prefix delegated on wan0: {hint}" in own
    assert "waits for a prefix delegated on wan0 of router home-a" in peer


def test_the_leases_prefix_is_a_fact_of_which_both_ends_are_made(line: Line) -> None:
    prefix, site = line.server.delegation.prefix, line.site
    for flow in site.flows:
        flow.must_pass()
    assert site.ends("home-a", "vxlan01") == (line.end, VPS)
    assert site.ends("vps", "vxlan01")[1] == line.end
    assert line.addresses() == [line.end]
    told = [row.split()[:4] for row in site.deployment.operator.tasuki("facts").splitlines()]
    assert ["home-a", "wan0/delegated-prefix", prefix, "known"] in told


def test_operational_says_that_the_address_and_the_end_were_learned(line: Line) -> None:
    interfaces = {
        entry["name"]: entry
        for entry in line.site.operational("home-a")["ietf-interfaces:interfaces"]["interface"]
    }
    learned = {"ietf-origin:origin": "ietf-origin:learned"}
    tunnel = interfaces["vxlan01"]["tasuki-link:vxlan"]
    assert (tunnel["local"], tunnel["@local"]) == (line.end, learned)
    (address,) = (entry for entry in interfaces["wan0"]["ietf-ip:ipv6"]["address"] if entry["ip"] == line.end)
    assert address["@"] == learned


def test_what_if_names_the_changes_of_both_routers_and_makes_none(line: Line) -> None:
    old, new = line.end, end_in(SUPPOSED)
    with nothing_but(line):
        shown = line.site.deployment.operator.tasuki_json("diff", "--fact", f"{FACT}={SUPPOSED}")
        print(line.site.deployment.operator.tasuki("diff", "--fact", f"{FACT}={SUPPOSED}"))
        plans = {router["router"]: router["plan"] for router in shown["routers"]}
        assert plans["vps"] == [f"change link vxlan01 (remote {old} → {new})"]
        *before, last = plans["home-a"]
        assert sorted(before) == [
            f"change link vxlan01 (local {old} → {new})",
            f"create address {new} dev wan0",
            f"create route {SUPPOSED} table 254 metric 1024",
            f"delete route {FIRST} table 254 metric 1024",
        ]
        assert last == f"delete address {old} dev wan0"
        assert line.addresses() == [old]


def test_another_prefix_is_followed_by_both_ends_and_the_old_address_goes(line: Line) -> None:
    site = line.site
    with nothing_but(line, FACT, FORMER):
        line.server.delegate(prefix=SECOND)
        until(lambda: site.ends("home-a", "vxlan01")[0] == line.end, within=30, why="the own end follows")
        until(lambda: site.ends("vps", "vxlan01")[1] == line.end, within=30, why="the peer follows")
        for flow in site.flows:
            flow.must_pass()
        until(lambda: line.addresses() == [line.end], within=30, why="the old address goes")
    changes = {change.noun: change for change in site.deployment.client.fact_changes(limit=2)}
    change, former = changes["delegated-prefix"], changes["former-prefixes"]
    assert [*change.old_values, *change.values, *change.recompiled] == [FIRST, SECOND, "vps"]
    assert [*former.old_values, *former.values] == [FIRST]
    assert change.event == former.event


@pytest.fixture(scope="module")
def ds_lite_line(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Line]:
    with Site.with_leased_ds_lite(tmp_path_factory.mktemp("leased-ds-lite")) as site:
        for name, address in zip(AFTR_NAMES, AFTRS, strict=True):
            site.names.records[name] = [f"AAAA {address}"]
        with leased(site, AFTR_NAMES[0]) as line:
            yield line


@pytest.mark.needs_kernel("ip6_tunnel")
def test_a_lease_that_names_an_aftr_makes_ds_lite_and_another_one_moves_it(ds_lite_line: Line) -> None:
    line, site = ds_lite_line, ds_lite_line.site
    assert "link ip6tnl1" in line.waited["home-a"]
    assert "waits for a prefix delegated on wan0" in line.waited["home-a"]
    assert site.ends("home-a", "ip6tnl1") == (line.end, AFTRS[0])
    indexes = site.indexes()
    for changes in ({"aftr_name": AFTR_NAMES[1]}, {"prefix": SECOND}):
        line.server.delegate(**changes)
        until(
            lambda: site.ends("home-a", "ip6tnl1") == (line.end, AFTRS[1]),
            within=30,
            why="the tunnel is where the lease has it now",
        )
        for flow in site.flows:
            flow.must_pass()
        until(lambda: line.addresses() == [line.end], within=30, why="no other address is left")
    site.deployment.converge()
    assert site.indexes() == indexes, "the tunnel was not built anew"
    assert not site.deployment.client.drift().items
