"""Remembers what a message of the kernel meant, so that a steady observation decodes nothing."""

from collections.abc import Callable, Iterable
from typing import Generic, TypeAlias, TypeVar

from tasuki_agent.kernel.interfaces import Names

K = TypeVar("K")
S = TypeVar("S")

Decoder: TypeAlias = Callable[[bytes, Names], tuple[K, S] | None]
"""A message's payload to key and spec, or None for an object that its kind does not look at."""


class Memo(Generic[K, S]):
    """Decodes dumps by way of the previous one: equal bytes are the same objects.

    Messages hold indexes of interfaces and specs hold names, so what was decoded counts only as long as the
    names are still the same.
    """

    def __init__(self, decode: Decoder[K, S]) -> None:
        self._decode = decode
        self._meanings: dict[bytes, tuple[tuple[K, S] | None, tuple[tuple[int, str], ...]]] = {}

    def objects(self, messages: Iterable[bytes]) -> dict[K, S]:
        """The dump's objects. Of several with one key the first counts, as in the kernel's lookups."""
        names = Names()
        known, meanings = self._meanings, {}
        objects: dict[K, S] = {}
        for message in messages:
            meaning = known.get(message)
            if meaning is None or any(names.current(index) != name for index, name in meaning[1]):
                names.asked = []
                meaning = self._decode(message, names), tuple(names.asked)
            meanings[message] = meaning
            if meaning[0] is not None:
                objects.setdefault(*meaning[0])
        self._meanings = meanings
        return objects
