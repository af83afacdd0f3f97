"""`tasuki routers`: how far each router is."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial

from rich.console import Group
from tasuki_proto.v1.router_pb2 import Router

from tasuki_client import terminal
from tasuki_client.client import Client
from tasuki_client.plain import plain
from tasuki_client.render import routers as render


def every(client: Client, *, as_json: bool) -> None:
    """Print all routers."""
    routers = client.routers()
    if as_json:
        terminal.show_json({"routers": [plain(router) for router in routers]})
    else:
        terminal.show(render.every(routers, datetime.now(UTC)), *render.problems(routers))


def one(client: Client, name: str, *, as_json: bool) -> None:
    """Print one router with each of its objects that is not as intended."""
    router = client.router(name)
    if as_json:
        terminal.show_json(plain(router))
    else:
        terminal.show(*render.one(router, datetime.now(UTC)))


def watch(client: Client, name: str, *, as_json: bool) -> None:
    """Print the routers, or one, and each again when it changes; in JSON one to a line."""
    changes = client.watch_routers((name,) if name else (), with_objects=bool(name))
    if as_json:
        for router in changes:
            terminal.show_json_line(plain(router))
        return
    out = terminal.console()
    known: dict[str, Router] = {}
    with terminal.drawing(out) as draw:
        for router in changes:
            known[router.name] = router
            shown = sorted(known.values(), key=lambda r: r.name) if out.is_terminal else [router]
            draw(partial(_view, shown, in_detail=bool(name)))


def _view(routers: Sequence[Router], *, in_detail: bool) -> Group:
    now = datetime.now(UTC)
    if in_detail:
        return Group(*render.one(routers[0], now))
    return Group(render.every(routers, now), *render.problems(routers))
