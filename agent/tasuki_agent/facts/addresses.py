"""What the router's own addresses tell: `INTERFACE/global-address` and `ADDRESS/local-address`.

The kernel is asked for addresses anyhow, so this source only looks at what was observed.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import ClassVar, Final

from tasuki_yang.facts import AllTerms, FactKey, Facts, Terms

from tasuki_agent.kernel import addresses, uapi
from tasuki_agent.kind import Observed
from tasuki_agent.kinds.address.model import Address, AddressKey

_PASSING: Final = uapi.IFA_F_TEMPORARY | uapi.IFA_F_DEPRECATED
"""About to go, or made to be changed often (RFC 8981): nobody should be told of it as an end."""
GIVEN_UP: Final = 270_000
"""Hundredths of seconds, 45 minutes: routers advertise their prefixes at least every 30 (MaxRtrAdvInterval of
RFC 4861 section 6.2.1)."""
_HOST: Final = 128
"""Length of what DHCPv6 leases: it is refreshed when the client asks, and by nothing that is advertised."""
_UNIQUE_LOCAL: Final = "fc00::/7"
_NEVER: Final = ("fe80::/10", "::1/128")


class AddressSource:
    """Tells of addresses."""

    nouns: ClassVar[tuple[str, ...]] = ("global-address", "local-address")

    def __init__(self, state_dir: Path) -> None:  # noqa: ARG002
        self._told: Facts = {}

    def learn(self, asked: Collection[FactKey], observed: Observed, before: Facts) -> Facts:
        """The address of each interface that is asked for, and which addresses are here."""
        self._told = self.peek(asked, observed, before)
        return self._told

    def peek(self, asked: Collection[FactKey], observed: Observed, before: Facts) -> Facts:
        """The same: nothing has to be looked out for."""
        if not asked:
            return {}
        present = [
            (key, spec)
            for key, spec in observed.get("address", {}).items()
            if addresses.is_ipv6(key.ip) and spec.usable
        ]
        here = {key.ip for key, _ in present}
        facts = {}
        for key in asked:
            if key.noun == "local-address":
                if key.subject in here:
                    facts[key] = (key.subject,)
                continue
            held = before.get(key, ("",))[0]
            if best := sorted(
                advertised(_best(dict(_global(present, key.subject)), held)), key=addresses.packed
            ):
                facts[key] = (held if held in best else best[0],)
        return facts

    def terms(self) -> AllTerms:
        """Where the addresses of interfaces are from. How long they last matters to nobody."""
        return {
            (key, value): Terms("kernel")
            for key, values in self._told.items()
            if key.noun == "global-address"
            for value in values
        }

    async def run(self, changed: Callable[[], None]) -> None:
        """The kernel's events make addresses be observed."""


def advertised(candidates: Mapping[str, Address]) -> list[str]:
    """Those that nobody has given up, as far as one can see.

    A router that lost its memory advertises its new prefix, and never takes the old one back (RFC 8978): that
    one's address would be preferred for days. Of two prefixes that are both advertised neither is ever so far
    behind.
    """
    told = {
        ip: spec.refreshed for ip, spec in candidates.items() if spec.refreshed and spec.prefix_length < _HOST
    }
    newest = max(told.values(), key=lambda at: _later(at, min(told.values())), default=0)
    return [ip for ip in candidates if ip not in told or _later(newest, told[ip]) < GIVEN_UP]


def _later(one: int, other: int) -> int:
    """How much later one is than the other, by a clock that begins anew every 497 days."""
    return (one - other + 2**31) % 2**32 - 2**31


def _best(candidates: Mapping[str, Address], held: str) -> Mapping[str, Address]:
    """Unique local addresses (RFC 4193) only where there is nothing better, nor was before.

    A line that is renumbered may be without a global address for a moment; nobody could reach the other one.
    """
    better = {ip: spec for ip, spec in candidates.items() if not _is_unique_local(ip)}
    return better if better or (held and not _is_unique_local(held)) else candidates


def _is_unique_local(ip: str) -> bool:
    return addresses.contains(_UNIQUE_LOCAL, f"{ip}/128")


def _global(present: list[tuple[AddressKey, Address]], interface: str) -> Iterator[tuple[str, Address]]:
    for key, spec in present:
        if key.interface != interface or spec.flags & _PASSING:
            continue
        if not any(addresses.contains(prefix, f"{key.ip}/128") for prefix in _NEVER):
            yield key.ip, spec


SOURCE = AddressSource
