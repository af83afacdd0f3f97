"""What the kinds make of a router tree, and the border at which a tree that they cannot read is stopped."""

from collections.abc import Sequence

from tasuki_agent.intent import BrokenIntent, Intent
from tasuki_agent.kind import Kind
from tasuki_agent.known import Known
from tasuki_agent.reconcile.compare import Wanted


def wanted_by(kinds: Sequence[Kind], intent: Intent, known: Known) -> Wanted:
    """Every object that the intent asks for; what is asked of `known` on the way is recorded there.

    Raises:
        BrokenIntent: a kind cannot read the tree, though the models allow it. That is a fault of the kind;
            the router keeps to what it has, and its controller is told.
    """
    try:
        tree = intent.tree()
        return {kind.name: kind.want(tree, known) for kind in kinds}
    except Exception as error:
        raise BrokenIntent(f"revision {intent.revision} cannot be carried out: {error!r}") from error
