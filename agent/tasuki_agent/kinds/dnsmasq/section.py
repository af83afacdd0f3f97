"""What one place of the router tree has dnsmasq do. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from tasuki_yang.model import Model

CONFIGURATION: Final = "dnsmasq.conf"
SERVERS: Final = "servers"
HOSTS: Final = "hosts"
RESERVATIONS: Final = "reservations"
REREAD: Final = frozenset({SERVERS, HOSTS, RESERVATIONS})
"""Files that dnsmasq reads again when it is told to."""
DIRECTORY: Final = "/var/lib/misc"
"""Where dnsmasq finds its files: it sees one of its own in the place of this one, which Debian has."""


class Listener(NamedTuple):
    """A port that dnsmasq listens at."""

    protocol: str
    number: int
    address: str
    interface: str = ""
    """The only one that it serves there, if it is bound to one."""


@dataclass(frozen=True, slots=True)
class Section:
    """Lines for one place.

    Attributes:
        path: of the place.
        tree: a router tree with nothing else.
        interfaces: whose hosts are served.
        lines: by the file that they stand in.
        listeners: what is asked there.
    """

    path: str
    tree: Mapping[str, Any]
    interfaces: tuple[str, ...]
    lines: Mapping[str, tuple[str, ...]]
    listeners: tuple[Listener, ...]


def as_tree(node: Model) -> Mapping[str, Any]:
    """What was written of a node."""
    return node.model_dump(mode="json", by_alias=True, exclude_defaults=True)
