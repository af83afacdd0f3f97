"""From running to intended (RFC 8342 section 5.1.4): what each router shall be.

Services contribute, and what was written directly joins in. Pure; total once the configuration is valid,
whatever the routers tell.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from tasuki_yang.errors import ConfigError, InvalidIntent
from tasuki_yang.schema import ROUTER
from tasuki_yang.tree import Tree

from tasuki_controller.known import KnownFacts
from tasuki_controller.merge import Part, merge
from tasuki_controller.reading import Reading, read
from tasuki_controller.running import Running
from tasuki_controller.services import Service, services


def compile_running(running: Running, known: KnownFacts | None = None) -> Mapping[str, Tree]:
    """The intended tree of each router, and under "SPLIT/NUMBER" that of each unmanaged subscriber.

    Raises:
        InvalidIntent: sources contradict one another, which `transaction.prepare` does not let happen.
    """
    reading = read(running)
    contributors = services(reading.network, reading.written, known or KnownFacts())
    intended, conflicts = compile_reading(running, reading, contributors)
    if conflicts:
        raise InvalidIntent(conflicts)
    return intended


def compile_reading(
    running: Running, reading: Reading, contributors: Iterable[Service]
) -> tuple[Mapping[str, Tree], list[ConfigError]]:
    """The intended trees without what contradicts an earlier source, and these contradictions."""
    parts: dict[str, list[Part]] = {router.name: [] for router in reading.network.network.router}
    for name, tree in running.routers.items():
        parts.setdefault(name, []).append(Part(tree, f"the written configuration of router {name}"))
    for service in contributors:
        for contribution in service.compile():
            part = Part(contribution.tree, contribution.source)
            parts.setdefault(contribution.target, []).append(part)
    merged = {name: merge(ROUTER, group) for name, group in parts.items()}
    conflicts = [replace(one, router=name) for name, (_, found) in merged.items() for one in found]
    return {name: tree for name, (tree, _) in merged.items()}, conflicts
