"""A router that is broken or hostile cannot spoil what the controller keeps."""

from datetime import UTC, datetime, timedelta

import pytest
from tasuki_controller.inbound import screen
from tasuki_proto.v1 import agent_pb2, drift_pb2, error_pb2, fact_pb2, router_pb2


def screened(**message: object) -> agent_pb2.ConnectRequest:
    request = agent_pb2.ConnectRequest(**message)  # type: ignore[arg-type]
    # As it arrives: Python refuses to make what the wire carries.
    received = agent_pb2.ConnectRequest.FromString(request.SerializeToString())
    screen(received)
    return received


def report(**fields: object) -> agent_pb2.Report:
    return screened(report=agent_pb2.Report(**fields)).report  # type: ignore[arg-type]


@pytest.mark.parametrize("seconds", [2**60, -(2**60), 0, 253402300800])
@pytest.mark.parametrize("nanos", [0, -1, 2**31 - 1])
def test_a_time_is_never_before_2000_nor_more_than_an_hour_ahead(seconds: int, nanos: int) -> None:
    heartbeat = agent_pb2.Heartbeat()
    heartbeat.observed_at.seconds, heartbeat.observed_at.nanos = seconds, nanos
    status = router_pb2.ObjectStatus()
    status.next_try.CopyFrom(heartbeat.observed_at)
    drift = agent_pb2.SequencedDrift()
    drift.item.last_seen.CopyFrom(heartbeat.observed_at)
    told = report(objects=[status], drift=[drift])
    for stamp in (
        screened(heartbeat=heartbeat).heartbeat.observed_at,
        told.objects[0].next_try,
        told.drift[0].item.last_seen,
    ):
        when = stamp.ToDatetime(UTC)
        assert datetime(2000, 1, 1, tzinfo=UTC) <= when <= datetime.now(UTC) + timedelta(hours=1, seconds=1)


def test_what_is_as_it_should_be_stays_as_it_is() -> None:
    status = router_pb2.ObjectStatus(kind="link", key="ä" * 100, state=router_pb2.ObjectStatus.STATE_FAILED)
    status.since.GetCurrentTime()
    item = drift_pb2.DriftItem(id="1", action=drift_pb2.DriftItem.ACTION_HEALED)
    request = agent_pb2.ConnectRequest(
        report=agent_pb2.Report(
            objects=[status],
            drift=[agent_pb2.SequencedDrift(sequence=3, item=item)],
            applied_revision=2**64 - 1,
        )
    )
    before = request.SerializeToString(deterministic=True)
    screen(request)
    assert request.SerializeToString(deterministic=True) == before


def test_facts_and_their_values_are_no_more_than_a_router_can_need() -> None:
    many = [fact_pb2.Fact(subject=f"wan{number}", values=["2001:db8::1"] * 100) for number in range(5000)]
    kept = report(facts=many).facts
    assert [each.subject for each in kept] == [f"wan{number}" for number in range(1000)]
    assert {len(each.values) for each in kept} == {16}


def test_many_large_values_are_no_more_than_a_router_can_need_either() -> None:
    many = [fact_pb2.Fact(subject=f"wan{number}", values=["x" * 4000] * 16) for number in range(1000)]
    assert 0 < report(facts=many).ByteSize() <= 1 << 20


def test_a_lease_may_end_in_many_years_and_not_in_any() -> None:
    now = int(datetime.now(UTC).timestamp())
    ends = [now + 30 * 86400, now + (1 << 32) - 1, now + (1 << 33), -(2**60)]
    fact = fact_pb2.Fact(subject="wan0", values=["2001:db8::1"] * 4)
    for end in ends:
        fact.terms.add(origin="dhcpv6").valid_until.seconds = end
    (kept,) = report(facts=[fact]).facts
    told = [each.valid_until.seconds for each in kept.terms]
    assert told[:2] == ends[:2]
    assert abs(told[2] - now - (1 << 32)) <= 3700
    assert told[3] == datetime(2000, 1, 1, tzinfo=UTC).timestamp()


def test_there_are_no_more_terms_than_values() -> None:
    fact = fact_pb2.Fact(values=["2001:db8::1"], terms=[fact_pb2.Terms(origin="dhcpv6")] * 10_000)
    assert [len(each.terms) for each in report(facts=[fact]).facts] == [1]


def test_a_time_that_was_not_told_is_not_made_up() -> None:
    assert not report(applied_revision=1).HasField("observed_at")


def test_long_texts_are_cut_between_two_characters() -> None:
    told = report(problem="é" * 20_000)
    assert len(told.problem.encode()) <= 4096
    assert told.problem.endswith("é…")
    item = drift_pb2.DriftItem(id="1", observed="x" * (20 << 20))
    assert report(drift=[agent_pb2.SequencedDrift(item=item)]).ByteSize() < 5000


def test_values_that_this_version_does_not_know_are_unspecified() -> None:
    status = router_pb2.ObjectStatus(state=99)  # type: ignore[arg-type]
    assert report(objects=[status]).objects[0].state == router_pb2.ObjectStatus.STATE_UNSPECIFIED


def test_fields_that_this_version_does_not_know_are_dropped() -> None:
    # Field 99, of 5 MB.
    padding = b"\x9a\x06" + b"\xc0\x96\xb1\x02" + bytes(5_000_000)
    item = drift_pb2.DriftItem.FromString(b"\x0a\x011" + padding)
    assert item.ByteSize() > 5_000_000
    assert report(drift=[agent_pb2.SequencedDrift(item=item)]).ByteSize() < 100


def test_lists_have_an_end() -> None:
    assert len(report(objects=[router_pb2.ObjectStatus(kind="link")] * 30_000).objects) == 20_000
    assert report(objects=[router_pb2.ObjectStatus(message="x" * 4000)] * 10_000).ByteSize() <= 17 << 20
    plan = screened(prepare_answer=agent_pb2.PrepareAnswer(plan=["x" * 4000] * 10_000)).prepare_answer
    assert plan.ByteSize() <= 17 << 20


def test_of_too_much_drift_the_first_is_kept_so_that_the_rest_can_follow() -> None:
    drift = [
        agent_pb2.SequencedDrift(sequence=n, item=drift_pb2.DriftItem(id=f"{n}")) for n in range(3000, 0, -1)
    ]
    assert [sequenced.sequence for sequenced in report(drift=drift).drift] == list(range(1, 1001))


def test_a_refusal_stays_one_however_large_it_is() -> None:
    info = {f"{n}": "x" * 4000 for n in range(6000)}
    refusal = error_pb2.ConfigError(error_tag="invalid-value", error_info=info)
    answer = screened(prepare_answer=agent_pb2.PrepareAnswer(refusals=[refusal] * 2)).prepare_answer
    assert len(answer.refusals) == 1
