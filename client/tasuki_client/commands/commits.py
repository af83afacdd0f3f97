"""`tasuki commit`, `confirm`, `cancel`, `rollback` and `commits`: commits other than of files."""

from datetime import UTC, datetime
from functools import partial
from typing import Final

from rich.text import Text
from tasuki_proto.v1.config_pb2 import CommitResponse, RollbackResponse, WatchCommitsResponse

from tasuki_client import state, terminal
from tasuki_client.client import Client
from tasuki_client.commands import change, outcome
from tasuki_client.commands.order import Order
from tasuki_client.errors import TasukiError
from tasuki_client.plain import plain
from tasuki_client.render import commits as render

_FIRST_ANSWER: Final = 2.0
"""Seconds in which a watch sends what is pending, if anything is."""
_PENDING: Final = {WatchCommitsResponse.EVENT_START, WatchCommitsResponse.EVENT_EXTEND}
_OVER: Final = {
    WatchCommitsResponse.EVENT_COMPLETE,
    WatchCommitsResponse.EVENT_CANCEL,
    WatchCommitsResponse.EVENT_TIMEOUT,
}


def commit(client: Client, order: Order, *, as_json: bool) -> None:
    """Commit the candidate as it is."""

    def committed(name: str) -> CommitResponse:
        with client.session() as session:
            return session.commit(persist_id=order.follows, **order.arguments(name))

    outcome.see_to(client, outcome.commit(client, order, committed), as_json=as_json)


def rollback(client: Client, number: int, order: Order, *, dry_run: bool, as_json: bool) -> None:
    """Make an older revision the next one, or show what that would change."""
    if dry_run:
        change.show(client.rollback(number, dry_run=True), as_json=as_json)
        return

    def committed(name: str) -> RollbackResponse:
        return client.rollback(number, **order.arguments(name))

    outcome.see_to(client, outcome.commit(client, order, committed), as_json=as_json)


def confirm(client: Client, name: str, *, comment: str, as_json: bool) -> None:
    """Confirm a confirmed commit; without a name the last one that was made from here."""
    answer = outcome.confirm(client, name or _last(client), comment=comment)
    if as_json:
        terminal.show_json(plain(answer))
    else:
        terminal.show(f"Confirmed; running is revision {answer.revision}.")


def cancel(client: Client, name: str, *, as_json: bool) -> None:
    """Cancel a confirmed commit; without a name the last one that was made from here."""
    revision = outcome.cancel(client, name or _last(client))
    if as_json:
        terminal.show_json({"revision": revision})
    else:
        terminal.show(f"Reverted by revision {revision}.")


def pending(client: Client, *, as_json: bool) -> None:
    """Print the commit that awaits its confirmation."""
    # The connection stands when its answer is waited for.
    newest = client.revisions(limit=1)
    told = next(client.watch_commits(seconds=_FIRST_ANSWER), None)
    if as_json:
        terminal.show_json({"pending": plain(told) if told else None})
    elif told:
        terminal.show(*render.event(told, datetime.now(UTC)))
    else:
        number = newest[0].number if newest else 0
        terminal.show(f"No commit awaits its confirmation; running is revision {number}.")


def watch(client: Client, *, as_json: bool) -> None:
    """Print the events of commits as they come, in JSON one to a line; on a terminal count down too."""
    out = terminal.console()
    with terminal.drawing(out) as draw:
        for told in client.watch_commits():
            if as_json:
                terminal.show_json_line(plain(told))
                continue
            for line in render.event(told, datetime.now(UTC)):
                out.print(line, soft_wrap=True)
            if out.is_terminal and told.event in _PENDING:
                draw(partial(_countdown, told))
            elif out.is_terminal and told.event in _OVER:
                draw(Text)


def _countdown(told: WatchCommitsResponse) -> Text:
    return render.countdown(told, datetime.now(UTC))


def _last(client: Client) -> str:
    if name := state.recall(str(client.target)):
        return name
    raise TasukiError(
        f"no confirmed commit was made from here at {client.target}: give its name, as its maker was told it"
    )
