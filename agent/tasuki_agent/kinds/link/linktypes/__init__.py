"""The types of links that tasuki can create, one file each, which exports `TYPE`.

A new file here is all that a type takes in the agent.
"""

import importlib
import pkgutil
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final, Protocol

from tasuki_yang.router import InterfacesInterface

from tasuki_agent.kernel.interfaces import Names
from tasuki_agent.kind import optional
from tasuki_agent.known import Known

BASICS: Final = frozenset({"mtu", "mac_address", "up"})
"""Fields of links of any type that can be changed."""


@dataclass(frozen=True, slots=True)
class Basis:
    """What links of all types have."""

    index: int
    up: bool
    mtu: int
    mac_address: str
    """In lower case; empty for a link without one."""
    group: int


@dataclass(frozen=True, slots=True)
class OtherLink:
    """A link of a type that we do not create: something to stand on, or in the way."""

    type: str
    """The kernel's name of it; of a wanted link the identity that no type here has."""
    up: bool
    mtu: int | None = optional()
    mac_address: str = field(default="", compare=False)
    index: int = field(default=0, compare=False)
    group: int = field(default=0, compare=False)


class LinkSpec(Protocol):
    """What a type's spec has in any case."""

    @property
    def up(self) -> bool:
        """Whether the link is administratively up."""
        ...

    @property
    def mtu(self) -> int | None:
        """In bytes; None if the kernel's choice will do."""
        ...

    @property
    def mac_address(self) -> str | None:
        """In lower case; None if the kernel's choice will do."""
        ...

    @property
    def index(self) -> int:
        """Evidence: where the kernel has it."""
        ...

    @property
    def group(self) -> int:
        """Evidence: our mark."""
        ...


class LinkType(Protocol):
    """One type of link: its spec, its leaves and its part of the kernel's message. Pure."""

    @property
    def kernel_name(self) -> str:
        """IFLA_INFO_KIND, and the type's name in ip-link(8)."""
        ...

    @property
    def module(self) -> str:
        """The kernel's module that has it."""
        ...

    @property
    def identity(self) -> str:
        """The interface's `type` in the router tree."""
        ...

    @property
    def spec(self) -> type:
        """The class of its specs."""
        ...

    @property
    def leaves(self) -> Mapping[str, str]:
        """Where the fields of the spec are, below the interface."""
        ...

    def want(self, interface: InterfacesInterface, known: Known) -> LinkSpec:
        """The spec of an interface of this type, spelled as observed.

        Raises:
            Unknown: it is made of something that is not known yet.
        """
        ...

    def underlays(self, spec: Any) -> Iterable[str]:
        """Names of the links that must exist first."""
        ...

    def source(self, spec: Any) -> str | None:
        """The address without which, while the link waits, it shall be down; None if there is no such."""
        ...

    def claim(self, spec: Any) -> Hashable | None:
        """What the kernel lets only one link have that is changed in place; None if there is no such."""
        ...

    def parked(self, spec: Any) -> Any:
        """The same link with a claim that no other one makes, so that another one can have its claim."""
        ...

    def in_place(self, observed: Any, wanted: Any) -> bool:
        """Whether the kernel can change the one into the other."""
        ...

    def messages(self, fields: frozenset[str]) -> Sequence[frozenset[str]]:
        """The fields that are told the kernel by each message, one after another, to change these."""
        ...

    def encode(self, spec: Any, names: Collection[str], index_of: Callable[[str], int]) -> Iterator[bytes]:
        """Attributes of IFLA_INFO_DATA for the fields named; other fields are passed over.

        Raises:
            Transient: by `index_of`, if a link is not there.
        """
        ...

    def decode(self, basis: Basis, data: Mapping[int, bytes], names: Names) -> LinkSpec:
        """The spec of an observed link, of IFLA_INFO_DATA."""
        ...

    def tree(self, spec: Any) -> Mapping[str, Any]:
        """The type's own members of the interface: the inverse of `want`."""
        ...


@cache
def load() -> tuple[LinkType, ...]:
    """Every type."""
    modules = sorted(module.name for module in pkgutil.iter_modules(__path__))
    return tuple(importlib.import_module(f"{__name__}.{module}").TYPE for module in modules)


@cache
def by_kernel_name() -> Mapping[str, LinkType]:
    """Types by the kernel's name."""
    return {link_type.kernel_name: link_type for link_type in load()}


@cache
def by_identity() -> Mapping[str, LinkType]:
    """Types by the identity that the router tree calls them."""
    return {link_type.identity: link_type for link_type in load()}


@cache
def by_spec() -> Mapping[type, LinkType]:
    """Types by the class of their specs."""
    return {link_type.spec: link_type for link_type in load()}
