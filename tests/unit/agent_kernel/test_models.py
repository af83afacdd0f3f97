"""What the router tree wants of each kind, whose an observed object is, and where it is in the tree."""

import json
from collections.abc import Hashable
from types import ModuleType
from typing import Any

import pytest
from tasuki_agent.kernel.marks import GROUP
from tasuki_agent.kind import Observed, Ref, Spec
from tasuki_agent.kinds.address import model as address
from tasuki_agent.kinds.address.model import Address, AddressKey
from tasuki_agent.kinds.link import linktypes
from tasuki_agent.kinds.link import model as link
from tasuki_agent.kinds.link.linktypes import OtherLink
from tasuki_agent.kinds.link.linktypes.ip6gre import Ip6gre
from tasuki_agent.kinds.link.linktypes.ip6gretap import Ip6gretap
from tasuki_agent.kinds.link.linktypes.ip6tnl import Ip6tnl
from tasuki_agent.kinds.link.linktypes.vxlan import Vxlan
from tasuki_agent.kinds.link.model import LinkName, UpLink
from tasuki_agent.kinds.route import model as route
from tasuki_agent.kinds.route.model import Route, RouteKey
from tasuki_agent.kinds.rule import model as rule
from tasuki_agent.kinds.rule.model import Rule, RuleKey
from tasuki_agent.kinds.sysctl import model as sysctl
from tasuki_agent.kinds.sysctl.model import Sysctl
from tasuki_agent.known import Known
from tasuki_yang.facts import FactKey, Facts
from tasuki_yang.path import get
from tasuki_yang.router import InterfacesInterfaceIpv6DelegatedAddress as DelegatedAddress
from tasuki_yang.router import Router
from tasuki_yang.schema import ROUTER

TREE: dict[str, Any] = {
    "ietf-interfaces:interfaces": {
        "interface": [
            {
                "name": "enp1s0f0",
                "type": "iana-if-type:other",
                "ietf-ip:ipv6": {
                    "tasuki-sysctl:accept-router-advertisements": "always",
                    "tasuki-address:delegated-address": [
                        {
                            "lease": "enp1s0f0",
                            "subnet-id": 2,
                            "interface-id": "::b4",
                            "prefix-length": 128,
                        }
                    ],
                },
            },
            {
                "name": "dslite0",
                "type": "tasuki-link:ip6tnl",
                "tasuki-link:mtu": 1460,
                "tasuki-link:ip6tnl": {
                    "mode": "ipip6",
                    "local-delegated": {"interface": "enp1s0f0", "subnet-id": 2, "interface-id": "::b4"},
                    "remote-aftr": {"interface": "enp1s0f0"},
                },
                "ietf-ip:ipv4": {"tasuki-sysctl:reverse-path-filter": "off"},
            },
            {
                "name": "osaka",
                "type": "tasuki-link:ip6gre",
                "tasuki-link:ip6gre": {
                    "key": 0,
                    "underlay": "enp1s0f0",
                    "local-interface": "enp1s0f0",
                    "remote-name": {"name": "OSAKA.example.net.", "resolver": ["2001:DB8:0::53"]},
                    "encapsulation-limit": 4,
                },
            },
            {
                "name": "osaka-lan",
                "type": "tasuki-link:ip6gretap",
                "tasuki-link:mac-address": "02:00:5E:00:53:01",
                "tasuki-link:ip6gre": {"local": "2001:DB8::1", "remote": "2001:db8::0:2", "hop-limit": 255},
            },
            {
                "name": "vxlan01",
                "type": "tasuki-link:vxlan",
                "tasuki-link:mtu": 1410,
                "tasuki-link:vxlan": {
                    "vni": 1,
                    "underlay": "enp1s0f0",
                    "remote": "2001:DB8:0::2",
                    "local": "2001:db8::0:1",
                },
                "ietf-ip:ipv6": {"address": [{"ip": "2001:DB8:AE00:0:01::1", "prefix-length": 80}]},
                "ietf-ip:ipv4": {
                    "address": [
                        {"ip": "192.0.2.1", "prefix-length": 24, "tasuki-address:no-prefix-route": True}
                    ]
                },
            },
            {
                "name": "vxlan02",
                "type": "tasuki-link:vxlan",
                "enabled": False,
                "tasuki-link:vxlan": {
                    "vni": 2,
                    "udp-port": 8472,
                    "underlay": "enp1s0f0",
                    "remote": "10.1.1.2",
                    "learning": True,
                },
            },
        ]
    },
    "ietf-routing:routing": {
        "control-plane-protocols": {
            "control-plane-protocol": [
                {
                    "type": "ietf-routing:static",
                    "name": "main",
                    "static-routes": {
                        "ietf-ipv6-unicast-routing:ipv6": {
                            "route": [
                                {
                                    "destination-prefix": "2001:DB8:AE00::/40",
                                    "next-hop": {"special-next-hop": "unreachable"},
                                },
                                {
                                    "destination-prefix": "2001:db8:ae01::/48",
                                    "next-hop": {
                                        "outgoing-interface": "vxlan01",
                                        "next-hop-address": "2001:db8:ae00:0:01::2",
                                    },
                                },
                            ]
                        },
                    },
                },
                {
                    "type": "ietf-routing:static",
                    "name": "it's",
                    "static-routes": {
                        "tasuki-route:table": 100,
                        "ietf-ipv4-unicast-routing:ipv4": {
                            "route": [
                                {
                                    "destination-prefix": "203.0.113.77/24",
                                    "next-hop": {"next-hop-address": "192.0.2.2"},
                                    "tasuki-route:metric": 7,
                                }
                            ]
                        },
                    },
                },
            ]
        },
        "tasuki-rule:rules": {
            "ipv6": {
                "rule": [
                    {"name": "from-site", "priority": 100, "table": 100, "source": "2001:DB8:AE01::/48"},
                    {"name": "all", "priority": 200, "table": 100, "source": "::/0"},
                ]
            },
            "ipv4": {"rule": [{"name": "to-lan", "priority": 7, "table": 9, "destination": "192.0.2.0/24"}]},
        },
        "tasuki-sysctl:forwarding": {"ipv6": True, "ipv4": False},
        "tasuki-sysctl:reverse-path-filter": "loose",
        "tasuki-sysctl:tcp-syncookies": "when-needed",
    },
}

FACTS: Facts = {
    FactKey("enp1s0f0", "global-address"): ("2001:db8::1",),
    FactKey("enp1s0f0", "delegated-prefix"): ("2001:db8:1200::/56",),
    FactKey("enp1s0f0", "aftr-name"): ("gw.example.net",),
    FactKey("gw.example.net", "addresses"): ("2001:db8:a::1", "2001:db8:a::2"),
    FactKey("osaka.example.net@2001:db8::53", "addresses"): ("2001:db8:b::1",),
    FactKey("2001:db8::1", "local-address"): ("2001:db8::1",),
    FactKey("2001:db8:1200:2::b4", "local-address"): ("2001:db8:1200:2::b4",),
}

WANTED: dict[ModuleType, dict[Hashable, Spec]] = {
    link: {
        "vxlan01": Vxlan(1, 4789, "enp1s0f0", "2001:db8::2", "2001:db8::1", False, True, 1410),
        "vxlan02": Vxlan(2, 8472, "enp1s0f0", "10.1.1.2", None, True, False, None),
        "dslite0": Ip6tnl(None, "2001:db8:1200:2::b4", "2001:db8:a::1", None, 64, "ipip6", True, 1460),
        "osaka": Ip6gre("enp1s0f0", "2001:db8::1", "2001:db8:b::1", 4, 64, 0, True),
        "osaka-lan": Ip6gretap(
            None, "2001:db8::1", "2001:db8::2", None, 255, None, True, None, "02:00:5e:00:53:01"
        ),
    },
    address: {
        AddressKey("vxlan01", "2001:db8:ae00:0:1::1"): Address(80),
        AddressKey("vxlan01", "192.0.2.1"): Address(24, no_prefix_route=True),
        AddressKey("enp1s0f0", "2001:db8:1200:2::b4"): Address(128),
    },
    route: {
        RouteKey(254, "2001:db8:ae00::/40", 1024): Route("unreachable"),
        RouteKey(254, "2001:db8:ae01::/48", 1024): Route("unicast", "2001:db8:ae00:0:1::2", "vxlan01"),
        RouteKey(100, "203.0.113.0/24", 7): Route("unicast", "192.0.2.2"),
    },
    rule: {
        RuleKey("ipv6", 100, "2001:db8:ae01::/48", None, 100): Rule(),
        RuleKey("ipv6", 200, None, None, 100): Rule(),
        RuleKey("ipv4", 7, None, "192.0.2.0/24", 9): Rule(),
    },
    sysctl: {
        "net/ipv6/conf/enp1s0f0/accept_ra": Sysctl("2"),
        "net/ipv4/conf/dslite0/rp_filter": Sysctl("0"),
        "net/ipv6/conf/all/forwarding": Sysctl("1"),
        "net/ipv4/conf/all/forwarding": Sysctl("0"),
        "net/ipv4/conf/all/rp_filter": Sysctl("2"),
        "net/ipv4/tcp_syncookies": Sysctl("1"),
    },
}
PLACE = DelegatedAddress.model_validate({"lease": "wan0", "subnet-id": 1, "interface-id": "::1"})
TYPES = linktypes.by_identity()
EACH = [(kind, key, spec) for kind, specs in WANTED.items() for key, spec in specs.items()]


def parsed(tree: Any) -> Router:
    return Router.model_validate_json(json.dumps(tree))


@pytest.mark.parametrize("kind", WANTED, ids=lambda kind: kind.__name__.split(".")[-2])
def test_a_tree_wants_its_objects_in_the_kernels_spelling(kind: ModuleType) -> None:
    assert kind.want(parsed(TREE), Known(FACTS)) == WANTED[kind]


@pytest.mark.parametrize("kind", WANTED, ids=lambda kind: kind.__name__.split(".")[-2])
def test_an_empty_tree_wants_nothing(kind: ModuleType) -> None:
    assert kind.want(parsed({}), Known()) == {}


@pytest.mark.parametrize(("kind", "key", "spec"), EACH)
def test_an_object_shown_as_a_tree_is_wanted_as_the_same_object(
    kind: ModuleType, key: Hashable, spec: Spec
) -> None:
    tree = json.loads(json.dumps(kind.tree(key, spec)))
    for interface in tree.get("ietf-interfaces:interfaces", {}).get("interface", ()):
        interface.setdefault("type", link.OTHER)
    assert kind.want(parsed(tree), Known(FACTS)) == {key: spec}


@pytest.mark.parametrize("facts", [{}, FACTS], ids=["nothing known", "all known"])
@pytest.mark.parametrize("kind", [link, rule, sysctl], ids=lambda kind: kind.__name__.split(".")[-2])
def test_paths_lead_to_where_the_tree_has_the_objects(kind: ModuleType, facts: Facts) -> None:
    for key in kind.want(parsed(TREE), Known(facts)):
        assert get(ROUTER, TREE, kind.path(key)) is not None


@pytest.mark.parametrize(
    ("kind", "key", "field", "path"),
    [
        (link, "vxlan01", "", "/ietf-interfaces:interfaces/interface[name='vxlan01']"),
        (link, "vxlan01", "up", "/ietf-interfaces:interfaces/interface[name='vxlan01']/enabled"),
        (link, "vxlan01", "type", "/ietf-interfaces:interfaces/interface[name='vxlan01']/type"),
        (
            link,
            LinkName("it's", TYPES["tasuki-link:vxlan"]),
            "mtu",
            '/ietf-interfaces:interfaces/interface[name="it\'s"]/tasuki-link:mtu',
        ),
        (
            link,
            LinkName("vxlan01", TYPES["tasuki-link:vxlan"]),
            "remote",
            "/ietf-interfaces:interfaces/interface[name='vxlan01']/tasuki-link:vxlan/remote",
        ),
        (
            link,
            LinkName("dslite0", TYPES["tasuki-link:ip6tnl"]),
            "remote",
            "/ietf-interfaces:interfaces/interface[name='dslite0']/tasuki-link:ip6tnl/remote",
        ),
        (
            link,
            LinkName("osaka", TYPES["tasuki-link:ip6gre"]),
            "others",
            "/ietf-interfaces:interfaces/interface[name='osaka']/tasuki-link:ip6gre",
        ),
        (
            address,
            AddressKey("lan0", "2001:db8:1201::1").within(PLACE),
            "prefix_length",
            (
                "/ietf-interfaces:interfaces/interface[name='lan0']/ietf-ip:ipv6/tasuki-address:delegated-address"
                "[lease='wan0'][subnet-id='1'][interface-id='::1']/prefix-length"
            ),
        ),
        (
            address,
            AddressKey("lan0", "2001:db8::1"),
            "prefix_length",
            (
                "/ietf-interfaces:interfaces/interface[name='lan0']/ietf-ip:ipv6"
                "/address[ip='2001:db8::1']/prefix-length"
            ),
        ),
        (
            route,
            RouteKey(254, "2001:db8::/32", 1024).within("main"),
            "via",
            (
                "/ietf-routing:routing/control-plane-protocols"
                "/control-plane-protocol[type='ietf-routing:static'][name='main']/static-routes"
                "/ietf-ipv6-unicast-routing:ipv6/route[destination-prefix='2001:db8::/32']"
                "/next-hop/next-hop-address"
            ),
        ),
        (
            route,
            RouteKey(100, "192.0.2.0/24", 7),
            "",
            (
                "/ietf-routing:routing/control-plane-protocols"
                "/control-plane-protocol[type='ietf-routing:static'][name='table-100-metric-7']/static-routes"
                "/ietf-ipv4-unicast-routing:ipv4/route[destination-prefix='192.0.2.0/24']"
            ),
        ),
        (
            rule,
            RuleKey("ipv6", 100, None, None, 100).within("from-site"),
            "",
            "/ietf-routing:routing/tasuki-rule:rules/ipv6/rule[name='from-site']",
        ),
        (
            sysctl,
            "net/ipv6/conf/eth0.100/accept_ra",
            "value",
            (
                "/ietf-interfaces:interfaces/interface[name='eth0.100']/ietf-ip:ipv6"
                "/tasuki-sysctl:accept-router-advertisements"
            ),
        ),
        (
            sysctl,
            "net/ipv4/conf/dslite0/rp_filter",
            "value",
            (
                "/ietf-interfaces:interfaces/interface[name='dslite0']/ietf-ip:ipv4"
                "/tasuki-sysctl:reverse-path-filter"
            ),
        ),
        (
            sysctl,
            "net/ipv4/conf/all/forwarding",
            "value",
            "/ietf-routing:routing/tasuki-sysctl:forwarding/ipv4",
        ),
    ],
)
def test_a_path_names_the_entry_or_the_leaf_of_a_field(
    kind: ModuleType, key: Any, field: str, path: str
) -> None:
    assert kind.path(key, field) == path
    assert get(ROUTER, {}, path) is None  # and the schema knows every node of it


def test_a_key_that_comes_from_the_tree_knows_its_name_there() -> None:
    wanted = route.want(parsed(TREE), Known())
    assert {key.protocol_name for key in wanted} == {"main", "it's"}
    assert {key.rule_name for key in rule.want(parsed(TREE), Known())} == {"from-site", "all", "to-lan"}


def test_two_observed_rules_never_share_a_path() -> None:
    keys = [
        RuleKey("ipv6", 100, None, None, 100),
        RuleKey("ipv6", 100, None, None, 101),
        RuleKey("ipv6", 100, None, None, 100, flags=2),
        RuleKey("ipv6", 100, None, None, 100, selectors=((10, b"\1\0\0\0"),)),
        RuleKey("ipv6", 100, None, None, 100, protocol=3),
    ]
    assert len({rule.path(key) for key in keys}) == len(keys)


@pytest.mark.parametrize(
    ("key", "text"),
    [
        (AddressKey("lan0", "2001:db8::1"), "2001:db8::1 dev lan0"),
        (RouteKey(254, "::/0", 1024), "::/0 table 254 metric 1024"),
        (RuleKey("ipv6", 100, None, "2001:db8::/32", 9), "ipv6 100 from all to 2001:db8::/32 table 9"),
        (
            RuleKey("ipv4", 1, None, None, 9, ((10, b"\1\0\0\0"),), 16, 2),
            "ipv4 1 from all to all table 9 10:01000000 tos 16 flags 0x2",
        ),
        (
            RuleKey("ipv6", 1, None, None, 9, protocol=3),
            "ipv6 1 from all to all table 9 protocol 3",
        ),
    ],
)
def test_keys_read_as_people_write_them(key: Hashable, text: str) -> None:
    assert str(key) == text


@pytest.mark.parametrize(
    ("kind", "key", "spec", "needs"),
    [
        (link, "vxlan01", WANTED[link]["vxlan01"], [Ref("link", "enp1s0f0")]),
        (link, "dslite0", WANTED[link]["dslite0"], []),
        (link, "osaka", WANTED[link]["osaka"], [Ref("link", "enp1s0f0")]),
        (link, "e0", OtherLink("veth", True, 1500), []),
        (address, AddressKey("lan0", "192.0.2.1"), Address(24), [UpLink("link", "lan0")]),
        (route, RouteKey(254, "::/0", 1024), Route("unicast", None, "lan0"), [UpLink("link", "lan0")]),
        (route, RouteKey(254, "::/0", 1024), Route("unreachable"), []),
        (rule, RuleKey("ipv6", 1, None, None, 9), Rule(), []),
        (sysctl, "net/ipv6/conf/wan0/accept_ra", Sysctl("2"), [Ref("link", "wan0")]),
        (sysctl, "net/ipv4/conf/eth0.100/rp_filter", Sysctl("0"), [Ref("link", "eth0.100")]),
        (sysctl, "net/ipv6/conf/all/forwarding", Sysctl("1"), []),
    ],
)
def test_an_object_needs_the_links_that_it_names(
    kind: ModuleType, key: Hashable, spec: Spec, needs: list[Ref]
) -> None:
    assert list(map(repr, kind.needs(key, spec))) == list(map(repr, needs))


OURS, THEIRS = OtherLink("vxlan", True, 1410, group=GROUP), OtherLink("veth", True, 1500)
LINKS: Observed = {"link": {"vxlan01": OURS, "e0": THEIRS}}
PERMANENT = 0x80


@pytest.mark.parametrize(
    ("kind", "key", "spec", "ours"),
    [
        (link, "vxlan01", OURS, True),
        (link, "vxlan01", THEIRS, False),
        (address, AddressKey("e0", "2001:db8::1"), Address(64, protocol=116), True),
        (address, AddressKey("e0", "2001:db8::1"), Address(64, protocol=0, flags=PERMANENT), False),
        (address, AddressKey("vxlan01", "2001:db8::1"), Address(64, protocol=0, flags=PERMANENT), True),
        (address, AddressKey("vxlan01", "2001:db8::1"), Address(64, protocol=0, flags=0), False),
        (address, AddressKey("vxlan01", "fe80::1"), Address(64, protocol=3, flags=PERMANENT), False),
        (address, AddressKey("vxlan01", "fe80::1"), Address(64, protocol=0, flags=PERMANENT), False),
        (address, AddressKey("vxlan01", "febf::1"), Address(64, protocol=0, flags=PERMANENT), False),
        (address, AddressKey("vxlan01", "fec0::1"), Address(64, protocol=0, flags=PERMANENT), True),
        (address, AddressKey("vxlan01", "fe80::1"), Address(64, protocol=116, flags=PERMANENT), True),
        (address, AddressKey("gone", "2001:db8::1"), Address(64, protocol=0, flags=PERMANENT), False),
        (route, RouteKey(254, "::/0", 1), Route("unicast", None, "e0", protocol=116), True),
        (route, RouteKey(254, "::/0", 1), Route("unicast", None, "e0", protocol=3), False),
        (route, RouteKey(254, "::/0", 1), Route("unicast", None, "vxlan01", protocol=3), True),
        (route, RouteKey(254, "::/0", 1), Route("unicast", None, "vxlan01", protocol=4), True),
        (route, RouteKey(254, "::/0", 1), Route("unicast", None, "vxlan01", protocol=186), False),
        (route, RouteKey(254, "::/0", 1), Route("unreachable", protocol=3), False),
        (rule, RuleKey("ipv6", 1, None, None, 9), Rule(), True),
        (rule, RuleKey("ipv6", 1, None, None, 9, protocol=0), Rule(), False),
        (sysctl, "net/ipv6/conf/all/forwarding", Sysctl("0"), True),
    ],
)
def test_what_is_ours_is_told_by_its_mark_or_by_its_link(
    kind: ModuleType, key: Hashable, spec: Spec, *, ours: bool
) -> None:
    assert kind.owns(key, spec, LINKS) is ours


SITE_RULES: Observed = {
    "route": {
        RouteKey(9, "::/0", 1024): Route("unicast", "2001:db8::2", "vxlan01"),
        RouteKey(254, "::/0", 512): Route("unicast", "2001:db8::2", "vxlan01"),
        RouteKey(10, "::/0", 1024): Route("unicast", "fe80::1", "e0", protocol=4),
    },
    "rule": {
        RuleKey("ipv6", 100, "2001:db8:1::/48", None, 9): Rule(),
        RuleKey("ipv6", 101, None, "2001:db8:1::/48", 9): Rule(),
        RuleKey("ipv6", 102, "2001:db8:2::/48", "2001:db8:3::/48", 9): Rule(),
        RuleKey("ipv6", 103, "2001:db8:1::/48", None, 254): Rule(),
        RuleKey("ipv6", 104, None, None, 9): Rule(),
        RuleKey("ipv6", 105, "2001:db8:1::/48", None, 10): Rule(),
        RuleKey("ipv6", 106, "2001:db8:5::/48", None, 9, protocol=4): Rule(),
    },
}
TYPED = RuleKey("ipv6", 1, "2001:db8:1::/48", None, 9, protocol=3)


@pytest.mark.parametrize(
    "key",
    [
        TYPED,
        TYPED._replace(priority=100),
        TYPED._replace(protocol=4),
        TYPED._replace(source="2001:db8:1:ff::/64"),
        TYPED._replace(source=None, destination="2001:db8:1::7/128", protocol=0),
        TYPED._replace(destination="2001:db8:9::/48"),
        TYPED._replace(source="2001:db8:2:1::/64", destination="2001:db8:3::/48"),
        TYPED._replace(selectors=((10, b"\1\0\0\0"),), tos=16),
    ],
    ids=str,
)
def test_a_typed_rule_that_selects_no_more_than_one_of_ours_is_ours(key: RuleKey) -> None:
    assert rule.owns(key, Rule(), SITE_RULES)


@pytest.mark.parametrize(
    "key",
    [
        TYPED._replace(protocol=186),
        TYPED._replace(priority=100, protocol=0),
        TYPED._replace(protocol=2),
        TYPED._replace(table=10),
        TYPED._replace(table=11),
        TYPED._replace(table=254),
        TYPED._replace(table=0),
        TYPED._replace(source="2001:db8::/32"),
        TYPED._replace(source="2001:db8:2::/48"),
        TYPED._replace(source="2001:db8:5::/48"),
        TYPED._replace(source=None),
        TYPED._replace(source=None, selectors=((10, b"\1\0\0\0"),)),
        TYPED._replace(source=None, destination="2001:db8:3::/48"),
        TYPED._replace(flags=2),
        TYPED._replace(family="ipv4", source="192.0.2.0/24"),
    ],
    ids=str,
)
def test_every_other_typed_rule_is_somebody_elses(key: RuleKey) -> None:
    assert not rule.owns(key, Rule(), SITE_RULES)


def test_a_typed_rule_is_not_ours_while_its_table_holds_no_route_of_ours() -> None:
    assert not rule.owns(TYPED, Rule(), {**SITE_RULES, "route": {}})
    of_ipv4 = {RouteKey(9, "0.0.0.0/0", 0): Route("unreachable")}
    assert not rule.owns(TYPED, Rule(), {**SITE_RULES, "route": of_ipv4})


@pytest.mark.parametrize("interface", ["wan0", "all", "forwarding", "eth0.100"])
def test_accept_ra_comes_before_forwarding(interface: str) -> None:
    accept_ra = f"net/ipv6/conf/{interface}/accept_ra"
    assert sysctl.rank(accept_ra) < sysctl.rank("net/ipv6/conf/all/forwarding")


def test_addresses_and_routes_need_a_link_that_is_up() -> None:
    need = UpLink("link", "lan0")
    assert need == Ref("link", "lan0")
    assert [need.met_by(OtherLink("veth", up=up)) for up in (True, False)] == [True, False]
    assert str(need) == "link lan0 to be up"
