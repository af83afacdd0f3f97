"""`tasuki get`, `history`, `show` and `modules`: what the datastores, the revisions and the models hold."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import cast

from google.protobuf.json_format import MessageToDict
from tasuki_proto.v1.config_pb2 import Datastore, WithDefaults

from tasuki_client import documents, terminal
from tasuki_client.client import Client
from tasuki_client.plain import plain
from tasuki_client.render import changes, revisions
from tasuki_client.render.tables import table
from tasuki_client.render.times import ago, moment
from tasuki_client.render.tree import leaves


def get(
    client: Client,
    datastore: str,
    *,
    router: str,
    paths: Sequence[str],
    depth: int,
    defaults: str,
    layout: str,
) -> None:
    """Print a tree; on a terminal, its revision and age too."""
    answer = client.get(
        cast("Datastore", Datastore.Value(f"DATASTORE_{_constant(datastore)}")),
        router=router,
        paths=paths,
        depth=depth,
        with_defaults=cast("WithDefaults", WithDefaults.Value(f"WITH_DEFAULTS_{_constant(defaults)}")),
    )
    tree = json.loads(answer.config_json)
    match layout:
        case "json":
            terminal.show_json(tree)
        case "yaml":
            terminal.show_text(documents.to_yaml(tree))
        case _:
            terminal.show(*leaves(tree, of_router=bool(router)))
    if terminal.is_terminal():
        observed = moment(answer, "observed_at")
        age = f", observed {ago(observed, datetime.now(UTC))}" if observed else ""
        terminal.note(f"{datastore}, revision {answer.revision}{age}")


def _constant(option: str) -> str:
    return option.upper().replace("-", "_")


def history(client: Client, *, limit: int, before: int, as_json: bool) -> None:
    """Print the newest commits."""
    listed = client.revisions(limit=limit, before=before)
    if as_json:
        terminal.show_json({"revisions": [plain(revision) for revision in listed]})
    else:
        terminal.show(revisions.every(listed, datetime.now(UTC)))


def show(client: Client, number: int, *, as_json: bool) -> None:
    """Print one commit; in JSON with the configuration as it was then."""
    answer = client.revision(number)
    if as_json:
        routers = {name: MessageToDict(tree) for name, tree in answer.router_config.items()}
        terminal.show_json(
            plain(answer.revision)
            | {
                "changes": [plain(change) for change in answer.changes],
                "config": json.loads(answer.config_json or b"{}"),
                "router_config": routers,
            }
        )
        return
    terminal.show(*revisions.heading(answer.revision, datetime.now(UTC)))
    terminal.show(*changes.by_tree(answer.changes, (), brief=terminal.is_terminal()))


def modules(client: Client, *, as_json: bool) -> None:
    """Print the catalogue of YANG modules."""
    listed = client.modules()
    if as_json:
        terminal.show_json({"modules": [plain(module) for module in listed]})
        return
    rows = [(m.name, m.revision, "imported only" if m.import_only else ", ".join(m.trees)) for m in listed]
    terminal.show(table("MODULE", "REVISION", "TREES", rows=rows))


def module(client: Client, name: str, *, as_json: bool) -> None:
    """Print one module's YANG text."""
    answer = client.module(name)
    if as_json:
        terminal.show_json(plain(answer.module) | {"text": answer.text})
    else:
        terminal.show_text(answer.text)
