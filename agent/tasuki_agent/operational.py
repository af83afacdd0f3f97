"""The router tree as it is in use: <operational> of RFC 8342 for the objects that the agent knows."""

from collections.abc import Sequence

from tasuki_yang.edit import merge
from tasuki_yang.schema import ROUTER

from tasuki_agent.kind import Kind, Observed, Ref, Tree
from tasuki_agent.reconcile.compare import Wanted


def operational_tree(kinds: Sequence[Kind], wanted: Wanted, observed: Observed) -> Tree:
    """Everything observed that is ours, stands where the intent wants something, or carries one of these."""
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
    return fragments[0] if fragments else {}
