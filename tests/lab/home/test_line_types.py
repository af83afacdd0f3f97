"""A line that delegates becomes one that only advertises, and back: the intent stays as it is."""

from access import LINE
from home import FORWARDS, Home, document, lan, tunnel, wan
from netns import until
from ngn import global_address
from tasuki_proto.v1.config_pb2 import OPERATION_REPLACE
from tasuki_yang.facts import address_in

OWN = {"subnet-id": 14, "interface-id": "::e"}
INTENT = document(
    wan=[wan(ipv6={"prefix-delegation": {"own-address": OWN}})],
    lan=[lan(0), lan(1)],
    forwarder=[FORWARDS],
    split=[tunnel({"global-address": [None]})],
)
ADVERTISED = "2001:db8:a1:a::/64"


def test_either_type_of_line_is_followed_without_another_intent(home: Home) -> None:
    home.deployment.apply(INTENT, operation=OPERATION_REPLACE)
    own = address_in(home.prefix, 14, "::e")
    must_end_at(home, own)
    with home.unserved():
        home.access.line.renumber({LINE: ADVERTISED})
        until(lambda: "waits for a prefix delegated on wan0" in home.status(), within=60, why="the LAN waits")
        until(lambda: global_address(home.router) not in (None, own), within=60, why="wan0 has another one")
        advertised = global_address(home.router)
        assert advertised
        assert advertised.startswith("2001:db8:a1:a:")
        must_end_at(home, advertised)
        until(lambda: not home.pc.ipv6(), within=60, why="the pc has no address that it prefers")
        home.pc.machine.must_reach("192.168.1.1")

    home.access.line.renumber({LINE: None})
    home.router.ip(f"-6 addr flush dev wan0 to {ADVERTISED}")
    must_end_at(home, own)
    home.must_work()


def must_end_at(home: Home, address: str) -> None:
    """Insist that the tunnel's end at the home is there, for both routers, and that traffic passes."""
    until(lambda: home.ends("home")[0] == address, within=60, why=f"the own end is {address}")
    until(lambda: home.ends("vps")[1] == address, within=60, why="the peer follows")
    home.through_the_tunnel.must_pass()
