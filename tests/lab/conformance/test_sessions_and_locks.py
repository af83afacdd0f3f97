"""Candidate, locks and commit, rules C1 to C8, against a real controller over gRPC.

C7's kill-session is the end of a lease here: nobody can end another one's session, and a session that closes
itself is no error.
"""

# ruff: noqa: N802 - named after the rules

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import pytest
from controller_process import Operator, network, operator, running, until
from lab.conformance.session import (
    CANDIDATE,
    MERGE,
    RUNNING,
    SHORT,
    Session,
    add,
    candidate,
    edit,
    refused,
    reverted,
    revision,
    router,
    routers,
    session,
    the,
)
from tasuki_proto.v1 import config_pb2

TARGETS: Final = pytest.mark.parametrize("target", [RUNNING, CANDIDATE], ids=["running", "candidate"])
ENDS: Final = pytest.mark.parametrize("end", ["unlocked", "closed", "lost"])


async def give_up(holder: Session, target: config_pb2.Target, end: str) -> None:
    """End a lock in one of three ways; a lost session has a short lease."""
    if end == "unlocked":
        await holder.unlock(target)
    elif end == "closed":
        await holder.close()
    else:
        await gone(holder)


async def gone(one: Session) -> None:
    """Wait until the session has ended by itself."""

    async def is_refused() -> bool:
        try:
            # Any call that does not renew the lease.
            await one.unlock(CANDIDATE)
        except Exception as error:  # noqa: BLE001 - whichever it is, its words tell
            return "no such session" in str(error)
        return False

    await until(is_refused)


async def test_C1_commit_makes_the_candidate_running(alice: Operator) -> None:
    one = await session(alice)
    await one.edit(add("a"), add("b"))
    assert (await candidate(alice), await routers(alice)) == ({"a", "b"}, set())
    made = await one.commit(comment="two")
    assert (made.revision, made.committed, len(made.changes)) == (1, True, 2)
    assert (await candidate(alice), await routers(alice)) == ({"a", "b"}, {"a", "b"})
    again = await one.commit()
    assert (again.revision, again.committed) == (1, False)


async def test_C1_a_commit_that_fails_leaves_running_as_it_was(alice: Operator) -> None:
    one = await session(alice)
    await one.edit(add("a"))
    await one.commit()
    interface = "/ietf-interfaces:interfaces/interface[name='lan0']"
    await one.edit(add("b"), edit(MERGE, interface, {"type": "iana-if-type:other"}, "nobody"))
    async with refused("data-missing", router("nobody")):
        await one.commit()
    assert (await routers(alice), await revision(alice)) == ({"a"}, 1)
    assert await candidate(alice) == {"a", "b"}


@TARGETS
async def test_C2_commit_fails_in_use_while_another_session_holds_a_lock(
    alice: Operator, bob: Operator, target: config_pb2.Target
) -> None:
    one, other = await session(alice), await session(bob)
    if target == RUNNING:
        await one.edit(add("a"))
    await other.lock(target)
    async with refused("in-use") as refusal:
        await one.commit()
    assert the(refusal, "in-use").error_info == {"session-id": str(other.number)}
    assert await routers(alice) == set()


async def test_C3_discard_changes_makes_the_candidate_running_again(alice: Operator) -> None:
    one = await session(alice)
    await one.edit(add("a"))
    await one.discard()
    assert await candidate(alice) == set()
    assert not (await one.commit()).committed


async def test_C3_the_candidate_does_not_survive_a_restart(tmp_path: Path) -> None:
    async with running(tmp_path, "--insecure") as first, operator(first.target) as alice:
        one = await session(alice)
        await one.edit(add("a"))
        await one.commit()
        await one.edit(add("b"))
        await first.kill()
    async with running(tmp_path, "--insecure") as second, operator(second.target) as alice:
        assert await candidate(alice) == {"a"}


@TARGETS
async def test_C4_lock_is_refused_when_anyone_holds_it_oneself_included(
    alice: Operator, bob: Operator, target: config_pb2.Target
) -> None:
    one, other = await session(alice), await session(bob)
    await one.lock(target)
    for asking in (one, other):
        async with refused("lock-denied") as refusal:
            await asking.lock(target)
        assert the(refusal, "lock-denied").error_info == {"session-id": str(one.number)}


async def test_C4_lock_of_a_modified_candidate_is_refused(alice: Operator) -> None:
    one = await session(alice)
    await one.edit(add("a"))
    async with refused("lock-denied"):
        await one.lock(CANDIDATE)
    await one.discard()
    await one.lock(CANDIDATE)


async def test_C4_lock_of_running_is_refused_while_anothers_confirmed_commit_is_pending(
    alice: Operator, bob: Operator
) -> None:
    one, other = await session(alice), await session(bob)
    await one.try_out("a")
    async with refused("lock-denied") as refusal:
        await other.lock(RUNNING)
    assert the(refusal, "lock-denied").error_info == {"session-id": str(one.number)}
    await one.lock(RUNNING)
    await one.unlock(RUNNING)
    await one.commit()
    await other.lock(RUNNING)


Writer = Callable[[Operator, Session], Awaitable[Any]]
WRITERS: Final[dict[str, Writer]] = {
    "apply": lambda bob, _: bob.apply(network("b")),
    "confirmed apply": lambda bob, _: bob.apply(network("b"), confirm_seconds=60),
    "rollback": lambda bob, _: bob.config.Rollback(config_pb2.RollbackRequest(number=1)),
    "rollback in a session": lambda bob, other: bob.config.Rollback(
        config_pb2.RollbackRequest(number=1, token=other.token)
    ),
    "commit": lambda _, other: other.commit(),
    "confirmed commit": lambda _, other: other.commit(confirmed=True),
    "lock": lambda _, other: other.lock(RUNNING),
}


@pytest.mark.parametrize("writer", WRITERS)
async def test_C5_every_other_writer_fails_while_running_is_locked(
    alice: Operator, bob: Operator, writer: str
) -> None:
    await alice.apply(network("a"))
    await alice.apply(network("z"))
    one, other = await session(alice), await session(bob)
    await one.lock(RUNNING)
    async with refused("lock-denied" if writer == "lock" else "in-use"):
        await WRITERS[writer](bob, other)
    await one.edit(add("b"))
    await one.commit()
    assert (await routers(alice), await revision(alice)) == ({"a", "b", "z"}, 3)


@pytest.mark.parametrize("writer", ["edit", "discard", "apply"])
async def test_C5_every_other_writer_fails_while_the_candidate_is_locked(
    alice: Operator, bob: Operator, writer: str
) -> None:
    one, other = await session(alice), await session(bob)
    await one.lock(CANDIDATE)
    await one.edit(add("a"))
    async with refused("in-use"):
        match writer:
            case "edit":
                await other.edit(add("b"))
            case "discard":
                await other.discard()
            case "apply":
                await bob.apply(network("b"))
    assert await candidate(bob) == {"a"}


@TARGETS
@ENDS
async def test_C5_a_lock_ends_with_unlock_and_with_its_session(
    alice: Operator, bob: Operator, target: config_pb2.Target, end: str
) -> None:
    one, other = await session(alice, lease=SHORT if end == "lost" else 0), await session(bob)
    await one.lock(target)
    await give_up(one, target, end)
    await other.lock(target)
    await other.edit(add("b"))
    await other.commit()
    assert await routers(bob) == {"b"}


@ENDS
async def test_C6_releasing_the_candidates_lock_discards_what_is_uncommitted(
    alice: Operator, end: str
) -> None:
    one = await session(alice, lease=SHORT if end == "lost" else 0)
    await one.lock(CANDIDATE)
    await one.edit(add("a"))
    assert await candidate(alice) == {"a"}
    await give_up(one, CANDIDATE, end)
    assert await candidate(alice) == set()


async def test_C6_releasing_the_lock_of_running_leaves_the_candidate(alice: Operator) -> None:
    one = await session(alice)
    await one.lock(RUNNING)
    await one.edit(add("a"))
    await one.unlock(RUNNING)
    assert await candidate(alice) == {"a"}


@TARGETS
async def test_C7_unlock_fails_if_it_is_not_locked_or_by_another_session(
    alice: Operator, bob: Operator, target: config_pb2.Target
) -> None:
    one, other = await session(alice), await session(bob)
    async with refused("operation-failed"):
        await one.unlock(target)
    await one.lock(target)
    async with refused("lock-denied"):
        await other.unlock(target)
    await one.unlock(target)
    async with refused("operation-failed"):
        await one.unlock(target)


async def test_C7_the_end_of_a_session_restores_what_was_before_its_confirmed_commit(alice: Operator) -> None:
    await alice.apply(network("before"))
    one = await session(alice, lease=SHORT)
    await one.try_out("a")
    await reverted(alice, "before")


async def test_C8_a_session_is_a_secret_token_and_a_number_of_its_own(alice: Operator, bob: Operator) -> None:
    one, other = await session(alice), await session(bob)
    assert one.number != other.number
    assert len({one.token, other.token}) == 2
    assert len(one.token) >= 22
    for token in ("", "guess", one.token[:-1]):
        async with refused("invalid-value", app_tag="session-ended"):
            await Session(bob, token, one.number).edit(add("a"))


async def test_C8_a_lease_that_is_not_kept_ends_the_session(alice: Operator) -> None:
    one = await session(alice, lease=SHORT)
    await one.edit(add("a"))
    await gone(one)
    assert await candidate(alice) == set()
    async with refused("invalid-value", app_tag="session-ended"):
        await one.keep()


async def test_C8_a_lease_that_is_kept_does_not(alice: Operator) -> None:
    one = await session(alice, lease=SHORT)
    await one.lock(RUNNING)
    for _ in range(8):
        await asyncio.sleep(SHORT / 6)  # The lease is what passes.
        await one.keep()
    await one.edit(add("a"))
    await one.commit()


@pytest.mark.parametrize("lease", [601, 2**32 - 1])
async def test_C8_a_lease_has_an_upper_bound(alice: Operator, lease: int) -> None:
    async with refused("invalid-value"):
        await session(alice, lease)


async def test_C8_a_closed_session_is_gone(alice: Operator) -> None:
    one = await session(alice)
    await one.close()
    for call in (one.keep, one.close, one.discard):
        async with refused("invalid-value", app_tag="session-ended"):
            await call()
