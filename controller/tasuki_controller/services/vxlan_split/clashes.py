"""What the subscriptions of one router must not share: VNIs, the default route, interfaces, tables."""

from collections.abc import Iterable, Iterator, Sequence

from tasuki_yang.errors import ConfigError
from tasuki_yang.path import predicate

from tasuki_controller.services.vxlan_split import problem
from tasuki_controller.services.vxlan_split.tables import LAST_PRIORITY, Allocation
from tasuki_controller.services.vxlan_split.tunnel import Split, Subscription, Tunnel


def check_clashes(
    splits: Iterable[Split],
    subscriptions: Sequence[Subscription],
    tunnels: Sequence[Tunnel],
    tables: Allocation,
) -> Iterator[ConfigError]:
    """All rules among subscriptions of one router. The later one of two is named."""
    yield from _vnis(tunnels)
    yield from _default_routes(subscriptions)
    yield from _interfaces(splits, subscriptions, tunnels)
    yield from _tables(subscriptions, tables)


def _vnis(tunnels: Iterable[Tunnel]) -> Iterator[ConfigError]:
    """Linux tells tunnels apart by VNI, and the VNI makes the name. One problem for each two splits."""
    first: dict[tuple[str, int], Tunnel] = {}
    reported: set[tuple[str, str]] = set()
    for tunnel in tunnels:
        for router in tunnel.routers:
            other = first.setdefault((router, tunnel.share.vni), tunnel)
            here, there = tunnel.subscription, other.subscription
            splits = (there.split.name, here.split.name)
            if splits[0] == splits[1] or splits in reported:
                continue
            reported.add(splits)
            yield problem.invalid(
                problem.split_path(here.split, "vni-base"),
                "vni-not-unique",
                f"On router {router}, {here.source} and {there.source} would both have VNI "
                f"{tunnel.share.vni} and be called {tunnel.share.interface}: "
                "set vni-base of one of the splits to another number, such as 256.",
            )


def _default_routes(subscriptions: Iterable[Subscription]) -> Iterator[ConfigError]:
    """A router has one default gateway."""
    first: dict[str, Subscription] = {}
    for each in subscriptions:
        if each.routes_by_policy:
            continue
        other = first.setdefault(each.target, each)
        if other is not each:
            yield problem.invalid(
                problem.subscriber_path(each.split, each.subscriber, "mode"),
                "default-route-not-unique",
                f"{other.source} is the default gateway of router {each.target} already: "
                "set the mode of one of the two to policy-routing.",
            )


def _interfaces(
    splits: Iterable[Split], subscriptions: Iterable[Subscription], tunnels: Iterable[Tunnel]
) -> Iterator[ConfigError]:
    """An interface is a tunnel, or carries tunnels, or is a LAN."""
    made = {
        (router, tunnel.share.interface): f"is the tunnel of {tunnel.subscription.source}"
        for tunnel in tunnels
        for router in tunnel.routers
    }
    carrying = {(split.hub.router, split.hub.underlay.interface) for split in splits}
    carrying |= {(each.target, each.subscriber.underlay.interface) for each in subscriptions}
    for split in splits:
        end = (split.hub.router, split.hub.underlay.interface)
        if end in made:
            path = problem.split_path(split, "hub", "underlay", "interface")
            yield _misused(path, end, made[end])
    for each in subscriptions:
        end = (each.target, each.subscriber.underlay.interface)
        if end in made:
            path = problem.subscriber_path(each.split, each.subscriber, "underlay", "interface")
            yield _misused(path, end, made[end])
        for lan in each.subscriber.delegation.lan:
            end = (each.target, lan.interface)
            if end in made or end in carrying:
                entry = "lan" + predicate("interface", lan.interface)
                path = problem.subscriber_path(each.split, each.subscriber, "delegation", entry)
                yield _misused(path, end, made.get(end, "is the underlay of a tunnel"))


def _misused(path: str, end: tuple[str, str], why: str) -> ConfigError:
    router, interface = end
    message = f"Interface {interface} of router {router} {why}: name another one."
    return problem.invalid(path, "interface-role-clash", message)


def _tables(subscriptions: Iterable[Subscription], tables: Allocation) -> Iterator[ConfigError]:
    """There are tables for each subscriber in policy-routing mode. One problem for each router and split."""
    without = {
        (each.split.name, each.target): each
        for each in subscriptions
        if each.routes_by_policy and tables[each.key] is None
    }
    for each in without.values():
        yield problem.invalid(
            problem.split_path(each.split, "table-base"),
            "no-free-tables",
            f"Router {each.target} has no three free routing tables between table-base "
            f"{each.split.table_base} and {LAST_PRIORITY} for {each.source}: set a smaller table-base.",
        )
