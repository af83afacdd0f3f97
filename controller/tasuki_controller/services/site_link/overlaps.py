"""What the site links of one router must not share: addresses.

A router that finds an address behind itself, on its line and behind a tunnel sends to one of them only, and
not always to the same.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from ipaddress import ip_interface

from tasuki_yang.errors import ConfigError
from tasuki_yang.router import InterfacesInterface, Router

from tasuki_controller.broken_rule import invalid
from tasuki_controller.services.site_link.link import (
    Prefix,
    Site,
    SiteLink,
    parse_prefix,
    path_of,
    sites,
    source_of,
)
from tasuki_controller.subnets import overlapping


class Role(Enum):
    """What a prefix is to a router. Those of one value may overlap: they are one place."""

    LAN = "its LAN"
    LINE = "its line"
    REACHED = "behind a tunnel"
    INNER = "in a tunnel"


_ONE_PLACE = (Role.LAN, Role.LINE)


@dataclass(frozen=True, slots=True)
class Use:
    """One prefix that a router deals with."""

    prefix: Prefix
    role: Role
    text: str
    """What messages call it."""
    path: str
    """Where the network tree says it; empty for what was written for the router itself."""


def check_overlaps(links: Iterable[SiteLink], written: Mapping[str, Router]) -> Iterator[ConfigError]:
    """No address is in two places to any router. Each pair of prefixes is told of once."""
    by_router: dict[str, dict[tuple[Prefix, Role, str], Use]] = {}
    for link in (each for each in links if each.a.router != each.b.router):
        for site in sites(link):
            uses = by_router.setdefault(site.router, {})
            for use in (*_uses(site), *_on_line(site, written.get(site.router))):
                # A LAN that is behind several links of its router is one place, and so is a line.
                link_name = "" if use.role in _ONE_PLACE else link.name
                uses.setdefault((use.prefix, use.role, link_name), use)
    told: set[frozenset[str]] = set()
    for router in sorted(by_router.keys() - {""}):
        for use, other in overlapping(by_router[router].values(), _is_one_place):
            pair = frozenset((use.path, other.path))
            if pair not in told:
                told.add(pair)
                yield _overlap(router, *((use, other) if use.path else (other, use)))


def _uses(site: Site) -> Iterator[Use]:
    """What a link makes of one of its routers."""
    source = source_of(site.link)
    inner = parse_prefix(site.link.inner_prefix)
    if inner:
        yield Use(inner, Role.INNER, f"the inner prefix of {source}", path_of(site.link, "inner-prefix"))
    own, other = sites(site.link) if site.name == "a" else reversed(sites(site.link))
    for each, role, text in (
        (own, Role.LAN, f"a LAN of router {site.router}"),
        (other, Role.REACHED, f"a LAN of router {site.peer.router}, which {source} leads to"),
    ):
        for written in each.side.lan.prefix:
            if prefix := parse_prefix(written):
                yield Use(prefix, role, text, each.prefix_path(written))


def _on_line(site: Site, router: Router | None) -> Iterator[Use]:
    """The subnets of the line, as far as they were written."""
    name = site.side.underlay.interface
    for interface in router.interfaces.interface if router else ():
        if interface.name == name:
            for prefix in _subnets(interface):
                yield Use(prefix, Role.LINE, f"on interface {name} of router {site.router}", "")


def _subnets(interface: InterfacesInterface) -> Iterator[Prefix]:
    families = (interface.ipv4, interface.ipv6)
    for address in (address for family in families if family for address in family.address):
        try:
            yield ip_interface(f"{address.ip}/{address.prefix_length}").network
        except ValueError:
            continue  # YANG refuses it.


def _is_one_place(use: Use, other: Use) -> bool:
    return use.role is other.role and use.role in _ONE_PLACE


def _overlap(router: str, use: Use, other: Use) -> ConfigError:
    same = "is also" if use.prefix == other.prefix else f"overlaps {other.prefix},"
    return invalid(
        use.path,
        "prefixes-overlap",
        f"To router {router}, {use.prefix} ({use.text}) {same} {other.text}: an address can be in one place "
        "only, so number one of the two anew.",
    )
