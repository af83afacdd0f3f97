"""The text that is edited: what tasuki writes above it never becomes part of it, and lines are told right."""

from pathlib import Path

import pytest
from tasuki_client import state
from tasuki_client.commands.editing import Draft
from tasuki_client.commands.locking import run
from tasuki_client.documents import DocumentError
from tasuki_client.errors import TasukiError

TEXT = "a:\n  b: 1 # why\n"


@pytest.fixture
def draft(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Draft:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.delenv("VISUAL", raising=False)
    return Draft.of(TEXT)


def editor(monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Let the editor be a script that gets the file as its first argument."""
    monkeypatch.setenv("EDITOR", f"sh -c '{script}' sh")


def test_a_text_is_what_it_was_and_only_its_owner_reads_it(draft: Draft, tmp_path: Path) -> None:
    assert draft.text() == TEXT
    assert draft.path.is_relative_to(tmp_path / "tasuki" / "drafts")
    assert draft.path.stat().st_mode & 0o077 == 0
    assert draft.document() == {"a": {"b": 1}}


def test_problems_stand_above_the_text_and_go_again(draft: Draft, monkeypatch: pytest.MonkeyPatch) -> None:
    editor(monkeypatch, "cp $1 $1.seen; echo c: 2 >> $1")
    assert draft.open(["/a: wrong", "two\nlines"])
    seen = Path(f"{draft.path}.seen").read_text()
    assert seen == f"#! 2 to mend; leave this as it is to give up:\n#! /a: wrong\n#! two lines\n{TEXT}"
    assert draft.text() == f"{TEXT}c: 2\n"
    assert draft.open([])
    assert Path(f"{draft.path}.seen").read_text() == f"{TEXT}c: 2\n"


def test_leaving_it_as_it_is_is_seen(draft: Draft, monkeypatch: pytest.MonkeyPatch) -> None:
    editor(monkeypatch, "true")
    assert not draft.open([])
    assert not draft.open(["/a: wrong"])


def test_the_line_of_a_problem_is_right_where_the_problem_is_shown(
    draft: Draft, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft.path.write_text("a: 1\na: 2\n")
    with pytest.raises(DocumentError) as found:
        draft.document()
    line = int(str(found.value).split(":")[1])
    editor(monkeypatch, "cp $1 $1.seen")
    draft.open([str(found.value)])
    assert Path(f"{draft.path}.seen").read_text().splitlines()[line - 1] == "a: 2"


def test_an_editor_that_fails_or_is_not_there_is_told(draft: Draft, monkeypatch: pytest.MonkeyPatch) -> None:
    editor(monkeypatch, "exit 3")
    with pytest.raises(TasukiError, match="ended with exit status 3"):
        draft.open([])
    monkeypatch.setenv("VISUAL", "/nonexistent/editor -x")
    with pytest.raises(TasukiError, match="/nonexistent/editor: No such file"):
        draft.open([])
    assert draft.text() == TEXT


@pytest.mark.parametrize(("script", "status"), [("true", 0), ("exit 7", 7), ("kill -TERM $$", 143)])
def test_a_commands_exit_status_is_as_in_a_shell(script: str, status: int) -> None:
    assert run(["sh", "-c", script]) == status


def test_the_name_of_a_confirmed_commit_is_kept_for_each_controller(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    state.remember("unix:/run/a/../socket", "one")
    state.remember("[2001:db8::1]:9339", "two")
    assert state.recall("unix:/run/a/../socket") == "one"
    assert state.recall("[2001:db8::1]:9339") == "two"
    assert state.recall("192.0.2.1:9339") == ""
    state.remember("[2001:db8::1]:9339", "")
    assert state.recall("[2001:db8::1]:9339") == ""
    assert all(file.is_relative_to(tmp_path / "tasuki" / "pending") for file in tmp_path.rglob("*socket"))


def test_a_relative_state_directory_is_ignored_as_the_specification_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "somewhere")
    monkeypatch.setenv("HOME", "/home/alice")
    assert state.directory() == Path("/home/alice/.local/state/tasuki")
