"""What YANG cannot say about a split and a network engineer gets wrong: each is named, with what to do."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tasuki_controller.running import Running
from tasuki_controller.transaction import Edit, Operation, prepare
from tasuki_yang.errors import ConfigError, InvalidIntent
from unit.services.networks import Json, network, networks, split, subscriber, tunnelled

AE00 = "/tasuki-network:network/tasuki-vxlan-split:vxlan-split[name='ae00']"
BE00 = "/tasuki-network:network/tasuki-vxlan-split:vxlan-split[name='be00']"
HUB_UNDERLAY = {"interface": "enp1s0f0", "ipv4-address": "10.1.1.1"}


def problems(document: Json, **routers: Json) -> tuple[ConfigError, ...]:
    try:
        prepare(Running(), Edit(Operation.REPLACE, document, routers))
    except InvalidIntent as invalid:
        return invalid.errors
    return ()


def the_problem(document: Json, **routers: Json) -> ConfigError:
    (problem,) = problems(document, **routers)
    return problem


def be00(*subscribers: Json, **members: Any) -> Json:
    """A second split that clashes with nothing by itself."""
    tree = {"prefix": "2001:db8:be00::/40", "vni-base": 256} | members
    return split(*subscribers, name="be00") | tree


def underlay(address: str, **members: Any) -> Json:
    return {"interface": "enp6s0f1", "address": address, **members}


def hub(**members: Any) -> Json:
    return {"router": "vps", "underlay": {**HUB_UNDERLAY, **members}}


def test_valid_network_has_no_problem() -> None:
    assert problems(network(split(subscriber(1), subscriber(2, "branch"), subscriber(3, None)), be00())) == ()


def test_host_bits_are_refused_and_the_right_prefix_is_named() -> None:
    problem = the_problem(network(split(subscriber(), prefix="2001:db8:ae00::1/40")))

    assert (problem.error_path, problem.error_app_tag) == (f"{AE00}/prefix", "host-bits-set")
    assert problem.error_tag == "invalid-value"
    assert "write 2001:db8:ae00::/40" in problem.message


@pytest.mark.parametrize("prefix", ["fe80::/40", "ff0e::/40", "64:ff9b::/40", "::/32"])
def test_prefix_that_is_not_forwarded_is_refused(prefix: str) -> None:
    assert the_problem(network(split(prefix=prefix))).error_app_tag == "prefix-not-unicast"


def test_number_beyond_the_prefix_is_refused_and_the_range_is_named() -> None:
    problem = the_problem(network(split(subscriber(256))))

    assert problem.error_path == f"{AE00}/subscriber[number='256']/number"
    assert problem.error_app_tag == "subscriber-number-out-of-range"
    assert "1 to 255" in problem.message


def test_number_zero_is_refused() -> None:
    problem = the_problem(network(split(subscriber(0))))

    assert problem.error_path == f"{AE00}/subscriber[number='0']/number"
    assert problem.error_app_tag == "subscriber-number-out-of-range"


@pytest.mark.parametrize("other", ["2001:db8:ae00::/40", "2001:db8:ae80::/41", "2001:db8:a000::/36"])
def test_overlapping_splits_are_refused_and_both_are_named(other: str) -> None:
    problem = the_problem(network(split(), be00(prefix=other)))

    assert problem.error_app_tag == "prefixes-overlap"
    assert problem.error_path in (f"{AE00}/prefix", f"{BE00}/prefix")
    assert "ae00" in problem.message
    assert "be00" in problem.message


def test_each_of_many_overlapping_splits_is_named() -> None:
    inside = [be00(prefix=f"2001:db8:{0xAE00 + i:x}::/47") | {"name": f"inside{i}"} for i in (0, 4, 8)]

    assert [problem.error_app_tag for problem in problems(network(split(), *inside))] == [
        "prefixes-overlap"
    ] * 3


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "127.0.0.1",
        "169.254.1.1",
        "192.0.0.2",
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1",
        "ff02::1",
        "::ffff:10.1.1.2",
    ],
)
def test_underlay_address_that_nothing_can_send_to_is_refused(address: str) -> None:
    both = hub(**{"ipv6-address": "2001:db8:1::1"})
    problem = the_problem(network(split(subscriber(underlay=underlay(address)), hub=both)))

    assert problem.error_path == f"{AE00}/subscriber[number='1']/underlay/address"
    assert problem.error_app_tag == "address-not-unicast"


def test_hub_address_that_nothing_can_send_to_is_refused() -> None:
    both = {
        "router": "vps",
        "underlay": {"interface": "eth0", "ipv4-address": "127.0.0.1", "ipv6-address": "fe80::1"},
    }

    assert [problem.error_path for problem in problems(network(split(subscriber(), hub=both)))] == [
        f"{AE00}/hub/underlay/ipv4-address",
        f"{AE00}/hub/underlay/ipv6-address",
    ]


def test_hub_needs_an_address_of_each_family_that_subscribers_have() -> None:
    over_ipv6 = [subscriber(n, None, underlay=underlay(f"2001:db8:2::{n}")) for n in (1, 2, 3)]
    problem = the_problem(network(split(*over_ipv6, subscriber(4))))

    assert problem.error_path == f"{AE00}/hub/underlay/ipv6-address"
    assert (problem.error_tag, problem.error_app_tag) == ("data-missing", "hub-underlay-address-missing")
    assert "subscriber 1 and 2 more" in problem.message


@pytest.mark.parametrize("late", [{"global-address": [None]}, {"delegated-address": {"subnet-id": 1}}])
def test_hub_whose_end_follows_its_line_has_subscribers_over_ipv6_alone(late: Json) -> None:
    over_ipv6 = subscriber(1, underlay=underlay("2001:db8:2::1"))
    without_ipv4 = {"router": "vps", "underlay": {"interface": "eth0", **late}}

    assert problems(network(split(over_ipv6, hub=without_ipv4))) == ()
    problem = the_problem(network(split(subscriber(1), hub=without_ipv4)))
    assert problem.error_path == f"{AE00}/hub/underlay/ipv4-address"


@pytest.mark.parametrize(
    "late", [{"global-address": [None]}, {"delegated-address": {}}, {"dns-name": {"name": "a.example"}}]
)
def test_what_has_to_be_learned_needs_a_hub_with_ipv6(late: Json) -> None:
    problem = the_problem(network(split(subscriber(1, underlay={"interface": "wan0", **late}))))

    assert problem.error_path == f"{AE00}/hub/underlay/ipv6-address"
    assert "or a delegated-address" in problem.message


@pytest.mark.parametrize(
    ("leaf", "value"), [("global-address", [None]), ("delegated-address", {"subnet-id": 1})]
)
def test_machine_without_an_agent_tells_nobody_its_address(leaf: str, value: Any) -> None:
    unmanaged = subscriber(1, None, underlay={"interface": "wan0", leaf: value})
    problem = the_problem(network(split(unmanaged, hub=hub(**{"ipv6-address": "2001:db8:1::1"}))))

    assert problem.error_path == f"{AE00}/subscriber[number='1']/underlay/{leaf}"
    assert problem.error_app_tag == "end-not-told"
    assert "dns-name" in problem.message


def test_late_bound_underlay_carries_ipv6_over_ipv6_at_least() -> None:
    narrow = subscriber(1, underlay={"interface": "wan0", "global-address": [None], "mtu": 1349})
    problem = the_problem(network(split(narrow, hub=hub(**{"ipv6-address": "2001:db8:1::1"}))))

    assert problem.error_path == f"{AE00}/subscriber[number='1']/underlay/mtu"
    assert "must carry 1350 bytes" in problem.message


def test_both_ends_need_different_addresses() -> None:
    problem = the_problem(network(split(subscriber(underlay=underlay("10.1.1.1")))))

    assert problem.error_path == f"{AE00}/subscriber[number='1']/underlay/address"
    assert problem.error_app_tag == "underlay-addresses-equal"


def test_subscriber_is_not_the_hub() -> None:
    problem = the_problem(network(split(subscriber(router="vps"))))

    assert problem.error_path == f"{AE00}/subscriber[number='1']/router"
    assert problem.error_app_tag == "subscriber-is-hub"


def test_tunnel_does_not_carry_its_own_packets() -> None:
    inside = subscriber(underlay=underlay("2001:db8:ae07::1"))
    problem = the_problem(network(split(inside, hub=hub(**{"ipv6-address": "2001:db8:1::1"}))))

    assert problem.error_path == f"{AE00}/subscriber[number='1']/underlay/address"
    assert problem.error_app_tag == "underlay-inside-split"


def test_hub_does_not_live_in_what_it_gives_away() -> None:
    over_ipv6 = subscriber(underlay=underlay("2001:db8:2::1"))
    problem = the_problem(network(split(over_ipv6, hub=hub(**{"ipv6-address": "2001:db8:ae01::1"}))))

    assert problem.error_path == f"{AE00}/hub/underlay/ipv6-address"
    assert problem.error_app_tag == "underlay-inside-split"


def test_hub_may_live_in_the_prefix_where_no_subscriber_is() -> None:
    over_ipv6 = subscriber(underlay=underlay("2001:db8:2::1"))

    assert problems(network(split(over_ipv6, hub=hub(**{"ipv6-address": "2001:db8:ae00::1"})))) == ()


@pytest.mark.parametrize(("mtu", "address"), [(1329, "10.1.1.2"), (1349, "2001:db8:2::1")])
def test_subscribers_underlay_carries_ipv6_at_least(mtu: int, address: str) -> None:
    both = hub(**{"ipv6-address": "2001:db8:1::1"})
    problem = the_problem(network(split(subscriber(underlay=underlay(address, mtu=mtu)), hub=both)))

    assert problem.error_path == f"{AE00}/subscriber[number='1']/underlay/mtu"
    assert problem.error_app_tag == "underlay-mtu-too-small"
    assert f"must carry {mtu + 1} bytes" in problem.message


def test_hubs_underlay_is_named_once_for_all_subscribers() -> None:
    problem = the_problem(network(split(subscriber(1), subscriber(2, None), hub=hub(mtu=1300))))

    assert problem.error_path == f"{AE00}/hub/underlay/mtu"


def test_one_vni_is_used_once_on_a_hub() -> None:
    problem = the_problem(network(split(subscriber(1)), be00(subscriber(1, "branch")) | {"vni-base": 0}))

    assert (problem.error_path, problem.error_app_tag) == (f"{BE00}/vni-base", "vni-not-unique")
    assert "router vps" in problem.message
    assert "vxlan01" in problem.message
    assert "set vni-base" in problem.message


def test_one_vni_is_used_once_on_a_subscriber_of_two_splits() -> None:
    elsewhere = {"router": "branch", "underlay": HUB_UNDERLAY}
    second = be00(subscriber(1, mode="policy-routing"), hub=elsewhere) | {"vni-base": 0}

    assert "router home" in the_problem(network(split(subscriber(1)), second)).message


def test_vni_clash_of_two_whole_splits_is_one_problem() -> None:
    first = split(*(subscriber(n, None) for n in range(1, 256)))
    second = be00(*(subscriber(n, None) for n in range(1, 256))) | {"vni-base": 0}

    assert the_problem(network(first, second)).error_path == f"{BE00}/vni-base"


def test_two_splits_between_the_same_routers_are_one_problem() -> None:
    second = be00(subscriber(1, mode="policy-routing")) | {"vni-base": 0}

    assert the_problem(network(split(subscriber(1)), second)).error_path == f"{BE00}/vni-base"


def test_hub_of_one_split_may_subscribe_to_another() -> None:
    second = be00(subscriber(1, "vps"), hub={"router": "branch", "underlay": HUB_UNDERLAY})

    assert problems(network(split(subscriber(1)), second)) == ()


def test_router_has_one_default_gateway() -> None:
    problem = the_problem(network(split(subscriber(1), subscriber(2))))

    assert problem.error_path == f"{AE00}/subscriber[number='2']/mode"
    assert problem.error_app_tag == "default-route-not-unique"
    assert "subscriber 1" in problem.message
    assert "policy-routing" in problem.message


def test_unmanaged_machines_may_each_have_a_default_gateway() -> None:
    assert problems(network(split(subscriber(1, None), subscriber(2, None)))) == ()


def test_second_subscription_may_route_by_policy() -> None:
    assert problems(network(split(subscriber(1), subscriber(2, mode="policy-routing")))) == ()


@pytest.mark.parametrize(
    ("interface", "user"), [("vxlan01", "is the tunnel of"), ("enp6s0f1", "is the underlay of")]
)
def test_lan_is_no_interface_that_the_tunnel_needs(interface: str, user: str) -> None:
    problem = the_problem(network(split(subscriber(delegation={"lan": [{"interface": interface}]}))))

    assert problem.error_path == f"{AE00}/subscriber[number='1']/delegation/lan[interface='{interface}']"
    assert problem.error_app_tag == "interface-role-clash"
    assert user in problem.message


def test_tunnel_is_not_its_own_underlay() -> None:
    within = subscriber(underlay={"interface": "vxlan01", "address": "10.1.1.2"})
    problem = the_problem(network(split(within)))

    assert problem.error_path == f"{AE00}/subscriber[number='1']/underlay/interface"
    assert problem.error_app_tag == "interface-role-clash"


def test_hubs_underlay_is_none_of_its_tunnels() -> None:
    problem = the_problem(network(split(subscriber(), hub=hub(interface="vxlan01"))))

    assert problem.error_path == f"{AE00}/hub/underlay/interface"


def test_interfaces_of_other_routers_do_not_clash() -> None:
    on_branch = subscriber(
        2, "branch", delegation={"lan": [{"interface": "vxlan01"}, {"interface": "lan0", "subnet-id": 1}]}
    )

    assert problems(network(split(subscriber(1), on_branch))) == ()


def test_one_lan_may_have_subnets_of_two_splits() -> None:
    lan = {"lan": [{"interface": "lan0"}]}
    second = be00(subscriber(1, mode="policy-routing", delegation=lan))

    assert problems(network(split(subscriber(1, delegation=lan)), second)) == ()


@pytest.mark.parametrize("subnet", [{}, {"subnet-id": 7}])
def test_two_lans_do_not_have_one_subnet(subnet: Json) -> None:
    lans = [{"interface": name, **subnet} for name in ("lan0", "lan1")]
    problem = the_problem(network(split(subscriber(delegation={"lan": lans}))))

    assert problem.error_path == f"{AE00}/subscriber[number='1']/delegation/lan[interface='lan1']"
    assert problem.error_app_tag == "subnet-not-unique"
    assert "lan0" in problem.message


def test_router_without_free_tables_is_named_once() -> None:
    many = [subscriber(n, mode="policy-routing") for n in range(1, 4)]
    written = {
        "ietf-routing:routing": {
            "control-plane-protocols": {
                "control-plane-protocol": [
                    {"type": "static", "name": f"t{n}", "static-routes": {"tasuki-route:table": n}}
                    for n in range(32003, 32765, 2)
                ]
            }
        }
    }
    problem = the_problem(network(split(*many) | {"table-base": 32000}), home=written)

    assert (problem.error_path, problem.error_app_tag) == (f"{AE00}/table-base", "no-free-tables")


def test_unknown_router_is_refused() -> None:
    (problem,) = problems(network(split(subscriber(router="hoem"))))

    assert problem.error_path.startswith(f"{AE00}/subscriber[number='1']/router")
    assert (problem.error_tag, problem.error_app_tag) == ("data-missing", "instance-required")


def test_written_tree_of_an_unknown_router_is_refused() -> None:
    problem = the_problem(
        network(split(subscriber())),
        hoem={"ietf-routing:routing": {"tasuki-sysctl:forwarding": {"ipv4": True}}},
    )

    assert problem.error_path == "/tasuki-network:network/router[name='hoem']"
    assert problem.error_tag == "data-missing"


def test_what_can_be_judged_beside_a_malformed_node_is_judged() -> None:
    document = network(
        split(
            subscriber(0),
            subscriber(1, "vps", underlay={"interface": "a/b", "address": "224.0.0.1"}),
            subscriber(2, None, underlay={"interface": "eth0", "address": "10.1.1", "mtu": 9}),
            prefix="2001:db8:5::/40",
            hub=hub() | {"router": "v/s"},
        ),
        be00(subscriber(1, "vps", underlay=underlay("127.0.0.1")), prefix="2001:db8:be00::/48", hub=hub()),
    )

    assert sorted(problem.error_path.removeprefix(AE00) for problem in problems(document)) == sorted(
        [
            "/hub/router",
            "/subscriber[number='0']/number",
            "/subscriber[number='1']/underlay/interface",
            "/subscriber[number='2']/underlay/address",
            "/subscriber[number='2']/underlay/mtu",
            f"{BE00}/prefix",
            "/prefix",
            "/subscriber[number='1']/underlay/address",
            f"{BE00}/subscriber[number='1']/router",
            f"{BE00}/subscriber[number='1']/underlay/address",
        ]
    )


@pytest.mark.parametrize(
    ("document", "path"),
    [
        (network(split(subscriber(1, mode="magic"), subscriber(2))), "/subscriber[number='1']/mode"),
        (
            network(split(subscriber(1), **{"vni-base": "x"}), be00(subscriber(1, None)) | {"vni-base": 0}),
            "/vni-base",
        ),
        (
            network(
                split(
                    subscriber(
                        1, delegation={"lan": [{"interface": "a", "subnet-id": -1}, {"interface": "b"}]}
                    )
                )
            ),
            "/subscriber[number='1']/delegation/lan[interface='a']/subnet-id",
        ),
        (network(split(subscriber(1), hub=5)), "/hub"),
        (network(split(subscriber(1, "a/b"))), "/subscriber[number='1']/router"),
    ],
    ids=["mode", "vni-base", "subnet-id", "hub", "router"],
)
def test_the_default_is_not_taken_for_what_was_malformed(document: Json, path: str) -> None:
    assert the_problem(document).error_path == AE00 + path


def test_splits_without_hub_do_not_share_one() -> None:
    document = network(
        split(subscriber(1), hub={"router": "a/b", "underlay": HUB_UNDERLAY}),
        be00(subscriber(1, "branch"), hub={"router": "a/c", "underlay": HUB_UNDERLAY}) | {"vni-base": 0},
    )

    assert [problem.error_path for problem in problems(document)] == [
        f"{AE00}/hub/router",
        f"{BE00}/hub/router",
    ]


@pytest.mark.parametrize("leaf", ["global-address", "delegated-address"])
def test_hub_whose_late_end_is_malformed_lacks_no_other_one(leaf: str) -> None:
    malformed = {"router": "vps", "underlay": {"interface": "eth0", leaf: 0.5}}
    late = subscriber(1, underlay={"interface": "wan0", "global-address": [None]})

    assert the_problem(network(split(late, hub=malformed))).error_path == f"{AE00}/hub/underlay/{leaf}"


@given(document=networks() | tunnelled(), data=st.data())
def test_one_malformed_node_is_one_problem(document: Json, data: st.DataObject) -> None:
    services = {label: tree for label, tree in document["tasuki-network:network"].items() if ":" in label}
    nodes = list(members(list(services.values())))
    assume(nodes)
    node, label = data.draw(st.sampled_from(nodes))
    node[label] = 0.5
    found = problems(document)

    assert [(problem.error_tag, problem.error_path.split("/")[-1]) for problem in found] == [
        ("invalid-value", label)
    ]


def members(value: Any) -> Iterator[tuple[Json, str]]:
    """Every member of every object in a JSON value, by its object and its name."""
    if isinstance(value, dict):
        yield from ((value, label) for label in value)
    for below in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from members(below)


def test_all_problems_are_reported_at_once() -> None:
    document = network(
        split(
            subscriber(0),
            subscriber(1, "vps", underlay=underlay("10.1.1.1")),
            subscriber(2, "hoem"),
            subscriber(3, None, underlay={"interface": "eth0"}),
            subscriber(4, None, colour="red"),
            subscriber(5, None),
            subscriber(5, None),
            subscriber(6, None, underlay=underlay("fe80::1", mtu=1300)),
            subscriber(256),
            prefix="2001:db8:ae00::1/40",
        ),
        be00(subscriber(5, None), prefix="2001:db8:ae00::/44") | {"vni-base": 0},
    )
    found = problems(document)

    assert all(problem.message.endswith(".") for problem in found)
    assert {problem.error_path.removeprefix(AE00) for problem in found} == {
        "/prefix",
        "/subscriber[number='0']/number",
        "/subscriber[number='1']/router",
        "/subscriber[number='1']/underlay/address",
        "/subscriber[number='2']/router",
        "/subscriber[number='3']/underlay",
        "/subscriber[number='4']/colour",
        "/subscriber[number='5']",
        "/subscriber[number='6']/underlay/address",
        "/subscriber[number='6']/underlay/mtu",
        "/subscriber[number='256']/number",
        "/hub/underlay/ipv6-address",
        f"{BE00}/prefix",
        f"{BE00}/vni-base",
    }
