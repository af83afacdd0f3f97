"""The kind `link`: the model and the codec, joined to the kernel."""

import asyncio
import errno
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import ClassVar

from tasuki_agent.errors import Foreign
from tasuki_agent.kernel import Kernel, uapi
from tasuki_agent.kernel.memo import Memo
from tasuki_agent.kind import Change, Create, Delete, Topic, Update, differing_fields
from tasuki_agent.kinds.link import codec, model
from tasuki_agent.kinds.link.linktypes import LinkSpec


class LinkKind:
    """Links by name. All are observed; only ours are changed."""

    name: ClassVar = "link"
    follows: ClassVar[tuple[str, ...]] = ()
    wakes_on: ClassVar[tuple[Topic, ...]] = (codec.TOPIC,)

    want = staticmethod(model.want)
    needs = staticmethod(model.needs)
    rank = staticmethod(model.rank)
    owns = staticmethod(model.owns)
    typed_over = staticmethod(model.typed_over)
    in_place = staticmethod(model.in_place)
    suspended = staticmethod(model.suspended)
    path = staticmethod(model.path)
    tree = staticmethod(model.tree)

    def __init__(self, kernel: Kernel) -> None:
        self._rtnetlink = kernel.rtnetlink
        self._index_of = kernel.interfaces.index_of
        self._memo = Memo(codec.decode, kernel.interfaces.name_of)
        self._changing: dict[str, LinkSpec] = {}
        """What links are being changed into at this moment."""
        self._making_way = asyncio.Lock()

    async def observe(self) -> Mapping[str, LinkSpec]:
        """Every link of this network namespace."""
        return self._memo.objects(await self._rtnetlink.dump(uapi.RTM_GETLINK, codec.DUMP))

    def apply(self, change: Change) -> Awaitable[None]:
        """One message each: a link that is created is ours and up from its first moment."""
        match change:
            case Create(name, spec):
                create = partial(self._create, name, spec)
                return self._claiming(name, spec, create) if model.makes_claim(spec) else create()
            case Update(name, observed, spec):
                return self._claiming(name, spec, partial(self._update, name, observed, spec))
            case Delete(name, observed):
                return self._rtnetlink.request(
                    uapi.RTM_DELLINK,
                    0,
                    lambda: codec.delete(observed),
                    doing="delete link",
                    subject=name,
                    tolerate=(errno.ENODEV,),
                )

    async def _claiming(self, name: str, spec: LinkSpec, make: Callable[[], Awaitable[None]]) -> None:
        """Make a change, though a link that is about to change as well may be in its way.

        Tunnels whose ends go round among them all meet the one that has not left yet. One after another
        looks who that is, and parks it.
        """
        self._changing[name] = spec
        try:
            await make()
        except Foreign:
            async with self._making_way:
                links = await self.observe()
                if (parking := model.make_way(name, spec, links, self._changing)) is not None:
                    await self._update(parking.key, parking.observed, parking.spec)
                await make()
        finally:
            del self._changing[name]

    def _create(self, name: str, spec: LinkSpec) -> Awaitable[None]:
        return self._rtnetlink.request(
            uapi.RTM_NEWLINK,
            uapi.NLM_F_CREATE | uapi.NLM_F_EXCL,
            lambda: codec.create(name, spec, self._index_of),
            doing="create link",
            subject=name,
            advice={errno.EOPNOTSUPP: codec.module_advice(spec)},
        )

    async def _update(self, name: str, observed: LinkSpec, spec: LinkSpec) -> None:
        fields = differing_fields(spec, observed)
        requests = (
            self._rtnetlink.request(
                uapi.RTM_NEWLINK,
                0,
                partial(bytes, message),
                doing=f"change {', '.join(fields)} of link",
                subject=name,
            )
            for message in codec.changes(observed, spec, fields, self._index_of)
        )
        await asyncio.gather(*requests)
