"""Each `*.yaml` here is one case: a network and a router's kernel in, the agent's changes and report out.

Nothing runs but pure code: the controller's compilation, every kind's model, and the reconciler's plan and
drift. `kernel` says what is there before: nothing, or all as intended, with `broken` lines on top:

    gone KIND KEY                 the object is not there
    changed KIND KEY FIELD=VALUE  a field has another value
    theirs KIND KEY               the object is somebody else's
    left from NETWORK             nothing of this network's intent has been removed yet (a name in `networks`)

`facts` says what is known, by router, and `facts_before` what was when the kernel was as intended; without it
nothing has changed since. What a router knows of itself its agent goes by, and the controller of the others.
An interface has the addresses that are told of it. `terms` and `terms_before` say of values of the case's
router until when they are preferred, and until when valid, in seconds of uptime: "FACT VALUE: [10, 20]".
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest
import yaml
from tasuki_agent import kinds
from tasuki_agent.kernel.marks import COMMENT, GROUP
from tasuki_agent.kind import Kind, Ref, Waiting
from tasuki_agent.kinds.address.model import Address, AddressKey
from tasuki_agent.kinds.link.linktypes import OtherLink
from tasuki_agent.known import Known
from tasuki_agent.reconcile.compare import compare
from tasuki_agent.reconcile.drift import DriftBook
from tasuki_agent.reconcile.plan import Plan, Step, plan
from tasuki_controller.compile import compile_running
from tasuki_controller.known import KnownFacts
from tasuki_controller.running import Running
from tasuki_yang.facts import AllTerms, FactKey, Facts, Terms, parse_key, parse_values
from tasuki_yang.router import Router

FOLDER = Path(__file__).parent
FILES = sorted(FOLDER.glob("*.yaml"))
MARKS = {"group": GROUP, "comment": COMMENT}
FOREIGN = {"group": 0, "protocol": 4}
"""Evidence that an object is not ours: no device group, protocol static."""

AllFacts = Mapping[str, Facts]
"""By router."""
Objects = dict[str, dict[Any, Any]]


@dataclass
class Case:
    """A router's intent and kernel."""

    kinds: tuple[Kind, ...]
    wanted: Objects
    settled: Objects
    """What was as intended before."""
    observed: Objects

    def find(self, kind: str, key: str) -> Any:
        found = [k for k in {**self.wanted[kind], **self.observed[kind]} if str(k) == key]
        assert found, f"no {kind} {key}; there are {sorted(map(str, self.wanted[kind]))}"
        return found[0]


def intent_of(
    document: dict[str, Any], router: str, facts: AllFacts, terms: AllTerms | None = None
) -> Objects:
    tree = compile_running(Running(document, {}), KnownFacts(facts))[router]
    parsed = Router.model_validate(tree)
    known = own(facts, router, terms)
    return {kind.name: marked(kind.want(parsed, known)) for kind in all_kinds()}


def own(facts: AllFacts, router: str, terms: AllTerms | None = None) -> Known:
    """What a router knows, which has the addresses that are told of it."""
    here = facts.get(router, {})
    addresses = {FactKey(ip, "local-address"): (ip,) for ip in addresses_of(here).values()}
    return Known({**here, **addresses}, terms)


def addresses_of(facts: Facts) -> dict[str, str]:
    """By interface."""
    return {key.subject: values[0] for key, values in facts.items() if key.noun == "global-address"}


def marked(specs: Any) -> dict[Any, Any]:
    """Wanted specs as they are observed after they were made."""
    return {
        key: replace(spec, **{mark: value for mark, value in MARKS.items() if hasattr(spec, mark)})
        for key, spec in specs.items()
    }


def made(objects: Objects) -> Objects:
    """Without what waits."""
    return {
        kind: {key: spec for key, spec in specs.items() if not isinstance(spec, Waiting)}
        for kind, specs in objects.items()
    }


def facts_of(text: dict[str, Any]) -> AllFacts:
    facts: dict[str, dict[FactKey, tuple[str, ...]]] = {}
    for router, told in text.items():
        for name, values in told.items():
            key = parse_key(name)
            facts.setdefault(router, {})[key] = parse_values(key, tuple(str(values).split(", ")))
    return facts


def terms_of(text: dict[str, list[float]]) -> AllTerms:
    terms = {}
    for place, (preferred_until, valid_until) in text.items():
        name, value = place.split()
        terms[parse_key(name), value] = Terms("", preferred_until, valid_until)
    return terms


def all_kinds() -> tuple[Kind, ...]:
    """The kinds' pure halves: the kernel behind them is never asked."""
    return kinds.load(MagicMock())


def read(file: Path) -> tuple[dict[str, Any], Case]:
    text = yaml.safe_load(file.read_text())
    facts = facts_of(text.get("facts", {}))
    before = facts_of(text["facts_before"]) if "facts_before" in text else facts
    terms = terms_of(text.get("terms", {}))
    terms_before = terms_of(text["terms_before"]) if "terms_before" in text else terms
    wanted = intent_of(text["network"], text["router"], facts, terms)
    settled = made(intent_of(text["network"], text["router"], before, terms_before))
    is_there = text["kernel"] == "as intended"
    observed: Objects = {kind: dict(specs) if is_there else {} for kind, specs in settled.items()}
    for name in text.get("interfaces", []):
        observed["link"][name] = OtherLink("veth", up=True, mtu=1500)
    for name, ip in addresses_of(facts.get(text["router"], {})).items():
        observed["address"][AddressKey(name, ip)] = Address(64, protocol=0)
    case = Case(all_kinds(), wanted, settled, observed)
    for line in text.get("broken", []):
        do_break(case, line, text)
    return text, case


def do_break(case: Case, line: str, text: dict[str, Any]) -> None:
    verb, kind, rest = line.split(" ", 2)
    if verb == "left":
        for name, specs in made(intent_of(text["networks"][rest], text["router"], {})).items():
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


def waiting_in(planned: Plan) -> dict[str, str]:
    """What is waited for, without what people can do about it."""
    return {
        str(ref): need.on if isinstance(need, Waiting) else str(need)
        for ref, need in planned.waiting.items()
        if not is_impossible(need)
    }


def failed_in(planned: Plan) -> dict[str, str]:
    """What cannot be made of what is known, and why."""
    return {str(ref): str(need) for ref, need in planned.waiting.items() if is_impossible(need)}


def is_impossible(need: Ref | Waiting) -> bool:
    return isinstance(need, Waiting) and need.impossible


def changes(planned: Plan) -> list[list[str]]:
    return [sorted(in_words(step) for step in level) for level in planned.levels]


@pytest.mark.parametrize("file", FILES, ids=[file.stem for file in FILES])
def test_scenario(file: Path) -> None:
    text, case = read(file)
    expected = text["expect"]
    differences = compare(case.kinds, case.wanted, case.observed, case.settled)
    planned = plan(case.kinds, differences, case.wanted, case.observed)
    assert changes(planned) == [sorted(level) for level in expected.get("changes", [])]
    assert waiting_in(planned) == expected.get("waiting", {})
    assert failed_in(planned) == expected.get("failed", {})
    foreign = sorted(str(d.ref) for d in differences if d.class_.value == "foreign")
    assert foreign == sorted(expected.get("foreign", []))
    if text["kernel"] == "as intended":
        assert drift_of(case, differences) == sorted(expected.get("drift", []))


def drift_of(case: Case, differences: Any) -> list[str]:
    """What would be reported, had all been as intended before."""
    book = DriftBook(settled=case.settled)
    book.see(differences, {kind.name: kind for kind in case.kinds}, set(), now=0.0)
    return sorted(f"{item.class_.value} {item.path}" for _, item in book.unacknowledged())


def test_every_object_of_every_scenario_has_a_place_in_the_tree_and_back() -> None:
    """`tree` is the inverse of `want`, but for an interface's type, and for when an address is over."""
    for file in FILES:
        text, case = read(file)
        known = own(facts_of(text.get("facts", {})), text["router"])
        for kind in case.kinds:
            for key, spec in made(case.wanted)[kind.name].items():
                tree = dict(kind.tree(key, spec))
                for interface in tree.get("ietf-interfaces:interfaces", {}).get("interface", []):
                    interface.setdefault("type", "iana-if-type:other")
                parsed = Router.model_validate(tree)
                endless = replace(spec, lifetimes=None) if isinstance(spec, Address) else spec
                assert dict(kind.want(parsed, known))[key] == endless
                assert kind.path(key).startswith(("/ietf-interfaces:", "/ietf-routing:"))
                assert Ref(kind.name, key) in {Ref(kind.name, k) for k in kind.want(parsed, known)}
