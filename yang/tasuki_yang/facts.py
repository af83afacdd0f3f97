"""Facts: what a router learns from its line or from the DNS, and what late-bound values are made of. Pure.

A fact has a subject (an interface, a name, an address) and a noun, and is written SUBJECT/NOUN, such as
`wan0/global-address`. Its values are texts in canonical spelling. The agent learns them, the controller makes
peers follow them, and people may suppose them ("what would change if ...").
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Interface, IPv6Address, IPv6Network, ip_address
from typing import Final, NamedTuple, TypeAlias

Values: TypeAlias = tuple[str, ...]
"""Never empty: what is not known has no entry."""

WIDEST_PREFIX: Final = 32
"""Length of the shortest prefix that counts as delegated: providers have such ones themselves."""
_LONGEST_INTERFACE: Final = 15
"""Characters of an interface's name (IFNAMSIZ)."""
_SERVERS: Final = 8
"""That a name is resolved by at the most."""
_VENDOR_OPTION = re.compile(r"(\d{1,10})/(\d{1,5}):((?:[0-9a-fA-F]{2}){0,1024})")


class FactKey(NamedTuple):
    """What a fact is about."""

    subject: str
    noun: str

    def __str__(self) -> str:
        """As people write it."""
        return f"{self.subject}/{self.noun}"

    @property
    def text(self) -> str:
        """As messages call it, such as "a global address of wan0"."""
        return self._told(NOUNS[self.noun].text)

    @property
    def hint(self) -> str:
        """What people can do who wait for it."""
        return self._told(NOUNS[self.noun].hint)

    def _told(self, text: str) -> str:
        name, _, servers = self.subject.partition("@")
        return text.format(self.subject, name=name, at=f" at {servers.replace(',', ', ')}" if servers else "")


Facts: TypeAlias = Mapping[FactKey, Values]
"""All that is known."""


class Terms(NamedTuple):
    """Where a value of a fact is from, and how long it holds: seconds of CLOCK_BOOTTIME, None for ever.

    Attributes:
        origin: who told it, such as "dhcpv6".
        preferred_until: when it shall not be used for anything new any more.
        valid_until: when it is over.
        renew_at: when whoever gave it is asked to go on (T1 of RFC 8415 section 14.2).
        rebind_at: when anybody is asked to (T2).
    """

    origin: str = ""
    preferred_until: float | None = None
    valid_until: float | None = None
    renew_at: float | None = None
    rebind_at: float | None = None


AllTerms: TypeAlias = Mapping[tuple[FactKey, str], Terms]
"""The terms of the values that have any."""


@dataclass(frozen=True, slots=True)
class Noun:
    """One sort of fact.

    Attributes:
        text: what messages call a fact of this sort; `{}` stands for its subject, `{name}` and `{at}` for the
            parts of one that says who resolves it.
        hint: what to look at while it is missing.
        example: of the values.
        canonical: the canonical spelling of a value. Raises ValueError for what is none, and says why.
        subject: the canonical spelling of a subject. Raises as `canonical`.
        single: whether there is one value only.
        itself: whether that can only be the subject.
        passing: whether there shall be none in the end, so that nobody misses it.
    """

    text: str
    hint: str
    example: str
    canonical: Callable[[str], str]
    subject: Callable[[str], str]
    single: bool = True
    itself: bool = False
    passing: bool = False


def parse_key(text: str) -> FactKey:
    """A fact's key as people write it, with its subject in canonical spelling.

    Raises:
        ValueError: it has no subject that fits, or a noun that there is not. The message says what there is,
            in one line whatever the text is.
    """
    subject, _, noun = text.rpartition("/")
    if not subject or noun not in NOUNS:
        known = ", ".join(sorted(NOUNS))
        raise ValueError(
            f"{text!r} is no fact: write SUBJECT/NOUN, such as wan0/global-address; nouns are {known}"
        )
    return FactKey(NOUNS[noun].subject(subject), noun)


def parse_values(key: FactKey, texts: tuple[str, ...]) -> Values:
    """The values of a fact in canonical spelling.

    Raises:
        ValueError: they do not fit the noun.
    """
    noun = NOUNS[key.noun]
    values = tuple(noun.canonical(text.strip()) for text in texts)
    if not values or (noun.single and len(values) > 1):
        wanted = "one value" if noun.single else "at least one value"
        raise ValueError(f"{key} has {wanted}, such as {noun.example}")
    if noun.itself and values != (key.subject,):
        raise ValueError(f"{key} has {key.subject} for its value while the router has it, and no other")
    return values


def address_in(prefix: str, subnet_id: int, interface_id: str) -> str:
    """The address at a place inside a delegated prefix.

    Args:
        prefix: such as "2001:db8:1200::/56".
        subnet_id: number of a /64 in it.
        interface_id: the last 64 bits, such as "::1".

    Raises:
        ValueError: the prefix has no such subnet; the message says which ones it has.
    """
    network = IPv6Network(prefix)
    last = (1 << max(0, 64 - network.prefixlen)) - 1
    if subnet_id > last or network.prefixlen > 64:  # noqa: PLR2004 - subnets are /64s
        there_are = f"its subnets are 0 to {last}" if last else "its only one is 0"
        raise ValueError(f"{prefix} has no subnet {subnet_id}: {there_are}")
    return str(IPv6Address(int(network.network_address) | subnet_id << 64 | int(IPv6Address(interface_id))))


def _interface(text: str) -> str:
    """The name of an interface, as tasuki-types:interface-name has it."""
    if not (
        len(text) <= _LONGEST_INTERFACE and all("!" <= letter <= "~" for letter in text) and "/" not in text
    ):
        raise ValueError(f"{text!r} is no name of an interface")
    return text


def _resolved(text: str) -> str:
    """A name, and after an @ who resolves it."""
    name, at, servers = text.partition("@")
    resolvers = servers.split(",")
    if not at:
        return _name(name)
    if len(resolvers) > _SERVERS:
        raise ValueError(f"{text!r} has more than {_SERVERS} servers")
    return f"{_name(name)}@{','.join(map(_any_address, resolvers))}"


def _any_address(text: str) -> str:
    """An address of either family, without a zone."""
    try:
        address = ip_address(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is no IP address") from error
    if "%" in text:
        raise ValueError(f"{text!r} has a zone: write the address alone")
    return str(address)


def _address(text: str) -> str:
    """An address that tunnels can end at: those of tasuki-end:unicast-ipv6-address.

    The check of typed ends in VXLAN splits knows IPv4 as well, and tells what each sort of address is.
    """
    try:
        address = IPv6Address(text)
    except AddressValueError as error:
        raise ValueError(f"{text!r} is no IPv6 address") from error
    if "%" in text:
        raise ValueError(f"{text!r} has a zone: no tunnel of another router can end there")
    if (
        address.is_multicast
        or address.is_link_local
        or address.is_loopback
        or address.is_unspecified
        or address.ipv4_mapped
    ):
        raise ValueError(f"{address} is no address that a tunnel can end at")
    return str(address)


def _ipv6_network(text: str) -> IPv6Network:
    try:
        network = IPv6Network(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is no IPv6 prefix without host bits") from error
    if "%" in text:
        raise ValueError(f"{text!r} has a zone: no prefix has one")
    return network


def _prefix(text: str) -> str:
    prefix = _ipv6_network(text)
    if not WIDEST_PREFIX <= prefix.prefixlen <= 64:  # noqa: PLR2004 - subnets are /64s
        raise ValueError(f"{prefix}: a delegated prefix is between /{WIDEST_PREFIX} and /64 long")
    _address(str(prefix[1]))
    return str(prefix)


def _network(text: str) -> str:
    """An IPv6 prefix of any length that hosts can have addresses in."""
    network = _ipv6_network(text)
    if network.is_multicast or network.is_link_local or not network.prefixlen:
        raise ValueError(f"{text!r} is no prefix of a link")
    return str(network)


def _server(text: str) -> str:
    """An address that can be asked something: a unicast one, and link-local only where that is usual."""
    address = ip_address(_any_address(text))
    if address.is_multicast or address.is_loopback or address.is_unspecified:
        raise ValueError(f"{address} is no address of a server")
    return str(address)


def _leased_ipv4(text: str) -> str:
    """An IPv4 address with its prefix length, as a host has it."""
    try:
        interface = IPv4Interface(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is no IPv4 address with its prefix length") from error
    address, network = interface.ip, interface.network
    if address.is_multicast or address.is_loopback or address.is_unspecified or address.is_reserved:
        raise ValueError(f"{address} is no address of a host")
    if network.num_addresses > 2 and address in (network.network_address, network.broadcast_address):  # noqa: PLR2004 - RFC 3021
        raise ValueError(f"{address} means all hosts of {network}")
    return str(interface)


def _vendor_option(text: str) -> str:
    """Enterprise number, option code and bytes in hexadecimal, such as "210/201:0010db112233"."""
    match = _VENDOR_OPTION.fullmatch(text)
    if not match or int(match[1]) >= 1 << 32 or int(match[2]) >= 1 << 16:
        raise ValueError(f"{text[:60]!r} is no vendor option: write ENTERPRISE/CODE:HEX")
    return f"{int(match[1])}/{int(match[2])}:{match[3].lower()}"


def _name(text: str) -> str:
    labels = text.rstrip(".").split(".")
    if not text or len(text) > 253 or not all(_is_label(label) for label in labels):  # noqa: PLR2004 - RFC 1035
        raise ValueError(f"{text!r} is no name in the DNS")
    return text.rstrip(".").lower()


def _is_label(label: str) -> bool:
    return 0 < len(label) <= 63 and label.isascii() and label.replace("-", "a").replace("_", "a").isalnum()  # noqa: PLR2004 - RFC 1035


NOUNS: Mapping[str, Noun] = {
    "global-address": Noun(
        text="a global address of {}",
        hint="do router advertisements reach it, and does it take them? (ip -6 address show dev {})",
        example="2001:db8::1",
        canonical=_address,
        subject=_interface,
    ),
    "delegated-prefix": Noun(
        text="a prefix delegated on {}",
        hint="does a client ask for one there, and a DHCPv6 server answer?",
        example="2001:db8:1200::/56",
        canonical=_prefix,
        subject=_interface,
    ),
    "aftr-name": Noun(
        text="the AFTR of the lease on {}",
        hint="does the DHCPv6 server of {} send option 64?",
        example="gw.example.net",
        canonical=_name,
        subject=_interface,
    ),
    "addresses": Noun(
        text="an IPv6 address of the name {name}{at}",
        hint="can the resolver{at} be reached, and does it know {name}?",
        example="2001:db8::1",
        canonical=_address,
        single=False,
        subject=_resolved,
    ),
    "local-address": Noun(
        text="the address {} on an interface of this router",
        hint="no interface has it now: is it the right one, and is it no duplicate?",
        example="2001:db8::1",
        canonical=_any_address,
        subject=_any_address,
        itself=True,
    ),
    "former-prefixes": Noun(
        text="a prefix that was delegated on {} before",
        hint="prefixes are former ones only after they changed",
        example="2001:db8:1200::/56",
        canonical=_prefix,
        subject=_interface,
        single=False,
        passing=True,
    ),
    "on-link-prefixes": Noun(
        text="a prefix that routers advertise on {}",
        hint="do router advertisements with a prefix reach it?",
        example="2001:db8:1:2::/64",
        canonical=_network,
        subject=_interface,
        single=False,
    ),
    "default-routers": Noun(
        text="an IPv6 default router on {}",
        hint="do router advertisements reach it? (ip -6 route show default dev {})",
        example="fe80::1",
        canonical=_server,
        subject=_interface,
        single=False,
    ),
    "dns-servers": Noun(
        text="a DNS server of the lease on {}",
        hint="does the DHCP server of {} tell of one?",
        example="2001:db8::53",
        canonical=_server,
        subject=_interface,
        single=False,
    ),
    "sntp-servers": Noun(
        text="an SNTP server of the lease on {}",
        hint="does the DHCP server of {} tell of one?",
        example="2001:db8::123",
        canonical=_server,
        subject=_interface,
        single=False,
    ),
    "sip-servers": Noun(
        text="a SIP server of the lease on {}",
        hint="does the DHCP server of {} tell of one?",
        example="2001:db8::5060",
        canonical=_server,
        subject=_interface,
        single=False,
    ),
    "sip-domains": Noun(
        text="a SIP domain of the lease on {}",
        hint="does the DHCP server of {} tell of one?",
        example="sip.example.net",
        canonical=_name,
        subject=_interface,
        single=False,
    ),
    "search-domains": Noun(
        text="a domain of the lease on {}",
        hint="does the DHCP server of {} tell of one?",
        example="example.net",
        canonical=_name,
        subject=_interface,
        single=False,
    ),
    "vendor-options": Noun(
        text="a vendor option of the lease on {}",
        hint="does the DHCPv6 server of {} send option 17?",
        example="210/201:0010db112233",
        canonical=_vendor_option,
        subject=_interface,
        single=False,
    ),
    "ipv4-address": Noun(
        text="an IPv4 address leased on {}",
        hint="does a DHCPv4 server answer there?",
        example="192.0.2.10/24",
        canonical=_leased_ipv4,
        subject=_interface,
    ),
    "ipv4-routers": Noun(
        text="a router of the DHCPv4 lease on {}",
        hint="does the DHCPv4 server of {} tell of one (option 3)?",
        example="192.0.2.1",
        canonical=_server,
        subject=_interface,
        single=False,
    ),
}
"""All sorts of facts."""
