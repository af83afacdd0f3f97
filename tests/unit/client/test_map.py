"""The map of a split shows how each /48 stands, and why."""

from collections.abc import Iterable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tasuki_client.render.grid import Layout, grid
from tasuki_client.split import SplitMap, State, assess
from tasuki_proto.v1.drift_pb2 import DriftItem
from tasuki_proto.v1.router_pb2 import ObjectStatus, Router
from tasuki_yang.network import NetworkVxlanSplit

INTERFACES = "/ietf-interfaces:interfaces/interface"
ROUTES = (
    "/ietf-routing:routing/control-plane-protocols/control-plane-protocol[type='ietf-routing:static'][name='main']"
    "/static-routes/ietf-ipv6-unicast-routing:ipv6/route"
)
RULES = "/ietf-routing:routing/tasuki-rule:rules/ipv6/rule"


def split(
    *subscribers: tuple[int, str], prefix: str = "2001:db8:ae00::/40", vni_base: int = 0
) -> NetworkVxlanSplit:
    return NetworkVxlanSplit.model_validate(
        {
            "name": "ae.0",
            "prefix": prefix,
            "vni-base": vni_base,
            "hub": {"router": "vps", "underlay": {"interface": "eth0", "ipv4-address": "192.0.2.1"}},
            "subscriber": [
                {
                    "number": number,
                    **({"router": router} if router else {"unmanaged": [None]}),
                    "underlay": {"interface": "eth0", "address": "192.0.2.2"},
                }
                for number, router in subscribers
            ],
        }
    )


def up(name: str, *objects: ObjectStatus, applied: int = 3) -> Router:
    return Router(name=name, connected=True, intended_revision=3, applied_revision=applied, objects=objects)


def assessed(
    intent: NetworkVxlanSplit, routers: Sequence[Router], drift: Iterable[DriftItem] = ()
) -> SplitMap:
    return assess(intent, {router.name: router for router in routers}, drift)


def drift(router: str, path: str) -> DriftItem:
    return DriftItem(router=router, kind="link", key="x", path=path)


def states(split_map: SplitMap) -> dict[int, State]:
    return {number: standing.state for number, standing in split_map.standings.items()}


TWO = split((8, "home"), (9, ""))


def test_both_ends_done_is_converged_and_the_rest_is_free() -> None:
    well = assessed(TWO, [up("vps"), up("home")])
    assert states(well) == {8: State.CONVERGED, 9: State.CONVERGED}
    assert well.state(0) is State.RESERVED
    assert well.state(1) is State.FREE
    assert well.counts[State.FREE] == 253


def test_a_subscriber_whose_router_is_away_is_unreachable() -> None:
    away = assessed(TWO, [up("vps"), Router(name="home")])
    assert states(away) == {8: State.UNREACHABLE, 9: State.CONVERGED}
    assert away.standings[8].reasons == ("home: not connected",)


def test_without_the_hub_nobody_is_reachable() -> None:
    away = assessed(TWO, [up("home")])
    assert set(states(away).values()) == {State.UNREACHABLE}
    assert away.hub_reasons == ("vps: not connected",)


def test_a_router_that_still_applies_leaves_its_subscriber_allocated() -> None:
    behind = assessed(TWO, [up("vps"), up("home", applied=2)])
    assert states(behind) == {8: State.ALLOCATED, 9: State.CONVERGED}


@pytest.mark.parametrize(
    "path",
    [
        f"{INTERFACES}[name='vxlan09']/tasuki-link:mtu",
        f"{INTERFACES}[name='vxlan09']/ietf-ip:ipv6/address[ip='2001:db8:ae00:0:9::1']",
        f"{ROUTES}[destination-prefix='2001:db8:ae00:9::/64']",
        f"{ROUTES}[destination-prefix='2001:db8:ae09::/48']",
        f"{ROUTES}[destination-prefix='2001:db8:ae00:0:9::/80']",
        f"{RULES}[name='ae.0-9-to-48']",
    ],
)
def test_drift_at_the_hub_concerns_the_subscriber_whose_object_it_is(path: str) -> None:
    drifting = assessed(TWO, [up("vps"), up("home")], [drift("vps", path)])
    assert states(drifting) == {8: State.CONVERGED, 9: State.DRIFTING}


@pytest.mark.parametrize(
    "path",
    [
        "/ietf-routing:routing/tasuki-sysctl:forwarding/ipv6",
        f"{ROUTES}[destination-prefix='2001:db8:ae00::/40']",
        f"{ROUTES}[destination-prefix='2001:db8:ae0a::/48']",
        f"{ROUTES}[destination-prefix='2001:db8:ffff::/48']",
        f"{ROUTES}[destination-prefix='192.0.2.0/24']",
        f"{INTERFACES}[name='vxlan0a']",
        f"{RULES}[name='ae10-9-to-48']",
        "",
    ],
)
def test_drift_at_the_hub_that_is_no_subscribers_is_told_once(path: str) -> None:
    drifting = assessed(TWO, [up("vps"), up("home")], [drift("vps", path)])
    assert set(states(drifting).values()) == {State.CONVERGED}
    assert len(drifting.hub_reasons) == 1


def test_any_drift_on_a_subscribers_own_router_concerns_it() -> None:
    path = "/ietf-routing:routing/tasuki-sysctl:forwarding/ipv6"
    drifting = assessed(TWO, [up("vps"), up("home")], [drift("home", path)])
    assert states(drifting) == {8: State.DRIFTING, 9: State.CONVERGED}


def test_an_object_that_waits_is_no_drift_and_one_that_failed_is() -> None:
    waits = ObjectStatus(
        kind="link", key="vxlan08", path=f"{INTERFACES}[name='vxlan08']", state=ObjectStatus.STATE_WAITING
    )
    failed = ObjectStatus(
        kind="link",
        key="vxlan09",
        path=f"{INTERFACES}[name='vxlan09']",
        state=ObjectStatus.STATE_FAILED,
        message="no",
    )
    mixed = assessed(TWO, [up("vps", waits, failed, applied=2), up("home")])
    assert states(mixed) == {8: State.ALLOCATED, 9: State.DRIFTING}
    assert mixed.standings[9].reasons == ("vps: link vxlan09 failed (no)",)


def test_interfaces_are_told_apart_by_the_splits_own_vni_base() -> None:
    based = split((1, "home"), vni_base=256)
    drifting = assessed(based, [up("vps"), up("home")], [drift("vps", f"{INTERFACES}[name='vxlan101']")])
    assert states(drifting) == {1: State.DRIFTING}
    other = assessed(based, [up("vps"), up("home")], [drift("vps", f"{INTERFACES}[name='vxlan01']")])
    assert states(other) == {1: State.CONVERGED}


def drawn(split_map: SplitMap, width: int = 80, *, brief: bool = False) -> list[str]:
    return [text.plain for text in grid(split_map, width, brief=brief)]


def test_the_grid_of_a_40_fits_80_columns() -> None:
    item = drift("vps", f"{INTERFACES}[name='vxlan09']")
    lines = drawn(assessed(TWO, [up("vps"), Router(name="home")], [item]))
    assert max(map(len, lines)) <= 80
    assert lines[0] == "ae.0  2001:db8:ae00::/40  hub vps"
    assert lines[2] == "            +0              +8              +16             +24"
    assert lines[3] == "    0 ae00  - . . . . . . . ? ! . . . . . . . . . . . . . . . . . . . . . ."
    assert lines[10].startswith("  224 aee0  . .")
    assert lines[12] == ". 253 free   - 1 reserved   ! 1 drifting   ? 1 unreachable"
    assert lines[13] == "?     8 2001:db8:ae08::/48 home: not connected"
    assert lines[14] == "!     9 2001:db8:ae09::/48 vps: link x unspecified"


def test_a_narrow_terminal_gets_16_columns() -> None:
    lines = drawn(assessed(TWO, [up("vps"), up("home")]), width=60)
    assert lines[3] == "    0 ae00  - . . . . . . . # # . . . . . ."
    assert sum(line.count(" ae") for line in lines[3:19]) == 16


def test_a_32_is_drawn_with_the_worst_state_of_each_block() -> None:
    big = split((1, ""), (65, ""), (66, ""), prefix="2001:db8::/32")
    lines = drawn(assessed(big, [up("vps")], [drift("vps", f"{INTERFACES}[name='vxlan42']")]))
    assert len(lines) < 45
    assert lines[3].startswith("    0 0000  # ! . .")
    assert "A cell is a /42, 64 /48s: the worst state among them." in lines
    assert ". 65532 free" in lines[36]


@given(st.integers(32, 47), st.integers(20, 300))
def test_every_48_lies_in_exactly_one_cell_and_no_grid_is_too_high(length: int, width: int) -> None:
    size = 1 << 48 - length
    layout = Layout.fit(size, width)
    assert size % (layout.columns * layout.block) == 0
    assert size // (layout.columns * layout.block) <= 32


@given(st.integers(32, 47), st.data())
def test_an_address_tells_the_subscriber_that_it_was_derived_from(length: int, data: st.DataObject) -> None:
    number = data.draw(st.integers(1, (1 << 48 - length) - 1))
    intent = split((number, "home"), prefix=f"2001:db8::/{length}" if length == 32 else f"2001:0::/{length}")
    base = 0x20010DB8 << 96 if length == 32 else 0x2001 << 112
    for shift in (80, 64, 48):
        address = base | number << shift
        groups = ":".join(f"{address >> bits & 0xFFFF:x}" for bits in range(112, -1, -16))
        path = f"{INTERFACES}[name='any']/ietf-ip:ipv6/address[ip='{groups}']"
        drifting = assessed(intent, [up("vps"), up("home")], [drift("vps", path)])
        assert states(drifting) == {number: State.DRIFTING}
