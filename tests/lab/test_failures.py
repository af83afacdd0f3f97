"""Programs are killed, cables are cut, certificates are wrong; routers keep doing what was last agreed."""

import random
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from deployment import Deployment, example
from kernelstate import KernelState
from netns import Namespace, until
from network import ADDRESS, HOST, Network
from programs import Agent, Controller
from tasuki_client import Client, Unreachable
from tasuki_proto.channel import TlsFiles

OURS = ("link", "address", "route", "rule", "netconf")
"""What `ip monitor` watches: everything that an agent could change."""


def described(text: str) -> dict[str, Any]:
    """An edit that changes nothing on any router."""
    return {"tasuki-network:network": {"router": [{"name": "vps", "description": text}]}}


@contextmanager
def watched(host: Namespace, log: Path) -> Iterator[None]:
    """Write down every change of the host's kernel."""
    with (
        log.open("wb") as out,
        subprocess.Popen(
            ["ip", "netns", "exec", host.name, "ip", "monitor", *OURS], stdout=out, stderr=out
        ) as monitor,
    ):
        try:
            yield
        finally:
            monitor.terminate()


def test_an_agent_converges_from_its_disk_without_a_controller(vps_and_home: Deployment) -> None:
    network = vps_and_home.network
    vps_and_home.apply(example())
    wanted = KernelState.of(network.home).anonymous()
    vps_and_home.controller.program.kill()
    for agent in vps_and_home.agents.values():
        agent.program.kill()
    network.home.ip("link del vxlan01")
    network.home.ip("-6 route flush table 100")
    network.home.ip("-6 rule flush")
    network.home.ip("-6 rule add priority 32766 table main")
    network.home.sysctl("net/ipv6/conf/all/forwarding", "0")

    for agent in vps_and_home.agents.values():
        agent.start()

    network.pc.must_reach(HOST, within=60)
    until(lambda: KernelState.of(network.home).anonymous() == wanted, within=30, why="home is as before")


def test_no_acknowledged_commit_is_lost_when_the_controller_is_killed(
    vps_and_home: Deployment, tmp_path: Path
) -> None:
    vps_and_home.apply(example())
    before = KernelState.of(vps_and_home.network.home)
    tls = TlsFiles.in_directory(vps_and_home.operator.tls)
    socket = vps_and_home.controller.addresses[-1]
    acknowledged: dict[int, str] = {}
    chance = random.Random(2)
    with watched(vps_and_home.network.home, tmp_path / "monitor"):
        for life in range(5):
            killer = threading.Timer(chance.uniform(0.05, 0.6), vps_and_home.controller.program.kill)
            with Client(socket, tls) as client:
                try:
                    for n in range(10_000):
                        text = f"life {life}, commit {n}"
                        acknowledged[client.apply(described(text), comment=text).revision] = text
                        if n == 1:
                            killer.start()
                except Unreachable:
                    pass
            killer.join()
            vps_and_home.controller.start()

    vps_and_home.converge()
    with Client(socket, tls) as client:
        newest = client.revisions(limit=1)[0].number
        assert newest >= max(acknowledged)
        for number, text in acknowledged.items():
            assert client.revision(number).revision.comment == text
    assert len(acknowledged) >= 10
    assert KernelState.of(vps_and_home.network.home) == before
    assert (tmp_path / "monitor").read_text() == ""


def test_a_killed_agent_writes_nothing_when_it_returns_to_what_it_left(
    vps_and_home: Deployment, tmp_path: Path
) -> None:
    vps_and_home.apply(example())
    # Its addresses have been checked by then, so that the kernel has nothing more to tell.
    before = KernelState.of(vps_and_home.network.home)
    agent = vps_and_home.agents["home"]
    files = {path: path.stat().st_mtime_ns for path in agent.state_dir.rglob("*.json")}
    assert files
    agent.program.kill()
    seen = vps_and_home.client.router("home").observed_at.ToNanoseconds()

    with watched(vps_and_home.network.home, tmp_path / "monitor"):
        agent.start()
        vps_and_home.router_until(
            "home",
            lambda router: router.connected and router.observed_at.ToNanoseconds() > seen,
            within=60,
            why="the agent is back and has observed its kernel",
        )
        vps_and_home.converge()

    assert (tmp_path / "monitor").read_text() == ""
    assert KernelState.of(vps_and_home.network.home) == before
    assert {path: path.stat().st_mtime_ns for path in agent.state_dir.rglob("*.json")} == files
    assert not vps_and_home.client.drift(router="home").items


def test_drift_that_happened_while_the_agent_was_dead_is_reported(vps_and_home: Deployment) -> None:
    vps_and_home.apply(example())
    agent = vps_and_home.agents["home"]
    agent.program.kill()
    vps_and_home.network.home.ip("link set vxlan01 mtu 1300")
    agent.start()
    item = vps_and_home.drift_until("home", lambda item: item.field == "mtu", within=60)
    assert item.observed == "1300"
    vps_and_home.converge()


def test_a_cut_off_router_keeps_to_its_intent_and_gets_the_newest_one_later(vps_and_home: Deployment) -> None:
    network = vps_and_home.network
    document = example()
    vps_and_home.apply(document)
    network.isp.ip("link set to-2 down")
    vps_and_home.router_until("home", lambda router: not router.connected, within=90, why="home is missed")
    network.home.ip("link set vxlan01 mtu 1300")
    until(
        lambda: network.home.run("ip", "-o", "link", "show", "vxlan01").count("mtu 1450"),
        within=30,
        why="a router heals without its controller",
    )
    split = document["tasuki-network:network"]["tasuki-vxlan-split:vxlan-split"][0]
    for mtu in (1400, 1420):
        split["hub"]["underlay"]["mtu"] = mtu
        outcome = {r.router: r.outcome for r in vps_and_home.client.apply(document).routers}
        assert outcome["home"] == "offline"

    network.isp.ip("link set to-2 up")
    restore_routes(network)

    vps_and_home.converge(within=90)
    assert "mtu 1370" in network.home.run("ip", "-o", "link", "show", "vxlan01")
    assert vps_and_home.drift_until("home", lambda item: item.field == "mtu").observed == "1300"
    network.pc.must_reach(HOST)


def restore_routes(network: Network) -> None:
    """What a link that goes down takes with it at the ISP."""
    network.isp.ip("route add 10.1.1.2 dev to-2")


@pytest.mark.parametrize("case", ["the certificate of another router", "a certificate of another CA"])
def test_a_wrong_certificate_is_refused(network: Network, tmp_path: Path, case: str) -> None:
    with Deployment.on(network, tmp_path, routers=("vps",)) as deployment:
        deployment.client.apply(example())
        if case == "a certificate of another CA":
            stranger = Controller(network.vps, tmp_path / "other" / "controller", ())
            stranger.init()
            tls = stranger.issue("router", "home")
        else:
            tls = deployment.controller.issue("router", "office")
        before = KernelState.of(network.home)
        agent = Agent("home", network.machine("home"), tls.parent, ADDRESS)
        agent.start()
        try:
            until(
                lambda: any(
                    word in agent.program.output() for word in ("refuse", "ertificate", "TLS", "SSL")
                ),
                within=60,
                why="the agent says that it was refused",
            )
        finally:
            agent.program.stop()
        assert not deployment.client.router("home").connected
        assert KernelState.of(network.home) == before
