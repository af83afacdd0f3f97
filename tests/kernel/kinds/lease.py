"""A prefix that is delegated on wan0, changes, and is taken away: what a DHCPv6 client would tell."""

from collections.abc import Collection
from pathlib import Path

from tasuki_agent.facts.addresses import AddressSource
from tasuki_agent.kind import Observed
from tasuki_agent.reconcile.reconciler import Reconciler
from tasuki_agent.reconcile.status import State
from tasuki_yang.facts import FactKey, Facts

FIRST, SECOND = "2001:db8:1200::/56", "2001:db8:3400::/56"
_PREFIX = FactKey("wan0", "delegated-prefix")


class Lease:
    """The facts of the lease, beside what the kernel tells of addresses."""

    def __init__(self, state_dir: Path) -> None:
        self.prefix: str | None = None
        self._addresses = AddressSource(state_dir)

    def learn(self, asked: Collection[FactKey], observed: Observed, before: Facts) -> Facts:
        """What is known at the time."""
        own = frozenset(key for key in asked if key.noun in AddressSource.nouns)
        lease = {_PREFIX: (self.prefix,)} if self.prefix and _PREFIX in asked else {}
        return {**self._addresses.learn(own, observed, before), **lease}


async def statuses(reconciler: Reconciler) -> dict[str, tuple[State, str]]:
    """Every object that is not as intended, after everything was looked at."""
    reconciler.mark_dirty(kind.name for kind in reconciler.kinds)
    await reconciler.step()
    return {str(ref): (status.state, status.message) for ref, status in reconciler.board}
