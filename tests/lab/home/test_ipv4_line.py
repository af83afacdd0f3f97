"""A line that leases IPv4 as well, as behind a home gateway."""

from access import LINE
from dhcpv4 import leasing
from home import NETWORK, WAN, Home, wan
from netns import until

INTENT = {NETWORK: {WAN: [wan(ipv6={"prefix-delegation": {}}, ipv4={"dhcp": {}})]}}
FAR = "203.0.113.1"
"""An address beyond the gateway."""


def test_the_leased_address_and_its_router_are_used(home: Home) -> None:
    ngn = home.access.ngn
    with leasing(ngn, LINE, "192.168.100.0/24", home.directory):
        ngn.ip(f"addr add {FAR}/32 dev lo")
        home.deployment.apply(INTENT)
        until(lambda: "192.168.100." in home.router.ip("-4 addr show dev wan0"), within=60, why="leased")
        home.router.must_reach(FAR)
        facts = home.deployment.operator.tasuki("facts")
        assert "wan0/ipv4-address" in facts
        home.must_work()
        ngn.ip(f"addr del {FAR}/32 dev lo")


def test_a_line_that_leases_the_subnet_of_a_lan_fails_and_says_so(home: Home) -> None:
    with leasing(home.access.ngn, LINE, "192.168.1.0/24", home.directory):
        home.deployment.client.apply(INTENT)
        until(lambda: "192.168.1.0/24" in home.status(), within=60, why="the report names the subnet")
        assert "lan0" in home.status()
        assert "192.168.1." not in home.router.ip("-4 addr show dev wan0")
        home.pc.machine.must_reach("192.168.1.1")
