"""Our table: what the router tree puts into it, whose a table is, and in which parts it differs."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, NamedTuple, Self

from tasuki_yang.router import Router

from tasuki_agent.kernel.marks import COMMENT
from tasuki_agent.kind import Observed, Ref
from tasuki_agent.kinds.nftables import contributions
from tasuki_agent.kinds.nftables.ruleset import Block, Place
from tasuki_agent.kinds.router_tree import interface_path
from tasuki_agent.known import Known

NAME: Final = "tasuki"
INTERFACES: Final = "/ietf-interfaces:interfaces"
_LABEL = re.compile(r' comment "([^"]*)"$')


@dataclass(frozen=True, slots=True)
class Asked:
    """A place in the tree that asks for rules, and these rules."""

    place: Place
    rules: tuple[str, ...]


class _Identity(NamedTuple):
    family: str
    name: str


class TableKey(_Identity):
    """Family and name of a table."""

    asked: Mapping[str, Asked] = MappingProxyType({})
    """What in the tree asks for its rules, by their labels."""

    def asked_by(self, asked: Mapping[str, Asked]) -> Self:
        """The same key, with what asks for its rules."""
        key = self._replace()
        key.asked = asked
        return key

    def __str__(self) -> str:
        return f"table {self.family} {self.name}"


TABLE: Final = TableKey("inet", NAME)


@dataclass(frozen=True, slots=True)
class Table:
    """A table's contents."""

    blocks: tuple[Block, ...]
    """As `in_order` puts them: for nftables they have no order."""
    unread: str = ""
    """Why nothing is known of the contents."""
    handle: int = field(default=0, compare=False)
    comment: str = field(default="", compare=False)

    def __str__(self) -> str:
        """What it has, in short."""
        return ", ".join(block.head for block in self.blocks)

    def differences(self, observed: "Table") -> Mapping[str, tuple[str, str]]:
        """By the label of rules that belong together, else by the head of the block.

        Of each, what the other table has not; where only the order differs, all.
        """
        if observed.unread:
            return {"blocks": (str(self), observed.unread)}
        found = _apart(self.parts(), observed.parts())
        return found or _apart(_lines(self.blocks), _lines(observed.blocks))

    def parts(self) -> Mapping[str, tuple[str, ...]]:
        """Lines by what they belong to: a label, which they bear as their comment, else their block."""
        parts: dict[str, tuple[str, ...]] = {}
        for block in self.blocks:
            parts[block.head] = (block.head, *parts.get(block.head, ()))
            for line in block.lines:
                label = _LABEL.search(line)
                name, rest = (label[1], line[: label.start()]) if label else (block.head, line)
                parts[name] = (*parts.get(name, ()), rest)
        return parts


def in_order(blocks: Iterable[Block]) -> tuple[Block, ...]:
    """The blocks by their heads."""
    return tuple(sorted(blocks, key=lambda block: block.head))


def _lines(blocks: Iterable[Block]) -> Mapping[str, tuple[str, ...]]:
    return {block.head: block.lines for block in blocks}


def _apart(
    wanted: Mapping[str, tuple[str, ...]], observed: Mapping[str, tuple[str, ...]]
) -> Mapping[str, tuple[str, str]]:
    found = {}
    for name in {**wanted, **observed}:
        ours, theirs = wanted.get(name, ()), observed.get(name, ())
        if ours != theirs:
            missing = [line for line in ours if line not in theirs]
            extra = [line for line in theirs if line not in ours]
            if not missing and not extra:
                missing, extra = list(ours), list(theirs)
            found[name] = ("; ".join(missing), "; ".join(extra))
    return found


def want(intent: Router, known: Known) -> Mapping[TableKey, Table]:  # noqa: ARG001
    """The one table, if anything shall be in it."""
    contributed = [contribute(intent) for contribute in contributions.load()]
    blocks = [chain.block() for each in contributed for chain in each.chains]
    if not blocks:
        return {}
    table = Table(in_order(blocks))
    parts = table.parts()
    places = (place for each in contributed for place in each.places)
    return {TABLE.asked_by({place.label: Asked(place, parts[place.label]) for place in places}): table}


def needs(key: TableKey, spec: Table) -> Iterable[Ref]:  # noqa: ARG001
    """Nothing: rules name interfaces, which may come and go."""
    return ()


def rank(key: TableKey) -> int:  # noqa: ARG001
    """Tables have no order."""
    return 0


def owns(key: TableKey, spec: Table, observed: Observed) -> bool:  # noqa: ARG001
    """Ours bears our comment: the transaction that creates it sets it, and nothing can change it."""
    return spec.comment == COMMENT


def typed_over(key: TableKey, spec: Table) -> bool:  # noqa: ARG001
    """Never: who takes the name of our table makes another table."""
    return False


def in_place(observed: Table, wanted: Table) -> bool:  # noqa: ARG001
    """The contents are replaced in one transaction."""
    return True


def path(key: TableKey, field: str = "") -> str:
    """The leaf that asks for the rules of this label; of all others the container of what can ask for any."""
    if asked := key.asked.get(field):
        return f"{interface_path(asked.place.interface)}/{asked.place.leaf}"
    return INTERFACES


def tree(key: TableKey, spec: Table) -> Mapping[str, Any]:
    """The leaves whose rules are there, all of them."""
    there = spec.parts()
    interfaces: dict[str, dict[str, Any]] = {}
    for label, asked in key.asked.items():
        if there.get(label) == asked.rules:
            name = asked.place.interface
            interfaces.setdefault(name, {"name": name})[asked.place.leaf] = asked.place.value
    return {"ietf-interfaces:interfaces": {"interface": list(interfaces.values())}} if interfaces else {}
