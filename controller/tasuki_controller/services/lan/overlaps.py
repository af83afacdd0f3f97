"""What the lines, LANs and tunnels of one router must not share: addresses.

A router that finds an address on its line and in its LAN sends to one of them only. What services say of
their own prefixes among themselves is theirs to judge; here it is compared with lines and LANs.
"""

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv6Network

from tasuki_yang.errors import ConfigError
from tasuki_yang.network import Network_

from tasuki_controller.broken_rule import invalid
from tasuki_controller.router_tree import FAMILIES
from tasuki_controller.services.lan.lan import ipv4_subnet, ipv6_subnet, path_of
from tasuki_controller.services.site_link import link as site_link
from tasuki_controller.services.vxlan_split.plan import Prefix
from tasuki_controller.services.vxlan_split.tunnel import Tunnel, tunnels
from tasuki_controller.services.wan import access
from tasuki_controller.subnets import Subnet, overlapping

_TUNNELS = "tunnels"
"""The one place of all that lies behind a router's tunnels, as far as it is judged here."""


@dataclass(frozen=True, slots=True)
class Use:
    """One prefix that a router deals with."""

    prefix: Subnet
    place: Hashable
    """Prefixes of one place may overlap."""
    text: str
    """What messages call it."""
    path: str
    """Where it is typed; empty for what other services judge."""
    is_lan: bool = False


def check_overlaps(network: Network_) -> Iterator[ConfigError]:
    """No address is in two places to any router."""
    by_router: dict[str, list[Use]] = {}
    for router, use in (*_of_lines(network), *_of_lans(network)):
        by_router.setdefault(router, []).append(use)
    for router, use in _of_tunnels(network, by_router):
        by_router[router].append(use)
    for router in sorted(by_router.keys() - {""}):
        for use, other in overlapping(by_router[router], lambda one, another: one.place == another.place):
            # The line's subnet is seldom the person's to choose.
            is_second = not use.path or (other.is_lan and not use.is_lan)
            yield _overlap(router, *((other, use) if is_second else (use, other)))


def _of_lines(network: Network_) -> Iterator[tuple[str, Use]]:
    for wan in network.wan:
        for family in FAMILIES:
            if (prefix := access.static_subnet(wan, family)) is not None:
                text = f"the subnet of the line on {wan.interface}"
                path = access.path_of(wan, family, "static", "address")
                yield wan.router, Use(prefix, wan.interface, text, path)


def _of_lans(network: Network_) -> Iterator[tuple[str, Use]]:
    splits = {
        (tunnel.target, lan.interface, _network(tunnel.share.lan(lan.subnet_id)))
        for tunnel in (tunnels(network.vxlan_split) if network.lan else ())
        for lan in tunnel.subscriber.delegation.lan
    }
    for lan in network.lan:
        typed = (
            (ipv4_subnet(lan), path_of(lan, "ipv4", "address")),
            (ipv6_subnet(lan), path_of(lan, "ipv6", "static", "address")),
        )
        for prefix, path in typed:
            if prefix is not None:
                is_of_split = (lan.router, lan.interface, prefix) in splits
                place = _TUNNELS if is_of_split else lan.interface
                yield lan.router, Use(prefix, place, f"the subnet of LAN {lan.interface}", path, is_lan=True)


def _of_tunnels(network: Network_, routers: Iterable[str]) -> Iterator[tuple[str, Use]]:
    """What is reached by the tunnels of these routers."""
    wanted = frozenset(routers)
    for tunnel in tunnels(network.vxlan_split) if wanted else ():
        for router in wanted.intersection(tunnel.routers):
            for part in tunnel.share.prefixes:
                yield router, Use(_network(part), _TUNNELS, _part_of(tunnel, router), "")
    for link in network.site_link:
        source = site_link.source_of(link)
        inner = site_link.parse_prefix(link.inner_prefix)
        for site in (each for each in site_link.sites(link) if each.router in wanted):
            if inner is not None:
                yield site.router, Use(inner, _TUNNELS, f"the inner prefix of {source}", "")
            for prefix in map(site_link.parse_prefix, site.peer.lan.prefix):
                if prefix is not None:
                    text = f"a LAN of router {site.peer.router}, which {source} leads to"
                    yield site.router, Use(prefix, _TUNNELS, text, "")


def _part_of(tunnel: Tunnel, router: str) -> str:
    return f"of {tunnel.source}" + ("" if router == tunnel.target else ", which the hub sends to it")


def _network(prefix: Prefix) -> IPv6Network:
    return IPv6Network((prefix.base, prefix.length))


def _overlap(router: str, use: Use, other: Use) -> ConfigError:
    same = "is also" if use.prefix == other.prefix else f"overlaps {other.prefix},"
    return invalid(
        use.path,
        "prefixes-overlap",
        f"To router {router}, {use.prefix} ({use.text}) {same} {other.text}: an address can be in one place "
        "only, so number one of the two anew.",
    )
