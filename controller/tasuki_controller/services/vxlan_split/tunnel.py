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

from tasuki_controller.ends import REMEMBERED, Fixed, Named, OwnEnd, own_end
from tasuki_controller.services.vxlan_split.plan import Share, numbers, share, tunnel_mtu

Address: TypeAlias = IPv4Address | IPv6Address
Split: TypeAlias = NetworkVxlanSplit
Subscriber: TypeAlias = NetworkVxlanSplitSubscriber
Lan: TypeAlias = NetworkVxlanSplitSubscriberDelegationLan
Key: TypeAlias = tuple[str, int]
"""A split's name and a subscriber's number."""


@dataclass(frozen=True, slots=True)
class Tunnel:
    """A subscriber of a split."""

    split: Split
    subscriber: Subscriber
    prefix: IPv6Network
    """The split's."""
    share: Share
    end: OwnEnd | Named
    """The subscriber's, which the hub sends to."""
    hub_end: OwnEnd | None
    """The hub's of the same family, which the subscriber sends to; None if it has none."""

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
        return tunnel_mtu(underlay, family_of(self.end))

    @property
    def routes_by_policy(self) -> bool:
        """Whether only the subscriber's own prefixes take the tunnel."""
        return self.subscriber.mode == "policy-routing"


def tunnels(splits: Iterable[Split]) -> Iterator[Tunnel]:
    """The tunnels of the splits, but those whose prefix, number or end is no such thing."""
    for split in splits:
        prefix = prefix_of(split)
        if prefix is None:
            continue
        allowed = numbers(prefix)
        hub = {family: hub_end(split, family) for family in (4, 6)}
        for subscriber in split.subscriber:
            end = subscriber_end(subscriber)
            if end is not None and subscriber.number in allowed:
                part = share(prefix, split.vni_base, subscriber.number)
                yield Tunnel(split, subscriber, prefix, part, end, hub[family_of(end)])


def subscriber_end(subscriber: Subscriber) -> OwnEnd | Named | None:
    """Where the hub sends to; None if nothing is said of it, or what YANG refuses."""
    underlay = subscriber.underlay
    if name := underlay.dns_name:
        return Named(name.name, name.resolver)
    if underlay.address:
        return own_end(underlay, underlay.address) if parse_address(underlay.address) else None
    return own_end(underlay, None) if underlay.global_address or underlay.delegated_address else None


def hub_end(split: Split, family: int) -> OwnEnd | None:
    """Where subscribers with an underlay of IP version 4 or 6 send to; None for nowhere."""
    underlay = split.hub.underlay
    address = underlay.ipv4_address if family == 4 else underlay.ipv6_address  # noqa: PLR2004
    if address:
        return own_end(underlay, address) if parse_address(address) else None
    is_late = underlay.global_address or underlay.delegated_address
    return own_end(underlay, None) if is_late and family == 6 else None  # noqa: PLR2004


def family_of(end: OwnEnd | Named) -> int:
    """IP version of an end: what has to be learned is IPv6."""
    address = fixed(end)
    return address.version if address else 6


def fixed(end: OwnEnd | Named | None) -> Address | None:
    """The address of a fixed end."""
    return parse_address(end.address) if isinstance(end, Fixed) else None


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
