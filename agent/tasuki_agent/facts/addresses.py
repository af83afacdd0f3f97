"""What the router's own addresses tell: `INTERFACE/global-address` and `ADDRESS/local-address`.

The kernel is asked for addresses anyhow, so this source only looks at what was observed.
"""

from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import ClassVar, Final

from tasuki_yang.facts import FactKey, Facts

from tasuki_agent.kernel import addresses, uapi
from tasuki_agent.kind import Observed
from tasuki_agent.kinds.address.model import Address, AddressKey

_UNUSABLE: Final = uapi.IFA_F_TENTATIVE | uapi.IFA_F_DADFAILED
"""An optimistic address is tentative too, but may be used (RFC 4429)."""
_PASSING: Final = uapi.IFA_F_TEMPORARY | uapi.IFA_F_DEPRECATED
"""About to go, or made to be changed often (RFC 8981): nobody should be told of it as an end."""
_UNIQUE_LOCAL: Final = "fc00::/7"
_NEVER: Final = ("fe80::/10", "::1/128")


class AddressSource:
    """Tells of addresses."""

    nouns: ClassVar[tuple[str, ...]] = ("global-address", "local-address")

    def __init__(self, state_dir: Path) -> None:
        pass

    def learn(self, asked: Collection[FactKey], observed: Observed, before: Facts) -> Facts:
        """The address of each interface that is asked for, and which addresses are here."""
        if not asked:
            return {}
        present = [
            (key, spec)
            for key, spec in observed.get("address", {}).items()
            if addresses.is_ipv6(key.ip) and is_usable(spec)
        ]
        here = {key.ip for key, _ in present}
        facts = {}
        for key in asked:
            if key.noun == "local-address":
                if key.subject in here:
                    facts[key] = (key.subject,)
            elif candidates := sorted(_global(present, key.subject), key=_rank):
                held = before.get(key, ("",))[0]
                best = [ip for ip in candidates if _rank(ip)[0] == _rank(candidates[0])[0]]
                facts[key] = (held if held in best else best[0],)
        return facts

    peek = learn

    async def run(self, changed: Callable[[], None]) -> None:
        """The kernel's events make addresses be observed."""


def is_usable(spec: Address) -> bool:
    """Whether packets can have this source address."""
    return not spec.flags & _UNUSABLE or bool(spec.flags & uapi.IFA_F_OPTIMISTIC)


def _global(present: list[tuple[AddressKey, Address]], interface: str) -> Iterator[str]:
    for key, spec in present:
        if key.interface != interface or spec.flags & _PASSING:
            continue
        if not any(addresses.contains(prefix, f"{key.ip}/128") for prefix in _NEVER):
            yield key.ip


def _rank(ip: str) -> tuple[bool, bytes]:
    """Unique local addresses (RFC 4193) only where there is nothing better; then any order will do."""
    return addresses.contains(_UNIQUE_LOCAL, f"{ip}/128"), addresses.packed(ip)


SOURCE = AddressSource
