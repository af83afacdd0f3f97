"""`tasuki map` and `tasuki render`: a split as a whole, and the other end of one tunnel."""

import json
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from rich.console import Group
from tasuki_proto.v1.config_pb2 import DATASTORE_INTENDED
from tasuki_proto.v1.router_pb2 import Router
from tasuki_yang.network import Network, NetworkVxlanSplit
from tasuki_yang.router import Router as RouterTree

from tasuki_client import linux, terminal
from tasuki_client.client import Client
from tasuki_client.errors import TasukiError
from tasuki_client.render import grid, other_end
from tasuki_client.split import SplitMap, assess

_REDRAW: Final = 2.0
"""Seconds between two readings of the map."""
_PIPED_WIDTH: Final = 80
_LANGUAGES: Final[dict[str, Callable[..., str]]] = {
    "iproute2": other_end.iproute2,
    "ifupdown": other_end.ifupdown,
}


def show_map(client: Client, name: str, *, as_json: bool) -> None:
    """Draw the split once."""
    split = _read_map(client, name)
    if as_json:
        terminal.show_json(_plain(split))
    else:
        terminal.show(_drawn(split))


def watch_map(client: Client, name: str, *, as_json: bool) -> None:
    """Draw the split again and again; in JSON one reading to a line."""
    with terminal.drawing(terminal.console()) as draw:
        while True:
            split = _read_map(client, name)
            if as_json:
                terminal.show_json_line(_plain(split))
            else:
                draw(partial(_drawn, split))
            time.sleep(_REDRAW)


def render(client: Client, name: str, number: int, language: str) -> None:
    """Print the configuration of one subscriber's end.

    Raises:
        TasukiError: there is no such split or subscriber, or its end is more than commands can make.
    """
    split = _split(client, name)
    subscriber = next((s for s in split.subscriber if s.number == number), None)
    if subscriber is None:
        raise TasukiError(
            f"the split '{name}' has no subscriber {number}: 'tasuki map {name}' shows which it has"
        )
    target = subscriber.router or f"{name}/{number}"
    answer = client.get(DATASTORE_INTENDED, router=target)
    content = json.loads(answer.config_json)
    left_out = linux.not_rendered(content)
    if linux.REMOTE_UNKNOWN in left_out:
        missing = " and ".join(linux.unknown_ends(RouterTree.model_validate(content)))
        raise TasukiError(
            f"{target} cannot be rendered yet: nobody has told {missing}, which its tunnel leads to; "
            "'tasuki routers' shows whether that router is connected"
        )
    if left_out:
        raise TasukiError(
            f"{target} cannot be rendered, because there is no command for {', '.join(left_out)}: "
            "run the agent on it, or leave these out of its router tree"
        )
    tree = RouterTree.model_validate(content)
    title = [
        f"Subscriber {number} of the split {name}, {split.prefix}: its end of the tunnel.",
        *([subscriber.description] if subscriber.description else []),
        f"Made by tasuki from revision {answer.revision}. Needs root and iproute2.",
        *linux.hints(tree),
    ]
    terminal.show_text(_LANGUAGES[language](linux.steps(tree), title))


def _drawn(split: SplitMap) -> Group:
    return Group(*grid.grid(split, _width(), brief=terminal.is_terminal()))


def _read_map(client: Client, name: str) -> SplitMap:
    split = _split(client, name)
    concerned = {split.hub.router, *(s.router for s in split.subscriber if s.router)}
    routers = {
        router.name: client.router(router.name) if _has_objects(router) else router
        for router in client.routers()
        if router.name in concerned
    }
    items = client.drift(open_only=True).items
    return assess(split, routers, (item for item in items if item.router in concerned))


def _has_objects(router: Router) -> bool:
    return router.counts.done < router.counts.total


def _split(client: Client, name: str) -> NetworkVxlanSplit:
    network = Network.model_validate_json(client.get().config_json or b"{}").network
    for split in network.vxlan_split:
        if split.name == name:
            return split
    names = ", ".join(split.name for split in network.vxlan_split)
    raise TasukiError(
        f"there is no split '{name}': " + (f"there is {names}" if names else "there is none at all")
    )


def _width() -> int:
    out = terminal.console()
    return out.width if out.is_terminal else _PIPED_WIDTH


def _plain(split: SplitMap) -> dict[str, Any]:
    return {
        "split": split.name,
        "prefix": str(split.prefix),
        "hub": split.hub,
        "hub_reasons": list(split.hub_reasons),
        "counts": {state.name.lower(): number for state, number in split.counts.items()},
        "subscribers": [
            {
                "number": s.number,
                "prefix": str(split.site(s.number)),
                "router": s.router or None,
                "state": s.state.name.lower(),
                "reasons": list(s.reasons),
            }
            for s in split.standings.values()
        ],
    }
