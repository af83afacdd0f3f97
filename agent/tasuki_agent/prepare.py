"""What the router would do with an intent, without doing it: the first phase of a commit, and the dry run.

The same computation as the reconciler's, on an observation of its own.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from tasuki_agent.intent import Intent
from tasuki_agent.kind import Change, Create, Delete, Kind, Update
from tasuki_agent.reconcile.compare import Class, compare
from tasuki_agent.reconcile.plan import plan
from tasuki_agent.reconcile.want import wanted_by


@dataclass(frozen=True, slots=True)
class Preparation:
    """What would happen."""

    plan: Sequence[str]
    """The changes in order, such as "create link vxlan01"."""
    waiting: Sequence[str]
    """Objects that would not be there at once, and why."""


async def prepare(kinds: Sequence[Kind], intent: Intent) -> Preparation:
    """Plan what brings the router to this intent.

    Raises:
        BrokenIntent: a kind cannot read it.
        Transient: the kernel did not answer in full.
    """
    wanted = wanted_by(kinds, intent)
    results = await asyncio.gather(*(kind.observe() for kind in kinds))
    observed = {kind.name: specs for kind, specs in zip(kinds, results, strict=True)}
    differences = compare(kinds, wanted, observed)
    todo = plan(kinds, differences, wanted, observed)
    changes = [f"{_verb(step.change)} {step.ref}" for level in todo.levels for step in level]
    waiting = [f"{ref} waits for {need}" for ref, need in todo.waiting.items()]
    foreign = (difference.ref for difference in differences if difference.class_ is Class.FOREIGN)
    return Preparation(
        changes, [*waiting, *(f"{ref} is somebody else's: it is left alone" for ref in foreign)]
    )


def _verb(change: Change) -> str:
    match change:
        case Create():
            return "create"
        case Update():
            return "change"
        case Delete():
            return "delete"
