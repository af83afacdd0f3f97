"""The kind `rule`: the model and the codec, joined to the kernel."""

import errno
from collections.abc import Awaitable, Mapping
from dataclasses import replace
from typing import ClassVar

from tasuki_agent.errors import Transient
from tasuki_agent.kernel import Kernel, uapi
from tasuki_agent.kernel.memo import Memo
from tasuki_agent.kind import Change, Create, Delete, Topic, Update, as_it_is
from tasuki_agent.kinds.rule import codec, model
from tasuki_agent.kinds.rule.model import Rule, RuleKey


class RuleKind:
    """Rules by all that they match. All are observed; only ours are changed."""

    name: ClassVar = "rule"
    follows: ClassVar[tuple[str, ...]] = ("route",)
    wakes_on: ClassVar[tuple[Topic, ...]] = (codec.TOPIC,)

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
        self._memo = Memo(codec.decode, kernel.interfaces.name_of)

    async def observe(self) -> Mapping[RuleKey, Rule]:
        """Every rule of this network namespace."""
        messages = [
            message
            for dump in (codec.dump("ipv4"), codec.dump("ipv6"))
            for message in await self._rtnetlink.dump(uapi.RTM_GETRULE, dump)
        ]
        rules = self._memo.objects(messages)
        sole = {table for table in model.typed_into_tables(rules) if await self._is_ours_alone(*table)}
        return {
            key: replace(rule, sole=True) if (key.family, key.table) in sole else rule
            for key, rule in rules.items()
        }

    async def _is_ours_alone(self, family: model.Family, table: int) -> bool:
        """Only asked of small tables: those that rules of ours lead to."""
        try:
            routes = await self._rtnetlink.dump(uapi.RTM_GETROUTE, codec.dump_table(family, table))
        except Transient:
            # There is no such table, or it cannot be read: nothing is known of it.
            return False
        return codec.is_ours_alone(routes)

    def apply(self, change: Change) -> Awaitable[None]:
        """One message, with every selector and the protocol, so that no look-alike is hit."""
        match change:
            case Create(key, spec):
                return self._rtnetlink.request(
                    uapi.RTM_NEWRULE,
                    uapi.NLM_F_CREATE | uapi.NLM_F_EXCL,
                    lambda: codec.encode(key, spec),
                    doing="create rule",
                    subject=key,
                )
            case Update(key):
                raise TypeError(f"rule {key} cannot be changed in place")
            case Delete(key, observed):
                return self._rtnetlink.request(
                    uapi.RTM_DELRULE,
                    0,
                    lambda: codec.encode(key, observed),
                    doing="delete rule",
                    subject=key,
                    tolerate=(errno.ENOENT,),
                )
