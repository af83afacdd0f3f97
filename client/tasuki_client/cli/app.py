"""The command without its commands: what stands before them, and what all of them have."""

import functools
import inspect
import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer

from tasuki_client.cli.options import CaOption, CertOption, ControllerOption, InsecureOption, KeyOption
from tasuki_client.connection import DEFAULT_CONTROLLER, Connection
from tasuki_client.errors import TasukiError

app = typer.Typer(
    name="tasuki",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def example(*lines: str) -> str:
    """A help text's last paragraph."""
    return "\b\n" + "\n".join(("Example:", *(f"  {line}" for line in lines)))


@app.callback(
    epilog=example("tasuki --controller 192.0.2.1:9339 apply network.yaml --wait 30", "tasuki drift --watch")
)
def tasuki(
    ctx: typer.Context,
    *,
    controller: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT",
            envvar="TASUKI_CONTROLLER",
            help=f"The controller's address; unix:PATH too.  [default: {DEFAULT_CONTROLLER}]",
        ),
    ] = None,
    tls_cert: CertOption = None,
    tls_key: KeyOption = None,
    tls_ca: CaOption = None,
    insecure: Annotated[
        bool,
        typer.Option(
            "--insecure",
            envvar="TASUKI_INSECURE",
            help="No TLS; loopback addresses and UNIX sockets only.",
        ),
    ] = False,
) -> None:
    """Tell routers what they shall be, and see whether they are.

    The certificate is looked for in $TASUKI_TLS_DIR or ~/.config/tasuki/tls.

    Exit status: 0 success, 1 failure, 2 usage; 3 when 'tasuki drift' lists something.
    """
    ctx.obj = Connection(controller, tls_cert, tls_key, tls_ca, insecure)


def connected(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of the connection, and make its failure lines on standard error."""

    @functools.wraps(command, assigned=("__module__", "__name__", "__qualname__", "__doc__"))
    def run(
        ctx: typer.Context,
        *,
        controller: ControllerOption = None,
        tls_cert: CertOption = None,
        tls_key: KeyOption = None,
        tls_ca: CaOption = None,
        insecure: InsecureOption = False,
        **arguments: Any,
    ) -> None:
        given: Connection = ctx.obj
        own = Connection(controller, tls_cert, tls_key, tls_ca, insecure)
        try:
            command(given.overridden_by(own), **arguments)
        except TasukiError as error:
            sys.stderr.write(f"{error}\n")
            raise typer.Exit(1) from error

    # Typer reads options off the signature: the command's own first, then those of `run`, less **arguments.
    ctx, *options, _ = inspect.signature(run, follow_wrapped=False).parameters.values()
    _, *own = inspect.signature(command).parameters.values()
    parameters = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in (ctx, *own, *options)]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {p.name: p.annotation for p in parameters}
    return run
