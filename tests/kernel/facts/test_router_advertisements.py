"""Routers and prefixes that a real router advertises, and what somebody makes of a line who floods it."""

import asyncio
import json
import logging
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from advertiser import Advertiser, flood
from kernel.facts.learner import DEADLINE, Learner, eventually
from netns import Machines, Namespace, cable, until
from tasuki_agent.facts import Dated
from tasuki_agent.facts.router_advertisements import SOURCE, TOLD
from tasuki_agent.kernel import Kernel
from tasuki_agent.kernel.advertised_routes import MOST, Look
from tasuki_agent.kinds.address.kind import AddressKind
from tasuki_yang.facts import FactKey, Terms

ROUTERS, PREFIXES = FactKey("wan0", "default-routers"), FactKey("wan0", "on-link-prefixes")
OLD, NEW = "2001:db8:a::/64", "2001:db8:b::/64"
PROVIDER = "fe80::1"


@pytest.fixture
def line() -> Iterator[tuple[Namespace, Namespace]]:
    """A router, entered by this thread, and its provider."""
    with Machines() as machines:
        router, provider = machines.add("router"), machines.add("provider")
        provider.sysctl("net/ipv6/conf/default/addr_gen_mode", "1")
        cable(router, "wan0", provider, "port0")
        provider.ip(f"addr add {PROVIDER}/64 dev port0 nodad")
        router.sysctl("net/ipv6/conf/all/forwarding", "1")
        router.sysctl("net/ipv6/conf/wan0/accept_ra", "2")
        until(lambda: "fe80" in router.ip("addr show wan0"), within=10, why="wan0 is up")
        with router.entered():
            yield router, provider


@pytest.fixture
def advertiser(line: tuple[Namespace, Namespace], tmp_path: Path) -> Advertiser:
    return Advertiser(line[1], tmp_path, {"port0": OLD})


@pytest.fixture
def learner() -> Learner:
    return Learner(SOURCE(Path()), (ROUTERS, PREFIXES))


def terms(learner: Learner, key: FactKey, value: str) -> Terms:
    assert isinstance(learner.source, Dated)
    return learner.source.terms()[key, value]


def left(terms: Terms) -> float:
    """Seconds until it is over."""
    assert terms.valid_until is not None
    return terms.valid_until - time.clock_gettime(time.CLOCK_BOOTTIME)


async def test_what_is_advertised_arrives_with_its_end(advertiser: Advertiser, learner: Learner) -> None:
    async with learner.running():
        assert learner.facts == {}
        with advertiser.running():
            await learner.until(PREFIXES, OLD)
            await learner.until(ROUTERS, PROVIDER)
            assert 1000 < left(terms(learner, ROUTERS, PROVIDER)) <= 1800
            assert 10_000 < left(terms(learner, PREFIXES, OLD)) <= 14_400
            assert terms(learner, ROUTERS, PROVIDER).origin == "router-advertisement"
            restarted = Learner(SOURCE(Path()), (ROUTERS, PREFIXES))
            restarted.learn()
            assert restarted.facts == learner.facts
            assert SOURCE(Path()).peek([ROUTERS], {}, {}) == {ROUTERS: (PROVIDER,)}


async def test_a_prefix_that_is_withdrawn_goes_and_so_does_a_router_that_retires(
    advertiser: Advertiser, learner: Learner
) -> None:
    async with learner.running():
        with advertiser.running():
            await learner.until(PREFIXES, OLD)
            advertiser.renumber({"port0": NEW})
            await learner.until(PREFIXES, NEW)
            advertiser.renumber({"port0": None})
            await learner.until(PREFIXES)
            assert learner.facts[ROUTERS] == (PROVIDER,)
        await learner.until(ROUTERS)


async def test_an_end_that_is_put_off_is_no_news_and_one_that_comes_is(
    advertiser: Advertiser, learner: Learner
) -> None:
    advertiser.router_lifetime = 9
    async with learner.running():
        with advertiser.running():
            await learner.until(ROUTERS, PROVIDER)
            first = terms(learner, ROUTERS, PROVIDER)

            async with asyncio.timeout(DEADLINE):
                while left(terms(learner, ROUTERS, PROVIDER)) <= left(first):
                    await asyncio.sleep(0.1)
                    learner.learn()
            assert learner.history[ROUTERS] == [None, (PROVIDER,)]
            os.kill(advertiser._program.pid, signal.SIGKILL)
            await learner.until(ROUTERS)


async def test_the_routes_are_those_that_ip_shows(
    line: tuple[Namespace, Namespace], advertiser: Advertiser
) -> None:
    router, _ = line
    router.ip("addr add 2001:db8:c::1/64 dev wan0")
    router.ip("-6 route add 2001:db8:d::/64 via fe80::9 dev wan0")
    router.ip("-6 route add 2001:db8:e::/64 dev lo proto ra")

    def shown() -> set[tuple[str, str]]:
        routes = json.loads(router.ip("-6 -j route show dev wan0"))
        made = [route for route in routes if route.get("protocol") in ("kernel", "ra")]
        return {(route["dst"].replace("default", "::/0"), route.get("gateway", "")) for route in made}

    with advertiser.running():
        until(lambda: {("::/0", PROVIDER), (OLD, "")} <= shown(), within=20, why="it is advertised")
        read = Look(["wan0", "wan1"]).read()
        assert {(route.prefix, route.gateway) for route in read["wan0"].routes} == shown()
    assert not read["wan0"].cut_short
    assert "wan1" not in read


async def test_a_look_is_cut_short_by_whatever_it_goes_through(line: tuple[Namespace, Namespace]) -> None:
    router, _ = line
    batch = "\n".join(
        f"route add 2001:db8:{n:x}::/64 via fe80::9 dev wan0 proto ra" for n in range(1, MOST + 1)
    )
    router.run("ip", "-6", "-batch", "-", stdin=batch)
    seen = Look(["wan0"]).read()["wan0"]
    assert not seen.routes, "none is a default route, or on the link"
    assert seen.cut_short


async def test_the_prefix_of_an_address_of_our_own_is_not_advertised(
    line: tuple[Namespace, Namespace], advertiser: Advertiser, learner: Learner, tmp_path: Path
) -> None:
    line[0].ip("addr add 2001:db8:c::1/64 dev wan0 valid_lft 1000 preferred_lft 500")
    async with Kernel(tmp_path) as kernel:
        addresses = AddressKind(kernel)
        async with learner.running():
            with advertiser.running():
                await eventually(lambda: OLD in learner.facts.get(PREFIXES, ()), "it is advertised")
                learner.observed = {"address": await addresses.observe()}
                learner.learn()
                assert learner.facts[PREFIXES] == (OLD,)


async def test_a_flood_of_prefixes_hides_nothing_and_is_told_once(
    line: tuple[Namespace, Namespace],
    advertiser: Advertiser,
    learner: Learner,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with learner.running():
        with advertiser.running():
            await learner.until(PREFIXES, OLD)
            await learner.until(ROUTERS, PROVIDER)
            flood(line[1], "port0", 20 * MOST)
            await eventually(lambda: "floods" in caplog.text, "it is reported")
            await eventually(lambda: len(learner.facts[PREFIXES]) == TOLD, "some are told")
            assert OLD in learner.facts[PREFIXES]
            assert PROVIDER in learner.facts[ROUTERS]
    (record,) = caplog.records
    assert record.levelno == logging.WARNING


async def test_an_interface_that_is_not_there_has_no_routers(
    line: tuple[Namespace, Namespace], advertiser: Advertiser
) -> None:
    line[0].ip("link set wan0 name wan9")
    learner = Learner(SOURCE(Path()), (ROUTERS,))
    async with learner.running():
        assert learner.facts == {}
        line[0].ip("link set wan9 name wan0")
        with advertiser.running():
            await learner.until(ROUTERS, PROVIDER)
