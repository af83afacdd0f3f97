"""Tunnels that take one another's ends, on a real kernel, which lets no two tunnels have the same ones."""

import json
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from kernel.kinds.lease import statuses
from kernel.kinds.line import HERE, THERE, THERE_LATER, Line
from kernel.kinds.machine import listing
from netns import Namespace
from tasuki_agent.facts.addresses import AddressSource
from tasuki_agent.intent import Intent
from tasuki_agent.kernel import Kernel
from tasuki_agent.kinds import load
from tasuki_agent.reconcile.facts import FactBook
from tasuki_agent.reconcile.reconciler import Reconciler
from tasuki_agent.reconcile.status import State

pytestmark = [pytest.mark.needs_kernel("ip6_tunnel"), pytest.mark.needs_kernel("ip6_gre")]

NEW = "2001:db8:1::3"
UNKNOWN = {"remote-unknown": "a global address of wan0 of router office"}
TYPES = {"ip6tnl": "ip6tnl", "ip6gre": "ip6gre", "ip6gretap": "ip6gre"}
"""Of links, and what their containers are called."""


@pytest.fixture
def router(line: Line) -> Iterator[Namespace]:
    with line.router.entered():
        yield line.router


@pytest.fixture
def reconciler(kernel: Kernel, tmp_path: Path) -> Reconciler:
    clock = count(1000)
    facts = FactBook(AddressSource(tmp_path).learn)
    return Reconciler(load(kernel), lambda: next(clock), lambda: next(clock), facts=facts)


async def wanted(reconciler: Reconciler, link_type: str, *remotes: str | dict[str, Any]) -> Any:
    """What is not so after one step, where t0, t1, … shall have these remote ends."""
    interfaces = []
    for number, remote in enumerate(remotes):
        end = {"remote": remote} if isinstance(remote, str) else remote
        address = {"ip": f"192.0.2.{number + 1}", "prefix-length": 32}
        interfaces.append(
            {
                "name": f"t{number}",
                "type": f"tasuki-link:{link_type}",
                f"tasuki-link:{TYPES[link_type]}": {"local": HERE, **end},
                "ietf-ip:ipv4": {"address": [address]},
            }
        )
    tree = {"ietf-interfaces:interfaces": {"interface": interfaces}}
    revision = reconciler.intent.revision + 1 if reconciler.intent else 1
    reconciler.set_intent(Intent.parse(revision, json.dumps(tree).encode()))
    return await statuses(reconciler)


def tunnels(router: Namespace, link_type: str) -> dict[str, dict[str, Any]]:
    """The router's tunnels by name, without the one that the module brings along."""
    return {
        link["ifname"]: link
        for link in listing(router, f"-d link show type {link_type}")
        if link["ifname"].startswith("t")
    }


def remotes(router: Namespace, link_type: str) -> list[str]:
    return [link["linkinfo"]["info_data"]["remote"] for _, link in sorted(tunnels(router, link_type).items())]


def sent(router: Namespace) -> dict[str, int]:
    (link,) = listing(router, "-s link show dev t0")
    sent: dict[str, int] = link["stats64"]["tx"]
    return sent


async def test_tunnels_exchange_their_ends_in_one_step_and_keep_all_else(
    line: Line, reconciler: Reconciler
) -> None:
    for link_type in TYPES:
        assert await wanted(reconciler, link_type, THERE, THERE_LATER, NEW) == {}
        before, addresses = tunnels(line.router, link_type), line.router.ip("-4 -o addr show")

        for ends in (
            (THERE_LATER, THERE, NEW),
            (NEW, THERE_LATER, THERE),
            (THERE, NEW, THERE_LATER),
            (THERE_LATER, THERE, "2001:db8:1::4"),
        ):
            assert await wanted(reconciler, link_type, *ends) == {}
            assert remotes(line.router, link_type) == list(ends)

        after = tunnels(line.router, link_type)
        assert [link["ifindex"] for link in after.values()] == [link["ifindex"] for link in before.values()]
        assert line.router.ip("-4 -o addr show") == addresses
        assert list(reconciler.drift.unacknowledged()) == []


async def test_a_new_tunnel_gets_the_ends_that_another_one_leaves(line: Line, reconciler: Reconciler) -> None:
    assert await wanted(reconciler, "ip6tnl", THERE) == {}
    assert await wanted(reconciler, "ip6tnl", THERE_LATER, THERE) == {}
    assert remotes(line.router, "ip6tnl") == [THERE_LATER, THERE]


async def test_a_tunnel_that_waits_leaves_its_ends_to_another_one(line: Line, reconciler: Reconciler) -> None:
    assert await wanted(reconciler, "ip6tnl", THERE, THERE_LATER) == {}
    index = tunnels(line.router, "ip6tnl")["t0"]["ifindex"]

    waiting = await wanted(reconciler, "ip6tnl", UNKNOWN, THERE)
    assert {ref: state for ref, (state, _) in waiting.items()} == {"link t0": State.WAITING}
    assert remotes(line.router, "ip6tnl")[1] == THERE
    assert "UP" not in tunnels(line.router, "ip6tnl")["t0"]["flags"]

    assert await wanted(reconciler, "ip6tnl", THERE_LATER, THERE) == {}
    assert remotes(line.router, "ip6tnl") == [THERE_LATER, THERE]
    assert tunnels(line.router, "ip6tnl")["t0"]["ifindex"] == index
    assert list(reconciler.drift.unacknowledged()) == []


async def test_somebody_elses_tunnel_keeps_its_ends(line: Line, reconciler: Reconciler) -> None:
    assert await wanted(reconciler, "ip6tnl", THERE, THERE_LATER) == {}
    line.router.ip(f"link add theirs type ip6tnl local {HERE} remote {NEW}")
    ((ref, (state, message)),) = (await wanted(reconciler, "ip6tnl", NEW, THERE_LATER)).items()
    assert (ref, state) == ("link t0", State.FOREIGN)
    assert "File exists" in message
    assert remotes(line.router, "ip6tnl")[-2:] == [THERE_LATER, NEW]


async def test_of_two_tunnels_with_the_same_ends_the_one_that_is_there_stays(
    line: Line, reconciler: Reconciler
) -> None:
    assert await wanted(reconciler, "ip6tnl", THERE, THERE_LATER) == {}
    for _ in range(3):
        ((ref, (state, _)),) = (await wanted(reconciler, "ip6tnl", THERE_LATER, THERE_LATER)).items()
        assert (ref, state) == ("link t0", State.FOREIGN)
        assert remotes(line.router, "ip6tnl") == [THERE, THERE_LATER]


async def test_a_parked_tunnel_sends_nothing(line: Line, reconciler: Reconciler) -> None:
    assert await wanted(reconciler, "ip6tnl", THERE, THERE_LATER) == {}
    assert await wanted(reconciler, "ip6tnl", UNKNOWN, THERE) != {}
    before = sent(line.router)
    line.router.ip("link set t0 up")
    line.router.ip("route add 198.51.100.0/24 dev t0")
    assert not line.router.reaches("198.51.100.1")
    after = sent(line.router)
    assert (after["packets"], after["errors"] > before["errors"]) == (before["packets"], True)


async def test_a_tunnel_that_waits_is_switched_off_all_the_same(line: Line, reconciler: Reconciler) -> None:
    assert await wanted(reconciler, "ip6tnl", THERE) == {}
    interface = {
        "name": "t0",
        "type": "tasuki-link:ip6tnl",
        "enabled": False,
        "tasuki-link:ip6tnl": {"local": HERE, **UNKNOWN},
    }
    tree = {"ietf-interfaces:interfaces": {"interface": [interface]}}
    reconciler.set_intent(Intent.parse(9, json.dumps(tree).encode()))
    assert set(await statuses(reconciler)) == {"link t0"}
    assert "UP" not in tunnels(line.router, "ip6tnl")["t0"]["flags"]
