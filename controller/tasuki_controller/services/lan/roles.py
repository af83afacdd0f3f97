"""Rules of what an interface is to a router: its line, a LAN with IPv6, or one without."""

from collections.abc import Iterator

from tasuki_yang.errors import ConfigError
from tasuki_yang.network import Network_

from tasuki_controller.broken_rule import invalid
from tasuki_controller.services.lan.lan import Lan, advertises, path_of, source_of
from tasuki_controller.services.site_link import link as site_link
from tasuki_controller.services.wan import access


def check_roles(network: Network_) -> Iterator[ConfigError]:
    """All rules."""
    lines = {(wan.router, wan.interface): wan for wan in network.wan}
    delegated = dict(_delegated_by_splits(network))
    kept_out = dict(_kept_out_by_links(network))
    for lan in network.lan:
        place = (lan.router, lan.interface)
        if wan := lines.get(place):
            yield invalid(
                path_of(lan, "interface"),
                "interface-role-clash",
                f"Interface {lan.interface} of router {lan.router} is its access to the Internet "
                f"({access.path_of(wan)}): name the one toward the hosts.",
            )
        if lan.ipv6.kept_out and (source := delegated.get(place)):
            yield invalid(
                path_of(lan, "ipv6", "kept-out"),
                "ipv6-kept-out",
                f"{source} gives {lan.interface} a prefix, from which no packet would ever be forwarded: "
                "leave kept-out out here, or this LAN there.",
            )
        if advertises(lan) and (source := kept_out.get(place)):
            yield _contradicted(lan, source)


def _contradicted(lan: Lan, source: str) -> ConfigError:
    case = "delegated" if lan.ipv6.delegated else "static"
    return invalid(
        path_of(lan, "ipv6", case),
        "ipv6-kept-out",
        f"{source} lets no router advertisements out by {lan.interface}, because its line has no IPv6 "
        f"internet: {source_of(lan)} cannot advertise a prefix there. Leave the interface out of the "
        "link's lan/interface, or give this LAN kept-out.",
    )


def _delegated_by_splits(network: Network_) -> Iterator[tuple[tuple[str, str], str]]:
    for split in network.vxlan_split:
        for subscriber in split.subscriber:
            for lan in subscriber.delegation.lan if subscriber.router else ():
                source = f"vxlan-split {split.name}, subscriber {subscriber.number}"
                yield (subscriber.router or "", lan.interface), source


def _kept_out_by_links(network: Network_) -> Iterator[tuple[tuple[str, str], str]]:
    for link in network.site_link:
        for site in site_link.sites(link):
            if not site.side.underlay.ipv6_internet:
                for interface in site.side.lan.interface:
                    yield (site.router, interface), site_link.source_of(link)
