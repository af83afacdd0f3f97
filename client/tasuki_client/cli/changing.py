"""The commands that change running, show what a change would do, or decide about a confirmed commit."""
# ruff: noqa: PLC0415, A002 - see the package; and because an option is named --format

from typing import Annotated

import typer

from tasuki_client.cli.app import app, connected, example
from tasuki_client.cli.options import (
    CommentOption,
    ConfirmOption,
    DeleteOption,
    DryRunOption,
    FilesArgument,
    FollowOption,
    Format,
    FormatOption,
    Lockable,
    OptionalFilesArgument,
    PendingArgument,
    PersistOption,
    PlanOption,
    ReplaceOption,
    RollbackOnFailureOption,
    SupposeOption,
    TreeOption,
    WaitOption,
    WatchOption,
)
from tasuki_client.connection import Connection


@app.command(
    epilog=example(
        "tasuki apply network.yaml --comment 'site 8 moves' --wait 30",
        "tasuki apply network.yaml --confirm 120 --rollback-on-failure",
        "tasuki apply vps-extra.yaml --router vps --dry-run --plan",
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
    dry_run: DryRunOption = False,
    plan: PlanOption = False,
    comment: CommentOption = "",
    confirm: ConfirmOption = None,
    persist: PersistOption = "",
    rollback_on_failure: RollbackOnFailureOption = False,
    wait: WaitOption = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """Validate and commit a change, and show what it changed.

    With --confirm it is a confirmed commit: every router goes back by itself unless it is confirmed in time.
    On a terminal you are asked while the time runs.
    """
    from tasuki_client.commands import change
    from tasuki_client.commands.order import Order

    if plan and not dry_run:
        raise typer.BadParameter("--plan goes with --dry-run: a commit asks the routers anyway")
    order = Order(comment, confirm, persist, rollback_on_failure, wait)
    edit = change.read(files, router, replace=replace, delete=delete)
    with connection.open_client() as client:
        if dry_run:
            change.dry_run(client, edit, plan=plan, as_json=format is Format.JSON)
        else:
            change.apply(client, edit, order, as_json=format is Format.JSON)


@app.command(
    epilog=example(
        "tasuki diff network.yaml --plan",
        "tasuki diff --from 11 --to 12",
        "tasuki diff --from 11",
        "tasuki diff --candidate",
        "tasuki diff --fact home/wan0/delegated-prefix=2001:db8:1200::/56",
    )
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
    candidate: Annotated[
        bool, typer.Option("--candidate", help="Compare running with the candidate.")
    ] = False,
    fact: SupposeOption = None,
    plan: PlanOption = False,
    format: FormatOption = Format.TABLE,
) -> None:
    """Show what a change would do, or what two revisions differ in.

    With --fact: what would change, on every router, if one learned this of its line or from the DNS.
    'tasuki facts' shows what there is to suppose, and --router shows what that router would do alone.
    """
    from tasuki_client.commands import change

    if [bool(files), bool(from_revision or to_revision), candidate, bool(fact)].count(True) != 1:
        raise typer.BadParameter(
            "give either files, or revisions with --from and --to, or --candidate, or --fact"
        )
    if not files and (replace or delete):
        raise typer.BadParameter(
            "--replace and --delete say what becomes of files: name them, or leave these out"
        )
    edit = change.read(files, router, replace=replace, delete=delete) if files else None
    with connection.open_client() as client:
        if edit:
            answer = change.preview(client, edit, plan=plan)
        elif candidate:
            answer = client.diff_candidate(plan=plan)
        elif fact:
            answer = change.suppose(client, fact, router)
        else:
            answer = client.compare(from_revision, to_revision, plan=plan)
        change.show(answer, as_json=format is Format.JSON, planned=plan or bool(fact))


@app.command(epilog=example("tasuki validate network.yaml", "tasuki validate --replace network.yaml"))
@connected
def validate(
    connection: Connection,
    *,
    files: OptionalFilesArgument = None,
    router: TreeOption = "",
    replace: ReplaceOption = False,
    delete: DeleteOption = False,
    format: FormatOption = Format.TABLE,
) -> None:
    """Say all that is wrong with a change, or with the candidate.

    The candidate is validated when no files are given.

    Exit status: 0 when it is valid, 1 when it is not.
    """
    from tasuki_client.commands import change

    edit = change.read(files, router, replace=replace, delete=delete) if files else None
    with connection.open_client() as client:
        change.validate(client, edit, as_json=format is Format.JSON)


@app.command(epilog=example("tasuki edit", "tasuki edit --router vps --confirm 120"))
@connected
def edit(
    connection: Connection,
    *,
    router: Annotated[
        str, typer.Option("--router", metavar="NAME", help="What is written for this router.")
    ] = "",
    plan: PlanOption = False,
    comment: CommentOption = "",
    confirm: ConfirmOption = None,
    persist: PersistOption = "",
    persist_id: FollowOption = "",
    rollback_on_failure: RollbackOnFailureOption = False,
    wait: WaitOption = None,
) -> None:
    """Edit the network as YAML, see the diff, and commit.

    $VISUAL or $EDITOR is started with the candidate, which is locked meanwhile. What you save is validated;
    every problem then stands as a comment at the top when it opens again. Leaving that as it is gives up.
    What was not committed is kept in a file.
    """
    from tasuki_client.commands import editing
    from tasuki_client.commands.order import Order

    order = Order(comment, confirm, persist, rollback_on_failure, wait, persist_id)
    with connection.open_client() as client:
        editing.edit(client, order, router=router, plan=plan)


@app.command(epilog=example("tasuki diff --candidate", "tasuki commit --confirm 120"))
@connected
def commit(
    connection: Connection,
    *,
    comment: CommentOption = "",
    confirm: ConfirmOption = None,
    persist: PersistOption = "",
    persist_id: FollowOption = "",
    rollback_on_failure: RollbackOnFailureOption = False,
    wait: WaitOption = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """Commit the candidate, as open sessions have edited it."""
    from tasuki_client.commands import commits
    from tasuki_client.commands.order import Order

    order = Order(comment, confirm, persist, rollback_on_failure, wait, persist_id)
    with connection.open_client() as client:
        commits.commit(client, order, as_json=format is Format.JSON)


@app.command(epilog=example("tasuki confirm", "tasuki confirm maintenance-7"))
@connected
def confirm(
    connection: Connection,
    *,
    persist_id: PendingArgument = "",
    comment: CommentOption = "",
    format: FormatOption = Format.TABLE,
) -> None:
    """Keep what a confirmed commit changed."""
    from tasuki_client.commands import commits

    with connection.open_client() as client:
        commits.confirm(client, persist_id, comment=comment, as_json=format is Format.JSON)


@app.command(epilog=example("tasuki cancel", "tasuki cancel maintenance-7"))
@connected
def cancel(
    connection: Connection, *, persist_id: PendingArgument = "", format: FormatOption = Format.TABLE
) -> None:
    """Revert a confirmed commit now."""
    from tasuki_client.commands import commits

    with connection.open_client() as client:
        commits.cancel(client, persist_id, as_json=format is Format.JSON)


@app.command(
    epilog=example("tasuki rollback 11 --dry-run", "tasuki rollback 11 --confirm 120 --comment 'as before'")
)
@connected
def rollback(
    connection: Connection,
    *,
    revision: Annotated[int, typer.Argument(metavar="REVISION", min=1, help="Its number.")],
    dry_run: DryRunOption = False,
    comment: CommentOption = "",
    confirm: ConfirmOption = None,
    persist: PersistOption = "",
    rollback_on_failure: RollbackOnFailureOption = False,
    wait: WaitOption = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """Make an older revision the next one."""
    from tasuki_client.commands import commits
    from tasuki_client.commands.order import Order

    order = Order(comment, confirm, persist, rollback_on_failure, wait)
    with connection.open_client() as client:
        commits.rollback(client, revision, order, dry_run=dry_run, as_json=format is Format.JSON)


@app.command(epilog=example("tasuki commits", "tasuki commits --watch"))
@connected
def commits(
    connection: Connection, *, watch: WatchOption = False, format: FormatOption = Format.TABLE
) -> None:
    """Show the commit that awaits its confirmation.

    With --watch also what then happens to it and to every other commit, router by router.
    """
    from tasuki_client.commands import commits as command

    with connection.open_client() as client:
        if watch:
            command.watch(client, as_json=format is Format.JSON)
        else:
            command.pending(client, as_json=format is Format.JSON)


@app.command(epilog=example("tasuki lock -- ./replace-the-cable.sh", "tasuki lock --target candidate -- sh"))
@connected
def lock(
    connection: Connection,
    *,
    command: Annotated[list[str], typer.Argument(metavar="COMMAND...", help="The command to run.")],
    target: Annotated[Lockable, typer.Option("--target", help="What to lock.")] = Lockable.RUNNING,
) -> None:
    """Run a command, and let nobody commit meanwhile.

    Nobody includes the command itself: a 'tasuki apply' inside it is refused with 'in-use'.

    Its exit status is the command's; 1 if the lock was lost before the command ended.
    """
    from tasuki_client.commands import locking

    with connection.open_client() as client:
        status = locking.run_locked(client, target.value, command)
    raise typer.Exit(status)
