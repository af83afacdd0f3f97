"""Links as rtnetlink messages: struct ifinfomsg and the attributes that all types have."""

import struct
from collections.abc import Callable, Collection, Iterator

from tasuki_agent.errors import Permanent
from tasuki_agent.kernel import uapi
from tasuki_agent.kernel.attributes import nested, number, parse, raw, string, text, u32
from tasuki_agent.kernel.interfaces import Names
from tasuki_agent.kernel.marks import GROUP
from tasuki_agent.kind import Topic
from tasuki_agent.kinds.link import linktypes
from tasuki_agent.kinds.link.linktypes import Basis, LinkSpec, OtherLink
from tasuki_agent.kinds.link.model import LinkName

_HEAD = struct.Struct("=BxHiII")
"""struct ifinfomsg: family, type of the device, index, flags, mask of the flags."""

TOPIC = Topic((uapi.RTNLGRP_LINK,), (uapi.RTM_NEWLINK, uapi.RTM_DELLINK))
DUMP = _HEAD.pack(0, 0, 0, 0, 0) + u32(uapi.IFLA_EXT_MASK, uapi.RTEXT_FILTER_SKIP_STATS)


def decode(message: bytes, names: Names) -> tuple[str, LinkSpec]:
    """Name and spec of an observed link."""
    _, _, index, flags, _ = _HEAD.unpack_from(message)
    values = parse(message, _HEAD.size)
    basis = Basis(
        index=index,
        up=bool(flags & uapi.IFF_UP),
        mtu=number(values[uapi.IFLA_MTU]),
        mac_address=values.get(uapi.IFLA_ADDRESS, b"").hex(":"),
        group=number(values[uapi.IFLA_GROUP]),
    )
    info = parse(values.get(uapi.IFLA_LINKINFO, b""))
    kind = text(info.get(uapi.IFLA_INFO_KIND, b"device"))
    link_type = linktypes.by_kernel_name().get(kind)
    name = LinkName(text(values[uapi.IFLA_IFNAME]), link_type)
    if link_type is None:
        return name, OtherLink(kind, basis.up, basis.mtu, basis.mac_address, index, basis.group)
    return name, link_type.decode(basis, parse(info[uapi.IFLA_INFO_DATA]), names)


def create(name: str, spec: LinkSpec, index_of: Callable[[str], int]) -> bytes:
    """A new link with our mark, up at once if it shall be.

    Raises:
        Permanent: it is of a type that no agent of this version creates.
    """
    if isinstance(spec, OtherLink):
        known = ", ".join(sorted(linktypes.by_identity()))
        raise Permanent(f"this agent creates no links of the type {spec.type}, but {known}")
    link_type = linktypes.by_spec()[type(spec)]
    flags = uapi.IFF_UP if spec.up else 0
    data = link_type.encode(spec, link_type.leaves, index_of)
    return b"".join(
        (
            _HEAD.pack(0, 0, 0, flags, uapi.IFF_UP),
            string(uapi.IFLA_IFNAME, name),
            u32(uapi.IFLA_GROUP, GROUP),
            _basics(spec, linktypes.BASICS),
            _info(link_type.kernel_name, data=b"".join(data)),
        )
    )


def module_advice(spec: LinkSpec) -> str:
    """What to do where the kernel knows no links of this type: it loads modules by itself, if it has them."""
    link_type = linktypes.by_spec().get(type(spec))
    if link_type is None:
        return ""
    module = link_type.module
    return f"it takes the kernel's module {module}; modprobe {module} says what is amiss"


def changes(
    observed: LinkSpec, spec: LinkSpec, fields: Collection[str], index_of: Callable[[str], int]
) -> Iterator[bytes]:
    """Changes of the fields named to the observed link, by its index."""
    link_type = linktypes.by_spec()[type(spec)]
    for names in link_type.messages(frozenset(fields)):
        data = b"".join(link_type.encode(spec, names, index_of))
        flags, mask = (uapi.IFF_UP if spec.up else 0, uapi.IFF_UP) if "up" in names else (0, 0)
        info = _info(link_type.kernel_name, data) if data else b""
        yield _HEAD.pack(0, 0, observed.index, flags, mask) + _basics(spec, names) + info


def _basics(spec: LinkSpec, fields: Collection[str]) -> bytes:
    """Attributes that links of all types have, of the fields named."""
    attributes = b""
    if "mtu" in fields and spec.mtu is not None:
        attributes += u32(uapi.IFLA_MTU, spec.mtu)
    if "mac_address" in fields and spec.mac_address is not None:
        attributes += raw(uapi.IFLA_ADDRESS, bytes.fromhex(spec.mac_address.replace(":", "")))
    return attributes


def delete(observed: LinkSpec) -> bytes:
    """Deletion of the observed link, by its index: never of another one that took the name."""
    return _HEAD.pack(0, 0, observed.index, 0, 0)


def _info(kind: str, data: bytes) -> bytes:
    return nested(
        uapi.IFLA_LINKINFO, (string(uapi.IFLA_INFO_KIND, kind), nested(uapi.IFLA_INFO_DATA, (data,)))
    )
