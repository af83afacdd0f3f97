"""Hosts behind an interface get no IPv6 addresses from this router, nor through it.

Postrouting sees what the router itself sends as well as what it forwards.
"""

from typing import Final

from tasuki_yang.router import Router

from tasuki_agent.kinds.nftables.ruleset import Chain, Contribution, Hook, Place, Rule, by_name

LEAF: Final = "tasuki-nftables:keep-ipv6-autoconfiguration-out"
_TO_DHCPV6_CLIENTS = "meta nfproto ipv6 udp dport 546"
"""RFC 8415 section 7.2: clients listen here, whichever port a server sends from."""


def contribute(intent: Router) -> Contribution:
    """Two rules for each interface."""
    places = tuple(
        Place(interface.name, LEAF, value=True)
        for interface in by_name(intent.interfaces.interface)
        if interface.keep_ipv6_autoconfiguration_out
    )
    if not places:
        return Contribution()
    rules = tuple(
        Rule(f'oifname "{place.interface}" {what} drop', place.label)
        for place in places
        for what in ("icmpv6 type nd-router-advert", _TO_DHCPV6_CLIENTS)
    )
    chain = Chain("keep-autoconfiguration-out", rules, Hook("postrouting", "filter"))
    return Contribution((chain,), places)
