"""The layers of tests: each folder under tests/ is one, and `--every-layer` insists that each of them ran.

A layer whose tests were all skipped proves nothing, and a green run would hide it. Only where there can be no
virtual machine, the layer that needs it is excused, in so many words; with TASUKI_VM=required not even there.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import guest
import pytest
from hypothesis import settings
from vm.answering import Answering
from vm.forwarding import Forwarding

# A property that is slow once has met a busy machine; timed limits are what `make bench` is for.
settings.register_profile("tasuki", deadline=None)
settings.load_profile("tasuki")

TESTS = Path(__file__).parent
LAYERS = ("unit", "scenario", "kernel", "lab", "vm")
NEED_ROOT = {"kernel", "lab", "vm"}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--every-layer", action="store_true", help="fail if a layer of tests ran nothing")
    parser.addoption(
        "--in-vm", action="store_true", help="run the tests in the guest, whatever this kernel has"
    )
    parser.addoption("--answers", type=Path, help="(for the guest) the file that takes the reports")


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(LayerCount(config), "tasuki-layers")
    answers = config.getoption("answers")
    config.pluginmanager.register(
        Answering(config, answers) if answers else Forwarding(config), "tasuki-guest"
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    no_root = pytest.mark.skip(reason="needs root, because it makes network namespaces")
    for item in items:
        layer = item.path.relative_to(TESTS).parts[0]
        if layer in NEED_ROOT:
            item.add_marker(layer)
            if os.geteuid() != 0:
                item.add_marker(no_root)


class LayerCount:
    """Notes which layers had a test that passed, and fails the run for those that had none."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.passed: set[str] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.passed and report.when == "call":
            path = (self.config.rootpath / report.location[0]).resolve()
            self.passed.add(path.relative_to(TESTS).parts[0])

    @property
    def idle_layers(self) -> dict[str, str | None]:
        """Layers of which no test passed, with their excuses."""
        no_guest = None if os.environ.get("TASUKI_VM") == "required" else guest.unavailable()
        return {layer: no_guest if layer == "vm" else None for layer in LAYERS if layer not in self.passed}

    @pytest.hookimpl(wrapper=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Iterator[None]:
        if (
            self.config.getoption("every_layer")
            and None in self.idle_layers.values()
            and session.exitstatus == pytest.ExitCode.OK
        ):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        yield

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.config.getoption("every_layer"):
            for layer, excuse in self.idle_layers.items():
                if excuse:
                    terminalreporter.write_line(f"no test of tests/{layer} ran: {excuse}", yellow=True)
                else:
                    terminalreporter.write_line(f"FAILED: no test of tests/{layer} ran", red=True)
