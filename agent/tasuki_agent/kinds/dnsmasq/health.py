"""Whether the forwarder answers: a process may be there and do nothing."""

import asyncio
from dataclasses import dataclass
from typing import Final

from tasuki_agent.kinds.dnsmasq.dns import OWN_ADDRESS, PORT

ASK_SECONDS: Final = 20.0
"""Between questions, as long as they are answered."""
ASK_AGAIN_SECONDS: Final = 1.0
ANSWER_SECONDS: Final = 2.0
PATIENCE: Final = 3
"""Questions in a row without an answer that make it unhealthy."""

_ID: Final = b"ta"
_QUESTION: Final = (
    _ID + bytes.fromhex("0000 0001 0000 0000 0000") + b"\x07version\x04bind\x00\x00\x10\x00\x03"
)
"""For version.bind, class CH, type TXT, which is asked of no other server (RFC 1035 section 4.1)."""


@dataclass(slots=True)
class Health:
    """What came of asking.

    Attributes:
        unanswered: questions in a row.
    """

    unanswered: int = 0

    @property
    def verdict(self) -> str:
        """Why it does not serve; nothing if it does, or may."""
        return f"it does not answer DNS queries at {OWN_ADDRESS}" if self.unanswered >= PATIENCE else ""

    @property
    def rest_seconds(self) -> float:
        """How long to wait before the next question."""
        return ASK_AGAIN_SECONDS if 0 < self.unanswered < PATIENCE else ASK_SECONDS

    async def ask(self) -> None:
        """Ask once."""
        self.unanswered = 0 if await _answers() else self.unanswered + 1


class _Conversation(asyncio.DatagramProtocol):
    """Waits for any answer to the question: that there is one is all that matters."""

    def __init__(self) -> None:
        self.answered = asyncio.Event()

    def datagram_received(self, data: bytes, addr: object) -> None:  # noqa: ARG002
        """Take what has the question's number."""
        if data.startswith(_ID):
            self.answered.set()


async def _answers() -> bool:
    try:
        transport, conversation = await asyncio.get_running_loop().create_datagram_endpoint(
            _Conversation, remote_addr=(OWN_ADDRESS, PORT)
        )
    except OSError:
        return False
    try:
        transport.sendto(_QUESTION)
        async with asyncio.timeout(ANSWER_SECONDS):
            await conversation.answered.wait()
    except TimeoutError:
        return False
    finally:
        transport.close()
    return True
