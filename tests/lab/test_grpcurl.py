"""Nothing but public tools is needed to use the API: the pipeline of the README, with the real grpcurl."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from deployment import EXAMPLES
from netns import Machines, Namespace
from programs import Controller

pytestmark = pytest.mark.skipif(shutil.which("grpcurl") is None, reason="needs grpcurl (built where Go is)")

ADDRESS = "127.0.0.1:9339"
EXAMPLE = EXAMPLES / "vxlan-split.json"
APPLY = f"grpcurl -plaintext -d @ {ADDRESS} tasuki.v1.ConfigService/Apply"
SERVICES = ("Agent", "Config", "Drift", "Router")


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Namespace]:
    """A machine with a controller that listens on loopback without TLS."""
    with Machines() as machines:
        machine = machines.add("controller")
        controller = Controller(machine, tmp_path, (ADDRESS,), insecure=True)
        controller.start()
        try:
            yield machine
        finally:
            controller.program.stop()


def test_grpcurl_applies_an_example_and_reads_it_back(machine: Namespace) -> None:
    pipeline = f"jq '{{config: .}}' {EXAMPLE} | {APPLY}"
    answer = json.loads(machine.run("sh", "-c", pipeline))
    assert answer["revision"] == "1"
    assert answer["committed"] is True
    got = json.loads(machine.run("grpcurl", "-plaintext", ADDRESS, "tasuki.v1.ConfigService/Get"))["config"]
    applied_again = json.loads(machine.run(*APPLY.split(), stdin=json.dumps({"config": got})))
    assert applied_again == {"revision": "1"}


def test_grpcurl_lists_every_service_without_proto_files(machine: Namespace) -> None:
    listed = machine.run("grpcurl", "-plaintext", ADDRESS, "list").split()
    assert {"grpc.health.v1.Health", *(f"tasuki.v1.{name}Service" for name in SERVICES)} <= set(listed)
    health = json.loads(machine.run("grpcurl", "-plaintext", ADDRESS, "grpc.health.v1.Health/Check"))
    assert health == {"status": "SERVING"}


def test_grpcurl_shows_every_problem_of_a_bad_document(machine: Namespace) -> None:
    number_everyone_0 = 'walk(if type == "object" and .number then .number = 0 else . end) | {config: .}'
    said = machine.run("sh", "-c", f"jq '{number_everyone_0}' {EXAMPLE} | {APPLY} 2>&1", check=False)
    assert said.count("number 0 is reserved") >= 1
    assert "subscriber" in said
    got = json.loads(machine.run("grpcurl", "-plaintext", ADDRESS, "tasuki.v1.ConfigService/ListRevisions"))
    assert got == {}
