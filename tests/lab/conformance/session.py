"""Sessions of a real controller, as the conformance tests speak of them."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from controller_process import DEADLINE, Operator, Refusal
from tasuki_proto.v1 import config_pb2, error_pb2

RUNNING: Final = config_pb2.TARGET_RUNNING
CANDIDATE: Final = config_pb2.TARGET_CANDIDATE
UNSPECIFIED: Final = config_pb2.EDIT_OPERATION_UNSPECIFIED
MERGE: Final = config_pb2.EDIT_OPERATION_MERGE
REPLACE: Final = config_pb2.EDIT_OPERATION_REPLACE
CREATE: Final = config_pb2.EDIT_OPERATION_CREATE
DELETE: Final = config_pb2.EDIT_OPERATION_DELETE
REMOVE: Final = config_pb2.EDIT_OPERATION_REMOVE
NONE: Final = config_pb2.EDIT_OPERATION_NONE
Event = config_pb2.WatchCommitsResponse

NETWORK: Final = "/tasuki-network:network"
SHORT: Final = 3
"""Seconds of a timer or a lease that is to run out, and within which a few calls are made before."""
BEYOND: Final = SHORT + 0.5
"""Seconds after which a timer of `SHORT` seconds would have gone off."""
WAN: Final = {"interface": "wan0", "address": "198.51.100.1"}


def router(name: str) -> str:
    """Path of a router."""
    return f"{NETWORK}/router[name='{name}']"


def split(*subscribers: int, **members: Any) -> dict[str, Any]:
    """A split between the routers vps and home."""
    return {
        "name": "ae00",
        "prefix": "2001:db8:ae00::/40",
        "hub": {"router": "vps", "underlay": {"interface": "wan0", "ipv4-address": "192.0.2.1"}},
        "subscriber": [
            {"number": number, "router": "home", "mode": "policy-routing", "underlay": WAN}
            for number in subscribers
        ],
        **members,
    }


def split_network(*subscribers: int, **members: Any) -> dict[str, Any]:
    """A network tree with the routers and the split."""
    routers = [{"name": "vps"}, {"name": "home"}]
    entry = split(*subscribers, **members)
    return {"tasuki-network:network": {"router": routers, "tasuki-vxlan-split:vxlan-split": [entry]}}


def edit(
    operation: config_pb2.EditOperation, path: str, value: Any = None, router: str = ""
) -> config_pb2.NodeEdit:
    """An operation on a node."""
    text = b"" if value is None else json.dumps(value).encode()
    return config_pb2.NodeEdit(operation=operation, path=path, router=router, value_json=text)


def add(name: str) -> config_pb2.NodeEdit:
    """The operation that creates a router."""
    return edit(CREATE, router(name), {})


@dataclass
class Session:
    """A session of an operator."""

    operator: Operator
    token: str
    number: int

    async def edit(
        self, *edits: config_pb2.NodeEdit, default: config_pb2.EditOperation = UNSPECIFIED
    ) -> Sequence[config_pb2.Change]:
        response = await self.operator.config.Edit(
            config_pb2.EditRequest(
                token=self.token,
                edits=edits,
                default_operation=default,
            )
        )
        changes: Sequence[config_pb2.Change] = response.changes
        return changes

    async def commit(self, **fields: Any) -> config_pb2.CommitResponse:
        request = config_pb2.CommitRequest(token=self.token, **fields)
        response: config_pb2.CommitResponse = await self.operator.config.Commit(request)
        return response

    async def try_out(self, name: str, seconds: int = 600, **fields: Any) -> config_pb2.CommitResponse:
        """Add a router by a confirmed commit."""
        await self.edit(add(name))
        return await self.commit(confirmed=True, confirm_timeout=seconds, **fields)

    async def cancel(self, persist_id: str = "") -> int:
        request = config_pb2.CancelCommitRequest(token=self.token, persist_id=persist_id)
        response: config_pb2.CancelCommitResponse = await self.operator.config.CancelCommit(request)
        return response.revision

    async def lock(self, target: config_pb2.Target) -> None:
        await self.operator.config.Lock(config_pb2.LockRequest(token=self.token, target=target))

    async def unlock(self, target: config_pb2.Target) -> None:
        await self.operator.config.Unlock(config_pb2.UnlockRequest(token=self.token, target=target))

    async def discard(self) -> None:
        await self.operator.config.DiscardChanges(config_pb2.DiscardChangesRequest(token=self.token))

    async def keep(self) -> None:
        await self.operator.config.KeepSession(config_pb2.KeepSessionRequest(token=self.token))

    async def close(self) -> None:
        await self.operator.config.CloseSession(config_pb2.CloseSessionRequest(token=self.token))


async def session(operator: Operator, lease: int = 0) -> Session:
    """Open a session."""
    request = config_pb2.OpenSessionRequest(lease_seconds=lease)
    response = await operator.config.OpenSession(request)
    return Session(operator, response.token, response.session_id)


async def routers(
    operator: Operator, datastore: config_pb2.Datastore = config_pb2.DATASTORE_RUNNING
) -> set[str]:
    """Names of the routers in a datastore."""
    tree = await operator.get(datastore=datastore)
    return {entry["name"] for entry in tree.get("tasuki-network:network", {}).get("router", [])}


async def candidate(operator: Operator) -> set[str]:
    """Names of the routers in the candidate."""
    return await routers(operator, config_pb2.DATASTORE_CANDIDATE)


async def revision(operator: Operator) -> int:
    """Number of the newest revision."""
    listed = await operator.config.ListRevisions(config_pb2.ListRevisionsRequest(limit=1))
    return listed.revisions[0].number if listed.revisions else 0


async def reverted(operator: Operator, *names: str) -> None:
    """Wait until running has these routers."""
    async with asyncio.timeout(DEADLINE):
        while await routers(operator) != set(names):  # noqa: ASYNC110 - the events are what others test
            await asyncio.sleep(0.02)


@asynccontextmanager
async def refused(tag: str, path: str | None = None, app_tag: str | None = None) -> AsyncIterator[Refusal]:
    """A block that must be refused with this problem, be it among others."""
    refusal = Refusal()
    with refusal:
        yield refusal
    told = [(each.error_tag, each.error_path, each.error_app_tag) for each in refusal.problems]
    assert any(
        tag == each and path in (None, where) and app_tag in (None, app) for each, where, app in told
    ), told


def the(refusal: Refusal, tag: str) -> error_pb2.ConfigError:
    """The problem of a refusal with this tag."""
    return next(problem for problem in refusal.problems if problem.error_tag == tag)


class Watch:
    """What WatchCommits has told so far."""

    def __init__(self) -> None:
        self.events: list[config_pb2.WatchCommitsResponse] = []

    async def until(self, *kinds: int) -> list[config_pb2.WatchCommitsResponse]:
        """Wait until the commits' events so far are of these kinds; those of routers do not count."""
        async with asyncio.timeout(DEADLINE):
            while [event.event for event in self.of_commits] != list(kinds):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        return self.of_commits

    @property
    def of_commits(self) -> list[config_pb2.WatchCommitsResponse]:
        return [event for event in self.events if event.event != Event.EVENT_ROUTER]


@asynccontextmanager
async def watching(operator: Operator) -> AsyncIterator[Watch]:
    """Watch commits during a block."""
    watch = Watch()
    call = operator.config.WatchCommits(config_pb2.WatchCommitsRequest())
    await call.initial_metadata()

    async def read() -> None:
        async for event in call:
            watch.events.append(event)

    reading = asyncio.create_task(read())
    try:
        yield watch
    finally:
        reading.cancel()
        call.cancel()
        await asyncio.wait([reading])
