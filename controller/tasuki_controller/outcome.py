"""What became of a revision on a router, told from what its agent reports. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final

from tasuki_proto.v1 import agent_pb2, router_pb2

_NAMED: Final = 3
"""Objects that a message names; the rest is counted."""


class Result(Enum):
    """How far a router is with a revision."""

    PENDING = "pending"
    APPLIED = "applied"
    WAITING = "waiting"
    FAILED = "failed"
    OFFLINE = "offline"
    REVERTED = "reverted"


@dataclass(frozen=True, slots=True)
class RouterOutcome:
    """A router's result, and in words what it waits for, or why it failed or reverted."""

    result: Result
    message: str = ""

    @property
    def settled(self) -> bool:
        """Whether there is nothing to wait for."""
        return self.result is not Result.PENDING


def outcome(revision: int, report: agent_pb2.Report | None, *, connected: bool) -> RouterOutcome:
    """What became of the revision.

    Args:
        revision: the one that last changed the router's intent.
        report: the last one that the router's agent made since the controller runs.
        connected: whether the agent has its stream open.
    """
    if report is None:
        return RouterOutcome(Result.PENDING if connected else Result.OFFLINE)
    if report.HasField("reverted") and report.reverted.from_revision == revision:
        return RouterOutcome(Result.REVERTED, report.reverted.reason)
    if report.revision == revision:
        if report.counts.failed:
            return RouterOutcome(Result.FAILED, _told(report, _FAILED))
        if report.applied_revision == revision:
            waiting = report.counts.waiting
            return RouterOutcome(Result.WAITING, _told(report, _WAITING)) if waiting else _APPLIED
    if not connected:
        return RouterOutcome(Result.OFFLINE)
    if report.problem:
        return RouterOutcome(Result.FAILED, report.problem)
    return RouterOutcome(Result.PENDING)


_APPLIED: Final = RouterOutcome(Result.APPLIED)
_WAITING: Final = frozenset({router_pb2.ObjectStatus.STATE_WAITING})
_FAILED: Final = frozenset(
    {
        router_pb2.ObjectStatus.STATE_FAILED,
        router_pb2.ObjectStatus.STATE_FOREIGN,
        router_pb2.ObjectStatus.STATE_CONTENDED,
    }
)


def _told(report: agent_pb2.Report, states: frozenset[router_pb2.ObjectStatus.State]) -> str:
    lines = list(_lines(report, states))
    more = len(lines) - _NAMED
    return "; ".join([*lines[:_NAMED], *([f"and {more} more"] if more > 0 else [])])


def _lines(report: agent_pb2.Report, states: frozenset[router_pb2.ObjectStatus.State]) -> Iterator[str]:
    for status in report.objects:
        if status.state in states:
            yield f"{status.kind} {status.key}: {status.message}"
