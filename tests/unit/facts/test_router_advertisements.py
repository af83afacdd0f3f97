"""What is told of the routes that advertisements make."""

import math
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tasuki_agent.facts.router_advertisements import TOLD, RouterAdvertisementSource, settled
from tasuki_agent.kernel.advertised_routes import (
    EVERYTHING,
    MOST,
    RTPROT_KERNEL,
    RTPROT_RA,
    AdvertisedRoute,
    Seen,
)
from tasuki_agent.kernel.marks import PROTOCOL
from tasuki_agent.kinds.address.model import Address, AddressKey
from tasuki_agent.kinds.sysctl import model as sysctl
from tasuki_agent.known import Known
from tasuki_yang.facts import FactKey, Values
from tasuki_yang.router import Router

KERNEL_RA = 2
ROUTERS, PREFIXES = (FactKey("wan0", noun) for noun in ("default-routers", "on-link-prefixes"))
MEDIUM = (1024, 1)


def router(address: str, expires: float = 1800.0, order: tuple[int, int] = MEDIUM) -> AdvertisedRoute:
    return AdvertisedRoute(EVERYTHING, address, expires, order, RTPROT_RA)


def prefix(text: str, expires: float = 14400.0, protocol: int = RTPROT_KERNEL) -> AdvertisedRoute:
    return AdvertisedRoute(text, "", expires, (256, 1), protocol)


def seen(*routes: AdvertisedRoute) -> Seen:
    return Seen(routes, cut_short=False)


def told(
    *routes: AdvertisedRoute, addresses: Mapping[str, int] | None = None, no_prefix_route: bool = False
) -> tuple[Values, Values]:
    """Routers and prefixes; addresses of the interface are given with the protocol that made them."""
    source = RouterAdvertisementSource(Path())
    source._seen = {"wan0": settled({}, seen(*routes), 1000.0)}
    observed = {
        "address": {
            AddressKey("wan0", ip): Address(64, no_prefix_route, protocol=protocol)
            for ip, protocol in (addresses or {}).items()
        }
    }
    facts = source.learn([ROUTERS, PREFIXES], observed, {})
    return facts.get(ROUTERS, ()), facts.get(PREFIXES, ())


def test_the_router_that_is_used_first_is_told_first() -> None:
    routers, _ = told(
        router("fe80::4", order=(1024, 2)),
        router("fe80::3"),
        router("fe80::2"),
        router("fe80::1", order=(2048, 0)),
        router("fe80::5", order=(1024, 0)),
    )
    assert routers == ("fe80::5", "fe80::2", "fe80::3", "fe80::4", "fe80::1")


@pytest.mark.parametrize("odd", ["::1", "::", "ff02::1"])
def test_a_router_that_is_none_is_not_told(odd: str) -> None:
    assert told(router(odd), router("fe80::1")) == (("fe80::1",), ())


@pytest.mark.parametrize("odd", ["fe80::/64", "ff00::/8"])
def test_a_prefix_that_is_none_of_a_link_is_not_told(odd: str) -> None:
    assert told(prefix(odd), prefix("2001:db8:a::/64")) == ((), ("2001:db8:a::/64",))


def test_a_prefix_without_autoconfiguration_is_told() -> None:
    assert told(prefix("2001:db8:a::/64")) == ((), ("2001:db8:a::/64",))


@pytest.mark.parametrize("expires", [14400.0, math.inf])
def test_a_prefix_with_an_advertised_address_is_told_with_or_without_end(expires: float) -> None:
    by = {"2001:db8:a::1": KERNEL_RA, "2001:db8:a::2": 0}
    assert told(prefix("2001:db8:a::/64", expires), addresses=by) == ((), ("2001:db8:a::/64",))


@pytest.mark.parametrize("expires", [14400.0, math.inf])
@pytest.mark.parametrize("protocol", [0, PROTOCOL])
def test_the_prefix_of_an_address_that_we_or_people_made_is_not_told(expires: float, protocol: int) -> None:
    assert told(prefix("2001:db8:a::/64", expires), addresses={"2001:db8:a::1": protocol}) == ((), ())


def test_an_address_without_a_prefix_route_has_none() -> None:
    by = {"2001:db8:a::1": PROTOCOL}
    assert told(prefix("2001:db8:a::/64"), addresses=by, no_prefix_route=True)[1] == ("2001:db8:a::/64",)


def test_a_prefix_without_end_that_nobody_advertised_is_not_told() -> None:
    assert told(prefix("2001:db8:a::/64", math.inf)) == ((), ())


def test_a_prefix_that_a_daemon_took_from_an_advertisement_is_told() -> None:
    by = {"2001:db8:a::1": 0}
    assert told(prefix("2001:db8:a::/64", math.inf, RTPROT_RA), addresses=by)[1] == ("2001:db8:a::/64",)


@pytest.mark.parametrize(
    ("accepted", "noted"),
    [("always", {ROUTERS, PREFIXES}), ("as-host", {ROUTERS, PREFIXES}), ("never", set())],
)
def test_what_is_advertised_is_told_of_interfaces_that_are_to_take_it(
    accepted: str, noted: set[FactKey]
) -> None:
    ipv6 = {"tasuki-sysctl:accept-router-advertisements": accepted}
    ethernet = {"type": "iana-if-type:ethernetCsmacd"}
    wan, lan = {"name": "wan0", "ietf-ip:ipv6": ipv6, **ethernet}, {"name": "lan0", **ethernet}
    tree = {"ietf-interfaces:interfaces": {"interface": [wan, lan]}}
    known = Known()
    sysctl.want(Router.model_validate(tree), known)
    assert known.noted == noted


# --- What stays known ---

routes = st.lists(
    st.one_of(
        st.builds(router, st.integers(1, 40).map(lambda n: f"fe80::{n:x}"), st.floats(1, 100)),
        st.builds(
            prefix,
            st.integers(1, 40).map(lambda n: f"2001:db8:{n:x}::/64"),
            st.one_of(st.floats(1, 100), st.just(math.inf)),
        ),
    ),
    max_size=60,
)


@given(routes, routes)
def test_a_bounded_number_is_known_and_what_was_known_stays_as_long_as_it_is_there(
    first: list[AdvertisedRoute], second: list[AdvertisedRoute]
) -> None:
    before = settled({}, seen(*first), 0.0)
    after = settled(before, seen(*second), 10.0)
    there = {(route.prefix, route.gateway) for route in second}
    assert there & before.keys() <= after.keys() <= there
    for known in (before, after):
        assert sum(bool(gateway) for _, gateway in known) <= TOLD
        assert sum(not gateway for _, gateway in known) <= TOLD


def test_an_end_is_the_same_as_long_as_nothing_puts_it_off() -> None:
    before = settled({}, seen(router("fe80::1", 1800.0)), 1000.0)
    assert settled(before, seen(router("fe80::1", 1790.02)), 1010.0) == before
    (put_off,) = settled(before, seen(router("fe80::1", 1800.0)), 1010.0).values()
    assert put_off.until == 2810.0


def test_a_flood_hides_nothing_that_was_known_until_its_end() -> None:
    known = settled({}, seen(prefix("2001:db8:ffff::/64", 100.0), router("fe80::ffff", 50.0)), 1000.0)
    flood = Seen([prefix(f"2001:db8:{n:x}::/64") for n in range(MOST // 2)], cut_short=True)
    during = settled(known, flood, 1040.0)
    assert known.keys() <= during.keys()
    assert len(during) == TOLD + 1
    assert settled(during, flood, 1060.0).keys() == during.keys() - {(EVERYTHING, "fe80::ffff")}
