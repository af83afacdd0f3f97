"""The set-up that the /40 split is modelled on, typed by hand as ip(8) and sysctl(8) commands.

It is the reference for what the services compile and the agents build, and so shares no code with them. Two
subscribers of 2001:db8:ae00::/40 behind the hub 10.1.1.1: number 1 at 10.1.1.2 with policy routing, number 8
at 10.1.1.8 with the tunnel as default gateway.

The article that describes the set-up has mistakes, which are corrected here: VNIs are decimal, the MTU is
explicit, learning is off, the hub has an unreachable route for the whole prefix, tables are numeric, a
subscriber's prefixes are not on the link of the tunnel (what nobody has there would loop through the hub) but
unreachable unless a LAN has them, each table knows all three prefixes, and a tunnel's default route in the
table main has the metric 512, because one that router advertisements bring has 1024 too.
"""

from typing import Any

HUB_UNDERLAY = "enp1s0f0"
SUBSCRIBER_UNDERLAY = "enp6s0f1"
LAN = "lan0"


def network() -> dict[str, Any]:
    """The same as intent: with it, each router's kernel ends up as after the commands below."""
    return {
        "tasuki-network:network": {
            "router": [{"name": "vps"}, {"name": "home"}, {"name": "branch"}],
            "tasuki-vxlan-split:vxlan-split": [
                {
                    "name": "ae00",
                    "prefix": "2001:db8:ae00::/40",
                    "hub": {
                        "router": "vps",
                        "underlay": {"interface": HUB_UNDERLAY, "ipv4-address": "10.1.1.1"},
                    },
                    "subscriber": [
                        {
                            "number": 1,
                            "router": "home",
                            "underlay": {"interface": SUBSCRIBER_UNDERLAY, "address": "10.1.1.2"},
                            "mode": "policy-routing",
                            "delegation": {"lan": [{"interface": LAN}]},
                        },
                        {
                            "number": 8,
                            "router": "branch",
                            "underlay": {"interface": SUBSCRIBER_UNDERLAY, "address": "10.1.1.8"},
                            "mode": "default-gateway",
                        },
                    ],
                }
            ],
        }
    }


def hub_commands() -> list[str]:
    """The hub, router "vps"."""
    return _lines(r"""
        sysctl -qw net.ipv6.conf.all.forwarding=1
        ip -6 route add unreachable 2001:db8:ae00::/40

        ip link add vxlan01 address 02:74:00:00:01:01 mtu 1450 \
            type vxlan id 1 dstport 4789 remote 10.1.1.2 dev enp1s0f0 nolearning
        ip link set vxlan01 up
        ip -6 addr add 2001:db8:ae00:0:1::1/80 dev vxlan01
        ip -6 route add 2001:db8:ae00:1::/64 via 2001:db8:ae00:0:1::2 dev vxlan01
        ip -6 route add 2001:db8:ae01::/48 via 2001:db8:ae00:0:1::2 dev vxlan01

        ip link add vxlan08 address 02:74:00:00:08:01 mtu 1450 \
            type vxlan id 8 dstport 4789 remote 10.1.1.8 dev enp1s0f0 nolearning
        ip link set vxlan08 up
        ip -6 addr add 2001:db8:ae00:0:8::1/80 dev vxlan08
        ip -6 route add 2001:db8:ae00:8::/64 via 2001:db8:ae00:0:8::2 dev vxlan08
        ip -6 route add 2001:db8:ae08::/48 via 2001:db8:ae00:0:8::2 dev vxlan08
    """)


def default_gateway_client_commands() -> list[str]:
    """Subscriber 8, router "branch": no LAN, so the router itself has the first address of both prefixes."""
    return _lines(r"""
        sysctl -qw net.ipv6.conf.all.forwarding=1
        sysctl -qw net.ipv6.conf.enp6s0f1.accept_ra=2

        ip link add vxlan08 address 02:74:00:00:08:02 mtu 1450 \
            type vxlan id 8 dstport 4789 remote 10.1.1.1 dev enp6s0f1 nolearning
        ip link set vxlan08 up
        ip -6 addr add 2001:db8:ae00:0:8::2/80 dev vxlan08
        ip -6 addr add 2001:db8:ae00:8::1/64 dev vxlan08 noprefixroute
        ip -6 addr add 2001:db8:ae08::1/48 dev vxlan08 noprefixroute
        ip -6 route add unreachable 2001:db8:ae00:8::/64
        ip -6 route add unreachable 2001:db8:ae08::/48
        ip -6 route add default via 2001:db8:ae00:0:8::1 dev vxlan08 metric 512
    """)


def policy_routing_client_commands() -> list[str]:
    """Subscriber 1, router "home": the /64 is the LAN's, and the router's own default route stays."""
    return _lines(r"""
        sysctl -qw net.ipv6.conf.all.forwarding=1
        sysctl -qw net.ipv6.conf.enp6s0f1.accept_ra=2

        ip link add vxlan01 address 02:74:00:00:01:02 mtu 1450 \
            type vxlan id 1 dstport 4789 remote 10.1.1.1 dev enp6s0f1 nolearning
        ip link set vxlan01 up
        ip -6 addr add 2001:db8:ae00:0:1::2/80 dev vxlan01
        ip -6 addr add 2001:db8:ae00:1::1/64 dev lan0
        ip -6 route add unreachable 2001:db8:ae00:1::/64
        ip -6 route add unreachable 2001:db8:ae01::/48

        ip -6 rule add to 2001:db8:ae00:0:1::/80 table 100 priority 100
        ip -6 rule add from 2001:db8:ae00:0:1::/80 table 100 priority 100
        ip -6 route add 2001:db8:ae00:0:1::/80 dev vxlan01 table 100
        ip -6 route add 2001:db8:ae00:1::/64 dev lan0 table 100 metric 256
        ip -6 route add unreachable 2001:db8:ae00:1::/64 table 100
        ip -6 route add unreachable 2001:db8:ae01::/48 table 100
        ip -6 route add default via 2001:db8:ae00:0:1::1 dev vxlan01 table 100

        ip -6 rule add to 2001:db8:ae00:1::/64 table 101 priority 101
        ip -6 rule add from 2001:db8:ae00:1::/64 table 101 priority 101
        ip -6 route add 2001:db8:ae00:0:1::/80 dev vxlan01 table 101
        ip -6 route add 2001:db8:ae00:1::/64 dev lan0 table 101 metric 256
        ip -6 route add unreachable 2001:db8:ae00:1::/64 table 101
        ip -6 route add unreachable 2001:db8:ae01::/48 table 101
        ip -6 route add default via 2001:db8:ae00:0:1::1 dev vxlan01 table 101

        ip -6 rule add to 2001:db8:ae01::/48 table 102 priority 102
        ip -6 rule add from 2001:db8:ae01::/48 table 102 priority 102
        ip -6 route add 2001:db8:ae00:0:1::/80 dev vxlan01 table 102
        ip -6 route add 2001:db8:ae00:1::/64 dev lan0 table 102 metric 256
        ip -6 route add unreachable 2001:db8:ae00:1::/64 table 102
        ip -6 route add unreachable 2001:db8:ae01::/48 table 102
        ip -6 route add default via 2001:db8:ae00:0:1::1 dev vxlan01 table 102
    """)


def _lines(text: str) -> list[str]:
    lines = text.replace("\\\n", "").splitlines()
    return [" ".join(line.split()) for line in lines if line.strip()]
