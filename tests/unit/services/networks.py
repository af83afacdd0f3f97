"""Network trees for the services' tests: a valid one in few words, and any valid one."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from typing import Any

from hypothesis import strategies as st
from tasuki_controller.known import KnownFacts
from tasuki_controller.running import Running
from tasuki_yang.check import canonical
from tasuki_yang.facts import FactKey
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
def late_ends(draw: st.DrawFn) -> Json:
    """An end that follows its line."""
    place = st.fixed_dictionaries(
        {},
        optional={
            "subnet-id": st.integers(0, 300),
            "interface-id": st.sampled_from(["::1", "::0:2", "::5054:ff:FE00:1", "::ffff:a:b", "::a:0"]),
        },
    )
    choices = (st.just({"global-address": [None]}), place.map(lambda it: {"delegated-address": it}))
    return draw(st.one_of(choices))


@st.composite
def facts(draw: st.DrawFn) -> KnownFacts:
    """What the routers of any network here may have told, if anything."""
    told: dict[str, dict[FactKey, tuple[str, ...]]] = {}
    for router in ("vps", "home", "branch", "r1", "r2", "r3"):
        about = told[router] = {}
        for interface in ("eth0", "wan0", "wan1", "enp1s0f0", "enp6s0f1"):
            if draw(st.booleans()):
                host = draw(st.integers(1, 0xFFFF))
                about[FactKey(interface, "global-address")] = (f"2001:db8:f::{host:x}",)
            if draw(st.booleans()):
                length = draw(st.integers(48, 64))
                about[FactKey(interface, "delegated-prefix")] = (f"2001:db8:e::/{length}",)
    return KnownFacts(told)


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
    named = {"dns-name": {"name": "home.example.net", **draw(st.sampled_from([{}, {"resolver": ["::1"]}]))}}
    known: st.SearchStrategy[Json] = st.sampled_from([{"address": str(address)}, named])
    tree = subscriber(number, router, mode=draw(MODES))
    tree["underlay"] = {
        "interface": "wan0",
        **draw(known | late_ends() if router else known),
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
            **draw(st.just({"ipv6-address": "fd00:1::1"}) | late_ends()),
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


def ds_lite(name: str = "line", router: str = "home", /, **members: Any) -> Json:
    """A DS-Lite line; a member None leaves the one that it would have out."""
    line = {"name": name, "router": router, "underlay": {"interface": "wan0"}, "aftr-preset": "transix-east"}
    return {label: value for label, value in (line | members).items() if value is not None}


def side(router: str, *lans: str, **underlay: Any) -> Json:
    return {
        "router": router,
        "underlay": {"interface": "wan0", **underlay},
        **({"lan": {"prefix": list(lans)}} if lans else {}),
    }


def site_link(name: str = "tun1", a: Any = None, b: Any = None, **members: Any) -> Json:
    """A link of home and branch."""
    return {
        "name": name,
        "inner-prefix": "172.16.1.0/30",
        "a": a or side("home", "192.168.1.0/24"),
        "b": b or side("branch", "192.168.2.0/24"),
        **members,
    }


def wan(router: str = "home", interface: str = "wan0", /, **families: Any) -> Json:
    """An access; one without families learns by router advertisements alone."""
    return {
        "router": router,
        "interface": interface,
        **(families or {"ipv6": {"router-advertisements": {}}}),
    }


def lan(router: str = "home", interface: str = "lan0", /, **families: Any) -> Json:
    """A LAN; one without families has 192.168.1.0/24."""
    plain = {"ipv4": {"address": "192.168.1.1", "prefix-length": 24}}
    return {"router": router, "interface": interface, **(families or plain)}


def services(
    *,
    ds_lites: Sequence[Json] = (),
    site_links: Sequence[Json] = (),
    wans: Sequence[Json] = (),
    lans: Sequence[Json] = (),
    forwarders: Sequence[Json] = (),
    **members: Any,
) -> Json:
    """A network of these services; `members` are those of `network`."""
    document = network(*members.pop("splits", ()), **members)
    tree = document["tasuki-network:network"]
    tree["tasuki-ds-lite:ds-lite"] = list(ds_lites)
    tree["tasuki-site-link:site-link"] = list(site_links)
    tree["tasuki-wan:wan"] = list(wans)
    tree["tasuki-lan:lan"] = list(lans)
    tree["tasuki-lan:dns-forwarder"] = list(forwarders)
    return {"tasuki-network:network": {label: value for label, value in tree.items() if value}}


@st.composite
def ends(draw: st.DrawFn, fixed: str) -> Json:
    """Any end on a line."""
    return draw(st.sampled_from([{}, {"address": fixed}]) | late_ends())


@st.composite
def ds_lites(draw: st.DrawFn, router: str, number: int) -> Json:
    """A valid line; two of one router have different numbers."""
    aftrs = (
        {"aftr-address": f"2001:db8:af::{number + 1}"},
        {"aftr-name": {"name": f"gw{number}.example.net", "resolver": ["2001:db8::53", "192.0.2.53"]}},
        {"aftr-name": {"name": f"gw{number}.example.net"}},
        {"aftr-preset": "transix-west"},
        {"aftr-of-lease": [None]},
    )
    mtu = draw(st.integers(1320, 9000))
    underlay = {
        "interface": f"wan{number}",
        "mtu": mtu,
        "router-advertisements": draw(ADVERTISEMENTS),
        **draw(ends(f"2001:db8:{number}::1")),
    }
    return ds_lite(
        f"{router}-{number}",
        router,
        underlay=underlay,
        interface=f"ip6tnl{number + 1}",
        mtu=draw(st.integers(1280, mtu - 40)),
        **{"aftr-preset": None, "default-route-metric": number} | draw(st.sampled_from(aftrs)),
    )


@st.composite
def site_links(draw: st.DrawFn, number: int, a: str, b: str) -> Json:
    """A valid link; two of one router have different numbers."""
    mode = draw(st.sampled_from(["ipip6", "any", "gre6"]))
    inner = [f"172.16.{number}.0/{draw(st.integers(24, 31))}"]
    lans = {side: [f"192.168.{8 * number + at}.0/24"] for side, at in (("a", 0), ("b", 1))}
    if mode != "ipip6":
        inner.append(f"2001:db8:cc{number}::/{draw(st.integers(48, 127))}")
        for name, prefixes in lans.items():
            prefixes.append(f"2001:db8:{name}{number}::/48")
    made = {
        name: side(
            router,
            *draw(st.lists(st.sampled_from(lans[name]), unique=True)),
            **draw(ends(f"fd00:{name}::{number + 1}")),
            mtu=draw(st.integers(1400, 9000)),
            **{"router-advertisements": draw(ADVERTISEMENTS), "ipv6-internet": draw(st.booleans())},
        )
        for name, router in (("a", a), ("b", b))
    }
    for each in made.values():
        each.setdefault("lan", {})["interface"] = draw(st.sampled_from([[], ["lan0"], ["lan0", "lan1"]]))
    extra: Json = {"key": number} if mode == "gre6" else {}
    if draw(st.booleans()):
        extra["mtu"] = draw(st.integers(1280, 1352))
    return site_link(
        f"tun{number}", **made, mode=mode, **{"inner-prefix": draw(st.sampled_from(inner))}, **extra
    )


@st.composite
def tunnelled(draw: st.DrawFn) -> Json:
    """A valid network of DS-Lite lines and site links."""
    routers = ("home", "branch", "vps")
    lines = [
        draw(ds_lites(router, number)) for router in routers for number in range(draw(st.integers(0, 2)))
    ]
    pairs = draw(
        st.lists(st.sampled_from([("home", "branch"), ("branch", "vps"), ("vps", "home")]), max_size=3)
    )
    links = [draw(site_links(number, *pair)) for number, pair in enumerate(pairs)]
    for number, link in enumerate(links):
        for end in (link["a"], link["b"]):
            # Links of one router have ends of their own, or else Linux could not tell them apart.
            end["underlay"]["interface"] = f"wan{number}"
    return services(ds_lites=lines, site_links=links)


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


@st.composite
def wans(draw: st.DrawFn, router: str, number: int) -> Json:
    """A valid access; two of one router have different numbers."""
    place = st.fixed_dictionaries(
        {}, optional={"interface-id": st.sampled_from(["::1", "::0:2", "::ffff:a:b"])}
    ).map(lambda it: {"subnet-id": 200 + number, **it})
    asked = st.fixed_dictionaries(
        {},
        optional={
            "duid-interface": st.just("lan0"),
            "iaid": st.integers(0, 2**32 - 1),
            "prefix-hint": st.integers(48, 56),
            "request-option": st.lists(st.sampled_from([17, 23, 64]), unique=True, min_size=1),
            "vendor-class": st.just([{"enterprise-number": 210, "octets": "02:00:5E:10:00:01"}]),
            "own-address": place,
        },
    )
    ipv6: st.SearchStrategy[Json] = st.one_of(
        st.just({}),
        st.booleans().map(lambda asks: {"router-advertisements": {"dhcpv6-information": asks}}),
        asked.map(lambda it: {"prefix-delegation": it}),
        st.sampled_from(["fe80::1", f"2001:db8:f{number}::ffff"]).map(
            lambda gateway: (
                {"static": {"address": f"2001:DB8:f{number}::1", "gateway": gateway}}
                if number == 0
                else {"static": {"address": f"2001:db8:f{number}::1"}}
            )
        ),
    )
    ipv4: st.SearchStrategy[Json] = st.one_of(
        st.just({}),
        st.booleans().map(lambda default: {"dhcp": {"default-route": default, "host-name": "home"}}),
        st.just(
            {"static": {"address": f"10.0.{number}.2", "prefix-length": 24, "gateway": f"10.0.{number}.1"}}
        ),
    )
    return wan(
        router,
        f"wan{number}",
        ipv6=draw(ipv6),
        ipv4={**draw(ipv4), "default-route-metric": 1000 + number},
        **{"lease-source": draw(st.sampled_from(["agent", "networkd"]))},
    )


@st.composite
def lans(draw: st.DrawFn, router: str, number: int, delegating: Sequence[str]) -> Json:
    """A valid LAN, which may have a part of what is delegated on some accesses."""
    subnet, group = f"192.168.{100 + number}", f"2001:db8:e{number}:"
    server = st.fixed_dictionaries(
        {"range": st.just({"start": f"{subnet}.100", "end": f"{subnet}.199"})},
        optional={
            "lease-time": st.integers(120, 2**32 - 1),
            "router": st.just([f"{subnet}.2"]),
            "dns-server": st.just(["192.0.2.53", "198.51.100.53"]),
            "search-domain": st.just(["b.example", "a.example"]),
            "domain": st.just("Home.example"),
            "reservation": st.just(
                [{"mac-address": "02:00:5E:10:00:01", "address": f"{subnet}.7", "host-name": "nas"}]
            ),
            "option": st.just([{"code": 66, "text": "boot"}]),
        },
    )
    tree: Json = {}
    if draw(st.booleans()):
        tree["ipv4"] = {"address": f"{subnet}.1", "prefix-length": 24}
        if draw(st.booleans()):
            tree["ipv4"]["dhcp-server"] = draw(server)
    sources: list[Json] = [{}, {"kept-out": [None]}, {"static": {"address": f"{group}:1"}}]
    sources += [{"delegated": {"wan": name, "subnet-id": number}} for name in delegating]
    tree["ipv6"] = source = dict(draw(st.sampled_from(sources)))
    if "static" in source or "delegated" in source:
        told: Json = draw(
            st.fixed_dictionaries(
                {"hosts": st.sampled_from(["slaac", "stateless-dhcpv6", "stateful-dhcpv6", "none"])},
                optional={
                    "mtu": st.integers(1280, 9000),
                    "interval": st.integers(4, 1800),
                    "dns-server": st.just(["2001:db8::53"]),
                    "search-domain": st.just(["b.example", "a.example"]),
                },
            )
        )
        if told["hosts"] == "stateful-dhcpv6":
            told["dhcpv6-range"] = {"start": "::1000", "end": "::1FFF"}
        source["router-advertisements"] = told
    return lan(router, f"lan{number}", **tree)


@st.composite
def homes(draw: st.DrawFn) -> Json:
    """A valid network of two routers with lines and LANs, DS-Lite on some of the lines, and a site link."""
    chosen: dict[str, list[Json]] = {"wans": [], "lans": [], "forwarders": [], "ds_lites": []}
    for router in ("home", "branch"):
        lines = [draw(wans(router, number)) for number in range(draw(st.integers(0, 2)))]
        delegating = [each["interface"] for each in lines if "prefix-delegation" in each["ipv6"]]
        own = [draw(lans(router, number, delegating)) for number in range(draw(st.integers(0, 3)))]
        if any("ipv4" in each or {"static", "delegated"} & each["ipv6"].keys() for each in own):
            upstream = st.sampled_from([{}, {"server": ["192.0.2.53", "2001:db8::53"]}])
            zones = [{"domain": "Corp.example", "server": ["192.0.2.54"]}, {"domain": "home.example"}]
            forwarder = {
                "router": router,
                **draw(upstream),
                "zone": zones,
                "cache-size": draw(st.integers(0, 9)),
            }
            chosen["forwarders"] += draw(st.sampled_from([[], [forwarder]]))
        chosen["wans"] += lines
        chosen["lans"] += own
        chosen["ds_lites"] += [draw(ds_lites(router, number)) for number in range(draw(st.integers(0, 2)))]
    for line in chosen["ds_lites"]:
        # The /64s of LANs are on their links alone.
        if (place := line["underlay"].get("delegated-address")) is not None:
            place["subnet-id"] = 201
    links = [draw(site_links(0, "home", "branch"))] if draw(st.booleans()) else []
    for end in (link[side] for link in links for side in "ab"):
        end["lan"]["interface"] = []
        if (place := end["underlay"].get("delegated-address")) is not None:
            place["subnet-id"] = 202
    return services(**chosen, site_links=links)
