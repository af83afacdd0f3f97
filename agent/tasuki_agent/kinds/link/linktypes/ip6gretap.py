"""GRE in IPv6 packets that carries Ethernet frames."""

from dataclasses import dataclass, field

from tasuki_agent.kind import optional
from tasuki_agent.kinds.link.gre import GreType


@dataclass(frozen=True, slots=True)
class Ip6gretap:
    """A GRE tunnel of Ethernet frames."""

    underlay: str | None
    local: str | None
    remote: str | None
    encapsulation_limit: int | None
    hop_limit: int
    key: int | None
    up: bool
    mtu: int | None = optional()
    mac_address: str | None = optional()
    others: tuple[str, ...] = ()
    """What somebody set that the models do not have; the next change sets it back."""
    index: int = field(default=0, compare=False)
    group: int = field(default=0, compare=False)
    learned: tuple[str, ...] = field(default=(), compare=False)
    """Fields that the intent does not tell itself."""


TYPE = GreType("ip6gretap", "tasuki-link:ip6gretap", Ip6gretap, frames=True)
