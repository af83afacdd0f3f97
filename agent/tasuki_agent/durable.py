"""Files that a crash at any moment leaves whole."""

import os
from pathlib import Path

from tasuki_proto.failpoint import failpoint


def replace_file(path: Path, content: bytes) -> None:
    """Put the content at the path so that a crash at any moment leaves the old or the new file, whole."""
    failpoint(f"before the new {path.name}")
    temporary = path.with_name(f"{path.name}.new")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    failpoint(f"before {path.name} is replaced")
    temporary.replace(path)
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
    failpoint(f"after {path.name} was replaced")
