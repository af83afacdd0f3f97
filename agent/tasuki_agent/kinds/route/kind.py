"""The kind `route`: the model and the codec, joined to the kernel."""

import errno
from collections.abc import Awaitable, Mapping
from itertools import product
from typing import ClassVar

from tasuki_agent.kernel import Kernel, Topic, uapi
from tasuki_agent.kernel.marks import PROTOCOL
from tasuki_agent.kernel.memo import Memo
from tasuki_agent.kind import Change, Create, Delete, Update
from tasuki_agent.kinds.route import codec, model
from tasuki_agent.kinds.route.model import Route, RouteKey

_DUMPS = tuple(
    codec.dump(family, protocol)
    for family, protocol in product(
        (uapi.AF_INET, uapi.AF_INET6), (PROTOCOL, uapi.RTPROT_BOOT, uapi.RTPROT_STATIC)
    )
)

SECOND_LOOKS = 4
"""Further dumps at the most, until two in a row agree."""


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
        self._index_of = kernel.interfaces.index_of
        self._memo = Memo(codec.decode, kernel.interfaces.name_of)
        self._seen: Mapping[RouteKey, Route] | None = None

    async def observe(self) -> Mapping[RouteKey, Route]:
        """Our routes and those that people typed.

        While routes are deleted, a dump of IPv6 routes passes over others that are not, and does not say so
        (net/ipv6/ip6_fib.c, fib6_dump_table()). So what was there is gone only when two dumps agree.
        """
        routes = await self._dump()
        for _ in range(SECOND_LOOKS):
            if self._seen is not None and routes.keys() >= self._seen.keys():
                break
            again = await self._dump()
            agreed, routes = again.keys() == routes.keys(), again
            if agreed:
                break
        self._seen = routes
        return routes

    async def _dump(self) -> Mapping[RouteKey, Route]:
        return self._memo.objects(
            [message for dump in _DUMPS for message in await self._rtnetlink.dump(uapi.RTM_GETROUTE, dump)]
        )

    def apply(self, change: Change) -> Awaitable[None]:
        """One message. A replaced route is never absent in between."""
        match change:
            case Create(key, spec):
                return self._put(key, spec, uapi.NLM_F_CREATE | uapi.NLM_F_EXCL, "create route")
            case Update(key, _, spec):
                return self._put(key, spec, uapi.NLM_F_REPLACE, "change route")
            case Delete(key, observed):
                return self._delete(key, observed)

    def _put(self, key: RouteKey, spec: Route, flags: int, doing: str) -> Awaitable[None]:
        return self._rtnetlink.request(
            uapi.RTM_NEWROUTE,
            flags,
            lambda: codec.create(key, spec, self._index_of(spec.dev) if spec.dev else None),
            doing=doing,
            subject=key,
        )

    def _delete(self, key: RouteKey, observed: Route) -> Awaitable[None]:
        return self._rtnetlink.request(
            uapi.RTM_DELROUTE,
            0,
            lambda: codec.delete(key, observed),
            doing="delete route",
            subject=key,
            tolerate=(errno.ESRCH, errno.ENODEV),
        )
