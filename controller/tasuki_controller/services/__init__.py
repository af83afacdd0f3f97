"""The services: each turns one part of the network tree into parts of router trees.

A service is a package in this folder that exports itself as `SERVICE`. It is discovered: nothing names the
services one by one, and adding one edits no other file.
"""

import pkgutil
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Protocol

from tasuki_yang.errors import ConfigError
from tasuki_yang.network import Network
from tasuki_yang.router import Router
from tasuki_yang.tree import Tree
from tasuki_yang.validator import Gaps

from tasuki_controller.broken_rule import invalid
from tasuki_controller.known import KnownFacts


@dataclass(frozen=True, slots=True)
class Contribution:
    """What a service adds to one router tree."""

    target: str
    """A router's name, or the name under which the configuration of a machine without an agent is read."""
    source: str
    """Whom a conflict names, such as "vxlan-split ae00, subscriber 8"."""
    tree: Tree


@dataclass(frozen=True, slots=True)
class Made:
    """An interface that a service makes on a router."""

    router: str
    name: str
    source: str
    """Whom messages name."""
    named_at: str
    """Path of the node that the name follows from."""
    made_at: str
    """Path of the node that the interface follows from."""
    is_numbered: bool = False
    """Whether the name follows from a number, which others follow from as well."""
    identity: Hashable = None
    """What Linux knows a tunnel by beside its name; None if nobody else can make its like."""
    apart_by: str = "another end"
    """What tells it apart from a tunnel with this identity."""


@dataclass(frozen=True, slots=True)
class Used:
    """An interface that a service expects to be there: a line or a LAN."""

    router: str
    name: str
    path: str
    """Of the node that names it."""


class Service(Protocol):
    """A service in one transaction. Pure."""

    def check(self, gaps: Gaps) -> Iterable[ConfigError]:
        """Every problem that YANG cannot express.

        What was malformed is absent, and a rule must not take the default for what was meant there.
        Problems that lie at or below a gap are never told. Nothing depends on what routers have told: what is
        valid stays valid whatever becomes of an interface (RFC 8342 section 5.3.2).
        """
        ...

    def makes(self, gaps: Gaps) -> Iterable[Made]:
        """The interfaces that it makes, each once, but those that it cannot name for what was malformed."""
        ...

    def uses(self) -> Iterable[Used]:
        """The interfaces that it expects, and that no service makes therefore."""
        ...

    def compile(self) -> Iterable[Contribution]:
        """What the routers shall be. Total on a valid network that `check` has nothing against."""
        ...


class ServiceFactory(Protocol):
    """What a service's package exports as `SERVICE`."""

    def __call__(self, network: Network, written: Mapping[str, Router], known: KnownFacts) -> Service:
        """Begin a transaction, with a network that need not be valid.

        Args:
            network: what fits the models of the network tree.
            written: what fits of the router trees that were written directly, by router name.
            known: what the routers have told; for `compile` alone.
        """
        ...


def services(network: Network, written: Mapping[str, Router], known: KnownFacts) -> tuple[Service, ...]:
    """All services, in the order of their names."""
    return tuple(factory(network, written, known) for factory in _factories())


def broken_rules(contributors: Iterable[Service], gaps: Gaps) -> Iterator[ConfigError]:
    """What the rules of each service and those among them all have to say."""
    contributors = tuple(contributors)
    names: dict[tuple[str, str], Made] = {}
    tunnels: dict[tuple[str, Hashable], Made] = {}
    alike: set[tuple[str, str]] = set()
    for service in contributors:
        yield from service.check(gaps)
        for made in service.makes(gaps):
            other = names.setdefault((made.router, made.name), made)
            if other is not made:
                # A single name is easier to change than all that follow from a number.
                easier, harder = (other, made) if made.is_numbered else (made, other)
                yield invalid(
                    easier.named_at,
                    "interface-name-not-unique",
                    f"On router {made.router}, {easier.source} and {harder.source} would both make interface "
                    f"{made.name}: give the first another name, or change {harder.named_at}.",
                )
            if made.identity is None:
                continue
            other = tunnels.setdefault((made.router, made.identity), made)
            if other is made or (made.made_at, other.made_at) in alike:
                continue
            alike.add((made.made_at, other.made_at))
            yield invalid(
                made.made_at,
                "tunnel-ends-not-unique",
                f"On router {made.router}, {made.source} and {other.source} have the same two ends, by which "
                f"Linux tells tunnels apart: give one of them {made.apart_by}.",
            )
    for used in (each for service in contributors for each in service.uses()):
        if tunnel := names.get((used.router, used.name)):
            yield invalid(
                used.path,
                "interface-role-clash",
                f"Interface {used.name} of router {used.router} is the tunnel of {tunnel.source}: name the "
                "interface toward the line or the hosts.",
            )


@cache
def _factories() -> tuple[ServiceFactory, ...]:
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    return tuple(import_module(f"{__name__}.{name}").SERVICE for name in names)
