"""The controller's process: its parts put together, its sockets, and its end."""

import asyncio
import logging
import os
import signal
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from grpc import aio
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from tasuki_proto.channel import SERVER_OPTIONS, Target, TlsFiles
from tasuki_proto.v1.agent_pb2_grpc import add_AgentServiceServicer_to_server as add_agent
from tasuki_proto.v1.config_pb2_grpc import add_ConfigServiceServicer_to_server as add_config
from tasuki_proto.v1.drift_pb2_grpc import add_DriftServiceServicer_to_server as add_drift
from tasuki_proto.v1.fact_pb2_grpc import add_FactServiceServicer_to_server as add_fact
from tasuki_proto.v1.router_pb2_grpc import add_RouterServiceServicer_to_server as add_router

from tasuki_controller.datastores import Datastores
from tasuki_controller.fleet import Fleet
from tasuki_controller.gate import Gate
from tasuki_controller.northbound.config import ConfigService
from tasuki_controller.northbound.drift import DriftService
from tasuki_controller.northbound.facts import FactService
from tasuki_controller.northbound.router import RouterService
from tasuki_controller.southbound import AgentService
from tasuki_controller.sqlite import SqliteStore

_log = logging.getLogger(__name__)

_SERVICES: Final = (
    "tasuki.v1.ConfigService",
    "tasuki.v1.RouterService",
    "tasuki.v1.DriftService",
    "tasuki.v1.FactService",
    "tasuki.v1.AgentService",
)
_GRACE_SECONDS: Final = 3.0
"""Time for calls that are under way, such as a commit, when the controller ends."""


class ListenError(Exception):
    """An address cannot be listened on. The message says which, and why."""


async def serve(state_dir: Path, targets: Sequence[Target], tls: TlsFiles | None) -> None:
    """Run until SIGTERM or SIGINT.

    Raises:
        StoreError: the state directory cannot be used.
        ListenError: an address cannot be listened on.
    """
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    store = await SqliteStore.open(state_dir)
    try:
        fleet = Fleet(store)
        await fleet.restore()
        datastores = Datastores(store, fleet)
        await datastores.restore()
        server = aio.server(interceptors=[Gate()], options=SERVER_OPTIONS)
        healths = _add_services(server, datastores, fleet, store)
        listening = [_listen(server, target, tls) for target in targets]
        async with datastores.keeping_time():
            await server.start()
            for service in ("", *_SERVICES):
                await healths.set(service, health_pb2.HealthCheckResponse.SERVING)
            _log.info("ready on %s%s", ", ".join(map(str, listening)), "" if tls else ", without TLS")
            await stop.wait()
            _log.info("shutting down")
            await healths.enter_graceful_shutdown()
            fleet.close()
            datastores.close()
            await server.stop(_GRACE_SECONDS)
    finally:
        await store.close()


def _add_services(
    server: aio.Server, datastores: Datastores, fleet: Fleet, store: SqliteStore
) -> health.aio.HealthServicer:
    add_config(ConfigService(datastores, fleet), server)  # type: ignore[no-untyped-call]
    add_router(RouterService(fleet), server)  # type: ignore[no-untyped-call]
    add_drift(DriftService(fleet, store), server)  # type: ignore[no-untyped-call]
    add_fact(FactService(datastores, fleet, store), server)  # type: ignore[no-untyped-call]
    add_agent(AgentService(fleet), server)  # type: ignore[no-untyped-call]
    healths = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(healths, server)
    reflection.enable_server_reflection((*_SERVICES, health.SERVICE_NAME, reflection.SERVICE_NAME), server)
    return healths


def _listen(server: aio.Server, target: Target, tls: TlsFiles | None) -> Target:
    """Bind an address; the answer has the port that was picked for port 0."""
    try:
        _probe(target)
        if tls:
            port = server.add_secure_port(target.grpc_address, tls.server_credentials())
        else:
            port = server.add_insecure_port(target.grpc_address)
    except (OSError, RuntimeError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or error
        raise ListenError(f"cannot listen on {target}: {reason}") from error
    if target.path:
        Path(target.path).chmod(0o600)
        return target
    return Target(host=target.host, port=port)


def _probe(target: Target) -> None:
    """Bind once by hand: gRPC would not tell why it cannot."""
    if target.path:
        _remove_stale_socket(Path(target.path))
        with socket.socket(socket.AF_UNIX) as probe:
            probe.bind(target.path)
        Path(target.path).unlink()
        return
    for family, kind, _, _, address in socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM):
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)


def _remove_stale_socket(path: Path) -> None:
    """Make room where a controller was killed. gRPC would take the socket of a living one away as well."""
    if not path.is_socket():
        return
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(os.fspath(path))
        except ConnectionRefusedError:
            path.unlink()
