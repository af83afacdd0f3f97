"""One agent's stream as the controller holds it: what waits to be sent, and who waits for an answer."""

import asyncio
import gzip
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, get_args

from tasuki_proto.v1 import agent_pb2, error_pb2, fact_pb2
from tasuki_yang.errors import ConfigError, ErrorTag
from tasuki_yang.facts import Facts

from tasuki_controller.failure import Failed
from tasuki_controller.intent import FAST, RouterIntent
from tasuki_controller.mailbox import Mailbox

_TAGS: Final = frozenset(get_args(ErrorTag))


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a router says to an intent before it becomes its own."""

    answered: bool = False
    """False of a router that is not connected or did not answer in time; then nothing else is known."""
    refusals: Sequence[ConfigError] = ()
    """Why it cannot be done there."""
    plan: Sequence[str] = ()
    """The changes in order, such as "create link vxlan01"."""
    waiting: Sequence[str] = ()
    """Objects that would not be there at once, and why."""


@dataclass(eq=False, slots=True)
class Link:
    """One agent's stream."""

    router: str
    held: int = 0
    """Revision that the agent was last known to hold; 0 for none."""
    instance: str = ""
    """Which process the agent is; empty if it does not say."""
    outbox: Mailbox[str, agent_pb2.ConnectResponse] = field(default_factory=Mailbox)
    questions: dict[int, asyncio.Future[agent_pb2.Operational]] = field(default_factory=dict)
    preparations: dict[int, asyncio.Future[agent_pb2.PrepareAnswer]] = field(default_factory=dict)
    asked: int = 0
    reported: bool = False
    """Whether it has told how it stands."""
    mute: bool = False
    """Has not answered in time, nor said anything since: it is not waited for again."""

    def send(self, message: agent_pb2.ConnectResponse) -> None:
        """Leave a message, in the place of an unsent older one of its sort."""
        self.outbox.put(message.WhichOneof("message"), message)

    async def operational(self) -> agent_pb2.Operational:
        """Ask for the operational tree. One answer serves every question asked before it was given."""
        self.asked += 1
        number = self.asked
        self.questions[number] = asyncio.get_running_loop().create_future()
        self.send(agent_pb2.ConnectResponse(operational_request=agent_pb2.OperationalRequest(id=number)))
        try:
            return await self.questions[number]
        finally:
            del self.questions[number]

    def answer(self, answer: agent_pb2.Operational) -> None:
        """Give the operational tree to whoever asked for it up to this question."""
        for number, question in self.questions.items():
            if number <= answer.id and not question.done():
                question.set_result(answer)

    async def prepare(self, intent: RouterIntent, suppose: Facts) -> Prepared:
        """Ask what the router would do with this intent if it knew this. Each asker gets its own answer.

        Raises:
            Failed: the stream has ended.
        """
        self.asked += 1
        number = self.asked
        slot = f"prepare_request {number}"
        packed = await asyncio.to_thread(gzip.compress, intent.text, FAST)
        facts = [
            fact_pb2.Fact(subject=key.subject, noun=key.noun, values=values)
            for key, values in suppose.items()
        ]
        request = agent_pb2.PrepareRequest(id=number, config_json_gz=packed, suppose=facts)
        self.preparations[number] = asyncio.get_running_loop().create_future()
        self.outbox.put(slot, agent_pb2.ConnectResponse(prepare_request=request))
        try:
            answer = await self.preparations[number]
        finally:
            self.outbox.discard(slot)
            del self.preparations[number]
        return Prepared(
            answered=True,
            refusals=tuple(_problem(refusal, self.router) for refusal in answer.refusals),
            plan=tuple(answer.plan),
            waiting=tuple(answer.waiting),
        )

    def prepared(self, answer: agent_pb2.PrepareAnswer) -> None:
        """Give the answer to whoever asked, if it is still waited for."""
        question = self.preparations.get(answer.id)
        if question and not question.done():
            question.set_result(answer)

    def close(self, reason: Failed) -> None:
        """End the stream."""
        self.outbox.close(reason)
        waiting: list[asyncio.Future[Any]] = [*self.questions.values(), *self.preparations.values()]
        for question in waiting:
            if not question.done():
                question.set_exception(reason)


def _problem(refusal: error_pb2.ConfigError, router: str) -> ConfigError:
    return ConfigError(
        error_tag=refusal.error_tag if refusal.error_tag in _TAGS else "operation-failed",  # type: ignore[arg-type]
        error_app_tag=refusal.error_app_tag,
        error_path=refusal.error_path,
        message=refusal.message,
        error_info=dict(refusal.error_info),
        # Whatever it says: a router refuses for itself only.
        router=router,
    )
