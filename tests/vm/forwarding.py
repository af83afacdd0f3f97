"""Has the tests that need another kernel run in the guest, and reports them here as if they had run here.

All of them run in one boot, by one pytest in there (`answering.py`), after all others: so the guest, which
takes every processor that it gets, disturbs no test that runs here. What pytest reports of each phase of a
test comes back as it is, under the same node id. With xdist, each worker that comes to such a test boots a
guest of its own, for it cannot know which ones the others will come to.
"""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import guest
import pytest
from vm import features

SILENCE_SECONDS = 60.0
"""What the fixtures of modules and sessions may take beyond the timeout of a test."""


class Guest(Protocol):
    """What runs the forwarded tests: guest.Guest, or a plain process in the tests of forwarding itself."""

    def answer(self, *, within: float) -> str | None: ...
    def last_words(self) -> str: ...
    def stop(self) -> None: ...


@dataclass
class Answers:
    """What the guest reports, sorted by test."""

    source: Guest
    patience: float
    """Seconds that the next line may take; before the first one, the guest boots and collects its tests."""
    _reports: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    _finished: set[str] = field(default_factory=set)

    def of(self, nodeid: str, *, within: float) -> list[dict[str, Any]]:
        """The reports of one test, as soon as it has finished.

        Raises:
            GuestError: there will not be any.
        """
        while nodeid not in self._finished:
            line = self.source.answer(within=self.patience)
            self.patience = within
            if line is None:
                raise guest.GuestError(f"the guest ended without this test; {self.source.last_words()}")
            message = json.loads(line)
            if "report" in message:
                self._reports.setdefault(message["test"], []).append(message["report"])
            elif "test" in message:
                self._finished.add(message["test"])
        return self._reports.pop(nodeid, [])


class Forwarding:
    """The plugin of this side."""

    def __init__(
        self,
        config: pytest.Config,
        *,
        has: Callable[[str], bool] = features.has,
        unavailable: Callable[[], str | None] = guest.unavailable,
        boot: Callable[[Sequence[str]], Guest] = guest.Guest.boot,
        boot_seconds: float = guest.BOOT_SECONDS,
    ) -> None:
        self._config = config
        self._has = has
        self._unavailable = unavailable
        self._boot = boot
        self._boot_seconds = boot_seconds
        self._everything: bool = config.getoption("in_vm")
        self._seconds: dict[pytest.Item, float] = {}
        self._waiting: list[str] = []
        self._answers: Answers | None = None
        self._lost: str | None = None
        if self._everything and (reason := unavailable()):
            raise pytest.UsageError(f"--in-vm: there is no virtual machine: {reason}")

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        """Decide where it runs; a test that can run nowhere is skipped."""
        lacking = [feature for feature in features.needs(item) if not self._has(feature)]
        if not lacking and not self._everything:
            return
        if reason := self._unavailable():
            lacks = f"this kernel lacks {', '.join(lacking)}"
            item.add_marker(pytest.mark.skip(reason=f"{lacks}, and there is no virtual machine: {reason}"))
            return
        self._seconds[item] = timeout_in_guest(item) + SILENCE_SECONDS
        item.add_marker(pytest.mark.timeout(0), append=False)  # the guest takes the time

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items.sort(key=lambda item: item in self._seconds)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self._waiting = [item.nodeid for item in session.items if item in self._seconds]

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> bool | None:
        if item not in self._seconds:
            return None
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        for report in self._reports(item):
            item.ihook.pytest_runtest_logreport(report=report)
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        return True

    def pytest_sessionfinish(self) -> None:
        if self._answers:
            self._answers.source.stop()

    def _reports(self, item: pytest.Item) -> Iterator[pytest.TestReport]:
        """What came of it in the guest; the guest is not asked again once it is lost."""
        if self._lost is None:
            try:
                if self._answers is None:
                    self._answers = Answers(self._boot(self._job()), self._boot_seconds)
                found = self._answers.of(item.nodeid, within=self._seconds[item])
            except guest.GuestError as e:
                self._lost = str(e)
            else:
                for data in found:
                    yield self._report(data)
        if self._lost is not None:
            yield pytest.TestReport(item.nodeid, item.location, {}, "failed", self._lost, "setup")

    def _report(self, data: dict[str, Any]) -> pytest.TestReport:
        report = self._config.hook.pytest_report_from_serializable(config=self._config, data=data)
        assert isinstance(report, pytest.TestReport)
        if isinstance(report.longrepr, list):  # of a skipped test; JSON has no tuples
            report.longrepr = tuple(report.longrepr)
        return report

    def _job(self) -> list[str]:
        option = self._config.option
        return [
            *(sys.executable, "-m", "pytest", f"--answers={guest.ANSWERS}", "-p", "no:cacheprovider"),
            *(f"--verbosity={self._config.get_verbosity()}", f"--tb={option.tbstyle}"),
            "--color=no",  # its console would have colours, what this is printed to need not
            *(["--showlocals"] if option.showlocals else []),
            *self._waiting,
        ]


def timeout_in_guest(item: pytest.Item) -> float:
    """How many seconds a test may take in there."""
    marker = item.get_closest_marker("timeout")
    return float(marker.args[0] if marker else item.config.getini("timeout")) * guest.SLOWNESS
