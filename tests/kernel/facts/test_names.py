"""Names, asked for over a wire from real sockets."""

import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from kernel.facts.learner import Learner, eventually
from nameserver import Nameserver
from netns import Machines, Namespace, cable
from tasuki_agent.facts import names
from tasuki_agent.facts.names import SOURCE
from tasuki_yang.facts import FactKey

ONE, OTHER = "2001:db8:53::1", "2001:db8:53::2"
A, B, C = "2001:db8:a::1", "2001:db8:b::1", "2001:db8:c::1"
GW = FactKey(f"gw.example.net@{ONE}", "addresses")
GW_BY_BOTH = FactKey(f"gw.example.net@{ONE},{OTHER}", "addresses")


@pytest.fixture(autouse=True)
def a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bounds that no test has to wait for."""
    monkeypatch.setattr(names, "SHORTEST_SECONDS", 0.3)
    monkeypatch.setattr(names, "FIRST_RETRY_SECONDS", 0.1)
    monkeypatch.setattr(names, "SERVER_SECONDS", 0.3)


@pytest.fixture
def line() -> Iterator[tuple[Namespace, Namespace]]:
    """A router, entered by this thread, and the machine of its provider's name servers."""
    with Machines() as machines:
        router, provider = machines.add("router"), machines.add("provider")
        cable(router, "wan0", provider, "port0")
        router.ip("addr add 2001:db8:53::f/64 dev wan0")
        for server in (ONE, OTHER):
            provider.ip(f"addr add {server}/64 dev port0")
        router.must_reach(ONE)
        with router.entered():
            yield router, provider


@pytest.fixture
def server(line: tuple[Namespace, Namespace]) -> Iterator[Nameserver]:
    server = Nameserver({"gw.example.net": [f"AAAA {B}", f"AAAA {A}"]}, ttl=0)
    with server.on(line[1], ONE):
        yield server


@pytest.fixture
def other_server(line: tuple[Namespace, Namespace]) -> Iterator[Nameserver]:
    server = Nameserver({"gw.example.net": [f"AAAA {C}"]}, ttl=0)
    with server.on(line[1], OTHER):
        yield server


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Outages and their ends."""
    return [record.getMessage() for record in caplog.records if "ignored" not in record.getMessage()]


def start_of(message: str) -> str:
    return message.partition("@")[0]


def learner(*asked: FactKey) -> Learner:
    return Learner(SOURCE(Path("/nonexistent")), asked or (GW,))


async def test_a_name_is_learned_lowest_address_first(server: Nameserver) -> None:
    async with learner().running() as home:
        await home.until(GW, A, B)


async def test_a_name_that_is_a_pointer_is_followed(server: Nameserver) -> None:
    server.records["aftr.example.net"] = ["CNAME gw.example.net."]
    aftr = FactKey(f"aftr.example.net@{ONE}", "addresses")
    async with learner(aftr).running() as home:
        await home.until(aftr, A, B)


async def test_the_present_address_stays_when_a_lower_one_is_added(server: Nameserver) -> None:
    server.records["gw.example.net"] = [f"AAAA {B}"]
    async with learner().running() as home:
        await home.until(GW, B)
        server.records["gw.example.net"] = [f"AAAA {A}", f"AAAA {B}"]
        await home.until(GW, B, A)


async def test_the_next_address_takes_over_when_the_present_one_goes(server: Nameserver) -> None:
    async with learner().running() as home:
        await home.until(GW, A, B)
        server.records["gw.example.net"] = [f"AAAA {C}", f"AAAA {B}"]
        await home.until(GW, B, C)
        server.records["gw.example.net"] = [f"AAAA {C}", f"AAAA {A}", f"AAAA {B}"]
        await home.until(GW, B, A, C)
    assert home.history[GW] == [None, (A, B), (B, C), (B, A, C)]


async def test_an_address_of_an_earlier_run_stays_too(server: Nameserver) -> None:
    home = learner()
    home.facts = {GW: (B,)}
    async with home.running():
        assert home.facts == {GW: (B,)}
        await home.until(GW, B, A)


async def test_it_is_asked_again_when_the_time_to_live_is_over_and_not_before(server: Nameserver) -> None:
    server.ttl = 1
    async with learner().running() as home:
        await home.until(GW, A, B)
        started = asyncio.get_running_loop().time()
        await eventually(lambda: len(server.asked) >= 2, "it is asked again")
        assert asyncio.get_running_loop().time() - started > 0.8
    server.ttl = 86_400
    async with learner().running() as home:
        await home.until(GW, A, B)
        server.records["gw.example.net"] = [f"AAAA {C}"]
        with pytest.raises(TimeoutError):
            await home.until(GW, C, within=1)


@pytest.mark.parametrize(
    "trouble",
    [
        {"rcode": "SERVFAIL"},
        {"rcode": "REFUSED"},
        {"silent": True},
        {"records": {}},
        {"records": {"gw.example.net": ["A 192.0.2.1"]}},
        {"records": {"gw.example.net": ["CNAME gw.example.net."]}},
        {"records": {"gw.example.net": ["AAAA ::1", "AAAA fe80::1"]}},
    ],
    ids=str,
)
async def test_an_outage_keeps_what_is_known_is_told_once_and_ends_soon(
    server: Nameserver, trouble: dict[str, object], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with learner().running() as home:
        await home.until(GW, A, B)
        well = {attribute: getattr(server, attribute) for attribute in trouble}
        for attribute, value in trouble.items():
            setattr(server, attribute, value)
        asked = len(server.asked)
        await eventually(lambda: len(server.asked) > asked + 3, "it is asked again and again")
        assert home.facts == {GW: (A, B)}
        for attribute, value in (well | {"records": {"gw.example.net": [f"AAAA {C}"]}}).items():
            setattr(server, attribute, value)
        await home.until(GW, C)
    assert home.history[GW] == [None, (A, B), (C,)]
    assert [start_of(message) for message in told(caplog)] == [
        "no address of gw.example.net",
        "gw.example.net",
    ]


async def test_a_server_that_is_away_is_waited_for(
    line: tuple[Namespace, Namespace], caplog: pytest.LogCaptureFixture
) -> None:
    async with learner().running() as home:
        await eventually(lambda: told(caplog), "the outage is told")
        assert home.facts == {}
        with Nameserver({"gw.example.net": [f"AAAA {A}"]}).on(line[1], ONE):
            await home.until(GW, A)
    assert "asked for until there is one" in caplog.text


async def test_the_second_server_is_asked_only_while_the_first_one_does_not_answer(
    server: Nameserver, other_server: Nameserver
) -> None:
    async with learner(GW_BY_BOTH).running() as home:
        await home.until(GW_BY_BOTH, A, B)
        assert other_server.asked == []
        server.silent = True
        await home.until(GW_BY_BOTH, C)
        server.silent = False
        await home.until(GW_BY_BOTH, A, B)


async def test_that_there_is_no_such_name_is_an_answer(server: Nameserver, other_server: Nameserver) -> None:
    server.records.clear()
    async with learner(GW_BY_BOTH).running() as home:
        await eventually(lambda: len(server.asked) > 2, "it is asked again and again")
        assert other_server.asked == []
        assert home.facts == {}


async def test_a_new_address_of_the_router_has_a_failed_name_asked_for_at_once(
    line: tuple[Namespace, Namespace],
    server: Nameserver,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(names, "FIRST_RETRY_SECONDS", 60.0)
    line[0].ip("addr flush dev wan0 scope global")
    home = learner()
    home.observed = {"address": {}}
    async with home.running():
        await eventually(lambda: told(caplog), "the outage is told")
        home.learn()
        line[0].ip("addr add 2001:db8:53::e/64 dev wan0")
        home.observed = {"address": {"2001:db8:53::e": "wan0"}}
        home.learn()
        await home.until(GW, A, B)


async def test_many_names_are_asked_for_side_by_side(server: Nameserver) -> None:
    asked = [FactKey(f"gw{n}.example.net@{ONE}", "addresses") for n in range(100)]
    server.records |= {f"gw{n}.example.net": [f"AAAA {A}"] for n in range(100)}
    async with learner(*asked).running() as home:
        await eventually(lambda: len(home.facts) == 100, "all are known")


async def test_what_is_not_asked_for_any_more_costs_nothing(server: Nameserver) -> None:
    async with learner().running() as home:
        await home.until(GW, A, B)
        home.asked = ()
        home.learn()
        assert home.facts == {}
        loop = asyncio.get_running_loop()
        await eventually(lambda: len(asyncio.all_tasks(loop)) == 2, "only this test and the source are left")


async def test_a_name_that_is_asked_for_again_is_learned_again(server: Nameserver) -> None:
    async with learner().running() as home:
        await home.until(GW, A, B)
        home.asked = ()
        home.learn()
        home.asked = (GW,)
        home.learn()
        await home.until(GW, A, B)
        asked = len(server.asked)
        await eventually(lambda: len(server.asked) > asked + 1, "it is asked again")


async def test_names_without_servers_go_to_those_of_the_machine_as_they_are_at_the_time(
    server: Nameserver,
    other_server: Nameserver,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    resolv_conf = tmp_path / "resolv.conf"
    monkeypatch.setattr(names, "RESOLV_CONF", f"{resolv_conf}")
    own = FactKey("gw.example.net", "addresses")
    resolv_conf.write_text(f"search example.org\nnameserver {ONE}\n")
    async with learner(own).running() as home:
        await home.until(own, A, B)
        resolv_conf.write_text(f"nameserver {OTHER}\n")
        await home.until(own, C)
        resolv_conf.write_text("nameserver nonsense\n")
        await eventually(lambda: told(caplog), "the outage is told")
        resolv_conf.write_text(f"nameserver {ONE}\n")
        await home.until(own, A, B)
    assert set(server.asked) == {"gw.example.net"}
