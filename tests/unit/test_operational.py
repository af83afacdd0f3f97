"""<operational> of a router: what is in use, at the places that the intent gave it."""

import json
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

from tasuki_agent import kinds
from tasuki_agent.kind import Ref
from tasuki_agent.kinds.link.linktypes import OtherLink
from tasuki_agent.known import Known
from tasuki_agent.operational import operational_tree, with_state
from tasuki_agent.reconcile.facts import FactBook
from tasuki_agent.reconcile.status import Moment, StatusBoard
from tasuki_controller.compile import compile_running
from tasuki_controller.running import Running
from tasuki_yang.facts import FactKey
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


def test_a_value_from_a_fact_bears_its_origin_and_what_waits_says_for_what() -> None:
    every = kinds.load(MagicMock())
    tree = {
        "ietf-interfaces:interfaces": {
            "interface": [
                {
                    "name": "vxlan01",
                    "type": "tasuki-link:vxlan",
                    "tasuki-link:vxlan": {
                        "vni": 1,
                        "underlay": "wan0",
                        "remote": "2001:db8:9::1",
                        "local-interface": "wan0",
                    },
                }
            ]
        }
    }
    book, board, asked = FactBook(), StatusBoard(), Known()
    waiting = wanted_of(every, tree, asked)
    board.waiting(Ref("link", "vxlan01"), waiting["link"]["vxlan01"], Moment(60.0, 0.0))
    book.ask(asked)
    book.learn({}, 30.0)
    assert with_state({}, every, board, book, 0.0) == {
        "tasuki-agent:agent": {
            "fact": [{"subject": "wan0", "name": "global-address", "since": "1970-01-01T00:00:30.000+00:00"}],
            "waiting": [
                {
                    "path": "/ietf-interfaces:interfaces/interface[name='vxlan01']",
                    "on": "a global address of wan0: do router advertisements reach it, and does"
                    " it take them? (ip -6 address show dev wan0)",
                    "since": "1970-01-01T00:01:00.000+00:00",
                }
            ],
        }
    }

    known = Known({FactKey("wan0", "global-address"): ("2001:db8:1::1",)})
    wanted = wanted_of(every, tree, known)
    shown = operational_tree(every, wanted, {**wanted, "address": {}})
    (tunnel,) = shown["ietf-interfaces:interfaces"]["interface"]
    assert tunnel["tasuki-link:vxlan"]["local"] == "2001:db8:1::1"
    assert tunnel["tasuki-link:vxlan"]["@local"] == {"ietf-origin:origin": "ietf-origin:learned"}
    assert "@remote" not in tunnel["tasuki-link:vxlan"]


def wanted_of(every: Any, tree: Any, known: Known) -> Any:
    return {kind.name: kind.want(Router.model_validate(tree), known) for kind in every}
