"""The router tree as it is in use: <operational> of RFC 8342 for the objects that the agent knows."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from tasuki_yang.edit import merge
from tasuki_yang.facts import Terms
from tasuki_yang.path import Lookup, parent
from tasuki_yang.schema import ROUTER

from tasuki_agent.kind import Key, Kind, Observed, Ref, Tree
from tasuki_agent.reconcile.compare import Wanted
from tasuki_agent.reconcile.facts import FactBook
from tasuki_agent.reconcile.status import State, Status

LEARNED: Final = {"ietf-origin:origin": "ietf-origin:learned"}
"""What RFC 8342 section 5.3.4 says of a value that nobody configured, as RFC 7952 writes it."""


def operational_tree(kinds: Sequence[Kind], wanted: Wanted, observed: Observed) -> Tree:
    """Everything observed that is ours, stands where the intent wants something, or carries one of these.

    Values that the intent has from facts bear their origin.
    """
    by_name = {kind.name: kind for kind in kinds}
    shown = {
        Ref(kind.name, key): spec
        for kind in kinds
        for key, spec in observed.get(kind.name, {}).items()
        if key in wanted.get(kind.name, {}) or kind.owns(key, spec, observed)
    }
    for ref, spec in list(shown.items()):
        for need in by_name[ref.kind].needs(ref.key, spec):
            if need.key in observed.get(need.kind, {}):
                shown.setdefault(need, observed[need.kind][need.key])
    # A wanted key knows where the intent has the object; the observed one can only give it a place by itself.
    places = {Ref(name, key): key for name, specs in wanted.items() for key in specs}
    fragments = [dict(by_name[ref.kind].tree(places.get(ref, ref.key), spec)) for ref, spec in shown.items()]
    # Pairwise, so that the cost stays near linear in the size of the tree.
    while len(fragments) > 1:
        fragments = [
            merge(ROUTER, fragments[i], fragments[i + 1]) if i + 1 < len(fragments) else fragments[i]
            for i in range(0, len(fragments), 2)
        ]
    tree = fragments[0] if fragments else {}
    # It is shown at its place in the intent, or under its own name if it has none there.
    keys = ((ref.kind, key) for ref in shown for key in (ref.key, places.get(ref, ref.key)))
    _mark(tree, (path for kind, key in keys for path in _learned(by_name[kind], key, wanted)))
    return tree


def with_state(
    tree: Tree,
    kinds: Sequence[Kind],
    statuses: Iterable[tuple[Ref, Status]],
    facts: FactBook,
    begin: float,
) -> Tree:
    """The tree with what is known of what the intent asks for, and with what still waits.

    Args:
        tree: of the objects.
        kinds: all kinds.
        statuses: of what is not as wanted.
        facts: what is known.
        begin: when the machine was started, in seconds since the epoch.
    """
    paths = {kind.name: kind.path for kind in kinds}
    waiting = [
        {
            "path": paths[ref.kind](ref.key),
            "on": status.message.removeprefix("waits for "),
            "since": _date_and_time(status.since),
        }
        for ref, status in statuses
        if status.state is State.WAITING
    ]
    known = [
        {
            "subject": fact.key.subject,
            "name": fact.key.noun,
            **({"value": list(fact.values)} if fact.values else {}),
            "since": _date_and_time(fact.since),
            **_terms({value: facts.terms_of(fact.key, value) for value in fact.values}, begin),
        }
        for fact in facts
    ]
    state = {name: entries for name, entries in (("fact", known), ("waiting", waiting)) if entries}
    return {**tree, "tasuki-agent:agent": state} if state else tree


def _learned(kind: Kind, key: Key, wanted: Wanted) -> Iterable[str]:
    """Where the object has values from facts: `""` among its learned fields stands for all of it."""
    spec = wanted.get(kind.name, {}).get(key)
    return [kind.path(key, name) for name in getattr(spec, "learned", ())]


def _mark(tree: Tree, paths: Iterable[str]) -> None:
    """Write the origin beside leaves and into entries of a tree that nobody else has yet."""
    lookup = Lookup(ROUTER, tree)
    for path in paths:
        value = lookup.get(path)
        if isinstance(value, dict):
            value["@"] = LEARNED
        elif value is not None:
            above: Any = lookup.get(parent(path))
            above["@" + path.rpartition("/")[2]] = LEARNED


def _terms(terms: Mapping[str, Terms], begin: float) -> Tree:
    """Where the values are from, and how long they hold."""
    entries = []
    for value, term in terms.items():
        ends = {
            "preferred-until": term.preferred_until,
            "valid-until": term.valid_until,
            "renew-at": term.renew_at,
            "rebind-at": term.rebind_at,
        }
        entry = {
            **({"origin": term.origin} if term.origin else {}),
            **{name: _date_and_time(begin + at) for name, at in ends.items() if at is not None},
        }
        entries += [{"value": value, **entry}] if entry else []
    return {"terms": entries} if entries else {}


def _date_and_time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
