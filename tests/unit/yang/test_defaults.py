"""The modes of RFC 6243."""

from typing import Any

import pytest
from hypothesis import given
from tasuki_yang.check import canonical
from tasuki_yang.defaults import WithDefaults, with_defaults
from tasuki_yang.edit import merge
from tasuki_yang.node import Schema
from tasuki_yang.schema import NETWORK, ROUTER
from tasuki_yang.validator import network_validator
from unit.yang.example import EXAMPLE, trees

EXPLICIT, ALL = WithDefaults.EXPLICIT, WithDefaults.REPORT_ALL
TAGGED, TRIM = WithDefaults.REPORT_ALL_TAGGED, WithDefaults.TRIM
TREES = trees(EXAMPLE)
Json = dict[str, Any]
TAG = {"ietf-netconf-with-defaults:default": True}
SCHEMAS = pytest.mark.parametrize("schema", [EXAMPLE, NETWORK, ROUTER], ids=["example", "network", "router"])


def values(**members: Any) -> Json:
    return {"example:values": members}


DEFAULTS = {"share": 50, "smaller-share": 5, "level": "low"}


def test_explicit_shows_what_was_set_be_it_the_default_or_not() -> None:
    tree = values(share=50)
    assert with_defaults(EXAMPLE, tree, EXPLICIT) is tree


def test_report_all_shows_every_value_in_use() -> None:
    assert with_defaults(EXAMPLE, {}, ALL) == values(**DEFAULTS)
    assert with_defaults(EXAMPLE, values(share=1, text="x"), ALL) == values(
        **DEFAULTS | {"share": 1, "text": "x"}
    )


def test_a_default_under_a_condition_is_in_use_where_the_condition_holds() -> None:
    assert (
        "example-extension:extra" not in with_defaults(EXAMPLE, values(switch=False), ALL)["example:values"]
    )
    extra = with_defaults(EXAMPLE, values(switch=True), ALL)["example:values"]["example-extension:extra"]
    assert extra == "7"


def test_a_condition_sees_the_defaults_of_its_siblings() -> None:
    def subscriber(**members: Any) -> Json:
        split = {"name": "ae00", "subscriber": [{"number": 1, **members}]}
        tree = {"tasuki-network:network": {"tasuki-vxlan-split:vxlan-split": [split]}}
        shown = with_defaults(NETWORK, tree, ALL)["tasuki-network:network"]
        found: Json = shown["tasuki-vxlan-split:vxlan-split"][0]["subscriber"][0]
        return found

    assert subscriber()["default-route-metric"] == 512
    assert subscriber(mode="default-gateway")["default-route-metric"] == 512
    assert "default-route-metric" not in subscriber(mode="policy-routing")


def test_an_interface_of_another_type_is_shown_no_tunnel() -> None:
    tree = {"ietf-interfaces:interfaces": {"interface": [{"name": "lan0", "type": "iana-if-type:other"}]}}
    (lan,) = with_defaults(ROUTER, tree, ALL)["ietf-interfaces:interfaces"]["interface"]
    assert "tasuki-link:vxlan" not in lan
    assert lan["enabled"] is True


def test_tags_are_on_defaults_in_use_and_not_on_what_was_set_to_the_same() -> None:
    shown = with_defaults(EXAMPLE, values(share=50), TAGGED)["example:values"]
    assert shown == {**DEFAULTS, "@smaller-share": TAG, "@level": TAG}


def test_trim_shows_nothing_that_equals_its_default() -> None:
    assert with_defaults(EXAMPLE, values(share=50, level="low"), TRIM) == {}
    assert with_defaults(EXAMPLE, values(share=51, level="low"), TRIM) == values(share=51)


@SCHEMAS
def test_trimming_what_was_filled_gives_what_trimming_gives(schema: Schema) -> None:
    @given(trees(schema))
    def law(tree: Json) -> None:
        trimmed = with_defaults(schema, tree, TRIM)
        filled = with_defaults(schema, tree, ALL)
        assert with_defaults(schema, filled, TRIM) == trimmed
        assert with_defaults(schema, trimmed, TRIM) == trimmed
        assert canonical(schema, trimmed) == trimmed
        assert with_defaults(schema, filled, ALL) == filled

    law()


@given(TREES)
def test_what_is_in_use_holds_all_that_was_set(tree: Json) -> None:
    assert merge(EXAMPLE, with_defaults(EXAMPLE, tree, ALL), tree) == canonical(
        EXAMPLE, with_defaults(EXAMPLE, tree, ALL)
    )


def test_setting_all_defaults_of_a_valid_tree_leaves_it_valid() -> None:
    split = {
        "name": "ae00",
        "prefix": "2001:db8:ae00::/40",
        "hub": {"router": "a", "underlay": {"interface": "wan0", "ipv4-address": "192.0.2.1"}},
        "subscriber": [
            {
                "number": number,
                "router": "b",
                "mode": mode,
                "underlay": {"interface": "wan0", "address": "198.51.100.1"},
            }
            for number, mode in ((1, "policy-routing"), (2, "default-gateway"))
        ],
    }
    tree = {
        "tasuki-network:network": {
            "router": [{"name": "a"}, {"name": "b"}],
            "tasuki-vxlan-split:vxlan-split": [split],
        }
    }
    assert not network_validator().validate(tree)
    assert not network_validator().validate(canonical(NETWORK, with_defaults(NETWORK, tree, ALL)))


def test_trim_leaves_out_what_is_said_of_a_trimmed_leaf_and_nothing_else() -> None:
    tree = values(**{"@": TAG, "share": 50, "@share": TAG, "text": "x", "@text": TAG})
    assert with_defaults(EXAMPLE, tree, TRIM) == values(**{"@": TAG, "text": "x", "@text": TAG})
