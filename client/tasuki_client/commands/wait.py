"""`tasuki apply --wait`: until every router that a commit concerns has applied it, or time is up."""

import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Final

from rich.table import Table
from tasuki_proto.v1.config_pb2 import ApplyResponse, CommitResponse, RollbackResponse
from tasuki_proto.v1.router_pb2 import Router

from tasuki_client import terminal
from tasuki_client.client import Client
from tasuki_client.errors import Unreachable
from tasuki_client.render import routers as render
from tasuki_client.render.tables import table

_RETRY: Final = 0.5
"""Seconds between two attempts to reach the controller."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A router on its way to a revision."""

    router: Router
    revision: int

    @property
    def arrived(self) -> bool:
        """Whether it has applied the revision or a later one, objects that wait for something aside."""
        return self.router.applied_revision >= self.revision

    @property
    def account(self) -> str:
        """How it stands, for people."""
        if self.arrived:
            return render.applied(self.router)
        return render.not_applied(self.router, self.revision, datetime.now(UTC))


def wait_for(
    client: Client, answer: ApplyResponse | CommitResponse | RollbackResponse, seconds: float
) -> list[Arrival]:
    """Wait for the routers that the commit concerns or, if it changed nothing, for all of them.

    Progress goes to standard error: a live table on a terminal, else a line for each router that arrives.
    """
    end = time.monotonic() + seconds
    goals = {router.name: router.intended_revision for router in _routers(client, end)}
    if answer.committed:
        # The other end of an unmanaged subscriber, SPLIT/NUMBER, has nobody who could tell; nor has a router
        # that has left the network, unless its agent is still connected.
        goals = {o.router: answer.revision for o in answer.routers if o.router in goals}
    arrivals = {name: Arrival(Router(name=name), revision) for name, revision in goals.items()}
    err = terminal.console(sys.stderr)
    with terminal.drawing(err) as draw:
        for arrival in _arrivals(client, goals, end):
            known = arrivals[arrival.router.name].arrived
            arrivals[arrival.router.name] = arrival
            if err.is_terminal:
                draw(partial(_table, list(arrivals.values())))
            elif arrival.arrived and not known:
                terminal.note(f"{arrival.router.name}: {arrival.account}")
            if all(a.arrived for a in arrivals.values()):
                break
    return list(arrivals.values())


def _routers(client: Client, end: float) -> Sequence[Router]:
    """All that the controller knows, also if it is restarted meanwhile."""
    while True:
        try:
            return client.routers()
        except Unreachable:
            if end - time.monotonic() <= _RETRY:
                raise
            time.sleep(_RETRY)


def _arrivals(client: Client, goals: Mapping[str, int], end: float) -> Iterator[Arrival]:
    """What is heard of the routers until time is up, also from a controller that is restarted meanwhile."""
    while goals and (left := end - time.monotonic()) > 0:
        try:
            for router in client.watch_routers(tuple(goals), with_objects=True, seconds=left):
                yield Arrival(router, goals[router.name])
        except Unreachable:
            if left <= _RETRY:
                raise
            time.sleep(_RETRY)


def _table(arrivals: Iterable[Arrival]) -> Table:
    return table("ROUTER", "", rows=((arrival.router.name, arrival.account) for arrival in arrivals))
