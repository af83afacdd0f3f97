"""Commits, confirmed ones above all (RFC 6241 section 8.4), and what makes them go back.

The baseline of a chain is what was running before its first confirmed commit. Nothing but the end of the
chain moves it: not a follow-up, and not a confirmation that fails.
"""

from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from tasuki_controller.failure import invalid
from tasuki_controller.running import Running
from tasuki_controller.transactions.locks import require_unlocked
from tasuki_controller.transactions.refusal import named, refused
from tasuki_controller.transactions.state import Confirmed, Datastore, Session, Transactions

DEFAULT_TIMEOUT: Final = 600
MAX_TIMEOUT: Final = 2**32 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitOrder:
    """How to commit."""

    comment: str = ""
    confirmed: bool = False
    timeout: int = DEFAULT_TIMEOUT
    """Seconds until a confirmed commit reverts."""
    persist: str = ""
    """Names a confirmed commit, so that it outlives the session."""
    persist_id: str = ""
    """Names the pending commit that this one follows or confirms."""
    rollback_on_failure: bool = False
    """Go back when a router fails to apply it."""
    wait: float = 0
    """Seconds to wait for the routers once it is durable."""


class EventKind(Enum):
    """What happened to a commit."""

    COMMIT = "commit"
    START = "start"
    EXTEND = "extend"
    COMPLETE = "complete"
    CANCEL = "cancel"
    TIMEOUT = "timeout"
    ROUTER = "router"


def require_order(order: CommitOrder) -> None:
    """Fail for an order that contradicts itself.

    Raises:
        Failed: invalid-value.
    """
    if order.confirmed and not 1 <= order.timeout <= MAX_TIMEOUT:
        raise invalid(
            f"A confirmed commit waits 1 to {MAX_TIMEOUT} s for its confirmation, not {order.timeout} s."
        )
    if order.persist and not order.confirmed:
        raise invalid("'persist' names a confirmed commit: ask for one, or leave it out.")


def require_commit(state: Transactions, session: Session | None, order: CommitOrder) -> None:
    """Fail unless the session, or a call without one, may commit.

    Raises:
        Failed: in-use for a lock or a pending commit of others; for a call without a session also for
            changes in the candidate. invalid-value for a persist-id that is wrong or missing.
    """
    require_unlocked(state, session, *Datastore)
    if session is None:
        require_unchanged(state)
    pending = state.confirmed
    if pending is None:
        if order.persist_id:
            raise invalid(f"No confirmed commit is pending that could be named '{order.persist_id}'.")
        return
    if session is None and not order.persist_id:
        raise _pending(pending)
    if order.persist_id != pending.persist:
        raise _wrong_name(pending)
    if not pending.persist and (session is None or session.number != pending.session):
        raise _pending(pending)


def require_unchanged(state: Transactions) -> None:
    """Fail while the candidate has changes, which a change of running beside it would undo or be undone by.

    Raises:
        Failed: in-use, with the session-id of one who made them.
    """
    if state.candidate is not None:
        editor = min(state.editors)
        message = f"The candidate has changes of session {editor} that are not committed."
        raise refused("in-use", message, session=editor)


def event_of(state: Transactions, order: CommitOrder, *, changed: bool) -> EventKind | None:
    """What a commit is to the chain before it; None for a plain commit of nothing."""
    if order.confirmed:
        return EventKind.EXTEND if state.confirmed else EventKind.START
    if state.confirmed:
        return EventKind.COMPLETE
    return EventKind.COMMIT if changed else None


def chained(
    pending: Confirmed | None,
    session: Session | None,
    order: CommitOrder,
    revisions: tuple[int, int],
    now: float,
) -> Confirmed | None:
    """What awaits its confirmation after a commit that leads from one revision to another, or stays there."""
    if not order.confirmed:
        return None
    before, after = revisions
    return Confirmed(
        baseline=pending.baseline if pending else before,
        revision=after,
        session=session.number if session else 0,
        persist=order.persist or (pending.persist if pending else ""),
        deadline=now + order.timeout,
    )


def committed(before: Transactions, taken: Running | None, confirmed: Confirmed | None) -> Transactions:
    """Running has become what was taken from the candidate. What was edited since then stays there."""
    if before.candidate is not taken:
        return replace(before, confirmed=confirmed)
    return replace(before, candidate=None, editors=frozenset(), confirmed=confirmed)


def require_cancel(state: Transactions, session: Session | None, persist_id: str) -> Confirmed:
    """The commit to cancel.

    Raises:
        Failed: invalid-value if none is pending, the name is wrong, or it takes a name or another session;
            in-use while another session holds a lock on running.
    """
    pending = state.confirmed
    if pending is None:
        raise invalid("No confirmed commit is pending.")
    if persist_id:
        if persist_id != pending.persist:
            raise _wrong_name(pending)
    elif session is None or session.number != pending.session:
        if pending.persist:
            raise _wrong_name(pending)
        raise invalid(
            f"Only {named(pending.session)}, which committed revision {pending.revision}, can cancel it."
        )
    require_unlocked(state, session, Datastore.RUNNING)
    return pending


def reversal(state: Transactions, now: float) -> EventKind | None:
    """Why the pending commit must be reverted now, whatever is locked; None if it must not.

    Raises nothing and asks nobody: an owner who is gone, or a deadline, is reason enough.
    """
    pending = state.confirmed
    if pending is None:
        return None
    if pending.deadline <= now:
        return EventKind.TIMEOUT
    if not pending.persist and not state.is_open(pending.session):
        return EventKind.CANCEL
    return None


def reverted(before: Transactions) -> Transactions:
    """Nothing is pending any more. The candidate stays: RFC 6241 section 8.4.1 reverts running alone."""
    return replace(before, confirmed=None)


def next_due(state: Transactions) -> float | None:
    """When a lease or the pending commit runs out next; None if nothing does."""
    times = [session.expires for session in state.sessions.values()]
    if state.confirmed:
        times.append(state.confirmed.deadline)
    return min(times, default=None)


def _pending(pending: Confirmed) -> Exception:
    message = f"Revision {pending.revision}, committed by {named(pending.session)}, awaits its confirmation."
    return refused("in-use", message, session=pending.session)


def _wrong_name(pending: Confirmed) -> Exception:
    return invalid(
        f"Revision {pending.revision} awaits its confirmation under another name: give its persist-id."
        if pending.persist
        else f"Revision {pending.revision} awaits its confirmation and has no persist-id."
    )
