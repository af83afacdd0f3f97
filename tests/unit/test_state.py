"""The agent's state directory: whole after any crash, honest about what it cannot read."""

import json
import logging
from pathlib import Path

import pytest
from tasuki_agent.intent import BrokenIntent, Intent
from tasuki_agent.reconcile.compare import Class
from tasuki_agent.reconcile.drift import Action, DriftItem
from tasuki_agent.state import StateDir, StateDirError
from tasuki_agent.trial import Held

INTENT = Intent.parse(7, b'{"ietf-routing:routing":{"tasuki-sysctl:forwarding":{"ipv6":true}}}')
ITEM = DriftItem(
    "id", "/path", "link", "vxlan01", "mtu", "1450", "1500", Class.CHANGED, 1.0, 2.0, Action.HEALED
)


@pytest.fixture
def state(tmp_path: Path) -> StateDir:
    return StateDir.open(tmp_path / "state")


def test_a_new_directory_holds_nothing(state: StateDir) -> None:
    assert state.load_held() is None
    assert state.load_applied("here") is None
    assert state.load_drift() == []


def test_what_was_kept_is_read_again(state: StateDir) -> None:
    state.save_held(Held(INTENT))
    state.save_applied(INTENT, "here")
    state.save_drift([ITEM])
    assert state.load_held() == Held(INTENT)
    assert state.load_applied("here") == INTENT
    assert state.load_drift() == [ITEM]


def test_after_a_reboot_nothing_counts_as_met(state: StateDir) -> None:
    state.save_applied(INTENT, "one boot")
    assert state.load_applied("the next boot") is None


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b'{"revision": 1}',
        b'{"revision":1,"world":"","text":"{}","digest":"0"}',
        b"\xff\xfe",
    ],
)
def test_a_damaged_intent_is_set_aside_and_told_of(
    state: StateDir, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    (state.path / "intent.json").write_bytes(content)
    with caplog.at_level(logging.ERROR):
        assert state.load_held() is None
    assert (state.path / "intent.json.broken").read_bytes() == content
    assert "intent.json" in caplog.text


def test_damaged_drift_is_set_aside(state: StateDir) -> None:
    (state.path / "drift.json").write_text(json.dumps([{"id": "x"}]))
    assert state.load_drift() == []
    assert (state.path / "drift.json.broken").exists()


def test_no_drift_writes_no_file(state: StateDir) -> None:
    state.save_drift([])
    assert not (state.path / "drift.json").exists()


def test_a_second_agent_is_refused_the_directory(state: StateDir) -> None:
    with pytest.raises(StateDirError, match="another tasuki-agent"):
        StateDir.open(state.path)
    state.close()
    StateDir.open(state.path).close()


def test_a_directory_that_cannot_be_made_is_an_error_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StateDirError, match="Not a directory"):
        StateDir.open(tmp_path / "file" / "state")


@pytest.mark.parametrize(
    ("compressed", "digest", "problem"),
    [
        (b"not gzip", "", "cannot be decompressed"),
        (b"", "", "does not match|cannot be decompressed"),
    ],
)
def test_an_intent_damaged_on_its_way_is_refused(compressed: bytes, digest: str, problem: str) -> None:
    with pytest.raises(BrokenIntent, match=problem):
        Intent.unpack(1, compressed, digest)


def test_an_intent_of_unknown_models_is_refused() -> None:
    with pytest.raises(BrokenIntent, match="not a router tree"):
        Intent.parse(1, b'{"ietf-interfaces:interfaces":{"interface":[{"name":"a","bogus":1}]}}')
