"""Remembers what a message of the kernel meant, so that a steady observation decodes nothing."""

from collections.abc import Callable, Iterable
from typing import Generic, TypeAlias, TypeVar

from tasuki_agent.kernel.interfaces import NameOf, Names

K = TypeVar("K")
S = TypeVar("S")

Decoder: TypeAlias = Callable[[bytes, Names], tuple[K, S] | None]
"""A message's payload to key and spec, or None for an object that its kind does not look at."""


class Memo(Generic[K, S]):
    """Decodes dumps by way of the previous one: equal bytes are the same objects.

    Messages hold indexes of interfaces and specs hold names, so a meaning counts as long as its interfaces
    keep their names.
    """

    def __init__(
        self, decode: Decoder[K, S], name_of: NameOf, beside: Callable[[S, S], S] | None = None
    ) -> None:
        """Remember what `decode` says.

        Args:
            decode: reads one message.
            name_of: says which interface has an index now.
            beside: makes one of the first object of a key and another one; without it the first one counts.
        """
        self._decode = decode
        self._name_of = name_of
        self._beside = beside
        self._meanings: dict[bytes, tuple[tuple[K, S] | None, list[int]]] = {}
        """What a message said, and the indexes of the interfaces whose names were said with it."""
        self._names: dict[int, str] = {}

    def objects(self, messages: Iterable[bytes]) -> dict[K, S]:
        """The dump's objects."""
        names = Names(self._name_of)
        renamed = {index for index, name in self._names.items() if names.current(index) != name}
        meanings: dict[bytes, tuple[tuple[K, S] | None, list[int]]] = {}
        objects: dict[K, S] = {}
        for message in messages:
            meaning = self._meanings.get(message)
            if meaning is None or (renamed and not renamed.isdisjoint(meaning[1])):
                names.asked, names.missing = [], False
                meaning = self._decode(message, names), names.asked
                if not names.missing:
                    meanings[message] = meaning
            else:
                meanings[message] = meaning
            if meaning[0] is not None:
                key, spec = meaning[0]
                first = objects.setdefault(key, spec)
                if self._beside and first is not spec:
                    objects[key] = self._beside(first, spec)
        self._meanings, self._names = meanings, names.known
        return objects


def ours_first(messages: Iterable[bytes], mark: bytes) -> list[bytes]:
    """The messages, those with our mark before the others.

    The kernel lets an equal object of somebody else stand beside ours, such as an IPv4 address of another
    length. Then ours is the one that counts.
    """
    return sorted(messages, key=lambda message: mark not in message)
