"""A hub with 255 subscribers: built, observed, repaired and left alone, against ip(8) in the same run."""

import asyncio
import json
import logging
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

from measure import Measurement, percentile, report
from netns import Machines, Namespace, cable, until
from programs import Agent, Controller
from tasuki_agent.intent import Intent
from tasuki_agent.kernel import Kernel
from tasuki_agent.kinds import load
from tasuki_agent.reconcile.drift import Action
from tasuki_agent.reconcile.reconciler import Reconciler
from tasuki_agent.reconcile.status import State
from tasuki_client import Client
from tasuki_controller.compile import compile_running
from tasuki_controller.running import Running

UNDERLAY = "enp1s0f0"
SUBSCRIBERS = 255
ROUNDS = 7
DRIFTS = 200
IDLE_SECONDS = 20.0
CLEARING_SECONDS = 1.0
OBSERVATION = (
    "-j -d link show",
    "-j addr show",
    "-j -6 route show table all",
    "-j -6 rule show",
)


def network() -> dict[str, object]:
    """The largest split of a /40."""
    subscribers = [
        {
            "number": n,
            "unmanaged": [None],
            "underlay": {"interface": "eth0", "address": remote(n)},
        }
        for n in range(1, SUBSCRIBERS + 1)
    ]
    split = {
        "name": "ae00",
        "prefix": "2001:db8:ae00::/40",
        "hub": {"router": "vps", "underlay": {"interface": UNDERLAY, "ipv4-address": "10.1.1.1"}},
        "subscriber": subscribers,
    }
    return {
        "tasuki-network:network": {"router": [{"name": "vps"}], "tasuki-vxlan-split:vxlan-split": [split]}
    }


def remote(n: int) -> str:
    """Underlay address of subscriber n."""
    return f"10.1.{1 + n // 200}.{n % 200 + 2}"


def batch() -> str:
    """The same 1,020 changes, as one types them for `ip -batch`."""
    lines = []
    for n in range(1, SUBSCRIBERS + 1):
        name, link = f"vxlan{n:02x}", f"2001:db8:ae00:0:{n:x}:"
        tunnel = f"id {n} dstport 4789 remote {remote(n)} dev {UNDERLAY} nolearning"
        lines += [
            f"link add {name} mtu 1450 up type vxlan {tunnel}",
            f"addr add {link}:1/80 dev {name}",
            f"route add 2001:db8:ae00:{n:x}::/64 via {link}:2 dev {name}",
            f"route add 2001:db8:ae{n:02x}::/48 via {link}:2 dev {name}",
        ]
    return "\n".join(lines) + "\n"


@contextmanager
def hub() -> Iterator[Namespace]:
    """A router with an underlay, and nothing else."""
    with Machines() as machines:
        router, outside = machines.add("hub"), machines.add("outside")
        cable(router, UNDERLAY, outside, "port")
        router.ip(f"addr add 10.1.1.1/16 dev {UNDERLAY}")
        yield router
    # The kernel goes on clearing away a deleted namespace, and its locks are everybody's.
    time.sleep(CLEARING_SECONDS)


def main() -> int:
    """Run it. Returns the exit status."""
    # What the agent says of races with the kernel, which it mends, is no part of the table.
    logging.disable(logging.WARNING)
    intent = json.dumps(compile_running(Running(network=network()))["vps"]).encode()
    return report([*build_and_observe(intent), *heal(intent), *idle()])


def build_and_observe(intent: bytes) -> Iterator[Measurement]:
    """From an empty namespace to converged and verified; then a full observation without drift."""
    built, batched, observed, listed = [], [], [], []
    for _ in range(ROUNDS):
        with hub() as machine:
            started = time.perf_counter()
            ip(machine, "-batch", "-", stdin=batch())
            batched.append(time.perf_counter() - started)
        with hub() as machine, tempfile.TemporaryDirectory() as state_dir, machine.entered():
            build, observe = asyncio.run(converge_and_observe(intent, Path(state_dir)))
            built.append(build)
            observed.append(observe)
            started = time.perf_counter()
            for listing in OBSERVATION:
                ip(machine, *listing.split())
            listed.append(time.perf_counter() - started)
    yield Measurement(
        f"hub with {SUBSCRIBERS} subscribers, built and verified / ip -batch",
        statistics.median(built) / statistics.median(batched),
        "x",
        limit=1.0,
        aim=0.6,
    )
    yield Measurement("  built and verified", statistics.median(built) * 1000, "ms")
    yield Measurement(
        f"  ip -batch of {batch().count(chr(10)):,} changes", statistics.median(batched) * 1000, "ms"
    )
    yield Measurement(
        "full observation without drift / the four ip -j listings",
        statistics.median(observed) / statistics.median(listed),
        "x",
        limit=3.0,
        aim=1.5,
    )
    yield Measurement("  full observation", statistics.median(observed) * 1000, "ms")
    yield Measurement("  the four ip -j listings", statistics.median(listed) * 1000, "ms")


def ip(machine: Namespace, *arguments: str, stdin: str = "") -> None:
    """Run ip(8) as cheaply as it can be: it enters the namespace itself, and nobody decodes what it says."""
    subprocess.run(
        ["ip", "-n", machine.name, *arguments], check=True, stdout=subprocess.PIPE, input=stdin.encode()
    )


async def converge_and_observe(intent: bytes, state_dir: Path) -> tuple[float, float]:
    """Seconds from the intent's text until it is made and seen; of one more step that finds nothing to do."""
    async with Kernel(state_dir) as kernel:
        reconciler = Reconciler(load(kernel), time.time, time.monotonic)
        started = time.perf_counter()
        reconciler.set_intent(Intent.parse(1, intent))
        await reconciler.step()
        build = time.perf_counter() - started
        must_be_converged(reconciler)
        reconciler.mark_dirty(kind.name for kind in reconciler.kinds)
        started = time.perf_counter()
        await reconciler.step()
        return build, time.perf_counter() - started


def must_be_converged(reconciler: Reconciler) -> None:
    """A measurement of work that was not done is worth nothing."""
    counts = reconciler.board.count()
    if any(counts[state] for state in (State.PENDING, State.FAILED, State.FOREIGN)):
        raise SystemExit(f"did not converge: {counts}")


def heal(intent: bytes) -> Iterator[Measurement]:
    """One object of the hub is changed by hand, 200 times."""
    with hub() as machine, tempfile.TemporaryDirectory() as state_dir, machine.entered():
        seconds = asyncio.run(heal_often(intent, Path(state_dir)))
    p50, p99 = (percentile(seconds, percent) * 1000 for percent in (50, 99))
    yield Measurement(f"one drifted object seen and healed, p99 of {DRIFTS}", p99, "ms", limit=50)
    yield Measurement("  p50", p50, "ms")


async def heal_often(intent: bytes, state_dir: Path) -> list[float]:
    """Seconds from just before each change by hand until the agent has seen that it is mended."""
    chance = random.Random(1)
    reported = asyncio.Event()
    seconds = []
    async with Kernel(state_dir) as kernel:
        reconciler = Reconciler(load(kernel), time.time, time.monotonic, on_change=reported.set)
        reconciler.set_intent(Intent.parse(1, intent))
        await reconciler.step()
        must_be_converged(reconciler)
        events = kernel.events({kind.name: kind.wakes_on for kind in reconciler.kinds})
        tasks = [asyncio.create_task(reconciler.run()), asyncio.create_task(follow(events, reconciler))]
        for _ in range(DRIFTS):
            command = breakage(chance, chance.randint(1, SUBSCRIBERS))
            started = time.perf_counter()
            broken = await asyncio.create_subprocess_exec("ip", *command.split())
            while not is_healed(reconciler):
                reported.clear()
                await asyncio.wait_for(reported.wait(), 5)
            seconds.append(time.perf_counter() - started)
            assert await broken.wait() == 0, command
            reconciler.drift.acknowledge(sys.maxsize)
        for task in tasks:
            task.cancel()
    return seconds


async def follow(events: AsyncIterator[frozenset[str]], reconciler: Reconciler) -> None:
    """As the agent does: the kernel's events make kinds dirty."""
    async for names in events:
        reconciler.mark_dirty(names)


def is_healed(reconciler: Reconciler) -> bool:
    """Whether there was drift and none is open."""
    healed = any(item.action is Action.HEALED for _, item in reconciler.drift.unacknowledged())
    return healed and reconciler.drift.open_count == 0


def breakage(chance: random.Random, n: int) -> str:
    """One change of an object of subscriber n."""
    name, link = f"vxlan{n:02x}", f"2001:db8:ae00:0:{n:x}:"
    return chance.choice(
        [
            f"link set {name} mtu 1300",
            f"link set {name} type vxlan id {n} remote 192.0.2.1",
            f"addr add 2001:db8:bad::{n:x}/64 dev {name}",
            f"-6 route del 2001:db8:ae{n:02x}::/48",
            f"-6 addr del {link}:1/80 dev {name}",
            f"link del {name}",
        ]
    )


def idle() -> Iterator[Measurement]:
    """A real agent with that hub and a controller, when nothing happens."""
    with hub() as machine, tempfile.TemporaryDirectory() as directory:
        address = f"unix:{directory}/controller.sock"
        controller = Controller(machine, Path(directory, "controller"), (address,), insecure=True)
        agent = Agent("vps", machine, Path(directory, "agent"), address, insecure=True)
        try:
            controller.start()
            with Client(address) as client:
                agent.start()
                client.apply(network())
                until(
                    lambda: client.router("vps").applied_revision == 1, within=30, why="the agent converges"
                )
            before = agent.program.cpu_seconds
            time.sleep(IDLE_SECONDS)
            used = agent.program.cpu_seconds - before
            yield Measurement(
                "idle agent of that hub: resident memory", agent.program.resident_mb, "MB", limit=60
            )
            yield Measurement(
                f"idle agent: CPU in {IDLE_SECONDS:.0f} s between observations",
                used / IDLE_SECONDS * 100,
                "%",
                limit=1,
            )
        finally:
            agent.program.stop()
            controller.program.stop()


if __name__ == "__main__":
    sys.exit(main())
