"""Links in the router tree, and whose they are."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Self

from tasuki_yang.router import InterfacesInterface, Router

from tasuki_agent.kernel.marks import GROUP
from tasuki_agent.kind import Observed, Ref, Waiting
from tasuki_agent.kinds.link import linktypes
from tasuki_agent.kinds.link.linktypes import LinkSpec, LinkType, OtherLink, Tunnel
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
        return Waiting(unknown.on, unknown.hint)


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


def suspended(spec: LinkSpec, observed: Observed) -> LinkSpec:
    """Down, if it is a tunnel in IPv6 packets from an address that the router has lost.

    Up, the kernel would complain of each packet. The interface stays, and with it all that is bound to it by
    name or index. VXLAN stays up: the kernel is silent there, and its inner addresses would go with it, and
    be checked for duplicates for more than a second when they are back.
    """
    local = spec.local if isinstance(spec, Tunnel) else None
    if local is None or any(key.ip == local for key in observed.get("address", {})):
        return spec
    return replace(spec, up=False)  # type: ignore[type-var]


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
    "needs",
    "owns",
    "path",
    "rank",
    "suspended",
    "tree",
    "want",
]
