"""Requests in batches: order, errors of single ones, and the limits of a batch."""

import asyncio
import contextlib
import subprocess
import sys
import time
from collections.abc import Awaitable
from pathlib import Path

import pytest
from kernel.kinds.machine import TUNNEL, Kinds
from netns import Namespace
from tasuki_agent.errors import Foreign, Transient
from tasuki_agent.kernel import Kernel, uapi
from tasuki_agent.kernel.netlink import BATCH
from tasuki_agent.kind import Change, Create, Delete
from tasuki_agent.kinds.link import codec
from tasuki_agent.kinds.route.model import Route, RouteKey


def unreachable(number: int) -> Create:
    return Create(RouteKey(254, f"2001:db8:{number:x}::/48", 1024), Route("unreachable"))


def apply_each(kinds: Kinds, *numbers: int) -> list[Awaitable[None]]:
    return [kinds["route"].apply(unreachable(n)) for n in numbers]


async def apply(kinds: Kinds, *changes: Change) -> list[BaseException | None]:
    return await asyncio.gather(*map(kinds["route"].apply, changes), return_exceptions=True)


@pytest.mark.parametrize("count", [1, BATCH - 1, BATCH, BATCH + 1, 5 * BATCH])
async def test_any_number_of_requests_is_carried_out(kinds: Kinds, count: int) -> None:
    assert await apply(kinds, *map(unreachable, range(count))) == [None] * count
    assert len(await kinds["route"].observe()) == count


async def test_a_refusal_in_a_batch_is_told_to_its_request_alone(kinds: Kinds) -> None:
    changes = [unreachable(n) for n in range(1, BATCH)]
    results = await apply(kinds, *changes, changes[5], unreachable(BATCH))
    assert [n for n, result in enumerate(results) if result] == [len(changes)]
    assert isinstance(results[len(changes)], Foreign)
    assert len(await kinds["route"].observe()) == BATCH


async def test_a_refusal_of_the_last_request_of_a_batch_is_told(kinds: Kinds) -> None:
    results = await apply(kinds, unreachable(1), unreachable(1))
    assert results[0] is None
    assert isinstance(results[1], Foreign)


async def test_a_batch_of_refusals_only_ends(kinds: Kinds) -> None:
    await apply(kinds, unreachable(1))
    results = await apply(kinds, *[unreachable(1)] * (2 * BATCH))
    assert {type(result) for result in results} == {Foreign}


async def test_requests_are_carried_out_in_the_order_in_which_they_were_made(kinds: Kinds) -> None:
    create = unreachable(1)
    delete = Delete(create.key, create.spec)
    assert await apply(kinds, create, delete, create, delete, create) == [None] * 5
    assert len(await kinds["route"].observe()) == 1


async def test_a_request_that_was_given_up_is_not_carried_out(kinds: Kinds) -> None:
    given_up = asyncio.ensure_future(kinds["route"].apply(unreachable(1)))
    given_up.cancel()
    await apply(kinds, unreachable(2))
    assert [key.prefix for key in await kinds["route"].observe()] == ["2001:db8:2::/48"]


async def test_a_request_that_cannot_be_encoded_does_not_hold_up_the_others(kinds: Kinds) -> None:
    missing = Create(RouteKey(254, "2001:db8:7::/48", 1024), Route("unicast", None, "wan0"))
    results = await apply(kinds, unreachable(1), missing, unreachable(2))
    assert [type(result) for result in results] == [type(None), Transient, type(None)]


async def test_a_dump_in_between_does_not_disturb_requests(kinds: Kinds) -> None:
    results, *_ = await asyncio.gather(
        apply(kinds, *map(unreachable, range(300))), *(kinds["route"].observe() for _ in range(5))
    )
    assert results == [None] * 300
    assert len(await kinds["route"].observe()) == 300


async def test_the_loop_runs_other_things_between_two_batches(kinds: Kinds) -> None:
    turns = 0

    async def count_turns() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counter = asyncio.create_task(count_turns())
    await apply(kinds, *map(unreachable, range(4 * BATCH)))
    counter.cancel()
    assert turns > 4


async def test_a_dump_while_much_changes_waits_for_a_quiet_moment(router: Namespace, kernel: Kernel) -> None:
    """Duplicate address detection of many addresses interrupts one dump after the other."""
    router.sysctl("net/ipv6/conf/e0/accept_dad", "1")
    router.run("ip", "-6", "-batch", "-", stdin="\n".join(_many_addresses()))
    started = time.monotonic()
    kinds = Kinds(kernel)
    while time.monotonic() < started + 1.5:
        assert len(await kinds["address"].observe()) > 200


def _many_addresses() -> list[str]:
    return [f"addr add 2001:db8:1::{n:x}/64 dev e0" for n in range(200)]


async def test_a_dump_that_never_succeeds_proves_nothing(
    router: Namespace, kernel: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasuki_agent.kernel.netlink.PAUSES", (0, 0))
    monkeypatch.setattr(kernel.rtnetlink, "_dump_once", lambda *_: ([], True))
    with pytest.raises(Transient, match="dump of message type 18: it changed whenever it was read"):
        await kernel.rtnetlink.dump(uapi.RTM_GETLINK, codec.DUMP)


async def test_a_dump_that_the_kernel_refuses_is_worth_another_try_and_does_no_harm(kernel: Kernel) -> None:
    nonsense = b"\xff" * 16
    for _ in range(2):
        with pytest.raises(Transient, match="dump of message type 18: Invalid argument"):
            await kernel.rtnetlink.dump(uapi.RTM_GETLINK, nonsense)
    assert len(await kernel.rtnetlink.dump(uapi.RTM_GETLINK, codec.DUMP)) > 1


async def test_requests_without_an_answer_are_worth_another_try(kernel: Kernel, kinds: Kinds) -> None:
    """A socket that died is replaced; the requests on it failed."""
    kernel.rtnetlink._socket.close()
    with pytest.raises(Transient, match="create link vxlan01: Bad file descriptor"):
        await kinds["link"].apply(Create("vxlan01", TUNNEL))
    await kinds["link"].apply(Create("vxlan01", TUNNEL))


async def test_what_waits_when_the_socket_closes_is_cancelled(kernel: Kernel, kinds: Kinds) -> None:
    waiting = asyncio.ensure_future(kinds["route"].apply(unreachable(1)))
    await kernel.rtnetlink.close()
    with contextlib.suppress(asyncio.CancelledError):
        await waiting
    assert waiting.cancelled()


async def test_what_is_under_way_when_the_socket_closes_gets_its_answer(
    router: Namespace, tmp_path: Path
) -> None:
    async with Kernel(tmp_path) as kernel:
        requests = [Kinds(kernel)["route"].apply(unreachable(n)) for n in range(3 * BATCH)]
        await asyncio.sleep(0)  # the first batch goes out
    outcomes = await asyncio.gather(*requests, return_exceptions=True)
    assert outcomes[:BATCH] == [None] * BATCH
    assert {type(outcome) for outcome in outcomes[BATCH:]} <= {type(None), asyncio.CancelledError}
    assert len(router.ip("-6 route show proto 116").splitlines()) == outcomes.count(None)


async def test_a_sender_that_is_cancelled_leaves_nobody_waiting(kernel: Kernel, kinds: Kinds) -> None:
    """As the loop does with every task when the program is interrupted, before it comes to close."""
    requests = [asyncio.ensure_future(kinds["route"].apply(unreachable(n))) for n in range(3 * BATCH)]
    await asyncio.sleep(0)
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()
    await kernel.rtnetlink.close()
    assert {type(outcome) for outcome in await asyncio.gather(*requests, return_exceptions=True)} == {
        asyncio.CancelledError
    }


async def test_a_kind_that_cannot_encode_a_request_is_told_and_holds_up_nobody(
    kernel: Kernel, kinds: Kinds
) -> None:
    surprise = kernel.rtnetlink.request(
        uapi.RTM_NEWROUTE, 0, lambda: bytes(-1), doing="create", subject="what nobody thought of"
    )
    results = await asyncio.gather(surprise, *apply_each(kinds, 1, 2), return_exceptions=True)
    assert [type(result) for result in results] == [ValueError, type(None), type(None)]


def test_root_of_a_container_without_rights_on_the_host_gets_a_socket_too() -> None:
    """Its queues are shorter: SO_RCVBUFFORCE asks for CAP_NET_ADMIN in the first user namespace."""
    container = ["unshare", "--user", "--map-root-user", "--net"]
    program = (
        "import asyncio, pathlib; from tasuki_agent.kernel import Kernel\n"
        "async def main():\n"
        "    async with Kernel(pathlib.Path('/nowhere')) as kernel:\n"
        "        kernel.events({})\n"
        "        print(kernel.world)\n"
        "asyncio.run(main())"
    )
    if subprocess.run([*container, "true"], check=False, capture_output=True).returncode != 0:
        pytest.skip("this machine has no user namespaces")
    done = subprocess.run(
        [*container, sys.executable, "-c", program], check=False, capture_output=True, text=True
    )
    assert (done.stderr, done.returncode) == ("", 0)
