"""Kernel features that a test can need, and whether the running kernel has them."""

import os
import subprocess
from functools import cache

import pytest

_ENDS = "local 2001:db8::1 remote 2001:db8::2"
PROBES = {
    "dummy": "type dummy",
    "ip6_gre": f"type ip6gre {_ENDS}",
    "ip6_tunnel": f"type ip6tnl mode any {_ENDS}",
    "vrf": "type vrf table 10",
    "wireguard": "type wireguard",
}
"""Features, named as their modules are, and the link that only a kernel with that feature can make."""


@cache
def has(feature: str) -> bool:
    """Whether such a link can be made, in a network namespace that is thrown away."""
    namespace = f"tasuki-{os.getpid()}-probe"
    subprocess.run(["ip", "netns", "add", namespace], check=True)
    try:
        make = ["ip", "-netns", namespace, "link", "add", "probe", *PROBES[feature].split()]
        return subprocess.run(make, check=False, capture_output=True).returncode == 0
    finally:
        subprocess.run(["ip", "netns", "delete", namespace], check=True)


def needs(item: pytest.Item) -> list[str]:
    """What the test, its class and its module are marked with."""
    wanted = [feature for marker in item.iter_markers("needs_kernel") for feature in marker.args]
    for feature in wanted:
        if feature not in PROBES:
            raise pytest.UsageError(f"{item.nodeid}: tests/vm/features.py has no probe for {feature!r}")
    return wanted
