"""Addresses and routes that follow leases: what is wanted of any lease, and how it comes about."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import MagicMock

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tasuki_agent.kernel import uapi
from tasuki_agent.kind import Create, Delete, Kind, Ref, Update, Waiting
from tasuki_agent.kinds.address import model as address
from tasuki_agent.kinds.address.kind import AddressKind
from tasuki_agent.kinds.address.lifetimes import Lifetimes
from tasuki_agent.kinds.address.model import Address, AddressKey
from tasuki_agent.kinds.link.linktypes import OtherLink
from tasuki_agent.kinds.route import model as route
from tasuki_agent.kinds.route.kind import RouteKind
from tasuki_agent.kinds.route.model import Route, RouteKey
from tasuki_agent.known import Known
from tasuki_agent.operational import operational_tree
from tasuki_agent.reconcile.compare import compare
from tasuki_agent.reconcile.plan import Plan, plan
from tasuki_yang.facts import FactKey, Facts, Terms
from tasuki_yang.path import get
from tasuki_yang.schema import ROUTER
from unit.agent_kernel.test_models import parsed

ADDRESS, ROUTERS = FactKey("wan0", "ipv4-address"), FactKey("wan0", "ipv4-routers")
PREFIX, FORMER = FactKey("wan0", "delegated-prefix"), FactKey("wan0", "former-prefixes")
LEARNED = {"ietf-origin:origin": "ietf-origin:learned"}


def interface(name: str, ipv4: str = "", ipv6: str = "", subnet_id: int | None = None) -> dict[str, Any]:
    """An interface with typed addresses, and one in the delegated prefix."""
    families: dict[str, dict[str, Any]] = {"ietf-ip:ipv4": {}, "ietf-ip:ipv6": {}}
    for family, typed in zip(families, (ipv4, ipv6), strict=True):
        if typed:
            ip, _, length = typed.partition("/")
            families[family]["address"] = [{"ip": ip, "prefix-length": int(length)}]
    if subnet_id is not None:
        place = {"lease": "wan0", "subnet-id": subnet_id, "interface-id": "::1", "renumbering": "deprecate"}
        families["ietf-ip:ipv6"]["tasuki-address:delegated-address"] = [place]
    return {"name": name, "type": "iana-if-type:other", **families}


def tree(*interfaces: dict[str, Any]) -> dict[str, Any]:
    """A router with a line on which all is leased, and these interfaces."""
    wan = {
        "name": "wan0",
        "type": "iana-if-type:other",
        "ietf-ip:ipv4": {"tasuki-address:leased-address": {}},
    }
    default = {"destination-prefix": "0.0.0.0/0", "next-hop": {"tasuki-route:router-of-lease": "wan0"}}
    protocol = {
        "type": "ietf-routing:static",
        "name": "wan",
        "static-routes": {
            "ietf-ipv4-unicast-routing:ipv4": {"route": [{**default, "tasuki-route:metric": 50}]}
        },
    }
    return {
        "ietf-interfaces:interfaces": {"interface": [wan, *interfaces]},
        "ietf-routing:routing": {
            "control-plane-protocols": {"control-plane-protocol": [protocol]},
            "tasuki-route:delegated-prefix-route": [{"interface": "wan0", "metric": 2048}],
        },
    }


HOME = tree(interface("lan0", subnet_id=1), interface("lan1", subnet_id=16))
FACTS: Facts = {
    PREFIX: ("2001:db8:1200::/56",),
    FORMER: ("2001:db8:3400::/60", "2001:db8:5600::/48"),
    ADDRESS: ("192.0.2.10/24",),
    ROUTERS: ("192.0.2.1", "192.0.2.2"),
}
TERMS = {
    (PREFIX, "2001:db8:1200::/56"): Terms("dhcpv6", 600, 900),
    (FORMER, "2001:db8:3400::/60"): Terms("dhcpv6", 500, 700),
    (ADDRESS, "192.0.2.10/24"): Terms("dhcpv4", None, 1_000),
}
KNOWN = Known(FACTS, TERMS)


def test_each_address_lasts_as_long_as_its_lease_and_former_ones_are_deprecated() -> None:
    assert address.want(parsed(HOME), KNOWN) == {
        AddressKey("wan0", "192.0.2.10"): Address(24, lifetimes=Lifetimes(1_000, 1_000)),
        AddressKey("lan0", "2001:db8:1200:1::1"): Address(64, lifetimes=Lifetimes(600, 900)),
        AddressKey("lan0", "2001:db8:3400:1::1"): Address(64, lifetimes=Lifetimes(0, 700)),
        AddressKey("lan0", "2001:db8:5600:1::1"): Address(64, lifetimes=Lifetimes(0, None)),
        AddressKey("lan1", "2001:db8:1200:10::1"): Address(64, lifetimes=Lifetimes(600, 900)),
        # A /60 has no subnet 16.
        AddressKey("lan1", "2001:db8:5600:10::1"): Address(64, lifetimes=Lifetimes(0, None)),
    }
    assert KNOWN.timed >= {PREFIX, FORMER, ADDRESS}


def test_what_a_lease_does_not_fill_is_unreachable_and_the_rest_goes_by_its_router() -> None:
    wanted = route.want(parsed(HOME), KNOWN)
    assert wanted == {
        RouteKey(254, "0.0.0.0/0", 50): Route("unicast", "192.0.2.1", "wan0"),
        RouteKey(254, "2001:db8:1200::/56", 2048): Route("unreachable"),
        RouteKey(254, "2001:db8:3400::/60", 2048): Route("unreachable"),
        RouteKey(254, "2001:db8:5600::/48", 2048): Route("unreachable"),
    }
    by_lease = wanted[RouteKey(254, "0.0.0.0/0", 50)]
    assert isinstance(by_lease, Route)
    assert Ref("address", AddressKey("wan0", "192.0.2.10")) in route.needs(RouteKey(254, "", 0), by_lease)


@pytest.mark.parametrize("kind", [address, route])
@pytest.mark.parametrize("facts", [FACTS, {}], ids=["all known", "nothing known"])
def test_each_object_has_the_place_of_what_asks_for_it(kind: Any, facts: Facts) -> None:
    places = {
        kind.path(key): get(ROUTER, HOME, kind.path(key)) for key in kind.want(parsed(HOME), Known(facts))
    }
    assert None not in places.values()
    assert len(places) == {address: 3, route: 2}[kind]


def test_without_a_lease_everything_waits_and_what_is_left_of_former_ones_stays() -> None:
    known = Known({FORMER: FACTS[FORMER]})
    wanted: dict[Any, Any] = {**address.want(parsed(HOME), known), **route.want(parsed(HOME), known)}
    assert {str(key): spec.on for key, spec in wanted.items() if isinstance(spec, Waiting)} == {
        "of the lease dev wan0": ADDRESS.text,
        "::1 in subnet 1 of the prefix of wan0 dev lan0": PREFIX.text,
        "::1 in subnet 16 of the prefix of wan0 dev lan1": PREFIX.text,
        "0.0.0.0/0 by the router of wan0 table 254 metric 50": ROUTERS.text,
        "the prefix delegated on wan0 table 254 metric 2048": PREFIX.text,
    }
    assert sum(isinstance(spec, Address) for spec in wanted.values()) == 3
    assert sum(isinstance(spec, Route) for spec in wanted.values()) == 2


def test_a_prefix_that_is_delegated_again_is_no_former_one() -> None:
    known = Known({**FACTS, FORMER: ("2001:db8:1200::/56", "2001:db8:1200::/48")}, TERMS)
    wanted = address.want(parsed(HOME), known)
    (key,) = (key for key in wanted if key.interface == "lan0")
    assert wanted[key] == Address(64, lifetimes=Lifetimes(600, 900))
    assert address.rank(key) == 0


def test_no_subnet_of_the_present_prefix_is_on_another_link_for_a_former_one_that_contains_it() -> None:
    known = Known({PREFIX: ("2001:db8:1200:10::/60",), FORMER: ("2001:db8:1200::/56",)})
    for subnet_ids in ((17, 1), (1, 17)):
        lans = (interface(f"lan{n}", subnet_id=subnet_id) for n, subnet_id in enumerate(subnet_ids))
        wanted = address.want(parsed(tree(*lans)), known)
        present = f"lan{subnet_ids.index(1)}"
        assert {key: key.former for key, spec in wanted.items() if isinstance(spec, Address)} == {
            AddressKey(present, "2001:db8:1200:11::1"): False,
            AddressKey(present, "2001:db8:1200:1::1"): True,
        }


@pytest.mark.parametrize(
    ("leased", "lan", "subnet", "there"),
    [
        ("192.168.1.7/24", "192.168.1.1/24", "192.168.1.0/24", "192.168.1.0/24"),
        ("192.168.1.7/16", "192.168.9.1/24", "192.168.0.0/16", "192.168.9.0/24"),
        ("192.168.9.7/28", "192.168.1.1/16", "192.168.9.0/28", "192.168.0.0/16"),
    ],
)
def test_a_lease_of_the_lans_subnet_fails_and_says_what_to_do(
    leased: str, lan: str, subnet: str, there: str
) -> None:
    router = parsed(tree(interface("lan0", ipv4=lan)))
    wanted = address.want(router, Known({**FACTS, ADDRESS: (leased,)}))
    assert wanted[AddressKey("wan0", leased.partition("/")[0])] == Waiting(
        f"{subnet}, leased on wan0", f"lan0 has {there}: give lan0 another subnet", impossible=True
    )


@pytest.mark.parametrize(
    ("leased", "lan"),
    [
        ("192.168.1.7/24", "192.168.2.1/24"),
        ("192.168.1.7/24", "192.168.1.1/32"),
        ("192.168.1.7/32", "192.168.1.1/24"),
        ("192.168.1.7/25", "192.168.1.129/25"),
    ],
)
def test_a_lease_beside_the_lans_subnet_is_taken(leased: str, lan: str) -> None:
    wanted = address.want(parsed(tree(interface("lan0", ipv4=lan))), Known({**FACTS, ADDRESS: (leased,)}))
    assert not any(isinstance(spec, Waiting) for spec in wanted.values())


def test_a_typed_subnet_keeps_delegated_ones_off_other_interfaces_and_former_ones_too() -> None:
    others = (
        interface("dmz0", ipv6="2001:db8:1200:1::9/64"),
        interface("dmz1", ipv6="2001:db8:5600:1::9/64"),
    )
    wanted = address.want(parsed(tree(interface("lan0", subnet_id=1), *others)), KNOWN)
    assert {key.ip: spec for key, spec in wanted.items() if key.interface == "lan0"} == {
        "2001:db8:1200:1::1": Waiting(
            "2001:db8:1200:1::/64, delegated on wan0",
            "dmz0 has 2001:db8:1200:1::/64: give dmz0 another subnet",
            impossible=True,
        ),
        "2001:db8:3400:1::1": Address(64, lifetimes=Lifetimes(0, 700)),
    }


def test_a_typed_address_of_the_same_interface_is_in_nobodys_way() -> None:
    lan = interface("lan0", ipv6="2001:db8:1200:1::1/64", subnet_id=1)
    wanted = address.want(parsed(tree(lan)), KNOWN)
    assert wanted[AddressKey("lan0", "2001:db8:1200:1::1")] == Address(64), "the typed one counts"


@pytest.mark.parametrize(
    ("leased", "on_link"), [("192.0.2.10/24", False), ("192.0.2.10/32", True), ("198.51.100.9/24", True)]
)
def test_a_router_outside_the_subnet_is_on_the_link(leased: str, on_link: bool) -> None:  # noqa: FBT001
    wanted: Any = route.want(parsed(HOME), Known({**FACTS, ADDRESS: (leased,)}))
    assert wanted[RouteKey(254, "0.0.0.0/0", 50)].on_link is on_link


@pytest.mark.parametrize(("flags", "typed_over"), [(uapi.IFA_F_PERMANENT, (True, True)), (0, (True, False))])
def test_who_changes_an_address_of_a_lease_by_hand_takes_its_place(
    flags: int, typed_over: tuple[bool, bool]
) -> None:
    followed = next(key for key in address.want(parsed(HOME), KNOWN) if key.interface == "lan0")
    typed = AddressKey("lan0", "2001:db8::1")
    seen = Address(64, protocol=0, flags=flags)
    assert tuple(address.typed_over(key, seen) for key in (followed, typed)) == typed_over


def test_operational_says_what_was_learned_of_leases() -> None:
    kinds: tuple[Kind, ...] = (AddressKind(MagicMock()), RouteKind(MagicMock()))
    wanted = {kind.name: kind.want(parsed(HOME), KNOWN) for kind in kinds}
    observed = {name: {key._replace(): spec for key, spec in specs.items()} for name, specs in wanted.items()}
    shown = operational_tree(kinds, wanted, observed)
    protocols = shown["ietf-routing:routing"]["control-plane-protocols"]["control-plane-protocol"]
    static = {each["name"]: each["static-routes"] for each in protocols}
    (default,) = static["wan"]["ietf-ipv4-unicast-routing:ipv4"]["route"]
    assert default["next-hop"]["@next-hop-address"] == LEARNED
    assert "@outgoing-interface" not in default["next-hop"]
    aggregates = static["table-254-metric-2048"]["ietf-ipv6-unicast-routing:ipv6"]["route"]
    lan0 = next(each for each in shown["ietf-interfaces:interfaces"]["interface"] if each["name"] == "lan0")
    for entry in (*aggregates, *lan0["ietf-ip:ipv6"]["address"]):
        assert entry["@"] == LEARNED


# --- Any lease after any other ---

LEASED = ["192.0.2.10/24", "192.0.2.11/24", "198.51.100.7/25", "198.51.100.7/24"]
prefixes = st.builds("2001:db8:{:x}00::/{}".format, st.integers(1, 4), st.sampled_from([48, 56, 59, 60, 64]))
terms = st.builds(Terms, st.just(""), st.none() | st.floats(0, 1e6), st.none() | st.floats(0, 1e6))


@st.composite
def leases(draw: st.DrawFn) -> Known:
    """What a line tells at a time, sense or nonsense."""
    facts: dict[FactKey, tuple[str, ...]] = {}
    if draw(st.booleans()):
        facts[PREFIX] = (draw(prefixes),)
    if former := draw(st.lists(prefixes, max_size=4, unique=True)):
        facts[FORMER] = tuple(former)
    if draw(st.booleans()):
        facts[ADDRESS] = (draw(st.sampled_from(LEASED)),)
    if draw(st.booleans()):
        facts[ROUTERS] = (draw(st.sampled_from(["192.0.2.1", "198.51.100.1"])),)
    return Known(facts, {(key, value): draw(terms) for key, values in facts.items() for value in values})


THEIRS = {AddressKey("lan0", "2001:db8:9::9"): Address(64, protocol=0, flags=uapi.IFA_F_PERMANENT)}


@dataclass
class Router:
    """A kernel that does as it is told, with something of everybody's in it."""

    kinds: tuple[Kind, ...] = field(
        default_factory=lambda: (AddressKind(MagicMock()), RouteKind(MagicMock()))
    )
    observed: dict[str, dict[Any, Any]] = field(
        default_factory=lambda: {
            "link": {name: OtherLink("veth", up=True) for name in ("wan0", "lan0", "lan1", "dmz0")},
            "address": dict(THEIRS),
            "route": {},
        }
    )
    plans: list[Plan] = field(default_factory=list)

    def follow(self, known: Known, document: Mapping[str, Any]) -> dict[str, Any]:
        """Go by this lease until nothing is left to do; what is wanted then."""
        wanted = {kind.name: kind.want(parsed(document), known) for kind in self.kinds}
        self.plans.clear()
        while (planned := self.plan(wanted)).levels:
            self.plans.append(planned)
            assert len(self.plans) <= 2, "it does not come to an end"
            for level in planned.levels:
                for step in level:
                    self.apply(step.ref.kind, step.change)
        return wanted

    def plan(self, wanted: Mapping[str, Any]) -> Plan:
        return plan(self.kinds, compare(self.kinds, wanted, self.observed), wanted, self.observed)

    def apply(self, kind: str, change: Any) -> None:
        match change:
            case Create(key, spec):
                assert key not in self.observed[kind]
                self.observed[kind][key] = spec
            case Update(key, _, spec):
                assert key in self.observed[kind]
                self.observed[kind][key] = spec
            case Delete(key, _):
                del self.observed[kind][key]

    def steps(self) -> Iterator[Any]:
        return (step.change for planned in self.plans for level in planned.levels for step in level)


LANS = tree(
    interface("lan0", subnet_id=1),
    interface("lan1", subnet_id=16),
    interface("dmz0", ipv4="198.51.100.129/25", ipv6="2001:db8:300:1::9/64"),
)


@given(st.lists(leases(), min_size=1, max_size=5))
def test_whatever_comes_after_whatever_the_router_has_just_that_and_no_more(course: list[Known]) -> None:
    router = Router()
    for known in course:
        wanted = router.follow(known, LANS)
        for kind in router.kinds:
            there = {key: spec for key, spec in router.observed[kind.name].items() if key not in THEIRS}
            made = {
                key: spec
                for key, spec in wanted[kind.name].items()
                if not isinstance(spec, Waiting) and needs_met(kind, key, spec, router)
            }
            waiting = wanted[kind.name].keys() - made.keys()
            assert {key: spec for key, spec in there.items() if key not in waiting} == made
        assert THEIRS.items() <= router.observed["address"].items()


def needs_met(kind: Kind, key: Any, spec: Any, router: Router) -> bool:
    return all(need.key in router.observed[need.kind] for need in kind.needs(key, spec))


def is_of_lan(key: Any) -> bool:
    return isinstance(key, AddressKey) and key.interface.startswith("lan")


@given(leases(), leases())
def test_no_address_is_deprecated_or_goes_before_its_successors_are_there(
    before: Known, after: Known
) -> None:
    router = Router()
    router.follow(before, LANS)
    router.follow(after, LANS)
    changed_last = False
    for change in router.steps():
        if not is_of_lan(change.key):
            continue
        is_parting = isinstance(change, Delete) or change.key.former
        assert is_parting or not changed_last, "a successor is made late"
        changed_last = is_parting


@given(leases(), leases())
def test_no_address_that_stays_is_made_anew(before: Known, after: Known) -> None:
    router = Router()
    router.follow(before, LANS)
    had = set(router.observed["address"])
    wanted = router.follow(after, LANS)["address"]
    for change in router.steps():
        if isinstance(change, Delete) and is_of_lan(change.key) and change.key in had:
            assert change.key not in wanted
