"""`tasuki facts`: what routers have learned of their lines and from the DNS, and what followed from it."""

from datetime import UTC, datetime

from tasuki_client import documents, terminal
from tasuki_client.client import Client
from tasuki_client.plain import plain
from tasuki_client.render import facts as render


def known(client: Client, *, router: str, layout: str) -> None:
    """Print what is known and what is waited for."""
    listed = client.facts(router=router)
    match layout:
        case "json":
            terminal.show_json(plain(listed))
        case "yaml":
            terminal.show_text(documents.to_yaml(plain(listed)))
        case _:
            terminal.show(*render.known(listed, datetime.now(UTC)))


def changes(client: Client, *, router: str, limit: int, layout: str) -> None:
    """Print what changed, newest first."""
    listed = client.fact_changes(router=router, limit=limit)
    match layout:
        case "json":
            terminal.show_json({"changes": [plain(change) for change in listed]})
        case "yaml":
            terminal.show_text(documents.to_yaml({"changes": [plain(change) for change in listed]}))
        case _:
            terminal.show(render.changes(listed, datetime.now(UTC)))
