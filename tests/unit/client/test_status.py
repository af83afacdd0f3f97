"""Routers and their drift, as a person reads them at 80 columns and as a pipe does."""

import io
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from rich.console import Console, RenderableType
from tasuki_client.render import drift, routers
from tasuki_client.render.tables import table
from tasuki_proto.v1.drift_pb2 import DriftItem, Evidence, ListDriftResponse
from tasuki_proto.v1.router_pb2 import ObjectCounts, ObjectStatus, Router

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def before(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def drawn(*renderables: RenderableType, width: int = 80) -> list[str]:
    file = io.StringIO()
    console = Console(file=file, width=width, highlight=False)
    for renderable in renderables:
        console.print(renderable)
    return [line.rstrip() for line in file.getvalue().splitlines()]


VPS = Router(
    name="vps",
    connected=True,
    last_seen=before(1),
    peer="192.0.2.1:40000",
    agent_version="0.1.0",
    intended_revision=12,
    applied_revision=11,
    observed_at=before(3),
    counts=ObjectCounts(total=1021, done=1018, waiting=2, failed=1),
    open_drift=1,
    recent_drift=14,
    objects=[
        ObjectStatus(
            kind="link",
            key="vxlan08",
            path="/ietf-interfaces:interfaces/interface[name='vxlan08']",
            state=ObjectStatus.STATE_WAITING,
            message="waits for the interface enp6s0f1",
            since=before(300),
        ),
        ObjectStatus(
            kind="route",
            key="2001:db8:ae08::/48",
            state=ObjectStatus.STATE_FAILED,
            message="No route to host",
            since=before(10),
            attempts=3,
            next_try=NOW + timedelta(seconds=8),
        ),
        ObjectStatus(kind="link", key="vxlan09", state=ObjectStatus.STATE_FOREIGN),
    ],
)
HOME = Router(name="home", last_seen=before(7200), intended_revision=12, applied_revision=12)
LATE = Router(name="late", intended_revision=12)


def test_each_router_is_a_line_that_fits_80_columns() -> None:
    assert drawn(routers.every([HOME, LATE, VPS], NOW)) == [
        "ROUTER  STATE         REVISION    OBJECTS  WAITING  FAILED  DRIFT  OBSERVED",
        "home    seen 2 h ago        12        0/0        0       0    0/0  never",
        "late    never seen     0 of 12        0/0        0       0    0/0  never",
        "vps     connected     11 of 12  1018/1021        2       1   1/14  3 s ago",
    ]


def test_a_router_in_detail_says_what_its_objects_wait_for_and_why_they_failed() -> None:
    lines = drawn(*routers.one(VPS, NOW))
    assert "waiting   link vxlan08 since 5 min ago" in lines
    assert "          waits for the interface enp6s0f1" in lines
    assert "          /ietf-interfaces:interfaces/interface[name='vxlan08']" in lines
    assert "failed    route 2001:db8:ae08::/48 since 10 s ago, 3 attempts, next in 8 s" in lines
    assert "foreign   link vxlan09" in lines
    assert "Revision  11 of 12" in lines
    assert "Observed  3 s ago" in lines


def test_a_router_that_refuses_its_intent_says_why() -> None:
    lines = drawn(*routers.one(Router(name="old", problem="unknown node wireguard"), NOW))
    assert "Problem   unknown node wireguard" in lines


def test_below_the_list_stands_what_is_wrong_with_a_router_as_a_whole() -> None:
    strange = Router(
        name="home", problem="this network has no router home: it keeps revision 14 that it holds"
    )
    assert drawn(*routers.problems([VPS, strange])) == [
        "home: this network has no router home: it keeps revision 14 that it holds"
    ]


def test_the_account_of_a_wait_names_what_failed() -> None:
    account = routers.not_applied(VPS, 12, NOW)
    assert account == (
        "has not applied revision 12 (it is at 11); route 2001:db8:ae08::/48 failed (No route to host); "
        "link vxlan09 foreign"
    )
    assert routers.not_applied(HOME, 13, NOW) == (
        "offline (seen 2 h ago); it gets revision 13 when it returns"
    )


def test_a_router_has_applied_although_objects_wait_and_says_which() -> None:
    assert routers.applied(VPS) == (
        "applied revision 11; waiting: link vxlan08 (waits for the interface enp6s0f1)"
    )
    more = Router(name="vps", applied_revision=11, objects=[*VPS.objects, *VPS.objects])
    assert routers.applied(more) == (
        "applied revision 11; waiting: link vxlan08 (waits for the interface enp6s0f1)"
        " and 1 more: tasuki routers vps"
    )


MTU = DriftItem(
    id="1",
    router="vps",
    path="/ietf-interfaces:interfaces/interface[name='vxlan08']/tasuki-link:mtu",
    kind="link",
    key="vxlan08",
    field="mtu",
    intended="1450",
    observed="1400",
    first_seen=before(30),
    last_seen=before(10),
    action=DriftItem.ACTION_HEALED,
    healed_at=before(9),
    count=2,
)
setattr(MTU, "class", DriftItem.CLASS_CHANGED)
RULE = DriftItem(
    router="home",
    path="/ietf-routing:routing",
    kind="rule",
    key="100",
    first_seen=before(5),
    last_seen=before(5),
    action=DriftItem.ACTION_FAILED,
    message="Operation not permitted",
    count=1,
)
setattr(RULE, "class", DriftItem.CLASS_MISSING)
EVIDENCE = (
    Evidence(router="late"),
    Evidence(router="home", observed_at=before(7200)),
    Evidence(router="vps", connected=True, observed_at=before(2)),
)


def report(items: Iterable[DriftItem]) -> list[str]:
    return drawn(*drift.report(ListDriftResponse(items=items, evidence=EVIDENCE), NOW), width=200)


def test_the_drift_report_says_what_differed_and_what_became_of_it() -> None:
    assert report([MTU, RULE])[:8] == [
        "vps: link vxlan08 mtu changed: 1450 intended, 1400 observed",
        "  healed 9 s ago, first seen 30 s ago, 2 times, last 10 s ago",
        "  /ietf-interfaces:interfaces/interface[name='vxlan08']/tasuki-link:mtu",
        "home: rule 100 missing",
        "  failed, first seen 5 s ago",
        "  Operation not permitted",
        "  /ietf-routing:routing",
        "2 items, 1 open.",
    ]


def test_a_drift_report_that_leaves_something_out_says_so() -> None:
    lines = drawn(*drift.report(ListDriftResponse(items=[MTU], incomplete=True), NOW))
    assert "There are older ones: name a router, or list only what is open." in lines


def test_no_drift_is_claimed_only_with_the_age_of_the_evidence() -> None:
    assert report([]) == [
        "No drift, as far as the evidence goes:",
        "  late: never observed, nothing is known about it",
        "  home: offline, observed 2 h ago, nothing is known since",
        "  vps: observed 2 s ago",
    ]


def test_a_table_cuts_nothing_off_on_a_narrow_terminal() -> None:
    lines = drawn(table("A", "B", rows=[("x" * 30, "y" * 30)]), width=20)
    assert "".join(lines).count("x") == 30
    assert "".join(lines).count("y") == 30
