"""The controller: from a document of thousands of subscribers to a revision that survives a power cut.

Validated, compiled and committed by the real datastores into the real store on disk. Each subscriber has a
router of its own, which is the most that can follow from it, and half of them route by policy.
"""

import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from measure import Measurement, report
from tasuki_controller.access import Caller, Role
from tasuki_controller.datastores import Datastores
from tasuki_controller.fleet import Fleet
from tasuki_controller.sqlite import SqliteStore
from tasuki_controller.transaction import Edit, Operation
from tasuki_controller.transactions.commits import CommitOrder

RUNS = 5
SMALL, LARGE = 255, 4095
"""As many subscribers as a /40 and a /36 have room for."""
CALLER = Caller(role=Role.OPERATOR, name="bench", peer="local")


def subscribers(numbers: range, length: int, *, slash_32: int = 0xDB8) -> str:
    """A document of the subscribers with these numbers, their hub and their routers, as JSON text."""
    hub = {"router": "vps", "underlay": {"interface": "enp1s0f0", "ipv4-address": "192.0.2.1"}}
    split = {"name": "a000", "prefix": f"2001:{slash_32:x}:a000::/{length}", "hub": hub}
    routers = [{"name": name} for name in ("vps", *(f"router{n}" for n in numbers))]
    network = {
        "router": routers,
        "tasuki-vxlan-split:vxlan-split": [{**split, "subscriber": [subscriber(n) for n in numbers]}],
    }
    return json.dumps({"tasuki-network:network": network})


def subscriber(number: int) -> dict[str, Any]:
    return {
        "number": number,
        "router": f"router{number}",
        "underlay": {"interface": "enp6s0f1", "address": f"10.1.{number >> 8}.{number & 255}"},
        "mode": "policy-routing" if number % 2 else "default-gateway",
        "delegation": {"lan": [{"interface": "lan0"}]},
    }


def unseen(run: int) -> int:
    """A prefix of its own for each run, of which nothing can be remembered."""
    return 0x1000 + run


@asynccontextmanager
async def datastores() -> AsyncIterator[Datastores]:
    """Empty datastores on a disk of their own."""
    with tempfile.TemporaryDirectory() as folder:
        store = await SqliteStore.open(Path(folder))
        try:
            yield Datastores(store, Fleet(store))
        finally:
            await store.close()


async def commit(stores: Datastores, text: str, operation: Operation = Operation.MERGE) -> float:
    """Milliseconds until the document is a durable revision."""
    start = time.perf_counter()
    applied = await stores.apply(Edit(operation, json.loads(text)), CALLER, CommitOrder())
    assert applied.committed
    return 1000 * (time.perf_counter() - start)


async def from_nothing(count: int, length: int) -> float:
    times = []
    for run in range(RUNS):
        text = subscribers(range(1, count + 1), length, slash_32=unseen(run))
        async with datastores() as stores:
            times.append(await commit(stores, text))
    return statistics.median(times)


async def one_more() -> float:
    """One subscriber more, with its router, on top of as many as a /36 has room for."""
    times = []
    more = subscribers(range(LARGE + 1, LARGE + 2), 35)
    async with datastores() as stores:
        await commit(stores, subscribers(range(1, LARGE + 1), 35))
        before = json.dumps(stores.state.running.network)
        for _ in range(RUNS):
            times.append(await commit(stores, more))
            await commit(stores, before, Operation.REPLACE)
    return statistics.median(times)


async def measured() -> list[Measurement]:
    await from_nothing(1, 40)
    small, large, more = await from_nothing(SMALL, 40), await from_nothing(LARGE, 36), await one_more()
    growth = (large / LARGE) / (small / SMALL)
    return [
        Measurement(f"validate, compile, commit {SMALL} subscribers", small, "ms", limit=150),
        Measurement(f"validate, compile, commit {LARGE} subscribers", large, "ms", limit=2000),
        Measurement(f"validate, compile, commit one more on top of {LARGE}", more, "ms", limit=500),
        Measurement(f"cost of a subscriber among {LARGE} against one among {SMALL}", growth, "x"),
        Measurement("one more against all of them", more / large, "x"),
    ]


if __name__ == "__main__":
    sys.exit(report(asyncio.run(measured())))
