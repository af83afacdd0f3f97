"""Somebody else's programs have the ports that the router's services need."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from home import NETWORK, WHOLE, Home
from netns import until
from programs import Program
from tasuki_client.errors import ConfigRejected
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


def test_a_commit_that_needs_somebody_elses_port_is_refused_with_his_name(home: Home) -> None:
    home.deployment.apply(EMPTY, operation=OPERATION_REPLACE)
    until(lambda: not home.router.run("ss", "-lunH"), within=60, why="nothing is served any more")
    for port in PORTS:
        with holding(home, port) as pid, pytest.raises(ConfigRejected) as refused:
            home.deployment.client.apply(WHOLE, operation=OPERATION_REPLACE)
        assert f"UDP port {port} " in str(refused.value)
        assert f"is held by {Path(sys.executable).name} (pid {pid})" in str(refused.value)


def test_who_takes_a_port_while_the_agent_does_not_look_is_named_until_he_ends(home: Home) -> None:
    agent = home.deployment.agents["home"].program.pid
    os.kill(agent, signal.SIGSTOP)
    for pid in home.router.pids:
        if pid != agent:
            os.kill(pid, signal.SIGKILL)
    with ExitStack() as rivals:
        pids = {port: rivals.enter_context(holding(home, port)) for port in (53, 546)}
        os.kill(agent, signal.SIGCONT)
        for port, pid in pids.items():
            told = f"UDP port {port} "
            until(
                lambda told=told, pid=pid: told in home.status() and f"(pid {pid})" in home.status(),  # type: ignore[misc]
                within=60,
                why=f"process {pid} is named for port {port}",
            )
    home.must_work()
