"""The kind `route`: the model and the codec, joined to the kernel."""

import errno
import socket
from collections.abc import Mapping
from itertools import chain, product
from typing import ClassVar

from tasuki_agent.errors import Transient
from tasuki_agent.kernel import Kernel, Topic, uapi
from tasuki_agent.kernel.interfaces import index_of
from tasuki_agent.kernel.marks import PROTOCOL
from tasuki_agent.kernel.memo import Memo
from tasuki_agent.kind import Change, Create, Delete, Update
from tasuki_agent.kinds.route import codec, model
from tasuki_agent.kinds.route.model import Route, RouteKey

_DUMPS = tuple(
    codec.dump(family, protocol)
    for family, protocol in product(
        (socket.AF_INET, socket.AF_INET6), (PROTOCOL, uapi.RTPROT_BOOT, uapi.RTPROT_STATIC)
    )
)


class RouteKind:
    """Routes by table, prefix and metric.

    Ours and what people typed are observed. Routes of daemons and of the kernel stay in the kernel, a full
    BGP table above all; whoever of them holds a key that we want shows when we create the route.
    """

    name: ClassVar = "route"
    follows: ClassVar[tuple[str, ...]] = ("address",)
    wakes_on: ClassVar[frozenset[str]] = frozenset({Topic.ROUTE, Topic.ADDRESS, Topic.LINK})
    """IPv4 routes go with their link or address without a message of their own."""

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

    async def observe(self) -> Mapping[RouteKey, Route]:
        """Our routes and those that people typed."""
        dumps = (self._rtnetlink.dump(uapi.RTM_GETROUTE, dump) for dump in _DUMPS)
        return self._memo.objects(chain.from_iterable(dumps))

    async def apply(self, change: Change) -> None:
        """One message. A replaced route is never absent in between."""
        request = self._rtnetlink.request
        match change:
            case Create(key, spec):
                doing = f"create route {key}"
                message = codec.create(key, spec, _index(spec, doing))
                await request(uapi.RTM_NEWROUTE, uapi.NLM_F_CREATE | uapi.NLM_F_EXCL, message, doing=doing)
            case Update(key, _, spec):
                doing = f"change route {key}"
                message = codec.create(key, spec, _index(spec, doing))
                await request(uapi.RTM_NEWROUTE, uapi.NLM_F_REPLACE, message, doing=doing)
            case Delete(key, observed):
                await self._delete(key, observed)

    async def _delete(self, key: RouteKey, observed: Route) -> None:
        doing = f"delete route {key}"
        try:
            index = _index(observed, doing)
        except Transient:
            return  # Gone with its interface.
        message = codec.delete(key, observed, index)
        gone = (errno.ESRCH, errno.ENODEV)
        await self._rtnetlink.request(uapi.RTM_DELROUTE, 0, message, doing=doing, tolerate=gone)


def _index(spec: Route, doing: str) -> int | None:
    return index_of(spec.dev, doing=doing) if spec.dev else None
