"""Both ends of every tunnel: they fit together, loop nothing, and are what a careful person would type."""

import json
from ipaddress import IPv6Address, IPv6Network
from pathlib import Path

import article
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tasuki_controller.compile import compile_running
from tasuki_controller.known import KnownFacts
from tasuki_controller.services.vxlan_split.plan import share
from tasuki_yang.check import read
from tasuki_yang.errors import InvalidIntent
from tasuki_yang.facts import FactKey
from tasuki_yang.network import Network
from tasuki_yang.network import NetworkVxlanSplit as Split
from tasuki_yang.router import InterfacesInterface as Interface
from tasuki_yang.router import InterfacesInterfaceVxlan, Router
from tasuki_yang.schema import ROUTER
from tasuki_yang.validator import router_validator
from unit.services.local import local_address
from unit.services.networks import (
    Json,
    facts,
    homes,
    network,
    networks,
    running,
    split,
    subscriber,
    tunnelled,
)

GOLDENS = Path(__file__).parent / "goldens"
ANYWHERE = IPv6Network("::/0")
NOTHING = KnownFacts()


def compiled(document: Json, known: KnownFacts = NOTHING, **written: Json) -> dict[str, Router]:
    intended = compile_running(running(document, **written), known)
    return {name: Router.model_validate(tree) for name, tree in intended.items()}


def interface(router: Router, name: str) -> Interface:
    return next(one for one in router.interfaces.interface if one.name == name)


def addresses(one: Interface) -> dict[IPv6Address, int]:
    listed = one.ipv6.address if one.ipv6 else ()
    return {IPv6Address(address.ip): address.prefix_length for address in listed}


def table(router: Router, number: int) -> list[tuple[IPv6Network, int, str]]:
    """Routes of a table by prefix, metric and where they lead, those of addresses in main among them."""
    routes = [
        (
            IPv6Network(route.destination_prefix),
            route.metric,
            route.next_hop.special_next_hop or str(route.next_hop.outgoing_interface),
        )
        for protocol in router.routing.control_plane_protocols.control_plane_protocol
        if protocol.static_routes.table == number
        for route in protocol.static_routes.ipv6.route
    ]
    connected = [
        (IPv6Network((address.ip, address.prefix_length), strict=False), 256, one.name)
        for one in router.interfaces.interface
        for address in (one.ipv6.address if one.ipv6 else ())
        if number == 254 and not address.no_prefix_route
    ]
    return routes + connected


def lookup(routes: list[tuple[IPv6Network, int, str]], address: IPv6Address, *, down: str = "") -> str | None:
    """Where a table sends an address: the longest prefix, then the smallest metric, of what is up."""
    matching = [route for route in routes if address in route[0] and route[2] != down]
    return min(matching, key=lambda route: (-route[0].prefixlen, route[1]))[2] if matching else None


def ends(document: Json, known: KnownFacts = NOTHING) -> list[tuple[Split, int, str, Router, Router]]:
    """For each subscriber: its split, number and tunnel, the hub's router and its own."""
    routers = compiled(document, known)
    return [
        (
            one,
            each.number,
            share(IPv6Network(one.prefix), one.vni_base, each.number).interface,
            routers[one.hub.router],
            routers[each.router or f"{one.name}/{each.number}"],
        )
        for one in Network.model_validate(document).network.vxlan_split
        for each in one.subscriber
    ]


@pytest.mark.parametrize("router", ["vps", "home", "branch"])
def test_articles_routers(router: str) -> None:
    golden = json.loads((GOLDENS / f"{router}.json").read_text())

    assert compile_running(running(article.network()))[router] == golden


@given(document=networks() | tunnelled() | homes(), known=facts())
def test_valid_network_compiles_to_valid_canonical_trees_whatever_is_known(
    document: Json, known: KnownFacts
) -> None:
    for tree in compile_running(running(document), known).values():
        assert read(ROUTER, tree).tree is tree
        assert router_validator().validate(tree) == []


@given(document=networks())
def test_every_router_of_the_network_has_a_tree(document: Json) -> None:
    named = {router["name"] for router in document["tasuki-network:network"]["router"]}

    assert named <= compile_running(running(document)).keys()


def test_router_that_takes_part_in_nothing_has_an_empty_tree() -> None:
    assert compile_running(running(network(routers=("spare",)))) == {"spare": {}}


@given(document=networks(), known=facts())
def test_both_ends_mirror_each_other_whatever_is_known(document: Json, known: KnownFacts) -> None:
    for one, number, name, hub, client in ends(document, known):
        here, there = interface(hub, name), interface(client, name)
        own = share(IPv6Network(one.prefix), one.vni_base, number)
        each = next(each for each in one.subscriber if each.number == number)
        assert here.vxlan
        assert there.vxlan
        assert (here.vxlan.vni, here.vxlan.udp_port, here.mtu) == (
            there.vxlan.vni,
            there.vxlan.udp_port,
            there.mtu,
        )
        assert_told(here.vxlan, each.underlay.address or local_address(there.vxlan, each.router or "", known))
        is_ipv4 = "." in (here.vxlan.remote or "")
        fixed = one.hub.underlay.ipv4_address if is_ipv4 else one.hub.underlay.ipv6_address
        assert_told(there.vxlan, fixed or local_address(here.vxlan, one.hub.router, known))
        assert not is_ipv4 or not (here.vxlan.local_interface or here.vxlan.local_delegated)
        assert not here.vxlan.learning
        assert not there.vxlan.learning
        assert (here.mac_address, there.mac_address) == (own.hub_mac_address, own.subscriber_mac_address)
        (hub_address,) = addresses(here)
        assert hub_address + 1 in addresses(there)
        assert there.mtu is not None
        assert there.mtu >= 1280


def test_two_ends_that_follow_their_lines_each_ask_for_their_own_while_nothing_is_known() -> None:
    late = {"interface": "wan0", "global-address": [None]}
    document = network(split(subscriber(1, underlay=late), hub={"router": "vps", "underlay": late}))
    ((_, _, name, hub, client),) = ends(document)

    for router, peer in ((hub, "home"), (client, "vps")):
        vxlan = interface(router, name).vxlan
        assert vxlan
        assert vxlan.local_interface == "wan0"
        assert vxlan.remote_unknown == f"a global address of wan0 of router {peer}"


def assert_told(vxlan: InterfacesInterfaceVxlan, peer: str | None) -> None:
    """The remote end is the peer's, or its name, or what is waited for."""
    assert vxlan.remote == peer
    assert [vxlan.remote, vxlan.remote_name, vxlan.remote_unknown].count(None) == 2


@given(document=networks())
def test_hub_sends_a_subscriber_exactly_its_prefixes(document: Json) -> None:
    for one, number, name, hub, _ in ends(document):
        own = share(IPv6Network(one.prefix), one.vni_base, number)
        through = {str(prefix) for prefix, _, where in table(hub, 254) if where == name}

        assert through == {str(prefix) for prefix in own.prefixes}


@given(document=networks(), data=st.data())
def test_hub_answers_for_what_nobody_holds(document: Json, data: st.DataObject) -> None:
    routers = compiled(document)
    for one in Network.model_validate(document).network.vxlan_split:
        prefix = IPv6Network(one.prefix)
        address = prefix[data.draw(st.integers(0, prefix.num_addresses - 1))]
        main = table(routers[one.hub.router], 254)
        holders = [
            each
            for each in one.subscriber
            for part in share(prefix, one.vni_base, each.number).prefixes
            if address in IPv6Network(str(part))
        ]

        assert lookup(main, address) == "unreachable" or holders
        assert all(
            where != "unreachable" or where_to == prefix
            for where_to, _, where in main
            if where_to.subnet_of(prefix)
        )


@given(document=networks())
def test_subscriber_knows_only_its_own_prefixes(document: Json) -> None:
    for one, number, _, _, client in ends(document):
        own = [
            IPv6Network(str(part)) for part in share(IPv6Network(one.prefix), one.vni_base, number).prefixes
        ]
        rules = [IPv6Network(str(rule.source or rule.destination)) for rule in client.routing.rules.ipv6.rule]
        routed = [
            prefix
            for number in {254, *(rule.table for rule in client.routing.rules.ipv6.rule)}
            for prefix, _, _ in table(client, number)
            if prefix != ANYWHERE
        ]
        assert all(any(prefix.subnet_of(part) for part in own) for prefix in rules + routed)


@given(document=networks(), data=st.data())
def test_nothing_of_a_subscribers_prefixes_loops_through_the_hub(document: Json, data: st.DataObject) -> None:
    for one, number, _, _, client in ends(document):
        own = share(IPv6Network(one.prefix), one.vni_base, number)
        each = next(each for each in one.subscriber if each.number == number)
        lans = {lan.interface: IPv6Network(str(own.lan(lan.subnet_id))) for lan in each.delegation.lan}
        down = data.draw(st.sampled_from(["", *lans]))
        part = IPv6Network(str(data.draw(st.sampled_from([own.routed64, own.routed48]))))
        address = part[data.draw(st.integers(2, part.num_addresses - 1))]
        lan = next((lan for lan, prefix in lans.items() if address in prefix and lan != down), "unreachable")
        for number_of_table in {254, *(rule.table for rule in client.routing.rules.ipv6.rule)}:
            assert lookup(table(client, number_of_table), address, down=down) == lan


@given(document=networks())
def test_policy_rules_lead_to_tables_that_lead_through_the_tunnel(document: Json) -> None:
    for one, number, name, _, client in ends(document):
        each = next(each for each in one.subscriber if each.number == number)
        rules = client.routing.rules.ipv6.rule
        outside = IPv6Address("2001:4860::1")
        if each.mode == "default-gateway":
            assert not rules
            assert lookup(table(client, 254), outside) == name
            continue
        own = [str(part) for part in share(IPv6Network(one.prefix), one.vni_base, number).prefixes]
        assert lookup(table(client, 254), outside) is None
        assert sorted(rule.source for rule in rules if rule.source) == sorted(own)
        assert sorted(rule.destination for rule in rules if rule.destination) == sorted(own)
        assert all(rule.priority == rule.table for rule in rules)
        assert all(lookup(table(client, rule.table), outside) == name for rule in rules)


@given(document=networks())
def test_all_routers_of_a_split_forward(document: Json) -> None:
    for _, _, _, hub, client in ends(document):
        assert hub.routing.forwarding.ipv6
        assert client.routing.forwarding.ipv6


def test_hub_keeps_its_aggregate_without_any_subscriber() -> None:
    assert (
        lookup(table(compiled(network(split()))["vps"], 254), IPv6Address("2001:db8:ae01::1"))
        == "unreachable"
    )


def test_subscriber_without_lan_has_the_first_addresses_itself_and_no_prefix_on_link() -> None:
    home = compiled(network(split(subscriber(8))))["home"]
    tunnel = interface(home, "vxlan08")

    assert {str(address): length for address, length in addresses(tunnel).items()} == {
        "2001:db8:ae00:0:8::2": 80,
        "2001:db8:ae00:8::1": 64,
        "2001:db8:ae08::1": 48,
    }
    assert [prefix for prefix, _, where in table(home, 254) if where == "vxlan08"] == [
        ANYWHERE,
        IPv6Network("2001:db8:ae00:0:8::/80"),
    ]


def test_subscriber_with_a_lan_has_the_first_address_there() -> None:
    lans = {"lan": [{"interface": "lan0", "subnet-id": 0x20}]}
    home = compiled(network(split(subscriber(8, delegation=lans))))["home"]

    assert addresses(interface(home, "lan0")) == {IPv6Address("2001:db8:ae08:20::1"): 64}
    assert len(addresses(interface(home, "vxlan08"))) == 1
    assert lookup(table(home, 254), IPv6Address("2001:db8:ae00:8::5")) == "unreachable"


@pytest.mark.parametrize(("asked_for", "metric"), [({}, 512), ({"default-route-metric": 1024}, 1024)])
def test_default_route_goes_before_an_advertised_one_unless_asked_otherwise(
    asked_for: Json, metric: int
) -> None:
    home = compiled(network(split(subscriber(1) | asked_for)))["home"]

    assert [found for prefix, found, _ in table(home, 254) if prefix == ANYWHERE] == [metric]


def test_mtu_follows_the_smaller_underlay() -> None:
    narrow = {"interface": "ppp0", "address": "10.1.1.2", "mtu": 1460}
    routers = compiled(network(split(subscriber(1, underlay=narrow))))

    assert interface(routers["vps"], "vxlan01").mtu == 1410
    assert interface(routers["home"], "vxlan01").mtu == 1410


def test_tunnel_between_lines_follows_both() -> None:
    late = {"interface": "wan0", "global-address": [None]}
    hub = {"router": "vps", "underlay": {"interface": "eth0", "delegated-address": {"subnet-id": 7}}}
    known = KnownFacts(
        {
            "vps": {FactKey("eth0", "delegated-prefix"): ("2001:db8:1::/56",)},
            "home": {FactKey("wan0", "global-address"): ("2001:db8:2::5",)},
        }
    )
    document = network(split(subscriber(1, underlay=late), hub=hub))
    told, untold = compiled(document, known), compiled(document)
    here, there = interface(told["vps"], "vxlan01").vxlan, interface(told["home"], "vxlan01").vxlan
    line = interface(told["vps"], "eth0").ipv6

    assert here
    assert there
    assert line
    assert (here.remote, there.remote) == ("2001:db8:2::5", "2001:db8:1:7::1")
    assert here.local_delegated
    assert there.local_interface == "wan0"
    assert [(a.subnet_id, a.prefix_length) for a in line.delegated_address] == [(7, 128)]
    assert interface(told["home"], "vxlan01").mtu == 1430
    waiting = interface(untold["vps"], "vxlan01").vxlan
    assert waiting
    assert waiting.remote_unknown == "a global address of wan0 of router home"


def test_machine_that_renews_its_name_itself_is_found_by_it() -> None:
    name = {"name": "friend.example.net", "resolver": ["2001:db8::53"]}
    hub = {"router": "vps", "underlay": {"interface": "eth0", "ipv6-address": "2001:db8:1::1"}}
    friend = subscriber(1, None, underlay={"interface": "eth0", "dns-name": name})
    routers = compiled(network(split(friend, hub=hub)))
    here = interface(routers["vps"], "vxlan01").vxlan
    there = interface(routers["ae00/1"], "vxlan01").vxlan

    assert here
    assert there
    assert here.remote_name
    assert (here.remote_name.name, here.remote_name.resolver) == ("friend.example.net", ("2001:db8::53",))
    assert (there.remote, there.local, there.local_interface) == ("2001:db8:1::1", None, None)


def test_router_advertisements_are_accepted_where_the_intent_says_so() -> None:
    routers = compiled(network(split(subscriber(1))))
    underlay = interface(routers["home"], "enp6s0f1")

    assert underlay.type == "iana-if-type:other"
    assert underlay.ipv6
    assert underlay.ipv6.accept_router_advertisements == "always"
    assert [one.name for one in routers["vps"].interfaces.interface] == ["vxlan01"]


def test_type_that_was_written_for_an_interface_stays() -> None:
    written = {
        "ietf-interfaces:interfaces": {
            "interface": [
                {"name": name, "type": "iana-if-type:ethernetCsmacd"} for name in ("lan0", "enp6s0f1")
            ]
        }
    }
    document = network(split(subscriber(1, delegation={"lan": [{"interface": "lan0"}]})))
    home = compiled(document, home=written)["home"]

    assert interface(home, "lan0").type == "iana-if-type:ethernetCsmacd"
    assert interface(home, "enp6s0f1").type == "iana-if-type:ethernetCsmacd"


def test_unmanaged_end_is_compiled_under_split_and_number() -> None:
    unmanaged = compile_running(running(network(split(subscriber(4, None, mode="policy-routing")))))
    managed = compile_running(running(network(split(subscriber(4, mode="policy-routing")))))

    assert unmanaged["ae00/4"] == managed["home"]


def test_written_route_that_contradicts_a_compiled_one_names_both() -> None:
    written = {
        "ietf-routing:routing": {
            "control-plane-protocols": {
                "control-plane-protocol": [
                    {
                        "type": "static",
                        "name": "main",
                        "static-routes": {
                            "ietf-ipv6-unicast-routing:ipv6": {
                                "route": [
                                    {
                                        "destination-prefix": "::/0",
                                        "next-hop": {"special-next-hop": "blackhole"},
                                    }
                                ]
                            }
                        },
                    }
                ]
            }
        }
    }
    with pytest.raises(InvalidIntent) as invalid:
        compiled(network(split(subscriber(1))), home=written)

    assert {error.router for error in invalid.value.errors} == {"home"}
    assert "vxlan-split ae00, subscriber 1" in str(invalid.value)
    assert "written configuration of router home" in str(invalid.value)
