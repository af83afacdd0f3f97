"""The commands that read: configurations, commits, models, routers, drift, splits."""
# ruff: noqa: PLC0415, A002 - see the package; and because an option is named --format

from datetime import datetime
from typing import Annotated

import typer

from tasuki_client.cli.app import app, connected, example
from tasuki_client.cli.options import (
    Datastore,
    Defaults,
    Format,
    FormatOption,
    Language,
    RouterOption,
    SplitArgument,
    TreeFormat,
    TreeOption,
    WatchOption,
    parse_since,
)
from tasuki_client.connection import Connection

SOME_DRIFT = 3
"""Exit status of `tasuki drift` when it lists something."""


@app.command(
    epilog=example(
        "tasuki get > network.json",
        "tasuki get --format yaml --path \"/tasuki-network:network/router[name='vps']\"",
        "tasuki get --router vps --datastore operational",
        "tasuki get --depth 2 --defaults report-all",
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
        list[str] | None,
        typer.Option("--path", metavar="PATH", help="Instance-identifier of a part; may be repeated."),
    ] = None,
    depth: Annotated[
        int, typer.Option("--depth", metavar="LEVELS", min=0, help="So many levels of it; 0 is all.")
    ] = 0,
    defaults: Annotated[
        Defaults, typer.Option("--defaults", help="Which default values are shown.")
    ] = Defaults.EXPLICIT,
    format: Annotated[TreeFormat, typer.Option("--format", help="How to print the tree.")] = TreeFormat.JSON,
) -> None:
    """Print the network tree, or one router's tree."""
    from tasuki_client.commands import config

    with connection.open_client() as client:
        config.get(
            client,
            datastore,
            router=router,
            paths=path or (),
            depth=depth,
            defaults=defaults,
            layout=format,
        )


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


@app.command(
    epilog=example("tasuki facts", "tasuki facts --router home --format json", "tasuki facts --changes")
)
@connected
def facts(
    connection: Connection,
    *,
    router: RouterOption = "",
    changed: Annotated[
        bool, typer.Option("--changes", help="What changed instead, and which routers followed.")
    ] = False,
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, help="At most so many changes.")] = 20,
    format: Annotated[TreeFormat, typer.Option("--format", help="How to print them.")] = TreeFormat.TABLE,
) -> None:
    """Show what routers learn from their lines and the DNS.

    It is what the intent depends on and nobody typed. What a router has lost stays in force for the other
    ends of its tunnels until there is something new.
    """
    from tasuki_client.commands import facts as command

    with connection.open_client() as client:
        if changed:
            command.changes(client, router=router, limit=limit, layout=format)
        else:
            command.known(client, router=router, layout=format)


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
