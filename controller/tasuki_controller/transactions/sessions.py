"""Sessions: they begin with a token, last while their lease is kept, and take all that is theirs along."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from tasuki_controller.access import Caller, denied
from tasuki_controller.failure import invalid
from tasuki_controller.transactions.locks import released
from tasuki_controller.transactions.refusal import refused
from tasuki_controller.transactions.state import Datastore, Session, Transactions

DEFAULT_LEASE: Final = 30
MAX_LEASE: Final = 600
MAX_SESSIONS: Final = 1000


def open_session(
    before: Transactions, caller: Caller, token: str, lease: int, now: float
) -> tuple[Transactions, Session]:
    """Begin a session of so many seconds, 0 for the default.

    Raises:
        Failed: invalid-value for too long a lease, resource-denied for too many sessions.
    """
    if not 0 <= lease <= MAX_LEASE:
        raise invalid(f"A lease lasts up to {MAX_LEASE} s, not {lease} s.")
    if len(before.sessions) >= MAX_SESSIONS:
        raise refused("resource-denied", f"There are {MAX_SESSIONS} sessions already.")
    lease = lease or DEFAULT_LEASE
    session = Session(before.opened + 1, token, caller, lease, now + lease)
    sessions = {**before.sessions, token: session}
    return replace(before, sessions=sessions, opened=session.number), session


def session_of(state: Transactions, caller: Caller, token: str, now: float) -> Session:
    """The caller's session.

    Raises:
        Failed: invalid-value if it has ended or never was, access-denied if it is somebody else's.
    """
    session = state.sessions.get(token)
    if session is None or session.expires <= now:
        message = "There is no such session: it was closed, or its lease ran out. Open another one."
        raise refused("invalid-value", message, error_app_tag="session-ended")
    if (session.caller.role, session.caller.name) != (caller.role, caller.name):
        raise denied(f"The session belongs to '{session.caller.name}', not to '{caller.name}'.")
    return session


def keep(before: Transactions, session: Session, now: float) -> Transactions:
    """Let the lease begin anew."""
    kept = replace(session, expires=now + session.lease)
    return replace(before, sessions={**before.sessions, session.token: kept})


def close(before: Transactions, session: Session) -> Transactions:
    """End the session: its locks go, and what only it has changed in the candidate.

    What it leaves to do is a revert, if it has a confirmed commit without a name: see `commits.reversal`.
    """
    after = before
    for datastore in Datastore:
        if before.locks.get(datastore) == session.number:
            after = released(after, datastore)
    sessions = {token: other for token, other in before.sessions.items() if token != session.token}
    editors = after.editors - {session.number}
    # Whoever has edited on top of it still answers for the candidate.
    candidate = after.candidate if editors else None
    return replace(after, sessions=sessions, editors=editors, candidate=candidate)


def expired(state: Transactions, now: float) -> list[Session]:
    """Sessions whose lease has run out, the oldest first."""
    return [session for session in state.sessions.values() if session.expires <= now]


def close_all(before: Transactions, sessions: Iterable[Session]) -> Transactions:
    """End all of these sessions."""
    after = before
    for session in sessions:
        after = close(after, session)
    return after
