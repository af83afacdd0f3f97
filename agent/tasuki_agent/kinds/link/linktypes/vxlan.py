"""VXLAN with one remote end (RFC 7348; drivers/net/vxlan/vxlan_core.c)."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

from tasuki_yang.router import InterfacesInterface

from tasuki_agent.kernel import addresses
from tasuki_agent.kernel.attributes import be16, number, raw, u8, u32
from tasuki_agent.kernel.interfaces import Names
from tasuki_agent.kind import optional
from tasuki_agent.kinds.link.ends import both_ends, learned_fields
from tasuki_agent.kinds.link.linktypes import BASICS, Basis
from tasuki_agent.known import Known

# linux/if_link.h
IFLA_VXLAN_ID: Final = 1
IFLA_VXLAN_GROUP: Final = 2
IFLA_VXLAN_LINK: Final = 3
IFLA_VXLAN_LOCAL: Final = 4
IFLA_VXLAN_LEARNING: Final = 7
IFLA_VXLAN_PORT: Final = 15
IFLA_VXLAN_GROUP6: Final = 16
IFLA_VXLAN_LOCAL6: Final = 17


@dataclass(frozen=True, slots=True)
class Vxlan:
    """A VXLAN link. Only somebody else's has no remote end or no underlay."""

    vni: int
    port: int
    underlay: str | None
    remote: str | None
    local: str | None
    learning: bool
    up: bool
    mtu: int | None = optional()
    mac_address: str | None = optional()
    index: int = field(default=0, compare=False)
    group: int = field(default=0, compare=False)
    learned: tuple[str, ...] = field(default=(), compare=False)
    """Fields that the intent does not tell itself."""


class VxlanType:
    """How VXLAN links are spoken of, in the router tree and with the kernel."""

    kernel_name: ClassVar = "vxlan"
    module: ClassVar = "vxlan"
    identity: ClassVar = "tasuki-link:vxlan"
    spec: ClassVar = Vxlan
    leaves: ClassVar[Mapping[str, str]] = {
        "vni": "/tasuki-link:vxlan/vni",
        "port": "/tasuki-link:vxlan/udp-port",
        "underlay": "/tasuki-link:vxlan/underlay",
        "remote": "/tasuki-link:vxlan/remote",
        "local": "/tasuki-link:vxlan/local",
        "learning": "/tasuki-link:vxlan/learning",
        "mtu": "/tasuki-link:mtu",
        "mac_address": "/tasuki-link:mac-address",
    }

    def want(self, interface: InterfacesInterface, known: Known) -> Vxlan:
        """The spec of a VXLAN interface. A fixed local address is taken as it is, here or not."""
        vxlan = interface.vxlan
        if vxlan is None:
            raise ValueError(f"interface {interface.name} is a vxlan without its parameters")
        local, remote = both_ends(vxlan, known, must_be_here=False)
        return Vxlan(
            vni=vxlan.vni,
            port=vxlan.udp_port,
            underlay=vxlan.underlay,
            remote=remote,
            local=local,
            learning=vxlan.learning,
            up=interface.enabled,
            mtu=interface.mtu,
            mac_address=interface.mac_address.lower() if interface.mac_address else None,
            learned=learned_fields(vxlan),
        )

    def underlays(self, spec: Vxlan) -> Iterable[str]:
        """The interface that the packets leave by."""
        return (spec.underlay,) if spec.underlay else ()

    def source(self, spec: Vxlan) -> None:
        """None: it stays up while it waits.

        The kernel is silent there, and its inner addresses would go with it, and be checked for duplicates
        for more than a second when they are back.
        """

    def claim(self, spec: Vxlan) -> None:
        """None: VNI and port are never changed in place."""

    def parked(self, spec: Vxlan) -> Vxlan:
        """As it is, for nobody else can have its claim."""
        return spec

    def in_place(self, observed: Vxlan, wanted: Vxlan) -> bool:
        """All but VNI, port, underlay, the family of the ends, and taking the local address away.

        The kernel takes a new underlay, but its forwarding database keeps sending by the old one.
        """
        return (
            (observed.vni, observed.port, observed.underlay) == (wanted.vni, wanted.port, wanted.underlay)
            and _same_family(observed.remote, wanted.remote)
            and (wanted.local is not None or observed.local is None)
        )

    def messages(self, fields: frozenset[str]) -> Sequence[frozenset[str]]:
        """Two at most: the kernel refuses an MTU beside the parameters ("Cannot change mtu")."""
        return tuple(filter(None, (fields - BASICS, fields & BASICS)))

    def encode(self, spec: Vxlan, names: Collection[str], index_of: Callable[[str], int]) -> Iterator[bytes]:
        """Attributes of the fields named."""
        if "vni" in names:
            yield u32(IFLA_VXLAN_ID, spec.vni)
        if "remote" in names and spec.remote:
            yield _address(IFLA_VXLAN_GROUP, IFLA_VXLAN_GROUP6, spec.remote)
        if "local" in names and spec.local:
            yield _address(IFLA_VXLAN_LOCAL, IFLA_VXLAN_LOCAL6, spec.local)
        if "underlay" in names and spec.underlay:
            yield u32(IFLA_VXLAN_LINK, index_of(spec.underlay))
        if "learning" in names:
            yield u8(IFLA_VXLAN_LEARNING, spec.learning)
        if "port" in names:
            yield be16(IFLA_VXLAN_PORT, spec.port)

    def decode(self, basis: Basis, data: Mapping[int, bytes], names: Names) -> Vxlan:
        """The spec of an observed VXLAN link."""
        remote = data.get(IFLA_VXLAN_GROUP) or data.get(IFLA_VXLAN_GROUP6)
        local = data.get(IFLA_VXLAN_LOCAL) or data.get(IFLA_VXLAN_LOCAL6)
        underlay = data.get(IFLA_VXLAN_LINK)
        return Vxlan(
            vni=number(data[IFLA_VXLAN_ID]),
            port=int.from_bytes(data[IFLA_VXLAN_PORT], "big"),
            underlay=names(number(underlay)) if underlay else None,
            remote=addresses.text(remote) if remote else None,
            local=addresses.text(local) if local else None,
            learning=data[IFLA_VXLAN_LEARNING] != b"\0",
            up=basis.up,
            mtu=basis.mtu,
            mac_address=basis.mac_address,
            index=basis.index,
            group=basis.group,
        )

    def tree(self, spec: Vxlan) -> Mapping[str, Any]:
        """The members of the interface that tell of the tunnel. A multicast or missing remote is left out."""
        vxlan = {
            "vni": spec.vni,
            "udp-port": spec.port,
            "underlay": spec.underlay,
            "remote": spec.remote,
            "local": spec.local,
            "learning": spec.learning,
        }
        members = {
            "tasuki-link:mtu": spec.mtu,
            "tasuki-link:mac-address": spec.mac_address,
            "tasuki-link:vxlan": {name: value for name, value in vxlan.items() if value is not None},
        }
        return {name: value for name, value in members.items() if value is not None}


def _address(v4: int, v6: int, address: str) -> bytes:
    return raw(v6 if addresses.is_ipv6(address) else v4, addresses.packed(address))


def _same_family(one: str | None, other: str | None) -> bool:
    return one is not None and other is not None and addresses.family(one) == addresses.family(other)


TYPE = VxlanType()
