"""DHCP clients: what the router tree has them ask for, in dhcpcd's words, and which facts they bring."""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tasuki_agent.daemon import Daemon
from tasuki_agent.kind import Ref
from tasuki_agent.kinds.dhcp_client import model
from tasuki_agent.kinds.dhcp_client.dhcpcd import CONFIGURATION, DUID_INTERFACE
from tasuki_agent.kinds.dhcp_client.model import IPV4, IPV6, Client, ClientKey, Networkd
from tasuki_agent.kinds.link.model import UpLink
from tasuki_agent.known import Known
from tasuki_yang.facts import NOUNS
from tasuki_yang.router import Router
from tasuki_yang.tree import Tree
from tasuki_yang.validator import router_validator, validate

RENDERED = Path(__file__).parent / "rendered"
NGN: Tree = {
    "prefix-hint": 56,
    "vendor-class": [{"enterprise-number": 210, "octets": "00:10:DB:22:0a:ff"}],
}
OPTION = "(1[0-9]|[2-9][0-9]?|1[0-4][0-9])"
LINE = re.compile(
    r"# [ -~]+|noconfigure|persistent|nodev|vendorclassid"
    r"|ipv6only|noipv6rs|inform6|iaid \d+|ia_pd \d+(/::/\d\d)?"
    rf"|define6 17 index binhex vendor_options|define6 {OPTION} binhex option_{OPTION}|option dhcp6_{OPTION}"
    r'|vendclass \d+ "(\\x[0-9a-f]{2})+"'
    r"|ipv4only|noipv4ll|noarp|option [a-z_]+|fqdn disable|hostname [a-zA-Z0-9-]+"
)


def tree_of(asked: Tree) -> Tree:
    interface = {"name": "wan0", "type": "iana-if-type:other", "tasuki-dhcp-client:dhcp-client": asked}
    return {"ietf-interfaces:interfaces": {"interface": [interface]}}


def want(asked: Tree, known: Known | None = None) -> Mapping[ClientKey, Client]:
    return model.want(Router.model_validate_json(json.dumps(tree_of(asked))), known or Known())


def files(asked: Tree) -> Mapping[str, str]:
    """Of the only client."""
    (client,) = want(asked).values()
    assert isinstance(client, Daemon)
    return client.files


@pytest.mark.parametrize(
    ("golden", "asked"),
    [
        ("dhcpcd-ngn.conf", {"ipv6": NGN}),
        ("dhcpcd-information.conf", {"ipv6": {"request": "information", "request-option": [23, 88, 103]}}),
        ("dhcpcd-ipv4.conf", {"ipv4": {"host-name": "router-1"}}),
    ],
)
def test_a_client_is_told_what_the_tree_asks_for(golden: str, asked: Tree) -> None:
    assert files(asked)[CONFIGURATION] == (RENDERED / golden).read_text()


def test_each_version_of_ip_has_a_client_of_its_own() -> None:
    wanted = want({"ipv6": {}, "ipv4": {"host-name": "router-1"}})
    assert wanted == {**want({"ipv6": {}}), **want({"ipv4": {"host-name": "router-1"}})}
    assert [str(key) for key in wanted] == ["wan0 ipv6", "wan0 ipv4"]


@pytest.mark.parametrize("source", ["agent", "networkd"])
def test_nothing_is_asked_of_a_version_that_the_tree_does_not_name(source: str) -> None:
    assert want({"lease-source": source}) == {}


def test_where_networkd_has_the_leases_no_client_is_run() -> None:
    wanted = want({"lease-source": "networkd", "ipv6": NGN, "ipv4": {}})
    assert wanted == {ClientKey("wan0", IPV6): Networkd(), ClientKey("wan0", IPV4): Networkd()}


@pytest.mark.parametrize(
    ("asked", "named", "needed"),
    [
        ({"ipv6": {}}, "wan0", []),
        ({"ipv6": {"duid-interface": "wan0"}}, "wan0", []),
        ({"ipv6": {"duid-interface": "lan0"}}, "lan0", [Ref("link", "lan0")]),
    ],
)
def test_a_client_needs_its_interface_up_and_the_one_that_its_duid_is_made_of(
    asked: Tree, named: str, needed: list[Ref]
) -> None:
    ((key, client),) = want(asked).items()
    assert files(asked)[DUID_INTERFACE] == f"{named}\n"
    assert list(model.needs(key, client)) == [UpLink("link", "wan0"), *needed]


def test_another_duid_takes_a_restart() -> None:
    (one, other) = (
        client for name in ("wan0", "lan0") for client in want({"ipv6": {"duid-interface": name}}).values()
    )
    assert isinstance(one, Daemon)
    assert isinstance(other, Daemon)
    assert one.digest != other.digest


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"ipv6": {}}, {"delegated-prefix", "former-prefixes", "aftr-name", "vendor-options", "dns-servers"}),
        (
            {"ipv6": {"request": "information"}},
            {"aftr-name", "sip-servers", "search-domains", "sntp-servers"},
        ),
        ({"ipv4": {}}, {"ipv4-address", "ipv4-routers", "dns-servers", "sntp-servers", "search-domains"}),
    ],
)
@pytest.mark.parametrize("source", ["agent", "networkd"])
def test_whatever_a_lease_may_tell_is_looked_out_for(asked: Tree, told: set[str], source: str) -> None:
    known = Known()
    want({**asked, "lease-source": source}, known)
    noted = {key.noun for key in known.noted if key.subject == "wan0"}
    assert told <= noted <= set(NOUNS)
    assert ("delegated-prefix" in noted) == ("delegated-prefix" in told)
    assert not known.asked


def test_what_is_shown_of_a_client_is_what_it_asks_for_while_it_does() -> None:
    ((key, client),) = want({"ipv6": NGN}).items()
    assert isinstance(client, Daemon)
    (shown,) = model.tree(key, client)["ietf-interfaces:interfaces"]["interface"]
    assert shown["tasuki-dhcp-client:dhcp-client"] == {"ipv6": NGN}
    assert model.tree(key, replace(client, health="it does not run")) == {}
    assert model.tree(key, Daemon({**client.files, CONFIGURATION: "changed"})) == {}


def test_a_difference_stands_where_the_tree_has_it() -> None:
    node = "/ietf-interfaces:interfaces/interface[name='wan0']/tasuki-dhcp-client:dhcp-client"
    assert model.path(ClientKey("wan0", IPV4), CONFIGURATION) == f"{node}/ipv4"
    assert model.path(ClientKey("wan0", IPV6), DUID_INTERFACE) == f"{node}/ipv6/duid-interface"


@given(
    asked=st.fixed_dictionaries(
        {
            "request": st.sampled_from(["prefix", "information"]),
            "iaid": st.integers(0, (1 << 32) - 1),
        },
        optional={
            "prefix-hint": st.integers(32, 64),
            "request-option": st.lists(
                st.sampled_from([17, 21, 22, 23, 24, 31, 56, 64, 82, 88, 94, 95, 96, 103, 143]),
                min_size=1,
                unique=True,
            ),
            "vendor-class": st.lists(
                st.fixed_dictionaries(
                    {
                        "enterprise-number": st.integers(1, (1 << 32) - 1),
                        "octets": st.binary(min_size=1, max_size=255).map(lambda octets: octets.hex(":")),
                    }
                ),
                max_size=1,
            ),
        },
    ),
    host_name=st.from_regex(r"[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?", fullmatch=True),
)
def test_whatever_is_asked_no_line_is_there_that_was_not_meant(asked: Tree, host_name: str) -> None:
    tree = {"ipv6": asked, "ipv4": {"host-name": host_name}}
    assert validate(router_validator(), tree_of(tree)) == []
    for client in want(tree).values():
        assert isinstance(client, Daemon)
        for line in client.files[CONFIGURATION].splitlines():
            assert LINE.fullmatch(line), line


@pytest.mark.parametrize(
    "asked",
    [
        {"ipv6": {"request-option": [1]}},
        {"ipv6": {"request-option": [65536]}},
        {"ipv6": {"prefix-hint": 65}},
        {"ipv6": {"iaid": 1 << 32}},
        {"ipv6": {"duid-interface": "two words"}},
        {"ipv6": {"vendor-class": [{"enterprise-number": 0, "octets": "00"}]}},
        {"ipv6": {"vendor-class": [{"enterprise-number": 210, "octets": '00"\nrelease'}]}},
        {"ipv6": {"vendor-class": [{"enterprise-number": n, "octets": "00"} for n in (1, 2)]}},
        {"ipv4": {"host-name": "router 1"}},
        {"ipv4": {"host-name": "router\nrelease"}},
        {"lease-source": "dhclient"},
    ],
)
def test_what_no_client_can_ask_for_is_refused(asked: Tree) -> None:
    assert validate(router_validator(), tree_of(asked)) != []


@pytest.mark.parametrize("name", ["wan*", "wan?", "wan[0]", "wan\\0", "wan#0"])
def test_a_name_that_dhcpcd_does_not_take_for_one_is_refused(name: str) -> None:
    tree = tree_of({"ipv6": {}})
    tree["ietf-interfaces:interfaces"]["interface"][0]["name"] = name
    (error,) = validate(router_validator(), tree)
    assert "give this one another name" in error.message
