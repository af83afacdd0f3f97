"""The ends of tunnels, as services speak of them. Pure.

In a router's own tree its end stays as late-bound as it was written: the agent follows it by itself. In the
tree of its peer the end is what the router has told last, or what it has yet to tell. `router_tree` spells
both.
"""

from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from typing import Protocol, TypeAlias

from tasuki_yang.facts import FactKey, address_in

from tasuki_controller.known import KnownFacts

REMEMBERED = 1 << 14
"""Ends whose spelling is kept for the next transaction."""


@dataclass(frozen=True, slots=True)
class Fixed:
    """A typed address, in canonical spelling."""

    address: str


@dataclass(frozen=True, slots=True)
class GlobalAddress:
    """The global address of an interface, whatever it is at the time."""

    interface: str


@dataclass(frozen=True, slots=True)
class DelegatedAddress:
    """An address in the prefix that is delegated on an interface, which has the address."""

    interface: str
    subnet_id: int
    interface_id: str


@dataclass(frozen=True, slots=True)
class Named:
    """An address that the DNS has for a name."""

    name: str
    resolvers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AftrOfLease:
    """The AFTR whose name comes with the lease on an interface."""

    interface: str


@dataclass(frozen=True, slots=True)
class Untold:
    """What another router has yet to tell."""

    text: str


OwnEnd: TypeAlias = Fixed | GlobalAddress | DelegatedAddress
"""An end on the router that has it."""
PeerEnd: TypeAlias = Fixed | Named | AftrOfLease | Untold
"""The same or another end, seen from the other side."""


class Place(Protocol):
    """A place in a delegated prefix, as the models have it."""

    @property
    def subnet_id(self) -> int:
        """Number of the /64."""
        ...

    @property
    def interface_id(self) -> str:
        """The last 64 bits."""
        ...


class Line(Protocol):
    """What the models say of a line and the end on it, but for a fixed address."""

    @property
    def interface(self) -> str:
        """Where the line is."""
        ...

    @property
    def delegated_address(self) -> Place | None:
        """The end's place in the prefix that is delegated there."""
        ...


def typed(address: str) -> Fixed:
    """A fixed end, however it is spelled."""
    return Fixed(_canonical_address(address))


def own_end(line: Line, address: str | None) -> OwnEnd:
    """The end on a line. What says nothing means the line's global address."""
    if address:
        return typed(address)
    if place := line.delegated_address:
        return delegated(line.interface, place)
    return GlobalAddress(line.interface)


def delegated(interface: str, place: Place) -> DelegatedAddress:
    """An address in the prefix that is delegated on the interface."""
    return DelegatedAddress(interface, place.subnet_id, _canonical_id(place.interface_id))


def as_told(end: OwnEnd, router: str, known: KnownFacts) -> Fixed | Untold:
    """A router's end as its peers know it."""
    match end:
        case Fixed():
            return end
        case GlobalAddress(interface):
            key = FactKey(interface, "global-address")
        case DelegatedAddress(interface):
            key = FactKey(interface, "delegated-prefix")
    value = known.one(router, key.subject, key.noun)
    if value is None:
        holder = known.holders.get((router, key))
        others = f" other than that of router {holder}" if holder else ""
        return Untold(f"{key.text} of router {router}{others}")
    if isinstance(end, GlobalAddress):
        return Fixed(value)
    try:
        return Fixed(address_in(value, end.subnet_id, end.interface_id))
    except ValueError as error:
        return Untold(f"a prefix on {interface} of router {router} that has the subnet: {error}")


@lru_cache(REMEMBERED)
def _canonical_address(text: str) -> str:
    """The address in the spelling of RFC 5952; what YANG refuses stays as it is."""
    try:
        return str(ip_address(text))
    except ValueError:
        return text


@lru_cache(REMEMBERED)
def _canonical_id(text: str) -> str:
    """The interface identifier in one spelling; what YANG refuses stays as it is.

    It is not spelled as an address, because some of those end like IPv4 addresses.
    """
    try:
        value = int(IPv6Address(text))
    except ValueError:
        return text
    groups = ":".join(f"{value >> shift & 0xFFFF:x}" for shift in (48, 32, 16, 0))
    return "::" + groups.lstrip("0:")
