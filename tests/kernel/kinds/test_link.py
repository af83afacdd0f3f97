from dataclasses import replace
from typing import Any

import pytest
from kernel.kinds.machine import TUNNEL, Kinds, listing
from netns import Namespace
from tasuki_agent.errors import ApplyError, Foreign, Transient
from tasuki_agent.kind import Create, Delete, Ref, Update, differing_fields
from tasuki_agent.kinds.link.linktypes import OtherLink
from tasuki_agent.kinds.link.linktypes.vxlan import VxlanType

BY_HAND = "type vxlan id 1 dstport 4789 remote 10.1.1.2 dev e0"


def tunnel_as_ip_shows_it(router: Namespace) -> dict[str, Any]:
    """Without what differs from one link to the next, and without our mark."""
    (link,) = listing(router, "-d link show dev vxlan01")
    return {name: value for name, value in link.items() if name not in {"ifindex", "address", "group"}}


async def test_a_link_is_created_as_the_command_of_ip_creates_it(router: Namespace, kinds: Kinds) -> None:
    router.ip(f"link add vxlan01 mtu 1410 up {BY_HAND} nolearning")
    by_hand = tunnel_as_ip_shows_it(router)
    router.ip("link del vxlan01")

    await kinds["link"].apply(Create("vxlan01", TUNNEL))
    assert tunnel_as_ip_shows_it(router) == by_hand


async def test_a_new_link_is_ours_up_and_seen_as_it_was_wanted(kinds: Kinds) -> None:
    await kinds["link"].apply(Create("vxlan01", TUNNEL))
    ours = await kinds.ours("link")
    assert list(ours) == ["vxlan01"]
    assert differing_fields(TUNNEL, ours["vxlan01"]) == ()


@pytest.mark.parametrize(
    "wanted",
    [
        replace(TUNNEL, remote="2001:db8::2"),
        replace(TUNNEL, remote="2001:db8::2", local="2001:db8::1"),
        replace(TUNNEL, local="10.1.1.1"),
        replace(TUNNEL, learning=True),
        replace(TUNNEL, up=False),
        replace(TUNNEL, port=8472, vni=2**24 - 1),
        replace(TUNNEL, mtu=None),
        replace(TUNNEL, mac_address="02:00:5e:00:53:01"),
    ],
)
async def test_each_parameter_of_a_new_link_is_seen_as_it_was_wanted(kinds: Kinds, wanted: Any) -> None:
    await kinds["link"].apply(Create("vxlan01", wanted))
    assert differing_fields(wanted, (await kinds["link"].observe())["vxlan01"]) == ()


@pytest.mark.parametrize(
    "wanted",
    [
        replace(TUNNEL, remote="10.1.1.3"),
        replace(TUNNEL, local="10.1.1.1"),
        replace(TUNNEL, learning=True),
        replace(TUNNEL, mtu=1400),
        replace(TUNNEL, up=False),
        replace(TUNNEL, mac_address="02:00:5e:00:53:01"),
        replace(TUNNEL, remote="10.1.1.3", learning=True, mtu=1400, up=False),
    ],
)
async def test_what_changes_in_place_keeps_its_index(kinds: Kinds, wanted: Any) -> None:
    link = kinds["link"]
    await link.apply(Create("vxlan01", TUNNEL))
    before = (await link.observe())["vxlan01"]
    assert link.in_place(before, wanted)

    await link.apply(Update("vxlan01", before, wanted))
    after = (await link.observe())["vxlan01"]
    assert differing_fields(wanted, after) == ()
    assert after.index == before.index


async def test_packets_follow_a_changed_remote(router: Namespace, kinds: Kinds) -> None:
    link = kinds["link"]
    await link.apply(Create("vxlan01", TUNNEL))
    before = (await link.observe())["vxlan01"]
    await link.apply(Update("vxlan01", before, replace(TUNNEL, remote="10.1.1.3")))
    assert router.run("bridge", "fdb", "show", "dev", "vxlan01").split()[:3] == [
        "00:00:00:00:00:00",
        "dst",
        "10.1.1.3",
    ]


@pytest.mark.parametrize(
    "wanted",
    [
        replace(TUNNEL, vni=2),
        replace(TUNNEL, port=8472),
        replace(TUNNEL, underlay="e2"),
        replace(TUNNEL, remote="2001:db8::2"),
    ],
)
async def test_what_the_kernel_cannot_change_is_built_anew(kinds: Kinds, wanted: Any) -> None:
    link = kinds["link"]
    await link.apply(Create("vxlan01", TUNNEL))
    assert not link.in_place((await link.observe())["vxlan01"], wanted)


async def test_a_new_underlay_alone_would_leave_packets_on_the_old_one(
    router: Namespace, kinds: Kinds
) -> None:
    """The reason why an underlay is not changed in place: once this fails, it can be."""
    await kinds["link"].apply(Create("vxlan01", TUNNEL))
    router.ip("link set vxlan01 type vxlan id 1 dev e2")
    assert "via e0" in router.run("bridge", "fdb", "show", "dev", "vxlan01")


@pytest.mark.parametrize(
    ("by_hand", "field"),
    [
        ("link set vxlan01 mtu 1300", "mtu"),
        ("link set vxlan01 down", "up"),
        ("link set vxlan01 type vxlan id 1 remote 10.1.1.9", "remote"),
        ("link set vxlan01 type vxlan id 1 local 10.1.1.1", "local"),
        ("link set vxlan01 type vxlan id 1 learning", "learning"),
        ("link set vxlan01 type vxlan id 1 dev e2", "underlay"),
    ],
)
async def test_what_somebody_changes_by_hand_is_seen(
    router: Namespace, kinds: Kinds, by_hand: str, field: str
) -> None:
    await kinds["link"].apply(Create("vxlan01", TUNNEL))
    await kinds["link"].observe()
    router.ip(by_hand)
    assert differing_fields(TUNNEL, (await kinds["link"].observe())["vxlan01"]) == (field,)


@pytest.mark.parametrize(
    ("by_hand", "field"),
    [
        ("type vxlan id 7 dstport 4789 remote 10.1.1.2 dev e0 nolearning", "vni"),
        ("type vxlan id 1 dstport 8472 remote 10.1.1.2 dev e0 nolearning", "port"),
        ("type bridge", "type"),
    ],
)
async def test_a_look_alike_by_hand_differs_and_is_not_ours(
    router: Namespace, kinds: Kinds, by_hand: str, field: str
) -> None:
    router.ip(f"link add vxlan01 mtu 1410 up {by_hand}")
    assert await kinds.ours("link") == {}
    assert differing_fields(TUNNEL, (await kinds["link"].observe())["vxlan01"]) == (field,)


async def test_an_equal_link_by_hand_is_not_ours_either(router: Namespace, kinds: Kinds) -> None:
    router.ip(f"link add vxlan01 mtu 1410 up {BY_HAND} nolearning")
    assert await kinds.ours("link") == {}


async def test_links_of_others_are_seen_as_something_to_stand_on(kinds: Kinds) -> None:
    links = await kinds["link"].observe()
    assert links["e0"] == OtherLink("veth", up=True, mtu=1500)
    assert list(kinds["link"].needs("vxlan01", TUNNEL)) == [Ref("link", "e0")]


async def test_a_name_that_is_no_text_is_seen_spelled_out_and_can_be_reported(
    router: Namespace, kinds: Kinds
) -> None:
    router.ip("link add tunnel0 type vxlan id 7 dstport 4789 remote 10.1.1.2 dev e2")
    for interface, name in (("tunnel0", "tunn\udce9l"), ("e2", "caf\udce9")):
        router.ip(f"link set {interface} down")
        router.ip(f"link set {interface} name {name}")
    links = await kinds["link"].observe()
    assert links["tunn\\xe9l"].underlay == "caf\\xe9"


async def test_a_taken_name_is_reported_as_foreign_and_left_alone(router: Namespace, kinds: Kinds) -> None:
    router.ip("link add vxlan01 type bridge")
    with pytest.raises(Foreign, match=r"create link vxlan01: File exists \[EEXIST\]"):
        await kinds["link"].apply(Create("vxlan01", TUNNEL))
    assert listing(router, "-d link show vxlan01")[0]["linkinfo"]["info_kind"] == "bridge"


async def test_a_taken_vni_is_reported_in_the_kernels_words(router: Namespace, kinds: Kinds) -> None:
    router.ip(f"link add tunnel1 {BY_HAND}")
    with pytest.raises(Foreign, match="create link vxlan01: A VXLAN device with the specified VNI already"):
        await kinds["link"].apply(Create("vxlan01", TUNNEL))


async def test_a_missing_underlay_is_worth_another_try(kinds: Kinds) -> None:
    with pytest.raises(Transient, match="create link vxlan01: link wan0 does not exist"):
        await kinds["link"].apply(Create("vxlan01", replace(TUNNEL, underlay="wan0")))


async def test_a_type_that_the_kernel_lacks_is_worth_another_try_and_names_its_module(
    kinds: Kinds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(VxlanType, "kernel_name", "tasuki")
    monkeypatch.setattr(VxlanType, "module", "tasuki_net")
    with pytest.raises(Transient, match=r"Unknown device type \[ENOTSUP\]: .* modprobe tasuki_net says"):
        await kinds["link"].apply(Create("vxlan01", TUNNEL))


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a b", "a" * 16, "tunnel%d/"])
async def test_a_name_that_no_link_can_have_is_refused(kinds: Kinds, name: str) -> None:
    with pytest.raises(ApplyError, match="create link"):
        await kinds["link"].apply(Create(name, TUNNEL))


async def test_an_mtu_that_the_underlay_cannot_carry_is_an_error_and_not_silence(kinds: Kinds) -> None:
    link = kinds["link"]
    too_big = replace(TUNNEL, mtu=1490)
    await link.apply(Create("vxlan01", too_big))
    clamped = (await link.observe())["vxlan01"]
    assert differing_fields(too_big, clamped) == ("mtu",)
    with pytest.raises(Transient, match="change mtu of link vxlan01"):
        await link.apply(Update("vxlan01", clamped, too_big))


async def test_a_deletion_hits_the_link_that_was_seen_and_no_other_of_its_name(
    router: Namespace, kinds: Kinds
) -> None:
    link = kinds["link"]
    await link.apply(Create("vxlan01", TUNNEL))
    seen = (await link.observe())["vxlan01"]
    router.ip("link set vxlan01 down")
    router.ip("link set vxlan01 name moved")
    router.ip("link add vxlan01 type bridge")

    await link.apply(Delete("vxlan01", seen))
    await link.apply(Delete("vxlan01", seen))
    links = await link.observe()
    assert "moved" not in links
    assert links["vxlan01"].type == "bridge"


async def test_a_link_goes_with_its_underlay_and_that_is_seen(router: Namespace, kinds: Kinds) -> None:
    await kinds["link"].apply(Create("vxlan01", TUNNEL))
    assert "vxlan01" in await kinds["link"].observe()
    router.ip("link del e0")
    assert "vxlan01" not in await kinds["link"].observe()
    assert await kinds.ours("link") == {}
