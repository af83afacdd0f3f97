"""What the fleet does for a commit: it asks, sends with a deadline, and follows what becomes of it."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tasuki_controller.failure import Failed
from tasuki_controller.fleet import Fleet
from tasuki_controller.intended import Intended, Trial
from tasuki_controller.intent import RouterIntent, router_intent
from tasuki_controller.link import Link, Prepared
from tasuki_controller.outcome import Result, RouterOutcome
from tasuki_controller.sqlite import SqliteStore
from tasuki_proto.v1 import agent_pb2, error_pb2, router_pb2
from tasuki_yang.errors import ConfigError

OLD = {"ietf-interfaces:interfaces": {"interface": [{"name": "lan0"}]}}
NEW = {"ietf-interfaces:interfaces": {"interface": [{"name": "lan1"}]}}
ONE, TWO = router_intent(1, OLD), router_intent(2, NEW)


@pytest.fixture
async def fleet(tmp_path: Path) -> AsyncIterator[Fleet]:
    store = await SqliteStore.open(tmp_path)
    yield Fleet(store)
    await store.close()


def intended(revision: int, **routers: RouterIntent) -> Intended:
    return Intended(revision, routers, {})


async def connect(fleet: Fleet, router: str) -> Link:
    return fleet.connect(agent_pb2.Hello(router=router), "192.0.2.7:1234")


async def sent(link: Link) -> list[agent_pb2.ConnectResponse]:
    return await link.outbox.take() if len(link.outbox) else []


async def intent_to(link: Link) -> agent_pb2.Intent:
    (message,) = await sent(link)
    return message.intent


def later(seconds: float) -> float:
    return asyncio.get_running_loop().time() + seconds


class TestPrepare:
    async def test_every_router_is_asked_at_once_and_answers_for_itself(self, fleet: Fleet) -> None:
        links = {name: await connect(fleet, name) for name in ("home", "vps")}
        asked = asyncio.create_task(fleet.prepare({"home": ONE, "vps": TWO}))
        refusal = error_pb2.ConfigError(
            error_tag="invalid-value", error_path="/x", message="no", router="vps"
        )
        for name, link in links.items():
            (question,) = await link.outbox.take()
            text = gzip.decompress(question.prepare_request.config_json_gz)
            assert text == (ONE if name == "home" else TWO).text
            fleet.prepared(
                link,
                agent_pb2.PrepareAnswer(
                    id=question.prepare_request.id,
                    refusals=[refusal] if name == "home" else [],
                    plan=[f"create link at {name}"],
                    waiting=["address x waits for link y"],
                ),
            )
        answers = await asked
        assert answers["vps"] == Prepared(
            answered=True, plan=("create link at vps",), waiting=("address x waits for link y",)
        )
        assert answers["home"].refusals == (
            ConfigError(error_tag="invalid-value", error_path="/x", message="no", router="home"),
        ), "whatever it says, a router refuses for itself only"

    async def test_a_router_that_is_away_or_silent_is_waited_for_no_longer_than_the_limit(
        self, fleet: Fleet
    ) -> None:
        silent = await connect(fleet, "silent")
        began = later(0)
        answers = await fleet.prepare({"away": ONE, "silent": ONE}, timeout=0.05)
        assert later(0) - began < 5
        assert answers == {"away": Prepared(), "silent": Prepared()}
        assert await sent(silent) == [], "it is not asked any more when it reads again"
        await asyncio.wait_for(fleet.prepare({"silent": ONE}, timeout=3600), 60)
        assert await sent(silent) == [], "nor waited for again before it has said anything"

    async def test_two_who_ask_at_once_get_answers_of_their_own(self, fleet: Fleet) -> None:
        link = await connect(fleet, "home")
        asked = [asyncio.create_task(fleet.prepare({"home": intent})) for intent in (ONE, TWO)]
        questions: list[agent_pb2.ConnectResponse] = []
        while len(questions) < 2:
            questions += await link.outbox.take()
        for question in reversed(questions):
            text = gzip.decompress(question.prepare_request.config_json_gz).decode()
            answer = agent_pb2.PrepareAnswer(id=question.prepare_request.id, plan=[text])
            fleet.prepared(link, answer)
            fleet.prepared(link, answer)
        for task, intent in zip(asked, (ONE, TWO), strict=True):
            assert (await task)["home"].plan == (intent.text.decode(),)

    async def test_a_router_that_leaves_counts_as_silent(self, fleet: Fleet) -> None:
        link = await connect(fleet, "home")
        asked = asyncio.create_task(fleet.prepare({"home": ONE}))
        await link.outbox.take()
        await fleet.disconnect(link)
        assert await asked == {"home": Prepared()}

    async def test_a_tag_that_nobody_knows_is_a_failed_operation(self, fleet: Fleet) -> None:
        link = await connect(fleet, "home")
        asked = asyncio.create_task(fleet.prepare({"home": ONE}))
        (question,) = await link.outbox.take()
        refusal = error_pb2.ConfigError(error_tag="bogus")
        fleet.prepared(link, agent_pb2.PrepareAnswer(id=question.prepare_request.id, refusals=[refusal]))
        (problem,) = (await asked)["home"].refusals
        assert problem.error_tag == "operation-failed"


class TestTrial:
    async def test_an_intent_on_trial_brings_the_time_left_and_what_to_go_back_to(self, fleet: Fleet) -> None:
        fleet.publish(intended(1, home=ONE))
        link = await connect(fleet, "home")
        await sent(link)
        fleet.publish(intended(2, home=TWO), Trial(intended(1, home=ONE), later(60)))
        trial = (await intent_to(link)).trial
        assert 59_000 < trial.remaining_ms <= 60_000
        assert (trial.fallback_revision, trial.fallback_digest) == (1, ONE.digest)
        assert gzip.decompress(trial.fallback_json_gz) == ONE.text

    async def test_who_connects_later_gets_what_is_left_then(self, fleet: Fleet) -> None:
        fleet.publish(intended(1, home=ONE))
        fleet.publish(intended(2, home=TWO), Trial(intended(1, home=ONE), later(-5)))
        assert (await intent_to(await connect(fleet, "home"))).trial.remaining_ms == 0

    async def test_the_confirmation_is_the_same_intent_without_a_trial(self, fleet: Fleet) -> None:
        fleet.publish(intended(2, home=TWO), Trial(intended(1, home=ONE), later(60)))
        link = await connect(fleet, "home")
        await sent(link)
        fleet.publish(intended(2, home=TWO))
        intent = await intent_to(link)
        assert intent.revision == 2
        assert not intent.HasField("trial")

    async def test_an_extension_reaches_every_router_on_trial_and_no_other(self, fleet: Fleet) -> None:
        baseline = intended(1, home=ONE, vps=ONE)
        fleet.publish(intended(2, home=TWO, vps=ONE), Trial(baseline, later(60)))
        home, vps = await connect(fleet, "home"), await connect(fleet, "vps")
        assert not (await intent_to(vps)).HasField("trial")
        await sent(home)
        fleet.publish(intended(2, home=TWO, vps=ONE), Trial(baseline, later(600)))
        assert (await intent_to(home)).trial.remaining_ms > 500_000
        assert await sent(vps) == []

    async def test_a_router_that_is_as_it_was_before_is_not_on_trial(self, fleet: Fleet) -> None:
        again = router_intent(3, OLD)
        fleet.publish(intended(3, home=again), Trial(intended(1, home=ONE), later(60)))
        assert not (await intent_to(await connect(fleet, "home"))).HasField("trial")

    async def test_before_the_first_commit_every_router_was_empty(self, fleet: Fleet) -> None:
        fleet.publish(intended(1, home=ONE), Trial(Intended(0, {}, {}), later(60)))
        trial = (await intent_to(await connect(fleet, "home"))).trial
        assert (trial.fallback_revision, gzip.decompress(trial.fallback_json_gz)) == (0, b"{}")


def report(revision: int, applied: int, *, failed: int = 0, waiting: int = 0) -> agent_pb2.Report:
    return agent_pb2.Report(
        revision=revision,
        applied_revision=applied,
        counts=router_pb2.ObjectCounts(failed=failed, waiting=waiting),
        objects=[
            router_pb2.ObjectStatus(
                kind="link",
                key=f"{state}{n}",
                state=getattr(router_pb2.ObjectStatus, f"STATE_{state}"),
                message="why",
            )
            for state, count in (("FAILED", failed), ("WAITING", waiting))
            for n in range(count)
        ],
    )


REVERTED = agent_pb2.Reverted(from_revision=2, to_revision=1, reason="confirmation did not arrive")


class TestOutcome:
    @pytest.mark.parametrize(
        ("said", "outcome"),
        [
            (report(1, 1), RouterOutcome(Result.PENDING)),
            (report(1, 1, failed=1), RouterOutcome(Result.PENDING)),
            (report(2, 2), RouterOutcome(Result.APPLIED)),
            (report(2, 2, waiting=1), RouterOutcome(Result.WAITING, "link WAITING0: why")),
            (report(2, 1, failed=1, waiting=1), RouterOutcome(Result.FAILED, "link FAILED0: why")),
            (
                report(2, 1, failed=5),
                RouterOutcome(
                    Result.FAILED,
                    "link FAILED0: why; link FAILED1: why; link FAILED2: why; and 2 more",
                ),
            ),
            (
                agent_pb2.Report(revision=1, applied_revision=1, problem="revision 2 is not a router tree"),
                RouterOutcome(Result.FAILED, "revision 2 is not a router tree"),
            ),
            (
                agent_pb2.Report(revision=1, applied_revision=1, reverted=REVERTED),
                RouterOutcome(Result.REVERTED, "confirmation did not arrive"),
            ),
        ],
    )
    async def test_it_is_told_from_what_the_agent_reports(
        self, fleet: Fleet, said: agent_pb2.Report, outcome: RouterOutcome
    ) -> None:
        fleet.publish(intended(2, home=TWO))
        await fleet.report(await connect(fleet, "home"), said)
        assert fleet.outcome("home") == ("home", 2, outcome)

    async def test_a_router_that_is_away_is_offline_unless_it_had_applied_it(self, fleet: Fleet) -> None:
        fleet.publish(intended(2, home=TWO))
        assert fleet.outcome("home").outcome.result is Result.OFFLINE
        link = await connect(fleet, "home")
        assert fleet.outcome("home").outcome.result is Result.PENDING
        await fleet.report(link, report(2, 2))
        await fleet.disconnect(link)
        assert fleet.outcome("home").outcome.result is Result.APPLIED
        fleet.publish(intended(3, home=router_intent(3, OLD)))
        assert fleet.outcome("home").outcome.result is Result.OFFLINE

    async def test_what_was_left_is_no_matter_of_the_next_revision(self, fleet: Fleet) -> None:
        fleet.publish(intended(3, home=router_intent(3, OLD)))
        said = report(3, 3)
        said.reverted.CopyFrom(REVERTED)
        await fleet.report(await connect(fleet, "home"), said)
        assert fleet.outcome("home").outcome.result is Result.APPLIED
        (router,) = await fleet.routers()
        assert "revision 2 was left for 1: confirmation did not arrive" in router.reverted

    async def test_waiting_for_outcomes_ends_when_none_is_pending(self, fleet: Fleet) -> None:
        fleet.publish(intended(2, home=TWO, away=TWO))
        link = await connect(fleet, "home")
        waiting = asyncio.create_task(fleet.outcomes(["home", "away"], 10))
        await fleet.report(link, report(1, 1))
        await fleet.report(link, report(2, 2))
        results = {name: each.result for name, each in (await waiting).items()}
        assert results == {"home": Result.APPLIED, "away": Result.OFFLINE}

    async def test_waiting_for_outcomes_ends_with_its_time(self, fleet: Fleet) -> None:
        fleet.publish(intended(2, home=TWO))
        await connect(fleet, "home")
        assert (await fleet.outcomes(["home"], 0.02))["home"].result is Result.PENDING

    async def test_a_watcher_hears_of_every_change_once(self, fleet: Fleet) -> None:
        fleet.publish(intended(2, home=TWO))
        with fleet.watch_outcomes() as changes:
            link = await connect(fleet, "home")
            assert [each.outcome.result for each in await changes.take()] == [Result.PENDING]
            await fleet.heartbeat(link, agent_pb2.Heartbeat())
            assert len(changes) == 0
            await fleet.report(link, report(2, 2))
            assert [tuple(each) for each in await changes.take()] == [
                ("home", 2, RouterOutcome(Result.APPLIED))
            ]

    async def test_shutting_down_ends_the_waiting(self, fleet: Fleet) -> None:
        with fleet.watch_outcomes() as changes:
            fleet.close()
            with pytest.raises(Failed, match="shutting down"):
                await changes.take()
