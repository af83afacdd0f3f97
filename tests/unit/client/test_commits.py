"""Events and outcomes of commits, as people read them."""

from datetime import UTC, datetime, timedelta

from tasuki_client.render.changes import by_tree
from tasuki_client.render.commits import account, countdown, event, outcomes
from tasuki_client.render.routers import not_applied, one
from tasuki_client.terminal import console
from tasuki_proto.v1.config_pb2 import RouterOutcome, WatchCommitsResponse
from tasuki_proto.v1.router_pb2 import Router

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
CUT_OFF = RouterOutcome(router="home", outcome="reverted", message="confirmation did not arrive")


def told(kind: "WatchCommitsResponse.Event", *, seconds: float | None = None) -> WatchCommitsResponse:
    made = WatchCommitsResponse(event=kind, revision=12, author="alice", routers=[CUT_OFF])
    made.time.FromDatetime(NOW)
    if seconds is not None:
        made.revert_at.FromDatetime(NOW + timedelta(seconds=seconds))
    return made


def test_an_event_tells_what_happened_to_which_commit_and_to_each_router() -> None:
    first, second = (line.plain for line in event(told(WatchCommitsResponse.EVENT_START, seconds=57.9), NOW))
    assert first.endswith(" start    revision 12 by alice, reverts in 57 s")
    assert second.strip() == "home reverted: confirmation did not arrive"


def test_a_plain_commit_reverts_at_no_time() -> None:
    assert "reverts" not in next(event(told(WatchCommitsResponse.EVENT_COMMIT), NOW)).plain


def test_the_countdown_ends_at_zero() -> None:
    pending = told(WatchCommitsResponse.EVENT_EXTEND, seconds=3)
    assert countdown(pending, NOW).plain == "Revision 12 reverts in 3 s unless it is confirmed."
    assert " in 0 s " in countdown(pending, NOW + timedelta(minutes=1)).plain


def test_what_comes_from_elsewhere_plays_no_tricks_on_the_terminal() -> None:
    evil = RouterOutcome(router="vps\x1b", outcome="failed", message="a\x1b[2J\nb")
    assert account(evil) == "vps : failed: a [2J b"
    out = console()
    with out.capture() as capture:
        out.print(outcomes([evil]))
    assert "\x1b[2J" not in capture.get()


def test_a_plan_stands_below_what_changes_and_says_when_there_is_none() -> None:
    routers = [
        RouterOutcome(router="vps", outcome="pending", plan=["create link vxlan01"]),
        RouterOutcome(router="home", outcome="offline"),
        RouterOutcome(router="branch", outcome="pending"),
        RouterOutcome(router="office", outcome="waiting", message="link vxlan03: wan0", plan=["x"]),
    ]
    assert [text.plain for text in by_tree((), routers, brief=False, planned=True)] == [
        "Router vps",
        "* create link vxlan01",
        "Router home",
        "offline: it cannot say what it would do",
        "Router branch",
        "nothing to do",
        "Router office",
        "waiting: link vxlan03: wan0",
        "* x",
    ]


def test_a_router_that_went_back_by_itself_says_so() -> None:
    router = Router(name="home", connected=True, applied_revision=3, reverted="confirmation did not arrive")
    assert "reverted: confirmation did not arrive" in not_applied(router, 4, NOW)
    out = console()
    with out.capture() as capture:
        out.print(*one(router, NOW))
    assert "Reverted  confirmation did not arrive" in capture.get()
