"""Sessions of both clients at a real controller: what they lock, edit and commit, and what ends with them."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from controller_process import ControllerProcess, network
from tasuki_client import AsyncClient, Client, ConfigRejected, NodeEdit
from tasuki_proto.v1.config_pb2 import (
    DATASTORE_CANDIDATE,
    EDIT_OPERATION_CREATE,
    EDIT_OPERATION_DELETE,
    WITH_DEFAULTS_REPORT_ALL,
    WatchCommitsResponse,
)

ROUTER = "/tasuki-network:network/router[name='{}']"
EMPTY: dict[str, Any] = {}


@pytest.fixture
async def client(controller: ControllerProcess) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(controller.target) as made:
        yield made


async def names(client: AsyncClient, **where: Any) -> list[str]:
    """Names of the routers in a datastore."""
    tree = json.loads((await client.get(**where)).config_json)
    return [router["name"] for router in tree.get("tasuki-network:network", EMPTY).get("router", [])]


async def test_a_session_edits_validates_shows_and_commits(client: AsyncClient) -> None:
    async with client.session() as session:
        await session.lock("candidate")
        changes = await session.edit(network("vps"), NodeEdit(ROUTER.format("home"), {"name": "home"}))
        assert [change.path for change in changes]
        assert await names(client) == []
        assert await names(client, datastore=DATASTORE_CANDIDATE) == ["home", "vps"]
        assert await session.validate() == []
        assert len((await session.diff()).changes) == len(changes)
        made = await session.commit(comment="two routers")
        assert (made.revision, made.committed, made.HasField("revert_at")) == (1, True, False)
    assert await names(client) == ["home", "vps"]


async def test_the_blocking_client_does_the_same(controller: ControllerProcess) -> None:
    def work() -> list[str]:
        with Client(controller.target) as client, client.session() as session:
            session.lock("candidate")
            session.edit(network("vps"))
            assert not session.validate()
            made = session.commit(confirm=60)
            assert made.HasField("revert_at")
            assert next(client.watch_commits()).event == WatchCommitsResponse.EVENT_START
            session.commit()
            assert list(client.watch_commits(seconds=0.2)) == []
            return [revision.comment for revision in client.revisions()]

    assert await asyncio.to_thread(work) == [""]


async def test_all_edits_of_one_call_or_none(client: AsyncClient) -> None:
    async with client.session() as session:
        await session.edit(network("vps"))
        with pytest.raises(ConfigRejected) as refused:
            await session.edit(
                NodeEdit(ROUTER.format("home"), {"name": "home"}),
                NodeEdit(ROUTER.format("vps"), {"name": "vps"}, EDIT_OPERATION_CREATE),
                NodeEdit(ROUTER.format("gone"), operation=EDIT_OPERATION_DELETE),
            )
        assert {error.error_tag for error in refused.value.errors} == {"data-exists", "data-missing"}
        assert await names(client, datastore=DATASTORE_CANDIDATE) == ["vps"]
        await session.discard()
        assert await names(client, datastore=DATASTORE_CANDIDATE) == []


async def test_leaving_the_context_gives_up_locks_and_changes(client: AsyncClient) -> None:
    async with client.session() as mine, client.session() as other:
        await mine.lock("candidate")
        await mine.lock("running")
        await mine.edit(network("vps"))
        with pytest.raises(ConfigRejected) as denied:
            await other.lock("candidate")
        assert denied.value.errors[0].error_info["session-id"] == str(mine.number)
        with pytest.raises(ConfigRejected, match="locked by session"):
            await client.apply(network("vps"))
    assert await names(client, datastore=DATASTORE_CANDIDATE) == []
    assert (await client.apply(network("vps"))).committed


async def test_a_confirmed_commit_without_a_name_ends_with_its_context(client: AsyncClient) -> None:
    async with client.session() as session:
        await session.edit(network("vps"))
        await session.commit(confirm=600)
        assert await names(client) == ["vps"]
    assert await names(client) == []


async def test_one_with_a_name_is_confirmed_or_cancelled_by_it(client: AsyncClient) -> None:
    for wanted in ([], ["vps"]):
        async with client.session() as session:
            await session.edit(network("vps"))
            await session.commit(confirm=600, persist="maintenance")
        assert await names(client) == ["vps"]
        with pytest.raises(ConfigRejected):
            await client.cancel_commit("another")
        if wanted:
            await client.confirm_commit("maintenance")
        else:
            await client.cancel_commit("maintenance")
        assert await names(client) == wanted


async def test_a_confirmation_takes_nobodys_uncommitted_changes_along(client: AsyncClient) -> None:
    await client.apply(network("vps"), confirm=600, persist="maintenance")
    async with client.session() as somebody:
        await somebody.edit(network("home"))
        with pytest.raises(ConfigRejected, match="changes that are not committed"):
            await client.confirm_commit("maintenance")
    await client.confirm_commit("maintenance")
    assert await names(client) == ["vps"]


async def test_a_lease_is_outlasted_inside_the_context(client: AsyncClient) -> None:
    async with client.session(lease=3) as session, client.session() as other:
        await session.lock("candidate")
        end = asyncio.get_running_loop().time() + 2.5 * session.lease
        while asyncio.get_running_loop().time() < end:
            with pytest.raises(ConfigRejected, match="locked by session"):
                await other.lock("candidate")


async def test_reading_can_be_narrowed(client: AsyncClient) -> None:
    await client.apply(network("vps", "home"))
    only = await client.get(paths=[f"{ROUTER.format('vps')}/name"])
    assert json.loads(only.config_json) == network("vps")
    top = json.loads((await client.get(depth=1)).config_json)
    assert "router" not in top["tasuki-network:network"]
    everything = await client.get(with_defaults=WITH_DEFAULTS_REPORT_ALL)
    assert len(everything.config_json) >= len((await client.get()).config_json)
