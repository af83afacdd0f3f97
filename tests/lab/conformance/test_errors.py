"""Errors, rules E1 to E8, against a real controller over gRPC.

Of E6, no model of tasuki has a `must` without an app-tag of its own, which then takes the place of
must-violation (E2), nor a list that limits the number of its entries.
Of E1, the severity is always "error": tasuki has no warnings, so it does not travel. E8 is about gNMI's Set;
of it, what holds for any server is tested here: a request fails as a whole. The codes of the operations in a
Set belong to a gNMI server, as do the rules G1 to G6 and the remark on gNMI in E5.
"""

# ruff: noqa: N802 - named after the rules

from collections.abc import Awaitable, Callable
from typing import Any, Final, get_args

import grpc
import pytest
from controller_process import Operator, Refusal, struct
from lab.conformance.session import (
    CANDIDATE,
    CREATE,
    DELETE,
    MERGE,
    NETWORK,
    NONE,
    REMOVE,
    RUNNING,
    Session,
    add,
    candidate,
    edit,
    refused,
    router,
    session,
    split_network,
    the,
)
from tasuki_proto.v1 import config_pb2
from tasuki_yang.errors import ErrorTag
from tasuki_yang.path import parse
from tasuki_yang.schema import NETWORK as NETWORK_SCHEMA
from tasuki_yang.schema import ROUTER as ROUTER_SCHEMA

RFC_6241_TAGS: Final = frozenset(
    {
        "in-use",
        "invalid-value",
        "too-big",
        "missing-attribute",
        "bad-attribute",
        "unknown-attribute",
        "missing-element",
        "bad-element",
        "unknown-element",
        "unknown-namespace",
        "access-denied",
        "lock-denied",
        "resource-denied",
        "rollback-failed",
        "data-exists",
        "data-missing",
        "operation-not-supported",
        "operation-failed",
        "malformed-message",
    }
)
LAN: Final = "/ietf-interfaces:interfaces/interface[name='lan0']"
RULES: Final = "/ietf-routing:routing/tasuki-rule:rules/ipv6/rule"

Call = Callable[[Operator, Session], Awaitable[Any]]


async def _locked(alice: Operator, one: Session) -> None:
    await (await session(alice)).lock(RUNNING)
    await one.lock(RUNNING)


async def _in_use(alice: Operator, one: Session) -> None:
    await (await session(alice)).lock(RUNNING)
    await one.commit()


async def _invalid_commit(alice: Operator, one: Session) -> None:
    tunnel = {"vni": 1, "underlay": "lan0", "remote": "192.0.2.1", "local": "2001:db8::1"}
    link = {"type": "tasuki-link:vxlan", "tasuki-link:vxlan": tunnel}
    await one.edit(add("a"), edit(CREATE, LAN.replace("lan0", "vx0"), link, "a"))
    await one.commit()


FAILURES: Final[dict[str, tuple[Call, str, grpc.StatusCode]]] = {
    "clash": (
        lambda _, one: one.edit(edit(REMOVE, NETWORK), add("a")),
        "bad-element",
        grpc.StatusCode.INVALID_ARGUMENT,
    ),
    "delete": (
        lambda _, one: one.edit(edit(DELETE, router("z"))),
        "data-missing",
        grpc.StatusCode.NOT_FOUND,
    ),
    "value": (
        lambda _, one: one.edit(edit(MERGE, f"{router('a')}/description", 5)),
        "invalid-value",
        grpc.StatusCode.INVALID_ARGUMENT,
    ),
    "element": (
        lambda _, one: one.edit(edit(MERGE, router("a"), {"colour": 5})),
        "unknown-element",
        grpc.StatusCode.INVALID_ARGUMENT,
    ),
    "namespace": (
        lambda _, one: one.edit(edit(MERGE, router("a"), {"example:colour": 5})),
        "unknown-namespace",
        grpc.StatusCode.INVALID_ARGUMENT,
    ),
    "lock": (_locked, "lock-denied", grpc.StatusCode.FAILED_PRECONDITION),
    "commit": (_in_use, "in-use", grpc.StatusCode.FAILED_PRECONDITION),
    "unlock": (lambda _, one: one.unlock(RUNNING), "operation-failed", grpc.StatusCode.ABORTED),
    "must": (_invalid_commit, "operation-failed", grpc.StatusCode.ABORTED),
    "revision": (
        lambda alice, _: alice.config.Rollback(config_pb2.RollbackRequest(number=9)),
        "data-missing",
        grpc.StatusCode.NOT_FOUND,
    ),
    "operational": (
        lambda alice, _: alice.get(datastore=config_pb2.DATASTORE_OPERATIONAL),
        "operation-not-supported",
        grpc.StatusCode.UNIMPLEMENTED,
    ),
    "json": (
        lambda alice, _: alice.config.Apply(config_pb2.ApplyRequest(config_json=b"{")),
        "malformed-message",
        grpc.StatusCode.INVALID_ARGUMENT,
    ),
    "comment": (
        lambda _, one: one.commit(comment="x" * 1001),
        "too-big",
        grpc.StatusCode.INVALID_ARGUMENT,
    ),
}


@pytest.mark.parametrize("name", FAILURES)
async def test_E1_E3_E7_a_failure_has_type_tag_message_and_a_code(alice: Operator, name: str) -> None:
    call, tag, code = FAILURES[name]
    one = await session(alice)
    with Refusal() as refusal:
        await call(alice, one)
    assert refusal.code is code
    assert tag in {problem.error_tag for problem in refusal.problems}
    for problem in refusal.problems:
        assert problem.error_type in ("transport", "rpc", "protocol", "application")
        assert problem.error_tag in RFC_6241_TAGS
        assert problem.message
        assert problem.message in refusal.text


async def test_E2_a_path_is_absolute_and_leads_to_the_node(alice: Operator) -> None:
    one = await session(alice)
    async with refused("invalid-value", f"{router('a')}/description"):
        await one.edit(edit(MERGE, NETWORK, {"router": [{"name": "a", "description": 5}]}))
    with Refusal() as refusal:
        await _invalid_commit(alice, one)
    for problem in refusal.problems:
        schema = ROUTER_SCHEMA if problem.router else NETWORK_SCHEMA
        assert problem.error_path.startswith("/")
        assert parse(schema, problem.error_path)


async def test_E2_the_models_own_app_tag_takes_the_place_of_ours(alice: Operator) -> None:
    one = await session(alice)
    async with refused("operation-failed", app_tag="address-family-mismatch") as refusal:
        await _invalid_commit(alice, one)
    assert the(refusal, "operation-failed").router == "a"
    async with refused("invalid-value", app_tag="mac-address-not-unicast"):
        await one.edit(edit(MERGE, f"{LAN}/tasuki-link:mac-address", "01:00:00:00:00:01", "a"))


def test_E3_there_are_no_other_tags() -> None:
    assert set(get_args(ErrorTag)) == RFC_6241_TAGS


async def test_E4_the_bad_element_and_namespace_are_named(alice: Operator) -> None:
    one = await session(alice)
    async with refused("unknown-element", f"{router('a')}/colour") as refusal:
        await one.edit(edit(MERGE, router("a"), {"colour": 5}))
    assert the(refusal, "unknown-element").error_info == {"bad-element": "colour"}
    async with refused("unknown-namespace") as refusal:
        await one.edit(edit(MERGE, router("a"), {"example:colour": 5}))
    info = the(refusal, "unknown-namespace").error_info
    assert info == {"bad-element": "example:colour", "bad-namespace": "example"}
    async with refused("missing-element") as refusal:
        await one.edit(edit(MERGE, NETWORK, {"router": [{"description": "x"}]}))
    assert the(refusal, "missing-element").error_info == {"bad-element": "name"}


async def test_E4_lock_denied_names_the_holder_or_0(alice: Operator, bob: Operator) -> None:
    one, other = await session(alice), await session(bob)
    await one.lock(RUNNING)
    async with refused("lock-denied") as refusal:
        await other.lock(RUNNING)
    assert the(refusal, "lock-denied").error_info == {"session-id": str(one.number)}
    await one.edit(add("a"))
    async with refused("lock-denied") as refusal:
        await other.lock(CANDIDATE)
    assert the(refusal, "lock-denied").error_info == {"session-id": "0"}


async def test_E5_create_of_what_exists_is_data_exists(alice: Operator) -> None:
    one = await session(alice)
    await one.edit(add("a"))
    async with refused("data-exists", router("a")) as refusal:
        await one.edit(add("a"))
    assert refusal.code is grpc.StatusCode.ALREADY_EXISTS


async def test_E5_delete_of_what_is_missing_is_data_missing_and_remove_is_silent(alice: Operator) -> None:
    one = await session(alice)
    async with refused("data-missing", router("a")):
        await one.edit(edit(DELETE, router("a")))
    assert not await one.edit(edit(REMOVE, router("a")))


async def test_E5_default_operation_none_needs_the_parent(alice: Operator) -> None:
    one = await session(alice)
    description = f"{router('a')}/description"
    async with refused("data-missing", router("a")):
        await one.edit(edit(MERGE, description, "x"), default=NONE)
    await one.edit(add("a"))
    assert await one.edit(edit(MERGE, description, "x"), default=NONE)


async def test_E6_violations_have_the_tags_of_rfc_7950_section_15(alice: Operator) -> None:
    tree = split_network(1)
    entry = tree["tasuki-network:network"]["tasuki-vxlan-split:vxlan-split"][0]
    entry["hub"]["router"] = "nobody"
    entry["subscriber"].append({"number": 2, "underlay": {"interface": "wan0", "address": "198.51.100.2"}})
    del entry["prefix"]
    rule = {"priority": 1, "table": 7, "source": "2001:db8::/32", "destination": "2001:db8:1::/48"}
    rules = {"tasuki-rule:rules": {"ipv6": {"rule": [{"name": "x"} | rule, {"name": "y"} | rule]}}}
    with Refusal() as refusal:
        await alice.apply(tree, router_config={"home": struct({"ietf-routing:routing": rules})})
    told = {(each.error_tag, each.error_app_tag, each.error_path) for each in refusal.problems}
    path = f"{NETWORK}/tasuki-vxlan-split:vxlan-split[name='ae00']"
    assert ("data-missing", "instance-required", f"{path}/hub/router") in told
    assert ("data-missing", "instance-required", f"{path}/prefix") in told
    assert ("data-missing", "missing-choice", f"{path}/subscriber[number='2']") in told
    assert any(tag == "operation-failed" and app == "data-not-unique" for tag, app, _ in told)


async def test_E7_all_problems_of_a_request_are_told(alice: Operator) -> None:
    one = await session(alice)
    with Refusal() as refusal:
        await one.edit(
            edit(DELETE, router("a")),
            edit(MERGE, f"{router('b')}/description", 5),
            edit(MERGE, f"{RULES}[name='x']/table", "seven", "c"),
            edit(MERGE, f"{RULES}[name='x']/priority", -1, "c"),
        )
    assert [(each.error_tag, each.router) for each in refusal.problems] == [
        ("invalid-value", ""),
        ("data-missing", ""),
        ("invalid-value", "c"),
        ("invalid-value", "c"),
    ]


async def test_E8_a_request_fails_as_a_whole(alice: Operator) -> None:
    one = await session(alice)
    async with refused("data-missing"):
        await one.edit(add("a"), add("b"), edit(DELETE, router("c")))
    assert await candidate(alice) == set()
