"""What the controller itself has to say against a router, beside what the router's agent reports."""

from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from tasuki_controller.intended import Intended

_SOON: Final = 60.0
"""Seconds within which a name that changes hands twice is fought over. Agents come back within 15."""


def another_history(router: str, held: int, intended: Intended) -> str:
    """What speaks for another history of a router that holds this revision, 0 for none; often nothing."""
    texts = []
    if intended.of(router) is None:
        kept = f"it keeps revision {held} that it holds" if held else "it is told nothing"
        texts.append(f"this network has no router {router}: {kept}")
    if held > intended.revision:
        newest = f"newest revision {intended.revision}" if intended.revision else "history, which is empty"
        texts.append(f"holds revision {held}, newer than this controller's {newest}: another history?")
    return "; ".join(texts)


class _Replacement(NamedTuple):
    time: float
    older: str
    newer: str


@dataclass(frozen=True, slots=True)
class Rivals:
    """Agents that take a name from each other, again and again."""

    _latest: defaultdict[str, deque[_Replacement]] = field(
        default_factory=lambda: defaultdict(lambda: deque(maxlen=2))
    )

    def replaced(self, router: str, older: str, newer: str, now: float) -> None:
        """Note that an agent's stream took the place of another one's, by the addresses they came from."""
        self._latest[router].append(_Replacement(now, older, newer))

    def of(self, router: str, now: float) -> str:
        """Who fights over the name; empty if nobody does.

        A stream that is replaced once may be that of the same agent, cut off and not yet missed. When the
        name is taken again soon after, the one that was driven out has come back.
        """
        latest = self._latest.get(router)
        if not latest or len(latest) < 2 or now - latest[0].time > _SOON:  # noqa: PLR2004 - taken, and taken back
            return ""
        return f"two agents use this name: {latest[-1].older}, {latest[-1].newer}"
