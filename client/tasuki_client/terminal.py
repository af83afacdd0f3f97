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


def is_dialogue() -> bool:
    """Whether a person can be asked."""
    return sys.stdin.isatty() and is_terminal()


def ask(question: str) -> str:
    """The answer to a question, in lower case; empty at the end of the input."""
    sys.stderr.write(question)
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower()


@contextmanager
def drawing(out: Console) -> Iterator[Callable[[Callable[[], RenderableType]], None]]:
    """A place that is drawn anew four times a second, so that ages in it stay true, with what was last given.

    Where that cannot be, each one given is printed below the one before.
    """
    if not out.is_terminal:
        yield lambda make: _print_plainly(out, make())
        return
    place = _Place()
    with Live(get_renderable=place.drawn, console=out, vertical_overflow="visible"):
        yield place.take


def show(*renderables: RenderableType) -> None:
    """Print tables and lines of text."""
    out = console()
    for renderable in renderables:
        if out.is_terminal:
            # A line of text is left to the terminal to wrap, so that a path can be copied as a whole.
            out.print(renderable, soft_wrap=isinstance(renderable, Text))
        else:
            _print_plainly(out, renderable)


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


class _Place:
    """Holds what is to be drawn next."""

    def __init__(self) -> None:
        self._make: Callable[[], RenderableType] = str

    def take(self, make: Callable[[], RenderableType]) -> None:
        self._make = make

    def drawn(self) -> RenderableType:
        return self._make()


def _print_plainly(out: Console, renderable: RenderableType) -> None:
    with out.capture() as capture:
        out.print(renderable)
    lines = (line.rstrip() for line in capture.get().splitlines())
    print(*lines, sep="\n", file=out.file, flush=True)
