"""What this router shall be, as the controller sent it."""

import gzip
import hashlib
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field

from tasuki_yang.router import Router


class BrokenIntent(Exception):  # noqa: N818
    """The text is not what its digest says, or not a router tree. It is never acted upon."""


@dataclass(frozen=True, slots=True)
class Intent:
    """One revision of the router tree.

    Attributes:
        revision: number of the controller's revision that it was made of.
        text: RFC 7951 JSON text of the router tree.
        controller_timeout: seconds without the controller after which a change is left; 0 for never.
        tree: parses the text. What it returns is not kept: it takes more memory than all else that an agent
            knows of its router, and is read seldom.
    """

    revision: int
    text: bytes
    controller_timeout: float
    tree: Callable[[], Router] = field(compare=False, repr=False)

    @property
    def digest(self) -> str:
        """SHA-256 of the text in hexadecimal: what the controller knows it by."""
        return hashlib.sha256(self.text).hexdigest()

    @classmethod
    def parse(cls, revision: int, text: bytes) -> "Intent":
        """Read an intent from its text.

        Raises:
            BrokenIntent: it is no router tree of this agent's models.
        """
        try:
            tree = read_tree(text)
        except BrokenIntent as error:
            raise BrokenIntent(f"revision {revision} is {error}") from error
        return cls(revision, text, tree.agent.controller_timeout, _Parsed(text, tree))

    @classmethod
    def unpack(cls, revision: int, compressed: bytes, digest: str) -> "Intent":
        """Read an intent as it travels: gzip-compressed, with the digest of the text.

        Raises:
            BrokenIntent: it was damaged on its way, or is no router tree.
        """
        try:
            text = decompress(compressed)
        except BrokenIntent as error:
            raise BrokenIntent(f"revision {revision} {error}") from error
        return cls.checked(revision, text, digest)

    @classmethod
    def checked(cls, revision: int, text: bytes, digest: str) -> "Intent":
        """Read an intent whose digest is known.

        Raises:
            BrokenIntent: text and digest do not belong together, or it is no router tree.
        """
        if hashlib.sha256(text).hexdigest() != digest:
            raise BrokenIntent(f"revision {revision} does not match its digest")
        return cls.parse(revision, text)


@dataclass(slots=True)
class _Parsed:
    """A text that was parsed to see whether it can be: who reads it first need not do so again."""

    text: bytes
    first: Router | None

    def __call__(self) -> Router:
        tree, self.first = self.first, None
        return tree or read_tree(self.text)


def decompress(compressed: bytes) -> bytes:
    """The text of a tree as it travels.

    Raises:
        BrokenIntent: it was damaged on its way.
    """
    try:
        return gzip.decompress(compressed)
    except (OSError, EOFError, zlib.error) as error:
        raise BrokenIntent(f"cannot be decompressed: {error}") from error


def read_tree(text: bytes) -> Router:
    """The router tree that a text spells.

    Raises:
        BrokenIntent: it is none of this agent's models.
    """
    try:
        return Router.model_validate_json(text)
    except ValueError as error:
        raise BrokenIntent(f"not a router tree that this agent knows: {error}") from error
