"""Mistakes of shipping servers, none of which this one makes, against a real controller over gRPC."""

import asyncio
from pathlib import Path

import pytest
from controller_process import DEADLINE, Operator, network, operator, running, struct
from lab.conformance.session import (
    BEYOND,
    CREATE,
    DELETE,
    MERGE,
    NETWORK,
    RUNNING,
    SHORT,
    Event,
    add,
    edit,
    refused,
    reverted,
    revision,
    router,
    routers,
    session,
    watching,
)

LAN = "/ietf-interfaces:interfaces/interface[name='lan0']"


async def test_mistake_1_a_follow_up_is_named_by_persist_id_and_need_not_be_named_anew(
    alice: Operator,
) -> None:
    one = await session(alice)
    await one.try_out("a", persist="upgrade")
    await one.try_out("b", persist_id="upgrade")
    await one.commit(persist_id="upgrade")
    assert await routers(alice) == {"a", "b"}


async def test_mistake_1_a_follow_up_can_give_a_new_name(alice: Operator) -> None:
    one = await session(alice)
    await one.try_out("a", persist="upgrade")
    await one.try_out("b", persist_id="upgrade", persist="more")
    async with refused("invalid-value"):
        await one.commit(persist_id="upgrade")
    await one.commit(persist_id="more")


async def test_mistake_2_a_confirming_commit_that_fails_does_not_lose_the_way_back(
    alice: Operator, bob: Operator
) -> None:
    async with watching(bob) as watch:
        one = await session(alice)
        await one.try_out("a", SHORT)
        await one.edit(edit(CREATE, LAN, {"type": "iana-if-type:other"}, "nobody"))
        async with refused("data-missing"):
            await one.commit()
        await reverted(alice)
        await watch.until(Event.EVENT_START, Event.EVENT_TIMEOUT)


async def test_mistake_3_a_revert_is_whole_over_all_trees(alice: Operator) -> None:
    lan = {"ietf-interfaces:interfaces": {"interface": [{"name": "lan0", "type": "iana-if-type:other"}]}}
    await alice.apply(network("a", "b"), router_config={"a": struct(lan)})
    one = await session(alice)
    await one.edit(
        edit(DELETE, LAN, None, "a"),
        edit(CREATE, LAN, {"type": "iana-if-type:other"}, "b"),
        edit(MERGE, f"{router('a')}/description", "x"),
        add("c"),
    )
    await one.commit(confirmed=True)
    assert (await alice.get(router="a"), await alice.get(router="b")) == ({}, lan)
    assert await one.cancel() == 3
    assert (await alice.get(router="a"), await alice.get(router="b")) == (lan, {})
    assert await alice.get() == network("a", "b")


async def test_mistake_4_a_follow_up_does_not_move_the_baseline(alice: Operator) -> None:
    await alice.apply(network("before"))
    one = await session(alice)
    await one.try_out("first")
    await one.commit(confirmed=True)
    await one.try_out("second", 1)
    await reverted(alice, "before")


async def test_mistake_5_a_confirming_commit_with_changes_disarms_the_timer(alice: Operator) -> None:
    one = await session(alice)
    await one.try_out("a", SHORT)
    await one.edit(add("b"))
    await one.commit()
    await asyncio.sleep(BEYOND)  # What is waited for is that nothing happens.
    assert await routers(alice) == {"a", "b"}


async def test_mistake_6_nobody_elses_commit_can_vanish_with_a_revert(alice: Operator, bob: Operator) -> None:
    one, other = await session(alice), await session(bob)
    await one.try_out("a", persist="upgrade")
    async with refused("in-use"):
        await bob.apply(network("b"))
    await other.edit(add("b"))
    async with refused("invalid-value"):
        await other.commit()
    await one.cancel("upgrade")
    assert await routers(bob) == set()
    await other.commit()
    assert "b" in await routers(bob)


async def test_mistake_6_a_rollback_is_a_revision_of_its_own(alice: Operator) -> None:
    one = await session(alice)
    await one.try_out("a", 1)
    await reverted(alice)
    assert await revision(alice) == 2


@pytest.mark.parametrize("confirmed", [False, True])
async def test_mistake_7_commit_asks_the_locks(alice: Operator, bob: Operator, confirmed: bool) -> None:  # noqa: FBT001
    one, other = await session(alice), await session(bob)
    await one.edit(add("a"))
    await other.lock(RUNNING)
    async with refused("in-use"):
        await one.commit(confirmed=confirmed)
    await other.unlock(RUNNING)
    await one.commit(confirmed=confirmed)


async def test_mistake_8_a_lock_left_behind_does_not_block_the_next_commit(
    alice: Operator, bob: Operator
) -> None:
    lost = await session(alice, lease=SHORT)
    await lost.lock(RUNNING)

    async def applied() -> None:
        while True:
            try:
                await bob.apply(network("b"))
            except Exception as error:  # noqa: BLE001 - which one it is, is asked next
                assert "locked" in str(error)  # noqa: PT017
                await asyncio.sleep(0.05)
            else:
                return

    async with asyncio.timeout(DEADLINE):
        await applied()


async def test_mistake_8_no_lock_is_left_behind_by_a_restart(tmp_path: Path) -> None:
    async with running(tmp_path, "--insecure") as first, operator(first.target) as alice:
        await (await session(alice)).lock(RUNNING)
        await first.kill()
    async with running(tmp_path, "--insecure") as second, operator(second.target) as alice:
        await alice.apply(network("a"))


async def test_mistake_9_no_timer_stays_armed_after_a_commit_that_failed(
    alice: Operator, bob: Operator
) -> None:
    one = await session(alice)
    await one.edit(edit(CREATE, LAN, {"type": "iana-if-type:other"}, "nobody"))
    async with refused("data-missing", f"{NETWORK}/router[name='nobody']"):
        await one.commit(confirmed=True, confirm_timeout=SHORT)
    async with refused("invalid-value"):
        await one.cancel()
    await one.discard()
    await bob.apply(network("b"))
    await asyncio.sleep(BEYOND)  # What is waited for is that nothing happens.
    assert await routers(bob) == {"b"}
