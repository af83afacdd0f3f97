"""IPv4 and IPv6 in IPv6 (RFC 2473; net/ipv6/ip6_tunnel.c)."""

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

from tasuki_yang.router import InterfacesInterface

from tasuki_agent.kernel.attributes import number, u8
from tasuki_agent.kernel.interfaces import Names
from tasuki_agent.kind import optional
from tasuki_agent.kinds.link import ipv6_tunnel
from tasuki_agent.kinds.link.ends import learned_fields
from tasuki_agent.kinds.link.linktypes import Basis
from tasuki_agent.known import Known

# linux/if_tunnel.h
_ATTRIBUTES: Final = ipv6_tunnel.Attributes(
    link=1, local=2, remote=3, ttl=4, encap_limit=6, flowinfo=7, flags=8, fwmark=20
)
IFLA_IPTUN_PROTO: Final = 9

_PROTOCOLS: Final = {"any": 0, "ipip6": 4, "ip6ip6": 41}
_MODES: Final = {protocol: mode for mode, protocol in _PROTOCOLS.items()}


@dataclass(frozen=True, slots=True)
class Ip6tnl:
    """A tunnel of packets in IPv6 packets."""

    underlay: str | None
    local: str | None
    remote: str | None
    encapsulation_limit: int | None
    hop_limit: int
    mode: str
    up: bool
    mtu: int | None = optional()
    others: tuple[str, ...] = ()
    """What somebody set that the models do not have; the next change sets it back."""
    mac_address: None = field(default=None, init=False, compare=False)
    index: int = field(default=0, compare=False)
    group: int = field(default=0, compare=False)
    learned: tuple[str, ...] = field(default=(), compare=False)
    """Fields that the intent does not tell itself."""


class Ip6tnlType:
    """How such tunnels are spoken of, in the router tree and with the kernel."""

    kernel_name: ClassVar = "ip6tnl"
    module: ClassVar = "ip6_tunnel"
    identity: ClassVar = "tasuki-link:ip6tnl"
    spec: ClassVar = Ip6tnl
    leaves: ClassVar[Mapping[str, str]] = {
        **ipv6_tunnel.leaves("/tasuki-link:ip6tnl"),
        "mode": "/tasuki-link:ip6tnl/mode",
    }

    def want(self, interface: InterfacesInterface, known: Known) -> Ip6tnl:
        """The spec of such an interface."""
        tunnel = interface.ip6tnl
        return Ip6tnl(
            *ipv6_tunnel.carrier(tunnel, known),
            mode=tunnel.mode,
            up=interface.enabled,
            mtu=interface.mtu,
            learned=learned_fields(tunnel),
        )

    def underlays(self, spec: Ip6tnl) -> Iterable[str]:
        """The interface that the packets leave by, if the routes do not decide."""
        return (spec.underlay,) if spec.underlay else ()

    def source(self, spec: Ip6tnl) -> str | None:
        """Its local end: up, the kernel would complain of each packet."""
        return spec.local

    def claim(self, spec: Ip6tnl) -> Hashable:
        """Its ends: the kernel does not care for the mode."""
        return spec.underlay, spec.local, spec.remote

    def parked(self, spec: Ip6tnl) -> Ip6tnl:
        """Between ends that nobody has."""
        return ipv6_tunnel.parked(spec)

    def in_place(self, observed: Ip6tnl, wanted: Ip6tnl) -> bool:  # noqa: ARG002
        """Everything, the ends too."""
        return True

    def messages(self, fields: frozenset[str]) -> Sequence[frozenset[str]]:
        """One, with every parameter if with any."""
        return ipv6_tunnel.messages(fields, self.leaves)

    def encode(self, spec: Ip6tnl, names: Collection[str], index_of: Callable[[str], int]) -> Iterator[bytes]:
        """Attributes of the fields named."""
        yield from ipv6_tunnel.encode(spec, names, index_of, _ATTRIBUTES)
        if "mode" in names:
            yield u8(IFLA_IPTUN_PROTO, _PROTOCOLS[spec.mode])

    def decode(self, basis: Basis, data: Mapping[int, bytes], names: Names) -> Ip6tnl:
        """The spec of an observed tunnel."""
        protocol = number(data[IFLA_IPTUN_PROTO])
        return Ip6tnl(
            *ipv6_tunnel.decode(data, names, _ATTRIBUTES),
            mode=_MODES.get(protocol, str(protocol)),
            up=basis.up,
            mtu=basis.mtu,
            others=tuple(ipv6_tunnel.others(data, _ATTRIBUTES)),
            index=basis.index,
            group=basis.group,
        )

    def tree(self, spec: Ip6tnl) -> Mapping[str, Any]:
        """The members of the interface that tell of the tunnel."""
        tunnel = {"tasuki-link:ip6tnl": {"mode": spec.mode, **ipv6_tunnel.tree(spec)}}
        return tunnel if spec.mtu is None else {"tasuki-link:mtu": spec.mtu, **tunnel}


TYPE = Ip6tnlType()
