"""Which three routing tables each policy-routing subscription of a router uses.

The numbers are nobody's choice and must come out the same in each run: first come, first served in the order
of the splits' names and the subscribers' numbers.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

from tasuki_yang.router import Router

from tasuki_controller.services.vxlan_split.tunnel import Key, Tunnel

KERNEL_TABLES = frozenset({253, 254, 255})
"""default, main and local."""
LAST_PRIORITY = 32765
"""Rules have their table's number as priority, and 32766 is the kernel's rule for the table main."""
PER_SUBSCRIPTION = 3

Allocation: TypeAlias = Mapping[Key, int | None]
"""First table of a subscriber, or None if its router has no three free ones."""


class Tables:
    """The tables of one router that are still free."""

    def __init__(self, taken: Iterable[int]) -> None:
        self._taken = {*taken, *KERNEL_TABLES}
        self._searched: dict[int, int] = {}

    def take(self, base: int) -> int | None:
        """First of the next three free tables from `base` on; None when there are none."""
        # What was taken stays taken: many subscriptions with one base do not search the same numbers again.
        first = self._searched.get(base, base)
        while not self._taken.isdisjoint(range(first, first + PER_SUBSCRIPTION)):
            first += 1
        self._searched[base] = first
        if first + PER_SUBSCRIPTION - 1 > LAST_PRIORITY:
            return None
        self._taken.update(range(first, first + PER_SUBSCRIPTION))
        return first


def allocate(tunnels: Iterable[Tunnel], written: Mapping[str, Router]) -> Allocation:
    """The first table of each subscriber in policy-routing mode, who come in the order of their keys."""
    free: dict[str, Tables] = {}
    first: dict[Key, int | None] = {}
    for tunnel in tunnels:
        if not tunnel.routes_by_policy:
            continue
        if tunnel.target not in free:
            router = written.get(tunnel.target)
            free[tunnel.target] = Tables(_tables_of(router) if router else ())
        first[tunnel.key] = free[tunnel.target].take(tunnel.split.table_base)
    return first


def _tables_of(router: Router) -> Iterator[int]:
    """Tables that a router tree fills or looks up."""
    for protocol in router.routing.control_plane_protocols.control_plane_protocol:
        yield protocol.static_routes.table
    yield from (rule.table for rule in router.routing.rules.ipv4.rule)
    yield from (rule.table for rule in router.routing.rules.ipv6.rule)
