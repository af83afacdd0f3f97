"""A DS-Lite line is what RFC 6333 asks of a B4, and mistakes of a line are named."""

from typing import Any

import pytest
from hypothesis import given
from tasuki_controller.compile import compile_running
from tasuki_controller.running import Running
from tasuki_controller.services.ds_lite.presets import presets
from tasuki_controller.transaction import Edit, prepare
from tasuki_yang.errors import ConfigError, InvalidIntent
from tasuki_yang.facts import NOUNS
from tasuki_yang.router import InterfacesInterface, Router
from unit.services.networks import (
    Json,
    ds_lite,
    running,
    services,
    site_link,
    split,
    subscriber,
    tunnelled,
)

LINE = "/tasuki-network:network/tasuki-ds-lite:ds-lite[name='line']"
OTHER = "/tasuki-network:network/tasuki-ds-lite:ds-lite[name='other']"


def home(*lines: Json, **written: Json) -> Router:
    return Router.model_validate(compile_running(running(services(ds_lites=lines), **written))["home"])


def interface(router: Router, name: str) -> InterfacesInterface:
    return next(one for one in router.interfaces.interface if one.name == name)


def problems(document: Json, **routers: Json) -> tuple[ConfigError, ...]:
    try:
        prepare(Running(), Edit(network=document, routers=routers))
    except InvalidIntent as invalid:
        return invalid.errors
    return ()


def the_problem(*lines: Json, **members: Any) -> ConfigError:
    (problem,) = problems(services(ds_lites=lines, **members))
    return problem


def other(**members: Any) -> Json:
    """A second line of the same router that clashes with nothing by itself."""
    apart = {
        "interface": "ip6tnl2",
        "aftr-preset": None,
        "aftr-address": "2001:db8:af::2",
        "default-route-metric": 1,
    }
    return ds_lite("other", **apart | members)


def test_the_tunnel_is_what_an_aftr_expects() -> None:
    tunnel = interface(home(ds_lite()), "ip6tnl1")

    assert tunnel.type == "tasuki-link:ip6tnl"
    assert (tunnel.ip6tnl.mode, tunnel.ip6tnl.encapsulation_limit, tunnel.ip6tnl.hop_limit) == (
        "ipip6",
        "none",
        64,
    )
    assert (tunnel.mtu, tunnel.tcp_mss_clamp) == (1460, "mtu")
    assert tunnel.ip6tnl.underlay == "wan0"
    assert tunnel.ipv4
    assert [(a.ip, a.prefix_length) for a in tunnel.ipv4.address] == [("192.0.0.2", 29)]
    assert tunnel.ipv4.reverse_path_filter == "off"


def test_all_ipv4_goes_through_it() -> None:
    router = home(ds_lite(**{"default-route-metric": 5}))
    (protocol,) = router.routing.control_plane_protocols.control_plane_protocol
    (route,) = protocol.static_routes.ipv4.route

    assert (route.destination_prefix, route.next_hop.outgoing_interface, route.metric) == (
        "0.0.0.0/0",
        "ip6tnl1",
        5,
    )
    assert router.routing.forwarding.ipv4
    assert router.routing.forwarding.ipv6 is None


def test_the_line_keeps_learning_though_the_router_forwards() -> None:
    line = interface(home(ds_lite()), "wan0")

    assert line.type == "iana-if-type:other"
    assert line.ipv6
    assert line.ipv6.accept_router_advertisements == "always"


def test_nothing_is_asked_of_a_line_whose_advertisements_are_not_ours() -> None:
    quiet = ds_lite(underlay={"interface": "wan0", "router-advertisements": "unmanaged"})

    assert [one.name for one in home(quiet).interfaces.interface] == ["ip6tnl1"]


def test_an_end_in_a_delegated_prefix_is_an_address_of_the_line() -> None:
    place = {"delegated-address": {"subnet-id": 255, "interface-id": "::00a"}}
    router = home(ds_lite(underlay={"interface": "wan0", **place}))
    line, tunnel = interface(router, "wan0"), interface(router, "ip6tnl1")

    assert line.ipv6
    (address,) = line.ipv6.delegated_address
    assert (address.lease, address.subnet_id, address.interface_id) == ("wan0", 255, "::a")
    assert address.prefix_length == 128
    assert tunnel.ip6tnl.local_delegated
    assert tunnel.ip6tnl.local_delegated.subnet_id == 255


def test_a_typed_end_stays_what_it_is() -> None:
    fixed = ds_lite(underlay={"interface": "wan0", "address": "2001:DB8::1"})

    assert interface(home(fixed), "ip6tnl1").ip6tnl.local == "2001:db8::1"


@pytest.mark.parametrize(
    ("aftr", "leaf", "value"),
    [
        ({"aftr-address": "2001:DB8:af::1"}, "remote", "2001:db8:af::1"),
        (
            {"aftr-name": {"name": "gw.example.net", "resolver": ["2001:db8::53"]}},
            "remote-name",
            {"name": "gw.example.net", "resolver": ["2001:db8::53"]},
        ),
        ({"aftr-name": {"name": "gw.example.net"}}, "remote-name", {"name": "gw.example.net"}),
        (
            {"aftr-preset": "transix-west"},
            "remote-name",
            {"name": "gw.transix.jp", "resolver": ["2001:a7ff:5f01::a", "2001:a7ff:5f01:1::a"]},
        ),
        ({"aftr-of-lease": [None]}, "remote-aftr", {"interface": "wan0"}),
    ],
)
def test_the_aftr_is_the_routers_to_find(aftr: Json, leaf: str, value: Any) -> None:
    tree = compile_running(running(services(ds_lites=[ds_lite(**{"aftr-preset": None} | aftr)])))["home"]
    tunnel = tree["ietf-interfaces:interfaces"]["interface"][0]["tasuki-link:ip6tnl"]

    assert tunnel[leaf] == value


def test_presets_are_names_and_servers_and_never_addresses_of_aftrs() -> None:
    assert {"transix-east", "transix-west"} <= presets().keys()
    for preset in presets().values():
        NOUNS["aftr-name"].canonical(preset.name)
        assert preset.resolvers
        for resolver in preset.resolvers:
            assert NOUNS["global-address"].canonical(resolver) == resolver


@pytest.mark.parametrize("provider", ["transix", "v6connect", "xpass"])
def test_an_unknown_preset_is_refused_and_the_likely_ones_are_named_first(provider: str) -> None:
    problem = the_problem(ds_lite(**{"aftr-preset": provider}))

    assert (problem.error_path, problem.error_app_tag) == (f"{LINE}/aftr-preset", "preset-unknown")
    assert f"there are {provider}-east, {provider}-west, " in problem.message
    assert all(preset in problem.message for preset in presets())
    assert "aftr-name" in problem.message


@pytest.mark.parametrize(
    ("mtu", "line", "fits"), [(1460, 1500, True), (1461, 1500, False), (1460, 1454, False)]
)
def test_the_tunnel_fits_the_line(*, mtu: int, line: int, fits: bool) -> None:
    found = problems(services(ds_lites=[ds_lite(mtu=mtu, underlay={"interface": "wan0", "mtu": line})]))

    assert [(problem.error_path, problem.error_app_tag) for problem in found] == (
        [] if fits else [(f"{LINE}/mtu", "mtu-too-large")]
    )
    assert fits or f"set mtu to {line - 40}" in found[0].message


def test_a_line_carries_what_the_smallest_tunnel_needs() -> None:
    narrow = ds_lite(underlay={"interface": "wan0", "mtu": 1319})
    problem = the_problem(narrow)

    assert (problem.error_path, problem.error_app_tag) == (f"{LINE}/underlay/mtu", "underlay-mtu-too-small")
    assert "must carry 1320 bytes" in problem.message
    assert problem in problems(services(ds_lites=[narrow | {"mtu": 9000}]))
    assert problem in problems(services(ds_lites=[narrow | {"mtu": "9000"}]))


def test_the_aftr_is_not_the_router_itself() -> None:
    ends = {"underlay": {"interface": "wan0", "address": "2001:db8::1"}, "aftr-address": "2001:DB8::1"}
    problem = the_problem(ds_lite(**{"aftr-preset": None} | ends))

    assert (problem.error_path, problem.error_app_tag) == (f"{LINE}/aftr-address", "underlay-addresses-equal")


def test_the_tunnel_is_not_its_own_line() -> None:
    problem = the_problem(ds_lite(underlay={"interface": "ip6tnl1"}))

    assert (problem.error_path, problem.error_app_tag) == (
        f"{LINE}/underlay/interface",
        "interface-role-clash",
    )


def test_a_line_names_its_aftr() -> None:
    problem = the_problem(ds_lite(**{"aftr-preset": None}))

    assert (problem.error_path, problem.error_app_tag) == (LINE, "missing-choice")


def test_two_lines_of_one_router_can_stand_by_for_each_other() -> None:
    assert problems(services(ds_lites=[ds_lite(), other()])) == ()


def test_two_lines_of_two_routers_may_be_alike() -> None:
    assert problems(services(ds_lites=[ds_lite(), ds_lite("other", "branch")])) == ()


@pytest.mark.parametrize(
    ("members", "path", "tag"),
    [
        ({"interface": "ip6tnl1"}, f"{OTHER}/interface", "interface-name-not-unique"),
        ({"default-route-metric": 0}, f"{OTHER}/default-route-metric", "default-route-not-unique"),
        ({"aftr-address": None, "aftr-preset": "transix-east"}, OTHER, "tunnel-ends-not-unique"),
    ],
)
def test_what_two_lines_of_one_router_cannot_share_is_refused(members: Json, path: str, tag: str) -> None:
    problem = the_problem(ds_lite(), other(**members))

    assert (problem.error_path, problem.error_app_tag) == (path, tag)
    assert "ds-lite line" in problem.message
    assert "GRE" not in problem.message


@pytest.mark.parametrize("name", ["lo", "ip6tnl0", "a/b"])
def test_the_tunnel_has_a_name_that_is_free(name: str) -> None:
    assert the_problem(ds_lite(interface=name)).error_path == f"{LINE}/interface"


@pytest.mark.parametrize("address", ["fe80::1", "ff02::1", "::", "::1", "192.0.2.1", "::ffff:192.0.2.1"])
def test_an_end_is_an_address_that_the_other_side_can_send_to(address: str) -> None:
    fixed = ds_lite(underlay={"interface": "wan0", "address": address})

    assert the_problem(fixed).error_path == f"{LINE}/underlay/address"


def test_a_site_link_of_the_tunnels_name_is_refused_in_words_of_the_network() -> None:
    problem = the_problem(ds_lite(interface="tun1"), site_links=[site_link()])

    assert problem.error_app_tag == "interface-name-not-unique"
    assert "ds-lite line" in problem.message
    assert "site-link tun1" in problem.message


@pytest.mark.parametrize(("interface", "also"), [("ip6tnl1", ["interface-role-clash"]), ("wan0", [])])
def test_vxlan_does_not_reach_a_router_whose_ipv4_is_shared(interface: str, also: list[str]) -> None:
    behind = split(subscriber(1, underlay={"interface": interface, "address": "192.0.2.5"}))
    found = problems(services(ds_lites=[ds_lite()], splits=[behind]))

    assert [problem.error_app_tag for problem in found if "vxlan-split" in problem.error_path] == [
        "ipv4-by-ds-lite",
        *also,
    ]
    assert "IPv6 underlay" in found[0].message


def test_a_hub_whose_ipv4_is_shared_is_not_reached_either() -> None:
    hub = {"router": "home", "underlay": {"interface": "wan0", "ipv4-address": "192.0.2.1"}}
    problem = the_problem(ds_lite(), splits=[split(subscriber(1, "branch"), hub=hub)])

    assert problem.error_path.endswith("/hub/underlay/ipv4-address")
    assert problem.error_app_tag == "ipv4-by-ds-lite"


def test_vxlan_over_ipv6_or_over_another_line_goes_with_ds_lite() -> None:
    over_ipv6 = subscriber(1, underlay={"interface": "wan0", "global-address": [None]})
    over_another = subscriber(
        2, underlay={"interface": "ppp0", "address": "192.0.2.5"}, mode="policy-routing"
    )
    hub = {
        "router": "vps",
        "underlay": {"interface": "eth0", "ipv4-address": "192.0.2.1", "ipv6-address": "2001:db8:1::1"},
    }

    assert problems(services(ds_lites=[ds_lite()], splits=[split(over_ipv6, over_another, hub=hub)])) == ()


def test_all_problems_are_reported_at_once() -> None:
    bad = ds_lite(mtu=9000, underlay={"interface": "wan0", "address": "fe80::1"}, **{"aftr-preset": "nobody"})
    found = problems(services(ds_lites=[bad, other(router="hoem", mtu=1461, interface="ip6tnl0")]))

    assert {problem.error_path for problem in found} == {
        f"{LINE}/mtu",
        f"{LINE}/underlay/address",
        f"{LINE}/aftr-preset",
        f"{OTHER}/router",
        f"{OTHER}/mtu",
        f"{OTHER}/interface",
    }


@given(document=tunnelled())
def test_valid_lines_and_links_are_accepted(document: Json) -> None:
    assert problems(document) == ()
