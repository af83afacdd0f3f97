"""A LAN that IPv6 is kept from, as on NGN without an ISP."""

from access import FIRST, OUTSIDE, OUTSIDE_NAME
from home import LAN as LANS
from home import LAN0, LAN1, NETWORK, WHOLE, Home, lan, subnet
from netns import until
from ngn import link_local_address
from packets import is_router_advertisement
from tasuki_proto.v1.config_pb2 import OPERATION_REPLACE
from tasuki_yang.facts import address_in
from traffic import Wire

INTENT = {NETWORK: {**WHOLE[NETWORK], LANS: [lan(0, **{"kept-out": [None]}), lan(1)]}}


def test_hosts_hear_nothing_of_ipv6_and_cannot_use_any_while_all_else_works(home: Home) -> None:
    home.deployment.apply(INTENT, operation=OPERATION_REPLACE)
    with Wire(home.router, "lan0") as kept, Wire(home.router, "lan1") as other:
        # A host that comes new, and asks for routers.
        home.pc.machine.ip("link set eth0 down")
        home.pc.machine.ip("link set eth0 up")
        heard = 0

        def advertised() -> bool:
            nonlocal heard
            heard += sum(map(is_router_advertisement, other.packets()))
            return heard >= 2

        until(advertised, within=60, why="hosts of the other LAN hear advertisements")
        assert not any(map(is_router_advertisement, kept.packets()))
    assert not home.pc.ipv6()

    typed = address_in(FIRST, LAN0, "::bad")
    home.pc.machine.ip(f"addr add {typed}/64 dev eth0")
    home.pc.machine.ip(f"-6 route add default via {link_local_address(home.router, 'lan0')} dev eth0")
    assert not home.pc.machine.reaches(OUTSIDE)
    assert not home.access.outside.reaches(typed)

    until(home.pc.ipv4, within=60, why="the pc has IPv4")
    home.pc.machine.must_reach("192.168.1.1")
    assert home.pc.resolves(OUTSIDE_NAME, "192.168.1.1") == [OUTSIDE]
    assert home.laptop.is_in(subnet(FIRST, LAN1))
    home.laptop.machine.must_reach(OUTSIDE)
    home.pc.machine.ip(f"addr del {typed}/64 dev eth0")
    home.pc.machine.ip("-6 route flush default dev eth0")
