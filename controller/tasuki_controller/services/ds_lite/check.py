"""Rules of DS-Lite lines that YANG cannot express.

Each rule reports all that breaks it. What a rule cannot read was reported by YANG and is passed over.
"""

from collections.abc import Iterable, Iterator
from difflib import SequenceMatcher

from tasuki_yang.errors import ConfigError
from tasuki_yang.validator import Gaps

from tasuki_controller.broken_rule import invalid, unreadable
from tasuki_controller.services.ds_lite.line import (
    OVERHEAD,
    SMALLEST_MTU,
    Line,
    aftr,
    local_end,
    path_of,
    source_of,
)
from tasuki_controller.services.ds_lite.presets import presets


def check_lines(lines: Iterable[Line], gaps: Gaps) -> Iterator[ConfigError]:
    """All rules."""
    lines = tuple(lines)
    for line in lines:
        for rule in (_preset, _mtu, _two_ends):
            yield from rule(line, gaps)
    yield from _default_routes(lines, gaps)


def _preset(line: Line, gaps: Gaps) -> Iterator[ConfigError]:  # noqa: ARG001 - as every rule
    given = line.aftr_preset
    if given and given not in presets():
        likely = sorted(presets(), key=lambda preset: -SequenceMatcher(None, given, preset).ratio())
        yield invalid(
            path_of(line, "aftr-preset"),
            "preset-unknown",
            f"There is no preset {given}: there are {', '.join(likely)}. Of another provider "
            "give the aftr-name with its resolver.",
        )


def _mtu(line: Line, gaps: Gaps) -> Iterator[ConfigError]:
    """No packet is fragmented on the line."""
    if unreadable(gaps, path_of(line), "underlay/mtu"):
        return
    largest = line.underlay.mtu - OVERHEAD
    if largest < SMALLEST_MTU:
        yield invalid(
            path_of(line, "underlay", "mtu"),
            "underlay-mtu-too-small",
            f"An underlay MTU of {line.underlay.mtu} bytes leaves less than the {SMALLEST_MTU} bytes that a "
            f"tunnel has at least: the line must carry {SMALLEST_MTU + OVERHEAD} bytes.",
        )
    elif line.mtu > largest and not unreadable(gaps, path_of(line), "mtu"):
        yield invalid(
            path_of(line, "mtu"),
            "mtu-too-large",
            f"An MTU of {line.mtu} bytes does not fit the line, whose {line.underlay.mtu} bytes leave "
            f"{largest} for the tunnel: set mtu to {largest}, or the underlay's to what the line carries.",
        )


def _two_ends(line: Line, gaps: Gaps) -> Iterator[ConfigError]:  # noqa: ARG001 - as every rule
    if line.aftr_address and aftr(line) == local_end(line):
        yield invalid(
            path_of(line, "aftr-address"),
            "underlay-addresses-equal",
            f"{line.aftr_address} is the router's own end: give the address of the provider's AFTR.",
        )


def _default_routes(lines: Iterable[Line], gaps: Gaps) -> Iterator[ConfigError]:
    """It is clear which line a router's IPv4 takes."""
    first: dict[tuple[str, int], Line] = {}
    for line in lines:
        if unreadable(gaps, path_of(line), "default-route-metric", "router"):
            continue
        other = first.setdefault((line.router, line.default_route_metric), line)
        if other is not line:
            yield invalid(
                path_of(line, "default-route-metric"),
                "default-route-not-unique",
                f"{source_of(other)} has the IPv4 default route of router {line.router} with metric "
                f"{line.default_route_metric} already: give {source_of(line)} a greater one, to stand by.",
            )
