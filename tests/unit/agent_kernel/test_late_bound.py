"""Tunnels and addresses that are made of facts: what they wait for, and what becomes of them meanwhile."""

from dataclasses import replace
from typing import Any

import pytest
from tasuki_agent.kernel import uapi
from tasuki_agent.kind import Observed, Update, Waiting, differing_fields
from tasuki_agent.kinds.address import model as address
from tasuki_agent.kinds.address.model import Address, AddressKey
from tasuki_agent.kinds.link import model as link
from tasuki_agent.kinds.link.linktypes import OtherLink
from tasuki_agent.kinds.link.linktypes.ip6gre import Ip6gre
from tasuki_agent.kinds.link.linktypes.ip6gretap import Ip6gretap
from tasuki_agent.known import Known
from tasuki_yang.facts import FactKey
from tasuki_yang.path import get
from tasuki_yang.schema import ROUTER
from unit.agent_kernel.test_models import FACTS, TREE, WANTED, parsed

LINE = FactKey("wan0", "global-address")


def without(*keys: FactKey) -> Known:
    """All that is known but this."""
    return Known({key: values for key, values in FACTS.items() if key not in keys})


@pytest.mark.parametrize(
    ("name", "missing", "on"),
    [
        ("dslite0", FactKey("enp1s0f0", "delegated-prefix"), "a prefix delegated on enp1s0f0"),
        (
            "dslite0",
            FactKey("2001:db8:1200:2::b4", "local-address"),
            "the address 2001:db8:1200:2::b4 on an interface of this router",
        ),
        ("dslite0", FactKey("enp1s0f0", "aftr-name"), "the AFTR of the lease on enp1s0f0"),
        ("dslite0", FactKey("gw.example.net", "addresses"), "an IPv6 address of the name gw.example.net"),
        ("osaka", FactKey("enp1s0f0", "global-address"), "a global address of enp1s0f0"),
        (
            "osaka-lan",
            FactKey("2001:db8::1", "local-address"),
            "the address 2001:db8::1 on an interface of this router",
        ),
    ],
)
def test_a_tunnel_waits_for_its_ends_and_says_what_to_look_at(name: str, missing: FactKey, on: str) -> None:
    wanted = link.want(parsed(TREE), known := without(missing))[name]
    assert isinstance(wanted, Waiting)
    assert wanted.on == on
    assert wanted.hint
    assert missing in known.asked


def test_a_vxlan_link_does_not_wait_for_a_fixed_local_address() -> None:
    assert link.want(parsed(TREE), Known())["vxlan01"] == WANTED[link]["vxlan01"]


def test_an_end_outside_the_delegated_prefix_fails_until_there_is_another_one() -> None:
    known = Known({**FACTS, FactKey("enp1s0f0", "delegated-prefix"): ("2001:db8:1200::/64",)})
    for wanted in (link.want(parsed(TREE), known)["dslite0"], waiting_address(known)[1]):
        assert wanted == Waiting(
            "the prefix delegated on enp1s0f0",
            "2001:db8:1200::/64 has no subnet 2: its only one is 0",
            impossible=True,
        )


@pytest.mark.parametrize(
    ("name", "learned"),
    [
        ("dslite0", ("local", "remote")),
        ("osaka", ("local", "remote")),
        ("osaka-lan", ()),
        ("vxlan01", ()),
    ],
)
def test_a_tunnel_says_which_of_its_ends_it_learned(name: str, learned: tuple[str, ...]) -> None:
    wanted: Any = link.want(parsed(TREE), Known(FACTS))[name]
    assert wanted.learned == learned


@pytest.mark.parametrize(
    ("kind", "rest"),
    [("vxlan", {"vni": 1, "underlay": "wan0"}), ("ip6tnl", {}), ("ip6gre", {})],
    ids=["vxlan", "ip6tnl", "ip6gre"],
)
@pytest.mark.parametrize(
    ("remote", "asked"),
    [
        ({"remote-unknown": "a global address of wan0 of router office"}, set()),
        ({"remote-name": {"name": "gw.example.net"}}, {FactKey("gw.example.net", "addresses")}),
    ],
    ids=["another router's end", "a name"],
)
def test_both_ends_are_asked_for_while_neither_is_known(
    kind: str, rest: dict[str, Any], remote: dict[str, Any], asked: set[FactKey]
) -> None:
    tunnel = {**rest, "local-interface": "wan0", **remote}
    interface = {"name": "t0", "type": f"tasuki-link:{kind}", f"tasuki-link:{kind}": tunnel}
    wanted = link.want(parsed({"ietf-interfaces:interfaces": {"interface": [interface]}}), known := Known())
    assert wanted["t0"] == Waiting(LINE.text, LINE.hint)
    assert known.asked == {LINE, *asked}


def waiting_address(known: Known) -> tuple[AddressKey, Any]:
    (entry,) = [entry for entry in address.want(parsed(TREE), known).items() if isinstance(entry[1], Waiting)]
    return entry


def test_an_address_without_its_prefix_waits_in_the_place_that_the_tree_has_for_it() -> None:
    key, wanted = waiting_address(Known())
    assert str(key) == "::b4 in subnet 2 of the prefix of enp1s0f0 dev enp1s0f0"
    assert wanted.on == "a prefix delegated on enp1s0f0"
    assert get(ROUTER, TREE, address.path(key)) == {
        "lease": "enp1s0f0",
        "subnet-id": 2,
        "interface-id": "::b4",
        "prefix-length": 128,
    }


def test_an_address_follows_its_prefix_and_is_usable_at_once() -> None:
    (before,), (after,) = (
        [entry for entry in address.want(parsed(TREE), known).items() if entry[0].place]
        for known in (
            Known(FACTS),
            Known({FactKey("enp1s0f0", "delegated-prefix"): ("2001:db8:3400::/48",)}),
        )
    )
    assert [str(key) for key, _ in (before, after)] == [
        "2001:db8:1200:2::b4 dev enp1s0f0",
        "2001:db8:3400:2::b4 dev enp1s0f0",
    ]
    assert address.path(before[0]) == address.path(after[0])
    assert isinstance(after[1], Address)
    assert after[1].flags == uapi.IFA_F_NODAD
    assert after[1].learned == ("",)


def test_an_address_that_is_typed_and_delegated_is_the_typed_one() -> None:
    interface = {
        "name": "wan0",
        "type": "iana-if-type:other",
        "ietf-ip:ipv6": {
            "address": [{"ip": "2001:db8:1200:2::b4", "prefix-length": 64}],
            "tasuki-address:delegated-address": [
                {"lease": "enp1s0f0", "subnet-id": 2, "interface-id": "::b4", "prefix-length": 128}
            ],
        },
    }
    tree = {"ietf-interfaces:interfaces": {"interface": [interface]}}
    ((key, spec),) = address.want(parsed(tree), Known(FACTS)).items()
    assert (key.place, spec) == (None, Address(64))


TUNNEL: Any = WANTED[link]["dslite0"]
WAITING = Waiting("a global address of wan0")


def here(spec: Any, flags: int = 0) -> Observed:
    """The link's local address on an interface."""
    return {"address": {AddressKey("wan0", spec.local): Address(64, flags=flags)}}


@pytest.mark.parametrize("name", ["dslite0", "osaka", "osaka-lan"])
def test_a_tunnel_that_waits_is_down_while_no_interface_has_its_local_address(name: str) -> None:
    tunnel: Any = WANTED[link][name]
    elsewhere: Observed = {"address": {AddressKey("wan0", "2001:db8:9::9"): Address(64)}}
    assert link.suspended(tunnel, WAITING, {}, here(tunnel)) == tunnel
    assert differing_fields(link.suspended(tunnel, WAITING, {}, elsewhere), tunnel) == ("up",)


@pytest.mark.parametrize(
    ("flags", "up"),
    [
        (uapi.IFA_F_TENTATIVE, False),
        (uapi.IFA_F_DADFAILED, False),
        (uapi.IFA_F_TENTATIVE | uapi.IFA_F_OPTIMISTIC, True),
        (uapi.IFA_F_DEPRECATED, True),
    ],
)
def test_an_address_that_packets_cannot_have_is_as_good_as_none(flags: int, *, up: bool) -> None:
    assert link.suspended(TUNNEL, WAITING, {}, here(TUNNEL, flags)).up == up


@pytest.mark.parametrize("name", ["dslite0", "osaka", "osaka-lan", "vxlan01"])
def test_a_link_that_shall_be_off_is_down_though_it_waits(name: str) -> None:
    spec: Any = WANTED[link][name]
    off = link.suspended(spec, replace(WAITING, off=True), {}, here(spec))
    assert differing_fields(off, spec) == ("up",)


def test_a_link_that_waits_and_shall_be_off_says_so() -> None:
    tunnel = {"name": "t0", "type": "tasuki-link:ip6tnl", "enabled": False}
    ends = {"tasuki-link:ip6tnl": {"local-interface": "wan0", "remote": "2001:db8::2"}}
    tree = {"ietf-interfaces:interfaces": {"interface": [{**tunnel, **ends}]}}
    assert link.want(parsed(tree), Known())["t0"] == Waiting(LINE.text, LINE.hint, off=True)


@pytest.mark.parametrize("name", ["dslite0", "osaka", "osaka-lan"])
def test_a_tunnel_that_waits_leaves_its_ends_to_the_one_that_is_wanted_with_them(name: str) -> None:
    tunnel: Any = replace(WANTED[link][name], index=70_000)
    mtu = replace(tunnel, mtu=1300)
    parked: Any = link.suspended(tunnel, WAITING, {"t0": WAITING, "other": mtu}, here(tunnel))
    assert (parked.local, parked.remote, parked.up) == ("::1", "100::1:1170", False)
    assert set(differing_fields(parked, tunnel)) == {"local", "remote", "up"}
    assert link.suspended(parked, WAITING, {"other": mtu}, here(tunnel)) == parked
    for other in (replace(tunnel, remote="2001:db8:7::2"), replace(tunnel, underlay="wan7"), WAITING):
        assert link.suspended(tunnel, WAITING, {"other": other}, here(tunnel)) == tunnel


ONE = replace(WANTED[link]["dslite0"], index=1)
TWO: Any = replace(ONE, remote="2001:db8:7::2", index=2)


def test_of_two_tunnels_that_exchange_their_ends_the_one_in_the_way_is_parked() -> None:
    links = {"one": ONE, "two": TWO}
    changing = {"one": TWO, "two": ONE}
    parking = link.make_way("one", changing["one"], links, changing)
    assert parking == Update("two", TWO, replace(TWO, local="::1", remote="100::2"))
    assert parking.spec.up


@pytest.mark.parametrize(
    "changing",
    [{}, {"two": replace(TWO, mtu=1300)}, {"one": ONE}],
    ids=["is left alone", "keeps its ends", "is not there"],
)
def test_a_tunnel_that_stays_where_it_is_makes_no_way(changing: dict[str, Any]) -> None:
    assert link.make_way("one", TWO, {"one": ONE, "two": TWO}, {"one": TWO, **changing}) is None


def test_tunnels_of_two_types_or_keys_are_in_nobodys_way() -> None:
    gre: Any = WANTED[link]["osaka"]
    frames = Ip6gretap(gre.underlay, gre.local, gre.remote, None, 64, gre.key, True)
    wanted = {"mine": gre, "frames": replace(frames, remote="2001:db8::7")}
    assert link.make_way("mine", gre, {"frames": frames}, wanted) is None
    keyless, zero = replace(gre, key=None), replace(gre, key=0)
    moved = replace(gre, key=7)
    assert link.make_way("mine", keyless, {"two": moved}, {"two": keyless}) is None
    assert link.make_way("mine", keyless, {"two": zero}, {"two": moved}) is not None


@pytest.mark.parametrize(
    "spec",
    [
        WANTED[link]["vxlan01"],
        WANTED[link]["vxlan02"],
        OtherLink("veth", True, 1500),
        replace(TUNNEL, local=None),
    ],
)
def test_any_other_link_stays_as_it_is(spec: Any) -> None:
    assert link.suspended(spec, WAITING, {}, {}) == spec


@pytest.mark.parametrize("identity", ["ip6tnl", "ip6gre", "ip6gretap"])
def test_a_tunnel_in_ipv6_packets_is_changed_in_place_whatever_changes(identity: str) -> None:
    observed = {"ip6tnl": "dslite0", "ip6gre": "osaka", "ip6gretap": "osaka-lan"}[identity]
    spec: Any = WANTED[link][observed]
    for changed in (
        replace(spec, local="2001:db8:7::1", remote="2001:db8:7::2"),
        replace(spec, underlay="wan7", encapsulation_limit=7, hop_limit=7),
        replace(spec, mtu=1300, up=False, others=("fwmark 0x7",)),
    ):
        assert link.in_place(changed, spec)
    assert not link.in_place(WANTED[link]["vxlan01"], spec)


def test_the_two_types_of_gre_tunnels_are_never_taken_for_one_another() -> None:
    ends = ("wan0", "2001:db8::1", "2001:db8::2", None, 64, None, True)
    assert differing_fields(Ip6gre(*ends), Ip6gretap(*ends)) == ("type",)
    assert not link.in_place(Ip6gre(*ends), Ip6gretap(*ends))
