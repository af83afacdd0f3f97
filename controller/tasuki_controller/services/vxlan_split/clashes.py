"""What the subscriptions of one router must not share: VNIs, the default route, interfaces, tables."""

from collections.abc import Iterable, Iterator, Sequence

from tasuki_yang.errors import ConfigError
from tasuki_yang.validator import Gaps

from tasuki_controller.broken_rule import invalid
from tasuki_controller.services.vxlan_split import problem
from tasuki_controller.services.vxlan_split.tables import LAST_PRIORITY, Allocation
from tasuki_controller.services.vxlan_split.tunnel import Split, Tunnel


def check_clashes(
    splits: Iterable[Split], tunnels: Sequence[Tunnel], tables: Allocation, gaps: Gaps
) -> Iterator[ConfigError]:
    """All rules among tunnels that end on one router. The later one of two is named."""
    numbered, directed = tunnels, tunnels
    if gaps:
        numbered = [t for t in tunnels if problem.split_path(t.split, "vni-base") not in gaps]
        directed = [t for t in tunnels if problem.subscriber_path(t.split, t.subscriber, "mode") not in gaps]
    yield from _vnis(numbered)
    yield from _default_routes(directed)
    yield from _interfaces(splits, tunnels)
    yield from _tables(tunnels, tables)


def _vnis(tunnels: Iterable[Tunnel]) -> Iterator[ConfigError]:
    """Linux tells tunnels apart by VNI, and the VNI makes the name. One problem for each two splits."""
    first: dict[tuple[str, int], Tunnel] = {}
    reported: set[tuple[str, str]] = set()
    for tunnel in tunnels:
        for router in tunnel.routers:
            other = first.setdefault((router, tunnel.share.vni), tunnel)
            splits = (other.split.name, tunnel.split.name)
            if splits[0] == splits[1] or splits in reported:
                continue
            reported.add(splits)
            yield invalid(
                problem.split_path(tunnel.split, "vni-base"),
                "vni-not-unique",
                f"On router {router}, {tunnel.source} and {other.source} would both have VNI "
                f"{tunnel.share.vni} and be called {tunnel.share.interface}: "
                "set vni-base of one of the splits to another number, such as 256.",
            )


def _default_routes(tunnels: Iterable[Tunnel]) -> Iterator[ConfigError]:
    """A router has one default gateway."""
    first: dict[str, Tunnel] = {}
    for tunnel in tunnels:
        if tunnel.routes_by_policy:
            continue
        other = first.setdefault(tunnel.target, tunnel)
        if other is not tunnel:
            yield invalid(
                problem.subscriber_path(tunnel.split, tunnel.subscriber, "mode"),
                "default-route-not-unique",
                f"{other.source} is the default gateway of router {tunnel.target} already: "
                "set the mode of one of the two to policy-routing.",
            )


def _interfaces(splits: Iterable[Split], tunnels: Iterable[Tunnel]) -> Iterator[ConfigError]:
    """An interface carries tunnels, or is a LAN."""
    carrying = {(split.hub.router, split.hub.underlay.interface) for split in splits}
    carrying |= {(tunnel.target, tunnel.subscriber.underlay.interface) for tunnel in tunnels}
    for tunnel in tunnels:
        for lan in tunnel.subscriber.delegation.lan:
            if (tunnel.target, lan.interface) in carrying:
                yield invalid(
                    problem.lan_path(tunnel.split, tunnel.subscriber, lan),
                    "interface-role-clash",
                    f"Interface {lan.interface} of router {tunnel.target} is the underlay of a tunnel: "
                    "name another one.",
                )


def _tables(tunnels: Iterable[Tunnel], tables: Allocation) -> Iterator[ConfigError]:
    """There are tables for each subscriber in policy-routing mode. One problem for each router and split."""
    without = {
        (tunnel.split.name, tunnel.target): tunnel
        for tunnel in tunnels
        if tunnel.routes_by_policy and tables[tunnel.key] is None
    }
    for tunnel in without.values():
        yield invalid(
            problem.split_path(tunnel.split, "table-base"),
            "no-free-tables",
            f"Router {tunnel.target} has no three free routing tables between table-base "
            f"{tunnel.split.table_base} and {LAST_PRIORITY} for {tunnel.source}: set a smaller table-base.",
        )
