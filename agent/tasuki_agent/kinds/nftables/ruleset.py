"""What a table is made of, in nft's own words.

Whoever has something to say to nftables (`contributions`) makes chains of rules. A table is compared with
what nft lists, as the blocks of lines that both are when written down.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tasuki_yang.router import InterfacesInterface


@dataclass(frozen=True, slots=True)
class Block:
    """One chain, set or the like, as nft lists it."""

    head: str
    """Such as "chain forward"."""
    lines: tuple[str, ...] = ()

    def __str__(self) -> str:
        """As it stands in a table."""
        return "\n\t".join((f"{self.head} {{", *self.lines)) + "\n}"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule."""

    statement: str
    """Spelled as nft lists it, so that people see only what differs when somebody changes another rule."""
    label: str = ""
    """Its comment, which says what it is for; rules of one label belong together."""

    def __str__(self) -> str:
        """As it stands in a chain."""
        return f'{self.statement} comment "{self.label}"' if self.label else self.statement


@dataclass(frozen=True, slots=True)
class Hook:
    """Where packets come into a chain by themselves."""

    point: str
    """Such as "forward"."""
    priority: str
    """A number or one of nft's names for them."""
    policy: str = "accept"
    type: str = "filter"

    def __str__(self) -> str:
        """As it stands in a chain."""
        return f"type {self.type} hook {self.point} priority {self.priority}; policy {self.policy};"


@dataclass(frozen=True, slots=True)
class Chain:
    """Rules, one after another; without a hook only other chains lead here."""

    name: str
    rules: tuple[Rule, ...]
    hook: Hook | None = None

    def block(self) -> Block:
        """The chain, written down."""
        return Block(f"chain {self.name}", tuple(self._lines()))

    def _lines(self) -> Iterator[str]:
        if self.hook:
            yield str(self.hook)
        yield from map(str, self.rules)


@dataclass(frozen=True, slots=True)
class Place:
    """A leaf of an interface in the router tree that asks for rules."""

    interface: str
    leaf: str
    """With the name of its module."""
    value: str | int | bool

    @property
    def label(self) -> str:
        """What the rules are called that it asks for."""
        return f"{self.interface} {self.leaf.partition(':')[2]}"


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one feature puts into the table, and where the router tree asks for it."""

    chains: tuple[Chain, ...] = ()
    places: tuple[Place, ...] = ()


def by_name(interfaces: Iterable[InterfacesInterface]) -> list[InterfacesInterface]:
    """In the one order for rules: that of the router tree has no meaning, and rules have one."""
    return sorted(interfaces, key=lambda interface: interface.name)
