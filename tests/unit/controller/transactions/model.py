"""What sessions, locks, the candidate and confirmed commits shall do, in the shortest words.

Written from RFC 6241 and docs/transactions.md alone: it shares no code with the controller, keeps every
configuration as a value, and knows neither disk nor threads. Each operation returns nothing, or raises
`Refused` with the error-tag.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

RUNNING, CANDIDATE = "running", "candidate"
CONTROLLER = "tasuki-controller"


class Config(NamedTuple):
    """Descriptions by router, and the routers with a written tree, which is valid for known ones only."""

    routers: frozenset[tuple[str, str]] = frozenset()
    written: frozenset[str] = frozenset()

    @property
    def is_valid(self) -> bool:
        return self.written <= {name for name, _ in self.routers}

    def describe(self, router: str, text: str) -> "Config":
        others = {each for each in self.routers if each[0] != router}
        return self._replace(routers=frozenset(others | {(router, text)}))

    def without(self, router: str) -> "Config":
        return self._replace(routers=frozenset(each for each in self.routers if each[0] != router))

    def write(self, router: str) -> "Config":
        return self._replace(written=self.written | {router})

    def unwrite(self, router: str) -> "Config":
        return self._replace(written=self.written - {router})


class Refused(Exception):  # noqa: N818 - not an error: the model says no
    """The operation fails with this error-tag; "invalid" stands for an invalid configuration."""

    def __init__(self, tag: str) -> None:
        super().__init__(tag)
        self.tag = tag


class Entry(NamedTuple):
    """A revision."""

    config: Config
    author: str


class Order(NamedTuple):
    """How to commit. No timeout means a plain commit."""

    timeout: int | None = None
    persist: str = ""
    persist_id: str = ""


@dataclass
class Pending:
    """A confirmed commit."""

    baseline: Config
    session: int
    persist: str
    deadline: float


@dataclass
class Model:
    """The controller as its users may see it."""

    now: float = 0
    opened: int = 0
    history: list[Entry] = field(default_factory=lambda: [Entry(Config(), "")])
    candidate: Config | None = None
    editors: set[int] = field(default_factory=set)
    sessions: dict[int, tuple[str, int, float]] = field(default_factory=dict)
    """Caller, lease and end of each session."""
    locks: dict[str, int] = field(default_factory=dict)
    pending: Pending | None = None
    events: list[str] = field(default_factory=list)

    @property
    def running(self) -> Config:
        return self.history[-1].config

    # What time does

    def settle(self) -> None:
        for session, (_, _, expires) in list(self.sessions.items()):
            if expires <= self.now:
                self._end(session)
        self._revert_orphan()

    def restart(self) -> None:
        self.sessions, self.locks, self.candidate, self.editors = {}, {}, None, set()
        if self.pending:
            self._revert(CONTROLLER)
        self.events, self.opened = [], 0

    def _revert_orphan(self) -> None:
        pending = self.pending
        if pending and pending.deadline <= self.now:
            self._revert(CONTROLLER)
            self.events.append("timeout")
        elif pending and not pending.persist and pending.session not in self.sessions:
            self._revert(CONTROLLER)
            self.events.append("cancel")

    def _revert(self, author: str) -> None:
        assert self.pending
        if self.pending.baseline != self.running:
            self.history.append(Entry(self.pending.baseline, author))
        self.pending = None

    def _end(self, session: int) -> None:
        del self.sessions[session]
        if self.locks.get(RUNNING) == session:
            del self.locks[RUNNING]
        if self.locks.get(CANDIDATE) == session:
            del self.locks[CANDIDATE]
            self._forget()
        self.editors.discard(session)
        if not self.editors:
            self._forget()

    def _forget(self) -> None:
        self.candidate, self.editors = None, set()

    # What callers do

    def open(self, caller: str, lease: int) -> int:
        self.opened += 1
        self.sessions[self.opened] = (caller, lease, self.now + lease)
        return self.opened

    def keep(self, caller: str, session: int) -> None:
        self._check(caller, session)
        owner, lease, _ = self.sessions[session]
        self.sessions[session] = (owner, lease, self.now + lease)

    def close(self, caller: str, session: int) -> None:
        self._check(caller, session)
        self._end(session)
        self.settle()

    def _check(self, caller: str, session: int) -> None:
        if session not in self.sessions or self.sessions[session][2] <= self.now:
            raise Refused("invalid-value")
        if self.sessions[session][0] != caller:
            raise Refused("access-denied")

    def lock(self, caller: str, session: int, target: str) -> None:
        self.settle()
        self._check(caller, session)
        if target in self.locks:
            raise Refused("lock-denied")
        if target == CANDIDATE and self.candidate is not None:
            raise Refused("lock-denied")
        if target == RUNNING and self.pending and self.pending.session != session:
            raise Refused("lock-denied")
        self.locks[target] = session

    def unlock(self, caller: str, session: int, target: str) -> None:
        self.settle()
        self._check(caller, session)
        if target not in self.locks:
            raise Refused("operation-failed")
        if self.locks[target] != session:
            raise Refused("lock-denied")
        del self.locks[target]
        if target == CANDIDATE:
            self._forget()

    def edit(self, caller: str, session: int, after: Config) -> None:
        self.settle()
        self._check(caller, session)
        self._writable(session, CANDIDATE)
        if after == self.running:
            self._forget()
        else:
            self.candidate = after
            self.editors.add(session)

    def discard(self, caller: str, session: int) -> None:
        self.settle()
        self._check(caller, session)
        self._writable(session, CANDIDATE)
        self._forget()

    def _writable(self, session: int, *targets: str) -> None:
        if any(self.locks.get(target, session) != session for target in targets):
            raise Refused("in-use")

    def commit(self, caller: str, session: int, order: Order) -> None:
        self.settle()
        self._check(caller, session)
        self._may_commit(session, order)
        self._commit(caller, session, self.candidate or self.running, order)
        self._forget()

    def beside(self, caller: str, session: int, after: Config, order: Order) -> None:
        """Apply or rollback. Session 0 stands for a call without one."""
        self.settle()
        if session:
            self._check(caller, session)
        self._may_commit(session, order)
        if self.candidate is not None:
            raise Refused("in-use")
        self._commit(caller, session, after, order)

    def _may_commit(self, session: int, order: Order) -> None:
        self._writable(session, RUNNING, CANDIDATE)
        if not session and self.candidate is not None:
            raise Refused("in-use")
        if self.pending is None:
            if order.persist_id:
                raise Refused("invalid-value")
        elif not session and not order.persist_id:
            raise Refused("in-use")
        elif order.persist_id != self.pending.persist:
            raise Refused("invalid-value")
        elif not self.pending.persist and self.pending.session != session:
            raise Refused("in-use")

    def _commit(self, caller: str, session: int, after: Config, order: Order) -> None:
        if not after.is_valid:
            raise Refused("invalid")
        before, pending, changed = self.running, self.pending, after != self.running
        if changed:
            self.history.append(Entry(after, caller))
        if order.timeout is not None:
            self.events.append("extend" if pending else "start")
            self.pending = Pending(
                baseline=pending.baseline if pending else before,
                session=session,
                persist=order.persist or (pending.persist if pending else ""),
                deadline=self.now + order.timeout,
            )
        else:
            self.events += ["complete"] if pending else ["commit"] if changed else []
            self.pending = None

    def cancel(self, caller: str, session: int, persist_id: str) -> None:
        self.settle()
        if session:
            self._check(caller, session)
        if self.pending is None:
            raise Refused("invalid-value")
        named = bool(persist_id) and persist_id == self.pending.persist
        own = not persist_id and session == self.pending.session != 0
        if not (named or own):
            raise Refused("invalid-value")
        self._writable(session, RUNNING)
        self._revert(caller)
        self.events.append("cancel")
