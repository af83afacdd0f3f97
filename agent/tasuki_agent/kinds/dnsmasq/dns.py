"""Lines for the DNS forwarder: what it knows itself, and whom it asks. Pure."""

from collections.abc import Iterable, Iterator
from ipaddress import ip_address
from typing import Final

from tasuki_yang.router import DnsForwarder, InterfacesInterface

from tasuki_agent.kinds.dnsmasq.section import (
    CONFIGURATION,
    DIRECTORY,
    HOSTS,
    SERVERS,
    Listener,
    Section,
    as_tree,
)
from tasuki_agent.known import Known

PATH: Final = "/tasuki-dnsmasq:dns-forwarder"
PORT: Final = 53
OWN_ADDRESS: Final = "127.0.0.116"
"""Where the router itself can ask it, whatever addresses the LANs have; nobody else is likely to be there."""


def dns_section(forwarder: DnsForwarder, interfaces: Iterable[InterfacesInterface], known: Known) -> Section:
    """All of the forwarder.

    Answers are handed on as they are (RFC 5625 section 4): private addresses in them too, which home gateways
    and companies have in the DNS. Only what no server on the internet can know is not asked there: names
    without a dot, and who has a private address.
    """
    names = [(host.name, address) for host in forwarder.host for address in host.address]
    return Section(
        PATH,
        {PATH.removeprefix("/"): as_tree(forwarder)},
        forwarder.interface,
        {
            CONFIGURATION: (
                f"listen-address={OWN_ADDRESS}",
                "no-resolv",
                "no-hosts",
                "domain-needed",
                "bogus-priv",
                f"cache-size={forwarder.cache_size}",
                f"servers-file={DIRECTORY}/{SERVERS}",
                f"addn-hosts={DIRECTORY}/{HOSTS}",
                *([f"domain={forwarder.domain}"] if forwarder.domain else []),
                # A host that calls itself wpad would be asked by all others for their proxy.
                "dhcp-name-match=set:name/wpad,wpad",
                "dhcp-ignore-names=tag:name/wpad",
            ),
            SERVERS: tuple(f"server={server}" for server in _servers(forwarder, known)),
            HOSTS: tuple(f"{address} {name}" for name, address in sorted(names)),
        },
        tuple(
            Listener(protocol, PORT, address)
            for address in (OWN_ADDRESS, *_addresses(forwarder, interfaces))
            for protocol in ("udp", "tcp")
        ),
    )


def _servers(forwarder: DnsForwarder, known: Known) -> Iterator[str]:
    """Whom it asks. A domain without a server it knows itself, or nobody does."""
    yield from sorted(forwarder.server)
    if lease := forwarder.servers_of_lease:
        yield from sorted(_on_link(server, lease) for server in known.some(lease, "dns-servers"))
    elsewhere = {zone.domain.lower() for zone in forwarder.zone}
    if forwarder.domain and forwarder.domain.lower() not in elsewhere:
        yield f"/{forwarder.domain}/"
    for zone in sorted(forwarder.zone, key=lambda zone: zone.domain):
        yield from (f"/{zone.domain}/{server}" for server in sorted(zone.server) or ("",))


def _on_link(server: str, interface: str) -> str:
    """A link-local address means nothing without its interface."""
    return f"{server}%{interface}" if ip_address(server).is_link_local and ":" in server else server


def _addresses(forwarder: DnsForwarder, interfaces: Iterable[InterfacesInterface]) -> Iterator[str]:
    """Those of its interfaces that are known beforehand."""
    for interface in interfaces:
        if interface.name in forwarder.interface:
            for family in (interface.ipv4, interface.ipv6):
                yield from (address.ip for address in (family.address if family else ()))
