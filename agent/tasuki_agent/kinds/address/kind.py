"""The kind `address`: the model and the codec, joined to the kernel."""

import errno
import socket
from collections.abc import Mapping
from typing import ClassVar

from tasuki_agent.errors import Permanent
from tasuki_agent.kernel import Kernel, Topic, uapi
from tasuki_agent.kernel.interfaces import index_of
from tasuki_agent.kernel.memo import Memo
from tasuki_agent.kind import Change, Create, Delete, Update
from tasuki_agent.kinds.address import codec, model
from tasuki_agent.kinds.address.model import Address, AddressKey


class AddressKind:
    """Addresses by interface and IP address. All are observed; only ours are changed."""

    name: ClassVar = "address"
    follows: ClassVar[tuple[str, ...]] = ("link",)
    wakes_on: ClassVar[frozenset[str]] = frozenset({Topic.ADDRESS, Topic.LINK})

    want = staticmethod(model.want)
    needs = staticmethod(model.needs)
    rank = staticmethod(model.rank)
    owns = staticmethod(model.owns)
    in_place = staticmethod(model.in_place)
    path = staticmethod(model.path)
    tree = staticmethod(model.tree)

    def __init__(self, kernel: Kernel) -> None:
        self._rtnetlink = kernel.rtnetlink
        self._memo = Memo(codec.decode)

    async def observe(self) -> Mapping[AddressKey, Address]:
        """Every address of this network namespace."""
        families = (socket.AF_INET, socket.AF_INET6)
        dumps = (self._rtnetlink.dump(uapi.RTM_GETADDR, codec.dump(family)) for family in families)
        return self._memo.objects(message for messages in dumps for message in messages)

    async def apply(self, change: Change) -> None:
        """One message; what is gone with its interface is deleted already."""
        request = self._rtnetlink.request
        match change:
            case Create(key, spec):
                doing = f"create address {key}"
                message = codec.create(key, spec, index_of(key.interface, doing=doing))
                await request(uapi.RTM_NEWADDR, uapi.NLM_F_CREATE | uapi.NLM_F_EXCL, message, doing=doing)
            case Update(key):
                raise Permanent(f"change address {key}: not possible in place")
            case Delete(key, observed):
                message = codec.delete(key, observed)
                gone = (errno.EADDRNOTAVAIL, errno.ENODEV)
                await request(uapi.RTM_DELADDR, 0, message, doing=f"delete address {key}", tolerate=gone)
