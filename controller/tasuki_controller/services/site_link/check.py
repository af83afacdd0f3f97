"""Rules of one site link that YANG cannot express.

Each rule reports all that breaks it. What a rule cannot read was reported by YANG and is passed over.
"""

from collections.abc import Iterator
from ipaddress import ip_interface

from tasuki_yang.errors import ConfigError
from tasuki_yang.validator import Gaps

from tasuki_controller.broken_rule import invalid, unreadable
from tasuki_controller.ends import Fixed
from tasuki_controller.services.site_link.link import (
    SMALLEST_MTU,
    Site,
    SiteLink,
    inner_addresses,
    overhead,
    parse_prefix,
    path_of,
    prefixes,
    sites,
    source_of,
)


def check_link(link: SiteLink, gaps: Gaps) -> Iterator[ConfigError]:
    """All rules of one link."""
    yield from _two_routers(link)
    yield from _two_ends(link)
    yield from _prefixes(link)
    yield from _inner_prefix(link)
    yield from _families(link, gaps)
    yield from _mtu(link, gaps)
    for site in sites(link):
        yield from _loop(site)
        yield from _interfaces(site)


def _two_routers(link: SiteLink) -> Iterator[ConfigError]:
    if link.a.router and link.a.router == link.b.router:
        yield invalid(
            path_of(link, "b", "router"),
            "sides-equal",
            f"Both sides of {source_of(link)} are router {link.a.router}: a link joins two routers.",
        )


def _two_ends(link: SiteLink) -> Iterator[ConfigError]:
    end, other = (site.end for site in sites(link))
    if isinstance(end, Fixed) and end == other:
        yield invalid(
            path_of(link, "b", "underlay", "address"),
            "underlay-addresses-equal",
            f"{end.address} is the end of side a: give the one that router {link.b.router} has.",
        )


def _prefixes(link: SiteLink) -> Iterator[ConfigError]:
    """Prefixes are what they seem, and routers forward them."""
    for path, text, prefix in prefixes(link):
        if ip_interface(text).ip != prefix.network_address:
            yield invalid(
                path,
                "host-bits-set",
                f"{text} has bits set beyond its length: write {prefix}, or another length.",
            )
        if prefix.is_multicast or prefix.is_link_local or prefix.is_loopback:
            yield invalid(
                path,
                "prefix-not-unicast",
                f"{prefix} is multicast, link-local or loopback, which routers do not forward: give the "
                "prefix of a network.",
            )


def _inner_prefix(link: SiteLink) -> Iterator[ConfigError]:
    prefix = parse_prefix(link.inner_prefix)
    if prefix is not None and inner_addresses(prefix) is None:
        yield invalid(
            path_of(link, "inner-prefix"),
            "prefix-too-long",
            f"{prefix} is one address, and both sides need one: give a /{prefix.max_prefixlen - 1} "
            f"or a /{prefix.max_prefixlen - 2}.",
        )


def _families(link: SiteLink, gaps: Gaps) -> Iterator[ConfigError]:
    """The tunnel carries what is sent through it."""
    if link.mode != "ipip6" or unreadable(gaps, path_of(link), "mode"):
        return
    for path, _, prefix in prefixes(link):
        if prefix.version == 6:  # noqa: PLR2004
            yield invalid(
                path,
                "family-not-carried",
                f"{prefix} is IPv6, and {source_of(link)} carries IPv4 only: set mode to any or gre6.",
            )


def _mtu(link: SiteLink, gaps: Gaps) -> Iterator[ConfigError]:
    """No packet is fragmented on either line. A mode or key that was malformed counts as what leaves most."""
    wide = []
    for site in sites(link):
        mtu, needed = site.side.underlay.mtu, SMALLEST_MTU + overhead(link)
        if unreadable(gaps, site.path("underlay"), "mtu"):
            continue
        if mtu >= needed:
            wide.append(mtu)
            continue
        yield invalid(
            site.path("underlay", "mtu"),
            "underlay-mtu-too-small",
            f"An underlay MTU of {mtu} bytes leaves less than the {SMALLEST_MTU} bytes that a tunnel has at "
            f"least: the line must carry {needed} bytes.",
        )
    if not wide or link.mtu is None:
        return
    largest = min(wide) - overhead(link)
    if link.mtu > largest:
        yield invalid(
            path_of(link, "mtu"),
            "mtu-too-large",
            f"An MTU of {link.mtu} bytes does not fit both lines, which leave {largest} for the tunnel: "
            f"leave mtu out, or set it to {largest} at the most.",
        )


def _loop(site: Site) -> Iterator[ConfigError]:
    """The tunnel does not carry its own packets, which go to the end of this side."""
    end = site.end
    if not isinstance(end, Fixed):
        return
    inside = [text for text in site.side.lan.prefix if _contains(text, end)]
    if inside:
        yield invalid(
            site.path("underlay", "address"),
            "underlay-inside-lan",
            f"{end.address} lies in {inside[0]}, which router {site.peer.router} reaches by the tunnel "
            "itself: give an address that is reached without it.",
        )


def _contains(text: str, end: Fixed) -> bool:
    prefix, address = parse_prefix(text), parse_prefix(end.address)
    return prefix is not None and address is not None and prefix.overlaps(address)


def _interfaces(site: Site) -> Iterator[ConfigError]:
    """An interface carries the tunnel, or is a LAN."""
    name = site.side.underlay.interface
    if name in site.side.lan.interface:
        yield invalid(
            site.lan_path(name),
            "interface-role-clash",
            f"Interface {name} of router {site.router} is the underlay of {source_of(site.link)}: "
            "name another one.",
        )
