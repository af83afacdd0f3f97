"""Both ends of a site link mirror each other wherever their lines are, and what cannot be a link is named."""

from ipaddress import ip_interface, ip_network
from typing import Any

import pytest
from hypothesis import given
from tasuki_controller.compile import compile_running
from tasuki_controller.known import KnownFacts
from tasuki_controller.running import Running
from tasuki_controller.transaction import Edit, prepare
from tasuki_yang.errors import ConfigError, InvalidIntent
from tasuki_yang.facts import FactKey
from tasuki_yang.network import Network
from tasuki_yang.router import (
    InterfacesInterface,
    InterfacesInterfaceIp6gre,
    InterfacesInterfaceIp6tnl,
    Router,
)
from unit.services.local import local_address
from unit.services.networks import (
    Json,
    facts,
    running,
    services,
    side,
    site_link,
    split,
    subscriber,
    tunnelled,
)

TUN1 = "/tasuki-network:network/tasuki-site-link:site-link[name='tun1']"
TUN2 = "/tasuki-network:network/tasuki-site-link:site-link[name='tun2']"
NOTHING = KnownFacts()


def compiled(*links: Json, known: KnownFacts = NOTHING, **written: Json) -> dict[str, Router]:
    intended = compile_running(running(services(site_links=links), **written), known)
    return {name: Router.model_validate(tree) for name, tree in intended.items()}


def interface(router: Router, name: str = "tun1") -> InterfacesInterface:
    return next(one for one in router.interfaces.interface if one.name == name)


def ends(one: InterfacesInterface) -> InterfacesInterfaceIp6tnl | InterfacesInterfaceIp6gre:
    return one.ip6gre if one.type == "tasuki-link:ip6gre" else one.ip6tnl


def inner(one: InterfacesInterface) -> str:
    (address,) = (a for family in (one.ipv4, one.ipv6) if family for a in family.address)
    return f"{address.ip}/{address.prefix_length}"


def reached(router: Router, name: str) -> set[str]:
    return {
        route.destination_prefix
        for protocol in router.routing.control_plane_protocols.control_plane_protocol
        for routes in (protocol.static_routes.ipv4.route, protocol.static_routes.ipv6.route)
        for route in routes
        if route.next_hop.outgoing_interface == name
    }


def problems(document: Json, **routers: Json) -> tuple[ConfigError, ...]:
    try:
        prepare(Running(), Edit(network=document, routers=routers))
    except InvalidIntent as invalid:
        return invalid.errors
    return ()


def the_problem(*links: Json, **routers: Json) -> ConfigError:
    (problem,) = problems(services(site_links=links), **routers)
    return problem


def tun2(a: Any = None, b: Any = None, **members: Any) -> Json:
    """A second link, of home and vps, that clashes with nothing by itself."""
    apart = {"inner-prefix": "172.16.2.0/30"}
    other = b or side("vps", "192.168.3.0/24")
    return site_link("tun2", a or side("home"), other, **apart | members)


def test_both_sides_have_an_address_of_their_own() -> None:
    routers = compiled(site_link())

    assert inner(interface(routers["home"])) == "172.16.1.1/30"
    assert inner(interface(routers["branch"])) == "172.16.1.2/30"


@pytest.mark.parametrize(
    ("prefix", "mode", "a", "b"),
    [
        ("172.16.1.0/24", "ipip6", "172.16.1.1/24", "172.16.1.2/24"),
        ("172.16.1.2/31", "ipip6", "172.16.1.2/31", "172.16.1.3/31"),
        ("2001:db8:cc::/64", "any", "2001:db8:cc::1/64", "2001:db8:cc::2/64"),
        ("2001:DB8:cc::0/127", "gre6", "2001:db8:cc::/127", "2001:db8:cc::1/127"),
    ],
)
def test_inner_addresses_follow_from_the_prefix(prefix: str, mode: str, a: str, b: str) -> None:
    routers = compiled(site_link(mode=mode, **{"inner-prefix": prefix}))

    assert [inner(interface(routers[name])) for name in ("home", "branch")] == [a, b]


@pytest.mark.parametrize(
    ("mode", "members", "link_type", "mtu"),
    [
        ("ipip6", {}, "ip6tnl", 1460),
        ("any", {}, "ip6tnl", 1460),
        ("gre6", {}, "ip6gre", 1456),
        ("gre6", {"key": 0}, "ip6gre", 1452),
        ("ipip6", {"mtu": 1280}, "ip6tnl", 1280),
    ],
)
def test_the_tunnel_is_of_its_mode_and_as_large_as_the_lines_allow(
    mode: str, members: Json, link_type: str, mtu: int
) -> None:
    for router in ("home", "branch"):
        tunnel = interface(compiled(site_link(mode=mode, **members))[router])
        assert (tunnel.type, tunnel.mtu, tunnel.tcp_mss_clamp) == (f"tasuki-link:{link_type}", mtu, "mtu")
        assert tunnel.ip6gre.key == members.get("key")
        assert link_type == "ip6gre" or tunnel.ip6tnl.mode == mode
        assert ends(tunnel).encapsulation_limit == "none"


def test_the_mtu_follows_the_smaller_line() -> None:
    routers = compiled(site_link(b=side("branch", mtu=1454)))

    assert {interface(routers[name]).mtu for name in ("home", "branch")} == {1414}


def test_each_side_reaches_the_lans_of_the_other_one() -> None:
    a, b = side("home", "192.168.1.0/24", "2001:db8:a::/48"), side("branch", "192.168.2.0/24")
    routers = compiled(site_link(a=a, b=b, mode="any"))

    assert reached(routers["home"], "tun1") == {"192.168.2.0/24"}
    assert reached(routers["branch"], "tun1") == {"192.168.1.0/24", "2001:db8:a::/48"}


@pytest.mark.parametrize(
    ("mode", "lan", "ipv4", "ipv6"),
    [
        ("ipip6", "192.168.1.0/24", True, None),
        ("any", "192.168.1.0/24", True, None),
        ("any", "2001:db8:a::/48", True, True),
    ],
)
def test_the_routers_forward_what_the_tunnel_carries(
    *, mode: str, lan: str, ipv4: bool, ipv6: bool | None
) -> None:
    forwarding = compiled(site_link(a=side("home", lan), mode=mode))["branch"].routing.forwarding

    assert (forwarding.ipv4, forwarding.ipv6) == (ipv4, ipv6)


def test_a_tunnel_of_ipv6_alone_leaves_ipv4_as_it_is() -> None:
    a, b = side("home", "2001:db8:a::/48"), side("branch")
    home = compiled(site_link(a=a, b=b, mode="any", **{"inner-prefix": "2001:db8:cc::/64"}))["home"]

    assert home.routing.forwarding.ipv4 is None
    assert interface(home).ipv4 is None


def test_sources_are_not_filtered_by_the_routers_other_routes() -> None:
    ipv4 = interface(compiled(site_link())["home"]).ipv4

    assert ipv4
    assert ipv4.reverse_path_filter == "off"


def test_a_lan_whose_line_has_no_ipv6_internet_is_kept_from_ipv6() -> None:
    ngn = side("home", "192.168.1.0/24", **{"ipv6-internet": False})
    ngn["lan"]["interface"] = ["lan0"]
    internet = side("branch", "192.168.2.0/24")
    internet["lan"]["interface"] = ["lan0"]
    routers = compiled(site_link(a=ngn, b=internet))

    assert interface(routers["home"], "lan0").keep_ipv6_autoconfiguration_out
    assert [one.name for one in routers["branch"].interfaces.interface] == ["tun1", "wan0"]


def test_the_type_that_was_written_for_a_lan_stays() -> None:
    ngn = side("home", "192.168.1.0/24", **{"ipv6-internet": False})
    ngn["lan"]["interface"] = ["lan0"]
    lan = {"name": "lan0", "type": "iana-if-type:ethernetCsmacd"}
    routers = compiled(site_link(a=ngn), home={"ietf-interfaces:interfaces": {"interface": [lan]}})

    assert interface(routers["home"], "lan0").type == "iana-if-type:ethernetCsmacd"


def test_an_end_that_was_not_told_is_waited_for_by_its_peer_alone() -> None:
    routers = compiled(site_link())

    assert ends(interface(routers["home"])).local_interface == "wan0"
    assert ends(interface(routers["branch"])).remote_unknown == "a global address of wan0 of router home"


def test_a_changed_end_changes_the_peer_and_nothing_else() -> None:
    told = [KnownFacts({"home": {FactKey("wan0", "global-address"): (f"2001:db8:{n}::1",)}}) for n in (1, 2)]
    before, after = (compiled(site_link(), known=known) for known in told)

    assert before["home"] == after["home"]
    assert ends(interface(before["branch"])).remote == "2001:db8:1::1"
    assert ends(interface(after["branch"])).remote == "2001:db8:2::1"


@given(document=tunnelled(), known=facts())
def test_both_ends_mirror_each_other_whatever_is_known(document: Json, known: KnownFacts) -> None:
    intended = compile_running(running(document), known)
    routers = {name: Router.model_validate(tree) for name, tree in intended.items()}
    for link in Network.model_validate(document).network.site_link:
        here, there = (interface(routers[each.router], link.name) for each in (link.a, link.b))
        assert (here.type, here.mtu, here.ip6gre.key) == (there.type, there.mtu, there.ip6gre.key)
        assert here.ip6tnl.mode == there.ip6tnl.mode
        assert (here.mtu or 0) + 40 <= min(link.a.underlay.mtu, link.b.underlay.mtu)
        own, other = ip_interface(inner(here)), ip_interface(inner(there))
        assert own.ip != other.ip
        assert own.network == other.network == ip_network(link.inner_prefix, strict=False)
        assert_told(local_address(ends(here), link.a.router, known), ends(there))
        assert_told(local_address(ends(there), link.b.router, known), ends(here))
        assert reached(routers[link.a.router], link.name) == set(link.b.lan.prefix)
        assert reached(routers[link.b.router], link.name) == set(link.a.lan.prefix)


def assert_told(address: str | None, peer: InterfacesInterfaceIp6tnl | InterfacesInterfaceIp6gre) -> None:
    """The peer's remote end is where this side's local end is, as far as that is known."""
    assert peer.remote == address
    assert bool(peer.remote_unknown) == (address is None)


def test_a_link_joins_two_routers() -> None:
    problem = the_problem(site_link(b=side("home", "192.168.2.0/24")))

    assert (problem.error_path, problem.error_app_tag) == (f"{TUN1}/b/router", "sides-equal")


def test_both_ends_need_addresses_of_their_own() -> None:
    same = {"address": "2001:db8::1"}
    problem = the_problem(site_link(a=side("home", **same), b=side("branch", **same)))

    assert (problem.error_path, problem.error_app_tag) == (
        f"{TUN1}/b/underlay/address",
        "underlay-addresses-equal",
    )


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("192.168.1.0/24", "192.168.1.0/24"),
        ("192.168.0.0/16", "192.168.2.0/24"),
        ("10.0.0.0/9", "10.0.0.0/8"),
    ],
)
def test_lans_of_both_sides_do_not_overlap(a: str, b: str) -> None:
    problem = the_problem(site_link(a=side("home", a), b=side("branch", b)))

    assert problem.error_app_tag == "prefixes-overlap"
    assert problem.error_path.startswith((f"{TUN1}/a/lan/prefix[.=", f"{TUN1}/b/lan/prefix[.="))
    assert a in problem.message
    assert b in problem.message


def test_a_lan_is_not_where_the_tunnels_own_addresses_are() -> None:
    problem = the_problem(site_link(**{"inner-prefix": "192.168.1.0/30"}))

    assert problem.error_app_tag == "prefixes-overlap"
    assert "inner prefix of site-link tun1" in problem.message


@pytest.mark.parametrize(
    ("link", "where"),
    [
        (tun2(b=side("vps", "192.168.2.0/25")), f"{TUN2}/b/lan/prefix[.='192.168.2.0/25']"),
        (tun2(b=side("vps", "192.168.1.128/25")), f"{TUN2}/b/lan/prefix[.='192.168.1.128/25']"),
        (tun2(**{"inner-prefix": "192.168.2.0/30"}), f"{TUN2}/inner-prefix"),
        (tun2(**{"inner-prefix": "172.16.1.0/30"}), f"{TUN2}/inner-prefix"),
    ],
    ids=["two LANs", "its own LAN", "another LAN", "another tunnel"],
)
def test_links_of_one_router_do_not_lead_to_one_address(link: Json, where: str) -> None:
    problem = the_problem(site_link(), link)

    assert (problem.error_path, problem.error_app_tag) == (where, "prefixes-overlap")
    assert "router home" in problem.message
    assert "tun1" in problem.message or "LAN of router home" in problem.message


def test_a_lan_may_be_behind_several_links_of_its_router() -> None:
    assert problems(services(site_links=[site_link(), tun2(a=side("home", "192.168.1.0/24"))])) == ()


def test_links_of_other_routers_may_have_the_same_inner_prefix() -> None:
    elsewhere = site_link("tun2", side("vps", "192.168.1.0/24"), side("office", "192.168.2.0/24"))

    assert (
        problems(services(site_links=[site_link(), elsewhere], routers=("home", "branch", "vps", "office")))
        == ()
    )


@pytest.mark.parametrize("prefix", ["192.168.1.5/24", "192.168.2.5/24", "172.16.1.9/30"])
def test_a_line_is_not_in_a_subnet_that_is_elsewhere(prefix: str) -> None:
    ip, length = prefix.split("/")
    address = {"ip": ip, "prefix-length": int(length)}
    wan = {"name": "wan0", "type": "iana-if-type:other", "ietf-ip:ipv4": {"address": [address]}}
    link = site_link(**{"inner-prefix": "172.16.1.8/30"})
    problem = the_problem(link, home={"ietf-interfaces:interfaces": {"interface": [wan]}})

    assert problem.error_app_tag == "prefixes-overlap"
    assert problem.error_path.startswith(TUN1)
    assert "interface wan0 of router home" in problem.message


@pytest.mark.parametrize(
    ("link", "path", "right"),
    [
        (
            site_link(a=side("home", "192.168.1.10/24")),
            f"{TUN1}/a/lan/prefix[.='192.168.1.10/24']",
            "192.168.1.0/24",
        ),
        (site_link(**{"inner-prefix": "172.16.1.2/30"}), f"{TUN1}/inner-prefix", "172.16.1.0/30"),
    ],
)
def test_host_bits_are_refused_and_the_right_prefix_is_named(link: Json, path: str, right: str) -> None:
    problem = the_problem(link)

    assert (problem.error_path, problem.error_app_tag) == (path, "host-bits-set")
    assert f"write {right}" in problem.message


@pytest.mark.parametrize(
    ("prefix", "advice"), [("172.16.1.1/32", "/31 or a /30"), ("2001:db8::1/128", "/127 or a /126")]
)
def test_one_address_is_too_few_for_two_sides(prefix: str, advice: str) -> None:
    problem = the_problem(site_link(mode="any", **{"inner-prefix": prefix}))

    assert (problem.error_path, problem.error_app_tag) == (f"{TUN1}/inner-prefix", "prefix-too-long")
    assert advice in problem.message


@pytest.mark.parametrize(
    "prefix", ["224.0.0.0/24", "169.254.0.0/16", "127.0.0.0/8", "fe80::/64", "ff0e::/64"]
)
def test_what_routers_do_not_forward_is_no_lan(prefix: str) -> None:
    problem = the_problem(site_link(a=side("home", prefix), mode="any"))

    assert (problem.error_path, problem.error_app_tag) == (
        f"{TUN1}/a/lan/prefix[.='{prefix}']",
        "prefix-not-unicast",
    )


def test_ipv6_needs_a_mode_that_carries_it() -> None:
    link = site_link(a=side("home", "2001:db8:a::/48"), **{"inner-prefix": "2001:db8:cc::/64"})
    found = problems(services(site_links=[link]))

    assert [(problem.error_path, problem.error_app_tag) for problem in found] == [
        (f"{TUN1}/inner-prefix", "family-not-carried"),
        (f"{TUN1}/a/lan/prefix[.='2001:db8:a::/48']", "family-not-carried"),
    ]
    assert all("any or gre6" in problem.message for problem in found)


@pytest.mark.parametrize(
    ("members", "largest"),
    [
        ({"mtu": 1461}, 1460),
        ({"mtu": 1457, "mode": "gre6"}, 1456),
        ({"mtu": 1453, "mode": "gre6", "key": 1}, 1452),
    ],
)
def test_the_tunnel_fits_both_lines(members: Json, largest: int) -> None:
    problem = the_problem(site_link(**members))

    assert (problem.error_path, problem.error_app_tag) == (f"{TUN1}/mtu", "mtu-too-large")
    assert f"set it to {largest}" in problem.message


@pytest.mark.parametrize("mtu", [{}, {"mtu": 1280}, {"mtu": 1400}])
@pytest.mark.parametrize(
    ("members", "needed"),
    [({}, 1320), ({"mode": "any"}, 1320), ({"mode": "gre6"}, 1324), ({"mode": "gre6", "key": 1}, 1328)],
)
def test_a_line_that_is_too_narrow_for_any_tunnel_is_named_with_what_it_must_carry(
    members: Json, needed: int, mtu: Json
) -> None:
    narrow = side("home", "192.168.1.0/24", mtu=needed - 1)
    problem = the_problem(site_link(a=narrow, **members | mtu))

    assert (problem.error_path, problem.error_app_tag) == (f"{TUN1}/a/underlay/mtu", "underlay-mtu-too-small")
    assert f"must carry {needed} bytes" in problem.message
    enough = side("home", "192.168.1.0/24", mtu=needed)
    assert problems(services(site_links=[site_link(a=enough, **members | {"mtu": 1280})])) == ()


def test_each_line_that_is_too_narrow_is_named_and_the_mtu_is_judged_by_the_other_one() -> None:
    narrow = side("home", "192.168.1.0/24", mtu=1300)
    both = site_link(a=narrow, b=side("branch", "192.168.2.0/24", mtu=1319), mtu=9000)
    one = site_link(a=narrow, mtu=9000)

    assert [
        (problem.error_path, problem.error_app_tag) for problem in problems(services(site_links=[both]))
    ] == [
        (f"{TUN1}/a/underlay/mtu", "underlay-mtu-too-small"),
        (f"{TUN1}/b/underlay/mtu", "underlay-mtu-too-small"),
    ]
    too_small, too_large = problems(services(site_links=[one]))
    assert too_small.error_path == f"{TUN1}/a/underlay/mtu"
    assert "set it to 1460" in too_large.message


@pytest.mark.parametrize(
    ("malformed", "mtu", "is_too_large"),
    [
        ({"mode": "gre6", "key": 2**32}, 1460, True),
        ({"mode": "gre6", "key": 2**32}, 1411, True),
        ({"mode": "gre6", "key": 2**32}, 1410, False),
        ({"mode": "gre7"}, 1415, True),
        ({"mode": "gre7"}, 1414, False),
    ],
)
def test_an_mtu_that_fits_in_no_case_is_told_beside_what_is_malformed(
    *, malformed: Json, mtu: int, is_too_large: bool
) -> None:
    link = site_link(a=side("home", "192.168.1.0/24", mtu=1454), mtu=mtu, **malformed)
    paths = [problem.error_path for problem in problems(services(site_links=[link]))]

    assert (f"{TUN1}/mtu" in paths) == is_too_large
    assert len(paths) == 1 + is_too_large


def test_an_mtu_is_not_judged_by_a_line_whose_own_is_malformed() -> None:
    jumbo = side("home", "192.168.1.0/24", mtu="9000")
    link = site_link(a=jumbo, b=side("branch", "192.168.2.0/24", mtu=9000), mtu=8960)

    assert the_problem(link).error_path == f"{TUN1}/a/underlay/mtu"
    assert [p.error_path for p in problems(services(site_links=[link | {"mtu": 8961}]))] == [
        f"{TUN1}/a/underlay/mtu",
        f"{TUN1}/mtu",
    ]


def test_the_tunnel_does_not_carry_its_own_packets() -> None:
    inside = side("branch", "2001:db8:b::/48", address="2001:db8:b::1")
    problem = the_problem(site_link(b=inside, mode="any"))

    assert (problem.error_path, problem.error_app_tag) == (
        f"{TUN1}/b/underlay/address",
        "underlay-inside-lan",
    )


@pytest.mark.parametrize(("name", "user"), [("tun1", "is the tunnel of"), ("wan0", "is the underlay of")])
def test_a_lan_is_no_interface_that_the_tunnel_needs(name: str, user: str) -> None:
    home = side("home", "192.168.1.0/24")
    home["lan"]["interface"] = [name]
    problem = the_problem(site_link(a=home))

    assert (problem.error_path, problem.error_app_tag) == (
        f"{TUN1}/a/lan/interface[.='{name}']",
        "interface-role-clash",
    )
    assert user in problem.message


def test_the_tunnel_is_not_its_own_line() -> None:
    problem = the_problem(site_link(a=side("home", "192.168.1.0/24", interface="tun1")))

    assert (problem.error_path, problem.error_app_tag) == (
        f"{TUN1}/a/underlay/interface",
        "interface-role-clash",
    )


@pytest.mark.parametrize(
    ("first", "second", "is_refused"),
    [
        ({}, {}, True),
        ({}, {"mode": "any"}, True),
        ({"mode": "gre6"}, {"mode": "gre6"}, True),
        ({"mode": "gre6", "key": 1}, {"mode": "gre6", "key": 1}, True),
        ({"mode": "gre6"}, {"mode": "gre6", "key": 0}, True),
        ({"mode": "gre6", "key": 1}, {"mode": "gre6", "key": 2}, False),
        ({"mode": "gre6", "key": 1}, {"mode": "gre6"}, False),
        ({}, {"mode": "gre6"}, False),
    ],
)
def test_linux_can_tell_two_links_of_the_same_routers_apart(
    *, first: Json, second: Json, is_refused: bool
) -> None:
    links = [site_link(**first), tun2(b=side("branch", "192.168.3.0/24"), **second)]
    found = problems(services(site_links=links))

    assert [(problem.error_path, problem.error_app_tag) for problem in found] == (
        [(TUN2, "tunnel-ends-not-unique")] if is_refused else []
    )
    assert all(("GRE" in problem.message) == (second.get("mode") == "gre6") for problem in found)


def test_a_link_of_a_split_tunnels_name_is_named_because_its_name_is_easier_to_change() -> None:
    old = split(subscriber(1, underlay={"interface": "eth0", "address": "10.1.2.1"}))
    (problem,) = problems(services(site_links=[site_link("vxlan01")], splits=[old]))

    assert (problem.error_path, problem.error_app_tag) == (
        "/tasuki-network:network/tasuki-site-link:site-link[name='vxlan01']/name",
        "interface-name-not-unique",
    )
    assert "vxlan-split[name='ae00']/vni-base" in problem.message


def test_a_link_by_another_line_is_another_tunnel() -> None:
    by_another = tun2(a=side("home", interface="wan1"), b=side("branch", "192.168.3.0/24", interface="wan1"))

    assert problems(services(site_links=[site_link(), by_another])) == ()


@pytest.mark.parametrize(
    ("members", "path"),
    [
        ({"key": 2**32, "mode": "gre6"}, f"{TUN1}/key"),
        ({"key": 1}, f"{TUN1}/key"),
        ({"mtu": 1279}, f"{TUN1}/mtu"),
        ({"mode": "grev6"}, f"{TUN1}/mode"),
        ({"inner-prefix": "172.16.1.0"}, f"{TUN1}/inner-prefix"),
    ],
)
def test_values_that_no_link_has_are_refused(members: Json, path: str) -> None:
    assert the_problem(site_link(**members)).error_path == path


def test_an_unknown_router_is_refused() -> None:
    problem = the_problem(site_link(b=side("brnach", "192.168.2.0/24")))

    assert problem.error_path == f"{TUN1}/b/router"


def test_all_problems_are_reported_at_once() -> None:
    a = side("home", "192.168.1.1/24", "2001:db8:a::/48", address="fe80::1")
    a["lan"]["interface"] = ["wan0"]
    bad = site_link(a=a, b=side("home", "192.168.1.0/24"), mtu=1500, **{"inner-prefix": "172.16.1.1/32"})
    found = problems(services(site_links=[bad, tun2(mode="gre7", b=side("vps", "10.0.0.0/8"))]))

    assert {problem.error_path for problem in found} == {
        f"{TUN1}/b/router",
        f"{TUN1}/a/underlay/address",
        f"{TUN1}/a/lan/prefix[.='192.168.1.1/24']",
        f"{TUN1}/a/lan/prefix[.='2001:db8:a::/48']",
        f"{TUN1}/a/lan/interface[.='wan0']",
        f"{TUN1}/inner-prefix",
        f"{TUN1}/mtu",
        f"{TUN2}/mode",
    }
