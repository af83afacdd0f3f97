"""A line is renumbered: from the moment that the new address is usable until traffic passes again.

The real programs on NGN in namespaces, all traffic at once. With VXLAN on this machine; with DS-Lite and site
links beside it in the virtual machine, where it is there (`make test` gets it), and slower by its emulation.
"""

import json
import statistics
import sys
import tempfile
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

import guest
from measure import Measurement, report
from ngn import LINE_A, LINE_B
from traffic import Flow
from tunnels import Site

ROUNDS = 5
IN_GUEST = "--in-guest"
GUEST_SECONDS = 400.0
"""From the boot until the answer."""


def renumber(site: Site, number: int) -> None:
    """Both lines at once, so that both ends of each tunnel move."""
    lines = {LINE_A: f"2001:db8:a{number:x}:a::/64", LINE_B: f"2001:db8:b{number:x}:b::/64"}
    site.network.lines.renumber(lines)


def slowest(site: Site, rounds: int) -> Mapping[str, list[float]]:
    """Of each round the seconds that the slowest one of the flows of a sort took."""
    found: dict[str, list[float]] = {}
    for number in range(2, 2 + rounds):
        recovery = site.recovery(partial(renumber, site, number), "home-a", "home-b")
        for sort in {sort_of(flow) for flow in recovery}:
            found.setdefault(sort, []).append(
                max(seconds for flow, seconds in recovery.items() if sort_of(flow) == sort)
            )
        site.deployment.converge()
    return found


def sort_of(flow: Flow) -> str:
    """Such as vxlan, ds-lite or site-link."""
    return "-".join(flow.name.split("-")[: 1 if flow.name.startswith("vxlan") else 2])


def native() -> Iterator[Measurement]:
    """With VXLAN, on this kernel."""
    with tempfile.TemporaryDirectory() as directory, Site.with_vxlan(Path(directory)) as site:
        for seconds in slowest(site, ROUNDS).values():
            yield Measurement(
                f"both lines renumbered, VXLAN passes again, slowest of {ROUNDS}",
                max(seconds) * 1000,
                "ms",
                limit=1000,
            )
            yield Measurement("  p50", statistics.median(seconds) * 1000, "ms")


def emulated() -> Iterator[Measurement]:
    """With every tunnel, as the guest measures it."""
    command = f"PYTHONPATH=lab {sys.executable} bench/renumbering.py {IN_GUEST}"
    running = guest.Guest.boot(["sh", "-c", command])
    try:
        answer = running.answer(within=GUEST_SECONDS)
    finally:
        running.stop()
    if answer is None:
        raise SystemExit(f"the guest measured nothing; {running.last_words()}")
    for sort, seconds in json.loads(answer).items():
        yield Measurement(f"  {sort} in the emulated machine", max(seconds) * 1000, "ms", limit=2000)


def answer_from_guest() -> None:
    """What `emulated` waits for."""
    with tempfile.TemporaryDirectory() as directory, Site.with_every_tunnel(Path(directory)) as site:
        found = slowest(site, 1)
    Path(guest.ANSWERS).write_text(json.dumps(found) + "\n")


def measured() -> Iterator[Measurement]:
    yield from native()
    if guest.unavailable() is None:
        yield from emulated()


if __name__ == "__main__":
    if IN_GUEST in sys.argv:
        answer_from_guest()
    else:
        sys.exit(report(list(measured())))
