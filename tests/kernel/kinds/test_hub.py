"""All kinds together, in the numbers of a full hub: 255 links, 255 addresses, 510 routes."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from kernel.kinds.machine import TUNNEL, Kinds
from kernelstate import KernelState
from netns import Namespace, until
from tasuki_agent.kind import Create, Delete, differing_fields
from tasuki_agent.kinds.address.model import Address, AddressKey
from tasuki_agent.kinds.route.model import Route, RouteKey

Objects = Mapping[str, Mapping[Any, Any]]


def hub() -> Objects:
    links, addresses, routes = {}, {}, {}
    for n in range(1, 256):
        name, link_prefix = f"vxlan{n:02x}", f"2001:db8:ae00:0:{n:x}:"
        links[name] = replace(TUNNEL, vni=n, remote=f"10.1.1.{n % 250 + 2}")
        addresses[AddressKey(name, f"{link_prefix}:1")] = Address(80)
        for prefix in (f"2001:db8:ae00:{n:x}::/64", f"2001:db8:ae{n:02x}::/48"):
            routes[RouteKey(254, prefix, 1024)] = Route("unicast", f"{link_prefix}:2", name)
    return {"link": links, "address": addresses, "route": routes}


async def test_a_full_hub_is_built_seen_and_taken_away_again(router: Namespace, kinds: Kinds) -> None:
    until(lambda: "tentative" not in router.ip("addr"), within=60, why="duplicate address detection is over")
    before = KernelState.of(router)
    wanted = hub()
    for name, specs in wanted.items():
        await asyncio.gather(*(kinds[name].apply(Create(key, spec)) for key, spec in specs.items()))

    for name, specs in wanted.items():
        ours = await kinds.ours(name)
        assert ours.keys() == specs.keys()
        assert not [key for key, spec in specs.items() if differing_fields(spec, ours[key])]

    for name in ("route", "address", "link"):
        ours = await kinds.ours(name)
        await asyncio.gather(*(kinds[name].apply(Delete(key, spec)) for key, spec in ours.items()))
    assert KernelState.of(router) == before


async def test_a_steady_hub_is_observed_as_the_very_same_objects(kinds: Kinds) -> None:
    """Nothing is decoded twice: that is what makes a full observation cheap."""
    for name, specs in hub().items():
        await asyncio.gather(*(kinds[name].apply(Create(key, spec)) for key, spec in specs.items()))
    async with asyncio.timeout(60):
        while await changed_between_two_observations(kinds):
            pass  # duplicate address detection


async def changed_between_two_observations(kinds: Kinds) -> bool:
    first, second = await kinds.observe(), await kinds.observe()
    return any(spec is not first[name].get(key) for name in hub() for key, spec in second[name].items())
