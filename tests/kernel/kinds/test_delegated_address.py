"""An address in a delegated prefix, on a real kernel."""

import json
import time
from pathlib import Path

import pytest
from kernel.kinds.lease import FIRST, SECOND, Lease, statuses
from kernel.kinds.machine import Kinds, listing
from netns import Namespace
from tasuki_agent.intent import Intent
from tasuki_agent.kernel import Kernel, uapi
from tasuki_agent.kind import Create, differing_fields
from tasuki_agent.kinds import load
from tasuki_agent.kinds.address.model import Address, AddressKey
from tasuki_agent.reconcile.facts import FactBook
from tasuki_agent.reconcile.reconciler import Reconciler
from tasuki_agent.reconcile.status import State

TREE = {
    "ietf-interfaces:interfaces": {
        "interface": [
            {
                "name": "e0",
                "type": "iana-if-type:other",
                "ietf-ip:ipv6": {
                    "tasuki-address:delegated-address": [
                        {"lease": "wan0", "subnet-id": 2, "interface-id": "::b4", "prefix-length": 128}
                    ]
                },
            }
        ]
    }
}

WAITS = "waits for a prefix delegated on wan0: does a client ask for one there, and a DHCPv6 server answer?"


@pytest.fixture
def lease(tmp_path: Path) -> Lease:
    return Lease(tmp_path)


@pytest.fixture
def reconciler(kernel: Kernel, lease: Lease) -> Reconciler:
    reconciler = Reconciler(load(kernel), time.time, time.monotonic, facts=FactBook(lease.learn))
    reconciler.set_intent(Intent.parse(1, json.dumps(TREE).encode()))
    return reconciler


def held(router: Namespace) -> list[str]:
    """The global addresses on e0."""
    links = listing(router, "-6 addr show dev e0 scope global")
    return [entry["local"] for link in links for entry in link["addr_info"] if entry]


async def test_an_address_of_ones_own_prefix_is_usable_at_once(router: Namespace, kinds: Kinds) -> None:
    router.sysctl("net/ipv6/conf/e0/accept_dad", "1")
    spec, key = Address(128, flags=uapi.IFA_F_NODAD), AddressKey("e0", "2001:db8:1200:2::b4")
    await kinds["address"].apply(Create(key, spec))
    seen = (await kinds["address"].observe())[key]
    assert differing_fields(spec, seen) == ()
    assert not seen.settling


async def test_an_address_follows_its_prefix_and_goes_with_it(
    router: Namespace, reconciler: Reconciler, lease: Lease
) -> None:
    assert await statuses(reconciler) == {
        "address ::b4 in subnet 2 of the prefix of wan0 dev e0": (
            State.WAITING,
            WAITS,
        )
    }
    for prefix, address in ((FIRST, "2001:db8:1200:2::b4"), (SECOND, "2001:db8:3400:2::b4")):
        lease.prefix = prefix
        assert await statuses(reconciler) == {}
        assert held(router) == [address]
    lease.prefix = None
    assert len(await statuses(reconciler)) == 1
    assert held(router) == []


async def test_the_end_of_a_tunnel_takes_nothing_of_its_prefix_onto_the_link(
    router: Namespace, reconciler: Reconciler, lease: Lease
) -> None:
    lease.prefix = FIRST
    await statuses(reconciler)
    on_link = [route["dst"] for route in listing(router, "-6 route show dev e0")]
    assert [prefix for prefix in on_link if prefix.startswith("2001:db8:1200:")] == ["2001:db8:1200:2::b4"]
