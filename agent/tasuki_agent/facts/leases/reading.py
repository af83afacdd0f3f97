"""Reads a lease from the words that dhcpcd has for its hook, dhcpcd-run-hooks(8). Pure.

Whatever the server made of them: what cannot be used is left out with its reason, and the rest counts.
"""

import math
import re
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv6Network
from typing import Final, TypeAlias, TypeVar

from tasuki_yang.facts import NOUNS, Values

from tasuki_agent.facts.leases.lease import Lease, Prefix

INFINITY: Final = 0xFFFF_FFFF
"""A lifetime that does not end (RFC 8415 section 7.7, RFC 2131 section 3.3)."""
MOST: Final = 16
"""Values of one noun that are told, and reasons why others are not: real leases have a handful."""
_QUOTED: Final = 60
"""Characters of an unusable value that its reason quotes."""
_ORIGIN: Final = re.compile(r"[a-z][a-z0-9-]{0,15}")

_IPV6_OPTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "aftr-name": ("new_dhcp6_aftr_name",),
    "dns-servers": ("new_dhcp6_name_servers",),
    "sntp-servers": ("new_dhcp6_sntp_servers", "new_dhcp6_ntp_server_addr"),
    "sip-servers": ("new_dhcp6_sip_servers_addresses",),
    "sip-domains": ("new_dhcp6_sip_servers_names",),
    "search-domains": ("new_dhcp6_domain_search",),
}
_IPV4_OPTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "dns-servers": ("new_domain_name_servers",),
    "sntp-servers": ("new_ntp_servers",),
    "search-domains": ("new_domain_search", "new_domain_name"),
    "ipv4-routers": ("new_routers",),
}
"""Options by noun; several values in one word are separated by spaces."""
_PREFIX: Final = re.compile(r"new_dhcp6_(ia_pd\d{1,9})_prefix(\d{1,9})")
_VENDOR_OPTIONS: Final = re.compile(r"new_dhcp6_vendor_options\d{0,9}")
"""Option 17 as it is, in hexadecimal: what the client makes of it depends on vendors that it knows."""

_Words: TypeAlias = Mapping[str, str]
_Told = TypeVar("_Told")
_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class _Delegated:
    """A prefix as the server sent it, with its lifetimes in seconds."""

    association: str
    prefix: str
    preferred: float
    valid: float

    def __str__(self) -> str:
        return self.prefix


def parse_dhcpv6(text: str) -> Lease:
    """The lease in a file: assignments as in dhcpcd's environment, then uptime and boot.

    Raises:
        ValueError: it is no whole lease; the message says why.
    """
    words, uptime, boot = _read(text)
    unusable: list[str] = []
    values = _values(words, _IPV6_OPTIONS, unusable)
    options = _vendor_options(words, unusable)
    if usable := _usable(NOUNS["vendor-options"].canonical, options, unusable):
        values["vendor-options"] = tuple(usable)
    delegated = list(_delegated(words))
    prefixes = _usable(lambda told: _prefix(told, uptime), delegated, unusable)
    renew, rebind = _client_times(words, delegated, unusable)
    return Lease(
        boot,
        uptime,
        _origin(words, "dhcpv6"),
        tuple({prefix.prefix: prefix for prefix in prefixes}.values()),
        values,
        uptime + max((told.valid for told in delegated), default=math.inf),
        uptime + renew,
        uptime + rebind,
        tuple(unusable[:MOST]),
    )


def parse_dhcpv4(text: str) -> Lease:
    """The same of DHCPv4.

    Raises:
        ValueError: as `parse_dhcpv6`.
    """
    words, uptime, boot = _read(text)
    unusable: list[str] = []
    values = _values(words, _IPV4_OPTIONS, unusable)
    leased = (
        [f"{words['new_ip_address']}/{words.get('new_subnet_cidr')}"] if "new_ip_address" in words else []
    )
    if address := _usable(NOUNS["ipv4-address"].canonical, leased, unusable):
        values["ipv4-address"] = tuple(address)
    lasting = _seconds(words.get("new_dhcp_lease_time", f"{INFINITY}"))
    # Where the server does not say, RFC 2131 section 4.4.5 does.
    renew = _seconds(words.get("new_dhcp_renewal_time", "0")) or lasting / 2
    rebind = _seconds(words.get("new_dhcp_rebinding_time", "0")) or lasting * 7 / 8
    return Lease(
        boot,
        uptime,
        _origin(words, "dhcpv4"),
        (),
        values,
        uptime + lasting,
        uptime + renew,
        uptime + rebind,
        tuple(unusable[:MOST]),
    )


def _read(text: str) -> tuple[_Words, float, str]:
    """The assignments, and when and in which boot they were told."""
    words = dict(_assignments(text))
    try:
        uptime, boot = float(words["uptime"]), str(uuid.UUID(words["boot"]))
    except KeyError as error:
        raise ValueError(f"{error.args[0]} is missing") from error
    if not 0 <= uptime < math.inf:
        raise ValueError(f"'{uptime}' is no uptime")
    return words, uptime, boot


def _assignments(text: str) -> Iterator[tuple[str, str]]:
    # Values may hold whatever else str.splitlines() would take for the end of a line.
    for line in text.removesuffix("\n").split("\n"):
        name, equals, value = line.partition("=")
        if not equals:
            raise ValueError(f"{line[:_QUOTED]!r} is no assignment")
        yield name, value


def _origin(words: _Words, protocol: str) -> str:
    """Who told it: the protocol, or whoever has the leases and says so."""
    origin = words.get("origin", "")
    return origin if _ORIGIN.fullmatch(origin) else protocol


def _seconds(text: str) -> float:
    seconds = int(text)
    if not 0 <= seconds <= INFINITY:
        raise ValueError(f"{text[:_QUOTED]!r} is no lifetime")
    return math.inf if seconds == INFINITY else seconds


def _delegated(words: _Words) -> Iterator[_Delegated]:
    """In the order of the message: an environment has none."""
    found = [match for name in words if (match := _PREFIX.fullmatch(name))]
    for match in sorted(found, key=lambda match: (match[1], int(match[2]))):
        name = match[0]
        try:
            length, *lifetimes = (words[f"{name}_{part}"] for part in ("length", "pltime", "vltime"))
        except KeyError as error:
            raise ValueError(f"{error.args[0]} is missing") from error
        yield _Delegated(match[1], f"{words[name]}/{length}", *map(_seconds, lifetimes))


def _prefix(told: _Delegated, uptime: float) -> Prefix:
    """What counts, by RFC 8415 section 21.22: bits beyond the length do not."""
    if told.preferred > told.valid:
        raise ValueError("it is preferred for longer than it is valid")
    prefix = NOUNS["delegated-prefix"].canonical(str(IPv6Network(told.prefix, strict=False)))
    return Prefix(prefix, uptime + told.preferred, uptime + told.valid)


def _client_times(words: _Words, delegated: Iterable[_Delegated], unusable: list[str]) -> tuple[float, float]:
    """T1 and T2 of the identity association that is renewed first.

    Where the server leaves them to the client, it takes half and four fifths of the shortest preferred
    lifetime (RFC 8415 section 14.2).
    """
    shortest: dict[str, float] = {}
    for told in delegated:
        if told.valid:
            shortest[told.association] = min(told.preferred, shortest.get(told.association, math.inf))
    times = []
    for association, preferred in shortest.items():
        t1, t2 = (_seconds(words.get(f"new_dhcp6_{association}_{name}", "0")) for name in ("t1", "t2"))
        if t1 > t2 > 0:
            unusable.append(f"T1 {t1:.0f} s after T2 {t2:.0f} s: both are left out")
            t1 = t2 = 0
        times.append((t1 or preferred / 2, t2 or preferred * 4 / 5))
    return min(times, default=(math.inf, math.inf))


def _vendor_options(words: _Words, unusable: list[str]) -> Iterator[str]:
    """Enterprise number, code and bytes of each option (RFC 8415 section 21.17)."""
    for name in sorted(filter(_VENDOR_OPTIONS.fullmatch, words)):
        text = words[name]
        try:
            octets = bytes.fromhex(text)
        except ValueError:
            octets = b""
        enterprise, at = int.from_bytes(octets[:4], "big"), 4
        while at + 4 <= len(octets):
            code, length = (int.from_bytes(octets[i : i + 2], "big") for i in (at, at + 2))
            at += 4 + length
            if at <= len(octets):
                yield f"{enterprise}/{code}:{octets[at - length : at].hex()}"
        if at != len(octets):
            unusable.append(f"vendor options {text[:_QUOTED]!r} are cut short")


def _values(words: _Words, options: Mapping[str, tuple[str, ...]], unusable: list[str]) -> dict[str, Values]:
    values = {}
    for noun, names in options.items():
        texts = (text for name in names for text in words.get(name, "").split(" ") if text)
        if found := _usable(NOUNS[noun].canonical, texts, unusable):
            values[noun] = tuple(dict.fromkeys(found[:1] if NOUNS[noun].single else found))
    return values


def _usable(canonical: Callable[[_Told], _Value], told: Iterable[_Told], unusable: list[str]) -> list[_Value]:
    """The first few values that can be used; what cannot be leaves the rest of a lease usable."""
    values: list[_Value] = []
    for each in told:
        if len(values) == MOST or len(unusable) == MOST:
            unusable.append(f"what comes after {f'{each}'[:_QUOTED]!r} is left out: it is too much")
            break
        try:
            values.append(canonical(each))
        except ValueError as error:
            unusable.append(f"{f'{each}'[:_QUOTED]!r} is left out: {f'{error}'[: 4 * _QUOTED]}")
    return values
