"""What systemd-networkd tells of its leases, in the words that dhcpcd has for its hook. Pure.

Later versions tell of the prefixes of a lease. Up to 252, what tells of one is the unreachable route that
networkd gives it: with its end, with who delegated it but not on which interface, and beside those of earlier
leases, of which nothing tells that they are over but that they end sooner.
"""

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from itertools import groupby
from typing import Any, Final, Self

from tasuki_agent.kinds.dhcp_client.model import IPV4, IPV6

_SOURCE: Final = {IPV6: "DHCPv6", IPV4: "DHCPv4"}
_ASSOCIATION: Final = "new_dhcp6_ia_pd1"
_UNREACHABLE: Final = 7
"""RTN_UNREACHABLE of linux/rtnetlink.h."""
_USECONDS: Final = 1_000_000
_INFINITY: Final = 0xFFFF_FFFF
_Node = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Told:
    """A lease.

    Attributes:
        words: by the names of the hook's variables.
        ends: the same of lifetimes, as the moments when they are over: seconds of CLOCK_BOOTTIME.
    """

    words: Mapping[str, str]
    ends: Mapping[str, float] = field(default_factory=dict)

    def text(self, uptime: str, boot: str) -> str:
        """As the hook writes it, told at that time."""
        seconds = {name: f"{_lasting(end - float(uptime))}" for name, end in self.ends.items()}
        said = {**self.words, **seconds, "origin": "networkd", "uptime": uptime, "boot": boot}
        return "".join(f"{name}={_in_one_line(value)}\n" for name, value in said.items())

    def by_clock(self, behind: float) -> Self:
        """The same by a clock that is so many seconds behind."""
        # Whole ones: what is read twice is not to differ for how long reading took.
        return replace(self, ends={name: end - round(behind) for name, end in self.ends.items()})

    def retold(self, before: str, uptime: str, boot: str) -> str:
        """As it was written before, if it has not changed since."""
        at = next((line[7:] for line in before.splitlines() if line.startswith("uptime=")), uptime)
        return before if self.text(at, boot) == before else self.text(uptime, boot)


@dataclass(frozen=True, slots=True)
class Description:
    """All that networkd tells, as `networkctl --json=short` prints it."""

    network: _Node

    @classmethod
    def parse(cls, text: str) -> Self:
        """From what it says.

        Raises:
            ValueError: it is no such description.
        """
        network = json.loads(text)
        match network:
            case {"Interfaces": [*links]} if all(isinstance(link, dict) for link in links):
                return cls(network)
        raise ValueError("it names no interfaces")

    def trouble(self, interface: str) -> str:
        """Why it can have no lease there; nothing if it can."""
        link = _link(self.network, interface)
        if link is None:
            return f"systemd-networkd knows of no interface {interface}"
        if link.get("AdministrativeState") == "unmanaged":
            return f"systemd-networkd does not manage {interface}: no .network file matches it"
        return ""

    def lease(self, interface: str, version: str) -> Told | None:
        """What it has leased on the interface; None without a lease.

        Raises:
            ValueError: it tells of it in unknown words.
        """
        try:
            link = _link(self.network, interface) or {}
            told = _dhcpv6(self.network, link) if version == IPV6 else _dhcpv4(link)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"{type(error).__name__}: {error}") from error
        return told if told.words else None


def _dhcpv6(network: _Node, link: _Node) -> Told:
    client = link.get("DHCPv6Client", {})
    words = {
        **_listed(link, IPV6, DNS="new_dhcp6_name_servers", NTP="new_dhcp6_sntp_servers"),
        **_domains(link, IPV6, "new_dhcp6_domain_search"),
        **_vendor_options(client.get("VendorSpecificOptions", ())),
    }
    ends: dict[str, float] = {}
    prefixes = client.get("Prefixes", ()) or list(_routed(network, link))
    for number, prefix in enumerate(prefixes, start=1):
        name = f"{_ASSOCIATION}_prefix{number}"
        words |= {name: _address(prefix["Prefix"]), f"{name}_length": str(prefix["PrefixLength"])}
        ends |= {
            f"{name}_pltime": _moment(prefix.get("PreferredLifetimeUSec")),
            f"{name}_vltime": _moment(prefix.get("ValidLifetimeUSec")),
        }
    times = client.get("Lease", {})
    for name, usec in ((f"{_ASSOCIATION}_t1", "Timeout1USec"), (f"{_ASSOCIATION}_t2", "Timeout2USec")):
        if prefixes and usec in times:
            ends[name] = _moment(times[usec])
    return Told(words, ends)


def _routed(network: _Node, link: _Node) -> Iterator[_Node]:
    """The prefixes of earlier versions, in the words of later ones."""
    routes = [
        route
        for route in network.get("Routes", ())
        if route.get("Type") == _UNREACHABLE
        and route.get("ConfigSource") == _SOURCE[IPV6]
        and _belongs(route, network, link)
    ]
    last = max((_moment(route.get("LifetimeUSec")) for route in routes), default=0)
    for route in routes:
        end = route.get("LifetimeUSec")
        yield {
            "Prefix": route["Destination"],
            "PrefixLength": route["DestinationPrefixLength"],
            "PreferredLifetimeUSec": end if _moment(end) == last else 0,
            "ValidLifetimeUSec": end,
        }


def _belongs(route: _Node, network: _Node, link: _Node) -> bool:
    """Whether who delegated a prefix is who told the interface of servers, or told no other interface."""
    by = route.get("ConfigProvider")
    knowing = [each["Name"] for each in network.get("Interfaces", ()) if by in _providers(each)]
    return link["Name"] in knowing or not knowing


def _providers(link: _Node) -> list[Any]:
    told = (*link.get("DNS", ()), *link.get("NTP", ()), *link.get("Addresses", ()))
    return [each.get("ConfigProvider") for each in told if each.get("ConfigSource") == _SOURCE[IPV6]]


def _dhcpv4(link: _Node) -> Told:
    leased = next(_of(link.get("Addresses", ()), IPV4), None)
    if leased is None:
        return Told({})
    routers = [
        _address(route["Gateway"])
        for route in _of(link.get("Routes", ()), IPV4)
        if "Gateway" in route and not route["DestinationPrefixLength"]
    ]
    words = {
        "new_ip_address": _address(leased["Address"]),
        "new_subnet_cidr": str(leased["PrefixLength"]),
        **({"new_routers": " ".join(routers)} if routers else {}),
        **_listed(link, IPV4, DNS="new_domain_name_servers", NTP="new_ntp_servers"),
        **_domains(link, IPV4, "new_domain_search"),
    }
    times = link.get("DHCPv4Client", {}).get("Lease", {})
    ends = {"new_dhcp_lease_time": _moment(leased.get("ValidLifetimeUsec"))}
    for name, usec in (
        ("new_dhcp_renewal_time", "Timeout1USec"),
        ("new_dhcp_rebinding_time", "Timeout2USec"),
    ):
        if usec in times:
            ends[name] = _moment(times[usec])
    return Told(words, ends)


def _link(network: _Node, interface: str) -> _Node | None:
    return next((link for link in network.get("Interfaces", ()) if link.get("Name") == interface), None)


def _of(entries: Iterable[_Node], version: str) -> Iterator[_Node]:
    return (entry for entry in entries if entry.get("ConfigSource") == _SOURCE[version])


def _listed(link: _Node, version: str, **names: str) -> dict[str, str]:
    """Addresses of servers, by the words that they have in the lease; a server may also be a name."""
    words = {}
    for label, name in names.items():
        servers = [
            _address(entry["Address"]) for entry in _of(link.get(label, ()), version) if "Address" in entry
        ]
        if servers:
            words[name] = " ".join(servers)
    return words


def _domains(link: _Node, version: str, name: str) -> dict[str, str]:
    domains = [entry["Domain"] for entry in _of(link.get("SearchDomains", ()), version)]
    return {name: " ".join(domains)} if domains else {}


def _vendor_options(options: Iterable[_Node]) -> dict[str, str]:
    """As option 17 has them (RFC 8415 section 21.17), one for each vendor."""
    words = {}
    vendors = groupby(
        sorted(options, key=lambda option: option["EnterpriseId"]), key=lambda o: o["EnterpriseId"]
    )
    for number, (vendor, group) in enumerate(vendors, start=1):
        raw = "".join(
            f"{option['SubOptionCode']:04x}{len(option['SubOptionData']) // 2:04x}{option['SubOptionData']}"
            for option in group
        )
        words[f"new_dhcp6_vendor_options{number}"] = f"{vendor:08x}{raw}"
    return words


def _in_one_line(value: str) -> str:
    """No value becomes another assignment, whatever a server says."""
    return "".join(letter if letter.isprintable() else "?" for letter in value)


def _address(octets: Iterable[int]) -> str:
    return str(ip_address(bytes(octets)))


def _moment(usec: int | None) -> float:
    """Seconds of uptime; a lifetime that does not end is left out."""
    return math.inf if usec is None else usec / _USECONDS


def _lasting(seconds: float) -> int:
    """As messages have it (RFC 8415 section 7.7)."""
    return _INFINITY if math.isinf(seconds) else max(0, round(seconds))
