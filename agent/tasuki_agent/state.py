"""What the agent keeps on disk, so that it needs no controller to start and forgets no drift.

    intent.json    the intent that the router is kept to, also at boot, and where it goes from there by itself
    applied.json   the newest intent that was met, and in which boot: tells drift from work still to do
    drift.json     drift that the controller has not stored yet
    facts.json     the last values of what the intent asks for

Each file is replaced as a whole, so that a crash leaves the old or the new one. A file that cannot be read is
set aside
as `*.broken` and told of, never guessed at.
"""

import fcntl
import json
import logging
import os
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self, TypeVar

from tasuki_yang.facts import parse_key, parse_values

from tasuki_agent.durable import replace_file
from tasuki_agent.intent import BrokenIntent, Intent
from tasuki_agent.reconcile.compare import Class
from tasuki_agent.reconcile.drift import Action, DriftItem
from tasuki_agent.reconcile.facts import KnownFact
from tasuki_agent.trial import Cause, Held, Reverted, Trial

log = logging.getLogger(__name__)

T = TypeVar("T")


class StateDirError(Exception):
    """The state directory cannot be used. The message says why and what to do."""


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

    def load_held(self) -> Held | None:
        """The intent that the router is kept to."""
        return self._read("intent.json", _held_of)

    def set_held_aside(self, error: Exception) -> None:
        """Put away what is held, because it cannot be carried out."""
        self._set_aside("intent.json", error)

    def load_applied(self, world: str) -> Intent | None:
        """The newest intent that was met in this world; None if the machine was started since."""
        met = self._read("applied.json", lambda record: (_intent_of(record), str(record["world"])))
        return met[0] if met and met[1] == world else None

    def save_held(self, held: Held) -> None:
        """Keep what is held before anything of it is carried out."""
        replace_file(self.path / "intent.json", json.dumps(_held_record(held)).encode())

    def save_applied(self, intent: Intent, world: str) -> None:
        """Keep the intent after all of it is seen to be so."""
        record = {**_intent_record(intent), "world": world}
        replace_file(self.path / "applied.json", json.dumps(record).encode())

    def load_drift(self) -> list[DriftItem]:
        """Drift that the controller may not have stored."""
        return self._read("drift.json", lambda records: [_to_item(record) for record in records]) or []

    def save_drift(self, items: Iterable[DriftItem]) -> None:
        """Keep the drift that the controller has not stored."""
        records = [
            {**asdict(item), "class_": item.class_.value, "action": item.action.value} for item in items
        ]
        path = self.path / "drift.json"
        if records or path.exists():
            replace_file(path, json.dumps(records).encode())

    def load_facts(self) -> list[KnownFact]:
        """The last values of what was asked for."""
        return self._read("facts.json", _facts_of) or []

    def save_facts(self, facts: Iterable[KnownFact]) -> None:
        """Keep the values, so that a restart moves no tunnel."""
        record = {str(fact.key): {"values": fact.values, "since": fact.since} for fact in facts}
        path = self.path / "facts.json"
        if record or path.exists():
            replace_file(path, json.dumps(record).encode())

    def _read(self, name: str, read: Callable[[Any], T]) -> T | None:
        try:
            return read(json.loads((self.path / name).read_bytes()))
        except FileNotFoundError:
            return None
        except (BrokenIntent, ValueError, KeyError, TypeError) as error:
            self._set_aside(name, error)
            return None

    def _set_aside(self, name: str, error: Exception) -> None:
        broken = self.path / f"{name}.broken"
        (self.path / name).replace(broken)
        log.error("%s in %s cannot be used and is kept as %s: %s", name, self.path, broken.name, error)


def _intent_record(intent: Intent) -> dict[str, Any]:
    return {"revision": intent.revision, "digest": intent.digest, "text": intent.text.decode()}


def _intent_of(record: Any) -> Intent:
    return Intent.checked(int(record["revision"]), str(record["text"]).encode(), record["digest"])


def _held_record(held: Held) -> dict[str, Any]:
    record = _intent_record(held.intent)
    if held.trial:
        record["trial"] = {
            "fallback": _intent_record(held.trial.fallback),
            "deadline": held.trial.deadline,
            "world": held.trial.world,
        }
    if held.before:
        record["before"] = _intent_record(held.before)
    if held.reverted:
        record["reverted"] = {**asdict(held.reverted), "cause": held.reverted.cause.name}
    return record


def _held_of(record: Any) -> Held:
    intent = _intent_of(record)
    trial, before, reverted = (record.get(name) for name in ("trial", "before", "reverted"))
    return Held(
        intent,
        trial=Trial(**{**trial, "fallback": _intent_of(trial["fallback"])}) if trial else None,
        before=_intent_of(before) if before else None,
        reverted=Reverted(**{**reverted, "cause": Cause[reverted["cause"]]}) if reverted else None,
    )


def _facts_of(record: Any) -> list[KnownFact]:
    return [
        KnownFact(key, parse_values(key, tuple(map(str, fact["values"]))), float(fact["since"]))
        for key, fact in ((parse_key(text), fact) for text, fact in dict(record).items())
    ]


def _to_item(record: dict[str, Any]) -> DriftItem:
    return DriftItem(**{**record, "class_": Class(record["class_"]), "action": Action(record["action"])})
