"""The command as it is typed: help, usage, options, exit status. Nothing here needs a controller."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tasuki_client.cli import app
from tasuki_client.connection import Connection, ConnectionProblem
from typer.testing import CliRunner

COMMANDS = (
    *("apply", "diff", "validate", "edit", "commit", "confirm", "cancel", "rollback", "commits", "lock"),
    *("get", "history", "show", "modules", "routers", "drift", "facts", "map", "render"),
)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> CliRunner:
    """A shell without any of tasuki's environment, at home in an empty directory."""
    for name in ("TASUKI_CONTROLLER", "TASUKI_INSECURE", "TASUKI_TLS_DIR", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return CliRunner()


@pytest.mark.parametrize("command", [[], *([name] for name in COMMANDS)])
def test_every_command_has_help_with_an_example(run: CliRunner, command: list[str]) -> None:
    result = run.invoke(app, [*command, "--help"])
    assert result.exit_code == 0
    assert "Example:\n    tasuki " in result.output
    assert "--controller HOST:PORT" in result.output
    assert max(len(line) for line in result.output.splitlines()) <= 80


def test_the_list_of_commands_tells_each_in_a_whole_sentence(run: CliRunner) -> None:
    output = run.invoke(app, ["--help"]).output
    assert all(f"\n  {name} " in output for name in COMMANDS)
    assert "..." not in output.split("Commands:")[1].split("Example:")[0]


def test_help_does_not_wait_for_grpc_nor_rich() -> None:
    heavy = "{'grpc', 'google.protobuf', 'rich', 'yaml', 'pydantic'}"
    code = f"import sys, tasuki_client.cli; sys.exit(bool({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["nonsense"], "No such command"),
        (["apply"], "Missing argument"),
        (["apply", "x.yaml", "--wait", "soon"], "--wait"),
        (["apply", "x.yaml", "--wait", "-1"], "--wait"),
        (["diff"], "give either files, or revisions"),
        (["diff", "x.yaml", "--from", "3"], "give either files, or revisions"),
        (["diff", "x.yaml", "--candidate"], "give either files, or revisions"),
        (["diff", "--from", "-1"], "--from"),
        (["diff", "x.yaml", "--fact", "home/wan0/global-address=2001:db8::1"], "give either files"),
        (["diff", "--fact", "home/wan0/global-address=2001:db8::1", "--delete"], "name them, or leave"),
        (["diff", "--candidate", "--replace"], "name them, or leave"),
        (["diff", "--fact", "home/wan0/global-address"], "write ROUTER/SUBJECT/NOUN=VALUE[,VALUE]"),
        (["diff", "--fact", "wan0/global-address=2001:db8::1"], "write ROUTER/SUBJECT/NOUN=VALUE[,VALUE]"),
        (["facts", "--limit", "0"], "--limit"),
        (["apply", "x.yaml", "--confirm", "0"], "--confirm"),
        (["apply", "x.yaml", "--plan"], "--plan goes with --dry-run"),
        (["rollback"], "Missing argument"),
        (["rollback", "0"], "REVISION"),
        (["lock"], "Missing argument"),
        (["lock", "--target", "startup", "--", "true"], "startup"),
        (["get", "--datastore", "startup"], "startup"),
        (["get", "--format", "xml"], "xml"),
        (["show"], "Missing argument"),
        (["show", "0"], "REVISION"),
        (["drift", "--since", "yesterday"], "write an age such as"),
        (["render", "home", "eight"], "NUMBER"),
        (["routers", "--format", "yaml"], "yaml"),
    ],
)
def test_wrong_usage_is_exit_status_2(run: CliRunner, arguments: list[str], problem: str) -> None:
    result = run.invoke(app, arguments)
    assert result.exit_code == 2
    assert problem in result.output


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["apply", "missing.yaml", "--insecure"], "missing.yaml: No such file or directory\n"),
        (["apply", "a.yaml", "--replace", "--delete"], "--replace and --delete exclude each other\n"),
        (["apply", "a.yaml", "b.yaml", "--delete"], "--delete takes one file\n"),
        (
            ["apply", "a.yaml", "--persist", "x"],
            "--persist names a confirmed commit: say --confirm SECONDS too\n",
        ),
        (
            ["confirm", "--insecure"],
            "no confirmed commit was made from here at 127.0.0.1:9339: give its name",
        ),
        (["cancel", "--insecure"], "no confirmed commit was made from here at 127.0.0.1:9339: give its name"),
        (["--controller", "2001:db8::1", "--insecure", "routers"], "'2001:db8::1' is ambiguous"),
        (["--insecure", "routers", "--controller", "192.0.2.1"], "--insecure is refused for 192.0.2.1:9339"),
        (["routers"], "if it runs with --insecure, say --insecure too; else let 'tasuki-controller issue"),
        (
            ["--controller", "192.0.2.1:9339", "routers"],
            "no certificate for the controller at 192.0.2.1:9339",
        ),
        (["routers", "--insecure", "--tls-key", "k.pem"], "--insecure and TLS files exclude each other"),
        (["routers", "--tls-cert", "none.pem"], "ca.pem: No such file or directory\n"),
    ],
)
def test_a_failure_is_exit_status_1_and_a_line_on_standard_error(
    run: CliRunner, arguments: list[str], problem: str
) -> None:
    result = run.invoke(app, arguments)
    assert result.exit_code == 1
    assert problem in result.stderr
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1


def test_options_after_the_command_win_over_those_before_it() -> None:
    before = Connection(controller="a", cert=Path("1"), key=Path("2"))
    after = Connection(controller="b", ca=Path("3"))
    assert before.overridden_by(after) == Connection("b", Path("1"), Path("2"), Path("3"))


def test_the_environment_names_the_controller_and_options_win_over_it(
    run: CliRunner, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TASUKI_CONTROLLER", f"unix:{tmp_path}/one")
    monkeypatch.setenv("TASUKI_INSECURE", "1")
    assert f"unix:{tmp_path}/one: start tasuki-controller" in run.invoke(app, ["routers"]).stderr
    other = ["routers", "--controller", f"unix:{tmp_path}/two"]
    assert f"unix:{tmp_path}/two: start tasuki-controller" in run.invoke(app, other).stderr


def test_a_directory_with_a_certificate_is_used_without_asking(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TASUKI_TLS_DIR", str(tmp_path))
    (tmp_path / "cert.pem").touch()
    with pytest.raises(ConnectionProblem, match=r"(ca|key)\.pem: No such file"):
        Connection().open_client()


def test_what_cannot_be_printed_is_escaped_and_kills_nothing(tmp_path: Path) -> None:
    environment = {"PYTHONIOENCODING": "ascii", "HOME": str(tmp_path)}
    result = subprocess.run(
        [Path(sys.executable).with_name("tasuki"), "apply", "襷.yaml", "--insecure"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    assert result.stderr == "\\u8977.yaml: No such file or directory\n"


@pytest.mark.parametrize("arguments", [["--help"], ["get", "--help"]])
def test_output_that_cannot_be_written_is_one_line(arguments: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [sys.executable, "-c", "from tasuki_client.cli import main; main()", *arguments],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (ended.returncode, ended.stderr) == (1, "standard output: No space left on device\n")


def test_a_reader_that_goes_away_is_no_problem_to_tell() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as pipe:
        ended = subprocess.run(
            [sys.executable, "-c", "from tasuki_client.cli import main; main()", "--help"],
            stdout=pipe,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (ended.returncode, ended.stderr) == (1, "")
