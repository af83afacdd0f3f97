"""What all tunnels in IPv6 packets have, in the models, in their specs and in the kernel's messages. Pure.

The kernel sets everything that a change does not mention back to its default (net/ipv6/ip6_tunnel.c,
ip6_tnl_netlink_parms(); net/ipv6/ip6_gre.c, ip6gre_netlink_parms()). So whoever changes one parameter says
all of them.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, NamedTuple, Protocol, TypeVar

from tasuki_agent.kernel import addresses
from tasuki_agent.kernel.attributes import number, raw, u8, u32
from tasuki_agent.kernel.interfaces import Names
from tasuki_agent.kinds.link.ends import Ends, both_ends
from tasuki_agent.kinds.link.linktypes import BASICS
from tasuki_agent.known import Known

# linux/ip6_tunnel.h
IP6_TNL_F_IGN_ENCAP_LIMIT: Final = 0x1
_CAPABILITIES: Final = 0x70000
"""IP6_TNL_F_CAP_…: what the kernel itself finds out about the ends."""

_UNSPECIFIED: Final = bytes(16)
_LOOPBACK: Final = "::1"
_DISCARD: Final = b"\x01" + bytes(7)
"""100::/64."""


class Parameters(Ends, Protocol):
    """The models' part."""

    @property
    def underlay(self) -> str | None:
        """Where the packets leave; None if the routes decide."""
        ...

    @property
    def encapsulation_limit(self) -> int | Literal["none"]:
        """How often a packet may be put into another one."""
        ...

    @property
    def hop_limit(self) -> int:
        """Of the outer packets."""
        ...


class Carrier(NamedTuple):
    """How packets get through the IPv6 network: the first fields of each such tunnel's spec."""

    underlay: str | None
    local: str | None
    remote: str | None
    encapsulation_limit: int | None
    """None if the packets have no destination option."""
    hop_limit: int


class Ipv6Tunnel(Protocol):
    """The specs' part."""

    @property
    def underlay(self) -> str | None:
        """Where the packets leave; None if the routes decide."""
        ...

    @property
    def local(self) -> str | None:
        """Only somebody else's tunnel has none."""
        ...

    @property
    def remote(self) -> str | None:
        """Only somebody else's tunnel has none."""
        ...

    @property
    def encapsulation_limit(self) -> int | None:
        """None if the packets have no destination option."""
        ...

    @property
    def hop_limit(self) -> int:
        """Of the outer packets."""
        ...

    @property
    def index(self) -> int:
        """Evidence: where the kernel has it."""
        ...


S = TypeVar("S", bound=Ipv6Tunnel)


@dataclass(frozen=True, slots=True)
class Attributes:
    """The numbers of the attributes: each of the kernel's two drivers has its own (linux/if_tunnel.h)."""

    link: int
    local: int
    remote: int
    ttl: int
    encap_limit: int
    flowinfo: int
    flags: int
    fwmark: int


def leaves(container: str) -> Mapping[str, str]:
    """Where the fields of a spec are, below the interface.

    Args:
        container: the tunnel's, such as "/tasuki-link:ip6tnl".
    """
    return {
        "underlay": f"{container}/underlay",
        "local": f"{container}/local",
        "remote": f"{container}/remote",
        "encapsulation_limit": f"{container}/encapsulation-limit",
        "hop_limit": f"{container}/hop-limit",
        "others": container,
        "mtu": "/tasuki-link:mtu",
    }


def carrier(parameters: Parameters, known: Known) -> Carrier:
    """What is wanted.

    Raises:
        Unknown: an end is not known yet, or no interface has the local address.
    """
    local, remote = both_ends(parameters, known, must_be_here=True)
    if local is None:
        raise ValueError("a tunnel without a local end")
    limit = parameters.encapsulation_limit
    return Carrier(
        underlay=parameters.underlay,
        local=local,
        remote=remote,
        encapsulation_limit=None if limit == "none" else limit,
        hop_limit=parameters.hop_limit,
    )


def parked(spec: S) -> S:
    """The same tunnel between ends that no other one has.

    The kernel neither sends nor receives by a tunnel that ends at the loopback address (ip6_tnl_get_cap()),
    and its index in the discard prefix (RFC 6666) is the tunnel's own.
    """
    remote = addresses.text(_DISCARD + spec.index.to_bytes(8, "big"))
    return replace(spec, local=_LOOPBACK, remote=remote)  # type: ignore[type-var]


def messages(fields: frozenset[str], every: Collection[str]) -> Sequence[frozenset[str]]:
    """One message; with any parameter of the tunnel go `every` one and the MTU, which would be set back."""
    return (fields if fields <= BASICS else fields.union(every, ("mtu",)),)


def encode(
    spec: Ipv6Tunnel, names: Collection[str], index_of: Callable[[str], int], attributes: Attributes
) -> Iterator[bytes]:
    """Attributes of the fields named. What is left out is the kernel's default: none."""
    if "underlay" in names and spec.underlay:
        yield u32(attributes.link, index_of(spec.underlay))
    if "local" in names and spec.local:
        yield raw(attributes.local, addresses.packed(spec.local))
    if "remote" in names and spec.remote:
        yield raw(attributes.remote, addresses.packed(spec.remote))
    if "hop_limit" in names:
        yield u8(attributes.ttl, spec.hop_limit)
    if "encapsulation_limit" in names:
        limit = spec.encapsulation_limit
        yield u8(attributes.encap_limit, limit or 0)
        yield u32(attributes.flags, IP6_TNL_F_IGN_ENCAP_LIMIT if limit is None else 0)


def decode(data: Mapping[int, bytes], names: Names, attributes: Attributes) -> Carrier:
    """What is observed."""
    underlay = number(data.get(attributes.link, b"\0"))
    ignored = number(data[attributes.flags]) & IP6_TNL_F_IGN_ENCAP_LIMIT
    return Carrier(
        underlay=names(underlay) if underlay else None,
        local=_end(data.get(attributes.local)),
        remote=_end(data.get(attributes.remote)),
        encapsulation_limit=None if ignored else number(data[attributes.encap_limit]),
        hop_limit=number(data[attributes.ttl]),
    )


def others(data: Mapping[int, bytes], attributes: Attributes) -> Iterator[str]:
    """Parameters that the models do not have and that somebody has set, as ip(8) and the kernel call them."""
    expected = IP6_TNL_F_IGN_ENCAP_LIMIT | _CAPABILITIES
    if flags := number(data[attributes.flags]) & ~expected:
        yield f"flags {flags:#x}"
    if flowinfo := int.from_bytes(data.get(attributes.flowinfo, b""), "big"):
        yield f"flowinfo {flowinfo:#x}"
    if fwmark := number(data.get(attributes.fwmark, b"")):
        yield f"fwmark {fwmark:#x}"


def tree(spec: Ipv6Tunnel) -> Mapping[str, Any]:
    """The tunnel's part of its container, with the ends that are in use.

    Somebody else's tunnel may lack ends, and have the hop limit of what it carries, which is 0.
    """
    limit = spec.encapsulation_limit
    members = {
        "underlay": spec.underlay,
        "local": spec.local,
        "remote": spec.remote,
        "encapsulation-limit": "none" if limit is None else limit,
        "hop-limit": spec.hop_limit or None,
    }
    return {name: value for name, value in members.items() if value is not None}


def _end(address: bytes | None) -> str | None:
    return addresses.text(address) if address and address != _UNSPECIFIED else None
