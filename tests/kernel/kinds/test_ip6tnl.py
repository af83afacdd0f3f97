"""Tunnels of packets in IPv6 packets, against a kernel that has them, and by traffic.

Programs are slow where most of these tests run, so each looks at all of its cases in one go.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from kernel.kinds.line import (
    HERE,
    HERE_LATER,
    INNER,
    THERE,
    THERE_LATER,
    TUNNEL,
    Line,
    Outer,
    as_ip_shows_it,
    made,
    moved,
)
from kernel.kinds.machine import Kinds, listing
from netns import Namespace
from tasuki_agent.errors import Foreign
from tasuki_agent.kind import Create, Delete, Update, Waiting, differing_fields
from tasuki_agent.kinds.address.model import Address, AddressKey
from tasuki_agent.kinds.link.linktypes.ip6tnl import Ip6tnl
from tasuki_agent.kinds.route.model import Route, RouteKey

pytestmark = pytest.mark.needs_kernel("ip6_tunnel")

SPEC = Ip6tnl(None, HERE, THERE, None, 64, "any", True, 1400)
BY_HAND = f"local {HERE} remote {THERE}"
IP_MODES = {"ipip6": "ip4ip6", "ip6ip6": "ip6ip6", "any": "any"}
WAITING = Waiting("a global address of wan0")
NEXT_HEADERS = {"ipv4": 4, "ipv6": 41}


@pytest.fixture
def router(line: Line) -> Iterator[Namespace]:
    with line.router.entered():
        yield line.router


async def test_a_tunnel_is_created_as_the_command_of_ip_creates_it(line: Line, kinds: Kinds) -> None:
    for spec, by_hand in (
        (replace(SPEC, mode="ipip6"), "mode ip4ip6 encaplimit none"),
        (replace(SPEC, mode="ip6ip6"), "mode ip6ip6 encaplimit none"),
        (SPEC, "mode any encaplimit none"),
        (
            replace(SPEC, underlay="wan0", hop_limit=255, encapsulation_limit=4),
            "mode any dev wan0 hoplimit 255 encaplimit 4",
        ),
    ):
        line.router.ip(f"link add {TUNNEL} mtu 1400 up type ip6tnl {BY_HAND} {by_hand}")
        shown = as_ip_shows_it(line.router)
        line.router.ip(f"link del {TUNNEL}")

        await kinds["link"].apply(Create(TUNNEL, spec))
        assert as_ip_shows_it(line.router) == shown
        ours = await kinds.ours("link")
        assert list(ours) == [TUNNEL]
        assert differing_fields(spec, ours[TUNNEL]) == ()
        await kinds["link"].apply(Delete(TUNNEL, ours[TUNNEL]))


async def test_everything_changes_in_place_and_nothing_else_with_it(line: Line, kinds: Kinds) -> None:
    link = kinds["link"]
    await link.apply(Create(TUNNEL, SPEC))
    made = before = (await link.observe())[TUNNEL]
    for wanted in (
        replace(SPEC, local=HERE_LATER),
        replace(SPEC, remote=THERE_LATER),
        replace(SPEC, mode="ipip6"),
        replace(SPEC, underlay="wan0"),
        replace(SPEC, hop_limit=7),
        replace(SPEC, encapsulation_limit=0),
        replace(SPEC, up=False),
        replace(SPEC, mtu=1300),
        replace(SPEC, local=HERE_LATER, remote=THERE_LATER, mode="ip6ip6", up=False, mtu=1300),
        SPEC,
    ):
        assert link.in_place(before, wanted)
        await link.apply(Update(TUNNEL, before, wanted))
        after = (await link.observe())[TUNNEL]
        assert differing_fields(wanted, after) == ()
        assert (after.index, after.group) == (made.index, made.group)
        before = after


async def test_what_somebody_changes_by_hand_is_seen_and_set_right(line: Line, kinds: Kinds) -> None:
    """ip(8) itself loses the MTU with any parameter that it changes: the kernel computes it anew."""
    link = kinds["link"]
    await link.apply(Create(TUNNEL, SPEC))
    as_made = as_ip_shows_it(line.router)
    for by_hand, fields in (
        (f"type ip6tnl local {HERE_LATER}", {"local", "mtu"}),
        (f"type ip6tnl remote {THERE_LATER}", {"remote", "mtu"}),
        ("type ip6tnl mode ip4ip6", {"mode", "mtu"}),
        ("type ip6tnl encaplimit 4", {"encapsulation_limit", "mtu"}),
        ("type ip6tnl hoplimit 255", {"hop_limit", "mtu"}),
        ("type ip6tnl tclass inherit", {"others", "mtu"}),
        ("type ip6tnl flowlabel 0x12345", {"others", "mtu"}),
        ("mtu 1300", {"mtu"}),
        ("down", {"up"}),
    ):
        line.router.ip(f"link set {TUNNEL} {by_hand}")
        seen = (await link.observe())[TUNNEL]
        assert set(differing_fields(SPEC, seen)) == fields
        await link.apply(Update(TUNNEL, seen, SPEC))
        assert as_ip_shows_it(line.router) == as_made


@pytest.mark.parametrize(
    ("mode", "families"), [("ipip6", ["ipv4"]), ("ip6ip6", ["ipv6"]), ("any", ["ipv4", "ipv6"])]
)
async def test_packets_pass_both_ways_in_plain_ipv6_packets(
    line: Line, kinds: Kinds, mode: str, families: list[str]
) -> None:
    line.make_far_end(f"ip6tnl mode {IP_MODES[mode]}", families)
    await made(kinds, replace(SPEC, mode=mode), families)
    line.must_carry(*families)
    assert line.sent() == {Outer(HERE, THERE, NEXT_HEADERS[family], 64) for family in families}


async def test_an_encapsulation_limit_is_a_destination_option(line: Line, kinds: Kinds) -> None:
    """What most networks drop, and why none is the default."""
    line.make_far_end("ip6tnl mode any", ["ipv4"])
    await made(kinds, replace(SPEC, encapsulation_limit=4), ["ipv4"])
    line.must_carry("ipv4")
    assert {outer.next_header for outer in line.sent()} == {60}


async def test_connections_and_routes_outlive_a_change_of_both_ends(line: Line, kinds: Kinds) -> None:
    line.make_far_end("ip6tnl mode any")
    before = await made(kinds, SPEC)
    for key, route in ROUTES.items():
        await kinds["route"].apply(Create(key, route))
    routes = await kinds.ours("route")
    addresses = await kinds.ours("address")
    with line.connection() as connection:
        connection.must_carry(b"before")
        after = await moved(kinds, SPEC)
        line.move_far_end("ip6tnl")
        connection.must_carry(b"after")
    assert after.index == before.index
    assert await kinds.ours("route") == routes
    assert await kinds.ours("address") == addresses
    line.sent()
    line.must_carry("ipv4", "ipv6")
    assert line.sent() == {
        Outer(HERE_LATER, THERE_LATER, next_header, 64) for next_header in NEXT_HEADERS.values()
    }


ROUTES = {
    RouteKey(254, "0.0.0.0/0", 0): Route("unicast", None, TUNNEL),
    RouteKey(254, "203.0.113.0/24", 0): Route("unicast", INNER["ipv4"][1], TUNNEL),
    RouteKey(254, "2001:db8:3::/48", 1024): Route("unicast", None, TUNNEL),
}


async def test_a_default_route_into_the_tunnel_is_made_as_the_command_of_ip_makes_it(
    line: Line, kinds: Kinds
) -> None:
    await made(kinds, SPEC)
    line.router.ip(f"route add default dev {TUNNEL} proto 116")
    by_hand = listing(line.router, "-4 route show default")
    line.router.ip("route del default")
    for key, route in ROUTES.items():
        await kinds["route"].apply(Create(key, route))
    assert listing(line.router, "-4 route show default") == by_hand
    assert by_hand[0]["scope"] == "link"
    assert await kinds.ours("route") == ROUTES


async def test_the_addresses_in_the_tunnel_are_seen_as_they_were_wanted(line: Line, kinds: Kinds) -> None:
    await made(kinds, SPEC)
    assert await kinds.ours("address") == {
        AddressKey(TUNNEL, here): Address(length) for here, _, length in INNER.values()
    }


async def test_two_tunnels_between_the_same_ends_are_refused_by_the_kernel(line: Line, kinds: Kinds) -> None:
    line.router.ip(f"link add other0 type ip6tnl mode ip4ip6 {BY_HAND}")
    with pytest.raises(Foreign, match=f"create link {TUNNEL}: File exists"):
        await kinds["link"].apply(Create(TUNNEL, replace(SPEC, mode="ip6ip6")))


async def test_the_tunnel_that_the_module_brings_along_is_not_ours(line: Line, kinds: Kinds) -> None:
    await kinds["link"].apply(Create(TUNNEL, SPEC))
    assert (await kinds["link"].observe())["ip6tnl0"].remote is None
    assert list(await kinds.ours("link")) == [TUNNEL]
    with pytest.raises(Foreign, match="create link ip6tnl0: File exists"):
        await kinds["link"].apply(Create("ip6tnl0", replace(SPEC, local=HERE_LATER)))


async def test_a_deletion_leaves_nothing(line: Line, kinds: Kinds) -> None:
    seen = await made(kinds, SPEC)
    await kinds["link"].apply(Delete(TUNNEL, seen))
    await kinds["link"].apply(Delete(TUNNEL, seen))
    assert TUNNEL not in await kinds["link"].observe()


async def test_a_tunnel_set_down_carries_nothing_and_comes_back_by_itself(line: Line, kinds: Kinds) -> None:
    line.make_far_end("ip6tnl mode any", ["ipv4"])
    link, observed = kinds["link"], await made(kinds, SPEC, ["ipv4"])
    line.must_carry("ipv4")
    line.router.ip(f"addr del {HERE}/64 dev wan0")
    suspended = link.suspended(observed, WAITING, {}, await kinds.observe())
    await link.apply(Update(TUNNEL, observed, suspended))
    assert "UP" not in as_ip_shows_it(line.router)["flags"]

    line.router.ip(f"addr add {HERE}/64 dev wan0 nodad")
    down: Any = (await link.observe())[TUNNEL]
    assert link.suspended(down, WAITING, {}, await kinds.observe()) == down
    await link.apply(Update(TUNNEL, down, SPEC))
    line.must_carry("ipv4")
