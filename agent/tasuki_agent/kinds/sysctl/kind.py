"""The kind `sysctl`: the model, joined to /proc/sys."""

import asyncio
from collections.abc import Callable, Mapping
from typing import ClassVar, Final

from tasuki_agent.kernel import Kernel, uapi
from tasuki_agent.kind import Change, Create, Delete, Topic, Update, as_it_is
from tasuki_agent.kinds.link import codec as link
from tasuki_agent.kinds.sysctl import model
from tasuki_agent.kinds.sysctl.model import Sysctl

TOPIC = Topic(
    (uapi.RTNLGRP_IPV4_NETCONF, uapi.RTNLGRP_IPV6_NETCONF), (uapi.RTM_NEWNETCONF, uapi.RTM_DELNETCONF)
)

_LOOK_SECONDS: Final = 1.0
"""Between two looks at what the kernel does not tell of."""
_LOOKED_AT_PER_SECOND: Final = 100
"""Such parameters at the most, at 10 microseconds each: more of them are looked at less often."""


class SysctlKind:
    """Parameters by their path under /proc/sys. Only those that we have written are observed.

    The first write of a parameter puts its earlier value on record, and so is a creation even where the value
    is right already; from then on the record makes the parameter ours, until a deletion restores that value.
    """

    name: ClassVar = "sysctl"
    follows: ClassVar[tuple[str, ...]] = ("link",)
    wakes_on: ClassVar[tuple[Topic, ...]] = (TOPIC, link.TOPIC)
    """Some parameters have no message of their own, accept_ra among them: those are watched."""

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
        self._sysctls = kernel.sysctls
        self._watched: Mapping[str, str] = {}
        """What was observed last of what the kernel does not tell of."""
        self._to_watch = asyncio.Event()

    async def observe(self) -> Mapping[str, Sysctl]:
        """Every parameter on record that is still there."""
        values = self._sysctls.recorded()
        self._watched = {key: value for key, value in values.items() if not model.is_heralded(key)}
        if self._watched:
            self._to_watch.set()
        else:
            self._to_watch.clear()
        return {key: Sysctl(value) for key, value in values.items()}

    async def watch(self, changed: Callable[[], None]) -> None:
        """Look at what the kernel does not tell of; nothing is done while there is none of it on record."""
        while True:
            await self._to_watch.wait()
            await asyncio.sleep(max(_LOOK_SECONDS, len(self._watched) / _LOOKED_AT_PER_SECOND))
            if any(self._sysctls.read(key) != value for key, value in self._watched.items()):
                changed()

    async def apply(self, change: Change) -> None:
        """Write or restore one parameter."""
        match change:
            case Create(key, spec) | Update(key, _, spec):
                self._sysctls.write(key, spec.value)
            case Delete(key):
                self._sysctls.restore(key)
