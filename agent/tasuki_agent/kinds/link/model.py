"""Links in the router tree, and whose they are."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Self

from tasuki_yang.router import InterfacesInterface, Router

from tasuki_agent.kernel.marks import GROUP
from tasuki_agent.kind import Observed, Ref, Update, Waiting
from tasuki_agent.kinds.link import linktypes
from tasuki_agent.kinds.link.linktypes import LinkSpec, LinkType, OtherLink
from tasuki_agent.kinds.router_tree import interface_path, interface_tree
from tasuki_agent.known import Known, Unknown

OTHER = "iana-if-type:other"
"""The type of an interface that is not ours to create: it is there, or it is waited for."""


class LinkName(str):
    """The name of a link.

    Attributes:
        link_type: says where the tree has the fields of the link; None if it is of no type of ours.
    """

    __slots__ = ("link_type",)

    link_type: LinkType | None

    def __new__(cls, name: str, link_type: LinkType | None) -> Self:
        """The name of a link of this type."""
        self = super().__new__(cls, name)
        self.link_type = link_type
        return self


class UpLink(Ref):
    """A link that is needed up: the kernel keeps no routes, and no IPv6 addresses, on one that is down."""

    __slots__ = ()

    def __str__(self) -> str:
        return f"{super().__str__()} to be up"

    def met_by(self, spec: LinkSpec) -> bool:
        """Whether it is up."""
        return spec.up


def want(intent: Router, known: Known) -> Mapping[str, LinkSpec | Waiting]:
    """The links that we create, and those of a type that we cannot create, which fail and say so."""
    types = linktypes.by_identity()
    return {
        LinkName(interface.name, link_type): _want(interface, link_type, known)
        for interface in intent.interfaces.interface
        if interface.type != OTHER
        for link_type in (types.get(interface.type),)
    }


def _want(interface: InterfacesInterface, link_type: LinkType | None, known: Known) -> LinkSpec | Waiting:
    if link_type is None:
        return OtherLink(interface.type, interface.enabled)
    try:
        return link_type.want(interface, known)
    except Unknown as unknown:
        return replace(Waiting.of(unknown), off=not interface.enabled)


def is_created(interface: InterfacesInterface) -> bool:
    """Whether the interface is one that we create."""
    return interface.type in linktypes.by_identity()


def needs(key: str, spec: LinkSpec) -> Iterable[Ref]:  # noqa: ARG001
    """The links below a link."""
    link_type = linktypes.by_spec().get(type(spec))
    return tuple(Ref("link", name) for name in link_type.underlays(spec)) if link_type else ()


def rank(key: str) -> int:  # noqa: ARG001
    """Links have no order among themselves but their needs."""
    return 0


def owns(key: str, spec: LinkSpec, observed: Observed) -> bool:  # noqa: ARG001
    """Ours are in our group: it is set by the very message that creates a link."""
    return spec.group == GROUP


def typed_over(key: str, spec: LinkSpec) -> bool:  # noqa: ARG001
    """Never: who takes the name of a link of ours makes another link."""
    return False


def in_place(observed: LinkSpec, wanted: LinkSpec) -> bool:
    """What the type says, if it stays the same."""
    link_type = linktypes.by_spec().get(type(wanted))
    return link_type is not None and type(observed) is type(wanted) and link_type.in_place(observed, wanted)


def suspended(
    spec: LinkSpec, waiting: Waiting, wanted: Mapping[str, LinkSpec | Waiting], observed: Observed
) -> LinkSpec:
    """Down if it shall be off, or has lost its source address or its ends; otherwise what it is.

    The interface stays, and with it all that is bound to it by name or index. Its ends it loses to a link
    that is wanted with them: it would not have them any more if it were known which ones are next.
    """
    link_type = linktypes.by_spec().get(type(spec))
    if link_type is None:
        return spec
    # Of thousands that wait most claim nothing, and need not be held against thousands.
    if makes_claim(spec) and any(
        not isinstance(other, Waiting) and _clash(spec, other) for other in wanted.values()
    ):
        spec, up = link_type.parked(spec), False
    else:
        source = link_type.source(spec)
        up = spec.up and not waiting.off and (source is None or _is_here(source, observed))
    return replace(spec, up=up)  # type: ignore[type-var]


def _is_here(address: str, observed: Observed) -> bool:
    return any(key.ip == address and spec.usable for key, spec in observed.get("address", {}).items())


def makes_claim(spec: LinkSpec) -> bool:
    """Whether the kernel lets only one link have what this one has, and it can be changed in place."""
    link_type = linktypes.by_spec().get(type(spec))
    return link_type is not None and link_type.claim(spec) is not None


def make_way(
    name: str, spec: LinkSpec, links: Mapping[str, LinkSpec], changing: Mapping[str, LinkSpec]
) -> Update | None:
    """What lets a link become as wanted where the kernel says that there is such a one already.

    Args:
        name: of the link.
        spec: what it is wanted to be.
        links: all links that are there.
        changing: what links are being changed into at this moment.

    Returns:
        A link's being parked that is about to lose what is claimed of it; None if there is no such.
    """
    for other, seen in links.items():
        if other != name and _clash(seen, spec):
            leaves = other in changing and not _clash(seen, changing[other])
            parked = linktypes.by_spec()[type(seen)].parked(seen)
            return Update(other, seen, parked) if leaves else None
    return None


def _clash(one: LinkSpec, other: LinkSpec) -> bool:
    """Whether the kernel lets only one of two links be there."""
    if type(one) is not type(other) or not makes_claim(one):
        return False
    link_type = linktypes.by_spec()[type(one)]
    return link_type.claim(one) == link_type.claim(other)


def path(key: str, field: str = "") -> str:
    """The interface, or the leaf of a field of its type."""
    link_type = key.link_type if isinstance(key, LinkName) else None
    leaves = _LEAVES if link_type is None else {**_LEAVES, **link_type.leaves}
    return interface_path(key) + leaves.get(field, "")


def tree(key: str, spec: LinkSpec) -> Mapping[str, Any]:
    """The interface without its addresses."""
    link_type = linktypes.by_spec().get(type(spec))
    members = {"type": link_type.identity, **link_type.tree(spec)} if link_type else {"type": OTHER}
    # A plain text: the tree is checked to be made of JSON's own types.
    return interface_tree(str(key), {"enabled": spec.up, **members})


_LEAVES = {"type": "/type", "up": "/enabled"}

__all__ = [
    "LinkName",
    "OtherLink",
    "UpLink",
    "in_place",
    "is_created",
    "make_way",
    "makes_claim",
    "needs",
    "owns",
    "path",
    "rank",
    "suspended",
    "tree",
    "want",
]
