"""What the kinds have the kernel change."""

from typing import Any

import pytest
from tasuki_agent.kernel import Kernel


class Writes:
    """The requests that go out, which the kernel answers as ever."""

    def __init__(self, kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
        self._lines: list[str] = []
        request = kernel.rtnetlink.request

        def noting(*arguments: Any, doing: str, subject: object, **options: Any) -> Any:
            self._lines.append(f"{doing} {subject}")
            return request(*arguments, doing=doing, subject=subject, **options)

        monkeypatch.setattr(kernel.rtnetlink, "request", noting)

    def taken(self) -> list[str]:
        """Those since the last time, in their order."""
        lines, self._lines = self._lines, []
        return lines
