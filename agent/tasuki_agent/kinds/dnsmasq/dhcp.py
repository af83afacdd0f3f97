"""Lines for the hosts of one interface: DHCPv4, DHCPv6 and router advertisements. Pure.

dnsmasq takes words for what they look like. What people typed is written so that it looks like one thing
only: the values of options as raw bytes, names with a dot behind them (else "infinite" and "45m" are times),
and tags, by which an option belongs to an interface, with a slash, which no name of an interface has.
"""

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from tasuki_yang.router import (
    InterfacesInterface,
    InterfacesInterfaceIpv4DhcpServer,
    InterfacesInterfaceIpv4DhcpServerOption,
    InterfacesInterfaceIpv6,
    InterfacesInterfaceIpv6Ipv6RouterAdvertisements,
)

from tasuki_agent.kinds.dnsmasq.section import CONFIGURATION, RESERVATIONS, Listener, Section, as_tree
from tasuki_agent.kinds.router_tree import interface_path, interface_tree

PREFIX_SECONDS: Final = 5400
"""How long hosts may use a prefix after they last heard of it: ND_VALID_LIMIT of RFC 9096 section 4.

A prefix that was lost while the router was off is given up that soon. dnsmasq tells no more than what the
prefix itself has left.
"""
_ROUTER_LIFETIME: Final = 3
"""Intervals between advertisements that a default router lasts (RFC 4861 section 6.2.1)."""
_OWN_LINK_LOCAL: Final = "[fe80::]"
"""For dnsmasq the router's own link-local address: the one that no renumbering changes."""
_TEXTS: Final = frozenset({17, 18, 40, 64, 66, 67, 100, 101})
"""Options that dnsmasq takes for texts, whatever they look like."""


def ipv4_section(interface: InterfacesInterface, server: InterfacesInterfaceIpv4DhcpServer) -> Section:
    """DHCPv4. The subnet is that of the interface's address in which the range lies."""
    tag = f"{interface.name}/ipv4"
    first, last = sorted((server.range.start, server.range.end), key=IPv4Address)
    return Section(
        f"{interface_path(interface.name)}/ietf-ip:ipv4/tasuki-dnsmasq:dhcp-server",
        interface_tree(interface.name, {"ietf-ip:ipv4": {"tasuki-dnsmasq:dhcp-server": as_tree(server)}}),
        (interface.name,),
        {
            CONFIGURATION: (
                f"dhcp-range=set:{tag},{first},{last},{server.lease_time}",
                *_options(tag, _named(server)),
                *_options(tag, map(_numbered, sorted(server.option, key=lambda option: option.code))),
            ),
            RESERVATIONS: tuple(
                f"{host.mac_address.lower()},{host.address}"
                + (f",{host.host_name}." if host.host_name else "")
                for host in sorted(server.reservation, key=lambda host: host.mac_address.lower())
            ),
        },
        (Listener("udp", 67, "0.0.0.0", interface.name),),  # noqa: S104 - of all, because clients have no address yet
    )


def ipv6_section(interface: InterfacesInterface, ipv6: InterfacesInterfaceIpv6, *, forwards: bool) -> Section:
    """Router advertisements and DHCPv6. The prefixes, and how long they last, are those of the addresses."""
    told = ipv6.ipv6_router_advertisements
    tag = f"{interface.name}/ipv6"
    servers = ",".join(f"[{server}]" for server in told.dns_server) or (_OWN_LINK_LOCAL if forwards else "")
    names = (("option6:dns-server", servers), ("option6:domain-search", ",".join(told.search_domain)))
    tree = {"ietf-ipv6-unicast-routing:ipv6-router-advertisements": as_tree(told)}
    if ipv6.dhcp_server:
        tree["tasuki-dnsmasq:dhcp-server"] = as_tree(ipv6.dhcp_server)
    return Section(
        f"{interface_path(interface.name)}/ietf-ip:ipv6",
        interface_tree(interface.name, {"ietf-ip:ipv6": tree}),
        (interface.name,),
        {
            CONFIGURATION: (
                f"ra-param={','.join(_parameters(interface.name, told))}",
                f"dhcp-range=set:{tag},{_ipv6_range(interface.name, ipv6)}",
                *_options(tag, names),
            )
        },
        (Listener("udp", 547, "::", interface.name),) if told.other_config_flag or ipv6.dhcp_server else (),
    )


def _named(server: InterfacesInterfaceIpv4DhcpServer) -> Iterator[tuple[str, str]]:
    yield "option:router", ",".join(server.router)
    yield "option:dns-server", ",".join(server.dns_server)
    yield "option:ntp-server", ",".join(server.ntp_server)
    yield "option:domain-name", server.domain or ""
    yield "option:domain-search", ",".join(server.search_domain)


def _numbered(option: InterfacesInterfaceIpv4DhcpServerOption) -> tuple[str, str]:
    if option.address:
        return f"{option.code}", ",".join(option.address)
    if option.text is not None and option.code in _TEXTS:
        return f"{option.code}", f'"{option.text}"'
    octets = option.text.encode() if option.text is not None else bytes.fromhex(_hex(option))
    # One alone would be a decimal number.
    return f"{option.code}", octets.hex(":") if len(octets) > 1 else f"{octets[0]}b"


def _hex(option: InterfacesInterfaceIpv4DhcpServerOption) -> str:
    return (option.octets or "").replace(":", "")


def _options(tag: str, values: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Those that have a value."""
    return (f"dhcp-option=tag:{tag},{option},{value}" for option, value in values if value)


def _parameters(name: str, told: InterfacesInterfaceIpv6Ipv6RouterAdvertisements) -> Iterator[str]:
    lifetime = told.default_lifetime
    yield name
    yield f"mtu:{told.link_mtu or 'off'}"
    if told.preference != "medium":
        yield told.preference
    yield f"{told.max_rtr_adv_interval}"
    yield f"{_ROUTER_LIFETIME * told.max_rtr_adv_interval if lifetime is None else lifetime}"


def _ipv6_range(name: str, ipv6: InterfacesInterfaceIpv6) -> str:
    if server := ipv6.dhcp_server:
        first, last = sorted((server.start, server.end), key=IPv6Address)
        return f"{first},{last},constructor:{name},slaac,64,{server.lease_time}"
    mode = "ra-stateless" if ipv6.ipv6_router_advertisements.other_config_flag else "ra-only"
    return f"::,constructor:{name},{mode},64,{PREFIX_SECONDS}"
