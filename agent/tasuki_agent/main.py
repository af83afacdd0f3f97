"""The command `tasuki-agent`."""

import argparse
import asyncio
import contextlib
import json
import logging
import os
import signal
import sys
import time
from importlib.metadata import version
from pathlib import Path

# Forks beside gRPC's threads are not wanted, and the handlers for them cost start-up time.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")

from tasuki_proto.channel import Target, TlsFiles, require_local

from tasuki_agent.agent import Agent
from tasuki_agent.errors import ApplyError
from tasuki_agent.state import StateDir, StateDirError

EXAMPLES = """\
examples:
  tasuki-agent --router home --controller controller.example.net:9339 \\
      --state-dir /var/lib/tasuki-agent
  tasuki-agent --router vps --controller unix:/run/tasuki/controller.sock --insecure \\
      --state-dir /var/lib/tasuki-agent

The agent needs root. It works in the network namespace that it is started in, and takes its certificate
from STATE_DIR/tls (cert.pem, key.pem, ca.pem): `tasuki-controller issue router NAME --out DIR` makes them.
Without a controller it keeps the router as the last intent says. It leaves all in place when it ends."""


class JsonFormatter(logging.Formatter):
    """One JSON object a line, for log collectors."""

    def format(self, record: logging.LogRecord) -> str:
        """The record's time, level, origin and message."""
        return json.dumps(
            {
                "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
                "level": record.levelname.lower(),
                "logger": record.name,
                "message": record.getMessage(),
                **({"exception": self.formatException(record.exc_info)} if record.exc_info else {}),
            }
        )


def parser() -> argparse.ArgumentParser:
    """The command's arguments."""
    p = argparse.ArgumentParser(
        prog="tasuki-agent",
        description="Keeps this router as the controller's intent says, and reports every drift.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    p.add_argument("--router", required=True, metavar="NAME", help="this router's name in the network tree")
    p.add_argument(
        "--controller", required=True, metavar="ADDRESS", help="HOST:PORT or unix:PATH of the controller"
    )
    p.add_argument(
        "--state-dir", required=True, type=Path, metavar="DIR", help="where the last good intent is kept"
    )
    p.add_argument("--tls-cert", type=Path, metavar="FILE", help="certificate [STATE_DIR/tls/cert.pem]")
    p.add_argument("--tls-key", type=Path, metavar="FILE", help="its key [STATE_DIR/tls/key.pem]")
    p.add_argument("--tls-ca", type=Path, metavar="FILE", help="the controller's CA [STATE_DIR/tls/ca.pem]")
    p.add_argument(
        "--insecure", action="store_true", help="no TLS; only for a loopback address or a UNIX socket"
    )
    p.add_argument(
        "--observe-interval",
        type=_seconds,
        default=60.0,
        metavar="SECONDS",
        help="observe everything this often even if no event says so [60]",
    )
    p.add_argument("--log-format", choices=("text", "json"), default="text", help="[text]")
    p.add_argument(
        "--log-level", choices=("debug", "info", "warning", "error"), default="info", help="[info]"
    )
    p.add_argument("--version", action="version", version=f"tasuki-agent {version('tasuki')}")
    return p


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 1 <= seconds <= 86_400:  # noqa: PLR2004 - a second to a day
        raise argparse.ArgumentTypeError("between 1 and 86400 seconds")
    return seconds


def _tls_files(args: argparse.Namespace, target: Target) -> TlsFiles | None:
    """The TLS files to use, or None without TLS.

    Raises:
        ValueError: TLS is left out where it must not be, or a file is missing; the message says what to do.
    """
    if args.insecure:
        require_local(target)
        return None
    default = TlsFiles.in_directory(args.state_dir / "tls")
    files = TlsFiles(args.tls_cert or default.cert, args.tls_key or default.key, args.tls_ca or default.ca)
    missing = [str(path) for path in (files.cert, files.key, files.ca) if not path.is_file()]
    if missing:
        raise ValueError(
            f"no such file: {', '.join(missing)}; run "
            f"`tasuki-controller issue router {args.router} --out DIR` on the controller "
            f"and copy DIR to {args.state_dir / 'tls'}"
        )
    return files


def main(argv: list[str] | None = None) -> int:
    """Run the command. Returns its exit status."""
    args = parser().parse_args(argv)
    handler = logging.StreamHandler()
    handler.setFormatter(
        JsonFormatter()
        if args.log_format == "json"
        else logging.Formatter("%(asctime)s %(levelname)-7s %(message)s", "%Y-%m-%d %H:%M:%S")
    )
    logging.basicConfig(level=args.log_level.upper(), handlers=[handler])
    try:
        target = Target.parse(args.controller)
        tls = _tls_files(args, target)
    except ValueError as error:
        sys.stderr.write(f"tasuki-agent: {error}\n")
        return 2
    if os.geteuid() != 0:
        sys.stderr.write(
            "tasuki-agent: changing links, addresses and routes needs root; start it with sudo\n"
        )
        return 1
    try:
        state = StateDir.open(args.state_dir)
    except StateDirError as error:
        sys.stderr.write(f"tasuki-agent: {error}\n")
        return 1
    try:
        agent = Agent(args.router, target, tls, state, time.time, _uptime, args.observe_interval)
        asyncio.run(_run(agent))
    except (ApplyError, OSError) as error:
        sys.stderr.write(f"tasuki-agent: {error}\n")
        return 1
    finally:
        state.close()
    return 0


def _uptime() -> float:
    """Seconds since the machine was started, sleep included, whatever its clock is set to."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


async def _run(agent: Agent) -> None:
    """Run the agent until it is asked to end."""
    task = asyncio.current_task()
    if task is None:  # pragma: no cover - a coroutine always runs in a task
        return
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await agent.run()
    logging.getLogger(__name__).info("ended; links, addresses and routes stay as they are")
