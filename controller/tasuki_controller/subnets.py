"""Addresses, the subnets that they are in, and prefixes that overlap. Pure.

What YANG refuses is no address here, and nothing is said of it.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Protocol, TypeAlias, TypeVar

from tasuki_controller.ends import REMEMBERED

Address: TypeAlias = IPv4Address | IPv6Address
Subnet: TypeAlias = IPv4Network | IPv6Network

_NOT_A_HOST = {
    ip_network(prefix): kind
    for prefix, kind in {
        "0.0.0.0/8": "no address of a host",
        "127.0.0.0/8": "a loopback address",
        "224.0.0.0/4": "a multicast address",
        "240.0.0.0/4": "a reserved or broadcast address",
        "::/128": "no address of a host",
        "::1/128": "a loopback address",
        "::ffff:0:0/96": "an IPv4 address in the spelling of IPv6",
        "ff00::/8": "a multicast address",
    }.items()
}


class Use(Protocol):
    """A prefix that a router deals with."""

    @property
    def prefix(self) -> Subnet:
        """The prefix."""
        ...

    @property
    def path(self) -> str:
        """Where it is said."""
        ...

    @property
    def text(self) -> str:
        """What messages call it."""
        ...


AnyUse = TypeVar("AnyUse", bound=Use)


@lru_cache(REMEMBERED)
def parse(text: str | None) -> Address | None:
    """An address."""
    try:
        return ip_address(text) if text else None
    except ValueError:
        return None


def subnet(text: str | None, length: int) -> Subnet | None:
    """The subnet of an address."""
    address = parse(text)
    if address is None or not 0 <= length <= address.max_prefixlen:
        return None
    return ip_network(f"{address}/{length}", strict=False)


def _never_a_host(address: Address) -> str | None:
    """What the address is, if no host can be reached at it."""
    return next((kind for prefix, kind in _NOT_A_HOST.items() if address in prefix), None)


def _reserved(address: Address, within: Subnet) -> str | None:
    """What the address is, if the subnet has it for itself (RFC 919; RFC 4291 section 2.6.1)."""
    if within.prefixlen >= within.max_prefixlen - 1:
        return None
    if address == within.network_address:
        return f"the address of the subnet {within} itself"
    if within.version == 4 and address == within.broadcast_address:  # noqa: PLR2004
        return f"the broadcast address of {within}"
    return None


def not_a_host_of(address: Address, within: Subnet) -> str | None:
    """What keeps the address from being one of a host in the subnet."""
    if address not in within:
        return f"not in {within}"
    return _never_a_host(address) or _reserved(address, within)


def overlapping(
    uses: Iterable[AnyUse], is_one_place: Callable[[AnyUse, AnyUse], bool]
) -> Iterator[tuple[AnyUse, AnyUse]]:
    """Each prefix with the first of those before it that it lies in, of what cannot be in one place.

    Sorted, a prefix comes right after those that it lies in: two prefixes never overlap in part.
    """
    around: list[AnyUse] = []
    for use in sorted(uses, key=_order):
        while around and not around[-1].prefix.overlaps(use.prefix):
            around.pop()
        other = next((each for each in around if not is_one_place(each, use)), None)
        if other:
            yield use, other
        around.append(use)


def _order(use: Use) -> tuple[int, int, int, str, str]:
    prefix = use.prefix
    return prefix.version, int(prefix.network_address), prefix.prefixlen, use.path, use.text
