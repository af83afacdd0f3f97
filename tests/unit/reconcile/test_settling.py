"""What is as wanted and of no use yet is under way; it is neither applied nor drift."""

from dataclasses import replace

import pytest
from tasuki_agent.reconcile.drift import Action
from tasuki_agent.reconcile.status import SETTLING_SECONDS, State

from .test_reconciler import ONE_ADDRESS, ONE_LINK, Router
from .world import Address

ADDRESS = ("a", "1")


@pytest.fixture
async def router() -> Router:
    """A router whose kernel has not found yet that the address is unique."""
    router = Router()
    router.intend(ONE_LINK, {ADDRESS: Address(64, settling="the kernel")})
    await router.step()
    return router


def settle(router: Router) -> None:
    router.world.addresses[ADDRESS] = replace(router.world.addresses[ADDRESS], settling="")


async def test_it_is_pending_and_the_intent_not_met_before_the_kernel_is_done(router: Router) -> None:
    assert router.state("address", ADDRESS) is State.PENDING
    assert router.met == []
    settle(router)
    assert await router.step() == []
    assert router.state("address", ADDRESS) is None
    assert router.met == [1]
    assert router.drift() == []


async def test_the_kernel_is_not_waited_for_longer_than_it_takes(router: Router) -> None:
    router.clock.now += SETTLING_SECONDS
    assert await router.step() == []
    status = router.reconciler.board.get(router.ref("address", ADDRESS))
    assert status is not None
    assert (status.state, status.message) == (State.WAITING, "waits for the kernel")
    assert router.met == [1], "to wait is no failure"
    router.clock.now += SETTLING_SECONDS
    await router.step()
    assert router.state("address", ADDRESS) is State.WAITING
    settle(router)
    await router.step()
    assert router.state("address", ADDRESS) is None


async def test_somebody_who_takes_it_away_meanwhile_is_found_out_at_once(router: Router) -> None:
    del router.world.addresses[ADDRESS]
    assert await router.step() == ["create address a 1"]
    assert [item.action for item in router.drift()] == [Action.HEALED]


async def test_what_settles_anew_is_no_drift() -> None:
    router = Router()
    router.intend(ONE_LINK, ONE_ADDRESS)
    await router.step()
    router.world.addresses[ADDRESS] = Address(64, settling="the kernel")
    assert await router.step() == []
    assert router.state("address", ADDRESS) is State.PENDING
    assert router.drift() == []
