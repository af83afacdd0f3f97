"""How revisions are written down, and read again.

The store keeps bytes; here they are RFC 7951 JSON. A revision without a document of its own is an earlier
document and the changes since, which `tasuki_yang.diff` guarantees to be the same.
"""

import json
from collections.abc import Sequence

from tasuki_yang.diff import Change, Op, patch
from tasuki_yang.schema import NETWORK, ROUTER

from tasuki_controller.document import text_of
from tasuki_controller.running import Running
from tasuki_controller.store import StoredRevision
from tasuki_controller.transaction import RoutedChange


def document_of(running: Running) -> bytes:
    """All of running."""
    return text_of([running.network, dict(running.routers)])


def changes_of(changes: Sequence[RoutedChange]) -> bytes:
    """The changes that lead to a revision."""
    return text_of([(c.router, c.change.op, c.change.path, c.change.old, c.change.new) for c in changes])


def read_changes(text: bytes) -> list[RoutedChange]:
    """What `changes_of` has written."""
    return [
        RoutedChange(router, Change(Op(op), path, old, new))
        for router, op, path, old, new in json.loads(text)
    ]


def read_running(stored: StoredRevision) -> Running:
    """Running as it was at this revision."""
    network, routers = json.loads(stored.document)
    running = Running(network, routers)
    for text in stored.changes_since:
        running = _patched(running, read_changes(text))
    return running


def _patched(running: Running, changes: Sequence[RoutedChange]) -> Running:
    network = patch(NETWORK, running.network, (c.change for c in changes if not c.router))
    routers = dict(running.routers)
    for router in {c.router for c in changes if c.router}:
        tree = patch(ROUTER, routers.pop(router, {}), (c.change for c in changes if c.router == router))
        if tree:
            routers[router] = tree
    return Running(network, routers)
