"""What the router would do with an intent, without doing it: the first phase of a commit, and the dry run.

The same computation as the reconciler's, on an observation of its own.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tasuki_yang.facts import Facts

from tasuki_agent.intent import Intent
from tasuki_agent.kind import Checker, Create, Delete, Kind, Observed, Ref, Update, Waiting, differences
from tasuki_agent.known import Known
from tasuki_agent.reconcile.compare import Class, Wanted, compare
from tasuki_agent.reconcile.drift import text
from tasuki_agent.reconcile.facts import MAX_QUESTIONS, FactBook
from tasuki_agent.reconcile.plan import Plan, Step, plan
from tasuki_agent.reconcile.want import wanted_by


@dataclass(frozen=True, slots=True)
class Preparation:
    """What would happen."""

    plan: Sequence[str]
    """The changes in order, such as "create link vxlan01"."""
    waiting: Sequence[str]
    """Objects that would not be there at once, and why."""


async def prepare(
    kinds: Sequence[Kind], intent: Intent, facts: FactBook, suppose: Facts | None = None
) -> Preparation:
    """Plan what brings the router to this intent.

    Args:
        kinds: all kinds.
        intent: what the router would be.
        facts: what is known.
        suppose: what to take for known instead.

    Raises:
        BrokenIntent: a kind cannot read it.
        Transient: the kernel did not answer in full, or a program that would make a change refuses it.
    """
    results = await asyncio.gather(*(kind.observe() for kind in kinds))
    observed = {kind.name: specs for kind, specs in zip(kinds, results, strict=True)}
    wanted = _wanted(kinds, intent, facts, suppose or {}, observed)
    found = compare(kinds, wanted, observed)
    todo = plan(kinds, found, wanted, observed)
    await _check(kinds, todo)
    changes = [_in_words(step) for level in todo.levels for step in level]
    waiting = [f"{ref} {_in_vain(need)} {need}" for ref, need in todo.waiting.items()]
    foreign = (difference.ref for difference in found if difference.class_ is Class.FOREIGN)
    return Preparation(
        changes, [*waiting, *(f"{ref} is somebody else's: it is left alone" for ref in foreign)]
    )


async def _check(kinds: Sequence[Kind], todo: Plan) -> None:
    """Ask whoever can tell beforehand whether the changes would be taken."""
    checkers = {kind.name: kind for kind in kinds if isinstance(kind, Checker)}
    steps = (step for level in todo.levels for step in level if step.ref.kind in checkers)
    await asyncio.gather(*(checkers[step.ref.kind].check(step.change) for step in steps))


def _in_vain(need: Ref | Waiting) -> str:
    """How an object stands to what it waits for, as its status says it."""
    return "cannot be made of" if isinstance(need, Waiting) and need.impossible else "waits for"


def _in_words(step: Step) -> str:
    """Such as "create link vxlan01" and "change link ip6tnl1 (local 2001:db8::1 → 2001:db8::2)"."""
    match step.change:
        case Create():
            return f"create {step.ref}"
        case Delete():
            return f"delete {step.ref}"
        case Update(_, observed, spec):
            details = (
                f"{name} {text(seen) or 'none'} → {text(value) or 'none'}"
                for name, (value, seen) in differences(spec, observed).items()
            )
            return f"change {step.ref} ({', '.join(details)})"


def _wanted(
    kinds: Sequence[Kind], intent: Intent, facts: FactBook, suppose: Facts, observed: Observed
) -> Wanted:
    """What would be wanted, with what is known once the plan is carried out."""
    found = dict(suppose)
    for _ in range(MAX_QUESTIONS):
        known = Known(found, facts.terms())
        wanted = wanted_by(kinds, intent, known)
        before, found = (
            found,
            {**facts.look(known.asked | known.noted, _afterwards(observed, wanted)), **suppose},
        )
        if found == before:
            break
    return wanted


def _afterwards(observed: Observed, wanted: Wanted) -> Observed:
    """What would be observed then: above all the addresses that the plan itself makes."""
    after: dict[str, Mapping[object, object]] = {}
    for name, specs in observed.items():
        made = {key: spec for key, spec in wanted[name].items() if not isinstance(spec, Waiting)}
        after[name] = {**specs, **made}
    return after
