"""Commits that cut routers off, fail on them or lose somebody half way: what was comes back by itself."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from os import kill
from typing import Any

import grpc
import pytest
from deployment import Deployment, example
from kernelstate import KernelState
from netns import until
from network import HOST, Network
from programs import Agent, Controller
from tasuki_client import TasukiError
from tasuki_controller.fleet import PREPARE_TIMEOUT
from tasuki_proto.channel import Target, TlsFiles, channel
from tasuki_proto.v1.config_pb2 import OPERATION_REPLACE, WatchCommitsRequest, WatchCommitsResponse
from tasuki_proto.v1.config_pb2_grpc import ConfigServiceStub

PORT = 9340
TRIAL = 12
"""Seconds: long enough for a router to be missed by then."""
GUARD = 10


def vps_and_home_only(**router: Any) -> dict[str, Any]:
    """The example between two routers; `router` are further nodes of home."""
    document = example()
    network = document["tasuki-network:network"]
    network["router"] = [{"name": "vps"}, {"name": "home", **router}]
    split = network["tasuki-vxlan-split:vxlan-split"][0]
    split["subscriber"] = split["subscriber"][:1]
    return document


def broken(document: dict[str, Any]) -> dict[str, Any]:
    """The document with another address of the hub, so that home's tunnel leads nowhere."""
    split = document["tasuki-network:network"]["tasuki-vxlan-split:vxlan-split"][0]
    split["hub"]["underlay"]["ipv4-address"] = "10.1.1.77"
    return document


@pytest.fixture
def through_the_tunnel(vps_and_home: Deployment) -> Iterator[Deployment]:
    """Home reaches the controller by the hub's end of its tunnel, and has no other way to it."""
    network = vps_and_home.network
    vps_and_home.apply(vps_and_home_only(**{"controller-timeout": GUARD}))
    address = tunnel_address(network)
    network.home.ip("-6 route del default")
    vps_and_home.controller.program.stop()
    vps_and_home.agents["home"].program.stop()
    controller = Controller(
        network.vps,
        vps_and_home.controller.state_dir,
        (*vps_and_home.controller.addresses, f"[{address}]:{PORT}"),
    )
    home = Agent("home", network.home, vps_and_home.agents["home"].state_dir, f"[{address}]:{PORT}")
    moved = replace(
        vps_and_home, controller=controller, agents={"vps": vps_and_home.agents["vps"], "home": home}
    )
    try:
        controller.start()
        home.start()
        moved.converge()
        yield moved
    finally:
        home.program.stop()
        controller.program.stop()


def tunnel_address(network: Network) -> str:
    """The hub's address in home's tunnel, as soon as nobody else is known to have it."""
    until(
        lambda: "tentative" not in network.vps.ip("-6 addr show dev vxlan01"), within=30, why="it is usable"
    )
    fields = network.vps.ip("-6 -o addr show dev vxlan01 scope global").split()
    return fields[fields.index("inet6") + 1].partition("/")[0]


class Watch:
    """The events of commits, as an operator sees them."""

    def __init__(self, deployment: Deployment) -> None:
        self.events: list[WatchCommitsResponse] = []
        target = Target.parse(deployment.controller.addresses[2])
        self._channel = channel(target, TlsFiles.in_directory(deployment.operator.tls))
        self._call = ConfigServiceStub(self._channel).WatchCommits(WatchCommitsRequest())  # type: ignore[no-untyped-call]
        self._call.initial_metadata()  # from here on nothing is missed
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def _follow(self) -> None:
        try:
            for event in self._call:
                self.events.append(event)
        except grpc.RpcError:
            return  # closed

    def outcomes(self, router: str, revision: int) -> list[str]:
        """What became of the revision on the router, in order."""
        return [
            outcome.outcome
            for event in list(self.events)
            if event.event == WatchCommitsResponse.EVENT_ROUTER and event.revision == revision
            for outcome in event.routers
            if outcome.router == router
        ]

    def must_see(self, event: WatchCommitsResponse.Event) -> None:
        until(lambda: any(each.event == event for each in list(self.events)), within=30, why="it is told")

    def close(self) -> None:
        self._call.cancel()
        self._thread.join(5)
        self._channel.close()


@contextmanager
def watching(deployment: Deployment) -> Iterator[Watch]:
    watch = Watch(deployment)
    try:
        yield watch
    finally:
        watch.close()


def test_a_commit_that_breaks_the_only_path_to_the_controller_reverts_by_itself(
    through_the_tunnel: Deployment,
) -> None:
    lab = through_the_tunnel
    network = lab.network
    network.pc.must_reach(HOST)
    before = KernelState.of(network.home).anonymous()
    with watching(lab) as watch:
        document = broken(vps_and_home_only(**{"controller-timeout": 3600}))
        began = time.monotonic()
        lab.client.apply(document, confirm=TRIAL, persist="broken")
        until(lambda: "10.1.1.77" in network.home.ip("-d link show dev vxlan01"), within=9, why="home has it")
        assert not network.home.reaches(tunnel_address(network))

        until(
            lambda: KernelState.of(network.home).anonymous() == before,
            within=TRIAL + 10,
            why="home has the old tunnel",
        )
        assert time.monotonic() - began >= TRIAL - 1, "not before the deadline"
        network.home.must_reach(tunnel_address(network))
        network.pc.must_reach(HOST)
        lab.router_until(
            "home",
            lambda router: router.connected and "confirmation did not arrive" in router.reverted,
            within=60,
            why="home is reported as reverted",
        )
        lab.converge()
        watch.must_see(WatchCommitsResponse.EVENT_TIMEOUT)
    assert KernelState.of(network.home).anonymous() == before
    assert not lab.client.drift(router="home").items


def test_the_guard_takes_such_a_change_back_without_a_confirmed_commit(
    through_the_tunnel: Deployment,
) -> None:
    lab = through_the_tunnel
    network = lab.network
    before = KernelState.of(network.home).anonymous()
    with watching(lab) as watch:
        made = lab.client.apply(broken(vps_and_home_only(**{"controller-timeout": GUARD})))
        until(lambda: "10.1.1.77" in network.home.ip("-d link show dev vxlan01"), within=9, why="home has it")
        until(
            lambda: KernelState.of(network.home).anonymous() == before,
            within=GUARD + 10,
            why="home has the old tunnel",
        )
        network.pc.must_reach(HOST)
        home = lab.router_until(
            "home",
            lambda router: router.connected and "could not be reached" in router.reverted,
            within=60,
            why="home is reported as reverted",
        )
        assert home.applied_revision < made.revision == home.intended_revision
        until(
            lambda: watch.outcomes("home", made.revision)[-1:] == ["reverted"],
            within=30,
            why="the commit is told to be reverted there",
        )
    # Home stays as it is until it gets something else, also when the agent comes back.
    lab.agents["home"].program.kill()
    lab.agents["home"].start()
    lab.router_until(
        "home", lambda router: router.connected and router.reverted, within=60, why="home still says so"
    )
    assert KernelState.of(network.home).anonymous() == before
    lab.apply(vps_and_home_only(**{"controller-timeout": GUARD, "description": "mended"}))
    assert not lab.client.router("home").reverted
    assert KernelState.of(network.home).anonymous() == before


def second_split(document: dict[str, Any]) -> dict[str, Any]:
    """The document with another split between the same two."""
    document["tasuki-network:network"]["tasuki-vxlan-split:vxlan-split"].append(
        {
            "name": "be00",
            "prefix": "2001:db8:be00::/40",
            "vni-base": 256,
            "hub": {"router": "vps", "underlay": {"interface": "enp1s0f0", "ipv4-address": "10.1.1.1"}},
            "subscriber": [
                {
                    "number": 7,
                    "router": "home",
                    "underlay": {"interface": "enp6s0f1", "address": "10.1.1.2"},
                    "mode": "policy-routing",
                }
            ],
        }
    )
    return document


def test_when_one_router_fails_the_set_reverts_together(vps_and_home: Deployment) -> None:
    network = vps_and_home.network
    vps_and_home.apply(vps_and_home_only())
    links = set(network.home.ip("-br link").split())
    vps_and_home.apply(second_split(vps_and_home_only()))
    (name,) = {word for word in network.home.ip("-br link").split() if word.startswith("vxlan")} - links
    vps_and_home.apply(vps_and_home_only(), operation=OPERATION_REPLACE)
    network.home.ip(f"link add {name} type bridge")
    before = {machine: KernelState.of(machine) for machine in (network.vps, network.home)}

    with watching(vps_and_home) as watch:
        with pytest.raises(TasukiError) as refused:
            vps_and_home.client.apply(second_split(vps_and_home_only()), rollback_on_failure=True, wait=30)
        watch.must_see(WatchCommitsResponse.EVENT_CANCEL)
    assert f"another link {name} is there" in str(refused.value)
    vps_and_home.converge()
    for machine, state in before.items():
        assert KernelState.of(machine) == state
    network.pc.must_reach(HOST)


def test_a_stuck_agent_delays_neither_the_others_nor_the_commit_beyond_its_limit(
    vps_and_home: Deployment,
) -> None:
    vps_and_home.apply(vps_and_home_only())
    home = vps_and_home.agents["home"].program
    kill(home.pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        made = vps_and_home.client.apply(second_split(vps_and_home_only()))
        took = time.monotonic() - began
        assert made.committed
        assert took < 2 * PREPARE_TIMEOUT, "it is waited for once"
        vps_and_home.router_until(
            "vps",
            lambda router: router.applied_revision == made.revision,
            within=15,
            why="the other router has it while this one is stuck",
        )
        assert vps_and_home.client.router("home").applied_revision < made.revision
    finally:
        kill(home.pid, signal.SIGCONT)
    vps_and_home.converge()


@pytest.mark.parametrize("killed", ["agent", "controller"])
def test_whoever_dies_during_a_trial_the_routers_go_back_in_time(
    vps_and_home: Deployment, killed: str
) -> None:
    network = vps_and_home.network
    vps_and_home.apply(vps_and_home_only())
    before = {machine: KernelState.of(machine).anonymous() for machine in (network.vps, network.home)}
    seconds, early = 25, 8
    began = time.monotonic()
    made = vps_and_home.client.apply(
        second_split(vps_and_home_only()), confirm=seconds, persist="second", wait=10
    )
    assert {router.router: router.outcome for router in made.routers} == {"vps": "applied", "home": "applied"}
    if killed == "agent":
        vps_and_home.agents["home"].program.kill()
        vps_and_home.agents["home"].start()
        vps_and_home.router_until("home", lambda router: router.connected, within=10, why="home is back")
    else:
        vps_and_home.controller.program.kill()
    until(lambda: time.monotonic() - began > seconds - early, within=seconds, why="time passes")
    assert all(KernelState.of(machine).anonymous() != state for machine, state in before.items())

    for machine, state in before.items():
        until(
            lambda: KernelState.of(machine).anonymous() == state,  # noqa: B023 - used at once
            within=early + 10,
            why=f"{machine.name} is as before",
        )
    if killed == "controller":
        vps_and_home.controller.start()
        assert "be00" not in vps_and_home.client.get().config_json.decode()
    vps_and_home.converge()
    assert all(KernelState.of(machine).anonymous() == state for machine, state in before.items())
    assert not vps_and_home.client.drift().items


def test_a_router_says_what_it_would_do_and_does_not_do_it(vps_and_home: Deployment) -> None:
    vps_and_home.apply(vps_and_home_only())
    before = KernelState.of(vps_and_home.network.home)
    told = vps_and_home.client.diff(second_split(vps_and_home_only()), plan=True)
    plans = {router.router: list(router.plan) for router in told.routers}
    assert any(line.startswith("create link vxlan") for line in plans["home"])
    assert any(line.startswith("create link vxlan") for line in plans["vps"])
    assert plans["home"].index(next(line for line in plans["home"] if line.startswith("create link"))) < (
        plans["home"].index(next(line for line in plans["home"] if line.startswith("create address")))
    )
    assert KernelState.of(vps_and_home.network.home) == before
