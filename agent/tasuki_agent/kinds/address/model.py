"""Addresses in the router tree, and whose they are."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, Self, TypeAlias

from tasuki_yang.facts import address_in
from tasuki_yang.path import predicate
from tasuki_yang.router import InterfacesInterface, Router
from tasuki_yang.router import InterfacesInterfaceIpv4LeasedAddress as LeasedAddress
from tasuki_yang.router import InterfacesInterfaceIpv6DelegatedAddress as DelegatedAddress

from tasuki_agent.kernel import addresses, uapi
from tasuki_agent.kernel.marks import GROUP, PROTOCOL
from tasuki_agent.kind import Observed, Ref, Waiting
from tasuki_agent.kinds.address import link_local
from tasuki_agent.kinds.address.lifetimes import Lifetimes, of_former, of_lease
from tasuki_agent.kinds.address.subnets import refuse_taken
from tasuki_agent.kinds.link.model import UpLink, is_created
from tasuki_agent.kinds.router_tree import interface_path, interface_tree
from tasuki_agent.known import Impossible, Known, Unknown
from tasuki_agent.late_bound import delegated_address

Place: TypeAlias = DelegatedAddress | LeasedAddress
"""Where the tree has an address that it does not name: in a delegated prefix, or leased."""

_UNUSABLE: Final = uapi.IFA_F_TENTATIVE | uapi.IFA_F_DADFAILED


class _Identity(NamedTuple):
    interface: str
    ip: str


class AddressKey(_Identity):
    """An address on an interface, as the tree has it: of two prefix lengths only one can be wanted."""

    place: Place | None = None
    """Where the tree has it, if that does not name it."""
    former: bool = False
    """Whether it is in a prefix that is not delegated any more."""

    def within(self, place: Place, *, former: bool = False) -> Self:
        """The same key, found at this place in the tree."""
        key = self._replace()
        key.place, key.former = place, former
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
    lifetimes: Lifetimes | None = None
    """None for ever."""
    protocol: int = field(default=PROTOCOL, compare=False)
    """IFA_PROTO; 0 for what people type."""
    flags: int = field(default=0, compare=False)
    """IFA_F_…; without IFA_F_PERMANENT the address was learned and will expire. Of these a new address has
    IFA_F_NODAD if it is wanted so."""
    refreshed: int = field(default=0, compare=False)
    """When somebody else told its lifetimes last, in hundredths of seconds since boot; 0 if it does not
    expire, or is ours."""
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
    # A former prefix may contain the present one, or lie in it: what is there now has the subnet.
    links: dict[str, str] = {}
    for interface in intent.interfaces.interface:
        for key, spec in _followed(interface, intent, known):
            wanted.setdefault(key, spec)
            if isinstance(spec, Address):
                links[_subnet(key, spec)] = key.interface
    for interface in intent.interfaces.interface:
        for key, former in _left(interface, intent, known):
            if links.setdefault(_subnet(key, former), key.interface) == key.interface:
                wanted.setdefault(key, former)
    return wanted


def _subnet(key: AddressKey, spec: Address) -> str:
    return addresses.canonical_prefix(f"{key.ip}/{spec.prefix_length}")


def _followed(
    interface: InterfacesInterface, intent: Router, known: Known
) -> Iterator[tuple[AddressKey, Address | Waiting]]:
    """The interface's addresses that follow leases."""
    if interface.ipv4 and interface.ipv4.leased_address:
        yield _leased(interface.name, interface.ipv4.leased_address, intent, known)
    for place in interface.ipv6.delegated_address if interface.ipv6 else ():
        yield _delegated(interface.name, place, intent, known)


def _left(
    interface: InterfacesInterface, intent: Router, known: Known
) -> Iterator[tuple[AddressKey, Address]]:
    """Those that former leases have left."""
    for place in interface.ipv6.delegated_address if interface.ipv6 else ():
        if place.renumbering == "deprecate":
            yield from _former(interface.name, place, intent, known)


def _leased(
    interface: str, place: LeasedAddress, intent: Router, known: Known
) -> tuple[AddressKey, Address | Waiting]:
    key = AddressKey(interface, "of the lease").within(place)
    try:
        leased = known.one(interface, "ipv4-address")
        ip, _, length = leased.partition("/")
        key = AddressKey(interface, addresses.canonical(ip)).within(place)
        refuse_taken(intent, interface, leased, f"leased on {interface}")
    except Unknown as unknown:
        return key, Waiting.of(unknown)
    lifetimes = of_lease(known.terms(interface, "ipv4-address", leased))
    return key, Address(int(length), lifetimes=lifetimes, learned=("",))


def _delegated(
    interface: str, place: DelegatedAddress, intent: Router, known: Known
) -> tuple[AddressKey, Address | Waiting]:
    """An address in the router's own prefix: nobody else has it, so no search for duplicates delays it."""
    where = f"{place.interface_id} in subnet {place.subnet_id} of the prefix of {place.lease}"
    key = AddressKey(interface, where).within(place)
    try:
        ip = delegated_address(place.lease, place.subnet_id, place.interface_id, known)
        key = AddressKey(interface, ip).within(place)
        refuse_taken(intent, interface, f"{ip}/{place.prefix_length}", f"delegated on {place.lease}")
    except Unknown as unknown:
        return key, Waiting.of(unknown)
    lifetimes = None
    if place.renumbering == "deprecate":
        prefix = known.one(place.lease, "delegated-prefix")
        lifetimes = of_lease(known.terms(place.lease, "delegated-prefix", prefix))
    return key, Address(place.prefix_length, lifetimes=lifetimes, flags=uapi.IFA_F_NODAD, learned=("",))


def _former(
    interface: str, place: DelegatedAddress, intent: Router, known: Known
) -> Iterator[tuple[AddressKey, Address]]:
    """The address in the former prefixes that have such a subnet, and have it still to give."""
    for prefix in known.some(place.lease, "former-prefixes"):
        try:
            ip = address_in(prefix, place.subnet_id, place.interface_id)
            refuse_taken(intent, interface, f"{ip}/{place.prefix_length}", f"delegated on {place.lease}")
        except (ValueError, Impossible):
            continue
        yield (
            AddressKey(interface, ip).within(place, former=True),
            Address(
                place.prefix_length,
                lifetimes=of_former(known.terms(place.lease, "former-prefixes", prefix)),
                flags=uapi.IFA_F_NODAD | uapi.IFA_F_DEPRECATED,
                learned=("",),
            ),
        )


def needs(key: AddressKey, spec: Address) -> Iterable[Ref]:  # noqa: ARG001
    """The interface, and that it is up."""
    return (UpLink("link", key.interface),)


def rank(key: AddressKey) -> int:
    """No address is deprecated before the one is there that takes its place."""
    return int(key.former)


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


def typed_over(key: AddressKey, spec: Address) -> bool:
    """What people type has no protocol. It does not expire, unless what it took the place of does."""
    return spec.protocol == uapi.IFAPROT_UNSPEC and bool(
        spec.flags & uapi.IFA_F_PERMANENT or key.place is not None
    )


def in_place(observed: Address, wanted: Address) -> bool:
    """Where an address reaches is changed by building it anew; its lifetimes, and what befell it, are not."""
    return (observed.prefix_length, observed.no_prefix_route) == (
        wanted.prefix_length,
        wanted.no_prefix_route,
    )


def path(key: AddressKey, field: str = "") -> str:
    """The entry in one of the interface's lists of addresses, or a leaf of it."""
    interface = interface_path(key.interface)
    match key.place:
        case DelegatedAddress() as place:
            entry = f"tasuki-address:delegated-address{_predicates(place)}"
            return f"{interface}/ietf-ip:ipv6/{entry}{_DELEGATED_LEAVES.get(field, '')}"
        case LeasedAddress():
            return f"{interface}/ietf-ip:ipv4/tasuki-address:leased-address"
        case None:
            family = addresses.yang_family(key.ip)
            return f"{interface}/ietf-ip:{family}/address[ip='{key.ip}']{_LEAVES.get(field, '')}"


def _predicates(place: DelegatedAddress) -> str:
    keys = (("lease", place.lease), ("subnet-id", place.subnet_id), ("interface-id", place.interface_id))
    return "".join(predicate(name, value) for name, value in keys)


def tree(key: AddressKey, spec: Address) -> Mapping[str, Any]:
    """The interface with this address, wherever it is from. How long it lasts no configuration says."""
    family = addresses.yang_family(key.ip)
    address: dict[str, Any] = {"ip": key.ip, "prefix-length": spec.prefix_length}
    if spec.no_prefix_route:
        address["tasuki-address:no-prefix-route"] = True
    return interface_tree(key.interface, {f"ietf-ip:{family}": {"address": [address]}})


_LEAVES = {"prefix_length": "/prefix-length", "no_prefix_route": "/tasuki-address:no-prefix-route"}
_DELEGATED_LEAVES = {"prefix_length": "/prefix-length"}
