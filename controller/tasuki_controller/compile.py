"""From running to intended (RFC 8342 section 5.1.4): what each router shall be.

Services contribute, and what was written directly joins in. Pure; total once the configuration is valid.
"""

from collections.abc import Mapping

from tasuki_yang.errors import ConfigError, InvalidIntent
from tasuki_yang.schema import ROUTER
from tasuki_yang.tree import Tree

from tasuki_controller.merge import Merge
from tasuki_controller.reading import Reading, read
from tasuki_controller.running import Running
from tasuki_controller.services import services


def compile_running(running: Running) -> Mapping[str, Tree]:
    """The intended tree of each router, and under "SPLIT/NUMBER" that of each unmanaged subscriber.

    Raises:
        InvalidIntent: sources contradict one another, which `transaction.prepare` does not let happen.
    """
    intended, conflicts = compile_reading(running, read(running))
    if conflicts:
        raise InvalidIntent(conflicts)
    return intended


def compile_reading(running: Running, reading: Reading) -> tuple[Mapping[str, Tree], list[ConfigError]]:
    """The intended trees without what contradicts an earlier source, and these contradictions."""
    merges = {router.name: Merge(ROUTER, router.name) for router in reading.network.network.router}
    for name, tree in running.routers.items():
        _merge(merges, name).add(tree, f"the written configuration of router {name}")
    for service in services():
        for part in service.compile(reading.network, reading.written):
            _merge(merges, part.target).add(part.tree, part.source)
    conflicts = [conflict for merge in merges.values() for conflict in merge.conflicts]
    return {name: merge.tree() for name, merge in merges.items()}, conflicts


def _merge(merges: dict[str, Merge], target: str) -> Merge:
    """The merge of a target; targets that are no routers of the network come up here."""
    if target not in merges:
        merges[target] = Merge(ROUTER, target)
    return merges[target]
