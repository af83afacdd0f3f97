"""What the agent keeps on disk, so that it needs no controller to start and forgets no drift.

    intent.json    the newest intent received: what the router is brought to at boot
    applied.json   the newest intent that was met, and in which boot: tells drift from work still to do
    drift.json     drift that the controller has not stored yet

Each file is replaced as a whole, so that a crash leaves the old or the new one. A file that cannot be read is
set aside
as `*.broken` and told of, never guessed at.
"""

import fcntl
import json
import logging
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from tasuki_agent.intent import BrokenIntent, Intent
from tasuki_agent.reconcile.compare import Class
from tasuki_agent.reconcile.drift import Action, DriftItem

log = logging.getLogger(__name__)


class StateDirError(Exception):
    """The state directory cannot be used. The message says why and what to do."""


def replace_file(path: Path, content: bytes) -> None:
    """Put the content at the path so that a crash at any moment leaves the old or the new file, whole."""
    temporary = path.with_name(f"{path.name}.new")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


@dataclass(frozen=True, slots=True)
class StateDir:
    """The agent's directory, held by one agent at a time."""

    path: Path
    _lock: int

    @classmethod
    def open(cls, path: Path) -> Self:
        """Create the directory if need be, and take it.

        Raises:
            StateDirError: it cannot be written, or another agent has it.
        """
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StateDirError(f"cannot use the state directory {path}: {error.strerror}") from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(lock)
            raise StateDirError(
                f"another tasuki-agent uses {path}; give each agent a --state-dir of its own"
            ) from error
        return cls(path, lock)

    def close(self) -> None:
        """Let another agent have the directory."""
        os.close(self._lock)

    def load_intent(self) -> Intent | None:
        """The newest intent received."""
        record = self._read("intent.json")
        return record.intent if record else None

    def load_applied(self, world: str) -> Intent | None:
        """The newest intent that was met in this world; None if the machine was started since."""
        record = self._read("applied.json")
        return record.intent if record and record.world == world else None

    def save_intent(self, intent: Intent) -> None:
        """Keep the intent before anything of it is carried out."""
        replace_file(self.path / "intent.json", _Record(intent).to_bytes())

    def save_applied(self, intent: Intent, world: str) -> None:
        """Keep the intent after all of it is seen to be so."""
        replace_file(self.path / "applied.json", _Record(intent, world).to_bytes())

    def load_drift(self) -> list[DriftItem]:
        """Drift that the controller may not have stored."""
        try:
            records = json.loads((self.path / "drift.json").read_bytes())
            return [_to_item(record) for record in records]
        except FileNotFoundError:
            return []
        except (ValueError, KeyError, TypeError) as error:
            self._set_aside("drift.json", error)
            return []

    def save_drift(self, items: Iterable[DriftItem]) -> None:
        """Keep the drift that the controller has not stored."""
        records = [
            {**asdict(item), "class_": item.class_.value, "action": item.action.value} for item in items
        ]
        path = self.path / "drift.json"
        if records or path.exists():
            replace_file(path, json.dumps(records).encode())

    def _read(self, name: str) -> "_Record | None":
        try:
            return _Record.from_bytes((self.path / name).read_bytes())
        except FileNotFoundError:
            return None
        except BrokenIntent as error:
            self._set_aside(name, error)
            return None

    def _set_aside(self, name: str, error: Exception) -> None:
        broken = self.path / f"{name}.broken"
        (self.path / name).replace(broken)
        log.error("%s in %s cannot be used and is kept as %s: %s", name, self.path, broken.name, error)


@dataclass(frozen=True, slots=True)
class _Record:
    """An intent as a file. `world` is the boot and network namespace in which it was met."""

    intent: Intent
    world: str = ""

    def to_bytes(self) -> bytes:
        intent = self.intent
        return json.dumps(
            {
                "revision": intent.revision,
                "digest": intent.digest,
                "world": self.world,
                "text": intent.text.decode(),
            }
        ).encode()

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """Read what `to_bytes` wrote.

        Raises:
            BrokenIntent: the file is damaged, or the models have moved on.
        """
        try:
            fields = json.loads(content)
            text, digest = str(fields["text"]).encode(), fields["digest"]
            revision, world = int(fields["revision"]), str(fields["world"])
        except (ValueError, KeyError, TypeError) as error:
            raise BrokenIntent(f"not a record of an intent: {error!r}") from error
        return cls(Intent.checked(revision, text, digest), world)


def _to_item(record: dict[str, Any]) -> DriftItem:
    return DriftItem(**{**record, "class_": Class(record["class_"]), "action": Action(record["action"])})
