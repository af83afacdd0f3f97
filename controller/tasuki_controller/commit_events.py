"""What happens to commits, for whoever watches: each event in order, and first the commit that is pending."""

import itertools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import grpc
from tasuki_yang.errors import ConfigError

from tasuki_controller.failure import Failed
from tasuki_controller.mailbox import Mailbox
from tasuki_controller.outcome import RouterOutcome
from tasuki_controller.transactions.commits import EventKind

_WATCH_LIMIT: Final = 1000
"""Events that may wait for one watcher before it is told to start again."""


@dataclass(frozen=True, slots=True)
class CommitEvent:
    """One thing that happened to a commit."""

    kind: EventKind
    revision: int
    time: datetime
    author: str
    revert_at: datetime | None = None
    routers: Mapping[str, RouterOutcome] = field(default_factory=dict)
    message: str = ""


class CommitEvents:
    """Hands every event to every watcher."""

    def __init__(self) -> None:
        self._numbers = itertools.count()
        self._pending: CommitEvent | None = None
        self._watches: set[Mailbox[int, CommitEvent]] = set()

    def emit(self, event: CommitEvent) -> None:
        """Tell all. Never waits."""
        if event.kind in {EventKind.START, EventKind.EXTEND}:
            self._pending = event
        elif event.kind is not EventKind.ROUTER:
            self._pending = None
        for watch in self._watches:
            watch.put(next(self._numbers), event)
            if len(watch) > _WATCH_LIMIT:
                watch.close(_too_slow())

    @contextmanager
    def watch(self) -> Iterator[Mailbox[int, CommitEvent]]:
        """A mailbox that gets the pending commit, if there is one, and then every event.

        It is closed when too many wait in it.
        """
        mailbox: Mailbox[int, CommitEvent] = Mailbox()
        if self._pending:
            mailbox.put(next(self._numbers), self._pending)
        self._watches.add(mailbox)
        try:
            yield mailbox
        finally:
            self._watches.discard(mailbox)

    def close(self) -> None:
        """End every watch, because the controller ends."""
        problem = ConfigError(error_tag="operation-failed", message="The controller is shutting down.")
        for watch in self._watches:
            watch.close(Failed([problem], grpc.StatusCode.UNAVAILABLE))


def _too_slow() -> Failed:
    problem = ConfigError(
        error_type="protocol",
        error_tag="resource-denied",
        message=f"More than {_WATCH_LIMIT} events wait to be read: watch again from the start.",
    )
    return Failed([problem])
