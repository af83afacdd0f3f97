from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tasuki_client.render.times import ago, moment, point_in_time
from tasuki_proto.v1.router_pb2 import Router

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "now"),
        (0, "now"),
        (1, "1 s ago"),
        (12.9, "12 s ago"),
        (119, "119 s ago"),
        (120, "2 min ago"),
        (7199, "119 min ago"),
        (7200, "2 h ago"),
        (172_799, "47 h ago"),
        (172_800, "2 d ago"),
    ],
)
def test_an_age_is_told_in_the_largest_unit_that_it_has_two_of(seconds: float, text: str) -> None:
    assert ago(NOW - timedelta(seconds=seconds), NOW) == text


@given(st.integers(0, 999_999), st.sampled_from([("s", 1), ("m", 60), ("h", 3600), ("d", 86_400)]))
def test_an_age_is_read_as_a_point_in_time(number: int, unit: tuple[str, int]) -> None:
    now = datetime(9000, 1, 1, tzinfo=UTC)
    assert now - point_in_time(f"{number}{unit[0]}", now) == timedelta(seconds=number * unit[1])


def test_rfc_3339_is_read_with_its_zone() -> None:
    assert point_in_time("2026-11-20T09:30:00Z", NOW) == datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
    assert point_in_time("2026-11-20T18:30:00+09:00", NOW) == datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


def test_a_time_without_a_zone_is_local() -> None:
    assert point_in_time("2026-11-20T09:30:00", NOW).tzinfo is not None


@pytest.mark.parametrize(
    "text", ["", "yesterday", "5", "5w", "-5m", "1.5h", "9999999d", "2026-13-01", "25:00"]
)
def test_what_is_no_time_is_refused_with_what_is_allowed(text: str) -> None:
    with pytest.raises(ValueError, match="write an age such as 30m, 24h or 7d"):
        point_in_time(text, NOW)


def test_a_time_that_is_not_set_is_none() -> None:
    assert moment(Router(), "last_seen") is None
    assert moment(Router(last_seen=NOW), "last_seen") == NOW
