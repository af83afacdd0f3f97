"""What the commands print, and where: data on standard output, everything else on standard error.

On a terminal there are colours, and lines are wrapped to its width; elsewhere nothing is coloured or wrapped.
"""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, TextIO

from rich.console import Console, RenderableType
from rich.live import Live
from rich.text import Text

_ENDLESS: Final = 1 << 16
"""Columns of a line that no table reaches."""


def console(file: TextIO | None = None) -> Console:
    """A console on standard output, or on the file. Honours NO_COLOR, FORCE_COLOR and TERM."""
    made = Console(file=file or sys.stdout, highlight=False, markup=False, emoji=False)
    if not made.is_terminal:
        made.width = _ENDLESS
    return made


def is_terminal() -> bool:
    """Whether a person reads standard output."""
    return console().is_terminal


@contextmanager
def drawing(out: Console) -> Iterator[Callable[[RenderableType], None]]:
    """A place that each call draws anew; where that cannot be, each call prints below the one before."""
    if not out.is_terminal:
        yield lambda renderable: _print_plainly(out, renderable)
        return
    with Live(console=out, auto_refresh=False, vertical_overflow="visible") as place:
        yield lambda renderable: place.update(renderable, refresh=True)


def show(*renderables: RenderableType) -> None:
    """Print tables and lines of text."""
    out = console()
    for renderable in renderables:
        if out.is_terminal:
            out.print(renderable)
        else:
            _print_plainly(out, renderable)


def _print_plainly(out: Console, renderable: RenderableType) -> None:
    with out.capture() as capture:
        out.print(renderable)
    lines = (line.rstrip() for line in capture.get().splitlines())
    print(*lines, sep="\n", file=out.file, flush=True)


def show_json(value: Any) -> None:
    """Print a value as JSON."""
    show_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def show_json_line(value: Any) -> None:
    """Print one value of a stream, so that the reader of a pipe has it at once."""
    print(json.dumps(value, ensure_ascii=False), flush=True)  # noqa: T201


def show_text(text: str) -> None:
    """Print a text as it is."""
    sys.stdout.write(text)


def note(text: str | Text) -> None:
    """Say something that is no data."""
    console(sys.stderr).print(text)


def one_line(text: str) -> str:
    """A text from elsewhere, harmless on a terminal and in one line."""
    return "".join(c if c.isprintable() else " " for c in text)
