"""What the agent tells the controller, in the protocol's messages."""

from collections.abc import Iterable

from google.protobuf.timestamp_pb2 import Timestamp
from tasuki_proto.v1 import agent_pb2, drift_pb2, fact_pb2, router_pb2
from tasuki_yang.facts import FactKey, Facts, Terms

from tasuki_agent.kind import Kind, Ref
from tasuki_agent.reconcile.compare import Class
from tasuki_agent.reconcile.drift import Action, DriftItem
from tasuki_agent.reconcile.facts import KnownFact
from tasuki_agent.reconcile.reconciler import Reconciler
from tasuki_agent.reconcile.status import State, Status
from tasuki_agent.trial import Reverted

_STATES = {
    State.PENDING: router_pb2.ObjectStatus.STATE_PENDING,
    State.WAITING: router_pb2.ObjectStatus.STATE_WAITING,
    State.FAILED: router_pb2.ObjectStatus.STATE_FAILED,
    State.FOREIGN: router_pb2.ObjectStatus.STATE_FOREIGN,
    State.CONTENDED: router_pb2.ObjectStatus.STATE_CONTENDED,
}
_CLASSES = {
    Class.MISSING: drift_pb2.DriftItem.CLASS_MISSING,
    Class.CHANGED: drift_pb2.DriftItem.CLASS_CHANGED,
    Class.UNEXPECTED: drift_pb2.DriftItem.CLASS_UNEXPECTED,
}
_ACTIONS = {
    Action.PENDING: drift_pb2.DriftItem.ACTION_PENDING,
    Action.HEALED: drift_pb2.DriftItem.ACTION_HEALED,
    Action.FAILED: drift_pb2.DriftItem.ACTION_FAILED,
    Action.CONTENDED: drift_pb2.DriftItem.ACTION_CONTENDED,
    Action.OBSOLETE: drift_pb2.DriftItem.ACTION_OBSOLETE,
}
DRIFT_PER_REPORT = 1000
"""Items in one report at the most; the rest follows when these are acknowledged."""


def timestamp(seconds: float | None) -> Timestamp | None:
    """Seconds since the epoch as the protocol writes them."""
    if seconds is None:
        return None
    stamp = Timestamp()
    stamp.FromNanoseconds(int(seconds * 1e9))
    return stamp


def build(
    reconciler: Reconciler, router: str, problem: str = "", reverted: Reverted | None = None
) -> agent_pb2.Report:
    """How the router stands now.

    Args:
        reconciler: holds the objects' statuses and the book of drift.
        router: this router's name.
        problem: why the newest intent was not taken up; empty if it was.
        reverted: that the router went back by itself, if it is still as it was then.
    """
    by_name = {kind.name: kind for kind in reconciler.kinds}
    entries = list(reconciler.board)
    counts = reconciler.board.count()
    total = reconciler.object_count
    unfinished = sum(1 for ref, _ in entries if reconciler.wants(ref))
    doubts = reconciler.facts.doubts()
    drift = list(reconciler.drift.unacknowledged())[:DRIFT_PER_REPORT]
    return agent_pb2.Report(
        applied_revision=reconciler.applied_revision,
        observed_at=timestamp(reconciler.evidence_at),
        counts=router_pb2.ObjectCounts(
            total=total,
            done=total - unfinished,
            pending=counts[State.PENDING],
            waiting=counts[State.WAITING],
            failed=counts[State.FAILED] + counts[State.FOREIGN] + counts[State.CONTENDED],
        ),
        objects=[_object(by_name[ref.kind], ref, status) for ref, status in entries],
        open_drift=reconciler.drift.open_ids,
        drift=[agent_pb2.SequencedDrift(sequence=n, item=_item(item, router)) for n, item in drift],
        problem=problem or reconciler.trouble,
        reverted=_reverted(reverted) if reverted else None,
        revision=reconciler.judged.revision if reconciler.judged else 0,
        facts=[
            _fact(fact, doubts.get(fact.key, ""), reconciler)
            for fact in reconciler.facts
            if reconciler.facts.fresh
        ],
    )


def supposed(facts: Iterable[fact_pb2.Fact]) -> Facts:
    """Facts as they are told."""
    return {FactKey(fact.subject, fact.noun): tuple(fact.values) for fact in facts if fact.values}


def _fact(fact: KnownFact, doubt: str, reconciler: Reconciler) -> fact_pb2.Fact:
    # Terms are told by the clock that people read; a jump of it is told anew with the next report.
    begin = reconciler.clock() - reconciler.uptime()
    return fact_pb2.Fact(
        subject=fact.key.subject,
        noun=fact.key.noun,
        values=fact.values,
        since=timestamp(fact.since),
        unconfirmed=doubt,
        terms=[_terms(reconciler.facts.terms_of(fact.key, value), begin) for value in fact.values],
    )


def _terms(terms: Terms, begin: float) -> fact_pb2.Terms:
    return fact_pb2.Terms(
        origin=terms.origin,
        preferred_until=_after(begin, terms.preferred_until),
        valid_until=_after(begin, terms.valid_until),
        renew_at=_after(begin, terms.renew_at),
        rebind_at=_after(begin, terms.rebind_at),
    )


def _after(begin: float, uptime: float | None) -> Timestamp | None:
    """In whole seconds, so that equal terms are told equally."""
    return None if uptime is None else timestamp(round(begin + uptime))


def _reverted(reverted: Reverted) -> agent_pb2.Reverted:
    return agent_pb2.Reverted(
        from_revision=reverted.from_revision,
        to_revision=reverted.to_revision,
        time=timestamp(reverted.at),
        reason=reverted.cause.value,
    )


def _object(kind: Kind, ref: Ref, status: Status) -> router_pb2.ObjectStatus:
    return router_pb2.ObjectStatus(
        kind=kind.name,
        key=str(ref.key),
        path=kind.path(ref.key),
        state=_STATES[status.state],
        message=status.message,
        since=timestamp(status.since),
        attempts=status.attempts,
        next_try=timestamp(status.next_try.time if status.next_try else None),
    )


def _item(item: DriftItem, router: str) -> drift_pb2.DriftItem:
    message = drift_pb2.DriftItem(
        id=item.id,
        router=router,
        path=item.path,
        kind=item.kind,
        key=item.key,
        field=item.field,
        intended=item.intended,
        observed=item.observed,
        first_seen=timestamp(item.first_seen),
        last_seen=timestamp(item.last_seen),
        action=_ACTIONS[item.action],
        message=item.message,
        count=item.count,
        healed_at=timestamp(item.healed_at),
    )
    # A keyword of Python, so it cannot be an argument.
    setattr(message, "class", _CLASSES[item.class_])
    return message
