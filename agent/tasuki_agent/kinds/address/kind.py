"""The kind `address`: the model and the codec, joined to the kernel."""

import errno
from collections.abc import Awaitable, Mapping
from typing import ClassVar

from tasuki_agent.kernel import Kernel, Topic, uapi
from tasuki_agent.kernel.memo import Memo, ours_first
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
        self._index_of = kernel.interfaces.index_of
        self._memo = Memo(codec.decode, kernel.interfaces.name_of)

    async def observe(self) -> Mapping[AddressKey, Address]:
        """Every address of this network namespace."""
        messages = [
            message
            for dump in (codec.dump(uapi.AF_INET), codec.dump(uapi.AF_INET6))
            for message in await self._rtnetlink.dump(uapi.RTM_GETADDR, dump)
        ]
        return self._memo.objects(ours_first(messages, codec.MARK))

    def apply(self, change: Change) -> Awaitable[None]:
        """One message; what is gone with its interface is deleted already."""
        match change:
            case Create(key, spec):
                return self._rtnetlink.request(
                    uapi.RTM_NEWADDR,
                    uapi.NLM_F_CREATE | uapi.NLM_F_EXCL,
                    lambda: codec.create(key, spec, self._index_of(key.interface)),
                    doing="create address",
                    subject=key,
                )
            case Update(key):
                raise TypeError(f"address {key} cannot be changed in place")
            case Delete(key, observed):
                return self._rtnetlink.request(
                    uapi.RTM_DELADDR,
                    0,
                    lambda: codec.delete(key, observed),
                    doing="delete address",
                    subject=key,
                    tolerate=(errno.EADDRNOTAVAIL, errno.ENODEV),
                )
