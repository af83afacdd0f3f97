"""Locks (RFC 6241 sections 7.5 and 7.6): while one is held, everybody else's writing fails."""

from dataclasses import replace

from tasuki_controller.transactions.refusal import named, refused
from tasuki_controller.transactions.state import Datastore, Session, Transactions


def lock(before: Transactions, session: Session, target: Datastore) -> Transactions:
    """Let nobody else write to a datastore.

    Raises:
        Failed: lock-denied with the holder's session-id: somebody holds it already, the session itself
            included; the candidate has changes; or another session's confirmed commit is pending.
    """
    holder = before.locks.get(target)
    if holder is not None:
        raise refused("lock-denied", f"{_the(target)} is locked by session {holder}.", session=holder)
    if target is Datastore.CANDIDATE and before.candidate is not None:
        message = "The candidate has changes that are not committed: commit or discard them first."
        raise refused("lock-denied", message, session=0)
    pending = before.confirmed
    if target is Datastore.RUNNING and pending and pending.session != session.number:
        holder = pending.session if before.is_open(pending.session) else 0
        message = (
            f"Revision {pending.revision}, committed by {named(pending.session)}, awaits its confirmation."
        )
        raise refused("lock-denied", message, session=holder)
    return replace(before, locks={**before.locks, target: session.number})


def unlock(before: Transactions, session: Session, target: Datastore) -> Transactions:
    """Let others write again. The candidate's uncommitted changes are discarded (RFC 6241 section 8.3.5.2).

    Raises:
        Failed: operation-failed if it is not locked, lock-denied if another session holds the lock.
    """
    holder = before.locks.get(target)
    if holder is None:
        raise refused("operation-failed", f"{_the(target)} is not locked.")
    if holder != session.number:
        message = f"{_the(target)} is locked by session {holder}, which alone can unlock it."
        raise refused("lock-denied", message, session=holder)
    return released(before, target)


def released(before: Transactions, target: Datastore) -> Transactions:
    """Without this lock, and what ends with it."""
    locks = {datastore: holder for datastore, holder in before.locks.items() if datastore is not target}
    after = replace(before, locks=locks)
    if target is Datastore.CANDIDATE:
        return replace(after, candidate=None, editors=frozenset())
    return after


def require_unlocked(state: Transactions, session: Session | None, *targets: Datastore) -> None:
    """Fail where another session holds a lock.

    Raises:
        Failed: in-use, with the holder's session-id.
    """
    for target in targets:
        holder = state.locks.get(target)
        if holder is not None and (session is None or holder != session.number):
            raise refused("in-use", f"{_the(target)} is locked by session {holder}.", session=holder)


def _the(target: Datastore) -> str:
    return "Running" if target is Datastore.RUNNING else "The candidate"
