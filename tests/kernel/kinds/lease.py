"""What is leased on wan0, changes, and is taken away: what a DHCP client would tell."""

import time
from collections.abc import Collection, Mapping
from pathlib import Path

from tasuki_agent.facts.addresses import AddressSource
from tasuki_agent.kind import Observed
from tasuki_agent.reconcile.reconciler import Reconciler
from tasuki_agent.reconcile.status import State
from tasuki_yang.facts import AllTerms, FactKey, Facts, Terms, Values

FIRST, SECOND = "2001:db8:1200::/56", "2001:db8:3400::/56"


class Lease:
    """The facts of the lease, beside what the kernel tells of addresses."""

    def __init__(self, state_dir: Path) -> None:
        self._facts: dict[FactKey, Values] = {}
        self._terms: dict[tuple[FactKey, str], Terms] = {}
        self._addresses = AddressSource(state_dir)

    def tell(self, noun: str, values: Mapping[str, Terms]) -> None:
        """What is so of wan0 from now on, and for how long; nothing takes it away."""
        key = FactKey("wan0", noun)
        self._facts[key] = tuple(values)
        self._terms = {place: terms for place, terms in self._terms.items() if place[0] != key}
        self._terms |= {(key, value): terms for value, terms in values.items() if terms != Terms()}

    @property
    def prefix(self) -> str | None:
        """The delegated prefix, for ever if it is set."""
        return next(iter(self._facts.get(FactKey("wan0", "delegated-prefix"), ())), None)

    @prefix.setter
    def prefix(self, prefix: str | None) -> None:
        self.tell("delegated-prefix", {prefix: Terms()} if prefix else {})

    def learn(self, asked: Collection[FactKey], observed: Observed, before: Facts) -> Facts:
        """What is known at the time."""
        own = frozenset(key for key in asked if key.noun in AddressSource.nouns)
        leased = {key: values for key, values in self._facts.items() if key in asked and values}
        return {**self._addresses.learn(own, observed, before), **leased}

    def terms(self) -> AllTerms:
        """How long it holds."""
        return self._terms


def lasting(preferred: float, valid: float) -> Terms:
    """Terms of a lease from now on, in seconds."""
    now = time.clock_gettime(time.CLOCK_BOOTTIME)
    return Terms("dhcpv6", now + preferred, now + valid)


async def statuses(reconciler: Reconciler) -> dict[str, tuple[State, str]]:
    """Every object that is not as intended, after everything was looked at."""
    reconciler.mark_dirty(kind.name for kind in reconciler.kinds)
    await reconciler.step()
    return {str(ref): (status.state, status.message) for ref, status in reconciler.board}
