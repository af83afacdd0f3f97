"""Hosts behind an interface have no IPv6 through this router, and are told so.

With an error and not in silence, TCP too: who is told tries IPv4 at once (RFC 4443 section 3.1, code 1). In
both directions, because addresses that the hosts have otherwise could be reached from outside.
"""

from typing import Final

from tasuki_yang.router import Router

from tasuki_agent.kinds.nftables.ruleset import Chain, Contribution, Hook, Place, Rule, by_name

LEAF: Final = "tasuki-nftables:keep-ipv6-forwarding-out"
_REJECT: Final = "reject with icmpv6 admin-prohibited"
"""Of IPv6 only, without saying so: nft sees to that by itself, and lists no more."""


def contribute(intent: Router) -> Contribution:
    """Two rules for each interface."""
    places = tuple(
        Place(interface.name, LEAF, value=True)
        for interface in by_name(intent.interfaces.interface)
        if interface.keep_ipv6_forwarding_out
    )
    if not places:
        return Contribution()
    rules = tuple(
        Rule(f'{direction} "{place.interface}" {_REJECT}', place.label)
        for place in places
        for direction in ("iifname", "oifname")
    )
    chain = Chain("keep-forwarding-out", rules, Hook("forward", "filter"))
    return Contribution((chain,), places)
