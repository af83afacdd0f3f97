"""Rules of what routers make of the prefixes that are delegated to them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tasuki_yang.errors import ConfigError
from tasuki_yang.network import Network_
from tasuki_yang.router import Router
from tasuki_yang.validator import Gaps

from tasuki_controller.broken_rule import invalid, unreadable
from tasuki_controller.ends import Line
from tasuki_controller.services.ds_lite import line as ds_lite
from tasuki_controller.services.lan.lan import Lan, path_of, source_of
from tasuki_controller.services.site_link import link as site_link
from tasuki_controller.services.vxlan_split import problem
from tasuki_controller.services.wan import access

_HOST_LENGTH = 64


@dataclass(frozen=True, slots=True)
class _Part:
    """A /64 of a delegated prefix, and who has it."""

    router: str
    wan: str
    subnet_id: int
    source: str
    path: str
    """Of the leaf that says which one it is."""

    @property
    def what(self) -> tuple[str, str, int]:
        """Which /64 it is."""
        return self.router, self.wan, self.subnet_id


def check_delegations(network: Network_, written: Mapping[str, Router], gaps: Gaps) -> Iterator[ConfigError]:
    """Somebody asks for the prefixes, and no part of one has two places."""
    yield from _asked_for(network, written, gaps)
    lans = [part for lan in network.lan if (part := _of_lan(lan, gaps))]
    ends = [part for part in _of_ends(network) if part.path not in gaps]
    yield from _two_places(lans, ends)
    yield from _room(network, [*lans, *ends])


def _asked_for(network: Network_, written: Mapping[str, Router], gaps: Gaps) -> Iterator[ConfigError]:
    asked = {(wan.router, wan.interface) for wan in network.wan if wan.ipv6.prefix_delegation}
    asked |= {
        (router, interface.name)
        for router, tree in written.items()
        for interface in tree.interfaces.interface
        if (client := interface.dhcp_client) and client.ipv6 and client.ipv6.request == "prefix"
    }
    for lan in network.lan:
        wan = lan.ipv6.delegated.wan if lan.ipv6.delegated else ""
        if not wan or (lan.router, wan) in asked:
            continue
        entry = access.entry_path(lan.router, wan)
        if not unreadable(gaps, entry, "ipv6/prefix-delegation"):
            yield invalid(
                path_of(lan, "ipv6", "delegated", "wan"),
                "prefix-not-asked-for",
                f"Nobody asks for a prefix on {wan} of router {lan.router}: give {entry} an "
                "ipv6/prefix-delegation, or name the interface that has one.",
            )


def _of_lan(lan: Lan, gaps: Gaps) -> _Part | None:
    place = lan.ipv6.delegated
    path = path_of(lan, "ipv6", "delegated", "subnet-id")
    if place is None or not place.wan or path in gaps:
        return None
    return _Part(lan.router, place.wan, place.subnet_id, source_of(lan), path)


def _of_ends(network: Network_) -> Iterator[_Part]:
    """The parts that lines have an address in, by which tunnels end."""
    for wan in network.wan:
        if (prefix := wan.ipv6.prefix_delegation) and (own := prefix.own_address):
            path = access.path_of(wan, "ipv6", "prefix-delegation", "own-address", "subnet-id")
            yield _Part(wan.router, wan.interface, own.subnet_id, access.source_of(wan), path)
    for router, underlay, source, path in _underlays(network):
        if place := underlay.delegated_address:
            leaf = f"{path}/delegated-address/subnet-id"
            yield _Part(router, underlay.interface, place.subnet_id, source, leaf)


def _underlays(network: Network_) -> Iterator[tuple[str, Line, str, str]]:
    """Each line of a tunnel: its router, what is said of it, who says so and where."""
    for each in network.ds_lite:
        yield each.router, each.underlay, ds_lite.source_of(each), ds_lite.path_of(each, "underlay")
    for link in network.site_link:
        for site in site_link.sites(link):
            yield site.router, site.side.underlay, site_link.source_of(link), site.path("underlay")
    for split in network.vxlan_split:
        source = f"vxlan-split {split.name}"
        yield (
            split.hub.router,
            split.hub.underlay,
            f"{source}, hub",
            problem.split_path(split, "hub", "underlay"),
        )
        for one in split.subscriber:
            if one.router:
                path = problem.subscriber_path(split, one, "underlay")
                yield one.router, one.underlay, f"{source}, subscriber {one.number}", path


def _two_places(lans: list[_Part], ends: list[_Part]) -> Iterator[ConfigError]:
    """What is on the link of a LAN is nowhere else."""
    first = {part.what: part for part in reversed(ends)}
    for part in lans:
        other = first.setdefault(part.what, part)
        if other is not part:
            yield invalid(
                part.path,
                "subnet-not-unique",
                f"{other.source} has subnet {part.subnet_id} of the prefix on {part.wan} already: give "
                f"{part.source} another subnet-id.",
            )


def _room(network: Network_, parts: list[_Part]) -> Iterator[ConfigError]:
    """The prefix that is asked for has the subnet."""
    hints = {
        (wan.router, wan.interface): prefix.prefix_hint
        for wan in network.wan
        if (prefix := wan.ipv6.prefix_delegation) and prefix.prefix_hint
    }
    for part in parts:
        hint = hints.get((part.router, part.wan))
        if hint is None or part.subnet_id < 1 << _HOST_LENGTH - hint:
            continue
        path = access.entry_path(part.router, part.wan) + "/ipv6/prefix-delegation/prefix-hint"
        last = (1 << _HOST_LENGTH - hint) - 1
        needed = _HOST_LENGTH - part.subnet_id.bit_length()
        yield invalid(
            part.path,
            "subnet-id-out-of-range",
            f"A /{hint}, which router {part.router} asks for on {part.wan}, has "
            + ("subnet 0 alone" if last == 0 else f"subnets 0 to {last}")
            + f": choose one of these for {part.source}, or a prefix-hint of {needed} at the most ({path}).",
        )
