"""What is not confirmed in time, or cuts the router off, is given up: virtual clocks, a real directory."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tasuki_agent.custody import IN_FLIGHT, Custody
from tasuki_agent.intent import Intent
from tasuki_agent.kind import Kind
from tasuki_agent.reconcile.reconciler import Reconciler
from tasuki_agent.state import StateDir
from tasuki_agent.trial import Cause, Held, Trial, taken

NO_KINDS: Sequence[Kind] = ()
TIMEOUT = 60


def intent(revision: int, name: str, timeout: int = TIMEOUT) -> Intent:
    """An intent whose text differs by the name."""
    guard = f'"tasuki-agent:agent":{{"controller-timeout":{timeout}}}'
    interface = f'{{"name":"{name}","type":"iana-if-type:other"}}'
    text = f'{{{guard},"ietf-interfaces:interfaces":{{"interface":[{interface}]}}}}'
    return Intent.parse(revision, text.encode())


OLD, NEW, NEWER = intent(1, "old"), intent(2, "new"), intent(3, "newer")


@dataclass
class Router:
    """An agent without its link and kernel, whose clocks stand until they are moved."""

    directory: Path
    uptime: float = 1_000.0
    world: str = "boot 1"
    wall: float = 1_000_000.0
    restarts: int = 0
    custody: Custody = field(init=False)

    def __post_init__(self) -> None:
        self._start()

    def _start(self) -> None:
        self.state = StateDir.open(self.directory)
        reconciler = Reconciler(NO_KINDS, lambda: self.wall, lambda: self.uptime)
        reconciler.on_applied = lambda met: self.state.save_applied(met, self.world)
        self.custody = Custody(self.state, reconciler, lambda: self.wall, lambda: self.uptime, self.world)
        reconciler.on_change = self.custody.stepped
        self.custody.resume()
        self.custody.expire()

    def restart(self, *, down: float = 0.0) -> None:
        """End the agent, and start it again after so many seconds."""
        self.state.close()
        self.pass_by(down, alive=False)
        self._start()

    def reboot(self) -> None:
        self.state.close()
        self.uptime, self.world = 5.0, f"{self.world}+"
        self._start()

    def pass_by(self, seconds: float, *, alive: bool = True) -> None:
        self.uptime += seconds
        self.wall += seconds
        if alive:
            self.custody.expire()

    async def get(
        self, what: Intent, fallback: Intent | None = None, within: float = 0.0, *, met: bool = True
    ) -> None:
        """The controller sends an intent; it is carried out, unless it is not to be met."""
        self.custody.heard()
        self.custody.take(what, fallback, within)
        if met:
            await self.custody.reconciler.step()

    async def get_proven(self, what: Intent) -> None:
        """As `get`, and the controller is heard afterwards."""
        await self.get(what)
        self.pass_by(IN_FLIGHT)
        self.custody.heard()

    @property
    def held(self) -> Held:
        assert self.custody.held is not None
        on_disk = self.state.load_held()
        assert on_disk == self.custody.held, "what is held is on the disk"
        assert self.custody.reconciler.intent == self.custody.held.intent
        return self.custody.held

    @property
    def left(self) -> tuple[int, int, Cause] | None:
        reverted = self.held.reverted
        return (reverted.from_revision, reverted.to_revision, reverted.cause) if reverted else None


@pytest.fixture
async def router(tmp_path: Path) -> Router:
    router = Router(tmp_path / "state")
    await router.get_proven(OLD)
    return router


class TestTrial:
    async def test_it_goes_back_at_the_deadline_and_not_before(self, router: Router) -> None:
        await router.get(NEW, OLD, within=30)
        router.pass_by(29.9)
        assert router.held.intent == NEW
        router.pass_by(0.1)
        assert router.held.intent == OLD
        assert router.left == (2, 1, Cause.UNCONFIRMED)

    async def test_the_same_revision_without_a_trial_confirms(self, router: Router) -> None:
        await router.get(NEW, OLD, within=30)
        await router.get_proven(NEW)
        router.pass_by(3_000)
        assert router.held == Held(NEW)

    async def test_a_later_revision_without_a_trial_confirms_too(self, router: Router) -> None:
        await router.get(NEW, OLD, within=30)
        await router.get_proven(NEWER)
        router.pass_by(3_000)
        assert router.held == Held(NEWER)

    async def test_a_follow_up_moves_the_deadline_and_keeps_what_is_gone_back_to(
        self, router: Router
    ) -> None:
        await router.get(NEW, OLD, within=30)
        router.pass_by(20)
        await router.get(NEWER, OLD, within=30)
        router.pass_by(29)
        assert router.held.intent == NEWER
        router.pass_by(1)
        assert router.held.intent == OLD
        assert router.left == (3, 1, Cause.UNCONFIRMED)

    async def test_a_follow_up_may_shorten_the_time(self, router: Router) -> None:
        await router.get(NEW, OLD, within=600)
        await router.get(NEW, OLD, within=10)
        router.pass_by(10)
        assert router.held.intent == OLD

    async def test_the_same_deadline_told_again_writes_nothing(self, router: Router) -> None:
        await router.get(NEW, OLD, within=30)
        router.pass_by(IN_FLIGHT)
        router.custody.heard()
        file = router.directory / "intent.json"
        before = file.stat().st_mtime_ns
        router.pass_by(9.3)
        await router.get(NEW, OLD, within=20)
        assert file.stat().st_mtime_ns == before
        router.pass_by(30 - IN_FLIGHT - 9.3)
        assert router.held.intent == OLD

    async def test_a_restart_of_the_agent_moves_nothing(self, router: Router) -> None:
        await router.get(NEW, OLD, within=30)
        router.restart(down=29)
        assert router.held.intent == NEW
        router.pass_by(1)
        assert router.held.intent == OLD

    async def test_an_agent_that_was_dead_at_the_deadline_goes_back_when_it_starts(
        self, router: Router
    ) -> None:
        await router.get(NEW, OLD, within=30)
        router.restart(down=31)
        assert router.held.intent == OLD
        assert router.left == (2, 1, Cause.UNCONFIRMED)

    @pytest.mark.parametrize("step", [-86_400.0, -3.0, 3.0, 86_400.0])
    async def test_nobody_moves_the_deadline_by_setting_the_clock(self, router: Router, step: float) -> None:
        await router.get(NEW, OLD, within=30)
        router.wall += step
        router.restart(down=29)
        assert router.held.intent == NEW
        router.pass_by(1)
        assert router.held.intent == OLD

    async def test_a_reboot_ends_it(self, router: Router) -> None:
        await router.get(NEW, OLD, within=30)
        router.reboot()
        assert router.held.intent == OLD
        assert router.left == (2, 1, Cause.RESTARTED)

    async def test_what_was_left_is_not_taken_up_on_trial_again(self, router: Router) -> None:
        await router.get(NEW, OLD, within=30)
        router.pass_by(30)
        await router.get(NEW, OLD, within=600)
        assert router.held.intent == OLD
        router.restart()
        await router.get(NEW, OLD, within=600)
        assert router.held.intent == OLD

    async def test_what_was_left_is_taken_up_when_it_was_confirmed_after_all(self, router: Router) -> None:
        await router.get(NEW, OLD, within=30)
        router.pass_by(30)
        await router.get_proven(NEW)
        assert router.held == Held(NEW)

    async def test_the_controllers_own_revert_does_not_hide_that_the_router_went_back(
        self, router: Router
    ) -> None:
        await router.get(NEW, OLD, within=30)
        router.pass_by(30)
        await router.get(intent(3, "old"))
        assert router.held.intent.revision == 3
        assert router.left == (2, 1, Cause.UNCONFIRMED)
        await router.get_proven(intent(4, "another"))
        assert router.left is None

    async def test_it_ends_with_nothing_on_a_router_that_had_nothing(self, tmp_path: Path) -> None:
        router = Router(tmp_path / "new")
        nothing = Intent.parse(0, b"{}")
        await router.get(NEW, nothing, within=30)
        router.pass_by(30)
        assert router.held.intent == nothing

    async def test_a_trial_without_time_left_is_not_begun(self, router: Router) -> None:
        await router.get(NEW, OLD, within=0)
        assert router.held == Held(OLD)


class TestGuard:
    async def test_a_change_without_the_controller_is_given_up(self, router: Router) -> None:
        await router.get(NEW)
        router.pass_by(TIMEOUT - 0.1)
        assert router.held.intent == NEW
        router.pass_by(0.1)
        assert router.held.intent == OLD
        assert router.left == (2, 1, Cause.UNREACHABLE)

    async def test_whatever_the_controller_says_afterwards_proves_it(self, router: Router) -> None:
        await router.get_proven(NEW)
        router.pass_by(3_000)
        assert router.held == Held(NEW)

    async def test_what_may_have_been_sent_before_the_change_proves_nothing(self, router: Router) -> None:
        await router.get(NEW)
        router.pass_by(IN_FLIGHT / 2)
        router.custody.heard()
        router.pass_by(TIMEOUT)
        assert router.held.intent == OLD

    async def test_what_is_said_before_it_is_carried_out_proves_nothing(self, router: Router) -> None:
        await router.get(NEW, met=False)
        router.pass_by(TIMEOUT - 1)
        router.custody.heard()
        router.pass_by(TIMEOUT - 1)
        assert router.held.intent == NEW, "the controller was heard within the time"
        router.pass_by(1)
        assert router.held.intent == OLD

    async def test_the_revision_that_was_left_is_not_taken_up_again(self, router: Router) -> None:
        await router.get(NEW)
        router.pass_by(TIMEOUT)
        await router.get(NEW)
        assert router.held.intent == OLD
        router.restart()
        await router.get(NEW)
        assert router.held.intent == OLD

    async def test_the_next_revision_is(self, router: Router) -> None:
        await router.get(NEW)
        router.pass_by(TIMEOUT)
        await router.get_proven(NEWER)
        assert router.held == Held(NEWER)

    async def test_what_the_revision_has_become_by_what_is_known_of_other_routers_is(
        self, router: Router
    ) -> None:
        await router.get(NEW)
        router.pass_by(TIMEOUT)
        router.restart()
        moved = intent(2, "new, with another address of the far end")
        await router.get_proven(moved)
        assert router.held == Held(moved)

    async def test_what_the_revision_becomes_when_another_router_moves_is_not_guarded(
        self, router: Router
    ) -> None:
        moved = intent(OLD.revision, "old, with another address of the far end")
        await router.get(moved)
        router.pass_by(TIMEOUT)
        assert router.held == Held(moved), "a line that fails right then must not bring the old address back"

    async def test_a_change_stays_guarded_when_another_router_moves_meanwhile(self, router: Router) -> None:
        await router.get(NEW)
        await router.get(intent(2, "new, with another address of the far end"))
        router.pass_by(TIMEOUT)
        assert router.left == (2, 1, Cause.UNREACHABLE)

    async def test_a_newer_revision_with_what_the_router_has_again_ends_the_matter(
        self, router: Router
    ) -> None:
        await router.get(NEW)
        router.pass_by(TIMEOUT)
        await router.get(intent(3, "old"))
        assert router.held == Held(intent(3, "old"))

    async def test_of_changes_in_a_row_all_are_given_up_that_are_not_proven(self, router: Router) -> None:
        await router.get(NEW)
        await router.get(NEWER)
        router.pass_by(TIMEOUT)
        assert router.held.intent == OLD
        assert router.left == (3, 1, Cause.UNREACHABLE)

    async def test_a_restart_keeps_it_and_gives_the_agent_time_to_connect(self, router: Router) -> None:
        await router.get(NEW)
        router.restart(down=3_000)
        assert router.held.intent == NEW
        router.pass_by(TIMEOUT)
        assert router.held.intent == OLD

    async def test_the_new_intent_says_how_long(self, router: Router) -> None:
        await router.get(intent(2, "new", timeout=10))
        router.pass_by(10)
        assert router.held.intent == OLD

    async def test_it_can_be_off(self, router: Router) -> None:
        await router.get(intent(2, "new", timeout=0))
        router.pass_by(1_000_000)
        assert router.held.intent.revision == 2

    async def test_a_new_number_for_the_same_text_is_no_change(self, router: Router) -> None:
        await router.get(intent(2, "old"))
        router.pass_by(1_000_000)
        assert router.held == Held(intent(2, "old"))

    async def test_the_first_intent_is_not_guarded(self, tmp_path: Path) -> None:
        router = Router(tmp_path / "new")
        await router.get(NEW)
        router.pass_by(1_000_000)
        assert router.held == Held(NEW)

    async def test_without_any_intent_that_was_met_there_is_nothing_to_go_back_to(
        self, tmp_path: Path
    ) -> None:
        router = Router(tmp_path / "new")
        await router.get(OLD, met=False)
        await router.get(NEW, met=False)
        router.pass_by(1_000_000)
        assert router.held == Held(NEW)

    async def test_on_trial_it_goes_back_to_what_was_before_the_trial(self, router: Router) -> None:
        await router.get(NEW, OLD, within=600)
        router.pass_by(IN_FLIGHT)
        router.custody.heard()
        await router.get(NEWER, OLD, within=600)
        router.pass_by(TIMEOUT)
        assert router.held.intent == OLD
        assert router.left == (3, 1, Cause.UNREACHABLE)

    async def test_a_router_that_it_cut_off_is_not_cut_off_again_by_the_confirmation(
        self, router: Router
    ) -> None:
        await router.get(NEW, OLD, within=600)
        router.pass_by(TIMEOUT)
        await router.get(NEW)
        assert router.held.intent == OLD


async def test_the_loop_gives_up_at_the_deadline_by_itself(tmp_path: Path) -> None:
    router = Router(tmp_path / "state")
    loop = asyncio.get_running_loop()
    router.custody.uptime = loop.time
    await router.get(OLD)
    gone_back = asyncio.Event()
    router.custody.on_revert = gone_back.set
    task = asyncio.create_task(router.custody.run())
    began = loop.time()
    await router.get(NEW, OLD, within=0.05)
    await asyncio.wait_for(gone_back.wait(), 60)
    assert loop.time() - began >= 0.05
    assert router.held.intent == OLD
    task.cancel()
    await asyncio.wait([task])


HELD = st.builds(
    Held,
    st.sampled_from([OLD, NEW, NEWER]),
    trial=st.none() | st.builds(Trial, st.sampled_from([OLD, NEW]), st.floats(0, 100), st.just("here")),
    before=st.none() | st.sampled_from([OLD, NEW]),
)
TRIAL = st.none() | st.builds(Trial, st.sampled_from([OLD, NEW]), st.floats(0, 100), st.just("here"))


@given(HELD, st.sampled_from([OLD, NEW, NEWER]), TRIAL, st.booleans())
def test_taking_the_same_twice_changes_nothing_the_second_time(
    held: Held,
    what: Intent,
    trial: Trial | None,
    applied: bool,  # noqa: FBT001 - hypothesis gives it
) -> None:
    once = taken(held, what, trial, applied=applied)
    assert taken(once, what, trial, applied=applied) is once
    assert once.intent == what
