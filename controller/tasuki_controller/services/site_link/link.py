"""One site link: what the intent says of it and what follows from that.

The rules (`check`, `overlaps`) and the compiler (`compile`) speak of a link in these terms.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Literal, TypeAlias

from tasuki_yang.network import NetworkSiteLink, NetworkSiteLinkA, NetworkSiteLinkB
from tasuki_yang.path import predicate

from tasuki_controller.ends import REMEMBERED, OwnEnd, own_end

SiteLink: TypeAlias = NetworkSiteLink
Side: TypeAlias = NetworkSiteLinkA | NetworkSiteLinkB
Prefix: TypeAlias = IPv4Network | IPv6Network

SMALLEST_MTU = 1280
"""Of a tunnel, in the model."""


@dataclass(frozen=True, slots=True)
class Site:
    """One side of a link, and what it knows of the other one."""

    link: SiteLink
    name: Literal["a", "b"]
    side: Side
    peer: Side

    @property
    def router(self) -> str:
        """Whose side it is; empty if that was malformed."""
        return self.side.router

    @property
    def end(self) -> OwnEnd:
        """The router's end of the tunnel."""
        return own_end(self.side.underlay, self.side.underlay.address)

    @property
    def peer_end(self) -> OwnEnd:
        """The end of the other side, on that side's router."""
        return own_end(self.peer.underlay, self.peer.underlay.address)

    def path(self, *names: str) -> str:
        """Instance-identifier of a node of this side."""
        return path_of(self.link, self.name, *names)

    def prefix_path(self, prefix: str) -> str:
        """Instance-identifier of a LAN prefix of this side."""
        return self.path("lan", "prefix" + predicate(".", prefix))

    def lan_path(self, interface: str) -> str:
        """Instance-identifier of a LAN interface of this side."""
        return self.path("lan", "interface" + predicate(".", interface))


def sites(link: SiteLink) -> tuple[Site, Site]:
    """Both sides."""
    return Site(link, "a", link.a, link.b), Site(link, "b", link.b, link.a)


def path_of(link: SiteLink, *names: str) -> str:
    """Instance-identifier of a node of a link."""
    entry = "tasuki-site-link:site-link" + predicate("name", link.name)
    return "/".join(("/tasuki-network:network", entry, *names))


def source_of(link: SiteLink) -> str:
    """Whom messages name."""
    return f"site-link {link.name}"


def overhead(link: SiteLink) -> int:
    """Bytes around each packet: the IPv6 header, and that of GRE with or without a key (RFC 2890)."""
    if link.mode != "gre6":
        return 40
    return 44 if link.key is None else 48


def largest_mtu(link: SiteLink) -> int:
    """What both lines carry in one packet."""
    return min(link.a.underlay.mtu, link.b.underlay.mtu) - overhead(link)


def mtu_of(link: SiteLink) -> int:
    """MTU of both ends."""
    return largest_mtu(link) if link.mtu is None else link.mtu


@lru_cache(REMEMBERED)
def parse_prefix(text: str) -> Prefix | None:
    """A prefix without host bits; None for what YANG refuses."""
    try:
        return ip_network(text, strict=False)
    except ValueError:
        return None


def inner_addresses(prefix: Prefix) -> tuple[str, str] | None:
    """The addresses of a and b; None if the prefix has none for both.

    A /31 and a /127 have no addresses but these two (RFC 3021, RFC 6164).
    """
    if prefix.prefixlen == prefix.max_prefixlen:
        return None
    first = 0 if prefix.prefixlen == prefix.max_prefixlen - 1 else 1
    return str(prefix[first]), str(prefix[first + 1])


def prefixes(link: SiteLink) -> Iterator[tuple[str, str, Prefix]]:
    """Every prefix that the tunnel has or leads to: its path, its text and what that means."""
    found = [(path_of(link, "inner-prefix"), link.inner_prefix)]
    found += [(site.prefix_path(text), text) for site in sites(link) for text in site.side.lan.prefix]
    for path, text in found:
        prefix = parse_prefix(text)
        if prefix is not None:
            yield path, text, prefix


def carries(link: SiteLink, family: Literal["ipv4", "ipv6"]) -> bool:
    """Whether packets of the family are meant to take the tunnel."""
    version = 4 if family == "ipv4" else 6
    return any(prefix.version == version for _, _, prefix in prefixes(link))
