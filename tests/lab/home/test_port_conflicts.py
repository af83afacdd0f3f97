"""Somebody else's programs have the ports that the router's services need."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from home import NETWORK, WHOLE, Home
from netns import until
from programs import Program
from tasuki_proto.v1.config_pb2 import OPERATION_REPLACE

RIVAL = """
import signal, socket, sys
server = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
server.bind(("::", int(sys.argv[1])))
signal.pause()
"""
EMPTY = {NETWORK: {"router": WHOLE[NETWORK]["router"]}}
PORTS = (53, 67, 546)


@contextmanager
def holding(home: Home, port: int) -> Iterator[int]:
    """Have a program of somebody else hold a port of the router; its process id."""
    rival = Program(home.router, (sys.executable, "-c", RIVAL, f"{port}"), home.directory / f"rival-{port}")
    rival.start()
    try:
        until(lambda: f":{port} " in home.router.run("ss", "-lunH"), within=30, why=f"port {port} is taken")
        yield rival.pid
    finally:
        rival.kill()


def test_the_report_names_who_has_the_ports_and_all_recovers_when_they_end(home: Home) -> None:
    home.deployment.apply(EMPTY, operation=OPERATION_REPLACE)
    until(lambda: not home.router.run("ss", "-lunH").strip(), within=60, why="nothing is served any more")
    with ExitStack() as stack:
        pids = {port: stack.enter_context(holding(home, port)) for port in PORTS}
        home.deployment.client.apply(WHOLE, operation=OPERATION_REPLACE)
        for port, pid in pids.items():
            until(
                lambda port=port, pid=pid: f"{pid}" in home.status() and f"{port}" in home.status(),  # type: ignore[misc]
                within=60,
                why=f"process {pid} is named for port {port}",
            )
        print(home.deployment.operator.tasuki("routers", "home"))
    home.must_work()
