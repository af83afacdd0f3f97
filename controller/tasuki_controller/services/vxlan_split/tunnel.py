"""One subscriber's tunnel: what the intent says of it, and what follows from that.

The rules (`check`, `clashes`) and the compiler (`compile`) speak of a split in these terms.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import TypeAlias

from tasuki_yang.network import NetworkVxlanSplit, NetworkVxlanSplitSubscriber

from tasuki_controller.services.vxlan_split.plan import Share, numbers, share, tunnel_mtu

Address: TypeAlias = IPv4Address | IPv6Address
Split: TypeAlias = NetworkVxlanSplit
Subscriber: TypeAlias = NetworkVxlanSplitSubscriber
Key: TypeAlias = tuple[str, int]
"""A split's name and a subscriber's number."""

REMEMBERED = 1 << 14
"""Tunnels of which what was computed once is kept for the next transaction."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscriber of a split: what the intent says of it, sound or not."""

    split: Split
    subscriber: Subscriber

    @property
    def key(self) -> Key:
        """Names the subscription; sorts subscriptions as people count."""
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
    def remote(self) -> Address | None:
        """The subscriber's underlay address, which the hub sends to."""
        return parse_address(self.subscriber.underlay.address)

    @property
    def hub_remote(self) -> Address | None:
        """The hub's underlay address of the same family, which the subscriber sends to."""
        underlay, remote = self.split.hub.underlay, self.remote
        if remote is None:
            return None
        return parse_address(underlay.ipv4_address if remote.version == 4 else underlay.ipv6_address)  # noqa: PLR2004

    @property
    def routes_by_policy(self) -> bool:
        """Whether only the subscriber's own prefixes take the tunnel."""
        return self.subscriber.mode == "policy-routing"


@dataclass(frozen=True, slots=True)
class Tunnel:
    """What follows from a subscription whose prefix, hub, number and underlay address are sound."""

    subscription: Subscription
    share: Share
    remote: Address

    @property
    def routers(self) -> tuple[str, str]:
        """Where the tunnel ends: the hub and the target."""
        return self.subscription.split.hub.router, self.subscription.target

    @property
    def mtu(self) -> int:
        """MTU of both ends."""
        split, subscriber = self.subscription.split, self.subscription.subscriber
        return tunnel_mtu(min(split.hub.underlay.mtu, subscriber.underlay.mtu), self.remote.version)


def subscriptions(splits: Iterable[Split]) -> list[Subscription]:
    """All subscriptions, in the order of their keys."""
    every = (Subscription(split, subscriber) for split in splits for subscriber in split.subscriber)
    return sorted(every, key=lambda subscription: subscription.key)


def tunnels(every: Iterable[Subscription]) -> Iterator[Tunnel]:
    """The tunnels of the subscriptions from which one follows."""
    for subscription in every:
        split, number, remote = subscription.split, subscription.subscriber.number, subscription.remote
        prefix = prefix_of(split)
        if prefix and remote and split.hub.router and number in numbers(prefix):
            yield Tunnel(subscription, share(prefix, split.vni_base, number), remote)


def prefix_of(split: Split) -> IPv6Network | None:
    """The prefix without host bits; None for what YANG refuses."""
    return _parse_prefix(split.prefix)


@lru_cache(REMEMBERED)
def _parse_prefix(text: str) -> IPv6Network | None:
    try:
        prefix = IPv6Network(text, strict=False)
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
