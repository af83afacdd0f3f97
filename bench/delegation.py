"""A line that delegates another prefix: from the lease until hosts use it and the tunnel works again.

And what an agent costs that has nothing to do but to keep its DHCP client and its dnsmasq running.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from access import NGN, PROMPT
from home import WHOLE, Home
from measure import Measurement, report

ROUNDS = 5
IDLE_SECONDS = 10.0


def renumbering() -> Iterator[Measurement]:
    """As often as there are rounds, each time to a prefix that was never there."""
    with tempfile.TemporaryDirectory() as directory, Home.running(Path(directory), PROMPT) as home:
        home.deployment.apply(WHOLE)
        home.must_work()
        found = []
        for number in range(1, 1 + ROUNDS):
            prefix = f"2001:db8:{number:x}700::/56"
            found.append(home.recovery(partial(home.access.server.delegate, prefix=prefix)))
            home.must_work()
    for what, seconds in zip(("hosts use it", "the tunnel works"), zip(*found, strict=True), strict=True):
        name = f"another prefix is leased, until {what}, slowest of {ROUNDS}"
        yield Measurement(name, max(seconds) * 1000, "ms", limit=2000)
        yield Measurement("  p50", statistics.median(seconds) * 1000, "ms")


def idling() -> Iterator[Measurement]:
    """With the lifetimes of NGN, so that nothing happens."""
    with tempfile.TemporaryDirectory() as directory, Home.running(Path(directory), NGN) as home:
        home.deployment.apply(WHOLE)
        home.must_work()
        agent = home.deployment.agents["home"].program
        before = agent.cpu_seconds
        time.sleep(IDLE_SECONDS)
        used = agent.cpu_seconds - before
        yield Measurement("idle agent of a home: resident memory", agent.resident_mb, "MB", limit=64)
        yield Measurement(
            f"idle agent of a home: CPU in {IDLE_SECONDS:.0f} s", used / IDLE_SECONDS * 100, "%", limit=1
        )


def measured() -> Iterator[Measurement]:
    yield from renumbering()
    yield from idling()


if __name__ == "__main__":
    sys.exit(report(list(measured())))
