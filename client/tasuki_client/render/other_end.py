"""The steps of `linux` as what a person installs: a shell script, or stanzas for /etc/network/interfaces."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Final

from tasuki_client.linux import Stage, Step
from tasuki_client.terminal import one_line

_WHEN: Final = {Stage.PARAMETERS: "pre-up", Stage.LINKS: "pre-up"}


def iproute2(steps: Sequence[Step], title: Iterable[str]) -> str:
    """A script for any POSIX shell. Run again, it takes down what it made and makes it anew."""
    # An address is replaced in place, so that a LAN does not lose its own for a moment.
    undone = [step.undo for step in reversed(steps) if step.undo and step.stage is not Stage.ADDRESSES]
    lines = ["#!/bin/sh", *_comments(title), "set -eu", "", "# What an earlier run made"]
    lines += [f"{undo} 2>/dev/null || :" for undo in undone]
    for stage, group in groupby(steps, key=lambda step: step.stage):
        lines += ["", f"# {stage.value}", *(step.do for step in group)]
    return "\n".join(lines) + "\n"


def ifupdown(steps: Sequence[Step], title: Iterable[str]) -> str:
    """A stanza for each tunnel; what belongs to none of them goes with the first."""
    tunnels = list(dict.fromkeys(step.link for step in steps if step.link))
    lines = list(_comments(title))
    for tunnel in tunnels:
        own = [step for step in steps if (step.link or tunnels[0]) == tunnel]
        lines += ["", f"auto {tunnel}", f"iface {tunnel} inet6 manual"]
        lines += [f"    {line}" for line in (*_going_up(own), *_going_down(own))]
    return "\n".join(lines) + "\n"


def _going_up(steps: Iterable[Step]) -> Iterator[str]:
    for step in steps:
        yield f"{_WHEN.get(step.stage, 'up')} {step.do}"


def _going_down(steps: Sequence[Step]) -> Iterator[str]:
    for step in reversed(steps):
        if step.undo:
            when = "post-down" if step.stage is Stage.LINKS else "down"
            yield f"{when} {step.undo} || :"


def _comments(title: Iterable[str]) -> Iterator[str]:
    for line in title:
        yield f"# {one_line(line)}"
