"""After a commit: what it changed, how the routers took it, and what shall become of a confirmed one."""

import math
import os
import secrets
import select
import sys
import termios
import time
import tty
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from rich.text import Text
from tasuki_proto.v1.config_pb2 import ApplyResponse, CommitResponse, RollbackResponse, RouterOutcome

from tasuki_client import state, terminal
from tasuki_client.client import Client
from tasuki_client.commands.order import Order
from tasuki_client.commands.wait import Arrival, wait_for
from tasuki_client.errors import AccessDenied, ConfigRejected, TasukiError
from tasuki_client.plain import plain
from tasuki_client.render import changes, commits

Committed: TypeAlias = ApplyResponse | CommitResponse | RollbackResponse


@dataclass(frozen=True, slots=True)
class Done:
    """A commit that was made."""

    answer: Committed
    order: Order
    name: str
    """Of the confirmed commit; empty for a plain one."""
    started: float
    """When it was asked for, by the monotonic clock: no later than its time began to run."""


def commit(client: Client, order: Order, make: Callable[[str], Committed]) -> Done:
    """Make the commit.

    `make` gets the name of the confirmed commit. It is known beforehand, so that the commit can be confirmed
    and cancelled even when the answer is lost.

    Raises:
        TasukiError: it was refused, or its answer did not arrive.
    """
    name = order.persist or order.follows or secrets.token_hex(4) if order.confirm is not None else ""
    started = time.monotonic()
    done = Done(_remembering(client, name, make), order, name, started)
    if order.follows != name:
        _forget(client, order.follows)
    return done


def see_to(client: Client, done: Done, *, as_json: bool = False) -> None:
    """Show what the commit changed, wait for the routers if asked to, and see to the confirmation.

    Raises:
        TasukiError: a router did not apply it in time, or it was not confirmed.
    """
    answer, order = done.answer, done.order
    if not as_json:
        _show(answer)
    arrivals = [] if order.may_revert or order.wait is None else wait_for(client, answer, order.wait)
    missing = [f"{a.router.name}: {a.account}" for a in arrivals if not a.arrived]
    if order.settle:
        missing += [commits.account(r) for r in answer.routers if not _went_well(r)]
    if as_json:
        terminal.show_json(plain(answer) | {"persist_id": done.name or None} | _told(arrivals, order))
    elif done.name and answer.committed and not (missing and order.rollback_on_failure):
        _see_to_confirmation(client, done)
    if missing:
        raise TasukiError("\n".join(missing))


def confirm(client: Client, name: str, *, comment: str = "") -> CommitResponse:
    """Confirm the confirmed commit of this name, and forget it."""
    answer = client.confirm_commit(name, comment=comment)
    _forget(client, name)
    return answer


def cancel(client: Client, name: str) -> int:
    """Cancel the confirmed commit of this name, and forget it; the revision that this makes."""
    revision = client.cancel_commit(name)
    _forget(client, name)
    return revision


def _remembering(client: Client, name: str, make: Callable[[str], Committed]) -> Committed:
    if not name:
        return make(name)
    before = state.recall(str(client.target))
    try:
        state.remember(str(client.target), name)
    except OSError as error:
        terminal.note(f"{error.filename}: {error.strerror}; confirm with 'tasuki confirm {name}'")
    try:
        return make(name)
    except (ConfigRejected, AccessDenied):
        _keep(client, before)
        raise


def _forget(client: Client, name: str) -> None:
    if state.recall(str(client.target)) == name:
        _keep(client, "")


def _keep(client: Client, name: str) -> None:
    try:
        state.remember(str(client.target), name)
    except OSError as error:
        terminal.note(f"{error.filename}: {error.strerror}")


def _show(answer: Committed) -> None:
    if not answer.committed:
        terminal.show(f"No changes; running is revision {answer.revision}.")
        return
    terminal.show(*changes.by_tree(answer.changes, (), brief=terminal.is_terminal()))
    terminal.show(Text(f"Committed revision {answer.revision}.", style="bold"))
    if answer.routers:
        terminal.show(commits.outcomes(answer.routers))


def _went_well(outcome: RouterOutcome) -> bool:
    # The other end of an unmanaged subscriber, SPLIT/NUMBER, has nobody who could tell.
    return outcome.outcome in {"applied", "waiting"} or "/" in outcome.router


def _told(arrivals: Sequence[Arrival], order: Order) -> dict[str, Any]:
    if order.wait is None or order.may_revert:
        return {}
    return {"applied": {a.router.name: {"applied": a.arrived, "account": a.account} for a in arrivals}}


def _see_to_confirmation(client: Client, done: Done) -> None:
    deadline = done.started + (done.order.confirm or 0)
    if terminal.is_dialogue():
        _decide(client, done.name, deadline)
        return
    left = math.ceil(deadline - time.monotonic())
    terminal.note(
        f"Reverts in {left} s unless 'tasuki confirm' comes before; 'tasuki cancel' reverts at once. "
        f"Elsewhere it goes by the name {done.name}."
    )


def _decide(client: Client, name: str, deadline: float) -> None:
    """Ask while the time runs."""
    match _key("ynq", deadline):
        case "y":
            answer = confirm(client, name)
            terminal.show(f"Confirmed; running is revision {answer.revision}.")
        case "n":
            terminal.show(f"Reverted by revision {cancel(client, name)}.")
        case "q":
            terminal.note("'tasuki confirm' keeps it, 'tasuki cancel' reverts it, until its time is up.")
        case _:
            raise TasukiError("not confirmed in time: the controller and the routers go back")


def _key(keys: str, deadline: float) -> str:
    """The first of these keys that is hit before the deadline; empty if none is."""
    terminal_in = sys.stdin.fileno()
    before = termios.tcgetattr(terminal_in)
    tty.setcbreak(terminal_in)
    try:
        while (left := deadline - time.monotonic()) > 0:
            sys.stderr.write(
                f"\rKeep it? Reverts in {math.ceil(left)} s: y keeps it, n reverts it, q decides later. "
            )
            sys.stderr.flush()
            if select.select([terminal_in], [], [], left % 1 or 1)[0]:
                hit = os.read(terminal_in, 1).decode(errors="replace").lower()
                if not hit:
                    return "q"
                if hit in keys:
                    return hit
        return ""
    finally:
        termios.tcsetattr(terminal_in, termios.TCSADRAIN, before)
        sys.stderr.write("\n")
