"""Network trees for the services' tests: a valid one in few words, and any valid one."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network
from typing import Any

from hypothesis import strategies as st
from tasuki_controller.running import Running
from tasuki_yang.check import canonical
from tasuki_yang.schema import NETWORK, ROUTER

Json = dict[str, Any]
PREFIX = "2001:db8:ae00::/40"


def network(*splits: Json, routers: tuple[str, ...] = ("vps", "home", "branch")) -> Json:
    return {
        "tasuki-network:network": {
            "router": [{"name": name} for name in routers],
            "tasuki-vxlan-split:vxlan-split": list(splits),
        }
    }


def split(*subscribers: Json, name: str = "ae00", **members: Any) -> Json:
    return {
        "name": name,
        "prefix": PREFIX,
        "hub": {"router": "vps", "underlay": {"interface": "enp1s0f0", "ipv4-address": "10.1.1.1"}},
        "subscriber": list(subscribers),
        **members,
    }


def subscriber(number: int = 1, router: str | None = "home", **members: Any) -> Json:
    end: Json = {"router": router} if router else {"unmanaged": [None]}
    underlay = {"interface": "enp6s0f1", "address": f"10.1.2.{number % 250 + 1}"}
    return {"number": number, **end, "underlay": underlay, **members}


def running(network_tree: Json, **routers: Json) -> Running:
    return Running(
        canonical(NETWORK, network_tree),
        {name: canonical(ROUTER, tree) for name, tree in routers.items()},
    )


MODES = st.sampled_from(["default-gateway", "policy-routing"])
FAMILIES = st.sampled_from([4, 6])
ADVERTISEMENTS = st.sampled_from(["unmanaged", "accept"])
MTUS = st.integers(1350, 9000)


@st.composite
def prefixes(draw: st.DrawFn) -> IPv6Network:
    """Any prefix of a split, inside 2001:db8::/32 so that two can be told apart from underlays."""
    length = draw(st.integers(32, 47))
    bits = draw(st.integers(0, (1 << length - 32) - 1)) if length > 32 else 0
    return IPv6Network((int(IPv6Address("2001:db8::")) | bits << 128 - length, length))


@st.composite
def delegations(draw: st.DrawFn) -> Json:
    subnets = draw(st.lists(st.none() | st.integers(0, 0xFFFF), unique=True, max_size=4))
    lans = [
        {"interface": f"lan{index}"} | ({} if subnet is None else {"subnet-id": subnet})
        for index, subnet in enumerate(subnets)
    ]
    return {"lan": lans} if lans else {}


@st.composite
def subscribers(draw: st.DrawFn, number: int, router: str | None) -> Json:
    family = draw(FAMILIES)
    address = IPv4Address(0x0A020000 + number) if family == 4 else IPv6Address((0xFD << 120) + number)
    tree = subscriber(number, router, mode=draw(MODES))
    tree["underlay"] = {
        "interface": "wan0",
        "address": str(address),
        "mtu": draw(MTUS),
        "router-advertisements": draw(ADVERTISEMENTS),
    }
    if tree["mode"] == "default-gateway" and draw(st.booleans()):
        tree["default-route-metric"] = draw(st.integers(1, 2**32 - 1))
    if lans := draw(delegations()):
        tree["delegation"] = lans
    return tree


@st.composite
def splits(draw: st.DrawFn, prefix: IPv6Network, *, name: str = "s0", vni_base: int | None = None) -> Json:
    """A valid split whose subscribers have a router each, or none."""
    last = (1 << 48 - prefix.prefixlen) - 1
    numbers = draw(st.lists(st.integers(1, last), unique=True, max_size=5))
    hub = {
        "router": "vps",
        "underlay": {
            "interface": "eth0",
            "ipv4-address": "10.1.1.1",
            "ipv6-address": "fd00:1::1",
            "mtu": draw(MTUS),
            "router-advertisements": draw(ADVERTISEMENTS),
        },
    }
    return split(
        *(draw(subscribers(n, f"r{n}" if draw(st.booleans()) else None)) for n in numbers),
        name=name,
        prefix=str(prefix),
        hub=hub,
        **{
            "udp-port": draw(st.integers(1, 65535)),
            "vni-base": draw(st.integers(0, 16711679)) if vni_base is None else vni_base,
            "table-base": draw(st.integers(1, 30000)),
        },
    )


@st.composite
def networks(draw: st.DrawFn) -> Json:
    """A valid network of one split, or of two that meet on the hub and on no subscriber's router."""
    first = draw(prefixes())
    chosen = [draw(splits(first, vni_base=0))]
    second = draw(prefixes())
    if draw(st.booleans()) and not first.overlaps(second):
        chosen.append(draw(splits(second, name="s1", vni_base=100_000)))
        for tree in chosen[1]["subscriber"]:
            if "router" in tree:
                tree["router"] = f"second-{tree['router']}"
    routers = {tree["router"]: None for each in chosen for tree in each["subscriber"] if "router" in tree}
    return network(*chosen, routers=("vps", *routers))
