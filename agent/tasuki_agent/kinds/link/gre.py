"""GRE in IPv6 packets, which carries packets or Ethernet frames (RFC 7676; net/ipv6/ip6_gre.c). Pure."""

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, Protocol, TypeVar

from tasuki_yang.router import InterfacesInterface

from tasuki_agent.kernel.attributes import be16, raw
from tasuki_agent.kernel.interfaces import Names
from tasuki_agent.kinds.link import ipv6_tunnel
from tasuki_agent.kinds.link.ends import learned_fields
from tasuki_agent.kinds.link.ipv6_tunnel import Ipv6Tunnel
from tasuki_agent.kinds.link.linktypes import Basis, LinkSpec
from tasuki_agent.known import Known

# linux/if_tunnel.h
_ATTRIBUTES: Final = ipv6_tunnel.Attributes(
    link=1, local=6, remote=7, ttl=8, encap_limit=11, flowinfo=12, flags=13, fwmark=20
)
IFLA_GRE_IFLAGS: Final = 2
IFLA_GRE_OFLAGS: Final = 3
IFLA_GRE_IKEY: Final = 4
IFLA_GRE_OKEY: Final = 5
GRE_KEY: Final = 0x2000

_CONTAINER: Final = "/tasuki-link:ip6gre"


class Gre(Ipv6Tunnel, LinkSpec, Protocol):
    """What the specs of both types have, and how they are made."""

    def __init__(
        self,
        underlay: str | None,
        local: str | None,
        remote: str | None,
        encapsulation_limit: int | None,
        hop_limit: int,
        *,
        key: int | None,
        up: bool,
        mtu: int | None,
        mac_address: str | None,
        others: tuple[str, ...] = (),
        index: int = 0,
        group: int = 0,
        learned: tuple[str, ...] = (),
    ) -> None: ...

    @property
    def key(self) -> int | None:
        """Of the packets in both directions; None if they have none."""
        ...


S = TypeVar("S", bound=Gre)


@dataclass(frozen=True, slots=True)
class GreType(Generic[S]):
    """How GRE tunnels of one type are spoken of, in the router tree and with the kernel."""

    kernel_name: str
    identity: str
    spec: type[S]
    frames: bool
    """Whether it carries Ethernet frames, and so has a MAC address."""
    module: str = "ip6_gre"

    @property
    def leaves(self) -> Mapping[str, str]:
        """Where the fields of the spec are, below the interface."""
        leaves = {**ipv6_tunnel.leaves(_CONTAINER), "key": f"{_CONTAINER}/key"}
        return {**leaves, "mac_address": "/tasuki-link:mac-address"} if self.frames else leaves

    def want(self, interface: InterfacesInterface, known: Known) -> S:
        """The spec of such an interface."""
        tunnel = interface.ip6gre
        return self.spec(
            *ipv6_tunnel.carrier(tunnel, known),
            key=tunnel.key,
            up=interface.enabled,
            mtu=interface.mtu,
            mac_address=interface.mac_address.lower() if interface.mac_address else None,
            learned=learned_fields(tunnel),
        )

    def underlays(self, spec: S) -> Iterable[str]:
        """The interface that the packets leave by, if the routes do not decide."""
        return (spec.underlay,) if spec.underlay else ()

    def source(self, spec: S) -> str | None:
        """Its local end: up, the kernel would complain of each packet."""
        return spec.local

    def claim(self, spec: S) -> Hashable:
        """Its ends and its key; to the kernel none is 0."""
        return spec.underlay, spec.local, spec.remote, spec.key or 0

    def parked(self, spec: S) -> S:
        """Between ends that nobody has."""
        return ipv6_tunnel.parked(spec)

    def in_place(self, observed: S, wanted: S) -> bool:  # noqa: ARG002
        """Everything, the ends too."""
        return True

    def messages(self, fields: frozenset[str]) -> Sequence[frozenset[str]]:
        """One, with every parameter if with any."""
        return ipv6_tunnel.messages(fields, self.leaves.keys() - {"mac_address"})

    def encode(self, spec: S, names: Collection[str], index_of: Callable[[str], int]) -> Iterator[bytes]:
        """Attributes of the fields named."""
        yield from ipv6_tunnel.encode(spec, names, index_of, _ATTRIBUTES)
        if "key" in names and spec.key is not None:
            for flags, key in ((IFLA_GRE_IFLAGS, IFLA_GRE_IKEY), (IFLA_GRE_OFLAGS, IFLA_GRE_OKEY)):
                yield be16(flags, GRE_KEY)
                yield raw(key, spec.key.to_bytes(4, "big"))

    def decode(self, basis: Basis, data: Mapping[int, bytes], names: Names) -> S:
        """The spec of an observed tunnel."""
        return self.spec(
            *ipv6_tunnel.decode(data, names, _ATTRIBUTES),
            key=_key(data, IFLA_GRE_OFLAGS, IFLA_GRE_OKEY),
            up=basis.up,
            mtu=basis.mtu,
            mac_address=basis.mac_address if self.frames else None,
            others=(*ipv6_tunnel.others(data, _ATTRIBUTES), *_others(data)),
            index=basis.index,
            group=basis.group,
        )

    def tree(self, spec: S) -> Mapping[str, Any]:
        """The members of the interface that tell of the tunnel."""
        key = {} if spec.key is None else {"key": spec.key}
        members = {
            "tasuki-link:mtu": spec.mtu,
            "tasuki-link:mac-address": spec.mac_address,
            "tasuki-link:ip6gre": {**key, **ipv6_tunnel.tree(spec)},
        }
        return {name: value for name, value in members.items() if value is not None}


def _key(data: Mapping[int, bytes], flags: int, key: int) -> int | None:
    """The key of one direction."""
    has_key = int.from_bytes(data[flags], "big") & GRE_KEY
    return int.from_bytes(data[key], "big") if has_key else None


def _others(data: Mapping[int, bytes]) -> Iterator[str]:
    """Checksums, sequence numbers, and a key of received packets that is not the one of sent ones."""
    for name, attribute in (("iflags", IFLA_GRE_IFLAGS), ("oflags", IFLA_GRE_OFLAGS)):
        if flags := int.from_bytes(data[attribute], "big") & ~GRE_KEY:
            yield f"{name} {flags:#x}"
    received = _key(data, IFLA_GRE_IFLAGS, IFLA_GRE_IKEY)
    if received != _key(data, IFLA_GRE_OFLAGS, IFLA_GRE_OKEY):
        yield f"ikey {'none' if received is None else received}"
