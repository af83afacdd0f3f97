"""A small world for the reconciler: links, and addresses that vanish with their link, some of them foreign.

It behaves as a kernel does where that matters: creating what is there fails, an address needs its link,
deleting a link takes its addresses along. Faults can be injected at any change.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from tasuki_agent.errors import ApplyError, Foreign, Transient
from tasuki_agent.kind import (
    Change,
    Create,
    Delete,
    Key,
    Kind,
    Observed,
    Ref,
    Topic,
    Update,
    Waiting,
    as_it_is,
    optional,
)
from tasuki_agent.known import Known, Unknown

LEARNED = "learned"
"""The color of a link whose size is a fact: LINK/addresses."""
LEASED = "leased"
"""The color of a link whose size is the end of that fact."""
COUNTED = "counted"
"""The color of a link whose size is ten and how many values that fact has, which may be none."""
NOTED = "noted"
"""The color of a link of which people want to see that fact, and that is not made of it."""
SMALL, SUSPENDED = 1, 99


def _resolved(key: Key, spec: "Link", known: Known) -> "Link | Waiting":
    try:
        match spec.color:
            case "learned":
                return replace(spec, size=int(known.one(key, "addresses")))
            case "leased":
                end = known.terms(key, "addresses", known.one(key, "addresses")).valid_until
                return replace(spec, size=None if end is None else int(end))
            case "counted":
                return replace(spec, size=10 + len(known.some(key, "addresses")))
            case "noted":
                known.note(key, "addresses")
    except Unknown as unknown:
        return Waiting(unknown.on, unknown.hint)
    return spec


@dataclass(frozen=True)
class Link:
    color: str
    size: int | None = optional()
    ours: bool = field(default=True, compare=False)
    ring: str = field(default="", compare=False)
    """Another link that this one needs."""


@dataclass(frozen=True)
class Address:
    length: int
    ours: bool = field(default=True, compare=False)
    typed: bool = field(default=False, compare=False)
    settling: str = field(default="", compare=False)
    at_once: bool = field(default=False, compare=False)


@dataclass
class World:
    links: dict[Key, Link] = field(default_factory=dict)
    addresses: dict[Key, Address] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    fault: Callable[[str, Change], ApplyError | None] = lambda _kind, _change: None
    blind: bool = False
    deaf: bool = False
    """Changes are taken, and have no effect."""

    def kinds(self) -> tuple[Kind, ...]:
        return (LinkKind(self), AddressKind(self))


@dataclass
class LinkKind:
    world: World
    wanted: Mapping[Key, Link] = field(default_factory=dict)
    name: ClassVar[str] = "link"
    follows: ClassVar[tuple[str, ...]] = ()
    wakes_on: ClassVar[tuple[Topic, ...]] = ()

    def want(self, intent: Any, known: Known) -> Any:
        return {key: _resolved(key, spec, known) for key, spec in intent["link"].items()}

    def needs(self, key: Key, spec: Link) -> Iterable[Ref]:
        if spec.ring:
            return [Ref("link", spec.ring)]
        return [Ref("link", key[:-1])] if isinstance(key, str) and key.endswith("+") else []

    def rank(self, key: Key) -> int:
        return 0

    def owns(self, key: Key, spec: Link, observed: Observed) -> bool:
        return spec.ours

    def typed_over(self, key: Key, spec: Link) -> bool:
        return False

    def in_place(self, observed: Link, wanted: Link) -> bool:
        return observed.color == wanted.color

    def suspended(self, spec: Link, waiting: Waiting, wanted: Any, observed: Observed) -> Link:
        """A link that was small is big while it waits, so that one sees it."""
        return replace(spec, size=SUSPENDED) if spec.size == SMALL else spec

    def path(self, key: Key, field: str = "") -> str:
        return f"/link[name='{key}']" + (f"/{field}" if field else "")

    def tree(self, key: Key, spec: Link) -> Mapping[str, Any]:
        return {}

    async def observe(self) -> Mapping[Key, Link]:
        if self.world.blind:
            raise Transient("no answer")
        return dict(self.world.links)

    async def apply(self, change: Change) -> None:
        w = self.world
        w.log.append(f"{type(change).__name__.lower()} link {change.key}")
        if error := w.fault("link", change):
            raise error
        if w.deaf:
            return
        match change:
            case Create(key, spec):
                if key in w.links:
                    raise Foreign(f"link {key} exists")
                if key.endswith("+") and key[:-1] not in w.links:
                    raise Transient(f"no link {key[:-1]}")
                w.links[key] = replace(spec, size=spec.size or 0)
            case Update(key, observed, spec):
                assert w.links[key].color == spec.color
                w.links[key] = replace(spec, size=spec.size or observed.size)
            case Delete(key):
                for name in [name for name in w.links if name in (key, f"{key}+")]:
                    del w.links[name]
                    for address in [a for a in w.addresses if a[0] == name]:
                        del w.addresses[address]


@dataclass
class AddressKind:
    world: World
    name: ClassVar[str] = "address"
    follows: ClassVar[tuple[str, ...]] = ("link",)
    wakes_on: ClassVar[tuple[Topic, ...]] = ()

    def want(self, intent: Any, known: Known) -> Any:
        return intent["address"]

    suspended = staticmethod(as_it_is)

    def needs(self, key: Key, spec: Address) -> Iterable[Ref]:
        return [Ref("link", key[0])]

    def rank(self, key: Key) -> int:
        return 0

    def owns(self, key: Key, spec: Address, observed: Observed) -> bool:
        link = observed["link"].get(key[0])
        return spec.ours or (link is not None and link.ours)

    def typed_over(self, key: Key, spec: Address) -> bool:
        return spec.typed

    def in_place(self, observed: Address, wanted: Address) -> bool:
        return False

    def path(self, key: Key, field: str = "") -> str:
        return f"/address[link='{key[0]}'][ip='{key[1]}']" + (f"/{field}" if field else "")

    def tree(self, key: Key, spec: Address) -> Mapping[str, Any]:
        return {}

    async def observe(self) -> Mapping[Key, Address]:
        return dict(self.world.addresses)

    async def apply(self, change: Change) -> None:
        w = self.world
        w.log.append(f"{type(change).__name__.lower()} address {change.key[0]} {change.key[1]}")
        if error := w.fault("address", change):
            raise error
        match change:
            case Create(key, spec):
                if key[0] not in w.links:
                    raise Transient(f"no link {key[0]}")
                if key in w.addresses:
                    raise Foreign(f"address {key} exists")
                w.addresses[key] = spec
            case Delete(key):
                w.addresses.pop(key, None)
