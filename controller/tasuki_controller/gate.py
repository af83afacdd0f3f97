"""The gate that every call passes: who may call, and how its problems are told.

One interceptor for all services, so that a service that forgets to ask cannot exist: what `access` does not
list is denied.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from typing import Any, TypeAlias

import grpc
from grpc import aio
from tasuki_proto.status import trailing_metadata
from tasuki_yang.errors import ConfigError, InvalidIntent

from tasuki_controller.access import Context, authorize, caller_of
from tasuki_controller.failure import Failed, message_of
from tasuki_controller.store import StoreError

Behaviour: TypeAlias = Callable[[Any, Context], Any]


class Gate(aio.ServerInterceptor):
    """Checks the caller's right before a handler runs, and turns its failures into gRPC's."""

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Any:
        """Put the gate before the handler of this method, if there is one."""
        handler = await continuation(handler_call_details)
        if handler is None:
            return None
        _, service, _ = handler_call_details.method.split("/")
        if handler.request_streaming:
            make = grpc.stream_stream_rpc_method_handler
            behaviour = _gated_stream(handler.stream_stream, service)
        elif handler.response_streaming:
            make = grpc.unary_stream_rpc_method_handler
            behaviour = _gated_stream(handler.unary_stream, service)
        else:
            make = grpc.unary_unary_rpc_method_handler
            behaviour = _gated(handler.unary_unary, service)
        return make(behaviour, handler.request_deserializer, handler.response_serializer)


def _gated(behaviour: Behaviour, service: str) -> Behaviour:
    async def answer(request: Any, context: Context) -> Any:
        async with _answering(service, context):
            return await behaviour(request, context)

    return answer


def _gated_stream(behaviour: Behaviour, service: str) -> Behaviour:
    async def stream(request: Any, context: Context) -> None:
        async with _answering(service, context):
            responses = behaviour(request, context)
            # Handlers of the health service write by themselves.
            if not isinstance(responses, AsyncGenerator):
                await responses
                return
            # A caller that goes away must end the generator at once, not when it is collected.
            async with aclosing(responses):
                async for response in responses:
                    await context.write(response)

    return stream


@asynccontextmanager
async def _answering(service: str, context: Context) -> AsyncIterator[None]:
    try:
        authorize(caller_of(context), service)
        yield
    except Failed as failed:
        await _abort(context, failed)
    except InvalidIntent as invalid:
        await _abort(context, Failed(invalid.errors))
    except StoreError as error:
        problem = ConfigError(error_type="application", error_tag="operation-failed", message=f"{error}.")
        await _abort(context, Failed([problem], grpc.StatusCode.INTERNAL))


async def _abort(context: Context, failed: Failed) -> None:
    text = str(failed)
    problems = [message_of(problem) for problem in failed.problems]
    await context.abort(failed.code, text, trailing_metadata(failed.code, text, problems))
