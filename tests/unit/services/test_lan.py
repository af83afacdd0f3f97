"""A LAN gives its hosts what it is said to give them, and mistakes of a LAN or of a forwarder are named."""

from typing import Any

import pytest
from tasuki_controller.compile import compile_running
from tasuki_controller.running import Running
from tasuki_controller.transaction import Edit, prepare
from tasuki_yang.errors import ConfigError, InvalidIntent
from unit.services.networks import (
    Json,
    ds_lite,
    lan,
    running,
    services,
    side,
    site_link,
    split,
    subscriber,
    wan,
)

NETWORK = "/tasuki-network:network"
LAN0 = f"{NETWORK}/tasuki-lan:lan[router='home'][interface='lan0']"
LAN1 = f"{NETWORK}/tasuki-lan:lan[router='home'][interface='lan1']"
SERVER = f"{LAN0}/ipv4/dhcp-server"
FORWARDER = f"{NETWORK}/tasuki-lan:dns-forwarder[router='home']"
RANGE = {"start": "192.168.1.100", "end": "192.168.1.199"}


def home(*lans: Json, written: Json | None = None, **members: Any) -> Json:
    routers = {"home": written} if written else {}
    return dict(compile_running(running(services(lans=lans, **members), **routers))["home"])


def interface(tree: Json, name: str = "lan0") -> Json:
    listed = tree["ietf-interfaces:interfaces"]["interface"]
    return dict(next(one for one in listed if one["name"] == name))


def problems(document: Json, **routers: Json) -> tuple[ConfigError, ...]:
    try:
        prepare(Running(), Edit(network=document, routers=routers))
    except InvalidIntent as invalid:
        return invalid.errors
    return ()


def the_problem(*lans: Json, **members: Any) -> ConfigError:
    (problem,) = problems(services(lans=lans, **members))
    return problem


def serving(server: Any = None, /, **members: Any) -> Json:
    """A LAN whose hosts get addresses of 192.168.1.0/24 by DHCPv4; the router's is 192.168.1.10."""
    given = {"range": RANGE, **(server or {}), **members}
    return lan(ipv4={"address": "192.168.1.10", "prefix-length": 24, "dhcp-server": given})


def delegated(interface: str = "lan0", /, told: Any = None, **place: Any) -> Json:
    ipv6 = {"delegated": {"wan": "wan0", **place}}
    return lan("home", interface, ipv6=ipv6 | ({"router-advertisements": told} if told else {}))


def static(address: str, interface: str = "lan0", /, **told: Any) -> Json:
    ipv6 = {"static": {"address": address}}
    return lan("home", interface, ipv6=ipv6 | ({"router-advertisements": told} if told else {}))


def numbered(subnet: str, interface: str = "lan1") -> Json:
    address, _, length = subnet.partition("/")
    return lan("home", interface, ipv4={"address": address, "prefix-length": int(length)})


PD = wan(ipv6={"prefix-delegation": {}})
ADVERTISEMENTS = "ietf-ipv6-unicast-routing:ipv6-router-advertisements"


# What a LAN becomes.


def test_a_lan_has_its_address_and_its_packets_are_forwarded() -> None:
    assert home(lan()) == {
        "ietf-interfaces:interfaces": {
            "interface": [
                {
                    "name": "lan0",
                    "type": "iana-if-type:other",
                    "ietf-ip:ipv4": {"address": [{"ip": "192.168.1.1", "prefix-length": 24}]},
                }
            ]
        },
        "ietf-routing:routing": {"tasuki-sysctl:forwarding": {"ipv4": True}},
    }


def test_hosts_are_given_what_the_lan_says_in_the_same_words() -> None:
    given = {
        "range": RANGE,
        "lease-time": 600,
        "router": ["192.168.1.2", "192.168.1.1"],
        "ntp-server": ["192.168.1.10"],
        "search-domain": ["b.example", "a.example"],
        "reservation": [{"mac-address": "02:00:5e:10:00:20", "address": "192.168.1.20", "host-name": "nas"}],
        "option": [{"code": 66, "octets": "01:02"}],
    }

    assert interface(home(serving(given)))["ietf-ip:ipv4"]["tasuki-dnsmasq:dhcp-server"] == given


def test_a_lan_follows_the_prefix_that_is_delegated_to_the_router() -> None:
    tree = home(delegated(**{"subnet-id": 1, "interface-id": "::0A"}), wans=[PD])

    assert interface(tree)["ietf-ip:ipv6"]["tasuki-address:delegated-address"] == [
        {"lease": "wan0", "subnet-id": 1, "interface-id": "::a", "renumbering": "deprecate"}
    ]
    assert tree["ietf-routing:routing"]["tasuki-sysctl:forwarding"] == {"ipv6": True}


def test_a_typed_prefix_is_a_64() -> None:
    assert interface(home(static("2001:DB8:1::1")))["ietf-ip:ipv6"]["address"] == [
        {"ip": "2001:db8:1::1", "prefix-length": 64}
    ]


@pytest.mark.parametrize(
    ("told", "advertised"),
    [
        ({"hosts": "slaac"}, {}),
        ({}, {"other-config-flag": True}),
        (
            {"hosts": "stateful-dhcpv6", "dhcpv6-range": {"start": "::1000", "end": "::1fff"}},
            {"managed-flag": True, "other-config-flag": True},
        ),
        (
            {"mtu": 1454, "interval": 30, "dns-server": ["2001:db8::53"], "search-domain": ["b", "a"]},
            {
                "other-config-flag": True,
                "link-mtu": 1454,
                "max-rtr-adv-interval": 30,
                "tasuki-dnsmasq:dns-server": ["2001:db8::53"],
                "tasuki-dnsmasq:search-domain": ["b", "a"],
            },
        ),
    ],
)
def test_hosts_are_told_how_they_get_their_addresses(told: Json, advertised: Json) -> None:
    ipv6 = interface(home(static("2001:db8:1::1", **told)))["ietf-ip:ipv6"]

    assert ipv6[ADVERTISEMENTS] == {"send-advertisements": True, **advertised}
    assert ipv6.get("tasuki-dnsmasq:dhcp-server") == told.get("dhcpv6-range")


def test_hosts_may_be_told_nothing() -> None:
    assert ADVERTISEMENTS not in interface(home(static("2001:db8:1::1", hosts="none")))["ietf-ip:ipv6"]


def test_a_lan_that_is_kept_from_ipv6_gets_none_and_forwards_none() -> None:
    tree = home(lan(ipv6={"kept-out": [None]}))

    assert interface(tree) == {
        "name": "lan0",
        "type": "iana-if-type:other",
        "tasuki-nftables:keep-ipv6-autoconfiguration-out": True,
        "tasuki-nftables:keep-ipv6-forwarding-out": True,
    }
    assert "ietf-routing:routing" not in tree


def test_a_lan_of_which_nothing_is_said_changes_nothing() -> None:
    assert home(lan(ipv6={})) == {}


def test_an_interface_keeps_the_type_that_was_written_for_it() -> None:
    ethernet = {"name": "lan0", "type": "iana-if-type:ethernetCsmacd"}
    tree = home(lan(), written={"ietf-interfaces:interfaces": {"interface": [ethernet]}})

    assert interface(tree)["type"] == "iana-if-type:ethernetCsmacd"


def test_a_forwarder_answers_all_lans_that_have_addresses() -> None:
    forwarder = {
        "router": "home",
        "server": ["192.0.2.53", "2001:db8::53"],
        "zone": [{"domain": "corp.example", "server": ["192.0.2.54"]}],
        "host": [{"name": "nas.home.example", "address": ["192.168.1.20"]}],
        "domain": "home.example",
        "cache-size": 10,
    }
    lans = [
        delegated("lan1"),
        lan(),
        lan("home", "lan2", ipv6={"kept-out": [None]}),
        lan("branch", "lan3", ipv4={"address": "192.168.3.1", "prefix-length": 24}),
    ]
    tree = home(*lans, wans=[PD], forwarders=[forwarder])

    served = {name: value for name, value in forwarder.items() if name != "router"}
    assert tree["tasuki-dnsmasq:dns-forwarder"] == {"interface": ["lan0", "lan1"], **served}


def test_two_prefixes_of_one_lan_stand_side_by_side() -> None:
    """The semi-fixed prefix of the line and the fixed one of a split: what addresses have is advertised."""
    over_line = {"interface": "wan0", "global-address": [None]}
    by_policy = subscriber(
        1, underlay=over_line, mode="policy-routing", delegation={"lan": [{"interface": "lan0"}]}
    )
    hub = {"router": "vps", "underlay": {"interface": "eth0", "ipv6-address": "2001:db8:f::1"}}
    tree = home(delegated(**{"subnet-id": 1}), wans=[PD], splits=[split(by_policy, hub=hub)])
    ipv6 = interface(tree)["ietf-ip:ipv6"]

    assert [one["ip"] for one in ipv6["address"]] == ["2001:db8:ae00:1::1"]
    assert [one["subnet-id"] for one in ipv6["tasuki-address:delegated-address"]] == [1]
    assert ipv6[ADVERTISEMENTS]["send-advertisements"]


def test_a_lan_that_a_split_gives_its_prefix_can_advertise_it() -> None:
    gives = split(subscriber(1, delegation={"lan": [{"interface": "lan0", "subnet-id": 5}]}))
    tree = home(static("2001:db8:ae01:5::1"), splits=[gives])

    assert interface(tree)["ietf-ip:ipv6"]["address"] == [{"ip": "2001:db8:ae01:5::1", "prefix-length": 64}]
    assert problems(services(lans=[static("2001:db8:ae01:5::1")], splits=[gives])) == ()


# What a LAN cannot be.


@pytest.mark.parametrize(
    ("one", "leaf"),
    [
        (lan(ipv4={"address": "192.168.1.0", "prefix-length": 24}), "ipv4/address"),
        (lan(ipv4={"address": "192.168.1.255", "prefix-length": 24}), "ipv4/address"),
        (lan(ipv4={"address": "127.0.0.1", "prefix-length": 8}), "ipv4/address"),
        (lan(ipv4={"address": "239.1.1.1", "prefix-length": 24}), "ipv4/address"),
        (static("2001:db8:1::"), "ipv6/static/address"),
    ],
)
def test_the_routers_address_is_one_of_a_host(one: Json, leaf: str) -> None:
    problem = the_problem(one)

    assert (problem.error_path, problem.error_app_tag) == (f"{LAN0}/{leaf}", "address-not-a-host")


@pytest.mark.parametrize(
    ("start", "end", "leaf", "app_tag"),
    [
        ("192.168.2.100", "192.168.1.199", "/start", "range-outside-subnet"),
        ("192.168.1.100", "192.168.2.199", "/end", "range-outside-subnet"),
        ("192.168.1.0", "192.168.1.5", "/start", "range-outside-subnet"),
        ("192.168.1.100", "192.168.1.255", "/end", "range-outside-subnet"),
        ("192.168.1.199", "192.168.1.100", "", "range-reversed"),
        ("192.168.1.1", "192.168.1.10", "", "range-contains-router"),
        ("192.168.1.10", "192.168.1.10", "", "range-contains-router"),
    ],
)
def test_a_range_is_one_of_other_hosts_of_the_subnet(start: str, end: str, leaf: str, app_tag: str) -> None:
    problem = the_problem(serving(range={"start": start, "end": end}))

    assert (problem.error_path, problem.error_app_tag) == (f"{SERVER}/range{leaf}", app_tag)


def test_a_range_may_be_one_address_or_all_others() -> None:
    for start, end in (("192.168.1.5", "192.168.1.5"), ("192.168.1.11", "192.168.1.254")):
        assert problems(services(lans=[serving(range={"start": start, "end": end})])) == ()


@pytest.mark.parametrize(
    ("second", "leaf", "app_tag"),
    [
        ({"address": "192.168.2.20"}, "address", "reservation-outside-subnet"),
        ({"address": "192.168.1.255"}, "address", "reservation-outside-subnet"),
        ({"address": "192.168.1.10"}, "address", "address-not-unique"),
        ({"address": "192.168.1.21", "host-name": "NAS"}, "host-name", "host-name-not-unique"),
    ],
)
def test_a_reservation_is_of_one_host_of_the_subnet(second: Json, leaf: str, app_tag: str) -> None:
    first = {"mac-address": "02:00:5e:10:00:20", "address": "192.168.1.20", "host-name": "nas"}
    other = {"mac-address": "02:00:5e:10:00:21", **second}
    problem = the_problem(serving(reservation=[first, other]))

    assert problem.error_path == f"{SERVER}/reservation[mac-address='02:00:5e:10:00:21']/{leaf}"
    assert problem.error_app_tag == app_tag


def test_two_hosts_have_no_address_in_common() -> None:
    given = [{"mac-address": f"02:00:5e:10:00:0{number}", "address": "192.168.1.20"} for number in (0, 1)]
    problem = the_problem(serving(reservation=given))

    assert problem.error_app_tag == "data-not-unique"


def test_reservations_lie_inside_or_outside_the_range() -> None:
    given = [
        {"mac-address": f"02:00:5e:10:00:0{number}", "address": address}
        for number, address in enumerate(("192.168.1.20", "192.168.1.150"))
    ]

    assert problems(services(lans=[serving(reservation=given)])) == ()


@pytest.mark.parametrize("router", ["192.168.2.1", "192.168.1.0"])
def test_hosts_reach_their_router(router: str) -> None:
    problem = the_problem(serving(router=["192.168.1.1", router]))

    assert (problem.error_path, problem.error_app_tag) == (
        f"{SERVER}/router[.='{router}']",
        "router-outside-subnet",
    )


@pytest.mark.parametrize("end", ["::ffe", "::"])
def test_a_range_of_dhcpv6_has_an_end_behind_its_start(end: str) -> None:
    told = {"hosts": "stateful-dhcpv6", "dhcpv6-range": {"start": "::1000", "end": end}}
    problem = the_problem(static("2001:db8:1::1", **told))

    assert problem.error_path.startswith(f"{LAN0}/ipv6/router-advertisements/dhcpv6-range")
    assert problem.error_app_tag == ("not-an-interface-id" if end == "::" else "range-reversed")


@pytest.mark.parametrize(
    "one",
    [
        static(
            "2001:db8:1::1005",
            hosts="stateful-dhcpv6",
            **{"dhcpv6-range": {"start": "::1000", "end": "::1fff"}},
        ),
        delegated(
            told={"hosts": "stateful-dhcpv6", "dhcpv6-range": {"start": "::1", "end": "::1fff"}},
        ),
    ],
)
def test_a_range_of_dhcpv6_is_one_of_other_hosts(one: Json) -> None:
    problem = the_problem(one, wans=[PD])

    assert (problem.error_path, problem.error_app_tag) == (
        f"{LAN0}/ipv6/router-advertisements/dhcpv6-range",
        "range-contains-router",
    )


def test_hosts_that_get_addresses_by_dhcpv6_need_some_to_get() -> None:
    problem = the_problem(static("2001:db8:1::1", hosts="stateful-dhcpv6"))

    assert (problem.error_path, problem.error_app_tag) == (
        f"{LAN0}/ipv6/router-advertisements/hosts",
        "range-required",
    )
    assert "dhcpv6-range" in problem.message


def test_a_range_of_dhcpv6_is_for_hosts_that_ask_for_addresses() -> None:
    given = {"dhcpv6-range": {"start": "::1000", "end": "::1fff"}}

    assert the_problem(static("2001:db8:1::1", **given)).error_path.endswith("/dhcpv6-range")


@pytest.mark.parametrize("name", ["lan*", "a,b", "-l", '"'])
def test_a_lan_has_a_name_that_daemons_can_be_told(name: str) -> None:
    assert "letters, digits, dots" in the_problem(lan("home", name)).message


# What a LAN cannot share.


@pytest.mark.parametrize(
    ("others", "path", "text"),
    [
        ({"lans": [lan(), numbered("192.168.1.2/24")]}, f"{LAN1}/ipv4/address", "LAN lan0"),
        ({"lans": [lan(), numbered("192.168.1.130/25")]}, f"{LAN1}/ipv4/address", "LAN lan0"),
        ({"lans": [lan(), numbered("192.168.7.1/16")]}, f"{LAN0}/ipv4/address", "LAN lan1"),
        (
            {"lans": [static("2001:db8:1::1"), static("2001:db8:1::2", "lan1")]},
            f"{LAN1}/ipv6/static/address",
            "LAN lan0",
        ),
        (
            {"wans": [wan(ipv4={"static": {"address": "192.168.1.5", "prefix-length": 24}})]},
            f"{LAN0}/ipv4/address",
            "the line on wan0",
        ),
        (
            {"wans": [wan(ipv4={"static": {"address": "192.168.1.200", "prefix-length": 25}})]},
            f"{LAN0}/ipv4/address",
            "the line on wan0",
        ),
        (
            {
                "wans": [wan(ipv6={"static": {"address": "2001:db8:1::1", "prefix-length": 48}})],
                "lans": [static("2001:db8:1:5::1")],
            },
            f"{LAN0}/ipv6/static/address",
            "the line on wan0",
        ),
        (
            {"site_links": [site_link(a=side("home"), b=side("branch", "192.168.0.0/16"))]},
            f"{LAN0}/ipv4/address",
            "a LAN of router branch, which site-link tun1 leads to",
        ),
        (
            {"site_links": [site_link(a=side("home"), **{"inner-prefix": "192.168.1.4/30"})]},
            f"{LAN0}/ipv4/address",
            "the inner prefix of site-link tun1",
        ),
        (
            {
                "lans": [static("2001:db8:ae01:5::1")],
                "splits": [split(subscriber(1, delegation={"lan": [{"interface": "lan1", "subnet-id": 5}]}))],
            },
            f"{LAN0}/ipv6/static/address",
            "vxlan-split ae00, subscriber 1",
        ),
    ],
)
def test_an_address_is_in_one_place(others: Json, path: str, text: str) -> None:
    found = problems(services(**{"lans": [lan()], **others}))

    assert [(problem.error_path, problem.error_app_tag) for problem in found] == [(path, "prefixes-overlap")]
    assert text in found[0].message
    assert "router home" in found[0].message


def test_two_routers_may_number_their_lans_alike() -> None:
    assert problems(services(lans=[lan(), lan("branch")])) == ()


def test_a_link_leads_from_the_lan_that_it_names() -> None:
    assert problems(services(lans=[lan()], site_links=[site_link()])) == ()


def test_an_address_that_is_typed_for_the_router_itself_counts_as_well() -> None:
    address = {"ip": "192.168.1.5", "prefix-length": 28}
    written = {"name": "dmz0", "type": "iana-if-type:other", "ietf-ip:ipv4": {"address": [address]}}
    (problem,) = problems(
        services(lans=[lan()]), home={"ietf-interfaces:interfaces": {"interface": [written]}}
    )

    assert (problem.router, problem.error_app_tag) == ("home", "prefixes-overlap")
    assert "192.168.1.0/28" in problem.message


@pytest.mark.parametrize(
    ("others", "path", "holder"),
    [
        (
            {"lans": [delegated(**{"subnet-id": 1}), delegated("lan1", **{"subnet-id": 1})]},
            f"{LAN1}/ipv6/delegated/subnet-id",
            "lan lan0 of router home",
        ),
        (
            {"wans": [wan(ipv6={"prefix-delegation": {"own-address": {"interface-id": "::2"}}})]},
            f"{LAN0}/ipv6/delegated/subnet-id",
            "wan wan0 of router home",
        ),
        (
            {"ds_lites": [ds_lite(underlay={"interface": "wan0", "delegated-address": {}})]},
            f"{LAN0}/ipv6/delegated/subnet-id",
            "ds-lite line",
        ),
        (
            {"site_links": [site_link(a=side("home", **{"delegated-address": {}}))]},
            f"{LAN0}/ipv6/delegated/subnet-id",
            "site-link tun1",
        ),
        (
            {
                "splits": [
                    split(
                        subscriber(1, underlay={"interface": "wan0", "delegated-address": {}}),
                        hub={
                            "router": "vps",
                            "underlay": {"interface": "eth0", "ipv6-address": "2001:db8:f::1"},
                        },
                    )
                ]
            },
            f"{LAN0}/ipv6/delegated/subnet-id",
            "vxlan-split ae00, subscriber 1",
        ),
    ],
)
def test_a_part_of_a_delegated_prefix_is_on_one_link(others: Json, path: str, holder: str) -> None:
    (problem,) = problems(services(**{"lans": [delegated()], "wans": [PD], **others}))

    assert (problem.error_path, problem.error_app_tag) == (path, "subnet-not-unique")
    assert holder in problem.message


def test_parts_of_two_prefixes_may_have_one_number() -> None:
    second = {**PD, "interface": "wan1"}

    assert problems(services(lans=[delegated(), delegated("lan1", wan="wan1")], wans=[PD, second])) == ()


def test_a_number_that_is_none_is_not_taken_for_the_default() -> None:
    lans = [delegated(), delegated("lan1", **{"subnet-id": -1})]

    assert [problem.error_path for problem in problems(services(lans=lans, wans=[PD]))] == [
        f"{LAN1}/ipv6/delegated/subnet-id"
    ]


@pytest.mark.parametrize("wans", [[], [wan()], [{**PD, "router": "branch"}], [{**PD, "interface": "wan1"}]])
def test_a_prefix_is_asked_for(wans: list[Json]) -> None:
    problem = the_problem(delegated(), wans=wans)

    assert (problem.error_path, problem.error_app_tag) == (
        f"{LAN0}/ipv6/delegated/wan",
        "prefix-not-asked-for",
    )
    assert "prefix-delegation" in problem.message


def test_a_prefix_may_be_asked_for_in_the_routers_own_tree() -> None:
    def asking(**ipv6: str) -> Json:
        client = {"tasuki-dhcp-client:dhcp-client": {"ipv6": ipv6}}
        line = {"name": "wan0", "type": "iana-if-type:other", **client}
        return {"ietf-interfaces:interfaces": {"interface": [line]}}

    document = services(lans=[delegated()])
    assert problems(document, home=asking()) == ()
    assert [one.error_app_tag for one in problems(document, home=asking(request="information"))] == [
        "prefix-not-asked-for"
    ]


def test_an_access_that_is_malformed_is_no_access_that_is_missing() -> None:
    (problem,) = problems(services(lans=[delegated()], wans=[wan(ipv6={"prefix-delegation": 5})]))

    assert problem.error_path.endswith("/ipv6/prefix-delegation")


@pytest.mark.parametrize(
    ("hint", "subnet_id", "fits"),
    [(64, 0, True), (64, 1, False), (60, 15, True), (60, 16, False), (48, 65535, True)],
)
def test_the_prefix_that_is_asked_for_has_the_subnet(*, hint: int, subnet_id: int, fits: bool) -> None:
    asking = wan(ipv6={"prefix-delegation": {"prefix-hint": hint}})
    found = problems(services(lans=[delegated(**{"subnet-id": subnet_id})], wans=[asking]))

    assert [(problem.error_path, problem.error_app_tag) for problem in found] == (
        [] if fits else [(f"{LAN0}/ipv6/delegated/subnet-id", "subnet-id-out-of-range")]
    )
    assert fits or f"prefix-hint of {hint - 1} at the most" in found[0].message


def test_without_a_hint_a_subnet_may_come_to_exist() -> None:
    assert problems(services(lans=[delegated(**{"subnet-id": 255})], wans=[PD])) == ()


def test_an_end_of_a_tunnel_needs_its_subnet_too() -> None:
    end = ds_lite(underlay={"interface": "wan0", "delegated-address": {"subnet-id": 255}})
    (problem,) = problems(
        services(wans=[wan(ipv6={"prefix-delegation": {"prefix-hint": 60}})], ds_lites=[end])
    )

    assert problem.error_path.endswith("ds-lite[name='line']/underlay/delegated-address/subnet-id")
    assert "0 to 15" in problem.message


def test_a_lan_is_not_the_line() -> None:
    problem = the_problem(lan("home", "wan0"), wans=[wan()])

    assert (problem.error_path, problem.error_app_tag) == (
        f"{NETWORK}/tasuki-lan:lan[router='home'][interface='wan0']/interface",
        "interface-role-clash",
    )


def test_a_lan_is_no_tunnel() -> None:
    problem = the_problem(
        lan("home", "tun1", ipv4={"address": "192.168.9.1", "prefix-length": 24}), site_links=[site_link()]
    )

    assert problem.error_app_tag == "interface-role-clash"
    assert "is the tunnel of site-link tun1" in problem.message


def test_a_lan_that_a_split_gives_a_prefix_is_not_kept_from_ipv6() -> None:
    gives = split(subscriber(1, delegation={"lan": [{"interface": "lan0"}]}))
    problem = the_problem(lan(ipv6={"kept-out": [None]}), splits=[gives])

    assert (problem.error_path, problem.error_app_tag) == (f"{LAN0}/ipv6/kept-out", "ipv6-kept-out")
    assert "vxlan-split ae00, subscriber 1" in problem.message


@pytest.mark.parametrize(("one", "leaf"), [(static("2001:db8:1::1"), "static"), (delegated(), "delegated")])
def test_a_lan_does_not_advertise_what_a_link_keeps_from_it(one: Json, leaf: str) -> None:
    ngn = side("home", **{"ipv6-internet": False})
    ngn["lan"] = {"interface": ["lan0"]}
    problem = the_problem(one, wans=[PD], site_links=[site_link(a=ngn)])

    assert (problem.error_path, problem.error_app_tag) == (f"{LAN0}/ipv6/{leaf}", "ipv6-kept-out")
    assert "site-link tun1" in problem.message


def test_link_and_lan_may_agree_that_there_is_no_ipv6() -> None:
    ngn = side("home", **{"ipv6-internet": False})
    ngn["lan"] = {"interface": ["lan0"]}

    assert problems(services(lans=[lan(ipv6={"kept-out": [None]})], site_links=[site_link(a=ngn)])) == ()


# What a forwarder cannot do.


def forwarding(*lans: Json, **members: Any) -> tuple[ConfigError, ...]:
    others = {"wans": members.pop("wans", [])}
    return problems(services(lans=lans, forwarders=[{"router": "home", **members}], **others))


@pytest.mark.parametrize("lans", [[], [lan("branch")], [lan(ipv6={"kept-out": [None]})]])
def test_a_forwarder_has_somebody_to_answer(lans: list[Json]) -> None:
    (problem,) = forwarding(*lans)

    assert (problem.error_path, problem.error_app_tag) == (FORWARDER, "lan-required")
    assert "add its lan" in problem.message


def test_a_lan_that_is_unfinished_is_no_lan_that_is_missing() -> None:
    (problem,) = forwarding(lan(ipv4={"address": "192.168.1.1"}))

    assert problem.error_path == f"{LAN0}/ipv4/prefix-length"


@pytest.mark.parametrize(
    ("line", "is_leased"),
    [
        (wan(), True),
        (PD, True),
        (wan(ipv4={"dhcp": {}}), True),
        (wan(ipv6={"router-advertisements": {"dhcpv6-information": False}}), False),
        (wan(ipv4={"static": {"address": "192.0.2.2", "prefix-length": 24}}), False),
        ({**PD, "interface": "wan1"}, False),
        ({**PD, "router": "branch"}, False),
    ],
)
def test_servers_of_a_lease_need_a_lease(line: Json, *, is_leased: bool) -> None:
    found = forwarding(lan(), wans=[line], **{"servers-of-lease": "wan0"})

    assert [(problem.error_path, problem.error_app_tag) for problem in found] == (
        [] if is_leased else [(f"{FORWARDER}/servers-of-lease", "no-lease")]
    )


def test_a_lease_may_be_asked_for_in_the_routers_own_tree() -> None:
    client: Json = {"tasuki-dhcp-client:dhcp-client": {"ipv4": {}}}
    line = {"name": "wan0", "type": "iana-if-type:other", **client}
    forwarder = {"router": "home", "servers-of-lease": "wan0"}
    document = services(lans=[lan()], forwarders=[forwarder])

    assert problems(document, home={"ietf-interfaces:interfaces": {"interface": [line]}}) == ()


@pytest.mark.parametrize("server", ["192.168.1.1", "127.0.0.1", "::1", "2001:DB8:1::1", "192.0.2.2"])
def test_a_forwarder_does_not_ask_itself(server: str) -> None:
    line = wan(ipv4={"static": {"address": "192.0.2.2", "prefix-length": 24}})
    lans = (lan(), static("2001:db8:1::1", "lan1"))
    zone = {"domain": "corp.example", "server": [server]}
    (upstream,) = forwarding(*lans, wans=[line], server=["192.0.2.53", server])
    (of_zone,) = forwarding(*lans, wans=[line], zone=[zone])

    assert upstream.error_app_tag == of_zone.error_app_tag == "server-is-router"
    assert upstream.error_path == f"{FORWARDER}/server[.='{server.lower()}']"
    assert of_zone.error_path == f"{FORWARDER}/zone[domain='corp.example']/server[.='{server.lower()}']"


def test_another_server_of_this_machine_can_be_asked() -> None:
    assert forwarding(lan(), server=["127.0.0.53"]) == ()


@pytest.mark.parametrize(
    ("member", "entries"),
    [
        ("zone", [{"domain": "Corp.example"}, {"domain": "corp.EXAMPLE"}]),
        (
            "host",
            [
                {"name": "NAS.example", "address": ["192.168.1.20"]},
                {"name": "nas.example", "address": ["192.168.1.21"]},
            ],
        ),
    ],
)
def test_a_name_is_one_name_whatever_the_case(member: str, entries: list[Json]) -> None:
    (problem,) = forwarding(lan(), **{member: entries})

    assert "more than once" in problem.message


def test_all_problems_are_reported_at_once() -> None:
    bad = serving(
        range={"start": "192.168.1.199", "end": "192.168.1.100"},
        router=["192.168.2.1"],
        reservation=[{"mac-address": "02:00:5e:10:00:20", "address": "192.168.1.10"}],
        **{"lease-time": 1},
    )
    bad["ipv6"] = {"delegated": {"wan": "wan9"}, "router-advertisements": {"hosts": "stateful-dhcpv6"}}
    found = problems(
        services(lans=[bad, numbered("192.168.1.1/24")], forwarders=[{"router": "home", "server": ["::1"]}])
    )

    assert {problem.error_path for problem in found} == {
        f"{SERVER}/range",
        f"{SERVER}/router[.='192.168.2.1']",
        f"{SERVER}/reservation[mac-address='02:00:5e:10:00:20']/address",
        f"{SERVER}/lease-time",
        f"{LAN0}/ipv6/delegated/wan",
        f"{LAN0}/ipv6/router-advertisements/hosts",
        f"{LAN1}/ipv4/address",
        f"{FORWARDER}/server[.='::1']",
    }
