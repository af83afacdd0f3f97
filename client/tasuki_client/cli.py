"""The `tasuki` command: what a person can type, and the help for it. What then happens is in `commands`.

Those modules are imported by the command that needs them, so that help and completion need not wait for gRPC.
"""
# ruff: noqa: PLC0415, A002 - for that reason, and because an option is named --format

import functools
import inspect
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from tasuki_client.connection import DEFAULT_CONTROLLER, Connection
from tasuki_client.errors import TasukiError
from tasuki_client.render.times import point_in_time

SOME_DRIFT: Final = 3
"""Exit status of `tasuki drift` when it lists something."""


class TreeFormat(StrEnum):
    """Formats of a configuration."""

    JSON = "json"
    YAML = "yaml"
    TABLE = "table"


class Format(StrEnum):
    """Formats of everything else."""

    TABLE = "table"
    JSON = "json"


class Datastore(StrEnum):
    """RFC 8342."""

    RUNNING = "running"
    INTENDED = "intended"
    OPERATIONAL = "operational"


class Language(StrEnum):
    """What the other end of a tunnel is configured with."""

    IPROUTE2 = "iproute2"
    IFUPDOWN = "ifupdown"


ControllerOption = Annotated[
    str | None,
    typer.Option("--controller", metavar="HOST:PORT", help="The controller's address; unix:PATH too."),
]
CertOption = Annotated[Path | None, typer.Option("--tls-cert", metavar="FILE", help="Your certificate.")]
KeyOption = Annotated[Path | None, typer.Option("--tls-key", metavar="FILE", help="Its private key.")]
CaOption = Annotated[Path | None, typer.Option("--tls-ca", metavar="FILE", help="The controller's CA.")]
InsecureOption = Annotated[
    bool, typer.Option("--insecure", help="No TLS; loopback addresses and UNIX sockets only.")
]
FormatOption = Annotated[Format, typer.Option("--format", help="How to print the answer.")]
RouterOption = Annotated[str, typer.Option("--router", metavar="NAME", help="Only this router.")]
TreeOption = Annotated[
    str, typer.Option("--router", metavar="NAME", help="This router's tree instead of the network tree.")
]
WatchOption = Annotated[bool, typer.Option("--watch", help="Go on until interrupted.")]
_FILES: Final = typer.Argument(
    metavar="FILE...", help="YAML or JSON, merged in this order; - is standard input."
)
FilesArgument = Annotated[list[str], _FILES]
OptionalFilesArgument = Annotated[list[str] | None, _FILES]
ReplaceOption = Annotated[
    bool, typer.Option("--replace", help="The files take the place of all that is there.")
]
DeleteOption = Annotated[bool, typer.Option("--delete", help="Delete what the files name.")]
SplitArgument = Annotated[str, typer.Argument(metavar="SPLIT", help="Name of the split.")]


def parse_since(text: str) -> datetime:
    """A point in time, given as such or as an age."""
    try:
        return point_in_time(text, datetime.now(UTC))
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


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


@app.command(
    epilog=example(
        "tasuki apply network.yaml --comment 'site 8 moves' --wait 30",
        "tasuki apply vps-extra.yaml --router vps --dry-run",
        "jq . network.json | tasuki apply -",
    )
)
@connected
def apply(
    connection: Connection,
    *,
    files: FilesArgument,
    router: TreeOption = "",
    replace: ReplaceOption = False,
    delete: DeleteOption = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Everything but the commit.")] = False,
    comment: Annotated[str, typer.Option("--comment", metavar="TEXT", help="Kept with the revision.")] = "",
    wait: Annotated[
        float | None,
        typer.Option(
            "--wait", metavar="SECONDS", min=0, help="Wait for the routers to apply it; fail if they do not."
        ),
    ] = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """Validate and commit a change, and show what it changed."""
    from tasuki_client.commands import change

    edit = change.read(files, router, replace=replace, delete=delete)
    with connection.open_client() as client:
        change.apply(client, edit, comment=comment, dry_run=dry_run, wait=wait, as_json=format is Format.JSON)


@app.command(
    epilog=example("tasuki diff network.yaml", "tasuki diff --from 11 --to 12", "tasuki diff --from 11")
)
@connected
def diff(
    connection: Connection,
    *,
    files: OptionalFilesArgument = None,
    router: TreeOption = "",
    replace: ReplaceOption = False,
    delete: DeleteOption = False,
    from_revision: Annotated[
        int, typer.Option("--from", metavar="REVISION", min=0, help="Compare this revision ...")
    ] = 0,
    to_revision: Annotated[
        int, typer.Option("--to", metavar="REVISION", min=0, help="... with this one; 0 is running.")
    ] = 0,
    format: FormatOption = Format.TABLE,
) -> None:
    """Show what a change would do, or what two revisions differ in."""
    from tasuki_client.commands import change

    if bool(files) == bool(from_revision or to_revision):
        raise typer.BadParameter("give either files, or revisions with --from and --to")
    edit = change.read(files, router, replace=replace, delete=delete) if files else None
    with connection.open_client() as client:
        answer = change.preview(client, edit) if edit else client.compare(from_revision, to_revision)
        change.show(answer, as_json=format is Format.JSON)


@app.command(
    epilog=example(
        "tasuki get > network.json",
        "tasuki get --format yaml --path \"/tasuki-network:network/router[name='vps']\"",
        "tasuki get --router vps --datastore operational",
    )
)
@connected
def get(
    connection: Connection,
    *,
    datastore: Annotated[
        Datastore, typer.Option("--datastore", help="What was written, what follows from it, or what is.")
    ] = Datastore.RUNNING,
    router: TreeOption = "",
    path: Annotated[
        str, typer.Option("--path", metavar="PATH", help="Instance-identifier of a part of the tree.")
    ] = "",
    format: Annotated[TreeFormat, typer.Option("--format", help="How to print the tree.")] = TreeFormat.JSON,
) -> None:
    """Print the network tree, or one router's tree."""
    from tasuki_client.commands import config

    with connection.open_client() as client:
        config.get(client, datastore, router=router, path=path, layout=format)


@app.command(epilog=example("tasuki history", "tasuki history --limit 5 --format json"))
@connected
def history(
    connection: Connection,
    *,
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, help="At most so many.")] = 20,
    before: Annotated[
        int, typer.Option("--before", metavar="REVISION", min=0, help="Only those before this one.")
    ] = 0,
    format: FormatOption = Format.TABLE,
) -> None:
    """List the commits, newest first."""
    from tasuki_client.commands import config

    with connection.open_client() as client:
        config.history(client, limit=limit, before=before, as_json=format is Format.JSON)


@app.command(epilog=example("tasuki show 12", "tasuki show 12 --format json | jq .config > network.json"))
@connected
def show(
    connection: Connection,
    *,
    revision: Annotated[int, typer.Argument(metavar="REVISION", min=1, help="Its number.")],
    format: FormatOption = Format.TABLE,
) -> None:
    """Show one commit and its changes.

    In JSON with the whole configuration as it was then.
    """
    from tasuki_client.commands import config

    with connection.open_client() as client:
        config.show(client, revision, as_json=format is Format.JSON)


@app.command(epilog=example("tasuki modules", "tasuki modules tasuki-vxlan-split"))
@connected
def modules(
    connection: Connection,
    *,
    name: Annotated[str, typer.Argument(metavar="[NAME]", help="Print this module's YANG text.")] = "",
    format: FormatOption = Format.TABLE,
) -> None:
    """List the YANG modules of the configuration, or print one."""
    from tasuki_client.commands import config

    with connection.open_client() as client:
        if name:
            config.module(client, name, as_json=format is Format.JSON)
        else:
            config.modules(client, as_json=format is Format.JSON)


@app.command(epilog=example("tasuki routers", "tasuki routers --watch", "tasuki routers vps"))
@connected
def routers(
    connection: Connection,
    *,
    name: Annotated[str, typer.Argument(metavar="[NAME]", help="This router, with its objects.")] = "",
    watch: WatchOption = False,
    format: FormatOption = Format.TABLE,
) -> None:
    """Show how far each router is, and on what evidence.

    For one router also what its objects wait for, and why they failed.
    """
    from tasuki_client.commands import routers as command

    with connection.open_client() as client:
        if watch:
            command.watch(client, name, as_json=format is Format.JSON)
        elif name:
            command.one(client, name, as_json=format is Format.JSON)
        else:
            command.every(client, as_json=format is Format.JSON)


@app.command(epilog=example("tasuki drift", "tasuki drift --open --router vps", "tasuki drift --since 7d"))
@connected
def drift(
    connection: Connection,
    *,
    router: RouterOption = "",
    open_only: Annotated[bool, typer.Option("--open", help="Only what is not healed.")] = False,
    since: Annotated[
        datetime | None,
        typer.Option(
            "--since",
            metavar="TIME",
            parser=parse_since,
            help="What was seen since then: 30m, 24h, 7d, or an RFC 3339 time.  [default: 24h]",
        ),
    ] = None,
    watch: WatchOption = False,
    format: FormatOption = Format.TABLE,
) -> None:
    """Show what routers found to differ from their intent.

    Also what became of it, and how old the evidence is.

    Exit status: 0 when nothing is listed, 3 when something is.
    """
    from tasuki_client.commands import drift as command

    as_json = format is Format.JSON
    with connection.open_client() as client:
        if watch:
            command.watch(client, router=router, open_only=open_only, since=since, as_json=as_json)
        elif command.report(client, router=router, open_only=open_only, since=since, as_json=as_json):
            raise typer.Exit(SOME_DRIFT)


@app.command("map", epilog=example("tasuki map home", "tasuki map home --watch"))
@connected
def map_split(
    connection: Connection,
    *,
    split: SplitArgument,
    watch: WatchOption = False,
    format: FormatOption = Format.TABLE,
) -> None:
    """Draw a split as a grid, one cell a /48.

    Each is free, allocated, converged, drifting or unreachable.
    """
    from tasuki_client.commands import split as command

    with connection.open_client() as client:
        if watch:
            command.watch_map(client, split, as_json=format is Format.JSON)
        else:
            command.show_map(client, split, as_json=format is Format.JSON)


@app.command(
    epilog=example(
        "tasuki render home 8 > vxlan.sh",
        "tasuki render home 8 --format ifupdown > /etc/network/interfaces.d/vxlan",
    )
)
@connected
def render(
    connection: Connection,
    *,
    split: SplitArgument,
    number: Annotated[int, typer.Argument(metavar="NUMBER", min=1, help="Number of the subscriber.")],
    format: Annotated[
        Language, typer.Option("--format", help="A shell script, or stanzas for /etc/network/interfaces.")
    ] = Language.IPROUTE2,
) -> None:
    """Print the ready configuration of a subscriber's end.

    For machines that run no agent.
    """
    from tasuki_client.commands import split as command

    with connection.open_client() as client:
        command.render(client, split, number, format)


def main() -> None:
    """Run the command."""
    for stream in (sys.stdout, sys.stderr):
        # Comments come in any language; a terminal without UTF-8 shows escapes, not a traceback.
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    app()
