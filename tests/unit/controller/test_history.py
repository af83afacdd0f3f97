from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tasuki_controller import history
from tasuki_controller.running import Running
from tasuki_controller.sqlite import SqliteStore
from tasuki_controller.store import Revision
from tasuki_controller.transaction import running_changes
from tasuki_yang.edit import replace as replaced
from tasuki_yang.schema import NETWORK, ROUTER

DESCRIPTION = st.one_of(st.none(), st.sampled_from(["", "a", "'", '"', "語"]))


@st.composite
def network(draw: st.DrawFn) -> Any:
    routers = draw(st.dictionaries(st.sampled_from("abc"), DESCRIPTION))
    entries = [{"name": n} | ({"description": d} if d is not None else {}) for n, d in routers.items()]
    return replaced(NETWORK, {}, {"tasuki-network:network": {"router": entries}})


@st.composite
def written(draw: st.DrawFn) -> Any:
    interfaces = draw(st.dictionaries(st.sampled_from(["lan0", "lan1"]), DESCRIPTION, min_size=1))
    entries = [
        {"name": n, "type": "iana-if-type:other"} | ({"description": d} if d is not None else {})
        for n, d in interfaces.items()
    ]
    return replaced(ROUTER, {}, {"ietf-interfaces:interfaces": {"interface": entries}})


RUNNING = st.builds(Running, network(), st.dictionaries(st.sampled_from("abc"), written()))


@given(st.lists(RUNNING, min_size=1, max_size=6))
@settings(max_examples=30)
async def test_every_revision_is_read_as_it_was_written(states: list[Running]) -> None:
    with TemporaryDirectory() as directory:
        store = await SqliteStore.open(Path(directory))
        before = Running()
        for number, running in enumerate(states, 1):
            changes = running_changes(before, running)
            await store.commit(
                Revision(number, "", "", datetime.now(UTC), "", len(changes)),
                history.document_of(running),
                history.changes_of(changes),
                {},
            )
            before = running
        for number, running in enumerate(states, 1):
            stored = await store.revision(number)
            assert stored is not None
            assert history.read_running(stored) == running
            # Of a document of its own nothing may be needed but the document.
            if not stored.changes_since:
                assert history.read_running(replace(stored, changes=b"")) == running
        await store.close()


@given(RUNNING, RUNNING)
def test_changes_are_read_as_they_were_written(old: Running, new: Running) -> None:
    changes = running_changes(old, new)
    assert history.read_changes(history.changes_of(changes)) == changes
