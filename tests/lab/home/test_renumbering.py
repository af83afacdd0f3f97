"""The line delegates another prefix, or none any more: everything that is made of it follows."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from access import FIRST, OUTSIDE_NAME, SECOND, SMALL, VPS
from dhcpv6 import DNS, wire_addresses
from home import LAN0, Home, lan, subnet
from nameserver import Nameserver
from netns import until
from tasuki_yang.facts import address_in
from traffic import AddressWatch

OTHER_RESOLVER = "2001:db8:53::5353"


@contextmanager
def one_event(home: Home) -> Iterator[None]:
    """Insist that whatever facts change meanwhile change with one another, and that it is no drift."""
    client = home.deployment.client
    newest = client.fact_changes(limit=1)[0].number
    drift = {item.id for item in client.drift().items}
    yield
    home.deployment.converge()
    shown = home.deployment.operator.tasuki_json("facts", "--changes")
    changes = [change for change in shown["changes"] if int(change["number"]) > newest]
    print(*changes, sep="\n")
    (renumbered,) = (change for change in changes if change["noun"] == "delegated-prefix")
    assert renumbered["router"] == "home"
    assert "former-prefixes" in {
        change["noun"] for change in changes if change["event"] == renumbered["event"]
    }
    # What was delegated in another test may come to its end meanwhile.
    others = [change for change in changes if change["noun"] != "former-prefixes"]
    assert {change["event"] for change in others} == {renumbered["event"]}
    assert {item.id for item in client.drift().items} == drift


def test_another_prefix_is_everywhere_at_once_and_the_old_one_deprecated(home: Home) -> None:
    with ExitStack() as stack:
        watches = [stack.enter_context(AddressWatch.on(host.machine, home.directory)) for host in home.hosts]
        stack.enter_context(one_event(home))
        home.access.server.delegate(prefix=SECOND)
        leased = home.leased_at()
        for host, watch in zip(home.hosts, watches, strict=True):
            print(f"{host.machine.name}: {watch.usable('eth0') - leased:.3f} s after the lease")
        home.must_work()
        until(lambda: home.ends("home")[0] == home.end, within=30, why="the own end follows")
        until(lambda: home.ends("vps")[1] == home.end, within=30, why="the peer follows")
        home.through_the_tunnel.must_pass()
    old = subnet(FIRST, LAN0)
    until(lambda: home.pc.has_deprecated(old), within=30, why="the pc has the old one deprecated")
    assert "deprecated" in home.router.ip(f"-6 addr show dev lan0 to {old}")
    assert FIRST in home.router.ip("-6 route show type unreachable")
    assert SECOND in home.router.ip("-6 route show type unreachable")


def test_a_smaller_prefix_fails_only_the_lan_that_has_no_place_in_it(home: Home) -> None:
    far = lan(1)
    far["ipv6"]["delegated"]["subnet-id"] = 100
    home.deployment.apply({"tasuki-network:network": {"tasuki-lan:lan": [far]}})
    until(lambda: home.laptop.is_in(subnet(FIRST, 100)), within=30, why="a /56 has a subnet of that number")
    home.access.server.delegate(prefix=SMALL)
    until(lambda: home.pc.is_in(subnet(SMALL, LAN0)), within=30, why="the first LAN follows")
    until(
        lambda: "has no subnet 100: its subnets are 0 to 15" in home.status(),
        within=30,
        why="the second one fails, with the reason",
    )
    home.outward[0].must_pass()


def test_a_cable_that_is_out_for_a_moment_changes_nothing(home: Home) -> None:
    before = [host.ipv6() for host in home.hosts]
    newest = home.deployment.client.fact_changes(limit=1)[0].number
    home.access.replug()
    home.must_work()
    home.through_the_tunnel.must_pass()
    assert [host.ipv6() for host in home.hosts] == before
    changed = {change.noun for change in home.deployment.client.fact_changes() if change.number > newest}
    assert not changed & {"delegated-prefix", "former-prefixes"}


def test_a_lease_that_is_over_is_withdrawn_from_hosts_and_returns_with_the_server(home: Home) -> None:
    with home.unserved():
        until(lambda: "waits for a prefix delegated on wan0" in home.status(), within=60, why="it is over")
        until(
            lambda: not home.pc.ipv6() and not home.laptop.ipv6(),
            within=60,
            why="hosts have no address that they prefer",
        )
        assert address_in(FIRST, LAN0, "::1") not in home.router.ip("-6 addr show dev lan0")
        assert "lost" in home.deployment.operator.tasuki("facts")
        assert home.pc.ipv4(), "IPv4 has nothing to do with it"
    home.must_work()
    home.through_the_tunnel.must_pass()


def test_a_lease_that_names_another_dns_server_moves_the_forwarder(home: Home) -> None:
    other = Nameserver({OUTSIDE_NAME: [f"AAAA {VPS}"]})
    home.access.ngn.ip(f"addr add {OTHER_RESOLVER}/128 dev lo")
    with other.on(home.access.ngn, OTHER_RESOLVER):
        home.access.server.delegate(options={DNS: wire_addresses(OTHER_RESOLVER)})
        until(
            lambda: home.pc.resolves(OUTSIDE_NAME, "192.168.1.1") == [VPS],
            within=30,
            why="the pc is answered by the other server",
        )
