from dataclasses import replace
from typing import Any

import pytest
from kernel.kinds.machine import TUNNEL, Kinds, listing
from netns import Namespace
from tasuki_agent.errors import Foreign, Transient
from tasuki_agent.kind import Create, Delete, Ref, Update, differing_fields
from tasuki_agent.kinds.address.model import Address, AddressKey
from tasuki_agent.kinds.route.model import NextHop, Route, RouteKey

VIA6 = Route("unicast", "2001:db8:0:1::2", "e0")
SITE = RouteKey(254, "2001:db8:8::/48", 1024)
WANTED = [
    ("-6 route add 2001:db8:8::/48 via 2001:db8:0:1::2 dev e0", SITE, VIA6),
    ("-6 route add 2001:db8:8::/48 dev e0", SITE, Route("unicast", None, "e0")),
    ("-6 route add unreachable 2001:db8:8::/48", SITE, Route("unreachable")),
    ("-6 route add blackhole 2001:db8:8::/48", SITE, Route("blackhole")),
    ("-6 route add prohibit 2001:db8:8::/48", SITE, Route("prohibit")),
    (
        "-6 route add default via 2001:db8:0:1::2 dev e0 table 100 metric 512",
        RouteKey(100, "::/0", 512),
        VIA6,
    ),
    (
        "-6 route add 2001:db8:8::/48 via 2001:db8:0:1::2 dev e0 table 4294967295",
        RouteKey(2**32 - 1, "2001:db8:8::/48", 1024),
        VIA6,
    ),
    (
        "-4 route add 203.0.113.0/24 via 10.1.1.2 dev e0",
        RouteKey(254, "203.0.113.0/24", 0),
        Route("unicast", "10.1.1.2", "e0"),
    ),
    ("-4 route add 203.0.113.0/24 dev e0", RouteKey(254, "203.0.113.0/24", 0), Route("unicast", None, "e0")),
    (
        "-4 route add unreachable 203.0.113.0/24 metric 7",
        RouteKey(254, "203.0.113.0/24", 7),
        Route("unreachable"),
    ),
    (
        "-4 route add default via 10.1.1.2 dev e0 table 1000",
        RouteKey(1000, "0.0.0.0/0", 0),
        Route("unicast", "10.1.1.2", "e0"),
    ),
]


@pytest.fixture(autouse=True)
def on_link(router: Namespace) -> None:
    router.ip("addr add 2001:db8:0:1::1/64 dev e0 nodad")


def routes_as_ip_shows_them(router: Namespace, family: int) -> list[dict[str, Any]]:
    rows = listing(router, f"-d -{family} route show table all")
    return [{name: value for name, value in row.items() if name != "protocol"} for row in rows]


@pytest.mark.parametrize(("command", "key", "spec"), WANTED)
async def test_a_route_is_created_as_the_command_of_ip_creates_it(
    router: Namespace, kinds: Kinds, command: str, key: RouteKey, spec: Route
) -> None:
    family = 6 if ":" in key.prefix else 4
    router.ip(command)
    by_hand = routes_as_ip_shows_them(router, family)
    router.ip(command.replace(" add ", " del "))

    await kinds["route"].apply(Create(key, spec))
    assert routes_as_ip_shows_them(router, family) == by_hand


@pytest.mark.parametrize(("command", "key", "spec"), WANTED)
async def test_a_new_route_is_ours_and_seen_as_it_was_wanted(
    kinds: Kinds, command: str, key: RouteKey, spec: Route
) -> None:
    await kinds["route"].apply(Create(key, spec))
    ours = await kinds.ours("route")
    assert list(ours) == [key]
    assert differing_fields(spec, ours[key]) == ()


@pytest.mark.parametrize(("command", "key", "spec"), WANTED)
async def test_a_deletion_takes_the_route_away_and_may_be_repeated(
    kinds: Kinds, command: str, key: RouteKey, spec: Route
) -> None:
    route = kinds["route"]
    await route.apply(Create(key, spec))
    seen = (await route.observe())[key]
    await route.apply(Delete(key, seen))
    await route.apply(Delete(key, seen))
    assert key not in await route.observe()


@pytest.mark.parametrize(
    ("by_hand", "wanted"),
    [
        ("via 2001:db8:0:1::3 dev e0", VIA6),
        ("dev e0", VIA6),
        ("via 2001:db8:0:1::2 dev e0", Route("unreachable")),
        ("via 2001:db8:0:1::2 dev e0", Route("unicast", None, "e2")),
    ],
)
async def test_a_route_is_replaced_without_a_gap(
    router: Namespace, kinds: Kinds, by_hand: str, wanted: Route
) -> None:
    route = kinds["route"]
    router.ip(f"-6 route add 2001:db8:8::/48 {by_hand} proto 116")
    seen = (await route.observe())[SITE]
    assert differing_fields(wanted, seen)
    await route.apply(Update(SITE, seen, wanted))
    assert differing_fields(wanted, (await route.observe())[SITE]) == ()
    assert len(listing(router, "-6 route show 2001:db8:8::/48")) == 1


async def test_a_replaced_type_leaves_no_unreachable_route_behind(router: Namespace, kinds: Kinds) -> None:
    route = kinds["route"]
    await route.apply(Create(SITE, Route("unreachable")))
    seen = (await route.observe())[SITE]
    await route.apply(Update(SITE, seen, VIA6))
    assert [row.get("gateway") for row in listing(router, "-6 route show 2001:db8:8::/48")] == [VIA6.via]


LAN = RouteKey(254, "203.0.113.0/24", 0)
VIA4 = Route("unicast", "10.1.1.2", "e0")


@pytest.mark.parametrize(
    ("key", "typed", "hop"),
    [
        (SITE, "append {} via 2001:db8:0:1::3 dev e0", NextHop("2001:db8:0:1::3", "e0")),
        (SITE, "append {} via 2001:db8:0:1::3 dev e0 proto static", NextHop("2001:db8:0:1::3", "e0")),
        (SITE, "append {} via 2001:db8:0:1::3 dev e0 proto 116", NextHop("2001:db8:0:1::3", "e0")),
        (SITE, "append {} dev e2", NextHop(None, "e2")),
        (SITE, "append unreachable {}", NextHop(None, None, "unreachable")),
        (SITE, "append blackhole {} proto 116", NextHop(None, None, "blackhole")),
        (LAN, "append {} via 10.1.1.3 dev e0", NextHop("10.1.1.3", "e0")),
        (LAN, "append {} via 10.1.1.3 dev e0 proto 116", NextHop("10.1.1.3", "e0")),
        (LAN, "append {} via inet6 2001:db8:0:1::3 dev e0", NextHop("2001:db8:0:1::3", "e0")),
        (LAN, "append {} via 10.1.1.2 dev e0 proto static", NextHop("10.1.1.2", "e0")),
        (LAN, "prepend {} dev e2", NextHop(None, "e2")),
        (LAN, "prepend blackhole {}", NextHop(None, None, "blackhole")),
    ],
)
async def test_what_people_put_beside_a_route_is_seen_and_taken_away_alone(
    router: Namespace, kinds: Kinds, key: RouteKey, typed: str, hop: NextHop
) -> None:
    route, wanted, family = kinds["route"], *((VIA6, 6) if key == SITE else (VIA4, 4))
    await route.apply(Create(key, wanted))
    before = routes_as_ip_shows_them(router, family)
    router.ip(f"-{family} route {typed.format(key.prefix)}")
    seen = (await route.observe())[key]
    assert differing_fields(wanted, seen) == ("others",)
    assert seen.others == (hop,)

    await route.apply(Update(key, seen, wanted))
    assert differing_fields(wanted, (await route.observe())[key]) == ()
    assert routes_as_ip_shows_them(router, family) == before


async def test_a_route_of_ours_with_several_next_hops_is_replaced(router: Namespace, kinds: Kinds) -> None:
    for key, wanted, hops in (
        (LAN, VIA4, "nexthop via 10.1.1.3 dev e0 nexthop via 10.1.1.4 dev e0"),
        (SITE, VIA6, "nexthop via 2001:db8:0:1::3 dev e0 nexthop via 2001:db8:0:1::4 dev e0"),
    ):
        router.ip(f"route add {key.prefix} proto 116 {hops}")
        seen = (await kinds["route"].observe())[key]
        await kinds["route"].apply(Update(key, seen, wanted))
        assert differing_fields(wanted, (await kinds["route"].observe())[key]) == ()


async def test_a_daemons_next_hop_beside_ours_is_foreign_and_stays(router: Namespace, kinds: Kinds) -> None:
    route = kinds["route"]
    await route.apply(Create(SITE, VIA6))
    router.ip("-6 route append 2001:db8:8::/48 via 2001:db8:0:1::3 dev e0 proto bird")
    router.ip("-6 route append 2001:db8:8::/48 via 2001:db8:0:1::4 dev e0")
    for _ in range(2):
        seen = (await route.observe())[SITE]
        with pytest.raises(
            Foreign, match="next hops are beside it and left alone: via 2001:db8:0:1::3 dev e0"
        ):
            await route.apply(Update(SITE, seen, VIA6))
        assert gateways(router) == ["2001:db8:0:1::2", "2001:db8:0:1::3"]


async def test_what_people_put_beside_a_route_without_a_gateway_does_not_drag_siblings_along(
    router: Namespace, kinds: Kinds
) -> None:
    """The kernel deletes all next hops if a deletion names the interface of one of them, and no gateway."""
    route = kinds["route"]
    await route.apply(Create(SITE, VIA6))
    router.ip("-6 route append 2001:db8:8::/48 via 2001:db8:0:1::3 dev e0 proto bird")
    router.ip("-6 route append 2001:db8:8::/48 via 2001:db8:0:1::4 dev e0")
    router.ip("-6 route append 2001:db8:8::/48 dev e0")
    with pytest.raises(Foreign):
        await route.apply(Update(SITE, (await route.observe())[SITE], VIA6))
    assert gateways(router) == ["2001:db8:0:1::2", "2001:db8:0:1::3"]


async def test_a_deletion_leaves_a_daemons_next_hop(router: Namespace, kinds: Kinds) -> None:
    route = kinds["route"]
    await route.apply(Create(SITE, VIA6))
    router.ip("-6 route append 2001:db8:8::/48 via 2001:db8:0:1::3 dev e0 proto bird")
    await route.apply(Delete(SITE, (await route.observe())[SITE]))
    assert SITE not in await route.observe()
    assert [row.get("gateway") for row in listing(router, "-6 route show 2001:db8:8::/48")] == [
        "2001:db8:0:1::3"
    ]


def gateways(router: Namespace) -> list[str]:
    (row,) = listing(router, "-6 route show 2001:db8:8::/48")
    return [hop["gateway"] for hop in row["nexthops"]]


async def test_a_gateway_alone_may_leave_the_interface_to_the_kernel(kinds: Kinds) -> None:
    wanted = Route("unicast", "2001:db8:0:1::2")
    assert list(kinds["route"].needs(SITE, wanted)) == []
    await kinds["route"].apply(Create(SITE, wanted))
    assert differing_fields(wanted, (await kinds["route"].observe())[SITE]) == ()


async def test_routes_of_daemons_and_of_the_kernel_are_not_even_read(router: Namespace, kinds: Kinds) -> None:
    router.ip("-6 route add 2001:db8:8::/48 via 2001:db8:0:1::2 dev e0 proto bgp")
    router.ip("-6 route add 2001:db8:9::/48 via 2001:db8:0:1::2 dev e0 proto ra")
    assert await kinds["route"].observe() == {}


async def test_a_daemon_that_holds_the_key_is_reported_as_foreign(router: Namespace, kinds: Kinds) -> None:
    router.ip("-6 route add 2001:db8:8::/48 via 2001:db8:0:1::2 dev e0 proto bgp")
    with pytest.raises(Foreign, match=r"create route 2001:db8:8::/48 table 254 metric 1024: .*\[EEXIST\]"):
        await kinds["route"].apply(Create(SITE, VIA6))


async def test_what_people_typed_is_ours_out_of_our_links_only(router: Namespace, kinds: Kinds) -> None:
    await kinds["link"].apply(Create("vxlan01", TUNNEL))
    await kinds["address"].apply(Create(AddressKey("vxlan01", "2001:db8::1"), Address(80)))
    router.ip("-6 route add 2001:db8:1::/48 via 2001:db8::2 dev vxlan01")
    router.ip("-6 route add 2001:db8:2::/48 dev vxlan01 proto static table 100")
    router.ip("-6 route add 2001:db8:3::/48 dev vxlan01 proto bgp")
    router.ip("-6 route add 2001:db8:4::/48 dev e0 table 100")
    router.ip("-6 route add unreachable 2001:db8:5::/48")
    assert {key.prefix for key in await kinds.ours("route")} == {"2001:db8:1::/48", "2001:db8:2::/48"}


@pytest.mark.parametrize(
    "look_alike",
    [
        "2001:db8:8::/48 via 2001:db8:0:1::2 dev e0 metric 512 proto 116",
        "2001:db8:8::/48 via 2001:db8:0:1::2 dev e0 table 100 proto 116",
        "2001:db8:8::/49 via 2001:db8:0:1::2 dev e0 proto 116",
    ],
)
async def test_a_deletion_does_not_hit_a_look_alike(router: Namespace, kinds: Kinds, look_alike: str) -> None:
    route = kinds["route"]
    await route.apply(Create(SITE, VIA6))
    seen = (await route.observe())[SITE]
    router.ip(f"-6 route del {SITE.prefix} via {VIA6.via} dev e0")
    router.ip(f"-6 route add {look_alike}")
    await route.apply(Delete(SITE, seen))
    assert len(await route.observe()) == 1


async def test_a_deletion_does_not_hit_what_took_the_place_meanwhile(router: Namespace, kinds: Kinds) -> None:
    route = kinds["route"]
    await route.apply(Create(SITE, VIA6))
    seen = (await route.observe())[SITE]
    router.ip(f"-6 route replace {SITE.prefix} via 2001:db8:0:1::9 dev e0 proto bgp")
    await route.apply(Delete(SITE, seen))
    assert listing(router, f"-6 route show {SITE.prefix}")[0]["protocol"] == "bgp"


async def test_a_gateway_that_is_not_on_link_is_worth_another_try(kinds: Kinds) -> None:
    with pytest.raises(Transient, match="create route 2001:db8:8::/48 table 254 metric 1024: "):
        await kinds["route"].apply(Create(SITE, replace(VIA6, via="2001:db8:77::1")))


async def test_a_missing_interface_is_worth_another_try(kinds: Kinds) -> None:
    wanted = replace(VIA6, dev="vxlan01")
    assert list(kinds["route"].needs(SITE, wanted)) == [Ref("link", "vxlan01")]
    with pytest.raises(Transient, match=r"create route .*: link vxlan01 does not exist"):
        await kinds["route"].apply(Create(SITE, wanted))
