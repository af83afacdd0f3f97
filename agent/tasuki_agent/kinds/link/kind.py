"""The kind `link`: the model and the codec, joined to the kernel."""

import asyncio
import errno
from collections.abc import Mapping
from functools import partial
from typing import ClassVar

from tasuki_agent.kernel import Kernel, Topic, uapi
from tasuki_agent.kernel.interfaces import index_of
from tasuki_agent.kernel.memo import Memo
from tasuki_agent.kind import Change, Create, Delete, Update, differing_fields
from tasuki_agent.kinds.link import codec, model
from tasuki_agent.kinds.link.linktypes import LinkSpec


class LinkKind:
    """Links by name. All are observed; only ours are changed."""

    name: ClassVar = "link"
    follows: ClassVar[tuple[str, ...]] = ()
    wakes_on: ClassVar[frozenset[str]] = frozenset({Topic.LINK})

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

    async def observe(self) -> Mapping[str, LinkSpec]:
        """Every link of this network namespace."""
        return self._memo.objects(self._rtnetlink.dump(uapi.RTM_GETLINK, codec.DUMP))

    async def apply(self, change: Change) -> None:
        """One message each: a link that is created is ours and up from its first moment."""
        request = self._rtnetlink.request
        match change:
            case Create(name, spec):
                doing = f"create link {name}"
                message = codec.create(name, spec, partial(index_of, doing=doing))
                await request(uapi.RTM_NEWLINK, uapi.NLM_F_CREATE | uapi.NLM_F_EXCL, message, doing=doing)
            case Update(name, observed, spec):
                fields = differing_fields(spec, observed)
                doing = f"change {', '.join(fields)} of link {name}"
                messages = codec.change(observed, spec, fields, partial(index_of, doing=doing))
                await asyncio.gather(*(request(uapi.RTM_NEWLINK, 0, m, doing=doing) for m in messages))
            case Delete(name, observed):
                message = codec.delete(observed)
                await request(
                    uapi.RTM_DELLINK, 0, message, doing=f"delete link {name}", tolerate=(errno.ENODEV,)
                )
