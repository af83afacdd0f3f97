"""What was committed: the one input of everything that the controller computes."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tasuki_yang.tree import Tree


@dataclass(frozen=True, slots=True)
class Running:
    """The running datastore (RFC 8342 section 5.1.3)."""

    network: Tree = field(default_factory=dict)
    """The network tree."""
    routers: Mapping[str, Tree] = field(default_factory=dict)
    """Router trees that were written directly, by router name. Only routers that have any."""
