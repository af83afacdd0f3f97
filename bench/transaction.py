"""A change of one leaf, from the call until both routers have it: prepare, commit, applied.

The real controller and two real agents, each in a namespace of its own, over the network between them.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from measure import Measurement, percentile, report
from netns import Machines, Namespace, cable, until
from programs import Agent, Controller
from tasuki_client import Client, NodeEdit
from tasuki_client.client import Session
from tasuki_proto.channel import TlsFiles

COMMITS = 100
ROUTERS = ("vps", "home")
SPLIT = "/tasuki-network:network/tasuki-vxlan-split:vxlan-split[name='ae00']"
LEAF = f"{SPLIT}/subscriber[number='8']/underlay/mtu"
"""Both ends of the tunnel follow it."""
MTUS = (1460, 1500)


def network() -> dict[str, Any]:
    """A hub and a subscriber, both of which run an agent."""
    subscriber = {
        "number": 8,
        "router": "home",
        "mode": "policy-routing",
        "underlay": {"interface": "wan0", "address": "192.0.2.2"},
    }
    split = {
        "name": "ae00",
        "prefix": "2001:db8:ae00::/40",
        "hub": {"router": "vps", "underlay": {"interface": "wan0", "ipv4-address": "192.0.2.1"}},
        "subscriber": [subscriber],
    }
    routers = [{"name": name} for name in ROUTERS]
    return {"tasuki-network:network": {"router": routers, "tasuki-vxlan-split:vxlan-split": [split]}}


@contextmanager
def deployment() -> Iterator[Client]:
    """Both routers, converged; the controller runs on the first."""
    with Machines() as machines, tempfile.TemporaryDirectory() as directory:
        vps, home = (machines.add(name) for name in ROUTERS)
        cable(vps, "wan0", home, "wan0")
        for number, machine in enumerate((vps, home), 1):
            machine.ip(f"addr add 192.0.2.{number}/24 dev wan0")
        with running(vps, home, Path(directory)) as client:
            yield client


@contextmanager
def running(vps: Namespace, home: Namespace, directory: Path) -> Iterator[Client]:
    """The programs, with TLS between the machines."""
    socket = f"unix:{directory}/controller.sock"
    controller = Controller(vps, directory / "controller", ("192.0.2.1:9339", socket))
    controller.init()
    agents = [
        Agent(name, machine, controller.issue("router", name).parent, "192.0.2.1:9339")
        for name, machine in zip(ROUTERS, (vps, home), strict=True)
    ]
    tls = TlsFiles.in_directory(controller.issue("operator", "bench"))
    try:
        controller.start()
        for agent in agents:
            agent.start()
        with Client(socket, tls) as client:
            client.apply(network())
            until(lambda: converged(client), within=30, why="both routers converge")
            yield client
    finally:
        for program in (*(agent.program for agent in agents), controller.program):
            program.stop()


def converged(client: Client) -> bool:
    return all(router.applied_revision >= 1 for router in client.routers())


def commit(session: Session, mtu: int, *, confirm: int | None = None) -> float:
    """Milliseconds from the call until both routers have said that they have it."""
    session.edit(NodeEdit(LEAF, mtu))
    started = time.perf_counter()
    made = session.commit(confirm=confirm, wait=10)
    took = 1000 * (time.perf_counter() - started)
    outcomes = {router.router: router.outcome for router in made.routers}
    if outcomes != dict.fromkeys(ROUTERS, "applied"):
        raise SystemExit(f"was not applied: {outcomes}")
    return took


def confirmed(session: Session, mtu: int) -> float:
    """As `commit`, of a confirmed commit; the confirmation is not measured."""
    took = commit(session, mtu, confirm=60)
    session.commit()
    return took


def measured() -> Iterator[Measurement]:
    with deployment() as client, client.session() as session:
        plain = [commit(session, MTUS[number % 2]) for number in range(COMMITS)]
        tried = [confirmed(session, MTUS[number % 2]) for number in range(COMMITS // 4)]
    p99 = percentile(plain, 99)
    yield Measurement(
        f"one leaf prepared, committed, applied on two routers, p99 of {COMMITS}", p99, "ms", limit=300
    )
    yield Measurement("  p50", statistics.median(plain), "ms")
    yield Measurement(f"  as a confirmed commit, p50 of {len(tried)}", statistics.median(tried), "ms")


if __name__ == "__main__":
    sys.exit(report(list(measured())))
