from datetime import UTC, datetime

from tasuki_client.plain import name_of, plain
from tasuki_proto.v1.config_pb2 import ApplyResponse, Change, RouterOutcome
from tasuki_proto.v1.drift_pb2 import DriftItem
from tasuki_proto.v1.router_pb2 import Router


def test_every_field_has_its_key_whether_set_or_not() -> None:
    assert plain(Router(name="vps")) == {
        "name": "vps",
        "connected": False,
        "last_seen": None,
        "peer": "",
        "agent_version": "",
        "intended_revision": 0,
        "applied_revision": 0,
        "observed_at": None,
        "counts": None,
        "objects": [],
        "open_drift": 0,
        "recent_drift": 0,
        "problem": "",
        "reverted": "",
    }


def test_times_are_rfc_3339_and_enumerations_names_without_prefix() -> None:
    at = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
    item = plain(DriftItem(first_seen=at, action=DriftItem.ACTION_HEALED))
    assert item["first_seen"] == "2026-11-20T09:30:00Z"
    assert item["action"] == "healed"
    assert item["class"] == "unspecified"


def test_large_numbers_stay_numbers() -> None:
    assert plain(ApplyResponse(revision=2**63))["revision"] == 2**63


def test_json_text_becomes_the_value_itself() -> None:
    change = Change(op=Change.OP_CREATE, path="/a", new_json='{"b": [1]}')
    answer = plain(ApplyResponse(routers=[RouterOutcome(router="vps", outcome="pending", changes=[change])]))
    assert answer["routers"][0]["changes"] == [
        {"op": "create", "path": "/a", "old": None, "new": {"b": [1]}, "router": ""}
    ]


def test_a_value_of_a_newer_controller_is_its_number() -> None:
    item = DriftItem()
    item.action = 99  # type: ignore[assignment]
    assert name_of(item, "action") == "99"
