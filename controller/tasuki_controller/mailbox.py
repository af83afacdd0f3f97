"""The latest of everything, for readers that may be slow.

What the controller sends (an intent to an agent, a router's state to a watcher) is a state, not a history:
who was busy or cut off wants the newest one. A mailbox keeps one message per key, so it never grows with the
time that its reader is away, and whoever writes never waits.
"""

import asyncio
from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class MailboxClosedError(Exception):
    """Nothing more will come, for no particular reason."""


class Mailbox(Generic[K, V]):
    """One slot per key; a newer message replaces an unread older one and keeps its place."""

    def __init__(self) -> None:
        self._latest: dict[K, V] = {}
        self._changed = asyncio.Event()
        self._closed: Exception | None = None

    def __len__(self) -> int:
        return len(self._latest)

    def put(self, key: K, message: V) -> None:
        """Leave a message. Never waits; without effect on a closed mailbox."""
        if self._closed is None:
            self._latest[key] = message
            self._changed.set()

    def discard(self, key: K) -> None:
        """Take back a message that nobody has read yet, if there is one."""
        self._latest.pop(key, None)

    def close(self, reason: Exception | None = None) -> None:
        """Wake the reader for the last time. What is unread is dropped; the first reason given counts."""
        if self._closed is None:
            self._closed = reason or MailboxClosedError()
            self._latest.clear()
            self._changed.set()

    async def take(self) -> list[V]:
        """Wait for messages and take all that there are, oldest key first.

        Raises:
            Exception: the reason why the mailbox is closed, or `MailboxClosedError`.
        """
        await self._changed.wait()
        if self._closed is not None:
            raise self._closed
        self._changed.clear()
        messages = list(self._latest.values())
        self._latest.clear()
        return messages
