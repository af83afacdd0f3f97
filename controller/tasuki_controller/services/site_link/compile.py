"""What a site link makes of the routers at its two ends."""

from collections.abc import Iterable, Iterator

from tasuki_yang.tree import Tree

from tasuki_controller import router_tree as rt
from tasuki_controller.ends import as_told
from tasuki_controller.existing import Types
from tasuki_controller.known import KnownFacts
from tasuki_controller.services import Contribution
from tasuki_controller.services.site_link.link import (
    Site,
    SiteLink,
    carries,
    inner_addresses,
    mtu_of,
    parse_prefix,
    sites,
    source_of,
)


def compile_links(links: Iterable[SiteLink], types: Types, known: KnownFacts) -> Iterator[Contribution]:
    """Both ends of each link."""
    for link in links:
        for site in sites(link):
            yield Contribution(site.router, source_of(link), _end(site, types, known))


def _end(site: Site, types: Types, known: KnownFacts) -> Tree:
    """The tunnel, what is reached by it, and what is asked of the line and the LANs."""
    underlay = site.side.underlay
    line = rt.Line(
        interface=types.existing(site.router, underlay.interface),
        advertised=underlay.router_advertisements == "accept",
        end=site.end,
    )
    lans = [] if underlay.ipv6_internet else site.side.lan.interface
    reached = [str(parse_prefix(text)) for text in site.peer.lan.prefix]
    routes = rt.routes(
        ipv4=[rt.route(prefix, dev=site.link.name) for prefix in reached if ":" not in prefix],
        ipv6=[rt.route(prefix, dev=site.link.name) for prefix in reached if ":" in prefix],
    )
    return rt.router_tree(
        interfaces=[
            _tunnel(site, known),
            *rt.line_interface(line),
            *(rt.without_autoconfiguration(types.existing(site.router, lan)) for lan in lans),
        ],
        static_routes={rt.MAIN: routes} if routes else {},
        forwarding=[family for family in rt.FAMILIES if carries(site.link, family)],
    )


def _tunnel(site: Site, known: KnownFacts) -> rt.Node:
    link = site.link
    outer = rt.Outer(
        underlay=site.side.underlay.interface,
        local=site.end,
        remote=as_told(site.peer_end, site.peer.router, known),
    )
    ipv4, ipv6 = _inner(site)
    parts = {
        "ipv4": rt.ipv4(*ipv4, reverse_path_filter="off" if carries(link, "ipv4") else None),
        "ipv6": rt.ipv6(*ipv6),
    }
    if link.mode == "gre6":
        gre = rt.ip6gre(outer, key=link.key, mtu=mtu_of(link))
        return rt.interface(link.name, "tasuki-link:ip6gre", link=gre, **parts)
    tunnel = rt.ip6tnl(outer, mode=link.mode, mtu=mtu_of(link))
    return rt.interface(link.name, "tasuki-link:ip6tnl", link=tunnel, **parts)


def _inner(site: Site) -> tuple[list[rt.Node], list[rt.Node]]:
    """The router's own address in the tunnel, in the list of its family."""
    prefix = parse_prefix(site.link.inner_prefix)
    both = inner_addresses(prefix) if prefix else None
    if prefix is None or both is None:
        raise ValueError(f"{source_of(site.link)} has no two inner addresses")
    own = rt.address(both["ab".index(site.name)], prefix.prefixlen)
    return ([own], []) if prefix.version == 4 else ([], [own])  # noqa: PLR2004
