"""The kind `rule`: the model and the codec, joined to the kernel."""

import errno
from collections.abc import Mapping
from itertools import chain
from typing import ClassVar

from tasuki_agent.errors import Permanent
from tasuki_agent.kernel import Kernel, Topic, uapi
from tasuki_agent.kernel.memo import Memo
from tasuki_agent.kind import Change, Create, Delete, Update
from tasuki_agent.kinds.rule import codec, model
from tasuki_agent.kinds.rule.model import Rule, RuleKey


class RuleKind:
    """Rules by all that they match. All are observed; only ours are changed."""

    name: ClassVar = "rule"
    follows: ClassVar[tuple[str, ...]] = ("route",)
    wakes_on: ClassVar[frozenset[str]] = frozenset({Topic.RULE})

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

    async def observe(self) -> Mapping[RuleKey, Rule]:
        """Every rule of this network namespace."""
        dumps = (self._rtnetlink.dump(uapi.RTM_GETRULE, codec.dump(family)) for family in ("ipv4", "ipv6"))
        return self._memo.objects(chain.from_iterable(dumps))

    async def apply(self, change: Change) -> None:
        """One message, with every selector and the protocol, so that no look-alike is hit."""
        request = self._rtnetlink.request
        match change:
            case Create(key, spec):
                flags = uapi.NLM_F_CREATE | uapi.NLM_F_EXCL
                await request(uapi.RTM_NEWRULE, flags, codec.encode(key, spec), doing=f"create rule {key}")
            case Update(key):
                raise Permanent(f"change rule {key}: not possible in place")
            case Delete(key, observed):
                message = codec.encode(key, observed)
                doing = f"delete rule {key}"
                await request(uapi.RTM_DELRULE, 0, message, doing=doing, tolerate=(errno.ENOENT,))
