"""How a change is committed: the options that `apply`, `edit`, `commit` and `rollback` have in common."""

import math
from dataclasses import dataclass
from typing import Any, Final

from tasuki_client.errors import TasukiError

_SETTLE: Final = 30
"""Seconds in which a failure of a router is waited for when it is to revert them all."""


@dataclass(frozen=True, slots=True)
class Order:
    """The options as they were given."""

    comment: str = ""
    confirm: int | None = None
    persist: str = ""
    rollback_on_failure: bool = False
    wait: float | None = None
    follows: str = ""
    """Name of the pending confirmed commit that this one confirms or extends."""

    def __post_init__(self) -> None:
        """Refuse what makes no sense together."""
        if self.persist and self.confirm is None:
            raise TasukiError("--persist names a confirmed commit: say --confirm SECONDS too")

    @property
    def may_revert(self) -> bool:
        """Whether the routers may go back, so that a newer revision there does not mean success."""
        return self.confirm is not None or self.rollback_on_failure

    @property
    def settle(self) -> int:
        """Seconds for which the controller shall wait for the routers before it answers."""
        if not self.may_revert:
            return 0
        return math.ceil(self.wait if self.wait is not None else _SETTLE * self.rollback_on_failure)

    def arguments(self, persist: str) -> dict[str, Any]:
        """What the client's methods call them."""
        return {
            "comment": self.comment,
            "confirm": self.confirm,
            "persist": persist,
            "rollback_on_failure": self.rollback_on_failure,
            "wait": self.settle,
        }
