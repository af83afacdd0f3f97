"""One subscriber's tunnel: what the intent says of it, and what follows from that.

The rules (`check`, `clashes`) and the compiler (`compile`) speak of a split in these terms.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import TypeAlias

from tasuki_yang.network import (
    NetworkVxlanSplit,
    NetworkVxlanSplitSubscriber,
    NetworkVxlanSplitSubscriberDelegationLan,
)

from tasuki_controller.services.vxlan_split.plan import Share, numbers, share, tunnel_mtu

Address: TypeAlias = IPv4Address | IPv6Address
Split: TypeAlias = NetworkVxlanSplit
Subscriber: TypeAlias = NetworkVxlanSplitSubscriber
Lan: TypeAlias = NetworkVxlanSplitSubscriberDelegationLan
Key: TypeAlias = tuple[str, int]
"""A split's name and a subscriber's number."""

REMEMBERED = 1 << 14
"""Tunnels of which what was computed once is kept for the next transaction."""


@dataclass(frozen=True, slots=True)
class Tunnel:
    """A subscriber of a split."""

    split: Split
    subscriber: Subscriber
    prefix: IPv6Network
    """The split's."""
    share: Share
    remote: Address
    """The subscriber's underlay address, which the hub sends to."""
    hub_remote: Address | None
    """The hub's underlay address of the same family, which the subscriber sends to."""

    @property
    def key(self) -> Key:
        """Names the tunnel; sorts tunnels as people count."""
        return self.split.name, self.subscriber.number

    @property
    def target(self) -> str:
        """Whose tree the subscriber's end belongs to: a router's, or that of a machine without an agent."""
        return self.subscriber.router or f"{self.split.name}/{self.subscriber.number}"

    @property
    def source(self) -> str:
        """Whom messages name."""
        return f"vxlan-split {self.split.name}, subscriber {self.subscriber.number}"

    @property
    def routers(self) -> tuple[str, ...]:
        """Where the tunnel ends: the hub, if there is one, and the target."""
        hub = self.split.hub.router
        return (hub, self.target) if hub else (self.target,)

    @property
    def mtu(self) -> int:
        """MTU of both ends."""
        underlay = min(self.split.hub.underlay.mtu, self.subscriber.underlay.mtu)
        return tunnel_mtu(underlay, self.remote.version)

    @property
    def routes_by_policy(self) -> bool:
        """Whether only the subscriber's own prefixes take the tunnel."""
        return self.subscriber.mode == "policy-routing"


def tunnels(splits: Iterable[Split]) -> Iterator[Tunnel]:
    """The tunnels of the splits, but those whose prefix, number or underlay address is no such thing."""
    for split in splits:
        prefix = prefix_of(split)
        if prefix is None:
            continue
        allowed = numbers(prefix)
        underlay = split.hub.underlay
        hub = {4: parse_address(underlay.ipv4_address), 6: parse_address(underlay.ipv6_address)}
        for subscriber in split.subscriber:
            remote = parse_address(subscriber.underlay.address)
            if remote is not None and subscriber.number in allowed:
                part = share(prefix, split.vni_base, subscriber.number)
                yield Tunnel(split, subscriber, prefix, part, remote, hub[remote.version])


def prefix_of(split: Split) -> IPv6Network | None:
    """The prefix without host bits; None for what YANG refuses."""
    try:
        prefix = IPv6Network(split.prefix, strict=False)
    except ValueError:
        return None
    return prefix if numbers(prefix) else None


@lru_cache(REMEMBERED)
def parse_address(text: str | None) -> Address | None:
    """An address; None without one and for what YANG refuses."""
    try:
        return ip_address(text) if text else None
    except ValueError:
        return None
