"""Interfaces that tasuki does not make: lines and LANs, which are there or are waited for. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from tasuki_yang.router import Router

UNTYPED = "iana-if-type:other"
"""Type of an existing interface of which nothing more was written."""


@dataclass(frozen=True, slots=True)
class Existing:
    """Such an interface, and its type."""

    name: str
    kind: str


class Types:
    """The types of the interfaces that were written directly, which compiled trees must repeat."""

    def __init__(self, written: Mapping[str, Router]) -> None:
        self._types = {
            (router, interface.name): interface.type
            for router, tree in written.items()
            for interface in tree.interfaces.interface
        }

    def existing(self, router: str, name: str) -> Existing:
        """An interface of a router."""
        return Existing(name, self._types.get((router, name), UNTYPED))
