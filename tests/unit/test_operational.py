"""<operational> of a router: what is in use, at the places that the intent gave it."""

import json
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

from tasuki_agent import kinds
from tasuki_agent.kinds.link.linktypes import OtherLink
from tasuki_agent.known import Known
from tasuki_agent.operational import operational_tree
from tasuki_controller.compile import compile_running
from tasuki_controller.running import Running
from tasuki_yang.router import Router

EXAMPLE = Path(__file__).parents[2] / "examples" / "vxlan-split.json"


def test_intended_is_contained_in_operational_once_all_is_applied() -> None:
    """RFC 9144 in small: objects stand where the intent has them, though the kernel keeps no such names."""
    every = kinds.load(MagicMock())
    intended = compile_running(Running(json.loads(EXAMPLE.read_text()), {}))
    for router in ("vps", "home", "branch", "office"):
        wanted = {kind.name: kind.want(Router.model_validate(intended[router]), Known()) for kind in every}
        observed = {
            # An observed key is equal to the wanted one and has no place in the intent.
            name: {_without_place(key): spec for key, spec in specs.items()}
            for name, specs in wanted.items()
        }
        for interface in ("enp1s0f0", "enp6s0f1", "wan0", "lan0", "dmz0"):
            observed["link"][interface] = OtherLink("veth", up=True, mtu=1500)
        tree = operational_tree(every, wanted, observed)
        again = Router.model_validate(tree)
        for kind in every:
            assert kind.want(again, Known()) == wanted[kind.name]
        names = {p.name for p in again.routing.control_plane_protocols.control_plane_protocol}
        expected = intended[router]["ietf-routing:routing"]["control-plane-protocols"][
            "control-plane-protocol"
        ]
        assert names == {protocol["name"] for protocol in expected}


def _without_place(key: Any) -> Any:
    if not is_dataclass(key) or isinstance(key, type):
        return key
    return replace(key, **{f.name: f.default for f in fields(key) if not f.compare})
