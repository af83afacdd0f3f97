"""Constraints between nodes: each violation in the terms of RFC 7950 section 15, all of them at once."""

import copy
import subprocess
import sys
from types import FrameType
from typing import Any

import pytest
from hypothesis import given, settings
from tasuki_yang.check import check
from tasuki_yang.schema import NETWORK, ROUTER
from tasuki_yang.validator import Validator, network_validator, router_validator, validate
from tasuki_yang.validator.libyang import LibyangValidator
from tasuki_yang.validator.yangson import YangsonValidator
from unit.yang.example import EXAMPLE, example_folder, trees

Json = dict[str, Any]
SPLIT = "/tasuki-network:network/tasuki-vxlan-split:vxlan-split[name='ae00']"
ORACLES: dict[str, Validator] = {"network": YangsonValidator(NETWORK), "router": YangsonValidator(ROUTER)}
VALIDATORS: dict[str, Validator] = {"network": network_validator(), "router": router_validator()}


def subscriber(number: int, **members: Any) -> Json:
    return {
        "number": number,
        "router": "home",
        "underlay": {"interface": "wan0", "address": "198.51.100.8"},
    } | members


def network(*subscribers: Json, **members: Any) -> Json:
    split = {
        "name": "ae00",
        "prefix": "2001:db8:ae00::/40",
        "hub": {"router": "vps", "underlay": {"interface": "eth0", "ipv4-address": "203.0.113.1"}},
        "subscriber": list(subscribers),
    }
    return {
        "tasuki-network:network": {
            "router": [{"name": "vps"}, {"name": "home"}],
            "tasuki-vxlan-split:vxlan-split": [split | members],
        }
    }


def without(document: Json, name: str) -> Json:
    copied = copy.deepcopy(document)
    del copied[name]
    return copied


def interface(**members: Any) -> Json:
    vxlan = {"vni": 8, "underlay": "eth0", "remote": "198.51.100.8"}
    whole = {"name": "vxlan08", "type": "tasuki-link:vxlan", "tasuki-link:vxlan": vxlan} | members
    return {"ietf-interfaces:interfaces": {"interface": [whole]}}


def existing(kind: str, **members: Any) -> Json:
    addresses = {"address": [{"ip": "2001:db8::1", "prefix-length": 64}]}
    port = {"name": "eth0", "type": kind, "ietf-ip:ipv6": addresses} | members
    return {"ietf-interfaces:interfaces": {"interface": [port]}}


def tunnel(**members: Any) -> Json:
    return interface(**{"tasuki-link:vxlan": {"vni": 8, "underlay": "e", "remote": "192.0.2.1"} | members})


def rules(*entries: Json) -> Json:
    return {"ietf-routing:routing": {"tasuki-rule:rules": {"ipv6": {"rule": list(entries)}}}}


def route(next_hop: Json) -> Json:
    routes = {"route": [{"destination-prefix": "2001:db8::/32", "next-hop": next_hop}]}
    protocol = {
        "type": "ietf-routing:static",
        "name": "ae00",
        "static-routes": {"ietf-ipv6-unicast-routing:ipv6": routes},
    }
    return {"ietf-routing:routing": {"control-plane-protocols": {"control-plane-protocol": [protocol]}}}


RULE = {"name": "a", "priority": 100, "table": 100, "source": "2001:db8::/64"}
ROUTE = (
    "/ietf-routing:routing/control-plane-protocols/control-plane-protocol[type='ietf-routing:static'][name='ae00']"
    "/static-routes/ietf-ipv6-unicast-routing:ipv6/route[destination-prefix='2001:db8::/32']/next-hop"
)
VXLAN = "/ietf-interfaces:interfaces/interface[name='vxlan08']/tasuki-link:vxlan"
ETH0 = "/ietf-interfaces:interfaces/interface[name='eth0']"

GOOD = {
    "nothing": ("network", {}),
    "a split without subscribers": ("network", network()),
    "a subscriber": ("network", network(subscriber(8))),
    "an unmanaged subscriber": ("network", network(without(subscriber(8), "router") | {"unmanaged": [None]})),
    "a metric in the default mode": ("network", network(subscriber(8, **{"default-route-metric": 512}))),
    "policy routing": ("network", network(subscriber(8, mode="policy-routing"))),
    "a tunnel": ("router", interface()),
    "a tunnel with a local end": (
        "router",
        interface(
            **{
                "tasuki-link:vxlan": {
                    "vni": 8,
                    "underlay": "e",
                    "remote": "2001:db8::1",
                    "local": "2001:db8::2",
                }
            }
        ),
    ),
    "an interface that exists": ("router", existing("iana-if-type:other")),
    "a port that exists": ("router", existing("iana-if-type:ethernetCsmacd", enabled=True)),
    "a tunnel that is switched off": ("router", interface(enabled=False)),
    "an unreachable route": ("router", route({"special-next-hop": "unreachable"})),
    "a route through an interface": ("router", interface() | route({"outgoing-interface": "vxlan08"})),
    "rules that differ in their source": (
        "router",
        rules(RULE, RULE | {"name": "b", "source": "2001:db8:1::/64"}),
    ),
}

BAD = {
    "a hub that is no router": (
        "network",
        network(hub={"router": "nix", "underlay": {"interface": "eth0"}}),
        ("data-missing", "instance-required", f"{SPLIT}/hub/router", 'There is no "nix"'),
    ),
    "no hub": (
        "network",
        network(hub={"router": "vps"}),
        ("data-missing", "instance-required", f"{SPLIT}/hub/underlay/interface", "'interface' is missing"),
    ),
    "neither end": (
        "network",
        network(without(subscriber(8), "router")),
        ("data-missing", "missing-choice", f"{SPLIT}/subscriber[number='8']", "give 'router' or 'unmanaged'"),
    ),
    "no underlay address": (
        "network",
        network(subscriber(8, underlay={"interface": "wan0"})),
        (
            "data-missing",
            "missing-choice",
            f"{SPLIT}/subscriber[number='8']/underlay",
            "give 'address'",
        ),
    ),
    "a metric in the other mode": (
        "network",
        network(subscriber(8, mode="policy-routing", **{"default-route-metric": 512})),
        ("unknown-element", "", f"{SPLIT}/subscriber[number='8']/default-route-metric", "is allowed only"),
    ),
    "no prefix": (
        "network",
        {
            "tasuki-network:network": {
                "router": [{"name": "vps"}],
                "tasuki-vxlan-split:vxlan-split": [
                    {"name": "ae00", "hub": {"router": "vps", "underlay": {"interface": "eth0"}}}
                ],
            }
        },
        ("data-missing", "instance-required", f"{SPLIT}/prefix", "'prefix' is missing"),
    ),
    "ends of two families": (
        "router",
        interface(
            **{
                "tasuki-link:vxlan": {
                    "vni": 8,
                    "underlay": "e",
                    "remote": "192.0.2.1",
                    "local": "2001:db8::2",
                }
            }
        ),
        (
            "operation-failed",
            "address-family-mismatch",
            f"{VXLAN}/local",
            "The local and the remote address are of one family",
        ),
    ),
    "an end of IPv4 where the other one is learned": (
        "router",
        interface(
            **{
                "tasuki-link:vxlan": {
                    "vni": 8,
                    "underlay": "e",
                    "remote-name": {"name": "gw.example.net"},
                    "local": "192.0.2.2",
                }
            }
        ),
        (
            "operation-failed",
            "address-family-mismatch",
            f"{VXLAN}/local",
            "IPv6 if the remote one is learned",
        ),
    ),
    "a tunnel to IPv4 from the address of an interface": (
        "router",
        tunnel(**{"local-interface": "wan0"}),
        ("operation-failed", "address-family-mismatch", f"{VXLAN}/remote", "learned is of IPv6"),
    ),
    "a tunnel to IPv4 from a delegated prefix": (
        "router",
        tunnel(**{"local-delegated": {"interface": "wan0"}}),
        ("operation-failed", "address-family-mismatch", f"{VXLAN}/remote", "learned is of IPv6"),
    ),
    "a tunnel on a cable": (
        "router",
        interface(type="iana-if-type:ethernetCsmacd"),
        ("unknown-element", "", VXLAN, "is allowed only"),
    ),
    "an interface that nobody would create": (
        "router",
        existing("iana-if-type:bridge"),
        (
            "operation-failed",
            "interface-type-not-supported",
            f"{ETH0}/type",
            "tasuki does not create interfaces of this type.",
        ),
    ),
    "an interface that is not tasuki's to switch": (
        "router",
        existing("iana-if-type:other", enabled=False),
        (
            "operation-failed",
            "interface-not-switched",
            f"{ETH0}/enabled",
            "tasuki does not switch interfaces that it does not create",
        ),
    ),
    "a tunnel to nowhere": (
        "router",
        tunnel(remote="::"),
        ("operation-failed", "address-not-unicast", f"{VXLAN}/remote", "a unicast address"),
    ),
    "a tunnel to a group": (
        "router",
        tunnel(remote="ff02::1"),
        ("operation-failed", "address-not-unicast", f"{VXLAN}/remote", "a unicast address"),
    ),
    "a tunnel from anywhere": (
        "router",
        tunnel(local="0.0.0.0"),
        ("operation-failed", "address-not-unicast", f"{VXLAN}/local", "a unicast address"),
    ),
    "a forwarder that serves no interface": (
        "router",
        {"tasuki-dnsmasq:dns-forwarder": {}},
        ("operation-failed", "interface-missing", "/tasuki-dnsmasq:dns-forwarder", "interface"),
    ),
    "a route to nowhere": (
        "router",
        route({}),
        ("data-missing", "missing-choice", ROUTE, "'next-hop-address' or 'special-next-hop'"),
    ),
    "a route through an unknown interface": (
        "router",
        route({"outgoing-interface": "eth9"}),
        ("data-missing", "instance-required", f"{ROUTE}/outgoing-interface", 'There is no "eth9"'),
    ),
}


@pytest.mark.parametrize("case", GOOD)
def test_a_valid_document_has_no_errors_for_either_validator(case: str) -> None:
    tree, document = GOOD[case]
    assert validate(VALIDATORS[tree], document) == []
    assert validate(ORACLES[tree], document) == []


@pytest.mark.parametrize("validators", [VALIDATORS, ORACLES], ids=["libyang", "yangson"])
@pytest.mark.parametrize("case", BAD)
def test_a_violation_has_the_standards_tags_and_the_path_of_the_node(
    case: str, validators: dict[str, Validator]
) -> None:
    tree, document, (tag, app_tag, path, words) = BAD[case]
    (error,) = validate(validators[tree], document)
    assert (error.error_tag, error.error_app_tag, error.error_path) == (tag, app_tag, path)
    assert words in error.message


def test_what_must_be_unique_names_both_entries() -> None:
    (error,) = validate(
        router_validator(),
        rules(RULE | {"destination": "2001:db8::/32"}, RULE | {"name": "b", "destination": "2001:db8::/32"}),
    )
    assert (error.error_tag, error.error_app_tag) == ("operation-failed", "data-not-unique")
    assert "rule[name='a']" in error.error_info["non-unique"]
    assert "rule[name='b']" in error.error_info["non-unique"]


def test_yangson_reports_what_must_be_unique_too() -> None:
    rule = RULE | {"destination": "2001:db8::/32"}
    (error,) = validate(ORACLES["router"], rules(rule, rule | {"name": "b"}))
    assert (error.error_tag, error.error_app_tag) == ("operation-failed", "data-not-unique")
    assert error.error_path == "/ietf-routing:routing/tasuki-rule:rules/ipv6/rule[name='b']"


def paths(document: Json) -> list[str]:
    return [error.error_path.removeprefix(SPLIT) for error in validate(network_validator(), document)]


def test_all_violations_are_found_in_one_pass_beside_all_structural_problems() -> None:
    document = network(
        subscriber(0),
        subscriber(1, router="nix"),
        without(subscriber(2), "router"),
        subscriber(3, mode="sideways"),
        subscriber(4, underlay={"mtu": 9}),
        hub={"underlay": {"interface": "a/b"}},
        speed=3,
    )
    assert sorted(paths(document)) == [
        "/hub/router",
        "/hub/underlay/interface",
        "/speed",
        "/subscriber[number='0']/number",
        "/subscriber[number='1']/router",
        "/subscriber[number='2']",
        "/subscriber[number='3']/mode",
        "/subscriber[number='4']/underlay",
        "/subscriber[number='4']/underlay/interface",
        "/subscriber[number='4']/underlay/mtu",
    ]


@pytest.mark.parametrize(
    ("document", "path"),
    [
        pytest.param(network(prefix="2001:db8::g/40"), "/prefix", id="a bad value is not missing as well"),
        pytest.param(network(hub=[]), "/hub", id="what a bad container holds is not missing as well"),
        pytest.param(
            network(subscriber(8, underlay={"interface": "wan0", "address": None})),
            "/subscriber[number='8']/underlay/address",
            id="a null is not missing as well",
        ),
    ],
)
def test_the_gap_that_a_malformed_node_leaves_is_no_problem_of_its_own(document: Json, path: str) -> None:
    assert paths(document) == [path]


def test_a_reference_to_a_malformed_router_is_no_problem_of_its_own() -> None:
    document = network(hub={"router": "v/p/s", "underlay": {"interface": "eth0"}})
    document["tasuki-network:network"]["router"][0]["name"] = "vps!"
    (split,) = document["tasuki-network:network"]["tasuki-vxlan-split:vxlan-split"]
    split["hub"]["router"] = "vps!"
    assert sorted(paths(document)) == ["/hub/router", "/tasuki-network:network/router[name='vps!']/name"]


def test_a_reference_to_nothing_is_reported_beside_a_malformed_router() -> None:
    document = network(hub={"router": "nix", "underlay": {"interface": "eth0"}})
    document["tasuki-network:network"]["router"].append({"name": "-"})
    assert paths(document) == ["/tasuki-network:network/router[name='-']/name", "/hub/router"]


def test_what_depends_on_a_malformed_sibling_is_not_judged() -> None:
    document = interface(type="tasuki-link:vxlam")
    assert [error.error_tag for error in validate(router_validator(), document)] == ["invalid-value"]


@pytest.fixture(scope="module")
def example_validator() -> Validator:
    with example_folder() as folder:
        return LibyangValidator(EXAMPLE, folder)


def test_too_many_entries_and_conditions_without_words_are_reported(example_validator: Validator) -> None:
    crowd = {"example:crowd": [{"number": 1}, {"number": 2}, {"number": 300}]}
    errors = validate(example_validator, crowd)
    assert [(error.error_tag, error.error_app_tag, error.error_path) for error in errors] == [
        ("operation-failed", "must-violation", "/example:crowd[number='300']"),
        ("operation-failed", "too-many-elements", "/example:crowd"),
    ]


def test_a_missing_node_of_another_module_is_qualified(example_validator: Validator) -> None:
    person = {"name": "it's", "age": 3}
    document = {"example:people": {"person": [person | {"example-extension:contact": {"mail": "a@b"}}]}}
    assert validate(example_validator, document) == []
    (error,) = validate(example_validator, {"example:people": {"person": [{"name": "it's"}]}})
    assert error.error_path == '/example:people/person[name="it\'s"]/age'


@pytest.mark.parametrize("tree", ["network", "router"])
def test_both_validators_agree_on_any_tree(tree: str) -> None:
    validator, oracle = VALIDATORS[tree], ORACLES[tree]

    @settings(max_examples=40)
    @given(trees(validator.schema))
    def agreement(document: Json) -> None:
        found = {error.error_tag for error in validator.validate(document)}
        (first,) = oracle.validate(document) or (None,)
        assert (first is None and not found) or (first is not None and first.error_tag in found)

    agreement()


def test_one_validator_serves_many_documents(capfd: pytest.CaptureFixture[str]) -> None:
    validator = network_validator()
    for _ in range(3):
        assert validate(validator, network(without(subscriber(8), "router"))) != []
        assert validate(validator, network(subscriber(8))) == []
    assert network_validator() is validator
    assert capfd.readouterr() == ("", "")


def test_failed_documents_leave_no_noise_behind_when_the_process_ends() -> None:
    program = (
        "from tasuki_yang.validator import network_validator\n"
        "split = {'name': 'a'}\n"
        "tree = {'tasuki-network:network': {'tasuki-vxlan-split:vxlan-split': [split]}}\n"
        "network_validator().validate(tree)"
    )
    ended = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert (ended.stdout, ended.stderr) == ("", "")


def test_libyang_is_chosen_and_yangson_where_its_wheel_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(network_validator(), LibyangValidator)
    monkeypatch.setitem(sys.modules, "oopt_gnpy_libyang", None)
    network_validator.cache_clear()
    assert isinstance(network_validator(), YangsonValidator)
    network_validator.cache_clear()


@pytest.mark.parametrize("tree", [{"nosuch:x": 1}, {"ietf-interfaces:interfaces": 3}, {"": {}}])
def test_a_refusal_that_names_no_node_is_still_a_refusal(tree: Json) -> None:
    (error,) = router_validator().validate(tree)
    assert error.error_tag == "operation-failed"
    assert error.message


def calls_to_validate(document: Json) -> int:
    """How many Python functions are called, which is the same on any machine."""
    called = 0

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal called
        called += event == "call"

    profile = sys.getprofile()
    sys.setprofile(count)
    try:
        assert validate(network_validator(), document)
    finally:
        sys.setprofile(profile)
    return called


@pytest.mark.parametrize(
    "malformed",
    [
        pytest.param({"underlay": {"interface": "wan0", "address": "bad"}}, id="a bad value"),
        pytest.param(
            {"underlay": {}, "router": "nix", "colour": "red"}, id="an unknown leaf, the rest missing"
        ),
        pytest.param({"underlay": []}, id="a container of the wrong form"),
        pytest.param({"router": "-5"}, id="a bad reference"),
    ],
)
def test_many_problems_cost_as_much_more_as_there_are_more(malformed: Json) -> None:
    def crowd(count: int) -> Json:
        document = network(*(subscriber(number, **malformed) for number in range(1, count + 1)))
        document["tasuki-network:network"]["router"] += [{"name": -number} for number in range(count)]
        return document

    calls_to_validate(crowd(1))
    assert calls_to_validate(crowd(800)) < 6 * calls_to_validate(crowd(200))


def test_an_unknown_node_does_not_hide_what_is_missing_beside_it() -> None:
    document = network(subscriber(8, underlay={"interface": "wan0"}) | {"not a name": 1})
    assert sorted(paths(document)) == ["/subscriber[number='8']", "/subscriber[number='8']/underlay"]


def test_a_reference_to_a_router_whose_name_is_no_text_is_no_problem_of_its_own() -> None:
    document = network(hub={"router": "5", "underlay": {"interface": "eth0"}})
    document["tasuki-network:network"]["router"].append({"name": 5})
    assert paths(document) == ["/tasuki-network:network/router[name='5']/name"]


def test_a_name_that_is_also_a_splits_is_missed_beside_a_problem_of_the_split() -> None:
    document = network(hub={"router": "ae00", "underlay": {"interface": "eth0"}}, speed=3)
    assert sorted(paths(document)) == ["/hub/router", "/speed"]


def test_a_malformed_document_is_one_problem() -> None:
    (error,) = validate(network_validator(), [])
    assert error.error_path == ""


NOT_CARRIED_OUT = {
    "a next hop with a zone": route({"next-hop-address": "fe80::1%eth0"}),
    "the unspecified next hop": route({"next-hop-address": "::"}),
    "a route that delivers locally": route({"special-next-hop": "receive"}),
    **{
        f"the interface name {name!r}": interface(name=name)
        for name in ("", "a b", "a/b", "a:b", ".", "..", "all", "default", "sixteen-letters-")
    },
}


@pytest.mark.parametrize("case", NOT_CARRIED_OUT)
def test_what_linux_cannot_have_is_refused_by_the_check_and_by_both_validators(case: str) -> None:
    document = NOT_CARRIED_OUT[case]
    (error,) = check(ROUTER, document)
    assert error.error_tag == "invalid-value"
    assert VALIDATORS["router"].validate(document)
    assert ORACLES["router"].validate(document)
