"""An access asks for what it is said to ask for, and mistakes of an access are named."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from tasuki_controller.compile import compile_running
from tasuki_controller.running import Running
from tasuki_controller.transaction import Edit, prepare
from tasuki_yang.errors import ConfigError, InvalidIntent
from unit.services.networks import (
    Json,
    ds_lite,
    homes,
    running,
    services,
    side,
    site_link,
    split,
    subscriber,
    wan,
)

WAN0 = "/tasuki-network:network/tasuki-wan:wan[router='home'][interface='wan0']"
WAN1 = "/tasuki-network:network/tasuki-wan:wan[router='home'][interface='wan1']"
GOLDENS = Path(__file__).parent / "goldens"
EXAMPLES = Path(__file__).parents[3] / "examples"


def home(*wans: Json, written: Json | None = None, **members: Any) -> Json:
    routers = {"home": written} if written else {}
    return dict(compile_running(running(services(wans=wans, **members), **routers))["home"])


def interface(tree: Json, name: str = "wan0") -> Json:
    listed = tree["ietf-interfaces:interfaces"]["interface"]
    return dict(next(one for one in listed if one["name"] == name))


def routes(tree: Json, protocol: str, family: str) -> list[Json]:
    listed = tree["ietf-routing:routing"]["control-plane-protocols"]["control-plane-protocol"]
    static = next(one for one in listed if one["name"] == protocol)["static-routes"]
    return list(static[f"ietf-{family}-unicast-routing:{family}"]["route"])


def problems(document: Json, **routers: Json) -> tuple[ConfigError, ...]:
    try:
        prepare(Running(), Edit(network=document, routers=routers))
    except InvalidIntent as invalid:
        return invalid.errors
    return ()


def the_problem(*wans: Json, **members: Any) -> ConfigError:
    (problem,) = problems(services(wans=wans, **members))
    return problem


def typed(family: str, address: str, length: int, gateway: str | None = None) -> Json:
    known = {} if gateway is None else {"gateway": gateway}
    return wan(**{family: {"static": {"address": address, "prefix-length": length, **known}}})


def delegating(interface: str = "wan0", /, **members: Any) -> Json:
    return wan("home", interface, ipv6={"prefix-delegation": members})


def leased(interface: str = "wan0", /, metric: int = 0, **members: Any) -> Json:
    return wan("home", interface, ipv4={"dhcp": members, "default-route-metric": metric})


@pytest.mark.parametrize(
    ("example", "router"),
    [("home-router", "home"), ("home-router-hgw", "beagle"), ("ngn-without-isp", "home")],
)
def test_the_articles_routers(example: str, router: str) -> None:
    document = json.loads((EXAMPLES / f"{example}.json").read_text())
    golden = json.loads((GOLDENS / f"{example}.json").read_text())

    assert compile_running(running(document))[router] == golden


def test_a_line_of_advertisements_is_listened_to_and_asked_for_information_alone() -> None:
    tree = home(wan())

    assert interface(tree) == {
        "name": "wan0",
        "type": "iana-if-type:other",
        "ietf-ip:ipv6": {"tasuki-sysctl:accept-router-advertisements": "always"},
        "tasuki-dhcp-client:dhcp-client": {"ipv6": {"request": "information"}},
    }
    assert "ietf-routing:routing" not in tree


def test_a_line_of_advertisements_need_not_be_asked_at_all() -> None:
    quiet = wan(ipv6={"router-advertisements": {"dhcpv6-information": False}})

    assert "tasuki-dhcp-client:dhcp-client" not in interface(home(quiet))


def test_a_prefix_is_asked_for_in_the_words_of_the_access() -> None:
    request = {
        "duid-interface": "lan0",
        "iaid": 7,
        "prefix-hint": 56,
        "request-option": [17, 23],
        "vendor-class": [{"enterprise-number": 210, "octets": "00:1B:ff"}],
    }

    client = interface(home(delegating(**request)))["tasuki-dhcp-client:dhcp-client"]
    assert client == {"ipv6": request}


def test_what_is_not_said_of_a_request_is_left_to_the_router_tree() -> None:
    assert interface(home(delegating()))["tasuki-dhcp-client:dhcp-client"] == {"ipv6": {}}


def test_what_is_delegated_and_not_used_does_not_go_back() -> None:
    routing = home(delegating())["ietf-routing:routing"]

    assert routing == {"tasuki-route:delegated-prefix-route": [{"interface": "wan0"}]}


def test_a_line_that_gets_a_prefix_goes_on_learning_its_default_route() -> None:
    assert interface(home(delegating()))["ietf-ip:ipv6"] == {
        "tasuki-sysctl:accept-router-advertisements": "always"
    }


def test_a_line_without_an_address_of_its_own_has_one_in_the_prefix() -> None:
    own = delegating(**{"own-address": {"subnet-id": 255, "interface-id": "::00a"}})

    assert interface(home(own))["ietf-ip:ipv6"]["tasuki-address:delegated-address"] == [
        {"lease": "wan0", "subnet-id": 255, "interface-id": "::a", "prefix-length": 128}
    ]


def test_leases_of_networkd_are_declared_all_the_same() -> None:
    tree = home({**delegating(), "lease-source": "networkd"})

    assert interface(tree)["tasuki-dhcp-client:dhcp-client"] == {"lease-source": "networkd", "ipv6": {}}


def test_a_leased_address_brings_a_default_route_by_the_router_of_the_lease() -> None:
    tree = home(leased(metric=9, **{"host-name": "home"}))

    assert interface(tree)["ietf-ip:ipv4"] == {"tasuki-address:leased-address": {}}
    assert interface(tree)["tasuki-dhcp-client:dhcp-client"] == {"ipv4": {"host-name": "home"}}
    assert routes(tree, "wan-wan0", "ipv4") == [
        {
            "destination-prefix": "0.0.0.0/0",
            "next-hop": {"tasuki-route:router-of-lease": "wan0"},
            "tasuki-route:metric": 9,
        }
    ]


def test_a_leased_default_route_can_be_left_out() -> None:
    assert "ietf-routing:routing" not in home(leased(**{"default-route": False}))


@pytest.mark.parametrize(
    ("family", "address", "gateway", "anywhere"),
    [
        ("ipv4", "192.0.2.2", "192.0.2.1", "0.0.0.0/0"),
        ("ipv6", "2001:DB8::2", "2001:db8::1", "::/0"),
        ("ipv6", "2001:DB8::2", "fe80::1", "::/0"),
    ],
)
def test_what_is_typed_is_what_the_router_has(family: str, address: str, gateway: str, anywhere: str) -> None:
    length = 24 if family == "ipv4" else 64
    tree = home(typed(family, address, length, gateway))

    assert interface(tree)[f"ietf-ip:{family}"] == {
        "address": [{"ip": address.lower(), "prefix-length": length}]
    }
    assert routes(tree, "wan-wan0", family) == [
        {
            "destination-prefix": anywhere,
            "next-hop": {"outgoing-interface": "wan0", "next-hop-address": gateway},
        }
    ]


def test_an_access_of_which_nothing_is_said_changes_nothing() -> None:
    assert home(wan(ipv6={}, ipv4={})) == {}


def test_an_access_alone_forwards_nothing() -> None:
    assert "tasuki-sysctl:forwarding" not in home(delegating()).get("ietf-routing:routing", {})


def test_an_interface_keeps_the_type_that_was_written_for_it() -> None:
    ethernet = {"name": "wan0", "type": "iana-if-type:ethernetCsmacd"}
    tree = home(wan(), written={"ietf-interfaces:interfaces": {"interface": [ethernet]}})

    assert interface(tree)["type"] == "iana-if-type:ethernetCsmacd"


def test_tunnels_share_the_line_with_the_access() -> None:
    place = {"subnet-id": 255, "interface-id": "::2"}
    tree = home(
        delegating(**{"own-address": place}),
        ds_lites=[ds_lite(underlay={"interface": "wan0", "delegated-address": place})],
        site_links=[site_link(a=side("home", "192.168.1.0/24", **{"delegated-address": place}))],
        splits=[split(subscriber(1, underlay={"interface": "wan0", "global-address": [None]}), hub=HUB)],
    )

    assert interface(tree)["ietf-ip:ipv6"] == {
        "tasuki-address:delegated-address": [{"lease": "wan0", **place, "prefix-length": 128}],
        "tasuki-sysctl:accept-router-advertisements": "always",
    }


HUB = {"router": "vps", "underlay": {"interface": "eth0", "ipv6-address": "2001:db8:f::1"}}


@pytest.mark.parametrize(
    ("family", "address", "length"),
    [
        ("ipv4", "192.0.2.0", 24),
        ("ipv4", "192.0.2.255", 24),
        ("ipv4", "127.0.0.1", 8),
        ("ipv4", "224.0.0.1", 24),
        ("ipv4", "0.0.0.0", 24),
        ("ipv6", "2001:db8::", 64),
    ],
)
def test_a_typed_address_is_one_of_a_host(family: str, address: str, length: int) -> None:
    problem = the_problem(typed(family, address, length))

    assert (problem.error_path, problem.error_app_tag) == (
        f"{WAN0}/{family}/static/address",
        "address-not-a-host",
    )


@pytest.mark.parametrize(
    ("family", "address", "length"),
    [("ipv4", "192.0.2.0", 31), ("ipv4", "192.0.2.0", 32), ("ipv6", "2001:db8::", 127)],
)
def test_the_shortest_subnets_have_no_address_for_themselves(family: str, address: str, length: int) -> None:
    assert problems(services(wans=[typed(family, address, length)])) == ()


@pytest.mark.parametrize(
    ("family", "address", "length", "gateway", "app_tag"),
    [
        ("ipv4", "192.0.2.2", 24, "198.51.100.1", "gateway-not-on-link"),
        ("ipv4", "192.0.2.2", 32, "192.0.2.1", "gateway-not-on-link"),
        ("ipv4", "192.0.2.2", 24, "192.0.2.255", "gateway-not-on-link"),
        ("ipv4", "192.0.2.2", 24, "192.0.2.2", "gateway-is-router"),
        ("ipv6", "2001:db8::2", 64, "2001:db8:0:1::1", "gateway-not-on-link"),
        ("ipv6", "2001:db8::2", 64, "ff02::2", "gateway-not-on-link"),
        ("ipv6", "2001:db8::2", 64, "2001:DB8::2", "gateway-is-router"),
    ],
)
def test_a_gateway_is_another_host_of_the_line(
    family: str, address: str, length: int, gateway: str, app_tag: str
) -> None:
    problem = the_problem(typed(family, address, length, gateway))

    assert (problem.error_path, problem.error_app_tag) == (f"{WAN0}/{family}/static/gateway", app_tag)
    assert gateway.lower() in problem.message


@pytest.mark.parametrize(
    ("others", "holder"),
    [
        ({"ds_lites": [ds_lite(underlay={"interface": "wan1"})]}, "ds-lite line"),
        ({"wans": [leased("wan0"), leased("wan1")]}, "wan wan0"),
    ],
)
def test_ipv4_has_one_default_route_of_a_metric(others: Json, holder: str) -> None:
    (problem,) = problems(services(**{"wans": [leased("wan1")], **others}))

    assert (problem.error_path, problem.error_app_tag) == (
        f"{WAN1}/ipv4/default-route-metric",
        "default-route-not-unique",
    )
    assert holder in problem.message
    assert "default-route to false" in problem.message


def test_ipv4_has_default_routes_that_stand_by() -> None:
    lines = [leased("wan0", metric=1), leased("wan1", metric=2), leased("wan2", **{"default-route": False})]

    assert problems(services(wans=lines, ds_lites=[ds_lite(underlay={"interface": "wan0"})])) == ()


def test_a_metric_that_is_none_is_not_taken_for_the_default() -> None:
    lines = [leased("wan0"), leased("wan1", metric=-1)]

    assert [problem.error_path for problem in problems(services(wans=lines))] == [
        f"{WAN1}/ipv4/default-route-metric"
    ]


def test_ipv6_has_one_typed_default_route() -> None:
    second = {**typed("ipv6", "2001:db8:1::2", 64, "2001:db8:1::1"), "interface": "wan1"}
    problem = the_problem(typed("ipv6", "2001:db8::2", 64, "2001:db8::1"), second)

    assert (problem.error_path, problem.error_app_tag) == (
        f"{WAN1}/ipv6/static/gateway",
        "default-route-not-unique",
    )


def test_a_split_that_is_the_default_gateway_is_told_apart_by_its_metric() -> None:
    line = typed("ipv6", "2001:db8::2", 64, "2001:db8::1")
    by = {"interface": "wan0", "address": "10.1.2.1"}
    same = split(subscriber(1, "home", underlay=by, **{"default-route-metric": 1024}))

    assert problems(services(wans=[line], splits=[split(subscriber(1, underlay=by))])) == ()
    assert the_problem(line, splits=[same]).error_app_tag == "default-route-not-unique"


@pytest.mark.parametrize(
    ("name", "made"),
    [("tun1", {"site_links": [site_link()]}), ("vxlan01", {"splits": [split(subscriber(1))]})],
)
def test_a_tunnel_is_no_access(name: str, made: Json) -> None:
    (problem,) = problems(services(wans=[wan("home", name)], **made))

    assert problem.error_app_tag == "interface-role-clash"
    assert problem.error_path.endswith(f"wan[router='home'][interface='{name}']/interface")
    assert "is the tunnel of" in problem.message


@pytest.mark.parametrize("name", ["wan*", "a,b", "-w", '"'])
def test_an_access_has_a_name_that_daemons_can_be_told(name: str) -> None:
    assert "letters, digits, dots" in the_problem(wan("home", name)).message


def test_what_is_not_there_yet_spoils_nothing_else() -> None:
    without = wan(ipv4={"static": {"address": "192.0.2.2"}}, ipv6={"prefix-delegation": {}})
    problem = the_problem(without)

    assert problem.error_path == f"{WAN0}/ipv4/static/prefix-length"
    assert "missing" in problem.message


def test_all_problems_are_reported_at_once() -> None:
    bad = wan(
        ipv4={"static": {"address": "192.0.2.2", "prefix-length": 24, "gateway": "198.51.100.1"}},
        ipv6={"prefix-delegation": {"prefix-hint": 20, "request-option": [1]}},
    )

    assert {problem.error_path for problem in problems(services(wans=[bad | {"router": "hoem"}]))} == {
        f"{WAN0.replace('home', 'hoem')}/{leaf}"
        for leaf in (
            "router",
            "ipv4/static/gateway",
            "ipv6/prefix-delegation/prefix-hint",
            "ipv6/prefix-delegation/request-option[1]",
        )
    }


@given(document=homes())
def test_valid_lines_and_lans_are_accepted(document: Json) -> None:
    assert problems(document) == ()
