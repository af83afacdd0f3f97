"""The command proves who it is, and says what to do when that fails."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from controller_process import ControllerProcess, command, running

from .conftest import run


@pytest.fixture
async def controller(tmp_path: Path) -> AsyncIterator[ControllerProcess]:
    state = tmp_path / "state"
    await command("--state-dir", state, "init")
    for role, name in (("operator", "alice"), ("router", "vps")):
        await command("--state-dir", state, "issue", role, name, "--out", tmp_path / name)
    async with running(state) as process:
        yield process


async def test_a_directory_of_files_is_all_that_it_needs(
    controller: ControllerProcess, tmp_path: Path
) -> None:
    network = '{"tasuki-network:network": {"router": [{"name": "vps"}]}}'
    environment = {"TASUKI_CONTROLLER": str(controller.target), "TASUKI_TLS_DIR": str(tmp_path / "alice")}
    assert (await run("apply", "-", stdin=network, **environment)).status == 0
    assert "  alice  " in (await run("history", **environment)).out


async def test_files_can_be_named_one_by_one(controller: ControllerProcess, tmp_path: Path) -> None:
    alice = tmp_path / "alice"
    files = ("--tls-cert", alice / "cert.pem", "--tls-key", alice / "key.pem", "--tls-ca", alice / "ca.pem")
    result = await run("routers", "--controller", str(controller.target), *files)
    assert (result.status, result.err) == (0, "")


async def test_a_routers_certificate_opens_nothing(controller: ControllerProcess, tmp_path: Path) -> None:
    environment = {"TASUKI_CONTROLLER": str(controller.target), "TASUKI_TLS_DIR": str(tmp_path / "vps")}
    result = await run("get", **environment)
    assert (result.status, result.out) == (1, "")
    assert result.err.startswith("The router 'vps' may not call tasuki.v1.ConfigService. ")
    assert "tasuki-controller issue operator" in result.err


async def test_another_controllers_certificate_is_told_from_no_controller(
    controller: ControllerProcess, tmp_path: Path
) -> None:
    await command("--state-dir", tmp_path / "other", "init")
    await command("--state-dir", tmp_path / "other", "issue", "operator", "eve", "--out", tmp_path / "eve")
    environment = {"TASUKI_CONTROLLER": str(controller.target), "TASUKI_TLS_DIR": str(tmp_path / "eve")}
    result = await run("get", **environment)
    assert (result.status, result.out) == (1, "")
    assert result.err.startswith(f"the TLS handshake with the controller at {controller.target} failed: ")
    assert "the certificate must come from its CA" in result.err
    assert result.err.count("\n") == 1


async def test_a_certificate_that_the_controller_rejects_is_told_from_no_controller(
    controller: ControllerProcess, tmp_path: Path
) -> None:
    await command("--state-dir", tmp_path / "other", "init")
    await command("--state-dir", tmp_path / "other", "issue", "operator", "eve", "--out", tmp_path / "eve")
    (tmp_path / "eve" / "ca.pem").write_bytes((tmp_path / "alice" / "ca.pem").read_bytes())
    environment = {"TASUKI_CONTROLLER": str(controller.target), "TASUKI_TLS_DIR": str(tmp_path / "eve")}
    result = await run("get", **environment)
    assert (result.status, result.out) == (1, "")
    assert result.err.startswith(f"the controller at {controller.target} closes the connection: ")
    assert "the certificate must come from its CA" in result.err


async def test_a_controller_with_tls_does_not_talk_without(controller: ControllerProcess) -> None:
    result = await run("--insecure", "get", "--controller", str(controller.target))
    assert (result.status, result.out) == (1, "")
    assert result.err.startswith(f"the controller at {controller.target} closes the connection: ")
    assert "--insecure" in result.err
