"""TCP connections by an interface announce no larger segments than fit through it.

Of forwarded connections only: the router's own TCP knows the interface's MTU, and announces and sends no more
than that. In both directions, because each end's SYN tells the other one what to send: the one that leaves by
the interface limits what comes back, the one that came by it limits what is sent.
"""

from typing import Final

from tasuki_yang.router import InterfacesInterface, Router

from tasuki_agent.kinds.nftables.ruleset import Chain, Contribution, Hook, Place, Rule, by_name

LEAF: Final = "tasuki-nftables:tcp-mss-clamp"
_IPV4_HEADERS: Final = 40
"""Bytes of the IP and the TCP header without options."""
_IPV6_EXCESS: Final = 20
"""Bytes by which the header of IPv6 is the longer one."""
_CLAMP = "clamp-mss"
_TO_CLAMP = Chain(
    "forward-syn",
    (Rule(f"tcp flags syn / syn,rst jump {_CLAMP}"),),
    Hook("forward", "mangle"),
)
"""All other packets take no more than this one look."""


def contribute(intent: Router) -> Contribution:
    """Two rules for each direction of each interface."""
    places = tuple(
        Place(interface.name, LEAF, mss)
        for interface in by_name(intent.interfaces.interface)
        if (mss := _mss(interface)) is not None
    )
    if not places:
        return Contribution()
    rules = tuple(rule for place in places for rule in _rules(place))
    return Contribution((_TO_CLAMP, Chain(_CLAMP, rules)), places)


def _mss(interface: InterfacesInterface) -> int | None:
    """The largest segment by IPv4."""
    if interface.tcp_mss_clamp != "mtu":
        return interface.tcp_mss_clamp
    if interface.mtu is None:
        raise ValueError(f"the MSS of interface {interface.name} shall follow from an MTU that is not set")
    return interface.mtu - _IPV4_HEADERS


def _rules(place: Place) -> tuple[Rule, ...]:
    mss = int(place.value)
    return tuple(
        Rule(
            f'{direction} "{place.interface}" meta nfproto {family} '
            f"tcp option maxseg size > {largest} tcp option maxseg size set {largest}",
            place.label,
        )
        for direction in ("iifname", "oifname")
        for family, largest in (("ipv4", mss), ("ipv6", mss - _IPV6_EXCESS))
    )
