"""Confirmed commit (RFC 6241 section 8.4), rules P1 to P11, against a real controller over gRPC."""

# ruff: noqa: N802 - named after the rules

import asyncio
import time
from pathlib import Path

import pytest
from controller_process import ControllerProcess, Operator, operator, running
from lab.conformance.session import (
    BEYOND,
    CANDIDATE,
    DELETE,
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
from tasuki_proto.v1 import config_pb2


async def test_P1_the_default_timeout_is_600_seconds(alice: Operator) -> None:
    one = await session(alice)
    await one.edit(add("a"))
    before = time.time()
    made = await one.commit(confirmed=True)
    assert before + 595 < made.revert_at.seconds < time.time() + 601


@pytest.mark.parametrize("seconds", [1, 2**32 - 1])
async def test_P1_the_timeout_is_in_seconds_up_to_32_bits(alice: Operator, seconds: int) -> None:
    made = await (await session(alice)).try_out("a", seconds)
    assert made.committed


async def test_P1_a_timeout_of_0_is_rejected(alice: Operator) -> None:
    one = await session(alice)
    async with refused("invalid-value"):
        await one.try_out("a", 0)
    assert await revision(alice) == 0


async def test_P2_reverts_to_the_state_before_the_first_confirmed_commit(alice: Operator) -> None:
    one = await session(alice)
    await one.edit(add("before"))
    await one.commit()
    await one.try_out("first")
    await one.try_out("second")
    await one.try_out("third", SHORT)
    assert await routers(alice) == {"before", "first", "second", "third"}
    await reverted(alice, "before")
    assert await revision(alice) == 5


async def test_P2_reverts_to_nothing_if_nothing_was_before(alice: Operator) -> None:
    await (await session(alice)).try_out("a", 1)
    await reverted(alice)


async def test_P3_without_persist_another_session_can_neither_follow_up_nor_confirm(
    alice: Operator, bob: Operator
) -> None:
    one, other = await session(alice), await session(bob)
    await one.try_out("a")
    for fields in (
        {},
        {"confirmed": True},
        {"persist_id": "guess"},
        {"confirmed": True, "persist_id": "guess"},
    ):
        with pytest.raises(Exception, match="confirm"):
            await other.commit(**fields)
    await one.commit()
    assert await routers(bob) == {"a"}


@pytest.mark.parametrize("end", ["closed", "lost"])
async def test_P3_without_persist_the_end_of_the_session_reverts(alice: Operator, end: str) -> None:
    one = await session(alice, lease=SHORT if end == "lost" else 0)
    await one.try_out("a")
    if end == "closed":
        await one.close()
        assert await routers(alice) == set()
    await reverted(alice)


async def test_P4_with_persist_it_outlives_its_session_and_any_session_confirms_it_by_name(
    alice: Operator, bob: Operator
) -> None:
    one = await session(alice)
    await one.try_out("a", persist="upgrade")
    await one.close()
    assert await routers(bob) == {"a"}
    other = await session(bob)
    for wrong in ("", "other"):
        async with refused("invalid-value"):
            await other.commit(persist_id=wrong)
        async with refused("invalid-value"):
            await other.commit(persist_id=wrong, confirmed=True)
    await other.commit(persist_id="upgrade")
    await other.close()
    assert await routers(bob) == {"a"}
    async with refused("invalid-value"):
        await (await session(bob)).cancel("upgrade")


async def test_P4_with_persist_any_session_follows_up_by_name(alice: Operator, bob: Operator) -> None:
    await (await session(alice)).try_out("a", persist="upgrade")
    other = await session(bob)
    await other.try_out("b", SHORT, persist_id="upgrade")
    assert await routers(bob) == {"a", "b"}
    await reverted(bob)


async def test_P4_its_own_session_needs_the_name_too(alice: Operator) -> None:
    one = await session(alice)
    await one.try_out("a", persist="upgrade")
    async with refused("invalid-value"):
        await one.commit()


async def test_P5_a_follow_up_resets_the_timer_to_the_new_value(alice: Operator) -> None:
    one = await session(alice)
    await one.try_out("a", SHORT)
    await one.commit(confirmed=True, confirm_timeout=600)
    await asyncio.sleep(BEYOND)  # What is waited for is that nothing happens.
    assert await routers(alice) == {"a"}
    await one.commit(confirmed=True, confirm_timeout=1)
    await reverted(alice)


async def test_P5_a_follow_up_without_a_value_resets_the_timer_to_600_seconds(alice: Operator) -> None:
    one = await session(alice)
    short = await one.try_out("a", 5)
    made = await one.commit(confirmed=True)
    assert made.revert_at.seconds - short.revert_at.seconds > 590


async def test_P5_a_follow_up_may_carry_changes_and_keeps_the_baseline(alice: Operator) -> None:
    one = await session(alice)
    await one.try_out("a")
    await one.try_out("b")
    await one.cancel()
    assert await routers(alice) == set()


async def test_P6_a_plain_commit_confirms(alice: Operator) -> None:
    one = await session(alice)
    await one.try_out("a", SHORT)
    made = await one.commit()
    assert (made.committed, made.HasField("revert_at")) == (False, False)
    await asyncio.sleep(BEYOND)  # What is waited for is that nothing happens.
    assert await routers(alice) == {"a"}


async def test_P6_a_confirming_commit_may_carry_changes(alice: Operator) -> None:
    one = await session(alice)
    await one.try_out("a")
    await one.edit(add("b"), edit(DELETE, router("a")))
    assert (await one.commit()).committed
    await one.close()
    assert await routers(alice) == {"b"}


@pytest.mark.parametrize("persist", ["", "upgrade"])
@pytest.mark.parametrize("end", ["kill", "stop"])
async def test_P7_a_restart_before_the_confirmation_reverts(tmp_path: Path, persist: str, end: str) -> None:
    async with running(tmp_path, "--insecure") as first, operator(first.target) as alice:
        one = await session(alice)
        await one.edit(add("before"))
        await one.commit()
        await one.try_out("a", persist=persist)
        await one.try_out("b", persist_id=persist)
        await (first.kill() if end == "kill" else first.stop())
    async with running(tmp_path, "--insecure") as second, operator(second.target) as alice:
        assert await routers(alice) == {"before"}
        assert await revision(alice) == 4
        other = await session(alice)
        async with refused("invalid-value"):
            await other.commit(persist_id="upgrade")


async def test_P8_cancel_commit_reverts_now(alice: Operator) -> None:
    one = await session(alice)
    await one.try_out("a")
    await one.try_out("b")
    assert await one.cancel() == 3
    assert await routers(alice) == set()
    async with refused("invalid-value"):
        await one.cancel()


async def test_P8_without_a_name_only_the_issuing_session_can_cancel(alice: Operator, bob: Operator) -> None:
    one, other = await session(alice), await session(bob)
    await one.try_out("a")
    for name in ("", "guess"):
        async with refused("invalid-value"):
            await other.cancel(name)
    assert await routers(bob) == {"a"}


async def test_P8_with_the_name_any_session_can_cancel(alice: Operator, bob: Operator) -> None:
    one, other = await session(alice), await session(bob)
    await one.try_out("a", persist="upgrade")
    for name in ("", "guess"):
        async with refused("invalid-value"):
            await other.cancel(name)
    await other.cancel("upgrade")
    assert await routers(bob) == set()


async def test_P9_running_is_durable_itself_so_that_what_is_confirmed_survives_a_restart(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, "--insecure") as first, operator(first.target) as alice:
        one = await session(alice)
        await one.try_out("a")
        await one.commit()
        await first.kill()
    async with running(tmp_path, "--insecure") as second, operator(second.target) as alice:
        assert await routers(alice) == {"a"}


async def test_P10_events_tell_of_start_extension_and_completion(alice: Operator, bob: Operator) -> None:
    async with watching(bob) as watch:
        one = await session(alice)
        first = await one.try_out("a")
        second = await one.try_out("b")
        await one.commit(comment="works")
        start, extend, complete = await watch.until(
            Event.EVENT_START, Event.EVENT_EXTEND, Event.EVENT_COMPLETE
        )
        assert (start.revision, extend.revision, complete.revision) == (1, 2, 2)
        assert abs(start.revert_at.ToNanoseconds() - first.revert_at.ToNanoseconds()) < 1e9
        assert abs(extend.revert_at.ToNanoseconds() - second.revert_at.ToNanoseconds()) < 1e9
        assert not complete.HasField("revert_at")
        assert {each.author for each in (start, extend, complete)} == {"local"}


async def test_P10_events_tell_of_cancellation_and_timeout(alice: Operator, bob: Operator) -> None:
    async with watching(bob) as watch:
        one = await session(alice)
        await one.try_out("a")
        await one.cancel()
        await watch.until(Event.EVENT_START, Event.EVENT_CANCEL)
        await one.try_out("a", 1)
        *_, timeout = await watch.until(
            Event.EVENT_START, Event.EVENT_CANCEL, Event.EVENT_START, Event.EVENT_TIMEOUT
        )
        assert timeout.revision == 4
        assert timeout.message


async def test_P10_a_late_watcher_is_told_what_is_pending(alice: Operator, bob: Operator) -> None:
    await (await session(alice)).try_out("a")
    async with watching(bob) as watch:
        await watch.until(Event.EVENT_START)


async def test_P11_the_controllers_own_revert_asks_no_lock(alice: Operator, bob: Operator) -> None:
    one, other = await session(alice), await session(bob)
    await one.lock(RUNNING)
    await other.lock(CANDIDATE)
    await other.unlock(CANDIDATE)
    await one.try_out("a", SHORT)
    await other.lock(CANDIDATE)
    await reverted(alice)
    async with refused("in-use"):
        await alice.apply({"tasuki-network:network": {"router": [{"name": "b"}]}})


async def test_P11_the_revert_is_the_controllers_own_in_the_history(alice: Operator) -> None:
    await (await session(alice)).try_out("a", 1)
    await reverted(alice)
    listed = await alice.config.ListRevisions(config_pb2.ListRevisionsRequest())
    newest, confirmed = listed.revisions
    assert (confirmed.author, newest.author) == ("local", "tasuki-controller")
    assert "not confirmed" in newest.comment


async def test_P11_no_session_can_lock_running_while_anothers_commit_awaits_its_confirmation(
    controller: ControllerProcess, alice: Operator, bob: Operator
) -> None:
    one, other = await session(alice), await session(bob)
    await one.try_out("a")
    async with refused("lock-denied"):
        await other.lock(RUNNING)
