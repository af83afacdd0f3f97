"""Interfaces of the tree that are off, or of no type that the agent knows, and what is to stand on them."""

import asyncio
import json
import time
from typing import Any

import pytest
from kernel.kinds.machine import listing
from netns import Namespace, patient
from tasuki_agent.intent import Intent
from tasuki_agent.kernel import Kernel
from tasuki_agent.kinds import load
from tasuki_agent.reconcile.reconciler import Reconciler
from tasuki_agent.reconcile.status import State

TUNNEL: dict[str, Any] = {
    "name": "vxlan01",
    "type": "tasuki-link:vxlan",
    "tasuki-link:vxlan": {"vni": 1, "underlay": "e0", "remote": "10.1.1.2"},
    "ietf-ip:ipv4": {"address": [{"ip": "192.0.2.1", "prefix-length": 24}]},
    "ietf-ip:ipv6": {"address": [{"ip": "2001:db8::1", "prefix-length": 64}]},
}
ROUTES = {
    "control-plane-protocols": {
        "control-plane-protocol": [
            {
                "type": "ietf-routing:static",
                "name": "main",
                "static-routes": {
                    f"ietf-{family}-unicast-routing:{family}": {
                        "route": [
                            {"destination-prefix": prefix, "next-hop": {"outgoing-interface": "vxlan01"}}
                        ]
                    }
                    for family, prefix in (("ipv4", "203.0.113.0/24"), ("ipv6", "2001:db8:8::/48"))
                },
            }
        ]
    }
}


@pytest.fixture
def reconciler(kernel: Kernel) -> Reconciler:
    return Reconciler(load(kernel), time.time, time.monotonic)


async def statuses(reconciler: Reconciler, **members: Any) -> list[tuple[str, State, str]]:
    """Every object that is not as intended when the tunnel has these members too."""
    tree = {
        "ietf-interfaces:interfaces": {"interface": [{**TUNNEL, **members}]},
        "ietf-routing:routing": ROUTES,
    }
    reconciler.set_intent(Intent.parse(1, json.dumps(tree).encode()))
    await reconciler.step()
    async with asyncio.timeout(patient(10)):
        while any(status.state is State.PENDING for _, status in reconciler.board):
            reconciler.mark_dirty(["address"])
            await reconciler.step()
    return sorted((str(ref), status.state, status.message) for ref, status in reconciler.board)


ALL = [
    "address 192.0.2.1 dev vxlan01",
    "address 2001:db8::1 dev vxlan01",
    "route 2001:db8:8::/48 table 254 metric 1024",
    "route 203.0.113.0/24 table 254 metric 0",
]


async def test_what_stands_on_a_link_that_is_off_waits_for_it(
    router: Namespace, reconciler: Reconciler
) -> None:
    waits = [(ref, State.WAITING, "waits for link vxlan01 to be up") for ref in ALL]
    assert await statuses(reconciler, enabled=False) == waits
    assert "UP" not in listing(router, "link show vxlan01")[0]["flags"]

    assert await statuses(reconciler, enabled=True) == []
    assert len(listing(router, "-6 route show 2001:db8:8::/48")) == 1


async def test_a_link_that_is_switched_off_fails_nothing(router: Namespace, reconciler: Reconciler) -> None:
    assert await statuses(reconciler) == []
    states = {state for _, state, _ in await statuses(reconciler, enabled=False)}
    assert states == {State.WAITING}
    assert await statuses(reconciler) == []


async def test_an_interface_of_an_unknown_type_fails_and_says_so(
    router: Namespace, reconciler: Reconciler
) -> None:
    types = "tasuki-link:ip6gre, tasuki-link:ip6gretap, tasuki-link:ip6tnl, tasuki-link:vxlan"
    why = f"this agent creates no links of the type iana-if-type:bridge, but {types}"
    assert await statuses(reconciler, type="iana-if-type:bridge") == sorted(
        [
            ("link vxlan01", State.FAILED, f"create link vxlan01: {why}"),
            *((ref, State.WAITING, "waits for link vxlan01") for ref in ALL),
        ]
    )
    assert listing(router, "link show type vxlan") == []


async def test_an_interface_of_an_unknown_type_whose_name_is_taken_is_foreign(
    router: Namespace, reconciler: Reconciler
) -> None:
    router.ip("link add vxlan01 type bridge")
    states = await statuses(reconciler, type="iana-if-type:bridge")
    assert ("link vxlan01", State.FOREIGN) in {(ref, state) for ref, state, _ in states}


async def test_other_interfaces_are_not_ours_to_create_or_to_switch(
    router: Namespace, reconciler: Reconciler
) -> None:
    await statuses(reconciler, name="e2", type="iana-if-type:other", enabled=False)
    assert "UP" in listing(router, "link show e2")[0]["flags"]
