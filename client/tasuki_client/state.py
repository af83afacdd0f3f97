"""What the command keeps between its runs, under $XDG_STATE_HOME/tasuki.

The name of the last confirmed commit made from here at each controller, so that plain `tasuki confirm` finds
it; and texts that `tasuki edit` did not commit.
"""

import os
import tempfile
from pathlib import Path
from urllib.parse import quote


def directory() -> Path:
    """Where it is kept."""
    base = os.environ.get("XDG_STATE_HOME", "")
    # The specification: a relative path is to be ignored.
    return (Path(base) if Path(base).is_absolute() else Path.home() / ".local" / "state") / "tasuki"


def remember(controller: str, name: str) -> None:
    """Keep the name of a confirmed commit, in place of the one before; an empty name forgets that.

    Raises:
        OSError: it cannot be written.
    """
    kept = _kept(controller)
    if not name:
        kept.unlink(missing_ok=True)
        return
    kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    kept.write_text(f"{name}\n")


def recall(controller: str) -> str:
    """The name of the last confirmed commit; empty if there is none that is known."""
    try:
        return _kept(controller).read_text().strip()
    except OSError:
        return ""


def new_draft(text: str) -> Path:
    """A new file with a text to be edited.

    Raises:
        OSError: it cannot be written.
    """
    drafts = directory() / "drafts"
    drafts.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix="tasuki-", suffix=".yaml", dir=drafts)
    with os.fdopen(handle, "w") as file:
        file.write(text)
    return Path(name)


def _kept(controller: str) -> Path:
    return directory() / "pending" / quote(controller, safe="")
