"""dnsmasq: what the router tree has it serve, in its words."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tasuki_agent.daemon import Daemon
from tasuki_agent.kinds.dnsmasq import model
from tasuki_agent.kinds.dnsmasq.health import ASK_AGAIN_SECONDS, ASK_SECONDS, PATIENCE, Health
from tasuki_agent.kinds.dnsmasq.model import ServerKey
from tasuki_agent.kinds.dnsmasq.section import CONFIGURATION, HOSTS, RESERVATIONS, SERVERS
from tasuki_agent.known import Known
from tasuki_yang.facts import FactKey
from tasuki_yang.router import Router
from tasuki_yang.tree import Tree
from tasuki_yang.validator import router_validator, validate

RENDERED = Path(__file__).parent / "rendered"
RA = "ietf-ipv6-unicast-routing:ipv6-router-advertisements"
DHCP = "tasuki-dnsmasq:dhcp-server"
FORWARDER = "tasuki-dnsmasq:dns-forwarder"
RANGE: Tree = {"range": {"start": "192.168.2.20", "end": "192.168.2.99"}}


def lan(
    ipv4: Tree | None = None, advertised: Tree | None = None, ipv6: Tree | None = None, name: str = "lan0"
) -> Tree:
    """An interface whose hosts get this."""
    node: Tree = {"name": name, "type": "iana-if-type:other"}
    if ipv4 is not None:
        node["ietf-ip:ipv4"] = {DHCP: ipv4}
    if advertised is not None:
        node["ietf-ip:ipv6"] = {
            RA: {"send-advertisements": True, **advertised},
            **({DHCP: ipv6} if ipv6 else {}),
        }
    return node


def tree(*lans: Tree, forwarder: Tree | None = None) -> Tree:
    interfaces = {"ietf-interfaces:interfaces": {"interface": list(lans)}}
    return (
        interfaces if forwarder is None else {**interfaces, FORWARDER: {"interface": ["lan0"], **forwarder}}
    )


ARTICLE_001 = tree(
    lan(
        {
            "range": {"start": "192.168.1.200", "end": "192.168.1.250"},
            "router": ["192.168.1.10"],
            "dns-server": ["192.168.1.10"],
            "ntp-server": ["192.168.1.10"],
            "search-domain": ["home.example"],
        },
        {"other-config-flag": True},
    ),
    forwarder={"server": ["192.168.0.1"], "domain": "home.example"},
)
ARTICLE_004 = tree(
    lan({**RANGE, "lease-time": 600, "router": ["192.168.2.1"], "dns-server": ["192.168.1.1"]})
)
OFFICE = tree(
    lan(
        {
            **RANGE,
            "domain": "lab.example",
            "reservation": [
                {"mac-address": "02:00:00:00:00:0b", "address": "192.168.2.11"},
                {"mac-address": "02:00:00:00:00:0A", "address": "192.168.2.10", "host-name": "ignore"},
            ],
            "option": [
                {"code": 150, "address": ["192.168.2.8", "192.168.2.9"]},
                {"code": 66, "text": "tftp, #1"},
                {"code": 43, "octets": "01:04:C0"},
                {"code": 60, "text": "7"},
            ],
        },
        {
            "managed-flag": True,
            "link-mtu": 1460,
            "max-rtr-adv-interval": 60,
            "default-lifetime": 0,
            "tasuki-dnsmasq:preference": "low",
            "tasuki-dnsmasq:dns-server": ["2001:db8::53", "fd00:1::53"],
            "tasuki-dnsmasq:search-domain": ["lab.example", "home.example"],
        },
        {"start": "::2000", "end": "::1000", "lease-time": 7200},
    ),
    lan(None, {}, name="guest0"),
    forwarder={
        "interface": ["lan0", "guest0"],
        "servers-of-lease": "wan0",
        "zone": [
            {"domain": "test.example"},
            {"domain": "corp.example", "server": ["2001:db8:c::53", "10.1.0.53"]},
            {"domain": "1.10.in-addr.arpa", "server": ["10.1.0.53"]},
        ],
        "host": [{"name": "nas.home.example", "address": ["192.168.2.10", "2001:db8:1::10"]}],
        "domain": "home.example",
        "cache-size": 0,
    },
)
SERVERS_OF_LEASE = {FactKey("wan0", "dns-servers"): ("2001:db8:53::53", "fe80::53", "192.0.2.53")}


def want(intent: Tree, known: Known | None = None) -> tuple[ServerKey, Daemon]:
    """The server that is asked for."""
    ((key, server),) = model.want(Router.model_validate_json(json.dumps(intent)), known or Known()).items()
    return key, server


def lines(intent: Tree, name: str = CONFIGURATION, known: Known | None = None) -> list[str]:
    """What is in a file, without comments."""
    return [line for line in want(intent, known)[1].files[name].splitlines() if line and line[0] != "#"]


def refusals(intent: Tree) -> set[tuple[str, str]]:
    """Where and why the controller would not take the tree."""
    return {
        (error.error_path.rpartition("/")[2], error.error_app_tag)
        for error in validate(router_validator(), intent)
    }


@pytest.mark.parametrize(
    ("golden", "intent"),
    [("article-001", ARTICLE_001), ("article-004", ARTICLE_004), ("office", OFFICE)],
)
def test_set_ups_are_rendered_as_they_were(golden: str, intent: Tree) -> None:
    assert validate(router_validator(), intent) == []
    _, server = want(intent, Known(SERVERS_OF_LEASE))
    rendered = "\n".join(f"==> {name} <==\n{text}" for name, text in server.files.items())
    assert rendered == (RENDERED / f"dnsmasq-{golden}.txt").read_text()


def test_nothing_is_wanted_where_nobody_is_served() -> None:
    quiet = lan(None, {"send-advertisements": False})
    assert model.want(Router.model_validate(tree(quiet)), Known()) == {}


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        (SERVERS, {"server": ["192.0.2.54"]}),
        (SERVERS, {"zone": [{"domain": "corp.example", "server": ["10.0.0.1"]}]}),
        (HOSTS, {"host": [{"name": "nas.example", "address": ["192.168.2.2"]}]}),
    ],
)
def test_what_the_forwarder_asks_and_knows_changes_without_a_restart(name: str, changed: Tree) -> None:
    _, before = want(tree(lan(RANGE), forwarder={}))
    _, after = want(tree(lan(RANGE), forwarder=changed))
    assert set(after.differences(before)) == {name}
    assert after.digest == before.digest


def test_a_reservation_changes_without_a_restart() -> None:
    reservation = {"mac-address": "02:00:00:00:00:01", "address": "192.168.2.5"}
    _, before = want(tree(lan(RANGE)))
    _, after = want(tree(lan({**RANGE, "reservation": [reservation]})))
    assert set(after.differences(before)) == {RESERVATIONS}
    assert after.digest == before.digest


def test_without_a_forwarder_nobody_is_sent_here_for_names() -> None:
    served = tree(lan(RANGE, {"other-config-flag": True}))
    assert "port=0" in lines(served)
    assert not [line for line in lines(served) if "dns-server" in line or "listen" in line]
    assert set(want(served)[1].files) == {CONFIGURATION, RESERVATIONS}


def test_the_loopback_is_left_to_others_unless_it_is_asked_for() -> None:
    assert "except-interface=lo" in lines(tree(forwarder={}))
    asked = lines(tree(forwarder={"interface": ["lan0", "lo"]}))
    assert "interface=lo" in asked
    assert "except-interface=lo" not in asked


@pytest.mark.parametrize(
    ("advertised", "ipv6", "expected"),
    [
        ({}, None, "::,constructor:lan0,ra-only,64,5400"),
        ({"other-config-flag": True}, None, "::,constructor:lan0,ra-stateless,64,5400"),
        (
            {"managed-flag": True},
            {"start": "::a", "end": "::f"},
            "::a,::f,constructor:lan0,slaac,64,3600",
        ),
    ],
)
def test_hosts_make_addresses_themselves_and_ask_for_what_they_shall_ask(
    advertised: Tree, ipv6: Tree | None, expected: str
) -> None:
    assert f"dhcp-range=set:lan0/ipv6,{expected}" in lines(tree(lan(None, advertised, ipv6)))


def test_a_range_that_is_written_backwards_is_the_same_range() -> None:
    backwards = {"range": {"start": "192.168.2.99", "end": "192.168.2.20"}}
    assert lines(tree(lan(backwards))) == lines(tree(lan(RANGE)))


@pytest.mark.parametrize("name", ["ignore", "infinite", "45", "45m", "12h", "7-1"])
def test_no_name_of_a_host_is_a_word_of_dnsmasqs(name: str) -> None:
    host = {"mac-address": "02:00:00:00:00:01", "address": "192.168.2.5", "host-name": name}
    assert lines(tree(lan({**RANGE, "reservation": [host]})), RESERVATIONS) == [
        f"02:00:00:00:00:01,192.168.2.5,{name}."
    ]


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        ({"code": 224, "text": "1,2"}, "224,31:2c:32"),
        ({"code": 224, "text": "9"}, "224,57b"),
        ({"code": 26, "octets": "05:dc"}, "26,05:dc"),
        ({"code": 23, "octets": "40"}, "23,64b"),
        ({"code": 67, "text": "boot 1,2"}, '67,"boot 1,2"'),
        ({"code": 7, "address": ["192.0.2.1", "192.0.2.2"]}, "7,192.0.2.1,192.0.2.2"),
    ],
)
def test_an_option_has_the_bytes_that_were_written(option: Tree, expected: str) -> None:
    served = tree(lan({**RANGE, "option": [option]}))
    assert validate(router_validator(), served) == []
    assert f"dhcp-option=tag:lan0/ipv4,{expected}" in lines(served)


def test_servers_of_a_lease_may_be_none_and_nothing_waits() -> None:
    following = tree(forwarder={"servers-of-lease": "wan0"})
    known = Known()
    assert lines(following, SERVERS, known) == []
    assert known.noted == {FactKey("wan0", "dns-servers")}
    assert lines(following, SERVERS, Known(SERVERS_OF_LEASE)) == [
        "server=192.0.2.53",
        "server=2001:db8:53::53",
        "server=fe80::53%wan0",
    ]


@pytest.mark.parametrize("zone", ["home.example", "Home.Example"])
def test_a_domain_of_the_hosts_that_others_know_too_is_asked_there(zone: str) -> None:
    forwarder = {"domain": "home.example", "zone": [{"domain": zone, "server": ["10.0.0.1"]}]}
    assert lines(tree(forwarder=forwarder), SERVERS) == [f"server=/{zone}/10.0.0.1"]


@given(st.permutations(range(3)), st.permutations(range(2)))
def test_the_order_of_entries_that_have_none_changes_nothing(zones: list[int], others: list[int]) -> None:
    office = json.loads(json.dumps(OFFICE))
    interfaces = office["ietf-interfaces:interfaces"]["interface"]
    reservations = interfaces[0]["ietf-ip:ipv4"][DHCP]["reservation"]
    office["ietf-interfaces:interfaces"]["interface"] = [interfaces[n] for n in others]
    interfaces[0]["ietf-ip:ipv4"][DHCP]["reservation"] = [reservations[n] for n in others]
    office[FORWARDER]["zone"] = [office[FORWARDER]["zone"][n] for n in zones]
    assert want(office) == want(OFFICE)


@pytest.mark.parametrize(
    ("intent", "path"),
    [(OFFICE, f"/{FORWARDER}"), (ARTICLE_004, "/ietf-interfaces:interfaces")],
)
def test_the_server_stands_where_the_tree_has_what_it_serves(intent: Tree, path: str) -> None:
    key, _ = want(intent)
    assert model.path(key) == model.path(key, SERVERS) == path


def test_what_is_changed_by_hand_is_not_shown_as_served() -> None:
    key, server = want(OFFICE)
    for name, place in ((RESERVATIONS, "ietf-ip:ipv4"), (SERVERS, FORWARDER), (HOSTS, FORWARDER)):
        shown = model.tree(key, replace(server, files={**server.files, name: ""}))
        assert f"'{place}'" not in str(shown)
        assert f"'{RA}'" in str(shown)
    assert model.tree(key, replace(server, health="it does not run")) == {}


def test_it_counts_as_silent_after_three_questions_and_not_before() -> None:
    health = Health()
    for unanswered in range(PATIENCE):
        health.unanswered = unanswered
        assert health.verdict == ""
        assert health.rest_seconds == (ASK_AGAIN_SECONDS if unanswered else ASK_SECONDS)
    health.unanswered = PATIENCE
    assert "does not answer" in health.verdict
    assert health.rest_seconds == ASK_SECONDS


@pytest.mark.parametrize(
    ("intent", "refusal"),
    [
        (tree(lan(RANGE, name="lan,0")), (DHCP, "interface-name-not-plain")),
        (tree(lan(None, {}, name="lan*")), ("send-advertisements", "interface-name-not-plain")),
        (tree(forwarder={"interface": ["a\\b"]}), ("interface[1]", "interface-name-not-plain")),
        (tree(forwarder={"servers-of-lease": "a#b"}), ("servers-of-lease", "interface-name-not-plain")),
        (tree(forwarder={"interface": []}), (FORWARDER, "interface-missing")),
        (tree(lan(RANGE, name="lan1"), forwarder={}), (FORWARDER, "served-interface-missing")),
        (tree(lan(None, {}, name="lan1"), forwarder={}), (FORWARDER, "served-interface-missing")),
        (tree(lan(None, {"managed-flag": True})), ("managed-flag", "dhcp-server-required")),
        (tree(lan(None, {}, {"start": "::1", "end": "::2"})), (DHCP, "managed-flag-required")),
        (tree(lan(None, {"link-mtu": 1279})), ("link-mtu", "not-an-mtu")),
        (tree(lan(None, {"max-rtr-adv-interval": 1801})), ("max-rtr-adv-interval", "too-rarely")),
        (tree(lan(None, {"default-lifetime": 599})), ("default-lifetime", "not-a-router-lifetime")),
        (tree(lan(None, {"default-lifetime": 9001})), ("default-lifetime", "not-a-router-lifetime")),
        (tree(forwarder={"host": [{"name": "a.example"}]}), ("host[name='a.example']", "address-missing")),
    ],
)
def test_what_dnsmasq_cannot_serve_is_refused_where_it_is_written(
    intent: Tree, refusal: tuple[str, str]
) -> None:
    assert refusal in refusals(intent)


@pytest.mark.parametrize("server", ["0.0.0.0", "224.0.0.1", "::", "fe80::1", "ff02::1"])
def test_only_what_can_be_asked_is_a_name_server(server: str) -> None:
    (refusal,) = refusals(tree(forwarder={"server": [server]}))
    assert refusal[1] == "not-a-name-server"


@pytest.mark.parametrize(
    ("option", "why"),
    [
        ({"code": 7, "text": "192.0.2.1"}, "not-addresses"),
        ({"code": 150, "octets": "c0:00:02:01"}, "not-addresses"),
        ({"code": 66, "address": ["192.0.2.1"]}, "not-a-text"),
        ({"code": 17, "octets": "2f"}, "not-a-text"),
        ({"code": 224, "text": 'a",b'}, "not-plain-text"),
        ({"code": 224, "text": "a\nport=5353"}, "not-plain-text"),
        ({"code": 224, "octets": "0a0b"}, "not-octets"),
    ],
)
def test_a_value_that_an_option_cannot_have_is_refused(option: Tree, why: str) -> None:
    (refusal,) = refusals(tree(lan({**RANGE, "option": [option]})))
    assert refusal[1] == why


@pytest.mark.parametrize("code", [1, 3, 6, 12, 15, 28, 42, 53, 61, 82, 119, 255])
def test_an_option_that_follows_from_the_rest_is_refused(code: int) -> None:
    assert refusals(tree(lan({**RANGE, "option": [{"code": code, "text": "x"}]})))


def test_an_address_is_reserved_for_one_host_only() -> None:
    one, other = (
        {**RANGE, "reservation": [{"mac-address": f"02:00:00:00:00:0{n}", "address": "192.168.2.5"}]}
        for n in (1, 2)
    )
    both = {**RANGE, "reservation": [*one["reservation"], *other["reservation"]]}
    assert refusals(tree(lan(both)))
    assert (DHCP, "reserved-twice") in refusals(tree(lan(one), lan(other, name="lan1")))


@pytest.mark.parametrize(("digits", "fit"), [("0", True), ("000", False)])
def test_search_domains_fit_into_one_option(digits: str, *, fit: bool) -> None:
    domains = [f"{'a' * 55}.{digits}{n}" for n in range(4)]
    whys = [why for _, why in refusals(tree(lan({**RANGE, "search-domain": domains})))]
    assert whys == ([] if fit else ["search-domains-too-long"])
