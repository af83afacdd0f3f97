"""Forwarding to the guest, with an ordinary process in place of the virtual machine."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]

CONFTEST = """
import os

from guest import ANSWERS, Guest
from vm.answering import Answering
from vm.forwarding import Forwarding
import vm.forwarding

KERNEL = os.environ["KERNEL"]


def pytest_addoption(parser):
    parser.addini("timeout", default="10", help="")
    parser.addoption("--in-vm", action="store_true")
    parser.addoption("--answers", type=vm.answering.Path)


def boot(job):
    def command(directory, answers):
        if KERNEL == "does not boot":
            return ["sh", "-c", "echo no root file system; exit 1"]
        if KERNEL == "hangs":
            return ["sh", "-c", "echo $$ >hanging; echo still probing; exec sleep 60"]
        return [argument.replace(ANSWERS, f"/proc/self/fd/{answers}") for argument in job]

    return Guest(command)


def pytest_configure(config):
    config.addinivalue_line("markers", "needs_kernel(*features)")
    if config.option.answers:
        plugin = Answering(config, config.option.answers)
    else:
        plugin = Forwarding(
            config,
            has=lambda feature: KERNEL == "has it",
            unavailable=lambda: "no emulator" if KERNEL == "lacks it, alone" else None,
            boot=boot,
            boot_seconds=1 if KERNEL == "hangs" else 20,
        )
    config.pluginmanager.register(plugin)
"""

NATIVE = """
import os, pathlib, pytest

needs_tunnels = pytest.mark.needs_kernel("ip6_tunnel")


@pytest.fixture(autouse=True, scope="module")
def _where():
    with open("where", "a") as file:
        file.write(f"{os.getpid()}\\n")


def test_anywhere():
    pass
"""

FORWARDED = """

@needs_tunnels
@pytest.mark.parametrize("number", [1, 2])
def test_passes(number):
    print("not worth telling")


@needs_tunnels
def test_fails():
    print("these words")
    seen = {"mtu": 1460}
    assert seen == {"mtu": 1500}, "as it was"


@needs_tunnels
def test_is_skipped():
    pytest.skip("for this reason")


@needs_tunnels
@pytest.mark.xfail(reason="it always does")
def test_is_expected_to_fail():
    raise OSError


@pytest.fixture
def broken():
    yield
    raise ValueError("a fixture's end")


@needs_tunnels
def test_ends_badly(broken):
    pass
"""


@dataclass(frozen=True)
class Project:
    """A project with a few tests."""

    directory: Path

    def pytest(self, kernel: str, *arguments: str) -> str:
        """What pytest prints on a kernel."""
        path = f"{REPOSITORY}/tests:{REPOSITORY}/lab"
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "pytest",
                "-p",
                "no:cacheprovider",
                "-p",
                "no:hypothesispytest",
                *arguments,
            ],
            check=False,
            cwd=self.directory,
            env={**os.environ, "KERNEL": kernel, "PYTHONPATH": path},
            capture_output=True,
            text=True,
        )
        assert done.returncode in {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED}, (
            done.stdout + done.stderr
        )
        return done.stdout

    def processes(self) -> list[str]:
        """The process that ran the module's tests, for each time that it was imported for that."""
        return (self.directory / "where").read_text().split()


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_it.py").write_text(NATIVE + FORWARDED)
    return Project(tmp_path)


def without_times(output: str) -> str:
    return re.sub(r"=+ (.*) in [0-9.]+s =+|[0-9.]+s (call|setup|teardown)", r"\1", output)


def test_what_is_printed_is_the_same_wherever_a_test_ran(project: Project) -> None:
    here = project.pytest("has it", "-v", "-rA")
    there = project.pytest("lacks it", "-v", "-rA")
    assert without_times(there) == without_times(here)
    assert "1 failed, 4 passed, 1 skipped, 1 xfailed, 1 error" in there


def test_only_what_needs_it_runs_in_the_guest_all_in_one_boot(project: Project) -> None:
    project.pytest("lacks it")
    assert len(project.processes()) == 2
    assert len(set(project.processes())) == 2


def test_everything_can_be_run_in_the_guest(project: Project) -> None:
    assert "4 passed" in project.pytest("has it", "--in-vm", "-k", "passes or anywhere or badly")
    assert len(project.processes()) == 1


def test_the_first_failure_ends_a_run_with_x(project: Project) -> None:
    assert "1 failed, 3 passed in" in project.pytest("lacks it", "-x")


def test_one_test_is_run_by_its_node_id(project: Project) -> None:
    assert "1 passed in" in project.pytest("lacks it", "test_it.py::test_passes[2]")


def test_workers_of_xdist_report_the_same(project: Project) -> None:
    assert "1 failed, 4 passed, 1 skipped, 1 xfailed, 1 error" in project.pytest("lacks it", "-n", "2")


def test_without_a_virtual_machine_the_reason_is_printed(project: Project) -> None:
    output = project.pytest("lacks it, alone", "-rs")
    assert "1 passed, 6 skipped" in output
    assert "this kernel lacks ip6_tunnel, and there is no virtual machine: no emulator" in output


def test_a_failed_boot_is_an_error_of_each_test_in_the_words_of_the_console(project: Project) -> None:
    output = project.pytest("does not boot")
    assert "1 passed, 6 errors" in output
    assert output.count("no root file system") >= 6


def test_a_boot_that_hangs_ends_in_time_and_leaves_nothing_behind(project: Project) -> None:
    output = project.pytest("hangs")
    assert "1 passed, 6 errors" in output
    assert "still probing" in output
    assert not Path("/proc", (project.directory / "hanging").read_text().strip()).exists()


def test_a_guest_that_ends_early_is_an_error_of_the_tests_that_it_owed(project: Project) -> None:
    dying = "\n\n@needs_tunnels\ndef test_kills_the_guest():\n    os._exit(1)\n"
    (project.directory / "test_it.py").write_text(NATIVE + dying + FORWARDED)
    assert "1 passed, 7 errors" in project.pytest("lacks it")
