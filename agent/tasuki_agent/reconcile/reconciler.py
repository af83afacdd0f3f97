"""The loop: events make kinds dirty, one tested `step` does everything else.

Two gates stand before the first change: an intent (an empty one is an intent, none is not) and a first
observation of
everything. A step without a difference changes nothing anywhere.
"""

import asyncio
import logging
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from tasuki_agent.errors import ApplyError, Transient
from tasuki_agent.intent import Intent
from tasuki_agent.kind import Create, Key, Kind, Observed, Ref, Spec, Waiting
from tasuki_agent.reconcile.compare import Class, Difference, Wanted, compare
from tasuki_agent.reconcile.drift import DriftBook
from tasuki_agent.reconcile.facts import MAX_QUESTIONS, FactBook
from tasuki_agent.reconcile.plan import Plan, Step, plan
from tasuki_agent.reconcile.status import Moment, State, StatusBoard
from tasuki_agent.reconcile.want import wanted_by

log = logging.getLogger(__name__)

MAX_PASSES = 8
"""Plans carried out in one step; what is not as wanted by then waits for its next try."""
MAX_REPEATS = 2
"""Changes of one object in one step that the kernel took without effect, before that counts as a failure."""


@dataclass(slots=True)
class Reconciler:
    """Brings the objects of all kinds to the intent, and keeps them there.

    Attributes:
        kinds: all kinds, each after those that it follows.
        clock: seconds since the epoch, for what is reported. It may be set.
        uptime: seconds of a clock that nobody sets, for what is due.
        facts: what is known of what the intent asks for.
        full_interval: seconds between observations of everything.
        on_change: called after every step that changed what there is to report.
        on_applied: called when all of an intent is seen to be so, with the intent.
        applied: the last intent that was met.
        trouble: why the last step failed for no fault of the kernel; empty if it did not.
        judged: the intent that the objects' statuses speak of: the last one that was carried out as far as
            it could be.
    """

    kinds: Sequence[Kind]
    clock: Callable[[], float]
    uptime: Callable[[], float]
    full_interval: float = 60.0
    on_change: Callable[[], None] = lambda: None
    on_applied: Callable[[Intent], None] = lambda _: None
    facts: FactBook = field(default_factory=FactBook)
    board: StatusBoard = field(default_factory=StatusBoard)
    drift: DriftBook = field(default_factory=DriftBook)
    intent: Intent | None = None
    judged: Intent | None = None
    applied_revision: int = 0
    wanted: Wanted = field(default_factory=dict)
    observed: dict[str, dict[Key, Spec]] = field(default_factory=dict)
    observed_at: dict[str, float] = field(default_factory=dict)
    applied: Intent | None = None
    trouble: str = ""
    _looked_at: dict[str, float] = field(default_factory=dict)
    """Uptime of each kind's last observation."""
    _repaired: set[Ref] = field(default_factory=set)
    """Objects that were changed, until it is seen what became of them."""
    _complained: dict[Ref, str] = field(default_factory=dict)
    """The last error of each object that was logged, until the object is as wanted."""
    _dirty: set[str] = field(default_factory=set)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _failures: int = 0
    _unfollowed: bool = False
    """Whether what is wanted could not be made of what is known now: a kind has a fault."""

    def resume(self, intent: Intent, applied: Intent | None) -> None:
        """Take up what an earlier run left: the newest intent, and the one that had been met.

        Raises:
            BrokenIntent: as `set_intent`.
        """
        if applied is not None:
            self.applied = applied
            self.applied_revision = applied.revision
            settled = wanted_by(self.kinds, applied, self.facts.known())
            self.drift.settled = {
                name: {key: spec for key, spec in specs.items() if not isinstance(spec, Waiting)}
                for name, specs in settled.items()
            }
        self.set_intent(intent)

    def set_intent(self, intent: Intent) -> None:
        """Reconcile toward this intent from now on.

        Raises:
            BrokenIntent: a kind cannot read it. Nothing has changed.
        """
        known = self.facts.known()
        self.wanted = wanted_by(self.kinds, intent, known)
        self.facts.ask(known)
        self.intent = intent
        self.board.retry_all()
        self.mark_dirty(kind.name for kind in self.kinds)

    def mark_dirty(self, kinds: Iterable[str]) -> None:
        """Have these kinds observed soon."""
        self._dirty.update(kinds)
        self._wake.set()

    @property
    def evidence_at(self) -> float | None:
        """When the oldest part of what is known was observed; None before the first full observation."""
        if len(self.observed_at) < len(self.kinds):
            return None
        return min(self.observed_at.values(), default=None)

    @property
    def object_count(self) -> int:
        """Number of wanted objects."""
        return sum(len(specs) for specs in self.wanted.values())

    def wants(self, ref: Ref) -> bool:
        """Whether the intent asks for the object."""
        return ref.key in self.wanted.get(ref.kind, {})

    @property
    def _now(self) -> Moment:
        return Moment(self.clock(), self.uptime())

    async def observe_all(self) -> None:
        """Look at everything now, for somebody who asks; what differs is mended by the next step.

        Raises:
            Transient: the kernel did not answer in full.
        """
        everything = {kind.name for kind in self.kinds}
        await self._observe(everything)
        self.mark_dirty(everything)

    async def run(self) -> None:
        """Step whenever something is dirty or due, for ever."""
        while True:
            self._wake.clear()
            try:
                await self.step()
                self._failures = 0
                self.trouble = ""
            except Transient as error:
                # Nothing is known of the kernel now, so nothing may be concluded or changed.
                self._failures += 1
                log.warning("cannot observe: %s", error)
            except Exception as error:
                # An agent that is there can be given another intent; one that ends at each start cannot.
                self._failures += 1
                self.trouble = f"cannot carry the intent out: {error!r}; the agent's log has more"
                log.exception("a step failed; it is tried again")
                self.on_change()
            try:
                async with asyncio.timeout(self._seconds_to_next()):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def step(self) -> None:
        """Observe what is dirty or due, mend what differs, see that it is mended."""
        intent = self.intent
        if intent is None:
            return
        wanted = self.wanted
        await self._observe(self._due())
        repeats: dict[Ref, int] = {}
        for _ in range(MAX_PASSES):
            if self.intent is intent:
                wanted = self._learn(intent)
            differences = self._account(wanted)
            todo = plan(self.kinds, differences, wanted, self.observed, self._held(differences, repeats))
            self._note(differences, todo)
            if not todo.levels or self.intent is not intent:
                break
            changed = await self._carry_out(todo)
            self._repaired |= changed
            self._retry_users(changed, wanted)
            for ref in changed:
                repeats[ref] = repeats.get(ref, 0) + 1
            await self._observe(self._touched(todo))
        else:
            differences = self._account(wanted)
            self._note(
                differences, plan(self.kinds, differences, wanted, self.observed, self._held(differences, {}))
            )
        if self.intent is intent:
            self._conclude(intent, wanted, differences)
        self.on_change()

    def _learn(self, intent: Intent) -> Wanted:
        """Have what is wanted follow what is known now.

        One fact may ask for the next, such as the addresses of a name that a lease tells.
        """
        for _ in range(MAX_QUESTIONS):
            for fact in self.facts.learn(self._imminent(), self.clock()):
                log.info("%s is %s", fact.key, ", ".join(fact.values) or "not known any more")
            if not (self.facts.moved or self.facts.retimed or self._unfollowed):
                break
            known = self.facts.known()
            self._unfollowed = True
            self.wanted = wanted_by(self.kinds, intent, known)
            self._unfollowed = False
            self.facts.ask(known)
            if self.facts.moved:
                self.board.retry_all()
        return self.wanted

    def _imminent(self) -> Observed:
        """What is observed, and what the next plan makes that is of use at once.

        So a tunnel moves to a new address in the very plan that makes it, before the old one goes.
        """
        if not self.facts.asked:
            return self.observed
        imminent: dict[str, Mapping[Key, Spec]] = {}
        for kind in self.kinds:
            seen = self.observed.get(kind.name, {})
            made = {
                key: spec
                for key, spec in self.wanted.get(kind.name, {}).items()
                if getattr(spec, "at_once", False)
                and key not in seen
                and self.board.state(Ref(kind.name, key)) is not State.FAILED
                and all(self._is_met(need) for need in kind.needs(key, spec))
            }
            imminent[kind.name] = {**seen, **made} if made else seen
        return imminent

    def _is_met(self, need: Ref) -> bool:
        seen = self.observed.get(need.kind, {}).get(need.key)
        return seen is not None and need.met_by(seen)

    def _account(self, wanted: Wanted) -> list[Difference]:
        differences = compare(self.kinds, wanted, self.observed, self.drift.settled)
        self.drift.see(differences, {kind.name: kind for kind in self.kinds}, self._repaired, self.clock())
        self.drift.excuse(differences)
        return differences

    def _due(self) -> set[str]:
        """Kinds that an event made dirty, those not looked at for `full_interval`, and all that these follow.

        A link that is being deleted takes its addresses and routes with it, and is gone last. Looking at
        those alone would have them made anew on a link that is about to go.
        """
        now = self.uptime()
        due = set(self._dirty)
        for kind in reversed(self.kinds):
            if now - self._looked_at.get(kind.name, -math.inf) >= self.full_interval:
                due.add(kind.name)
            if kind.name in due:
                due.update(kind.follows)
        return due

    async def _observe(self, names: set[str]) -> None:
        kinds = [kind for kind in self.kinds if kind.name in names]
        self._dirty -= names  # what happens from here on makes them dirty again
        started = self._now
        try:
            results = await asyncio.gather(*(kind.observe() for kind in kinds))
        except Transient:
            self._dirty |= names
            raise
        for kind, specs in zip(kinds, results, strict=True):
            self.observed[kind.name] = dict(specs)
            self.observed_at[kind.name] = started.time
            self._looked_at[kind.name] = started.uptime

    def _held(self, differences: Iterable[Difference], repeats: dict[Ref, int]) -> frozenset[Ref]:
        """Objects to leave alone for now; changes without effect are failures from here on."""
        now = self._now
        for difference in differences:
            ref = difference.ref
            if repeats.get(ref, 0) >= MAX_REPEATS and difference.class_ is not Class.SETTLING:
                what = f" in {', '.join(difference.fields)}" if difference.fields else ""
                error = Transient(f"{ref}: the kernel accepted the change, and it still differs{what}")
                self.board.failed(ref, error, now)
        return self.board.held(now)

    def _note(self, differences: Sequence[Difference], todo: Plan) -> None:
        """Bring the status of every object in line with what differs and what is planned."""
        now = self._now
        self.board.keep_only({difference.ref for difference in differences} | todo.waiting.keys(), now)
        for difference in differences:
            if difference.class_ is Class.FOREIGN:
                self.board.foreign(difference.ref, now)
            elif difference.class_ is Class.SETTLING:
                self.board.settling(difference.ref, difference.observed.settling, now)  # type: ignore[union-attr]
        for level in todo.levels:
            for step in level:
                self.board.pending(step.ref, now)
        for ref, need in todo.waiting.items():
            if isinstance(need, Waiting) and need.impossible:
                self.board.impossible(ref, need, now)
            else:
                self.board.waiting(ref, need, now)
        self.drift.follow(self.board)

    async def _carry_out(self, todo: Plan) -> set[Ref]:
        """Make the plan's changes. Returns the objects that were changed."""
        by_name = {kind.name: kind for kind in self.kinds}
        failed: set[Ref] = set()
        changed: set[Ref] = set()
        for level in todo.levels:
            steps = [step for step in level if not failed.intersection(step.needs)]
            failed.update(step.ref for step in level if failed.intersection(step.needs))
            self.drift.overtake((step.ref, step.change) for step in steps)
            # All are under way before the first one is awaited: the kernel layer sends them together.
            under_way = [asyncio.ensure_future(by_name[step.ref.kind].apply(step.change)) for step in steps]
            for step, outcome in zip(steps, under_way, strict=True):
                try:
                    await outcome
                except ApplyError as error:
                    failed.add(step.ref)
                    self._failed(step, error)
                else:
                    changed.add(step.ref)
        return changed

    def _failed(self, step: Step, error: ApplyError) -> None:
        if self._complained.get(step.ref) != str(error):  # once an error, not once a try
            self._complained[step.ref] = str(error)
            log.warning("%s", error)
        self.board.failed(step.ref, error, self._now)

    def _retry_users(self, changed: set[Ref], wanted: Wanted) -> None:
        """What was refused because something that it needs was on its way out need not wait any longer."""
        by_name = {kind.name: kind for kind in self.kinds}
        for ref in self.board.held(self._now):
            spec = wanted[ref.kind].get(ref.key)
            if spec is None or isinstance(spec, Waiting):
                continue
            if not changed.isdisjoint(by_name[ref.kind].needs(ref.key, spec)):
                self.board.retry(ref)

    def _touched(self, todo: Plan) -> set[str]:
        """Kinds that the plan may have changed.

        With an object that goes, or that is only switched off, the kernel takes away what depends on it.
        """
        touched = {step.ref.kind for level in todo.levels for step in level}
        if any(not isinstance(step.change, Create) for level in todo.levels for step in level):
            for kind in self.kinds:
                if touched.intersection(kind.follows):
                    touched.add(kind.name)
        return touched

    def _conclude(self, intent: Intent, wanted: Wanted, differences: Sequence[Difference]) -> None:
        self.judged = intent
        now = self._now
        differing = {each.ref for each in differences if each.class_ is not Class.SETTLING}
        for ref in self._repaired - differing:
            settled = self.drift.settled.get(ref.kind, {}).get(ref.key)
            if settled is not None and settled == wanted.get(ref.kind, {}).get(ref.key):
                self.board.repaired(ref, now)
        self._repaired.clear()
        self._complained = {ref: text for ref, text in self._complained.items() if ref in differing}
        self.drift.settle(wanted, differences)
        self.drift.follow(self.board)
        counts = self.board.count()
        if counts[State.PENDING] or counts[State.FAILED] or counts[State.FOREIGN]:
            return
        self.applied_revision = intent.revision
        if self.applied is not intent and (
            self.applied is None
            or (self.applied.revision, self.applied.text) != (intent.revision, intent.text)
        ):
            self.on_applied(intent)
        self.applied = intent

    def _seconds_to_next(self) -> float:
        """Seconds until something falls due by itself."""
        if self.intent is None:
            return self.full_interval
        now = self._now
        due = [self._looked_at.get(kind.name, now.uptime) + self.full_interval for kind in self.kinds]
        if self._failures:
            due.append(now.uptime + min(2.0**self._failures, self.full_interval))
        if (retry := self.board.next_try(now)) is not None:
            due.append(retry)
        return max(0.0, min(due, default=now.uptime + self.full_interval) - now.uptime)
