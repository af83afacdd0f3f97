"""The guest's side of `forwarding.py`: writes what pytest reports of each test, as lines of JSON."""

import json
from pathlib import Path
from typing import Any

import pytest
from vm.forwarding import timeout_in_guest


class Answering:
    """The plugin of the guest's side."""

    def __init__(self, config: pytest.Config, answers: Path) -> None:
        self._config = config
        self._answers = answers.open("w")

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        """Give it more time. What it needs is not asked: the guest has it, or the test shall fail."""
        item.add_marker(pytest.mark.timeout(timeout_in_guest(item)), append=False)

    def pytest_collection_finish(self) -> None:
        self._say({})

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        data = self._config.hook.pytest_report_to_serializable(config=self._config, report=report)
        self._say({"test": report.nodeid, "report": data})

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        self._say({"test": nodeid})

    def pytest_unconfigure(self) -> None:
        self._answers.close()

    def _say(self, message: dict[str, Any]) -> None:
        self._answers.write(json.dumps(message) + "\n")
        self._answers.flush()
