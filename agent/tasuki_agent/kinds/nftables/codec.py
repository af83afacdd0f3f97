"""Our table as nft(8) reads it and lists it."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from tasuki_agent.kernel.marks import COMMENT
from tasuki_agent.kinds.nftables.model import NAME, in_order
from tasuki_agent.kinds.nftables.ruleset import Block

WHOLE: Final = "table"
"""Head of the block of lines that stand in no other one, such as the flag that puts a table to sleep."""


def create(blocks: Iterable[Block]) -> str:
    """A script that makes the table, unless one of its name is there.

    In two commands: nft 1.0.6 leaves out the contents of a table that it shall `create`.
    """
    mark = f'create table inet {NAME} {{ comment "{COMMENT}"; }}\n'
    contents = "".join(f"\t{line}\n" for block in blocks for line in str(block).splitlines())
    return f"{mark}table inet {NAME} {{\n{contents}}}\n"


def delete(handle: int) -> str:
    """A script that deletes this table, and never another one that took its name."""
    return f"delete table inet handle {handle}\n"


def decode(listing: str) -> tuple[Block, ...]:
    """The blocks of a table that nft has listed.

    What is in the table stands behind one tab, what is in a block behind two.
    """
    contents = (line for line in listing.splitlines() if line.startswith("\t"))
    return in_order(_blocks(line.removeprefix("\t") for line in contents))


def _blocks(lines: Iterable[str]) -> Iterator[Block]:
    whole: list[str] = []
    inside: list[str] = []
    head = ""
    for line in lines:
        if head and line == "}":
            yield Block(head, tuple(inside))
            head, inside = "", []
        elif head:
            inside.append(line.removeprefix("\t"))
        elif line.endswith(" {"):
            head = line.removesuffix(" {")
        elif line != f'comment "{COMMENT}"':
            whole.append(line)
    if whole:
        yield Block(WHOLE, tuple(whole))


def spellings(loaded: Iterable[Block], listed: Iterable[Block]) -> Mapping[str, str]:
    """What was loaded by what is listed instead, right after that: the two mean the same."""
    given = {block.head: block for block in loaded}
    return {
        str(block): str(given[block.head])
        for block in listed
        if block.head in given and block != given[block.head]
    }


def respelled(blocks: Iterable[Block], spelled: Mapping[str, str]) -> tuple[Block, ...]:
    """The blocks as they were loaded, where it is known how."""
    return tuple(_parse(spelled[str(block)]) if str(block) in spelled else block for block in blocks)


def _parse(text: str) -> Block:
    head, *lines, _ = text.splitlines()
    return Block(head.removesuffix(" {"), tuple(line.removeprefix("\t") for line in lines))
