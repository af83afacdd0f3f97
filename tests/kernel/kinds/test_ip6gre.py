"""GRE tunnels in IPv6 packets, of packets and of frames, against a kernel that has them, and by traffic.

Programs are slow where most of these tests run, so each looks at all of its cases in one go.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from kernel.kinds.line import (
    HERE,
    HERE_LATER,
    THERE,
    THERE_LATER,
    TUNNEL,
    Line,
    Outer,
    as_ip_shows_it,
    made,
    moved,
)
from kernel.kinds.machine import Kinds
from netns import Namespace
from tasuki_agent.errors import Foreign
from tasuki_agent.kind import Create, Delete, Update, differing_fields
from tasuki_agent.kinds.link.linktypes.ip6gre import Ip6gre
from tasuki_agent.kinds.link.linktypes.ip6gretap import Ip6gretap

pytestmark = pytest.mark.needs_kernel("ip6_gre")

MAC = "02:00:5e:00:53:01"
PACKETS = Ip6gre(None, HERE, THERE, None, 64, None, True, 1400)
FRAMES = Ip6gretap(None, HERE, THERE, None, 64, None, True, 1400, MAC)
BY_HAND = f"local {HERE} remote {THERE}"
GRE = 47
each_type = pytest.mark.parametrize(
    ("link_type", "spec"), [("ip6gre", PACKETS), ("ip6gretap", FRAMES)], ids=["ip6gre", "ip6gretap"]
)


@pytest.fixture
def router(line: Line) -> Iterator[Namespace]:
    with line.router.entered():
        yield line.router


@each_type
async def test_a_tunnel_is_created_as_the_command_of_ip_creates_it(
    line: Line, kinds: Kinds, link_type: str, spec: Any
) -> None:
    for wanted, by_hand in (
        (spec, "encaplimit none"),
        (replace(spec, key=0), "encaplimit none key 0"),
        (
            replace(spec, underlay="wan0", hop_limit=255, encapsulation_limit=4, key=2**32 - 1),
            "dev wan0 hoplimit 255 encaplimit 4 key 4294967295",
        ),
    ):
        line.router.ip(f"link add {TUNNEL} mtu 1400 up type {link_type} {BY_HAND} {by_hand}")
        shown = as_ip_shows_it(line.router)
        line.router.ip(f"link del {TUNNEL}")

        await kinds["link"].apply(Create(TUNNEL, wanted))
        assert as_ip_shows_it(line.router) == shown
        ours = await kinds.ours("link")
        assert list(ours) == [TUNNEL]
        assert differing_fields(wanted, ours[TUNNEL]) == ()
        await kinds["link"].apply(Delete(TUNNEL, ours[TUNNEL]))


@each_type
async def test_everything_changes_in_place_and_nothing_else_with_it(
    line: Line, kinds: Kinds, link_type: str, spec: Any
) -> None:
    link = kinds["link"]
    await link.apply(Create(TUNNEL, spec))
    first = before = (await link.observe())[TUNNEL]
    for wanted in (
        replace(spec, local=HERE_LATER),
        replace(spec, remote=THERE_LATER),
        replace(spec, key=7),
        replace(spec, key=8, underlay="wan0"),
        replace(spec, hop_limit=7, encapsulation_limit=0),
        replace(spec, up=False),
        replace(spec, mtu=1300),
        replace(spec, local=HERE_LATER, remote=THERE_LATER, key=9, up=False, mtu=1300),
        spec,
    ):
        assert link.in_place(before, wanted)
        await link.apply(Update(TUNNEL, before, wanted))
        after = (await link.observe())[TUNNEL]
        assert differing_fields(wanted, after) == ()
        assert (after.index, after.group) == (first.index, first.group)
        before = after


@each_type
async def test_what_somebody_changes_by_hand_is_seen_and_set_right(
    line: Line, kinds: Kinds, link_type: str, spec: Any
) -> None:
    link = kinds["link"]
    await link.apply(Create(TUNNEL, spec))
    as_made = as_ip_shows_it(line.router)
    for by_hand, fields in (
        (f"type {link_type} local {HERE_LATER}", {"local"}),
        (f"type {link_type} key 7", {"key"}),
        (f"type {link_type} ikey 7", {"others"}),
        (f"type {link_type} okey 7", {"key", "others"}),
        (f"type {link_type} ocsum", {"others"}),
        (f"type {link_type} encaplimit 4", {"encapsulation_limit"}),
        ("mtu 1300", {"mtu"}),
        ("down", {"up"}),
    ):
        line.router.ip(f"link set {TUNNEL} {by_hand}")
        seen = (await link.observe())[TUNNEL]
        assert set(differing_fields(spec, seen)) - {"mtu"} == fields - {"mtu"}
        await link.apply(Update(TUNNEL, seen, spec))
        assert as_ip_shows_it(line.router) == as_made


@pytest.mark.parametrize("key", [None, 7])
@each_type
async def test_packets_pass_both_ways_in_plain_ipv6_packets(
    line: Line, kinds: Kinds, link_type: str, spec: Any, key: int | None
) -> None:
    line.make_far_end(f"{link_type}{'' if key is None else f' key {key}'}")
    await made(kinds, replace(spec, key=key))
    line.must_carry("ipv4", "ipv6")
    assert line.sent() == {Outer(HERE, THERE, GRE, 64)}


@each_type
async def test_connections_outlive_a_change_of_both_ends(
    line: Line, kinds: Kinds, link_type: str, spec: Any
) -> None:
    line.make_far_end(link_type)
    before = await made(kinds, spec)
    addresses = await kinds.ours("address")
    with line.connection() as connection:
        connection.must_carry(b"before")
        after = await moved(kinds, spec)
        line.move_far_end(link_type)
        connection.must_carry(b"after")
    assert after.index == before.index
    assert await kinds.ours("address") == addresses
    line.sent()
    line.must_carry("ipv4", "ipv6")
    assert line.sent() == {Outer(HERE_LATER, THERE_LATER, GRE, 64)}


async def test_two_tunnels_between_the_same_ends_need_different_keys(line: Line, kinds: Kinds) -> None:
    line.router.ip(f"link add other0 type ip6gre {BY_HAND} key 1")
    with pytest.raises(Foreign, match=f"create link {TUNNEL}: File exists"):
        await kinds["link"].apply(Create(TUNNEL, replace(PACKETS, key=1)))
    await kinds["link"].apply(Create(TUNNEL, replace(PACKETS, key=2)))


async def test_the_tunnels_that_the_module_brings_along_are_not_ours(line: Line, kinds: Kinds) -> None:
    await kinds["link"].apply(Create(TUNNEL, FRAMES))
    assert "ip6gre0" in await kinds["link"].observe()
    assert list(await kinds.ours("link")) == [TUNNEL]


async def test_a_tunnel_of_the_other_type_under_the_name_differs(line: Line, kinds: Kinds) -> None:
    await kinds["link"].apply(Create(TUNNEL, FRAMES))
    seen = (await kinds["link"].observe())[TUNNEL]
    assert differing_fields(PACKETS, seen) == ("type",)
    assert not kinds["link"].in_place(seen, PACKETS)
