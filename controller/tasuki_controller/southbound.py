"""The agents' side: one stream per router, intents down, reports up."""

import asyncio
from collections.abc import AsyncIterator

import grpc
from tasuki_proto.channel import HEARTBEAT_SECONDS, SILENCE_SECONDS
from tasuki_proto.v1 import agent_pb2, agent_pb2_grpc
from tasuki_yang.errors import ConfigError

from tasuki_controller.access import Context, Role, caller_of, denied
from tasuki_controller.failure import Failed, invalid
from tasuki_controller.fleet import Fleet
from tasuki_controller.inbound import screen
from tasuki_controller.link import Link
from tasuki_controller.mailbox import MailboxClosedError
from tasuki_controller.pki import is_name


class AgentService(agent_pb2_grpc.AgentServiceServicer):
    """Keeps an agent's stream: whoever holds the router's certificate, and one per router."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    async def Connect(  # noqa: N802 - gRPC's name
        self, request_iterator: AsyncIterator[agent_pb2.ConnectRequest], context: Context
    ) -> AsyncIterator[agent_pb2.ConnectResponse]:
        """Send what is newest for the router, and take in what it says, until either side ends."""
        hello = await _hello(request_iterator, context)
        link = self._fleet.connect(hello, caller_of(context).peer)
        receiver = asyncio.create_task(self._receive(request_iterator, link))
        receiver.add_done_callback(lambda _: link.outbox.close())
        try:
            async for response in _outgoing(link):
                yield response
            # Whatever made the receiver end is what the agent should be told.
            await receiver
        finally:
            receiver.cancel()
            await self._fleet.disconnect(link)
            await asyncio.wait([receiver])

    async def _receive(self, requests: AsyncIterator[agent_pb2.ConnectRequest], link: Link) -> None:
        while (request := await _next(requests)) and self._fleet.is_current(link):
            link.mute = False
            match request.WhichOneof("message"):
                case "report":
                    await self._fleet.report(link, request.report)
                case "heartbeat":
                    await self._fleet.heartbeat(link, request.heartbeat)
                case "operational":
                    self._fleet.answer(link, request.operational)
                case "prepare_answer":
                    self._fleet.prepared(link, request.prepare_answer)
                case "hello":
                    raise invalid("Hello is the first message of a stream and comes once.", "bad-element")
                # A message that only newer agents know is passed over.


async def _hello(requests: AsyncIterator[agent_pb2.ConnectRequest], context: Context) -> agent_pb2.Hello:
    first = await _next(requests)
    if not first or first.WhichOneof("message") != "hello":
        raise invalid("The first message of a stream is Hello.", "missing-element")
    hello = first.hello
    if not is_name(hello.router):
        raise invalid(f"'{hello.router}' is no router's name.")
    caller = caller_of(context)
    if caller.role is Role.ROUTER and caller.name != hello.router:
        raise denied(f"The certificate of router '{caller.name}' does not stand for router '{hello.router}'.")
    return hello


async def _next(requests: AsyncIterator[agent_pb2.ConnectRequest]) -> agent_pb2.ConnectRequest | None:
    try:
        async with asyncio.timeout(SILENCE_SECONDS):
            request = await anext(requests, None)
    except TimeoutError as error:
        problem = ConfigError(
            error_type="transport",
            error_tag="operation-failed",
            message=f"The agent has said nothing for {SILENCE_SECONDS:.0f} s.",
        )
        raise Failed([problem], grpc.StatusCode.DEADLINE_EXCEEDED) from error
    if request:
        screen(request)
    return request


async def _outgoing(link: Link) -> AsyncIterator[agent_pb2.ConnectResponse]:
    while True:
        try:
            async with asyncio.timeout(HEARTBEAT_SECONDS):
                messages = await link.outbox.take()
        except TimeoutError:
            messages = [agent_pb2.ConnectResponse(heartbeat=agent_pb2.Heartbeat())]
        except MailboxClosedError:
            return
        for message in messages:
            yield message
