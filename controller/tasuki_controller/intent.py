"""What one router shall be, ready to be sent."""

import gzip
import hashlib
from dataclasses import dataclass
from typing import Final

from tasuki_proto.v1 import agent_pb2
from tasuki_yang.tree import Tree

from tasuki_controller.document import text_of
from tasuki_controller.store import IntentMark

FAST: Final = 1
"""Level of compression: the event loop waits for it."""


@dataclass(frozen=True, slots=True)
class RouterIntent:
    """A router's intended tree and the revision that last changed it."""

    revision: int
    digest: str
    text: bytes

    @property
    def mark(self) -> IntentMark:
        """What the store keeps of it."""
        return IntentMark(self.revision, self.digest)

    def message(self, *, held: str = "") -> agent_pb2.Intent:
        """The intent as it travels, without its text to an agent that holds this digest already."""
        packed = b"" if held == self.digest else gzip.compress(self.text, FAST, mtime=0)
        return agent_pb2.Intent(revision=self.revision, config_json_gz=packed, digest=self.digest)


def router_intent(revision: int, tree: Tree) -> RouterIntent:
    """The intent of this revision. Equal trees have equal digests."""
    text = text_of(tree, sort_names=True)
    return RouterIntent(revision, hashlib.sha256(text).hexdigest(), text)
