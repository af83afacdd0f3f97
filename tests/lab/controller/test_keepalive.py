"""The two sides' keepalive settings agree, which only time and a real connection show."""

import asyncio
import signal
import time
from pathlib import Path

import grpc
from controller_process import network, operator, running
from grpc import aio
from tasuki_proto.v1 import router_pb2


async def test_a_peer_that_vanished_is_noticed_and_an_idle_one_is_kept(tmp_path: Path) -> None:
    await asyncio.gather(idle_watch(tmp_path / "idle"), watch_of_a_stopped_controller(tmp_path / "stopped"))


async def watch_of_a_stopped_controller(state: Path) -> None:
    async with running(state, "--insecure") as controller, operator(controller.target) as alice:
        await alice.apply(network("a"))
        watch = alice.router.WatchRouters(router_pb2.WatchRoutersRequest())
        await watch.read()
        controller.process.send_signal(signal.SIGSTOP)
        started = time.monotonic()
        try:
            await watch.read()
        except aio.AioRpcError as error:
            code = error.code()
        finally:
            controller.process.send_signal(signal.SIGCONT)
        assert code is grpc.StatusCode.UNAVAILABLE
        assert time.monotonic() - started < 20


async def idle_watch(state: Path) -> None:
    async with running(state, "--insecure") as controller, operator(controller.target) as alice:
        await alice.apply(network("a"))
        watch = alice.router.WatchRouters(router_pb2.WatchRoutersRequest())
        await watch.read()
        reading = asyncio.create_task(watch.read())
        # Long enough for a server to lose its patience with pings that it did not agree to.
        done, _ = await asyncio.wait([reading], timeout=25)
        assert not done, "the idle stream was closed"
        reading.cancel()
