"""Rules of DNS forwarders that YANG cannot express."""

from collections.abc import Iterator, Mapping

from tasuki_yang.errors import ConfigError
from tasuki_yang.network import Network_
from tasuki_yang.path import predicate
from tasuki_yang.router import Router
from tasuki_yang.validator import Gaps

from tasuki_controller.broken_rule import invalid, unreadable
from tasuki_controller.router_tree import FAMILIES
from tasuki_controller.services.lan.lan import Forwarder, forwarder_path
from tasuki_controller.services.wan import access
from tasuki_controller.subnets import Address, parse

_SAID = ("ipv4/dhcp", "ipv6/prefix-delegation", "ipv6/router-advertisements/dhcpv6-information")
"""What says whether there is a lease."""
_ITSELF = {parse(text): "" for text in ("127.0.0.1", "::1")}


def check_forwarder(
    forwarder: Forwarder, network: Network_, written: Mapping[str, Router], gaps: Gaps
) -> Iterator[ConfigError]:
    """All rules of one forwarder."""
    yield from _lease(forwarder, network, written, gaps)
    own = {**_ITSELF, **dict(_own_addresses(network, forwarder.router))}
    for text in forwarder.server:
        yield from _server(text, forwarder_path(forwarder, "server" + predicate(".", text)), own)
    for zone in forwarder.zone:
        path = forwarder_path(forwarder, "zone" + predicate("domain", zone.domain))
        for text in zone.server:
            yield from _server(text, f"{path}/server" + predicate(".", text), own)


def _lease(
    forwarder: Forwarder, network: Network_, written: Mapping[str, Router], gaps: Gaps
) -> Iterator[ConfigError]:
    """The interface whose servers are asked has a lease."""
    name, router = forwarder.servers_of_lease, forwarder.router
    if not name:
        return
    leased = {wan.interface for wan in network.wan if wan.router == router and access.has_lease(wan)}
    if router in written:
        clients = (one for one in written[router].interfaces.interface if one.dhcp_client)
        leased |= {one.name for one in clients}
    if name in leased or unreadable(gaps, access.entry_path(router, name), *_SAID):
        return
    others = f" (there is one on {', '.join(sorted(leased))})" if leased else ""
    yield invalid(
        forwarder_path(forwarder, "servers-of-lease"),
        "no-lease",
        f"Nothing is leased on {name} of router {router}{others}: name an interface whose wan asks by DHCP, "
        "or give servers.",
    )


def _server(text: str, path: str, own: Mapping[Address | None, str]) -> Iterator[ConfigError]:
    """The server is another one."""
    address = parse(text)
    if address is not None and address in own:
        where = f", {own[address]}" if own[address] else ""
        yield invalid(
            path,
            "server-is-router",
            f"{address} is this router itself{where}, which would ask itself: give the server that knows.",
        )


def _own_addresses(network: Network_, router: str) -> Iterator[tuple[Address | None, str]]:
    for lan in (each for each in network.lan if each.router == router):
        texts = (lan.ipv4 and lan.ipv4.address, lan.ipv6.static and lan.ipv6.static.address)
        yield from ((parse(text), f"on {lan.interface}") for text in texts if text)
    for wan in (each for each in network.wan if each.router == router):
        for typed in (access.static(wan, family) for family in FAMILIES):
            if typed:
                yield parse(typed.address), f"on {wan.interface}"
