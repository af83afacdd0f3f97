"""Problems of a configuration, in the terms of RFC 6241 section 4.3 and RFC 7950 section 15."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

ErrorType: TypeAlias = Literal["transport", "rpc", "protocol", "application"]
ErrorTag: TypeAlias = Literal[
    "in-use",
    "invalid-value",
    "too-big",
    "missing-attribute",
    "bad-attribute",
    "unknown-attribute",
    "missing-element",
    "bad-element",
    "unknown-element",
    "unknown-namespace",
    "access-denied",
    "lock-denied",
    "resource-denied",
    "rollback-failed",
    "data-exists",
    "data-missing",
    "operation-not-supported",
    "operation-failed",
    "malformed-message",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigError:
    """One problem: where it is, what is wrong and what is allowed."""

    error_tag: ErrorTag
    error_path: str = ""
    """Absolute instance-identifier; empty when no node can be named."""
    message: str = ""
    error_app_tag: str = ""
    error_info: Mapping[str, str] = field(default_factory=dict)
    error_type: ErrorType = "application"
    router: str = ""
    """The router whose tree the path lies in; empty for the network tree."""

    def __str__(self) -> str:
        """Path and message, as a person reads them."""
        place = ": ".join(part for part in (self.router, self.error_path) if part)
        return f"{place}: {self.message}" if place else self.message


class InvalidIntent(Exception):  # noqa: N818 - one of the four words for what can go wrong
    """The configuration, or what was asked of it, cannot be accepted. Holds all problems, not the first."""

    def __init__(self, errors: Iterable[ConfigError]) -> None:
        self.errors: tuple[ConfigError, ...] = tuple(errors)
        super().__init__("\n".join(str(error) for error in self.errors))
