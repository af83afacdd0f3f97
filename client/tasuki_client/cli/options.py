"""Options and arguments that several commands have, and the values that they take."""

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

from tasuki_client.facts import parse_supposed
from tasuki_client.render.times import point_in_time


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
    CANDIDATE = "candidate"
    INTENDED = "intended"
    OPERATIONAL = "operational"


class Lockable(StrEnum):
    """What can be locked."""

    RUNNING = "running"
    CANDIDATE = "candidate"


class Defaults(StrEnum):
    """RFC 6243."""

    EXPLICIT = "explicit"
    REPORT_ALL = "report-all"
    REPORT_ALL_TAGGED = "report-all-tagged"
    TRIM = "trim"


class Language(StrEnum):
    """What the other end of a tunnel is configured with."""

    IPROUTE2 = "iproute2"
    IFUPDOWN = "ifupdown"


def parse_since(text: str) -> datetime:
    """A point in time, given as such or as an age."""
    try:
        return point_in_time(text, datetime.now(UTC))
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def check_supposed(texts: list[str] | None) -> list[str]:
    """What facts are supposed to be, each well-formed."""
    for text in texts or ():
        try:
            parse_supposed(text)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from error
    return texts or []


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
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Everything but the commit.")]
PlanOption = Annotated[bool, typer.Option("--plan", help="Also ask the routers what each would do.")]
SupposeOption = Annotated[
    list[str] | None,
    typer.Option(
        "--fact",
        metavar="FACT=VALUE",
        callback=check_supposed,
        help="Suppose this: ROUTER/SUBJECT/NOUN=VALUE[,VALUE]; may be repeated.",
    ),
]
CommentOption = Annotated[str, typer.Option("--comment", metavar="TEXT", help="Kept with the revision.")]
ConfirmOption = Annotated[
    int | None,
    typer.Option(
        "--confirm", metavar="SECONDS", min=1, help="Revert after so long unless 'tasuki confirm' comes."
    ),
]
PersistOption = Annotated[
    str, typer.Option("--persist", metavar="NAME", help="With --confirm: name it, for other machines.")
]
RollbackOnFailureOption = Annotated[
    bool, typer.Option("--rollback-on-failure", help="Revert all routers when one of them fails.")
]
WaitOption = Annotated[
    float | None,
    typer.Option(
        "--wait", metavar="SECONDS", min=0, help="Wait for the routers to apply it; fail if they do not."
    ),
]
FollowOption = Annotated[
    str,
    typer.Option("--persist-id", metavar="NAME", help="Confirm or extend this pending commit with it."),
]
PendingArgument = Annotated[
    str, typer.Argument(metavar="[ID]", help="Its name.  [default: the last one made from here]")
]
