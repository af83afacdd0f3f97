"""What ConfigService says of the candidate and of commits, beyond the rules of the conformance tests."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest
from controller_process import Agent, ControllerProcess, Operator, Refusal, agent, network, struct, until
from lab.conformance.session import (
    CREATE,
    MERGE,
    NETWORK,
    SHORT,
    Event,
    add,
    candidate,
    edit,
    refused,
    reverted,
    router,
    routers,
    session,
    split,
    split_network,
    watching,
)
from tasuki_proto.v1 import agent_pb2, config_pb2, error_pb2, router_pb2

CANDIDATE = config_pb2.DATASTORE_CANDIDATE
LAN = "/ietf-interfaces:interfaces/interface[name='lan0']"
SPLIT = f"{NETWORK}/tasuki-vxlan-split:vxlan-split[name='ae00']"
DEFAULTS = config_pb2.WITH_DEFAULTS_REPORT_ALL


@asynccontextmanager
async def answering(one: Agent, **answer: Any) -> AsyncIterator[None]:
    """An agent that answers to the next question what it would do."""

    async def reply() -> None:
        asked = await one.receive("prepare_request")
        await one.send(prepare_answer=agent_pb2.PrepareAnswer(id=asked.id, **answer))

    task = asyncio.create_task(reply())
    yield
    await task


async def test_the_candidate_is_read_as_running_is(alice: Operator) -> None:
    one = await session(alice)
    await one.edit(
        edit(MERGE, "", split_network(1)), edit(CREATE, LAN, {"type": "iana-if-type:other"}, "new")
    )
    shown = await alice.get(datastore=CANDIDATE)
    assert [entry["name"] for entry in shown["tasuki-network:network"]["router"]] == ["home", "vps"]
    assert await alice.get(datastore=CANDIDATE, router="home") == {}
    written = await alice.get(datastore=CANDIDATE, router="new")
    assert written["ietf-interfaces:interfaces"]["interface"][0]["name"] == "lan0"
    assert await alice.get() == {}
    for datastore in (CANDIDATE, config_pb2.DATASTORE_RUNNING):
        with Refusal() as refusal:
            await alice.get(datastore=datastore, router="nobody")
        assert refusal.code is grpc.StatusCode.NOT_FOUND


async def test_several_subtrees_are_read_at_once_and_only_so_deep(alice: Operator) -> None:
    await alice.apply(split_network(1, 2))
    paths = [router("home"), f"{SPLIT}/subscriber/number"]
    found = await alice.get(paths=paths)
    assert found == {
        "tasuki-network:network": {
            "router": [{"name": "home"}],
            "tasuki-vxlan-split:vxlan-split": [
                {"name": "ae00", "subscriber": [{"number": 1}, {"number": 2}]},
            ],
        }
    }
    assert await alice.get(path=paths[0], paths=paths[1:]) == found
    assert await alice.get(depth=1) == {"tasuki-network:network": {}}
    shallow = await alice.get(path=SPLIT, depth=2)
    (entry,) = shallow["tasuki-network:network"]["tasuki-vxlan-split:vxlan-split"]
    assert entry == {
        "name": "ae00",
        "prefix": "2001:db8:ae00::/40",
        "hub": {},
        "subscriber": [{"number": 1}, {"number": 2}],
    }
    with Refusal() as refusal:
        await alice.get(paths=["nonsense", f"{NETWORK}/nope", router("home")])
    assert len(refusal.problems) == 2


async def test_defaults_are_shown_tagged_and_trimmed_as_asked(alice: Operator) -> None:
    tree = split_network(1)
    subscriber = tree["tasuki-network:network"]["tasuki-vxlan-split:vxlan-split"][0]["subscriber"][0]
    subscriber["mode"] = "default-gateway"
    await alice.apply(tree)
    path = f"{SPLIT}/subscriber"

    async def shown(mode: config_pb2.WithDefaults) -> Any:
        found = await alice.get(path=path, with_defaults=mode)
        return found["tasuki-network:network"]["tasuki-vxlan-split:vxlan-split"][0]["subscriber"][0]

    explicit = await shown(config_pb2.WITH_DEFAULTS_EXPLICIT)
    assert (explicit["mode"], "default-route-metric" in explicit) == ("default-gateway", False)
    everything = await shown(DEFAULTS)
    assert (everything["mode"], everything["default-route-metric"]) == ("default-gateway", 512)
    tagged = await shown(config_pb2.WITH_DEFAULTS_REPORT_ALL_TAGGED)
    tag = {"ietf-netconf-with-defaults:default": True}
    assert (tagged["@default-route-metric"], "@mode" in tagged) == (tag, False)
    assert "mode" not in await shown(config_pb2.WITH_DEFAULTS_TRIM)


@pytest.mark.parametrize("field", ["datastore", "with_defaults"])
async def test_what_this_version_does_not_know_is_refused(alice: Operator, field: str) -> None:
    with Refusal() as refusal:
        await alice.get(**{field: 77})
    assert refusal.code is grpc.StatusCode.INVALID_ARGUMENT


async def test_the_candidate_is_compared_with_running_and_with_a_revision(alice: Operator) -> None:
    await alice.apply(network("vps", "home"))
    await alice.apply(network("c"))
    one = await session(alice)
    await one.edit(edit(CREATE, SPLIT, split(1)))
    diff = await alice.config.Diff(config_pb2.DiffRequest(candidate=True))
    assert [change.path for change in diff.changes] == [SPLIT]
    assert {(each.router, each.outcome) for each in diff.routers} == {("vps", "offline"), ("home", "offline")}
    diff = await alice.config.Diff(config_pb2.DiffRequest(from_revision=1, candidate=True))
    assert {change.path for change in diff.changes} == {SPLIT, router("c")}
    assert {each.router for each in diff.routers} == {"vps", "home"}


async def test_a_candidate_that_is_not_valid_yet_is_compared_all_the_same(alice: Operator) -> None:
    one = await session(alice)
    await one.edit(edit(CREATE, SPLIT, split(1)))
    diff = await alice.config.Diff(config_pb2.DiffRequest(candidate=True))
    assert ([change.path for change in diff.changes], list(diff.routers)) == ([SPLIT], [])
    async with refused("data-missing", f"{SPLIT}/hub/router"):
        await alice.config.Diff(config_pb2.DiffRequest(candidate=True, plan=True))


@pytest.mark.parametrize(
    "request_",
    [
        {"candidate": True, "to_revision": 1},
        {"candidate": True, "edit": config_pb2.Document(config=struct({}))},
        {"from_revision": 1, "plan": True},
    ],
)
async def test_a_comparison_that_contradicts_itself_is_refused(alice: Operator, request_: Any) -> None:
    await alice.apply(network("a"))
    async with refused("invalid-value"):
        await alice.config.Diff(config_pb2.DiffRequest(**request_))


async def test_a_plan_is_what_each_router_says_it_would_do(
    controller: ControllerProcess, alice: Operator
) -> None:
    await alice.apply(network("vps", "home"))
    async with agent(controller.target) as vps:
        await vps.hello("vps")
        await vps.receive("intent")
        one = await session(alice)
        await one.edit(edit(CREATE, SPLIT, split(1)))
        request = config_pb2.DiffRequest(candidate=True, plan=True)
        async with answering(vps, plan=["create link vxlan01"]):
            diff = await alice.config.Diff(request)
        told = {each.router: (each.outcome, list(each.plan)) for each in diff.routers}
        assert told == {"vps": ("pending", ["create link vxlan01"]), "home": ("offline", [])}
        async with answering(vps, waiting=["link vxlan01: waits for wan0"]):
            diff = await alice.config.Diff(request)
        assert {(each.outcome, each.message) for each in diff.routers if each.router == "vps"} == {
            ("waiting", "link vxlan01: waits for wan0")
        }
        no = error_pb2.ConfigError(error_tag="operation-failed", message="no such module")
        async with answering(vps, refusals=[no]):
            diff = await alice.config.Diff(request)
        assert {(each.outcome, each.message) for each in diff.routers if each.router == "vps"} == {
            ("failed", "no such module")
        }
        await one.discard()
        async with answering(vps, plan=["create link vxlan01"]):
            dry = await alice.apply(split_network(1), dry_run=True, plan=True)
        assert {each.router: list(each.plan) for each in dry.routers} == {
            "vps": ["create link vxlan01"],
            "home": [],
        }
        async with refused("invalid-value"):
            await alice.apply(split_network(1), plan=True)
        assert await alice.get() == network("home", "vps")


async def test_a_commit_waits_for_its_routers_only_as_long_as_it_is_asked_to(
    controller: ControllerProcess, alice: Operator
) -> None:
    await alice.apply(network("vps", "home"))
    async with agent(controller.target) as vps:
        await vps.hello("vps")
        await vps.receive("intent")

        async def applied() -> None:
            revision, _ = await vps.intent()
            counts = router_pb2.ObjectCounts(total=1, done=1)
            await vps.send(
                report=agent_pb2.Report(revision=revision, applied_revision=revision, counts=counts)
            )

        async with answering(vps):
            made = await alice.apply(split_network(1))
        assert {each.router: each.outcome for each in made.routers} == {"vps": "pending", "home": "offline"}
        await applied()
        async with answering(vps):
            waiting = asyncio.create_task(alice.apply(split_network(1, 2), wait_seconds=20))
        await applied()
        made = await waiting
        assert {each.router: each.outcome for each in made.routers} == {"vps": "applied", "home": "offline"}


async def test_an_older_revision_becomes_the_next_one(alice: Operator) -> None:
    await alice.apply(network("a"), comment="first")
    await alice.apply(network("b"))

    async def rollback(**fields: Any) -> config_pb2.RollbackResponse:
        request = config_pb2.RollbackRequest(number=1, **fields)
        response: config_pb2.RollbackResponse = await alice.config.Rollback(request)
        return response

    dry = await rollback(dry_run=True)
    assert (dry.revision, dry.committed, [change.path for change in dry.changes]) == (2, False, [router("b")])
    made = await rollback(comment="b was wrong")
    assert (made.revision, made.committed) == (3, True)
    assert await routers(alice) == {"a"}
    assert not (await rollback()).committed
    with Refusal() as refusal:
        await alice.config.Rollback(config_pb2.RollbackRequest(number=9))
    assert refusal.code is grpc.StatusCode.NOT_FOUND
    newest = await alice.config.GetRevision(config_pb2.GetRevisionRequest(number=3))
    assert newest.revision.comment == "b was wrong"


async def test_a_rollback_in_a_session_can_be_tried_out(alice: Operator) -> None:
    await alice.apply(network("a"))
    await alice.apply(network("b"))
    made = await alice.config.Rollback(config_pb2.RollbackRequest(number=1, confirm_seconds=SHORT))
    assert made.persist_id
    assert await routers(alice) == {"a"}
    await reverted(alice, "a", "b")


async def test_an_apply_can_be_tried_out_and_is_confirmed_by_its_name(alice: Operator) -> None:
    made = await alice.apply(network("a"), confirm_seconds=600)
    assert made.persist_id
    async with refused("in-use"):
        await alice.apply(network("b"))
    await alice.config.Commit(config_pb2.CommitRequest(persist_id=made.persist_id))
    await alice.apply(network("b"), confirm_seconds=600, persist="mine")
    await alice.config.CancelCommit(config_pb2.CancelCommitRequest(persist_id="mine"))
    assert await routers(alice) == {"a"}
    async with refused("invalid-value"):
        await alice.apply(network("b"), persist="mine")


async def test_watchers_are_told_of_plain_commits_and_of_routers(
    controller: ControllerProcess, alice: Operator
) -> None:
    async with watching(alice) as watch:
        await alice.apply(network("vps"), comment="why")
        (event,) = await watch.until(Event.EVENT_COMMIT)
        assert (event.revision, event.author, event.message) == (1, "local", "why")
        async with agent(controller.target) as vps:
            await vps.hello("vps")
            await vps.receive("intent")
            counts = router_pb2.ObjectCounts(total=1, done=1)
            await vps.send(report=agent_pb2.Report(revision=1, applied_revision=1, counts=counts))

            async def is_told() -> bool:
                routers = [e.routers[0] for e in watch.events if e.event == Event.EVENT_ROUTER]
                return ("vps", "applied") in {(each.router, each.outcome) for each in routers}

            await until(is_told)


@pytest.mark.parametrize(
    ("message", "tag"),
    [
        ({}, "missing-element"),
        ({"edits": [{"path": NETWORK, "operation": 77}]}, "invalid-value"),
        ({"edits": [{"path": NETWORK, "operation": config_pb2.EDIT_OPERATION_NONE}]}, "invalid-value"),
        ({"edits": [{"path": NETWORK, "value_json": b"{"}]}, "malformed-message"),
        (
            {"edits": [{"path": NETWORK, "value_json": b"{}", "value": {"null_value": 0}}]},
            "malformed-message",
        ),
        ({"edits": [{"path": NETWORK}]}, "missing-element"),
        ({"edits": [{"path": NETWORK, "operation": config_pb2.EDIT_OPERATION_DELETE}]}, "data-missing"),
    ],
)
async def test_an_edit_that_cannot_be_understood_is_refused_in_words(
    alice: Operator, message: Any, tag: str
) -> None:
    one = await session(alice)
    async with refused(tag) as refusal:
        await alice.config.Edit(config_pb2.EditRequest(token=one.token, **message))
    assert refusal.text
    assert await candidate(alice) == set()


async def test_a_value_is_a_struct_value_or_json_text(alice: Operator) -> None:
    one = await session(alice)
    value = struct({"value": {"description": "x"}}).fields["value"]
    await one.edit(config_pb2.NodeEdit(path=router("a"), value=value))
    change, _ = await one.edit(add("b"), config_pb2.NodeEdit(path=router("a"), value_json=b"{}"))
    assert json.loads(change.new_json) == {"name": "a", "description": "x"}


@pytest.mark.parametrize(
    "fields",
    [
        {"confirm_timeout": 5},
        {"persist": "x"},
        {"persist_id": "x"},
        {"confirmed": True, "confirm_timeout": 0},
    ],
)
async def test_an_order_that_contradicts_itself_is_refused(alice: Operator, fields: Any) -> None:
    one = await session(alice)
    await one.edit(add("a"))
    async with refused("invalid-value"):
        await one.commit(**fields)
    assert await routers(alice) == set()


@pytest.mark.parametrize("call", ["lock", "unlock"])
async def test_what_cannot_be_locked_is_refused(alice: Operator, call: str) -> None:
    one = await session(alice)
    async with refused("invalid-value"):
        await getattr(one, call)(config_pb2.TARGET_UNSPECIFIED)
