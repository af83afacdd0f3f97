"""Names and their resolvers are what a router can ask, to both validators; people are told in words."""

from typing import Any

import pytest
from tasuki_yang.errors import ConfigError
from tasuki_yang.schema import NETWORK, ROUTER
from tasuki_yang.validator import Validator, network_validator, router_validator, validate
from tasuki_yang.validator.yangson import YangsonValidator

LINE = "/tasuki-network:network/tasuki-ds-lite:ds-lite[name='line']"
TUNNEL = "/ietf-interfaces:interfaces/interface[name='tun1']/tasuki-link:ip6tnl"
NETWORKS: list[Validator] = [network_validator(), YangsonValidator(NETWORK)]
ROUTERS: list[Validator] = [router_validator(), YangsonValidator(ROUTER)]
BY_LIBYANG_AND_YANGSON = ["libyang", "yangson"]

AskedOf = dict[str, Any]


def line(aftr: AskedOf) -> AskedOf:
    ds_lite = {"name": "line", "router": "home", "underlay": {"interface": "wan0"}, "aftr-name": aftr}
    return {"tasuki-network:network": {"router": [{"name": "home"}], "tasuki-ds-lite:ds-lite": [ds_lite]}}


def tunnel(remote: AskedOf) -> AskedOf:
    ip6tnl = {"local": "2001:db8::1", "remote-name": remote}
    interface = {"name": "tun1", "type": "tasuki-link:ip6tnl", "tasuki-link:ip6tnl": ip6tnl}
    return {"ietf-interfaces:interfaces": {"interface": [interface]}}


def asked_of(*resolvers: str) -> AskedOf:
    return {"name": "gw.example.net", "resolver": list(resolvers)}


def named(name: str) -> tuple[ConfigError, ...]:
    return tuple(validate(network_validator(), line({"name": name})))


@pytest.mark.parametrize("validator", NETWORKS, ids=BY_LIBYANG_AND_YANGSON)
@pytest.mark.parametrize(
    "server",
    [
        "127.0.0.53",
        "::1",
        "192.0.2.53",
        "10.0.0.1",
        "169.254.169.253",
        "223.255.255.1",
        "2001:db8::53",
        "2404:1a8:7f01:a::3",
        "fd00::53",
        "fec0::53",
    ],
)
def test_a_server_that_can_be_asked_is_a_resolver(server: str, validator: Validator) -> None:
    assert validate(validator, line(asked_of(server))) == []


@pytest.mark.parametrize("validator", NETWORKS, ids=BY_LIBYANG_AND_YANGSON)
@pytest.mark.parametrize(
    "server",
    [
        "0.0.0.0",
        "0.0.0.1",
        "224.0.0.251",
        "239.255.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "fe80::1",
        "febf::1",
        "ff02::fb",
        "ff0e::1",
    ],
)
def test_an_address_that_nobody_can_ask_is_no_resolver(server: str, validator: Validator) -> None:
    (error,) = validate(validator, line(asked_of(server)))

    assert (error.error_path, error.error_app_tag) == (
        f"{LINE}/aftr-name/resolver[.='{server}']",
        "address-not-unicast",
    )
    assert error.message.startswith("A resolver is a server's unicast address.")


@pytest.mark.parametrize("validator", ROUTERS, ids=BY_LIBYANG_AND_YANGSON)
def test_a_router_asks_no_such_address_either(validator: Validator) -> None:
    assert validate(validator, tunnel(asked_of("::1", "192.0.2.53"))) == []
    (error,) = validate(validator, tunnel(asked_of("::1", "fe80::1")))

    assert error.error_path == f"{TUNNEL}/remote-name/resolver[.='fe80::1']"
    assert error.error_app_tag == "address-not-unicast"


def test_each_useless_resolver_is_named() -> None:
    useless = ("fe80::1", "ff02::fb", "0.0.0.0", "::")
    found = validate(network_validator(), line(asked_of("2001:db8::53", *useless)))

    assert {error.error_path for error in found} == {
        f"{LINE}/aftr-name/resolver[.='{server}']" for server in useless
    }


@pytest.mark.parametrize("name", ["gw.example.net", "gw.example.net.", "a", "_dns.a-b_c.example", "x" * 63])
def test_names_of_the_dns_are_taken(name: str) -> None:
    assert named(name) == ()


@pytest.mark.parametrize(
    "name", ["gw..example", "-gw.example", "gw-.example", "gw example", ".example", "gw.example_", "x" * 64]
)
def test_a_malformed_name_is_refused_in_words(name: str) -> None:
    (error,) = named(name)

    assert (error.error_path, error.error_app_tag) == (f"{LINE}/aftr-name/name", "not-a-name")
    assert "such as gw.example.net" in error.message
    assert "pattern" not in error.message


@pytest.mark.parametrize("name", ["192.0.2.1", ".", "1"])
def test_an_address_is_no_name(name: str) -> None:
    (error,) = named(name)

    assert "write an address as the end itself" in error.message
