"""Rules of one split, and among splits, that YANG cannot express.

Each rule reports all that breaks it. What a rule cannot read was reported by YANG and is passed over.
"""

from collections.abc import Container, Iterable, Iterator
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_network

from tasuki_yang.errors import ConfigError
from tasuki_yang.validator import Gaps

from tasuki_controller.broken_rule import invalid, missing, unreadable
from tasuki_controller.ends import REMEMBERED, DelegatedAddress, GlobalAddress
from tasuki_controller.services.vxlan_split import problem
from tasuki_controller.services.vxlan_split.plan import SMALLEST_MTU, numbers, smallest_underlay_mtu
from tasuki_controller.services.vxlan_split.tunnel import (
    Address,
    Split,
    Subscriber,
    Tunnel,
    family_of,
    fixed,
    parse_address,
    prefix_of,
    subscriber_end,
)

_NOT_FORWARDED = {
    IPv6Network("::/8"): "reserved",
    IPv6Network("fe80::/10"): "link-local",
    IPv6Network("ff00::/8"): "multicast",
}
_NOT_REACHABLE: dict[IPv4Network | IPv6Network, str] = {
    ip_network(prefix): kind
    for prefix, kind in {
        "::/128": "the unspecified address",
        "::1/128": "the loopback address",
        "::ffff:0:0/96": "an IPv4 address in the spelling of IPv6",
        "fe80::/10": "a link-local address",
        "ff00::/8": "a multicast address",
        "0.0.0.0/8": "no address of a host",
        "127.0.0.0/8": "a loopback address",
        "169.254.0.0/16": "a link-local address",
        "192.0.0.0/29": "the inner address of a DS-Lite line, which nothing outside can send to",
        "224.0.0.0/4": "a multicast address",
        "240.0.0.0/4": "a reserved or broadcast address",
    }.items()
}
_ADDRESS_LEAF = {4: "ipv4-address", 6: "ipv6-address"}


def check_split(split: Split, gaps: Gaps) -> Iterator[ConfigError]:
    """All rules of one split."""
    for rule in (_prefix, _subscriber_numbers, _hub_addresses, _hub_mtu):
        yield from rule(split)
    yield from _hub_families(split, gaps)


def check_subscriber(split: Split, subscriber: Subscriber, gaps: Gaps) -> Iterator[ConfigError]:
    """All rules of one subscriber that do not ask what follows from its number."""
    for rule in (_two_routers, _told, _remote, _subscriber_mtu):
        yield from rule(split, subscriber)
    yield from _delegation(split, subscriber, gaps)


def check_overlaps(splits: Iterable[Split]) -> Iterator[ConfigError]:
    """No address belongs to two splits. Names the widest prefix for each that lies in it."""
    widest: tuple[IPv6Network, Split] | None = None
    readable = [(prefix, split) for split in splits if (prefix := prefix_of(split))]
    for prefix, split in sorted(readable, key=lambda pair: (pair[0], pair[1].name)):
        if widest and prefix.subnet_of(widest[0]):
            yield invalid(
                problem.split_path(split, "prefix"),
                "prefixes-overlap",
                f"{prefix} of vxlan-split {split.name} overlaps {widest[0]} of vxlan-split {widest[1].name}: "
                "an address can belong to one split only.",
            )
        else:
            widest = prefix, split


def check_ipv4(
    splits: Iterable[Split], tunnels: Iterable[Tunnel], ipv4_by_tunnel: Container[tuple[str, str]]
) -> Iterator[ConfigError]:
    """No VXLAN packets are sent to an IPv4 address that a router shares with others (RFC 6333 section 8).

    Args:
        splits: the splits.
        tunnels: their tunnels.
        ipv4_by_tunnel: interfaces, by their routers, that have their IPv4 by DS-Lite.
    """
    over_ipv4 = [tunnel for tunnel in tunnels if family_of(tunnel.end) == 4]  # noqa: PLR2004
    hubs = {tunnel.split.name for tunnel in over_ipv4}
    for split in splits:
        end = (split.hub.router, split.hub.underlay.interface)
        if split.name in hubs and end in ipv4_by_tunnel:
            yield _shared(problem.split_path(split, "hub", "underlay", "ipv4-address"), end)
    for tunnel in over_ipv4:
        end = (tunnel.target, tunnel.subscriber.underlay.interface)
        if end in ipv4_by_tunnel:
            yield _shared(
                problem.subscriber_path(tunnel.split, tunnel.subscriber, "underlay", "address"), end
            )


def _shared(path: str, end: tuple[str, str]) -> ConfigError:
    router, interface = end
    return invalid(
        path,
        "ipv4-by-ds-lite",
        f"Interface {interface} of router {router} has its IPv4 by DS-Lite, which lets nothing in that the "
        "router has not asked for: VXLAN packets never arrive. Give both ends an IPv6 underlay, such as "
        "global-address.",
    )


def _prefix(split: Split) -> Iterator[ConfigError]:
    """The prefix is what it seems, and routers forward it."""
    prefix = prefix_of(split)
    if prefix is None:
        return
    path = problem.split_path(split, "prefix")
    if parse_address(split.prefix.partition("/")[0]) != prefix.network_address:
        yield invalid(
            path,
            "host-bits-set",
            f"{split.prefix} has bits set beyond its length: write {prefix}, or another length.",
        )
    for network, kind in _NOT_FORWARDED.items():
        if prefix.overlaps(network):
            yield invalid(
                path,
                "prefix-not-unicast",
                f"{prefix} is {kind}: a split needs a prefix of global or unique local addresses.",
            )


def _subscriber_numbers(split: Split) -> Iterator[ConfigError]:
    """There are as many numbers as /48s. YANG refuses number 0."""
    prefix = prefix_of(split)
    if prefix is None:
        return
    allowed = numbers(prefix)
    for subscriber in split.subscriber:
        if subscriber.number >= allowed.stop:
            yield invalid(
                problem.subscriber_path(split, subscriber, "number"),
                "subscriber-number-out-of-range",
                f"{prefix} has room for the numbers {allowed.start} to {allowed[-1]}, "
                f"not for {subscriber.number}.",
            )


def _hub_addresses(split: Split) -> Iterator[ConfigError]:
    underlay = split.hub.underlay
    for leaf, text in (("ipv4-address", underlay.ipv4_address), ("ipv6-address", underlay.ipv6_address)):
        address = parse_address(text)
        if address and (kind := _unreachable_kind(address)):
            yield _not_unicast(problem.split_path(split, "hub", "underlay", leaf), address, kind)


def _hub_families(split: Split, gaps: Gaps) -> Iterator[ConfigError]:
    """The hub has an end for each family that a subscriber has."""
    underlay = split.hub.underlay
    late = (
        underlay.global_address
        or underlay.delegated_address
        or unreadable(
            gaps, problem.split_path(split, "hub", "underlay"), "global-address", "delegated-address"
        )
    )
    for family, end in ((4, underlay.ipv4_address), (6, underlay.ipv6_address or late)):
        without = [] if end else _numbers_over(split, family)
        if without:
            others = f" and {len(without) - 1} more" if without[1:] else ""
            or_late = ", a global-address or a delegated-address" if family == 6 else ""  # noqa: PLR2004
            yield missing(
                problem.split_path(split, "hub", "underlay", _ADDRESS_LEAF[family]),
                "hub-underlay-address-missing",
                f"The hub of vxlan-split {split.name} needs an {_ADDRESS_LEAF[family]}{or_late}: "
                f"subscriber {without[0]}{others} has an IPv{family} underlay.",
            )


def _hub_mtu(split: Split) -> Iterator[ConfigError]:
    families = {family for family in _ADDRESS_LEAF if _numbers_over(split, family)}
    needed = max(map(smallest_underlay_mtu, families), default=0)
    if split.hub.underlay.mtu < needed:
        yield _too_small(problem.split_path(split, "hub", "underlay", "mtu"), split.hub.underlay.mtu, needed)


def _numbers_over(split: Split, family: int) -> list[int]:
    """Numbers of the subscribers with an underlay of one family."""
    return [
        subscriber.number
        for subscriber in split.subscriber
        if (end := subscriber_end(subscriber)) and family_of(end) == family
    ]


def _two_routers(split: Split, subscriber: Subscriber) -> Iterator[ConfigError]:
    """The tunnel's ends are different routers."""
    if subscriber.router == split.hub.router:
        yield invalid(
            problem.subscriber_path(split, subscriber, "router"),
            "subscriber-is-hub",
            f"Router {subscriber.router} is the hub of vxlan-split {split.name}: "
            f"subscriber {subscriber.number} must be another router.",
        )


def _told(split: Split, subscriber: Subscriber) -> Iterator[ConfigError]:
    """Somebody tells the hub where the subscriber is."""
    end = subscriber_end(subscriber)
    if subscriber.unmanaged and isinstance(end, GlobalAddress | DelegatedAddress):
        leaf = "global-address" if isinstance(end, GlobalAddress) else "delegated-address"
        yield invalid(
            problem.subscriber_path(split, subscriber, "underlay", leaf),
            "end-not-told",
            f"Subscriber {subscriber.number} has no agent that tells the hub its address: "
            "give an address, or a dns-name that it keeps up to date itself.",
        )


def _remote(split: Split, subscriber: Subscriber) -> Iterator[ConfigError]:
    """The hub can send to the subscriber, which has an address of its own."""
    remote, underlay = parse_address(subscriber.underlay.address), split.hub.underlay
    if remote is None:
        return
    path = problem.subscriber_path(split, subscriber, "underlay", "address")
    if remote in (parse_address(underlay.ipv4_address), parse_address(underlay.ipv6_address)):
        yield invalid(
            path,
            "underlay-addresses-equal",
            f"{remote} is the hub's underlay address: give the one of subscriber {subscriber.number}.",
        )
    if kind := _unreachable_kind(remote):
        yield _not_unicast(path, remote, kind)


@lru_cache(REMEMBERED)
def _unreachable_kind(address: Address) -> str | None:
    """What makes the address one that the other end cannot send to, if anything does."""
    return next((kind for network, kind in _NOT_REACHABLE.items() if address in network), None)


def _not_unicast(path: str, address: Address, kind: str) -> ConfigError:
    return invalid(
        path,
        "address-not-unicast",
        f"{address} is {kind}: give a unicast address that the other end can send to.",
    )


def check_loop(tunnel: Tunnel) -> Iterator[ConfigError]:
    """No tunnel carries its own packets."""
    split, subscriber = tunnel.split, tunnel.subscriber
    remote, hub = fixed(tunnel.end), fixed(tunnel.hub_end)
    if remote is not None and remote in tunnel.prefix:
        yield invalid(
            problem.subscriber_path(split, subscriber, "underlay", "address"),
            "underlay-inside-split",
            f"{remote} lies in {tunnel.prefix}, which is reached through the tunnels: "
            "give an address that is reached without them.",
        )
    if hub is not None and hub in tunnel.prefix and _carries(tunnel, hub):
        yield invalid(
            problem.split_path(split, "hub", "underlay", _ADDRESS_LEAF[hub.version]),
            "underlay-inside-split",
            f"{hub} lies in a prefix of subscriber {subscriber.number}: give an address that the hub keeps.",
        )


def _carries(tunnel: Tunnel, address: Address) -> bool:
    return any(address in IPv6Network((prefix.base, prefix.length)) for prefix in tunnel.share.prefixes)


def _subscriber_mtu(split: Split, subscriber: Subscriber) -> Iterator[ConfigError]:
    end, mtu = subscriber_end(subscriber), subscriber.underlay.mtu
    if end and mtu < (needed := smallest_underlay_mtu(family_of(end))):
        yield _too_small(problem.subscriber_path(split, subscriber, "underlay", "mtu"), mtu, needed)


def _too_small(path: str, mtu: int, needed: int) -> ConfigError:
    return invalid(
        path,
        "underlay-mtu-too-small",
        f"An underlay MTU of {mtu} bytes leaves less than the {SMALLEST_MTU} bytes that IPv6 needs in the "
        f"tunnel: the underlay must carry {needed} bytes.",
    )


def _delegation(split: Split, subscriber: Subscriber, gaps: Gaps) -> Iterator[ConfigError]:
    """No two LANs have the same /64."""
    holders: dict[int | None, str] = {}
    for lan in subscriber.delegation.lan:
        if gaps and f"{problem.lan_path(split, subscriber, lan)}/subnet-id" in gaps:
            continue
        holder = holders.setdefault(lan.subnet_id, lan.interface)
        if holder == lan.interface:
            continue
        which = "the routed /64" if lan.subnet_id is None else f"subnet-id {lan.subnet_id}"
        yield invalid(
            problem.lan_path(split, subscriber, lan),
            "subnet-not-unique",
            f"LAN {holder} has {which} already: give LAN {lan.interface} a subnet-id of its own.",
        )
