"""Rules of one LAN that YANG cannot express.

Each rule reports all that breaks it. What a rule cannot read was reported by YANG and is passed over.
"""

from collections.abc import Iterator
from ipaddress import IPv6Address

from tasuki_yang.errors import ConfigError
from tasuki_yang.network import NetworkLanIpv4DhcpServer, NetworkLanIpv4DhcpServerReservation
from tasuki_yang.path import predicate
from tasuki_yang.validator import Gaps

from tasuki_controller.broken_rule import invalid, unreadable
from tasuki_controller.ends import delegated
from tasuki_controller.services.lan.lan import STATIC_LENGTH, Lan, ipv4_subnet, ipv6_subnet, path_of
from tasuki_controller.subnets import Address, Subnet, not_a_host_of, parse

_HOST_BITS = (1 << 128 - STATIC_LENGTH) - 1


def check_lan(lan: Lan, gaps: Gaps) -> Iterator[ConfigError]:
    """All rules of one LAN."""
    yield from _addresses(lan)
    yield from _stateful_range(lan, gaps)
    subnet, own = ipv4_subnet(lan), parse(lan.ipv4.address) if lan.ipv4 else None
    if lan.ipv4 and lan.ipv4.dhcp_server and subnet and own:
        server = lan.ipv4.dhcp_server
        yield from _range(lan, server, subnet, own)
        yield from _reservations(lan, server, subnet, own)
        yield from _routers(lan, server, subnet)


def _addresses(lan: Lan) -> Iterator[ConfigError]:
    """The router's own addresses are ones that a host can have."""
    typed = (
        (path_of(lan, "ipv4", "address"), lan.ipv4 and lan.ipv4.address, ipv4_subnet(lan)),
        (
            path_of(lan, "ipv6", "static", "address"),
            lan.ipv6.static and lan.ipv6.static.address,
            ipv6_subnet(lan),
        ),
    )
    for path, text, subnet in typed:
        address = parse(text)
        if address is None or subnet is None:
            continue
        if kind := not_a_host_of(address, subnet):
            yield invalid(
                path,
                "address-not-a-host",
                f"{address} is {kind}: give one that the router can have.",
            )


def _range(lan: Lan, server: NetworkLanIpv4DhcpServer, subnet: Subnet, own: Address) -> Iterator[ConfigError]:
    """The range is one of hosts of the subnet, and the router's own address is not given away."""
    start, end = parse(server.range.start), parse(server.range.end)
    path = _dhcp_path(lan, "range")
    outside = [
        invalid(
            f"{path}/{leaf}",
            "range-outside-subnet",
            f"{address} is {why}: give an address from {_hosts(subnet)}.",
        )
        for leaf, address in (("start", start), ("end", end))
        if address is not None and (why := not_a_host_of(address, subnet))
    ]
    yield from outside
    if start is None or end is None or outside:
        return
    if int(start) > int(end):
        yield invalid(
            path, "range-reversed", f"The range begins at {start}, behind its end {end}: exchange the two."
        )
    elif int(start) <= int(own) <= int(end):
        yield invalid(
            path,
            "range-contains-router",
            f"The range from {start} to {end} contains {own}, the router's own address: let it end before "
            "it, or begin behind it.",
        )


def _reservations(
    lan: Lan, server: NetworkLanIpv4DhcpServer, subnet: Subnet, own: Address
) -> Iterator[ConfigError]:
    """Every host has an address and a name of its own."""
    by_name: dict[str, str] = {}
    for one in server.reservation:
        address = parse(one.address)
        if address is not None and (why := not_a_host_of(address, subnet)):
            yield invalid(
                _reservation_path(lan, one, "address"),
                "reservation-outside-subnet",
                f"{address} is {why}: give an address from {_hosts(subnet)}.",
            )
        elif address == own:
            yield invalid(
                _reservation_path(lan, one, "address"),
                "address-not-unique",
                f"{address} belongs to the router itself: give {one.mac_address} another one.",
            )
        name, mac_address = (one.host_name or "").lower(), one.mac_address
        if name and (holder := by_name.setdefault(name, mac_address)) != mac_address:
            yield invalid(
                _reservation_path(lan, one, "host-name"),
                "host-name-not-unique",
                f"{holder} is called {name} already, whatever the case: give {mac_address} another name.",
            )


def _routers(lan: Lan, server: NetworkLanIpv4DhcpServer, subnet: Subnet) -> Iterator[ConfigError]:
    """Hosts can reach their default routers."""
    for text in server.router:
        address = parse(text)
        if address is not None and (why := not_a_host_of(address, subnet)):
            yield invalid(
                _dhcp_path(lan, "router" + predicate(".", text)),
                "router-outside-subnet",
                f"{address} is {why}, where hosts of {lan.interface} cannot reach it: give an address from "
                f"{_hosts(subnet)}, or leave router out if it is this one.",
            )


def _stateful_range(lan: Lan, gaps: Gaps) -> Iterator[ConfigError]:
    """The range of DHCPv6 is one, and the router's own address is not given away."""
    given = lan.ipv6.router_advertisements.dhcpv6_range
    start, end = (parse(given.start), parse(given.end)) if given else (None, None)
    if start is None or end is None:
        return
    path = path_of(lan, "ipv6", "router-advertisements", "dhcpv6-range")
    if int(start) > int(end):
        yield invalid(
            path,
            "range-reversed",
            f"The range begins at {start}, behind its end {end}: exchange the two.",
        )
    elif (own := _own_id(lan, gaps)) is not None and int(start) <= own <= int(end):
        yield invalid(
            path,
            "range-contains-router",
            f"The range from {start} to {end} contains {IPv6Address(own)}, the router's own address in the "
            "LAN: let it begin behind, such as at ::1000.",
        )


def _own_id(lan: Lan, gaps: Gaps) -> int | None:
    """The last 64 bits of the router's address in the LAN."""
    if lan.ipv6.static:
        address = parse(lan.ipv6.static.address)
    elif (place := lan.ipv6.delegated) and not unreadable(
        gaps, path_of(lan, "ipv6", "delegated"), "interface-id"
    ):
        address = parse(delegated(place.wan, place).interface_id)
    else:
        return None
    return None if address is None else int(address) & _HOST_BITS


def _hosts(subnet: Subnet) -> str:
    """Those of an IPv4 subnet; there are always some."""
    return f"{subnet[1]} to {subnet[-2]}"


def _dhcp_path(lan: Lan, *names: str) -> str:
    return path_of(lan, "ipv4", "dhcp-server", *names)


def _reservation_path(lan: Lan, one: NetworkLanIpv4DhcpServerReservation, leaf: str) -> str:
    return _dhcp_path(lan, "reservation" + predicate("mac-address", one.mac_address), leaf)
