"""What the tests of the kinds ask of a machine."""

import json
from typing import Any

from netns import Namespace
from tasuki_agent.kernel import Kernel
from tasuki_agent.kind import Key, Kind, Observed, Spec
from tasuki_agent.kinds import load
from tasuki_agent.kinds.link.linktypes.vxlan import Vxlan

TUNNEL = Vxlan(
    vni=1, port=4789, underlay="e0", remote="10.1.1.2", local=None, learning=False, up=True, mtu=1410
)


class Kinds:
    """All kinds by name."""

    def __init__(self, kernel: Kernel) -> None:
        self._kinds: dict[str, Kind] = {kind.name: kind for kind in load(kernel)}

    def __getitem__(self, name: str) -> Kind:
        return self._kinds[name]

    async def observe(self) -> Observed:
        return {name: await kind.observe() for name, kind in self._kinds.items()}

    async def ours(self, name: str) -> dict[Key, Spec]:
        """Observed objects of a kind that it would change or delete."""
        observed = await self.observe()
        return {
            key: spec for key, spec in observed[name].items() if self._kinds[name].owns(key, spec, observed)
        }


def listing(router: Namespace, arguments: str) -> list[dict[str, Any]]:
    """What `ip -json` prints, without its empty objects."""
    rows: list[dict[str, Any]] = json.loads(router.ip(f"-json {arguments}") or "[]")
    return [row for row in rows if row]
