"""ConfigService of a real controller process over real gRPC."""

import asyncio
import base64
import json
import shutil
from pathlib import Path
from typing import Any

import grpc
import pytest
from controller_process import ControllerProcess, Operator, Refusal, network, struct
from tasuki_proto.v1 import config_pb2

EXAMPLE = Path(__file__).parents[3] / "examples/vxlan-split.json"


async def test_an_applied_configuration_is_running_and_intended(alice: Operator) -> None:
    applied = await alice.apply(json.loads(EXAMPLE.read_text()), comment="first")
    assert (applied.revision, applied.committed) == (1, True)
    assert {outcome.outcome for outcome in applied.routers} == {"offline"}
    routers = {outcome.router for outcome in applied.routers}
    assert routers == {"vps", "home", "office", "branch"}
    running = await alice.get()
    assert {r["name"] for r in running["tasuki-network:network"]["router"]} == routers
    vps = await alice.get(datastore=config_pb2.DATASTORE_INTENDED, router="vps")
    assert "vxlan01" in {i["name"] for i in vps["ietf-interfaces:interfaces"]["interface"]}


async def test_a_struct_and_json_text_mean_the_same(alice: Operator) -> None:
    tree = network("vps", "home", subscribers=[8])
    await alice.config.Apply(config_pb2.ApplyRequest(config=struct(tree)))
    again = await alice.apply(tree)
    assert (again.revision, again.committed, len(again.changes)) == (1, False, 0)
    response = await alice.config.Get(config_pb2.GetRequest())
    split = response.config["tasuki-network:network"]["tasuki-vxlan-split:vxlan-split"][0]
    assert split["subscriber"][0]["number"] == 8


async def test_a_commit_of_nothing_makes_no_revision(alice: Operator) -> None:
    await alice.apply(network("vps"))
    assert not (await alice.apply(network("vps"))).committed
    revisions = await alice.config.ListRevisions(config_pb2.ListRevisionsRequest())
    assert [revision.number for revision in revisions.revisions] == [1]


async def test_a_dry_run_says_what_would_change_and_changes_nothing(alice: Operator) -> None:
    await alice.apply(network("vps", "home"))
    dry = await alice.apply(network("vps", "home", subscribers=[1]), dry_run=True)
    assert (dry.revision, dry.committed) == (1, False)
    assert len(dry.changes) == 1
    assert {outcome.router for outcome in dry.routers} == {"vps", "home"}
    assert await alice.get() == network("home", "vps")


async def test_every_operation_does_what_its_name_says(alice: Operator) -> None:
    await alice.apply(network("a", "b"))
    await alice.apply(network("c"))
    assert await alice.get() == network("a", "b", "c")
    await alice.apply(network("b"), operation=config_pb2.OPERATION_DELETE)
    assert await alice.get() == network("a", "c")
    with Refusal() as refusal:
        await alice.apply(network("b"), operation=config_pb2.OPERATION_DELETE)
    assert refusal.code is grpc.StatusCode.NOT_FOUND
    assert refusal.problems[0].error_path == "/tasuki-network:network/router[name='b']"
    assert not (await alice.apply(network("b"), operation=config_pb2.OPERATION_REMOVE)).committed
    await alice.apply(network("z"), operation=config_pb2.OPERATION_REPLACE)
    assert await alice.get() == network("z")


async def test_router_data_that_is_written_directly_joins_the_compiled(alice: Operator) -> None:
    written = {"ietf-interfaces:interfaces": {"interface": [{"name": "lan0", "type": "iana-if-type:other"}]}}
    await alice.apply(network("vps", "home", subscribers=[1]), router_config={"home": struct(written)})
    assert await alice.get(router="home") == written
    intended = await alice.get(router="home", datastore=config_pb2.DATASTORE_INTENDED)
    names = {i["name"] for i in intended["ietf-interfaces:interfaces"]["interface"]}
    assert {"lan0", "vxlan01"} <= names
    assert await alice.get(router="vps") == {}


async def test_a_subtree_is_read_by_its_path(alice: Operator) -> None:
    await alice.apply(network("vps", "home"))
    assert await alice.get(path="/tasuki-network:network/router[name='vps']") == network("vps")
    assert await alice.get(path="/tasuki-network:network/router[name='nope']") == {}
    for path, code in [
        ("nonsense", grpc.StatusCode.INVALID_ARGUMENT),
        ("/tasuki-network:network/nope", grpc.StatusCode.INVALID_ARGUMENT),
    ]:
        with Refusal() as refusal:
            await alice.get(path=path)
        assert refusal.code is code
        assert refusal.problems


async def test_the_other_side_of_an_unmanaged_subscriber_is_read_by_split_and_number(alice: Operator) -> None:
    tree = network("vps", "vps", subscribers=[1])
    tree["tasuki-network:network"]["router"].pop()
    subscriber = tree["tasuki-network:network"]["tasuki-vxlan-split:vxlan-split"][0]["subscriber"][0]
    subscriber["unmanaged"] = [None]
    del subscriber["router"]
    await alice.apply(tree)
    other = await alice.get(datastore=config_pb2.DATASTORE_INTENDED, router="split/1")
    assert "vxlan01" in {i["name"] for i in other["ietf-interfaces:interfaces"]["interface"]}
    with Refusal() as refusal:
        await alice.get(datastore=config_pb2.DATASTORE_INTENDED, router="split/2")
    assert refusal.code is grpc.StatusCode.NOT_FOUND
    assert "unmanaged" in refusal.text


@pytest.mark.parametrize(
    ("request_", "code", "tag"),
    [
        ({}, grpc.StatusCode.INVALID_ARGUMENT, "missing-element"),
        ({"config_json": b"{"}, grpc.StatusCode.INVALID_ARGUMENT, "malformed-message"),
        ({"config_json": b"\xff"}, grpc.StatusCode.INVALID_ARGUMENT, "malformed-message"),
        ({"config_json": b'{"a":' * 100_000}, grpc.StatusCode.INVALID_ARGUMENT, "malformed-message"),
        ({"config_json": b"{}", "config": struct({})}, grpc.StatusCode.INVALID_ARGUMENT, "malformed-message"),
        ({"config_json": b"{}", "operation": 77}, grpc.StatusCode.INVALID_ARGUMENT, "invalid-value"),
        ({"config_json": b"{}", "comment": "x" * 1001}, grpc.StatusCode.INVALID_ARGUMENT, "too-big"),
        ({"config": struct({"blub": 1})}, grpc.StatusCode.INVALID_ARGUMENT, "unknown-element"),
        (
            {"router_config": {"nope": struct({})}, "config": struct({"x": 1})},
            grpc.StatusCode.INVALID_ARGUMENT,
            None,
        ),
    ],
)
async def test_a_request_that_cannot_be_understood_is_refused_in_words(
    alice: Operator, request_: Any, code: grpc.StatusCode, tag: str | None
) -> None:
    with Refusal() as refusal:
        await alice.config.Apply(config_pb2.ApplyRequest(**request_))
    assert refusal.code is code
    assert tag in (None, refusal.problems[0].error_tag)
    assert refusal.text
    revisions = await alice.config.ListRevisions(config_pb2.ListRevisionsRequest())
    assert not revisions.revisions


async def test_all_problems_are_told_at_once_and_nothing_changes(alice: Operator) -> None:
    await alice.apply(network("vps", "home", subscribers=[1]))
    before = await alice.get()
    bad = network("vps", "home", subscribers=[0, 256])
    split = bad["tasuki-network:network"]["tasuki-vxlan-split:vxlan-split"][0]
    split["hub"]["router"] = "nope"
    split["blub"] = 1
    with Refusal() as refusal:
        await alice.apply(bad)
    assert refusal.code is grpc.StatusCode.INVALID_ARGUMENT
    paths = " ".join(problem.error_path for problem in refusal.problems)
    for place in ("subscriber[number='0']", "subscriber[number='256']", "/hub/router", "/blub"):
        assert place in paths
        assert place in refusal.text
    assert all(problem.error_tag and problem.message for problem in refusal.problems)
    assert await alice.get() == before
    validated = await alice.config.Validate(
        config_pb2.ValidateRequest(edit=config_pb2.Document(config_json=json.dumps(bad).encode()))
    )
    assert list(validated.errors) == list(refusal.problems)


async def test_hundreds_of_problems_arrive_in_the_details(alice: Operator) -> None:
    bad = network("vps", "home", subscribers=[*range(256, 756)])
    with Refusal() as refusal:
        await alice.apply(bad)
    assert len(refusal.problems) >= 500
    assert "more, in the details" in refusal.text


async def test_validate_succeeds_and_tells(alice: Operator) -> None:
    good = config_pb2.Document(config=struct(network("vps")))
    assert not (await alice.config.Validate(config_pb2.ValidateRequest(edit=good))).errors
    malformed = config_pb2.Document(config_json=b"{")
    (error,) = (await alice.config.Validate(config_pb2.ValidateRequest(edit=malformed))).errors
    assert error.error_tag == "malformed-message"
    assert "line 1" in error.message


async def test_history_says_who_when_from_where_why_and_what(alice: Operator) -> None:
    await alice.apply(network("a"), comment="the first")
    await alice.apply(network("b"), comment="the second")
    listed = await alice.config.ListRevisions(config_pb2.ListRevisionsRequest())
    second, first = listed.revisions
    assert (first.number, first.comment, first.author) == (1, "the first", "local")
    assert first.peer.startswith("127.0.0.1:")
    assert second.time.ToNanoseconds() > first.time.ToNanoseconds()
    page = await alice.config.ListRevisions(config_pb2.ListRevisionsRequest(limit=1, before=2))
    assert list(page.revisions) == [first]
    shown = await alice.config.GetRevision(config_pb2.GetRevisionRequest(number=2, as_json=True))
    assert shown.revision == second
    assert json.loads(shown.config_json) == network("a", "b")
    (change,) = shown.changes
    assert change.op == config_pb2.Change.OP_CREATE
    assert change.path == "/tasuki-network:network/router[name='b']"
    assert json.loads(change.new_json) == {"name": "b"}
    with Refusal() as refusal:
        await alice.config.GetRevision(config_pb2.GetRevisionRequest(number=3))
    assert refusal.code is grpc.StatusCode.NOT_FOUND


async def test_revisions_are_compared_with_each_other_and_with_running(alice: Operator) -> None:
    await alice.apply(network("vps", "home"))
    await alice.apply(network("vps", "home", subscribers=[1]))
    await alice.apply(network("c"))
    forward = await alice.config.Diff(config_pb2.DiffRequest(from_revision=1, to_revision=2))
    assert [change.op for change in forward.changes] == [config_pb2.Change.OP_CREATE]
    assert {outcome.router for outcome in forward.routers} == {"vps", "home"}
    back = await alice.config.Diff(config_pb2.DiffRequest(from_revision=2, to_revision=1))
    assert [change.op for change in back.changes] == [config_pb2.Change.OP_DELETE]
    running = await alice.config.Diff(config_pb2.DiffRequest(from_revision=2))
    assert [change.path for change in running.changes] == ["/tasuki-network:network/router[name='c']"]
    edit = await alice.config.Diff(
        config_pb2.DiffRequest(edit=config_pb2.Document(config=struct(network("d"))))
    )
    assert [change.path for change in edit.changes] == ["/tasuki-network:network/router[name='d']"]
    for nonsense in (
        config_pb2.DiffRequest(),
        config_pb2.DiffRequest(from_revision=1, edit=config_pb2.Document(config=struct({}))),
    ):
        with Refusal() as refusal:
            await alice.config.Diff(nonsense)
        assert refusal.code is grpc.StatusCode.INVALID_ARGUMENT


async def test_models_are_listed_and_read(alice: Operator) -> None:
    listed = await alice.config.ListModules(config_pb2.ListModulesRequest())
    modules = {module.name: module for module in listed.modules}
    assert list(modules["tasuki-vxlan-split"].trees) == ["network"]
    assert modules["ietf-inet-types"].import_only
    shown = await alice.config.GetModule(config_pb2.GetModuleRequest(name="tasuki-network"))
    assert shown.module == modules["tasuki-network"]
    assert shown.text.startswith("module tasuki-network {")
    with Refusal() as refusal:
        await alice.config.GetModule(config_pb2.GetModuleRequest(name="../etc/passwd"))
    assert refusal.code is grpc.StatusCode.NOT_FOUND


async def test_operational_data_needs_a_router(alice: Operator) -> None:
    with Refusal() as refusal:
        await alice.get(datastore=config_pb2.DATASTORE_OPERATIONAL)
    assert refusal.code is grpc.StatusCode.UNIMPLEMENTED
    assert "'router'" in refusal.text


async def test_a_datastore_that_does_not_exist_is_refused(alice: Operator) -> None:
    with Refusal() as refusal:
        await alice.get(datastore=77)
    assert refusal.code is grpc.StatusCode.INVALID_ARGUMENT


async def test_concurrent_commits_follow_one_another(alice: Operator) -> None:
    applied = await asyncio.gather(*(alice.apply(network(f"r{n}")) for n in range(20)))
    assert sorted(response.revision for response in applied) == list(range(1, 21))
    assert len((await alice.get())["tasuki-network:network"]["router"]) == 20


async def test_a_caller_who_gives_up_leaves_a_whole_revision_or_none(alice: Operator) -> None:
    for attempt in range(20):
        tree = network("vps", "home", subscribers=[attempt + 1])
        call = alice.config.Apply(
            config_pb2.ApplyRequest(config_json=json.dumps(tree).encode()), timeout=0.002 * attempt + 0.001
        )
        assert await call.code() in (grpc.StatusCode.OK, grpc.StatusCode.DEADLINE_EXCEEDED)
    last = await alice.apply(network("last"))
    listed = await alice.config.ListRevisions(config_pb2.ListRevisionsRequest())
    assert [revision.number for revision in listed.revisions] == list(range(last.revision, 0, -1))
    newest = await alice.config.GetRevision(config_pb2.GetRevisionRequest(number=last.revision, as_json=True))
    assert json.loads(newest.config_json) == await alice.get()


async def test_grpcurl_needs_no_proto_files(controller: ControllerProcess) -> None:
    grpcurl = shutil.which("grpcurl")
    if not grpcurl:
        pytest.skip("grpcurl is not installed")

    async def call(*arguments: str, data: Any) -> tuple[int | None, str]:
        process = await asyncio.create_subprocess_exec(
            *(grpcurl, "-plaintext", "-d", json.dumps(data), str(controller.target), *arguments),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate()
        return process.returncode, output.decode()

    status, output = await call(
        "tasuki.v1.ConfigService/Apply", data={"config": json.loads(EXAMPLE.read_text())}
    )
    assert status == 0, output
    assert json.loads(output)["revision"] == "1"
    text = base64.b64encode(b'{"tasuki-network:network": {"router": [{"nam": "x"}], "blub": 1}}').decode()
    status, output = await call("tasuki.v1.ConfigService/Apply", data={"config_json": text})
    assert status != 0
    assert "InvalidArgument" in output
    assert output.count("tasuki.v1.ConfigError") >= 2
    status, output = await call("grpc.health.v1.Health/Check", data={"service": "tasuki.v1.ConfigService"})
    assert json.loads(output) == {"status": "SERVING"}
