"""The command `tasuki-controller`: run the controller, and make its certificates."""

# ruff: noqa: T201 - a command prints

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tasuki_proto.channel import DEFAULT_PORT, Target, TlsFiles, require_local

from tasuki_controller import logs, pki
from tasuki_controller.server import ListenError, serve
from tasuki_controller.store import StoreError

_STATE_DIR: Final = Path("/var/lib/tasuki-controller")

_EXAMPLES: Final = f"""
examples:
  tasuki-controller init --host vps.example.net
  tasuki-controller issue operator alice --out ~/.config/tasuki/tls
  tasuki-controller issue router home --out ./home-tls
  tasuki-controller --listen [::]:{DEFAULT_PORT}
  tasuki-controller --listen unix:/run/tasuki.sock --insecure
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and give its exit status: 0, 1 after a failure, 2 after wrong usage."""
    parser = _parser()
    options = parser.parse_args(arguments)
    # The database and the keys are nobody else's to read.
    os.umask(0o077)
    try:
        match options.command:
            case "init":
                return _init(options)
            case "issue":
                return _issue(options)
            case _:
                return _serve(parser, options)
    except (pki.PkiError, StoreError, ListenError) as error:
        print(f"tasuki-controller: {error}", file=sys.stderr)
    except OSError as error:
        print(f"tasuki-controller: {error.filename}: {error.strerror}", file=sys.stderr)
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tasuki-controller",
        description="Holds what the network shall be, and hands each router its part.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    _add_state_dir(parser, default=_STATE_DIR)
    parser.add_argument(
        "--listen",
        action="append",
        type=_target,
        metavar="HOST:PORT",
        help=f"where to listen: HOST:PORT, [IPV6]:PORT or unix:PATH; may be repeated"
        f" (default: 127.0.0.1:{DEFAULT_PORT})",
    )
    parser.add_argument("--tls-cert", type=Path, metavar="FILE", help="certificate (default: what init made)")
    parser.add_argument("--tls-key", type=Path, metavar="FILE", help="its key")
    parser.add_argument("--tls-ca", type=Path, metavar="FILE", help="authority of routers and operators")
    parser.add_argument(
        "--insecure", action="store_true", help="no TLS; only for loopback addresses and unix:PATH"
    )
    parser.add_argument(
        "--log-format", choices=("text", "json"), default="text", help="form of the lines on standard error"
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    init = commands.add_parser(
        "init",
        help="make the certificate authority and the controller's certificate",
        epilog="example:\n  tasuki-controller init --host vps.example.net --host 2001:db8::1",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_state_dir(init, default=argparse.SUPPRESS)
    init.add_argument(
        "--host",
        action="append",
        default=[],
        metavar="NAME",
        help="further name or address in the certificate, for clients other than tasuki's; may be repeated",
    )
    issue = commands.add_parser(
        "issue",
        help="make the certificate of a router or an operator",
        epilog="example:\n  tasuki-controller issue router home --out ./home-tls",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_state_dir(issue, default=argparse.SUPPRESS)
    issue.add_argument("role", choices=("router", "operator"), help="what the certificate allows")
    issue.add_argument("name", help="the router's name in the network tree, or the operator's name")
    issue.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="where to write cert.pem, key.pem and ca.pem"
    )
    return parser


def _add_state_dir(parser: argparse.ArgumentParser, default: Path | str) -> None:
    parser.add_argument(
        "--state-dir",
        type=Path,
        default=default,
        metavar="DIR",
        help=f"where everything is kept (default: {_STATE_DIR})",
    )


def _target(text: str) -> Target:
    try:
        return Target.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _init(options: argparse.Namespace) -> int:
    files = pki.init(options.state_dir, options.host)
    print(f"made the certificate authority and the controller's certificate in {files.cert.parent}")
    return 0


def _issue(options: argparse.Namespace) -> int:
    files = pki.issue(options.state_dir, options.role, options.name, options.out)
    print(f"made {files.cert}, {files.key} and {files.ca} for {options.role} '{options.name}'")
    return 0


def _serve(parser: argparse.ArgumentParser, options: argparse.Namespace) -> int:
    targets = options.listen or [Target.parse("127.0.0.1")]
    given = (options.tls_cert, options.tls_key, options.tls_ca)
    tls = None
    if options.insecure:
        if any(given):
            parser.error("--insecure and the --tls options exclude each other")
        try:
            for target in targets:
                require_local(target)
        except ValueError as error:
            parser.error(str(error))
    elif any(given):
        if not all(given):
            parser.error("--tls-cert, --tls-key and --tls-ca go together")
        tls = TlsFiles(*given)
    else:
        tls = TlsFiles.in_directory(options.state_dir / "tls")
        if not tls.cert.exists():
            raise pki.PkiError(f"{options.state_dir} has no certificates: run 'tasuki-controller init' first")
    if tls:
        pki.check(tls)
    logs.configure(options.log_format)
    asyncio.run(serve(options.state_dir, targets, tls))
    return 0


if __name__ == "__main__":
    sys.exit(main())
