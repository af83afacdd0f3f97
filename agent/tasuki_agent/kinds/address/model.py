"""Addresses in the router tree, and whose they are."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, Self

from tasuki_yang.path import predicate
from tasuki_yang.router import InterfacesInterfaceIpv6DelegatedAddress as DelegatedAddress
from tasuki_yang.router import Router

from tasuki_agent.kernel import addresses, uapi
from tasuki_agent.kernel.marks import GROUP, PROTOCOL
from tasuki_agent.kind import Observed, Ref, Waiting
from tasuki_agent.kinds.address import link_local
from tasuki_agent.kinds.link.model import UpLink, is_created
from tasuki_agent.kinds.router_tree import interface_path, interface_tree
from tasuki_agent.known import Known, Unknown
from tasuki_agent.late_bound import delegated_address

_UNUSABLE: Final = uapi.IFA_F_TENTATIVE | uapi.IFA_F_DADFAILED


class _Identity(NamedTuple):
    interface: str
    ip: str


class AddressKey(_Identity):
    """An address on an interface, as the tree has it: of two prefix lengths only one can be wanted."""

    place: DelegatedAddress | None = None
    """Where in a delegated prefix the tree has it, if it has it there."""

    def within(self, place: DelegatedAddress) -> Self:
        """The same key, found at this place in the tree."""
        key = self._replace()
        key.place = place
        return key

    def __str__(self) -> str:
        return f"{self.ip} dev {self.interface}"


@dataclass(frozen=True, slots=True)
class Address:
    """What is managed of an address."""

    prefix_length: int
    no_prefix_route: bool = False
    link_local: bool = True
    """Whether the interface has the link-local address without which it forwards nothing."""
    duplicate: bool = False
    """Whether another host on the link has it too: then it carries nothing (RFC 4862 section 5.4.5)."""
    protocol: int = field(default=PROTOCOL, compare=False)
    """IFA_PROTO; 0 for what people type."""
    flags: int = field(default=0, compare=False)
    """IFA_F_…; without IFA_F_PERMANENT the address was learned and will expire. Of these a new address has
    IFA_F_NODAD if it is wanted so."""
    refreshed: int = field(default=0, compare=False)
    """When its lifetimes were told last, in hundredths of seconds since boot; 0 if it does not expire."""
    index: int = field(default=0, compare=False)
    learned: tuple[str, ...] = field(default=(), compare=False)
    """Fields that the intent does not tell itself: none, or `""` for all of it."""
    missing_link_local: str = field(default="", compare=False)

    @property
    def at_once(self) -> bool:
        """Whether packets can have the address from the moment that it is made."""
        return bool(self.flags & uapi.IFA_F_NODAD)

    @property
    def usable(self) -> bool:
        """Whether packets can have it as their source: an optimistic address can, though it is tentative."""
        return not self.flags & _UNUSABLE or bool(self.flags & uapi.IFA_F_OPTIMISTIC)

    @property
    def settling(self) -> str:
        """What the kernel is still about, before packets can have the address; empty when they can."""
        unusable = self.flags & uapi.IFA_F_TENTATIVE and not self.flags & uapi.IFA_F_OPTIMISTIC
        return "duplicate address detection: has the interface a carrier?" if unusable else ""


def want(intent: Router, known: Known) -> Mapping[AddressKey, Address | Waiting]:
    """Every address in the tree."""
    wanted: dict[AddressKey, Address | Waiting] = {
        AddressKey(interface.name, addresses.canonical(address.ip)): Address(
            address.prefix_length,
            address.no_prefix_route,
            # A tunnel has two ends: a search for duplicates would only delay what it carries.
            flags=uapi.IFA_F_NODAD if family is interface.ipv6 and is_created(interface) else 0,
        )
        for interface in intent.interfaces.interface
        for family in (interface.ipv4, interface.ipv6)
        if family is not None
        for address in family.address
        if address.prefix_length is not None
    }
    for interface in intent.interfaces.interface:
        for place in interface.ipv6.delegated_address if interface.ipv6 else ():
            key, spec = _delegated(interface.name, place, known)
            wanted.setdefault(key, spec)
    return wanted


def _delegated(interface: str, place: DelegatedAddress, known: Known) -> tuple[AddressKey, Address | Waiting]:
    """An address in the router's own prefix: nobody else has it, so no search for duplicates delays it."""
    try:
        ip = delegated_address(place.lease, place.subnet_id, place.interface_id, known)
    except Unknown as unknown:
        where = f"{place.interface_id} in subnet {place.subnet_id} of the prefix of {place.lease}"
        return AddressKey(interface, where).within(place), Waiting.of(unknown)
    spec = Address(place.prefix_length, flags=uapi.IFA_F_NODAD, learned=("",))
    return AddressKey(interface, ip).within(place), spec


def needs(key: AddressKey, spec: Address) -> Iterable[Ref]:  # noqa: ARG001
    """The interface, and that it is up."""
    return (UpLink("link", key.interface),)


def rank(key: AddressKey) -> int:  # noqa: ARG001
    """Addresses have no order among themselves."""
    return 0


def owns(key: AddressKey, spec: Address, observed: Observed) -> bool:
    """Ours bear our protocol. On our own links what people typed is ours to take away as well.

    But not what they typed for want of a link-local address, without which nothing is forwarded.
    """
    if spec.protocol == PROTOCOL:
        return True
    if spec.protocol != uapi.IFAPROT_UNSPEC or not spec.flags & uapi.IFA_F_PERMANENT:
        return False
    if addresses.is_ipv6(key.ip) and addresses.contains(link_local.PREFIX, f"{key.ip}/128"):
        return False
    link = observed.get("link", {}).get(key.interface)
    return link is not None and link.group == GROUP


def typed_over(key: AddressKey, spec: Address) -> bool:  # noqa: ARG001
    """What people type has no protocol and does not expire."""
    return spec.protocol == uapi.IFAPROT_UNSPEC and bool(spec.flags & uapi.IFA_F_PERMANENT)


def in_place(observed: Address, wanted: Address) -> bool:
    """What the tree says of an address is changed by building it anew; what befell it is mended."""
    return (observed.prefix_length, observed.no_prefix_route) == (
        wanted.prefix_length,
        wanted.no_prefix_route,
    )


def path(key: AddressKey, field: str = "") -> str:
    """The entry in one of the interface's lists of addresses, or a leaf of it."""
    if key.place:
        return _delegated_path(key.interface, key.place) + _DELEGATED_LEAVES.get(field, "")
    family = addresses.yang_family(key.ip)
    return f"{interface_path(key.interface)}/ietf-ip:{family}/address[ip='{key.ip}']{_LEAVES.get(field, '')}"


def _delegated_path(interface: str, place: DelegatedAddress) -> str:
    keys = (("lease", place.lease), ("subnet-id", place.subnet_id), ("interface-id", place.interface_id))
    predicates = "".join(predicate(name, value) for name, value in keys)
    return f"{interface_path(interface)}/ietf-ip:ipv6/tasuki-address:delegated-address{predicates}"


def tree(key: AddressKey, spec: Address) -> Mapping[str, Any]:
    """The interface with this address, wherever it is from."""
    family = addresses.yang_family(key.ip)
    address: dict[str, Any] = {"ip": key.ip, "prefix-length": spec.prefix_length}
    if spec.no_prefix_route:
        address["tasuki-address:no-prefix-route"] = True
    return interface_tree(key.interface, {f"ietf-ip:{family}": {"address": [address]}})


_LEAVES = {"prefix_length": "/prefix-length", "no_prefix_route": "/tasuki-address:no-prefix-route"}
_DELEGATED_LEAVES = {"prefix_length": "/prefix-length"}
