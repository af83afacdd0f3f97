"""A program that the agent keeps running, as kinds want it and see it: its files, and whether it serves.

What a daemon does follows from its files alone. Some of them it reads again when it is told to; a change of
any other takes a restart. `kernel.programs.daemon` makes one of a spec, and a spec of one.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

SERVES: Final = "it serves"
"""What people are told of health where nothing is amiss."""


@dataclass(frozen=True, slots=True)
class Daemon:
    """A daemon. As wanted it serves, with its files as they are.

    Attributes:
        files: contents by the names of the files, all in a directory of the daemon's own.
        reread: names of those that it reads again when told to (SIGHUP), without a restart.
        health: why it does not serve.
        current: whether it runs and has read its files as they are now.
    """

    files: Mapping[str, str]
    reread: frozenset[str] = field(default=frozenset(), compare=False)
    health: str = ""
    current: bool = True

    def __str__(self) -> str:
        """What it has, in short."""
        return ", ".join(sorted(self.files))

    @property
    def digest(self) -> str:
        """Of the files that it reads only when it is started."""
        return _digest((name, text) for name, text in self.files.items() if name not in self.reread)

    @property
    def reread_digest(self) -> str:
        """Of the others."""
        return _digest((name, text) for name, text in self.files.items() if name in self.reread)

    def differences(self, observed: "Daemon") -> Mapping[str, tuple[object, object]]:
        """By the name of the file what of its lines the other has not; where only the order differs, all.

        That it has yet to read its files is none of its own where these differ themselves.
        """
        found: dict[str, tuple[object, object]] = {}
        for name in sorted({*self.files, *observed.files}):
            wanted, seen = self.files.get(name), observed.files.get(name)
            if wanted != seen:
                found[name] = _apart(wanted, seen)
        if self.health != observed.health:
            found["health"] = (self.health or SERVES, observed.health or SERVES)
        elif self.current != observed.current and not found:
            found["current"] = (self.current, observed.current)
        return found


def _digest(files: Iterable[tuple[str, str]]) -> str:
    digest = sha256()
    for name, text in sorted(files):
        digest.update(f"{len(name)} {len(text)} {name}{text}".encode())
    return digest.hexdigest()


def _apart(wanted: str | None, observed: str | None) -> tuple[str | None, str | None]:
    """What each has that the other has not; a file that is not there is None."""
    if wanted is None or observed is None:
        return wanted, observed
    ours, theirs = wanted.splitlines(), observed.splitlines()
    missing = "; ".join(line for line in ours if line not in theirs)
    extra = "; ".join(line for line in theirs if line not in ours)
    return (missing, extra) if missing != extra else (wanted, observed)
