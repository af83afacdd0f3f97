"""Nothing that is told, heard or kept on disk may end the agent."""

import asyncio
import gzip
import hashlib
from pathlib import Path
from typing import Any

import pytest
from tasuki_agent.controller_link import ControllerLink
from tasuki_agent.custody import Custody
from tasuki_agent.intent import BrokenIntent, Intent
from tasuki_agent.reconcile.reconciler import Reconciler
from tasuki_agent.state import StateDir
from tasuki_agent.trial import Held
from tasuki_proto.channel import Target
from tasuki_proto.v1 import agent_pb2

from .reconcile.world import World

GOOD = Intent.parse(1, b"{}")
BAD = Intent.parse(2, b'{"ietf-routing:routing":{"tasuki-sysctl:forwarding":{"ipv6":true}}}')


class Illiterate:
    """A kind that cannot read one of the intents."""

    def __init__(self, kind: Any) -> None:
        self._kind = kind

    def __getattr__(self, name: str) -> Any:
        return getattr(self._kind, name)

    def want(self, tree: Any, known: Any) -> dict[str, Any]:
        if tree == BAD.tree():
            raise OSError("inet_pton: illegal IP address string")
        return {}


@pytest.fixture
def custody(tmp_path: Path) -> Custody:
    kinds = tuple(Illiterate(kind) for kind in World().kinds())
    reconciler = Reconciler(kinds, lambda: 0.0, lambda: 0.0)  # type: ignore[arg-type]
    return Custody(StateDir.open(tmp_path / "state"), reconciler, lambda: 0.0, lambda: 0.0, "here")


def test_an_intent_that_a_kind_cannot_read_is_refused_and_not_kept(custody: Custody) -> None:
    custody.take(GOOD, None, 0.0)
    with pytest.raises(BrokenIntent, match="revision 2 cannot be carried out"):
        custody.take(BAD, None, 0.0)
    assert custody.reconciler.intent is GOOD
    held = custody.state.load_held()
    assert held is not None
    assert held.intent == GOOD


def test_a_fallback_that_cannot_be_read_is_refused_before_the_trial_begins(custody: Custody) -> None:
    with pytest.raises(BrokenIntent):
        custody.take(GOOD, BAD, 60.0)
    assert custody.reconciler.intent is None


def test_one_on_disk_is_set_aside_and_the_agent_goes_on(custody: Custody) -> None:
    custody.state.save_held(Held(BAD))
    custody.resume()
    assert custody.reconciler.intent is None
    assert custody.held is None
    assert (custody.state.path / "intent.json.broken").exists()


def test_the_controller_is_told_why(custody: Custody) -> None:
    link = ControllerLink(
        router="home",
        version="0",
        target=Target.parse("unix:/nowhere"),
        tls=None,
        reconciler=custody.reconciler,
        custody=custody,
        drift_stored=lambda: None,
        operational=_never,
    )
    message = agent_pb2.Intent(
        revision=2, config_json_gz=gzip.compress(BAD.text), digest=hashlib.sha256(BAD.text).hexdigest()
    )
    link._receive_intent(message)
    assert "cannot be carried out" in link._report().problem


async def _never() -> dict[str, Any]:
    await asyncio.Event().wait()
    return {}


def test_going_back_does_not_wait_for_room_on_the_disk(
    custody: Custody, monkeypatch: pytest.MonkeyPatch
) -> None:
    custody.reconciler.applied = GOOD
    custody.take(GOOD, None, 0.0)
    newer = Intent.parse(3, b"{} ")
    custody.take(newer, GOOD, 10.0)
    monkeypatch.setattr("tasuki_agent.state.replace_file", _full)
    custody.uptime = lambda: 11.0
    custody.expire()
    assert custody.reconciler.intent is not None
    assert custody.reconciler.intent.revision == 1


def _full(_path: Path, _content: bytes) -> None:
    raise OSError(28, "No space left on device")
