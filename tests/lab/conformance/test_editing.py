"""Editing and validation, rules V1 to V5, against a real controller over gRPC.

Of V1, the test-option is that of Apply and Validate: test-then-set, and test-only by `dry_run`. The candidate
is tested when it is committed. Of V2, the order within one Set is gNMI's; here the order means nothing.
"""

# ruff: noqa: N802 - named after the rules

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import permutations

import pytest
from controller_process import ControllerProcess, Operator, agent
from lab.conformance.session import (
    CREATE,
    DELETE,
    MERGE,
    NETWORK,
    NONE,
    REPLACE,
    add,
    candidate,
    edit,
    refused,
    revision,
    router,
    routers,
    session,
    split_network,
    watching,
)
from tasuki_proto.v1 import agent_pb2, config_pb2, error_pb2

INTENDED = config_pb2.DATASTORE_INTENDED
SPLIT = f"{NETWORK}/tasuki-vxlan-split:vxlan-split[name='ae00']"
SUBSCRIBER = f"{SPLIT}/subscriber[number='1']"


async def test_V1_the_default_operation_is_merge(alice: Operator) -> None:
    one = await session(alice)
    await one.edit(add("a"))
    await one.edit(config_pb2.NodeEdit(path=NETWORK, value_json=b'{"router": [{"name": "b"}]}'))
    assert await candidate(alice) == {"a", "b"}


async def test_V1_another_default_operation_can_be_asked_for(alice: Operator) -> None:
    one = await session(alice)
    await one.edit(add("a"))
    b = config_pb2.NodeEdit(path=f"{NETWORK}/router", value_json=b'[{"name": "b"}]')
    await one.edit(b, default=REPLACE)
    assert await candidate(alice) == {"b"}
    async with refused("data-missing"):
        await one.edit(config_pb2.NodeEdit(path=router("a")), default=NONE)
    async with refused("invalid-value"):
        await one.edit(add("c"), default=DELETE)


async def test_V1_an_error_rolls_back_all_operations_of_all_trees(alice: Operator) -> None:
    one = await session(alice)
    interface = "/ietf-interfaces:interfaces/interface[name='lan0']"
    async with refused("data-missing"):
        await one.edit(
            add("a"),
            edit(CREATE, interface, {"type": "iana-if-type:other"}, "a"),
            edit(DELETE, interface, None, "b"),
        )
    assert await candidate(alice) == set()
    assert not (await alice.config.Diff(config_pb2.DiffRequest(candidate=True))).changes


async def test_V1_test_only_changes_nothing(alice: Operator) -> None:
    tree = {"tasuki-network:network": {"router": [{"name": "a"}]}}
    dry = await alice.apply(tree, dry_run=True)
    assert (len(dry.changes), dry.committed) == (1, False)
    assert await revision(alice) == 0


@pytest.mark.parametrize("second", [MERGE, REPLACE, CREATE])
async def test_V1_two_operations_on_one_node_are_rejected(
    alice: Operator, second: config_pb2.EditOperation
) -> None:
    one = await session(alice)
    async with refused("bad-element", router("a")):
        await one.edit(add("a"), edit(second, router("a"), {"description": "x"}))
    assert await candidate(alice) == set()


async def test_V1_an_operation_below_a_node_that_is_deleted_is_rejected(alice: Operator) -> None:
    one = await session(alice)
    await one.edit(add("a"))
    async with refused("bad-element", f"{router('a')}/description"):
        await one.edit(edit(MERGE, f"{router('a')}/description", "x"), edit(DELETE, router("a")))


async def test_V2_replace_returns_a_leaf_with_a_default_to_it_and_deletes_one_without(
    alice: Operator,
) -> None:
    one = await session(alice)
    await one.edit(edit(MERGE, "", split_network(1)))
    await one.edit(edit(MERGE, f"{SUBSCRIBER}/description", "a house"))
    entry = {"router": "home", "underlay": {"interface": "wan0", "address": "198.51.100.1"}}
    await one.edit(edit(REPLACE, SUBSCRIBER, entry))
    await one.commit()
    shown = await alice.get(path=SUBSCRIBER, with_defaults=config_pb2.WITH_DEFAULTS_REPORT_ALL)
    (subscriber,) = shown["tasuki-network:network"]["tasuki-vxlan-split:vxlan-split"][0]["subscriber"]
    assert subscriber["mode"] == "default-gateway"
    assert "description" not in subscriber


async def test_V2_replace_of_a_list_removes_entries_that_it_does_not_list(alice: Operator) -> None:
    one = await session(alice)
    await one.edit(add("a"), add("b"))
    await one.edit(edit(REPLACE, f"{NETWORK}/router", [{"name": "b"}, {"name": "c"}]))
    assert await candidate(alice) == {"b", "c"}


async def test_V2_the_order_of_operations_means_nothing(alice: Operator) -> None:
    one = await session(alice)
    operations = [
        edit(DELETE, router("a")),
        edit(REPLACE, router("b"), {}),
        edit(MERGE, f"{router('c')}/description", "x"),
    ]
    for order in permutations(operations):
        await one.discard()
        await one.edit(add("a"), edit(CREATE, router("b"), {"description": "old"}))
        changes = await one.edit(*order)
        assert sorted((change.path, change.new_json) for change in changes) == [
            (router("b"), '{"name":"b"}'),
            (router("c"), '{"name":"c","description":"x"}'),
        ]


async def test_V2_the_key_in_the_value_must_agree_with_the_path(alice: Operator) -> None:
    one = await session(alice)
    async with refused("invalid-value", router("a")):
        await one.edit(edit(CREATE, router("a"), {"name": "b"}))
    await one.edit(edit(CREATE, router("a"), {"name": "a"}))


async def test_V3_nothing_shows_a_change_before_all_of_it_is_accepted(
    controller: ControllerProcess, alice: Operator, bob: Operator
) -> None:
    await alice.apply({"tasuki-network:network": {"router": [{"name": "vps"}, {"name": "home"}]}})
    async with agent(controller.target) as vps, watching(bob) as watch:
        await vps.hello("vps")
        await vps.receive("intent")
        one = await session(alice)
        await one.edit(edit(MERGE, "", split_network(1)))
        assert await alice.get(path=SPLIT) == {}

        async def refuse() -> None:
            asked = await vps.receive("prepare_request")
            no = error_pb2.ConfigError(error_tag="operation-failed", message="no")
            await vps.send(prepare_answer=agent_pb2.PrepareAnswer(id=asked.id, refusals=[no]))

        for _ in range(2):
            async with refused("operation-failed") as refusal, _while(refuse):
                await one.commit()
            assert [problem.router for problem in refusal.problems] == ["vps"]
            assert await alice.get(path=SPLIT) == {}
            assert await alice.get(router="vps", datastore=INTENDED) == {}
            assert not watch.of_commits
        assert await revision(alice) == 1


@asynccontextmanager
async def _while(answer: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Let an agent answer during the block."""
    answering = asyncio.ensure_future(answer())
    try:
        yield
    finally:
        await answering


async def test_V4_running_stays_valid(alice: Operator) -> None:
    one = await session(alice)
    await one.edit(add("vps"), add("home"))
    await one.commit()
    broken = split_network(1)["tasuki-network:network"]["tasuki-vxlan-split:vxlan-split"][0]
    broken["hub"]["router"] = "nobody"
    await one.edit(edit(CREATE, SPLIT, broken))
    (error,) = (await alice.config.Validate(config_pb2.ValidateRequest())).errors
    async with refused("data-missing", error.error_path, error.error_app_tag):
        await one.commit()
    assert await alice.get(path=SPLIT) == {}
    await one.edit(edit(REPLACE, f"{SPLIT}/hub/router", "vps"))
    assert not (await alice.config.Validate(config_pb2.ValidateRequest())).errors
    await one.commit()


async def test_V4_intended_follows_running_at_once_and_cannot_be_written(alice: Operator) -> None:
    made = await alice.apply(split_network(1))
    response = await alice.config.Get(config_pb2.GetRequest(datastore=INTENDED, router="vps", as_json=True))
    assert response.revision == made.revision
    assert b"vxlan01" in response.config_json
    # Nothing can write to it: no call can name it as its target.
    assert not any("INTENDED" in name for name, _ in config_pb2.Target.items())


async def test_V5_validity_asks_neither_for_hardware_nor_for_a_connected_router(alice: Operator) -> None:
    made = await alice.apply(split_network(1))
    assert {(each.router, each.outcome) for each in made.routers} == {("vps", "offline"), ("home", "offline")}
    assert await routers(alice) == {"vps", "home"}
