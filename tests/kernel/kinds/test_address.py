from typing import Any

import pytest
from kernel.kinds.machine import TUNNEL, Kinds, listing
from netns import Namespace, until
from tasuki_agent.errors import Foreign, Permanent, Transient
from tasuki_agent.kind import Create, Delete, Ref, Update, differing_fields
from tasuki_agent.kinds.address.model import Address, AddressKey

V6 = AddressKey("e0", "2001:db8::1")
V4 = AddressKey("e0", "192.0.2.1")
WANTED = [
    (V6, Address(64)),
    (V6, Address(80, no_prefix_route=True)),
    (V6, Address(128)),
    (V4, Address(24)),
    (V4, Address(32)),
    (V4, Address(24, no_prefix_route=True)),
]
TUNNEL_ADDRESS = AddressKey("vxlan01", "2001:db8:1::1")


def address_as_ip_shows_it(router: Namespace, ip: str) -> dict[str, Any]:
    (found,) = (
        a for link in listing(router, "addr show dev e0") for a in link["addr_info"] if a["local"] == ip
    )
    return {name: value for name, value in found.items() if name not in {"protocol", "tentative"}}


@pytest.mark.parametrize(("key", "spec"), WANTED)
async def test_an_address_is_created_as_the_command_of_ip_creates_it(
    router: Namespace, kinds: Kinds, key: AddressKey, spec: Address
) -> None:
    flag = " noprefixroute" if spec.no_prefix_route else ""
    router.ip(f"addr add {key.ip}/{spec.prefix_length} dev e0{flag}")
    by_hand = address_as_ip_shows_it(router, key.ip)
    router.ip(f"addr del {key.ip}/{spec.prefix_length} dev e0")

    await kinds["address"].apply(Create(key, spec))
    assert address_as_ip_shows_it(router, key.ip) == by_hand


@pytest.mark.parametrize(("key", "spec"), WANTED)
async def test_a_new_address_is_ours_and_seen_as_it_was_wanted(
    kinds: Kinds, key: AddressKey, spec: Address
) -> None:
    await kinds["address"].apply(Create(key, spec))
    assert await kinds.ours("address") == {key: spec}


@pytest.mark.parametrize("other", [Address(48), Address(64, no_prefix_route=True)])
async def test_what_somebody_typed_instead_of_ours_is_seen_to_differ(
    router: Namespace, kinds: Kinds, other: Address
) -> None:
    await kinds["address"].apply(Create(V6, Address(64)))
    router.ip(f"addr del {V6.ip}/64 dev e0")
    flag = " noprefixroute" if other.no_prefix_route else ""
    router.ip(f"addr add {V6.ip}/{other.prefix_length} dev e0{flag}")
    seen = (await kinds["address"].observe())[V6]
    assert seen == other
    assert not kinds["address"].in_place(seen, Address(64))
    assert len(differing_fields(Address(64), seen)) == 1


@pytest.mark.parametrize(("key", "length"), [(V6, 64), (V4, 24)])
async def test_a_mark_that_a_change_by_hand_took_off_is_put_back_in_place(
    router: Namespace, kinds: Kinds, key: AddressKey, length: int
) -> None:
    wanted = Address(length)
    await kinds["address"].apply(Create(key, wanted))
    router.ip(f"addr change {key.ip}/{length} dev e0")
    seen = (await kinds["address"].observe())[key]
    assert kinds["address"].typed_over(key, seen)
    assert kinds["address"].in_place(seen, wanted)
    await kinds["address"].apply(Update(key, seen, wanted))
    assert await kinds.ours("address") == {key: wanted}


async def test_what_people_typed_is_ours_on_our_links_only(router: Namespace, kinds: Kinds) -> None:
    await kinds["link"].apply(Create("vxlan01", TUNNEL))
    router.ip("addr add 2001:db8:1::1/64 dev vxlan01")
    router.ip("addr add 192.0.2.1/24 dev vxlan01")
    router.ip("addr add 2001:db8:2::1/64 dev e0")
    assert set(await kinds.ours("address")) == {
        AddressKey("vxlan01", "2001:db8:1::1"),
        AddressKey("vxlan01", "192.0.2.1"),
    }


async def test_what_the_kernel_made_itself_is_never_ours(router: Namespace, kinds: Kinds) -> None:
    await kinds["link"].apply(Create("vxlan01", TUNNEL))
    until(lambda: "fe80" in router.ip("-6 addr show dev vxlan01"), within=60, why="a link-local address")
    seen = await kinds["address"].observe()
    assert any(key.interface == "vxlan01" and key.ip.startswith("fe80:") for key in seen)
    assert await kinds.ours("address") == {}


async def test_a_link_local_address_typed_on_our_link_stays(router: Namespace, kinds: Kinds) -> None:
    await kinds["link"].apply(Create("vxlan01", TUNNEL))
    router.ip("addr add fe80::1/64 dev vxlan01")
    assert await kinds.ours("address") == {}


async def test_a_lost_link_local_address_is_replaced_by_the_one_that_the_kernel_had_made(
    router: Namespace, kinds: Kinds
) -> None:
    await kinds["link"].apply(Create("vxlan01", TUNNEL))
    second = TUNNEL_ADDRESS._replace(ip="2001:db8:2::1")
    until(lambda: "fe80" in router.ip("-6 addr show dev vxlan01"), within=60, why="a link-local address")
    by_kernel = router.ip("-6 -brief addr show dev vxlan01 scope link")
    for key in (TUNNEL_ADDRESS, second):
        await kinds["address"].apply(Create(key, Address(64)))
    router.ip("-6 addr flush dev vxlan01 scope link")
    seen = await kinds["address"].observe()
    for key in (TUNNEL_ADDRESS, second):
        assert differing_fields(Address(64), seen[key]) == ("link_local",)
        assert kinds["address"].in_place(seen[key], Address(64))
        await kinds["address"].apply(Update(key, seen[key], Address(64)))
    assert await kinds.ours("address") == {TUNNEL_ADDRESS: Address(64), second: Address(64)}
    assert router.ip("-6 -brief addr show dev vxlan01 scope link") == by_kernel


@pytest.mark.parametrize(
    "made",
    [
        ["link set lo down", "link set lo name lan0 up"],
        ["link set e2 down", "link set e2 name lan0 arp off up"],
        ["link add lan0 type veth peer name e1"],
        ["link add lan0 up type veth peer name e1"],
        ["link set e2 down", "link set e2 name lan0 addrgenmode none", "link set lan0 up"],
    ],
    ids=["no Ethernet", "no neighbours", "down", "no carrier", "told to have none"],
)
async def test_an_interface_that_has_no_link_local_address_by_nature_needs_none(
    router: Namespace, kinds: Kinds, made: list[str]
) -> None:
    for command in made:
        router.ip(command)

    def carrier_is_known() -> bool:
        (link,) = listing(router, "link show dev lan0")
        return bool(link["operstate"] != "UNKNOWN" or link["link_type"] == "loopback")

    until(carrier_is_known, within=5, why="the kernel has looked for lan0's carrier")
    key = AddressKey("lan0", "2001:db8:1::1")
    await kinds["address"].apply(Create(key, Address(64)))
    router.ip("-6 addr flush dev lan0 scope link")
    assert await kinds.ours("address") == {key: Address(64)}


async def test_an_address_that_will_expire_is_never_ours(router: Namespace, kinds: Kinds) -> None:
    await kinds["link"].apply(Create("vxlan01", TUNNEL))
    router.ip("addr add 2001:db8:1::1/64 dev vxlan01 valid_lft 600 preferred_lft 600")
    assert await kinds.ours("address") == {}


async def test_an_address_that_is_there_already_is_foreign(router: Namespace, kinds: Kinds) -> None:
    router.ip("addr add 2001:db8::1/64 dev e0")
    with pytest.raises(Foreign, match=r"create address 2001:db8::1 dev e0: .*\[EEXIST\]"):
        await kinds["address"].apply(Create(V6, Address(64)))


async def test_a_missing_interface_is_worth_another_try(kinds: Kinds) -> None:
    key = AddressKey("lan0", "2001:db8::1")
    assert list(kinds["address"].needs(key, Address(64))) == [Ref("link", "lan0")]
    with pytest.raises(Transient, match="create address 2001:db8::1 dev lan0: link lan0 does not exist"):
        await kinds["address"].apply(Create(key, Address(64)))


@pytest.mark.parametrize(("key", "length"), [(V6, 129), (V4, 33), (AddressKey("e0", "ff02::1"), 64)])
async def test_what_the_kernel_does_not_take_is_refused_for_good(
    kinds: Kinds, key: AddressKey, length: int
) -> None:
    with pytest.raises((Permanent, Transient), match=f"create address {key.ip} dev e0"):
        await kinds["address"].apply(Create(key, Address(length)))


@pytest.mark.parametrize(("key", "spec"), WANTED)
async def test_a_deletion_takes_the_address_away_and_may_be_repeated(
    kinds: Kinds, key: AddressKey, spec: Address
) -> None:
    await kinds["address"].apply(Create(key, spec))
    seen = (await kinds["address"].observe())[key]
    await kinds["address"].apply(Delete(key, seen))
    await kinds["address"].apply(Delete(key, seen))
    assert key not in await kinds["address"].observe()


async def test_a_deletion_does_not_hit_a_look_alike_of_another_length(
    router: Namespace, kinds: Kinds
) -> None:
    router.ip("addr add 192.0.2.1/32 dev e0")
    await kinds["address"].apply(Create(V4, Address(24)))
    await kinds["address"].apply(Delete(V4, (await kinds["address"].observe())[V4]))
    assert "192.0.2.1/32" in router.ip("addr show dev e0")
    assert "192.0.2.1/24" not in router.ip("addr show dev e0")


async def test_an_address_is_deleted_already_when_its_interface_is_gone(
    router: Namespace, kinds: Kinds
) -> None:
    await kinds["link"].apply(Create("vxlan01", TUNNEL))
    key = AddressKey("vxlan01", "2001:db8::1")
    await kinds["address"].apply(Create(key, Address(80)))
    seen = (await kinds["address"].observe())[key]
    router.ip("link del vxlan01")
    await kinds["address"].apply(Delete(key, seen))


async def test_a_renamed_interface_is_noticed_though_no_address_changed(
    router: Namespace, kinds: Kinds
) -> None:
    router.ip("addr add 192.0.2.1/24 dev e2")
    assert AddressKey("e2", "192.0.2.1") in await kinds["address"].observe()
    router.ip("link set e2 down")
    router.ip("link set e2 name lan0")
    seen = await kinds["address"].observe()
    assert AddressKey("lan0", "192.0.2.1") in seen
    assert not [key for key in seen if key.interface == "e2"]


async def test_an_address_of_another_length_beside_ours_is_not_mistaken_for_it(
    router: Namespace, kinds: Kinds
) -> None:
    router.ip("addr add 192.0.2.1/32 dev e0")
    await kinds["address"].apply(Create(V4, Address(24)))
    assert await kinds.ours("address") == {V4: Address(24)}
