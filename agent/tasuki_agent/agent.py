"""One router's agent: kernel, reconciler, state directory and the link to the controller, put together."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import NoReturn

from tasuki_proto.channel import Target, TlsFiles

from tasuki_agent import kinds
from tasuki_agent.controller_link import ControllerLink
from tasuki_agent.custody import Custody
from tasuki_agent.errors import Transient
from tasuki_agent.facts import Sources
from tasuki_agent.intent import Intent
from tasuki_agent.kernel import Kernel
from tasuki_agent.kind import Kind, Tree, Watcher
from tasuki_agent.reconcile.facts import KnownFact
from tasuki_agent.reconcile.reconciler import Reconciler
from tasuki_agent.state import StateDir

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Agent:
    """What an agent is started with."""

    router: str
    controller: Target
    tls: TlsFiles | None
    state: StateDir
    clock: Callable[[], float]
    uptime: Callable[[], float]
    observe_interval: float

    async def run(self) -> NoReturn:
        """Keep the router as its intent says, for ever.

        Raises:
            Permanent: the kernel is too old.
        """
        async with Kernel(self.state.path) as kernel:
            reconciler = Reconciler(
                kinds.load(kernel),
                self.clock,
                self.uptime,
                self.observe_interval,
                on_applied=lambda intent: self._applied(intent, kernel.world),
            )
            sources = Sources.load(self.state.path)
            reconciler.facts.sources, reconciler.facts.peek = sources.learn, sources.look
            reconciler.facts.doubts, reconciler.facts.terms = sources.doubts, sources.terms
            reconciler.facts.restore(self.state.load_facts())
            recorder = _Recorder(self.state, reconciler)
            custody = Custody(self.state, reconciler, self.clock, self.uptime, kernel.world)
            link = ControllerLink(
                router=self.router,
                version=version("tasuki"),
                target=self.controller,
                tls=self.tls,
                reconciler=reconciler,
                custody=custody,
                drift_stored=recorder.record,
                operational=lambda: _operational(reconciler),
            )

            def changed() -> None:
                custody.stepped()
                recorder.record()
                link.notify()

            reconciler.on_change = changed
            custody.on_revert = link.notify
            reconciler.drift.restore(self.state.load_drift())
            custody.resume()
            log.info("agent of router %s started", self.router)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(_follow(kernel, reconciler, link), name="monitor")
                tasks.create_task(reconciler.run(), name="reconciler")
                tasks.create_task(link.run(), name="link to the controller")
                tasks.create_task(custody.run(), name="trial and guard")
                for kind in reconciler.kinds:
                    if isinstance(kind, Watcher):
                        tasks.create_task(_watch(kind, reconciler), name=f"watch of {kind.name}")
                for source in sources:
                    tasks.create_task(source.run(lambda: reconciler.mark_dirty(())), name="facts")
        raise AssertionError("the tasks of an agent never end by themselves")

    def _applied(self, intent: Intent, world: str) -> None:
        try:
            self.state.save_applied(intent, world)
        except OSError as error:
            log.warning("cannot keep on the disk that revision %d is applied: %s", intent.revision, error)
        log.info("revision %d is applied", intent.revision)


@dataclass(slots=True)
class _Recorder:
    """Writes the drift that the controller has not stored, and the facts, when they have changed."""

    state: StateDir
    reconciler: Reconciler
    _written: list[int] | None = None
    _lost: int = 0
    _facts: list[KnownFact] = field(init=False)

    def __post_init__(self) -> None:
        """What was restored is on the disk already."""
        self._facts = self.reconciler.facts.last()

    def record(self) -> None:
        self._record_facts()
        self._record_drift()

    def _record_facts(self) -> None:
        facts = self.reconciler.facts.last()
        if facts == self._facts:
            return
        try:
            self.state.save_facts(facts)
        except OSError as error:
            log.warning("cannot keep facts on the disk: %s", error)
        else:
            self._facts = facts

    def _record_drift(self) -> None:
        if (lost := self.reconciler.drift.lost) > self._lost:
            log.warning("%d drift items were too many to keep and are lost", lost - self._lost)
            self._lost = lost
        pending = list(self.reconciler.drift.unacknowledged())
        sequences = [sequence for sequence, _ in pending]
        if sequences == (self._written or []):
            return
        try:
            self.state.save_drift(item for _, item in pending)
        except OSError as error:
            # The router is kept right with a full disk too; the next step tries again.
            log.warning("cannot keep drift on the disk: %s", error)
        else:
            self._written = sequences


async def _follow(kernel: Kernel, reconciler: Reconciler, link: ControllerLink) -> None:
    """Make kinds dirty by what the kernel's monitor says."""
    async for names in kernel.events({kind.name: kind.wakes_on for kind in reconciler.kinds}):
        reconciler.mark_dirty(names)
        if "address" in names:
            link.addresses_changed()


async def _watch(kind: Kind, reconciler: Reconciler) -> None:
    """Make a kind dirty by what it finds out itself."""
    if isinstance(kind, Watcher):
        await kind.watch(lambda: reconciler.mark_dirty((kind.name,)))


async def _operational(reconciler: Reconciler) -> Tree:
    """The operational tree by a fresh observation, or by the last one if the kernel does not answer."""
    # A router that nobody looks at need not hold the models' schema in memory.
    from tasuki_agent.operational import operational_tree, with_state  # noqa: PLC0415

    try:
        await reconciler.observe_all()
    except Transient as error:
        log.warning("cannot observe: %s", error)
    tree = operational_tree(reconciler.kinds, reconciler.wanted, reconciler.observed)
    begin = reconciler.clock() - reconciler.uptime()
    return with_state(tree, reconciler.kinds, reconciler.board, reconciler.facts, begin)
