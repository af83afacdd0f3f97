"""`tasuki drift`: what routers found to differ from their intent."""

from datetime import UTC, datetime

from tasuki_client import terminal
from tasuki_client.client import Client
from tasuki_client.plain import plain
from tasuki_client.render import drift as render


def report(client: Client, *, router: str, open_only: bool, since: datetime | None, as_json: bool) -> bool:
    """Print the report; whether it lists any drift."""
    answer = client.drift(router=router, open_only=open_only, since=since)
    if as_json:
        terminal.show_json(plain(answer))
    else:
        terminal.show(*render.report(answer, datetime.now(UTC)))
    return bool(answer.items)


def watch(client: Client, *, router: str, open_only: bool, since: datetime | None, as_json: bool) -> None:
    """Print items as they come; in JSON one to a line."""
    for item in client.watch_drift(router=router, open_only=open_only, since=since):
        if as_json:
            terminal.show_json_line(plain(item))
        else:
            terminal.show(*render.item(item, datetime.now(UTC)))
