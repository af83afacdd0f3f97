"""The kind `route`: the model and the codec, joined to the kernel."""

import asyncio
import errno
from collections.abc import Awaitable, Mapping
from itertools import product
from typing import ClassVar

from tasuki_agent.errors import Foreign
from tasuki_agent.kernel import Kernel, addresses, uapi
from tasuki_agent.kernel.marks import PROTOCOL
from tasuki_agent.kernel.memo import Memo
from tasuki_agent.kind import Change, Create, Delete, Topic, Update, as_it_is, differing_fields
from tasuki_agent.kinds.address import codec as address
from tasuki_agent.kinds.link import codec as link
from tasuki_agent.kinds.route import codec, model
from tasuki_agent.kinds.route.model import Route, RouteKey

_PROTOCOLS = (PROTOCOL, uapi.RTPROT_BOOT, uapi.RTPROT_STATIC)
"""Ours, which come first in an observation, and those of what people type."""
_DUMPS = tuple(
    codec.dump(family, protocol) for family, protocol in product((uapi.AF_INET, uapi.AF_INET6), _PROTOCOLS)
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
    wakes_on: ClassVar[tuple[Topic, ...]] = (codec.TOPIC, address.TOPIC, link.TOPIC)
    """IPv4 routes go with their link or address without a message of their own."""

    want = staticmethod(model.want)
    needs = staticmethod(model.needs)
    rank = staticmethod(model.rank)
    owns = staticmethod(model.owns)
    typed_over = staticmethod(model.typed_over)
    in_place = staticmethod(model.in_place)
    suspended = staticmethod(as_it_is)
    path = staticmethod(model.path)
    tree = staticmethod(model.tree)

    def __init__(self, kernel: Kernel) -> None:
        self._rtnetlink = kernel.rtnetlink
        self._index_of = kernel.interfaces.index_of
        self._memo = Memo(codec.decode, kernel.interfaces.name_of, model.beside)
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
        """One message if nothing is beside the route. A replaced route is never absent in between."""
        match change:
            case Create(key, spec):
                return self._put(key, spec, uapi.NLM_F_CREATE | uapi.NLM_F_EXCL, "create route")
            case Update(key, observed, spec) if observed.others:
                return self._part(key, observed, spec)
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

    async def _part(self, key: RouteKey, observed: Route, spec: Route) -> None:
        """Change a route that others are beside: replacing it would destroy theirs, whoever they are.

        A deletion hits only the protocol that it names: what people typed goes, what a daemon made stays.

        Raises:
            Foreign: a daemon's next hops are among those of an IPv6 route.
        """
        await asyncio.gather(
            *(
                self._delete(key, Route(hop.type, hop.via, hop.dev, (), protocol, hop.index))
                for hop, protocol in product(observed.others, _PROTOCOLS)
                if protocol != observed.protocol or model.apart(hop, observed)
            )
        )
        left = (await self._dump()).get(key)
        if left is None:
            return
        if left.others and addresses.is_ipv6(key.prefix):
            theirs = ", ".join(map(str, left.others))
            raise Foreign(f"change route {key}: somebody's next hops are beside it and left alone: {theirs}")
        if differing_fields(spec, left):
            await self._put(key, spec, uapi.NLM_F_REPLACE, "change route")

    def _delete(self, key: RouteKey, observed: Route) -> Awaitable[None]:
        return self._rtnetlink.request(
            uapi.RTM_DELROUTE,
            0,
            lambda: codec.delete(key, observed),
            doing="delete route",
            subject=key,
            tolerate=(errno.ESRCH, errno.ENODEV),
        )
