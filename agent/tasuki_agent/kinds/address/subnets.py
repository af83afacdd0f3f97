"""Subnets that the tree names itself: what is learned must not be one of them on another interface.

A router that has one subnet on both sides sends what is for the one to the other, and nobody sees why. Two
subnets that are both typed are the controller's to refuse.
"""

from tasuki_yang.router import Router

from tasuki_agent.kernel import addresses
from tasuki_agent.known import Impossible

_HOST = {"ipv4": 32, "ipv6": 128}
"""Length of what is an address and no subnet."""


def refuse_taken(intent: Router, interface: str, address: str, source: str) -> None:
    """Refuse an address that was learned if its subnet is typed on another interface, wholly or in part.

    Args:
        intent: the tree.
        interface: that shall have the address.
        address: with its prefix length.
        source: where it is from, such as "leased on wan0".

    Raises:
        Impossible: it cannot be applied; the message says what to do.
    """
    subnet = addresses.canonical_prefix(address)
    family = addresses.yang_family(address)
    if addresses.split_prefix(subnet)[1] == _HOST[family]:
        return
    for other in intent.interfaces.interface:
        parameters = other.ipv4 if family == "ipv4" else other.ipv6
        if parameters is None or other.name == interface:
            continue
        for typed in parameters.address:
            if typed.prefix_length in (None, _HOST[family]):
                continue
            there = addresses.canonical_prefix(f"{typed.ip}/{typed.prefix_length}")
            if addresses.contains(there, subnet) or addresses.contains(subnet, there):
                raise Impossible(
                    f"{subnet}, {source}", f"{other.name} has {there}: give {other.name} another subnet"
                )
