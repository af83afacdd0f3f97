"""Our nftables table: what the router tree puts into it, how it is written down, where two of them differ."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tasuki_agent.kernel.marks import COMMENT
from tasuki_agent.kind import differences
from tasuki_agent.kinds.nftables import codec, contributions, model
from tasuki_agent.kinds.nftables.model import TABLE, Table, TableKey
from tasuki_agent.kinds.nftables.ruleset import Block
from tasuki_agent.known import Known
from tasuki_agent.reconcile.drift import text
from tasuki_yang.router import Router
from tasuki_yang.tree import Tree
from tasuki_yang.validator import router_validator, validate

RENDERED = Path(__file__).parent / "rendered"
TUNNEL: Tree = {
    "name": "ip6tnl1",
    "type": "tasuki-link:ip6tnl",
    "tasuki-link:mtu": 1460,
    "tasuki-link:ip6tnl": {"local": "2001:db8::1", "remote": "2001:db8::2"},
    "tasuki-nftables:tcp-mss-clamp": "mtu",
}
LAN: Tree = {
    "name": "lan0",
    "type": "iana-if-type:other",
    "tasuki-nftables:tcp-mss-clamp": 1400,
    "tasuki-nftables:keep-ipv6-autoconfiguration-out": True,
    "tasuki-nftables:keep-ipv6-forwarding-out": True,
}
CLAMP, KEEP_OUT = "ip6tnl1 tcp-mss-clamp", "lan0 keep-ipv6-autoconfiguration-out"


def only(leaf: str) -> Tree:
    """The LAN with nothing else of it."""
    return {name: LAN[name] for name in ("name", "type", f"tasuki-nftables:{leaf}")}


def tree_of(*interfaces: Tree) -> Tree:
    return {"ietf-interfaces:interfaces": {"interface": list(interfaces)}}


def want(*interfaces: Tree) -> Mapping[TableKey, Table]:
    return model.want(Router.model_validate_json(json.dumps(tree_of(*interfaces))), Known())


def table(*interfaces: Tree) -> tuple[TableKey, Table]:
    ((key, spec),) = want(*interfaces).items()
    return key, spec


def with_lines(spec: Table, head: str, lines: tuple[str, ...]) -> Table:
    """The table with other lines in one of its blocks."""
    return replace(
        spec, blocks=tuple(Block(head, lines) if block.head == head else block for block in spec.blocks)
    )


def lines_of(spec: Table, head: str) -> tuple[str, ...]:
    return next(block.lines for block in spec.blocks if block.head == head)


@pytest.mark.parametrize(
    ("file", "interfaces"),
    [
        ("mss-clamp.nft", [TUNNEL]),
        ("autoconfiguration.nft", [only("keep-ipv6-autoconfiguration-out")]),
        ("forwarding.nft", [only("keep-ipv6-forwarding-out")]),
        ("everything.nft", [TUNNEL, LAN]),
    ],
)
def test_the_script_is_the_one_that_was_looked_over(file: str, interfaces: list[Tree]) -> None:
    assert codec.create(table(*interfaces)[1].blocks) == (RENDERED / file).read_text()


def test_every_contribution_is_in_one_of_the_scripts() -> None:
    router = Router.model_validate_json(json.dumps(tree_of(TUNNEL, LAN)))
    assert all(contribute(router).chains for contribute in contributions.load())


def test_where_nothing_is_asked_for_there_is_no_table() -> None:
    assert want() == {}
    assert want({"name": "lan0", "type": "iana-if-type:other"}) == {}
    for leaf in ("keep-ipv6-autoconfiguration-out", "keep-ipv6-forwarding-out"):
        off = {f"tasuki-nftables:{leaf}": False}
        assert want({"name": "lan0", "type": "iana-if-type:other", **off}) == {}


def test_the_order_of_the_interfaces_in_the_tree_means_nothing() -> None:
    assert want(TUNNEL, LAN) == want(LAN, TUNNEL)


def test_the_mss_follows_the_mtu_less_the_headers_of_each_family() -> None:
    rules = lines_of(table({**TUNNEL, "tasuki-link:mtu": 1280})[1], "chain clamp-mss")
    assert [line for line in rules if "ipv4" in line and "set 1240 " in line]
    assert [line for line in rules if "ipv6" in line and "set 1220 " in line]


@pytest.mark.parametrize(
    ("change", "tag"),
    [
        ({"tasuki-nftables:tcp-mss-clamp": 535}, "invalid-value"),
        ({"tasuki-nftables:tcp-mss-clamp": 65496}, "invalid-value"),
        ({"tasuki-nftables:tcp-mss-clamp": "auto"}, "invalid-value"),
        ({"tasuki-nftables:tcp-mss-clamp": "mtu"}, "mtu-required"),
        ({"name": 'lan"0'}, "interface-name-unspeakable"),
        ({"name": "lan*"}, "interface-name-unspeakable"),
        ({"name": "lan\\0"}, "interface-name-unspeakable"),
    ],
)
def test_what_cannot_be_carried_out_is_refused_by_the_models(change: Tree, tag: str) -> None:
    errors = validate(router_validator(), tree_of({**LAN, **change}))
    assert errors
    assert all(tag in (error.error_app_tag, error.error_tag) for error in errors)


def test_an_mss_cannot_follow_an_mtu_that_is_missing_or_too_small() -> None:
    assert validate(router_validator(), tree_of(TUNNEL)) == []
    for mtu in (None, 575):
        tunnel = {name: value for name, value in {**TUNNEL, "tasuki-link:mtu": mtu}.items() if value}
        (error,) = validate(router_validator(), tree_of(tunnel))
        assert error.error_app_tag == "mtu-required"
        assert error.error_path.endswith("interface[name='ip6tnl1']/tasuki-nftables:tcp-mss-clamp")


def test_a_listing_is_read_as_what_was_written() -> None:
    _, spec = table(TUNNEL, LAN)
    listing = codec.create(spec.blocks).split("\n", 1)[1].replace("{\n", f'{{\n\tcomment "{COMMENT}"\n', 1)
    assert codec.decode(listing) == spec.blocks


def test_sets_counters_and_what_the_table_itself_is_told_are_read_too() -> None:
    listing = (
        f'table inet tasuki {{\n\tcomment "{COMMENT}"\n\tflags dormant\n\n'
        "\tset known {\n\t\ttype ipv4_addr\n\t\telements = { 192.0.2.1, 192.0.2.2,\n"
        "\t\t\t     192.0.2.3 }\n\t}\n\n\tchain empty {\n\t}\n}\n"
    )
    assert codec.decode(listing) == (
        Block("chain empty"),
        Block("set known", ("type ipv4_addr", "elements = { 192.0.2.1, 192.0.2.2,", "\t     192.0.2.3 }")),
        Block("table", ("flags dormant",)),
    )


blocks = st.builds(
    Block,
    st.sampled_from(["chain a", "chain b", "set c"]),
    st.lists(st.sampled_from(["accept", "drop", 'drop comment "x"']), max_size=3).map(tuple),
)
tables = st.lists(blocks, max_size=3, unique_by=lambda block: block.head).map(
    lambda found: Table(model.in_order(found))
)


@given(tables, tables)
def test_tables_differ_in_something_exactly_if_they_differ(one: Table, other: Table) -> None:
    assert bool(differences(one, other)) == (one != other)


@given(tables)
def test_any_table_is_read_as_it_was_written(spec: Table) -> None:
    assert codec.decode(codec.create(spec.blocks).split("\n", 1)[1]) == spec.blocks


@given(tables, tables)
def test_what_was_listed_for_what_was_loaded_counts_as_that(loaded: Table, listed: Table) -> None:
    spelled = codec.spellings(loaded.blocks, listed.blocks)
    seen = {block.head: block for block in codec.respelled(listed.blocks, spelled)}
    for block in loaded.blocks:
        assert seen.get(block.head, block) == block
    assert codec.spellings(loaded.blocks, loaded.blocks) == {}


def test_a_rule_that_is_missing_is_told_under_its_label_and_at_its_leaf() -> None:
    key, spec = table(TUNNEL, LAN)
    rules = lines_of(spec, "chain clamp-mss")
    found = differences(spec, with_lines(spec, "chain clamp-mss", rules[1:]))
    assert found == {CLAMP: (rules[0].partition(" comment ")[0], "")}
    assert model.path(key, CLAMP) == (
        "/ietf-interfaces:interfaces/interface[name='ip6tnl1']/tasuki-nftables:tcp-mss-clamp"
    )


def test_a_rule_of_somebody_is_told_under_its_chain() -> None:
    key, spec = table(TUNNEL)
    head = "chain forward-syn"
    found = differences(spec, with_lines(spec, head, (*lines_of(spec, head), "tcp dport 25 drop")))
    assert found == {head: ("", "tcp dport 25 drop")}
    assert model.path(key, head) == "/ietf-interfaces:interfaces"


def test_a_chain_of_somebody_is_told_though_it_is_empty() -> None:
    _, spec = table(TUNNEL)
    found = differences(spec, replace(spec, blocks=(*spec.blocks, Block("chain other"))))
    assert found == {"chain other": ("", "chain other")}


def test_rules_in_another_order_are_told_as_their_whole_chain() -> None:
    _, spec = table(TUNNEL, LAN)
    rules = lines_of(spec, "chain clamp-mss")
    turned = with_lines(spec, "chain clamp-mss", (*rules[4:], *rules[:4]))
    assert differences(spec, turned) == {
        "chain clamp-mss": ("; ".join(rules), "; ".join((*rules[4:], *rules[:4])))
    }


def test_a_table_that_cannot_be_listed_is_told_with_the_reason() -> None:
    _, spec = table(TUNNEL)
    why = "list table inet tasuki: there is no program nft"
    assert differences(spec, Table((), why)) == {"blocks": ("chain clamp-mss, chain forward-syn", why)}


def test_a_missing_table_is_told_in_few_words() -> None:
    assert text(table(TUNNEL, LAN)[1]) == (
        "chain clamp-mss, chain forward-syn, chain keep-autoconfiguration-out, chain keep-forwarding-out"
    )


def test_the_tree_shows_the_leaves_whose_rules_are_all_there() -> None:
    key, spec = table(TUNNEL, LAN)
    assert interfaces(model.tree(key, spec)) == {
        "ip6tnl1": {"tasuki-nftables:tcp-mss-clamp": 1420},
        "lan0": {
            "tasuki-nftables:tcp-mss-clamp": 1400,
            "tasuki-nftables:keep-ipv6-autoconfiguration-out": True,
            "tasuki-nftables:keep-ipv6-forwarding-out": True,
        },
    }
    rules = lines_of(spec, "chain clamp-mss")
    broken = with_lines(spec, "chain clamp-mss", rules[1:])
    assert set(interfaces(model.tree(key, broken))) == {"lan0"}
    assert model.tree(key, Table(())) == {}
    assert model.tree(TABLE, spec) == {}


def interfaces(tree: Mapping[str, Any]) -> dict[str, Tree]:
    entries = tree["ietf-interfaces:interfaces"]["interface"]
    return {
        entry["name"]: {name: value for name, value in entry.items() if name != "name"} for entry in entries
    }


def test_only_the_table_with_our_comment_is_ours() -> None:
    _, spec = table(TUNNEL)
    assert model.owns(TABLE, replace(spec, comment=COMMENT), {})
    for comment in ("", "mine", COMMENT.upper()):
        assert not model.owns(TABLE, replace(spec, comment=comment), {})
