"""The candidate (RFC 6241 section 8.3): one for all sessions, equal to running until somebody edits it."""

from dataclasses import replace

from tasuki_controller.running import Running
from tasuki_controller.transactions.locks import require_unlocked
from tasuki_controller.transactions.state import Datastore, Session, Transactions


def require_edit(state: Transactions, session: Session) -> None:
    """Fail unless the session may change the candidate. A lock on running does not stand in the way.

    Raises:
        Failed: in-use.
    """
    require_unlocked(state, session, Datastore.CANDIDATE)


def edited(before: Transactions, session: Session, candidate: Running | None) -> Transactions:
    """The session has made this of the candidate; None if it is equal to running again."""
    editors = before.editors | {session.number} if candidate else frozenset[int]()
    return replace(before, candidate=candidate, editors=editors)


def discard(before: Transactions, session: Session) -> Transactions:
    """Make the candidate equal to running, whoever has changed it.

    Raises:
        Failed: in-use.
    """
    require_edit(before, session)
    return replace(before, candidate=None, editors=frozenset())
