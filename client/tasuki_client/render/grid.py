"""A split drawn as a grid of cells.

The signs are ASCII and differ without colour: terminals with a Japanese font draw most symbols two columns
wide, which would bend the grid.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from rich.text import Text

from tasuki_client.split import SplitMap, State
from tasuki_client.terminal import one_line

_SIGNS: Final = {
    State.FREE: (".", "dim"),
    State.RESERVED: ("-", "dim"),
    State.ALLOCATED: ("o", "cyan"),
    State.CONVERGED: ("#", "green"),
    State.DRIFTING: ("!", "bold red"),
    State.UNREACHABLE: ("?", "bold yellow"),
}
_WIDE: Final = 32
_NARROW: Final = 16
_LABEL: Final = 12
_MOST_ROWS: Final = 32
_MOST_REASONS: Final = 12


@dataclass(frozen=True, slots=True)
class Layout:
    """How many cells stand in a row, and how many /48s a cell stands for."""

    columns: int
    block: int

    @classmethod
    def fit(cls, size: int, width: int) -> "Layout":
        """The layout for so many /48s on a terminal of that width: at most 32 rows."""
        columns = _WIDE if width >= _LABEL + 2 * _WIDE else _NARROW
        block = 1
        while size // block > columns * _MOST_ROWS:
            block *= 2
        return cls(min(columns, size // block), block)


def grid(split: SplitMap, width: int, *, brief: bool) -> Iterator[Text]:
    """The split's head, the grid, the legend with counts, and what is not well with whom."""
    layout = Layout.fit(split.size, width)
    yield Text(f"{split.name}  {split.prefix}", style="bold").append(f"  hub {split.hub}", style="")
    yield Text()
    yield _columns(layout)
    for first in range(0, split.size, layout.columns * layout.block):
        yield _row(split, layout, first)
    yield Text()
    yield _legend(split)
    if layout.block > 1:
        length = split.prefix.prefixlen + (split.size // layout.block).bit_length() - 1
        yield Text(f"A cell is a /{length}, {layout.block} /48s: the worst state among them.")
    yield from _reasons(split, brief=brief)


def _columns(layout: Layout) -> Text:
    line = " " * _LABEL
    for column in range(0, layout.columns, 8):
        line += f"{'+' + str(column * layout.block):<16}"
    return Text(line.rstrip(), style="dim")


def _row(split: SplitMap, layout: Layout, first: int) -> Text:
    group = split.site(first).network_address.exploded.split(":")[2]
    line = Text(f"{first:>5} {group:<{_LABEL - 6}}", style="dim")
    for number in range(first, first + layout.columns * layout.block, layout.block):
        sign, style = _SIGNS[_worst(split, number, layout.block)]
        line.append(f"{sign} ", style=style)
    line.rstrip()
    return line


def _worst(split: SplitMap, first: int, block: int) -> State:
    if block == 1:
        return split.state(first)
    return max(split.state(number) for number in range(first, first + block))


def _legend(split: SplitMap) -> Text:
    counts = split.counts
    shown = [
        Text(sign, style=style).append(f" {counts[state]} {state.name.lower()}", style="")
        for state, (sign, style) in _SIGNS.items()
        if counts[state]
    ]
    return Text("   ").join(shown)


def _reasons(split: SplitMap, *, brief: bool) -> Iterator[Text]:
    for reason in split.hub_reasons:
        yield Text(one_line(f"Hub {reason}"), style="red")
    unwell = [standing for standing in split.standings.values() if standing.reasons]
    shown = unwell[:_MOST_REASONS] if brief else unwell
    for standing in shown:
        sign, style = _SIGNS[standing.state]
        line = Text(f"{sign} {standing.number:>5} {split.site(standing.number)} ", style=style)
        yield line.append(one_line("; ".join(standing.reasons)), style="")
    if len(shown) < len(unwell):
        yield Text(f"... and {len(unwell) - len(shown)} more; --format json has all", style="dim")
