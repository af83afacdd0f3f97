"""Tables that stay readable at 80 columns and in a pipe: no borders, nothing cut off."""

from collections.abc import Iterable

from rich.table import Table
from rich.text import Text

Cell = str | Text


def table(*headings: str, rows: Iterable[Iterable[Cell]], right: Iterable[int] = ()) -> Table:
    """A table; the columns numbered in `right` are aligned to the right."""
    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    aligned = set(right)
    for number, heading in enumerate(headings):
        made.add_column(heading, overflow="fold", justify="right" if number in aligned else "left")
    for row in rows:
        made.add_row(*row)
    return made
