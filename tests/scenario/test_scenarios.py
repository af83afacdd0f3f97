"""Each `*.yaml` here is one case: a network and a router's kernel in, the agent's changes and report out.

Nothing runs but pure code: the controller's compilation, every kind's model, and the reconciler's plan and
drift. `kernel` says what is there before: nothing, or all as intended, with `broken` lines on top:

    gone KIND KEY                 the object is not there
    changed KIND KEY FIELD=VALUE  a field has another value
    theirs KIND KEY               the object is somebody else's
    left from NETWORK             nothing of this network's intent has been removed yet (a name in `networks`)
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest
import yaml
from tasuki_agent import kinds
from tasuki_agent.kind import Kind, Ref
from tasuki_agent.kinds.link.linktypes import OtherLink
from tasuki_agent.reconcile.compare import compare
from tasuki_agent.reconcile.drift import DriftBook
from tasuki_agent.reconcile.plan import Plan, Step, plan
from tasuki_controller.compile import compile_running
from tasuki_controller.running import Running
from tasuki_yang.router import Router

FOLDER = Path(__file__).parent
FILES = sorted(FOLDER.glob("*.yaml"))
FOREIGN = {"group": 0, "protocol": 4}
"""Evidence that an object is not ours: no device group, protocol static."""


@dataclass
class Case:
    """A router's intent and kernel."""

    kinds: tuple[Kind, ...]
    wanted: dict[str, dict[Any, Any]]
    observed: dict[str, dict[Any, Any]]

    def find(self, kind: str, key: str) -> Any:
        found = [k for k in {**self.wanted[kind], **self.observed[kind]} if str(k) == key]
        assert found, f"no {kind} {key}; there are {sorted(map(str, self.wanted[kind]))}"
        return found[0]


def intent_of(document: dict[str, Any], router: str) -> dict[str, dict[Any, Any]]:
    tree = compile_running(Running(document, {}))[router]
    parsed = Router.model_validate(tree)
    return {kind.name: marked(kind, kind.want(parsed)) for kind in all_kinds()}


def marked(kind: Kind, specs: Any) -> dict[Any, Any]:
    """Wanted specs as they are observed after they were made."""
    return {
        key: replace(spec, group=29793) if hasattr(spec, "group") else spec for key, spec in specs.items()
    }


def all_kinds() -> tuple[Kind, ...]:
    """The kinds' pure halves: the kernel behind them is never asked."""
    return kinds.load(MagicMock())


def read(file: Path) -> tuple[dict[str, Any], Case]:
    text = yaml.safe_load(file.read_text())
    wanted = intent_of(text["network"], text["router"])
    observed: dict[str, dict[Any, Any]] = {kind: {} for kind in wanted}
    if text["kernel"] == "as intended":
        observed = {kind: dict(specs) for kind, specs in wanted.items()}
    for name in text.get("interfaces", []):
        observed["link"][name] = OtherLink("veth", up=True, mtu=1500)
    case = Case(all_kinds(), wanted, observed)
    for line in text.get("broken", []):
        do_break(case, line, text)
    return text, case


def do_break(case: Case, line: str, text: dict[str, Any]) -> None:
    verb, kind, rest = line.split(" ", 2)
    if verb == "left":
        for name, specs in intent_of(text["networks"][rest], text["router"]).items():
            case.observed[name] = {**specs, **case.observed[name]}
        return
    assignment = ""
    if verb == "changed":
        rest, assignment = rest.rsplit(" ", 1)
    key = case.find(kind, rest)
    spec = case.observed[kind].pop(key, case.wanted[kind].get(key))
    if verb == "changed":
        field, value = assignment.split("=")
        case.observed[kind][key] = replace(spec, **{field: yaml.safe_load(value)})
    elif verb == "theirs":
        evidence = {name: value for name, value in FOREIGN.items() if hasattr(spec, name)}
        case.observed[kind][key] = replace(spec, **evidence)
    else:
        assert verb == "gone", line


def in_words(step: Step) -> str:
    return f"{type(step.change).__name__.lower()} {step.ref}"


def changes(planned: Plan) -> list[list[str]]:
    return [sorted(in_words(step) for step in level) for level in planned.levels]


@pytest.mark.parametrize("file", FILES, ids=[file.stem for file in FILES])
def test_scenario(file: Path) -> None:
    text, case = read(file)
    expected = text["expect"]
    differences = compare(case.kinds, case.wanted, case.observed)
    planned = plan(case.kinds, differences, case.wanted, case.observed)
    assert changes(planned) == [sorted(level) for level in expected.get("changes", [])]
    waiting = {str(ref): str(need) for ref, need in planned.waiting.items()}
    assert waiting == expected.get("waiting", {})
    foreign = sorted(str(d.ref) for d in differences if d.class_.value == "foreign")
    assert foreign == sorted(expected.get("foreign", []))
    if text["kernel"] == "as intended":
        assert drift_of(case, differences) == sorted(expected.get("drift", []))


def drift_of(case: Case, differences: Any) -> list[str]:
    """What would be reported, had all been as intended before."""
    book = DriftBook(settled=case.wanted)
    book.see(differences, {kind.name: kind for kind in case.kinds}, set(), now=0.0)
    return sorted(f"{item.class_.value} {item.path}" for _, item in book.unacknowledged())


def test_every_object_of_every_scenario_has_a_place_in_the_tree_and_back() -> None:
    """`tree` is the inverse of `want`; an address leaves the interface's type to the link."""
    for file in FILES:
        _, case = read(file)
        for kind in case.kinds:
            for key, spec in case.wanted[kind.name].items():
                tree = dict(kind.tree(key, spec))
                for interface in tree.get("ietf-interfaces:interfaces", {}).get("interface", []):
                    interface.setdefault("type", "iana-if-type:other")
                parsed = Router.model_validate(tree)
                assert dict(kind.want(parsed))[key] == spec
                assert kind.path(key).startswith(("/ietf-interfaces:", "/ietf-routing:"))
                assert Ref(kind.name, key) in {Ref(kind.name, k) for k in kind.want(parsed)}
