"""The kind `sysctl`: the model, joined to /proc/sys."""

from collections.abc import Mapping
from typing import ClassVar

from tasuki_agent.kernel import Kernel, uapi
from tasuki_agent.kind import Change, Create, Delete, Topic, Update, as_it_is
from tasuki_agent.kinds.link import codec as link
from tasuki_agent.kinds.sysctl import model
from tasuki_agent.kinds.sysctl.model import Sysctl

TOPIC = Topic(
    (uapi.RTNLGRP_IPV4_NETCONF, uapi.RTNLGRP_IPV6_NETCONF), (uapi.RTM_NEWNETCONF, uapi.RTM_DELNETCONF)
)


class SysctlKind:
    """Parameters by their path under /proc/sys. Only those that we have written are observed.

    The first write of a parameter puts its earlier value on record, and so is a creation even where the value
    is right already; from then on the record makes the parameter ours, until a deletion restores that value.
    """

    name: ClassVar = "sysctl"
    follows: ClassVar[tuple[str, ...]] = ("link",)
    wakes_on: ClassVar[tuple[Topic, ...]] = (TOPIC, link.TOPIC)
    """accept_ra has no message of its own: its drift shows at the next full observation."""

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

    async def observe(self) -> Mapping[str, Sysctl]:
        """Every parameter on record that is still there."""
        return {key: Sysctl(value) for key, value in self._sysctls.recorded().items()}

    async def apply(self, change: Change) -> None:
        """Write or restore one parameter."""
        match change:
            case Create(key, spec) | Update(key, _, spec):
                self._sysctls.write(key, spec.value)
            case Delete(key):
                self._sysctls.restore(key)
