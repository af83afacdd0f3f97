"""Numeric tables come in threes, in the same order on each run, and never where others are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tasuki_controller.compile import compile_running
from tasuki_controller.services.vxlan_split.tables import LAST_PRIORITY, Tables
from tasuki_yang.router import Router
from unit.services.networks import Json, network, running, split, subscriber


def policy(number: int, router: str = "home") -> Json:
    return subscriber(number, router, mode="policy-routing")


def rules_of(tree: Json) -> set[tuple[str, int, int]]:
    """Name, priority and table of each rule."""
    rules = Router.model_validate(tree).routing.rules.ipv6.rule
    return {(rule.name.rsplit("-", 2)[0], rule.priority, rule.table) for rule in rules}


def test_first_subscription_has_the_articles_tables() -> None:
    assert Tables(()).take(100) == 100


def test_next_subscription_has_the_next_free_three() -> None:
    tables = Tables(())

    assert [tables.take(100) for _ in range(3)] == [100, 103, 106]


@pytest.mark.parametrize("base", [251, 252, 253, 254, 255])
def test_the_kernels_tables_are_never_used(base: int) -> None:
    assert Tables(()).take(base) == 256


def test_tables_of_others_are_passed_over() -> None:
    assert Tables({101, 105}).take(100) == 102


def test_there_are_no_tables_beyond_the_last_priority() -> None:
    assert Tables(()).take(LAST_PRIORITY - 2) == LAST_PRIORITY - 2
    assert Tables(()).take(LAST_PRIORITY - 1) is None


@given(taken=st.sets(st.integers(1, 300)), bases=st.lists(st.integers(1, 300), max_size=30))
def test_no_table_is_given_twice(taken: set[int], bases: list[int]) -> None:
    tables = Tables(taken)
    given_out = [tables.take(base) for base in bases]
    used = [number for first in given_out if first for number in range(first, first + 3)]

    assert len(used) == len(set(used))
    assert not set(used) & (taken | {253, 254, 255})
    assert all(first >= base for first, base in zip(given_out, bases, strict=True) if first)


def test_thousands_of_subscriptions_of_one_router_are_quick() -> None:
    tables = Tables(())

    assert [tables.take(100) for _ in range(4095)][-1] == 100 + 3 * 4094 + 3  # 253 to 255 are left out


def test_tables_go_by_splits_name_and_subscribers_number() -> None:
    second = split(policy(1), name="b", prefix="2001:db8:be00::/40") | {"vni-base": 256}
    first = split(policy(10), policy(2), name="a")
    home = compile_running(running(network(second, first)))["home"]

    assert rules_of(home) == {
        *(("a-2", priority, priority) for priority in (100, 101, 102)),
        *(("a-10", priority, priority) for priority in (103, 104, 105)),
        *(("b-1", priority, priority) for priority in (106, 107, 108)),
    }


def test_a_splits_own_base_is_used() -> None:
    home = compile_running(running(network(split(policy(1)) | {"table-base": 1000})))["home"]

    assert {table for _, _, table in rules_of(home)} == {1000, 1001, 1002}


def test_routers_do_not_share_their_tables() -> None:
    intended = compile_running(running(network(split(policy(1), policy(2, "branch")))))

    assert {table for _, _, table in rules_of(intended["branch"])} == {100, 101, 102}


def test_written_tables_and_rules_count_as_taken() -> None:
    written = {
        "ietf-routing:routing": {
            "control-plane-protocols": {
                "control-plane-protocol": [
                    {"type": "static", "name": "mine", "static-routes": {"tasuki-route:table": 101}}
                ]
            },
            "tasuki-rule:rules": {"ipv4": {"rule": [{"name": "mine", "priority": 9, "table": 104}]}},
        }
    }
    home = compile_running(running(network(split(policy(1))), home=written))["home"]

    assert {table for _, _, table in rules_of(home)} == {105, 106, 107}
