"""ConfigService: the datastores, their revisions, and the models."""

# ruff: noqa: N802, ARG002 - gRPC's names and signatures

import asyncio
import gzip
import json
from typing import Final

from tasuki_proto.v1 import config_pb2, config_pb2_grpc
from tasuki_yang.errors import InvalidIntent
from tasuki_yang.generated.catalogue import MODULES
from tasuki_yang.schema import NETWORK, ROUTER
from tasuki_yang.select import select
from tasuki_yang.tree import Tree

from tasuki_controller import history
from tasuki_controller.access import Context, caller_of
from tasuki_controller.datastores import Datastores, Outcome
from tasuki_controller.document import struct_of, text_of
from tasuki_controller.failure import Failed, invalid, message_of, missing
from tasuki_controller.fleet import Fleet
from tasuki_controller.northbound.messages import (
    change_messages,
    edit_of,
    module_message,
    revision_message,
    router_outcomes,
)

_COMMENT_LIMIT: Final = 1000
_REVISIONS: Final = 100
_REVISIONS_LIMIT: Final = 10_000


class ConfigService(config_pb2_grpc.ConfigServiceServicer):
    """Reads and changes what the network shall be."""

    def __init__(self, datastores: Datastores, fleet: Fleet) -> None:
        self._datastores = datastores
        self._fleet = fleet

    async def Apply(self, request: config_pb2.ApplyRequest, context: Context) -> config_pb2.ApplyResponse:
        """Edit, validate and commit, or say what would change."""
        if len(request.comment) > _COMMENT_LIMIT:
            raise invalid(f"A comment has at most {_COMMENT_LIMIT} characters.", "too-big")
        edit = await asyncio.to_thread(edit_of, request)
        if request.dry_run:
            outcome = await self._datastores.preview(edit)
            revision, committed = self._datastores.state.revision, False
        else:
            applied = await self._datastores.apply(edit, caller_of(context), request.comment)
            outcome, revision, committed = applied.outcome, applied.revision, applied.committed
        changes, routers = await self._told(outcome)
        return config_pb2.ApplyResponse(
            revision=revision, committed=committed, changes=changes, routers=routers
        )

    async def Get(self, request: config_pb2.GetRequest, context: Context) -> config_pb2.GetResponse:
        """Read a datastore, or the part of it at a path."""
        response = config_pb2.GetResponse(revision=self._datastores.state.revision)
        if request.datastore == config_pb2.DATASTORE_OPERATIONAL:
            tree = await self._operational(request.router, response)
        elif request.router:
            tree = self._router_tree(request.router, request.datastore)
        else:
            # No service changes the network tree: intended is what running is.
            tree = self._datastores.state.running.network
        if request.path:
            tree = select(ROUTER if request.router else NETWORK, tree, [request.path])
        if request.as_json:
            response.config_json = await asyncio.to_thread(text_of, tree)
        else:
            response.config.CopyFrom(await asyncio.to_thread(struct_of, tree))
        return response

    def _router_tree(self, router: str, datastore: config_pb2.Datastore) -> Tree:
        state = self._datastores.state
        if datastore == config_pb2.DATASTORE_INTENDED and router in state.trees:
            return state.trees[router]
        if "/" in router:
            raise missing(
                f"'{router}' has no intended configuration: SPLIT/NUMBER names an unmanaged subscriber"
                " of a split, and only in the intended datastore."
            )
        self._fleet.require(router)
        return {} if datastore == config_pb2.DATASTORE_INTENDED else state.running.routers.get(router, {})

    async def _operational(self, router: str, response: config_pb2.GetResponse) -> Tree:
        if not router:
            raise invalid(
                "The operational datastore is read router by router: name one in 'router'.",
                "operation-not-supported",
            )
        answer = await self._fleet.operational(router)
        response.revision = answer.applied_revision
        response.observed_at.CopyFrom(answer.observed_at)
        return await asyncio.to_thread(lambda: json.loads(gzip.decompress(answer.config_json_gz)))

    async def Validate(
        self, request: config_pb2.ValidateRequest, context: Context
    ) -> config_pb2.ValidateResponse:
        """Say all that is wrong with an edit."""
        try:
            await self._datastores.preview(await asyncio.to_thread(edit_of, request.edit))
        except Failed as failed:
            return config_pb2.ValidateResponse(errors=map(message_of, failed.problems))
        except InvalidIntent as error:
            return config_pb2.ValidateResponse(errors=map(message_of, error.errors))
        return config_pb2.ValidateResponse()

    async def Diff(self, request: config_pb2.DiffRequest, context: Context) -> config_pb2.DiffResponse:
        """Show what an edit would change, or what two revisions differ in."""
        revisions = (request.from_revision, request.to_revision)
        if request.HasField("edit") == any(revisions):
            raise invalid("Ask either for an edit, or for two revisions, of which one may be 0 for running.")
        if request.HasField("edit"):
            outcome = await self._datastores.preview(await asyncio.to_thread(edit_of, request.edit))
        else:
            outcome = await self._datastores.compare(*revisions)
        changes, routers = await self._told(outcome)
        return config_pb2.DiffResponse(changes=changes, routers=routers)

    async def ListRevisions(
        self, request: config_pb2.ListRevisionsRequest, context: Context
    ) -> config_pb2.ListRevisionsResponse:
        """List revisions, newest first."""
        revisions = await self._datastores.revisions(
            before=request.before or None, limit=min(request.limit or _REVISIONS, _REVISIONS_LIMIT)
        )
        return config_pb2.ListRevisionsResponse(revisions=map(revision_message, revisions))

    async def GetRevision(
        self, request: config_pb2.GetRevisionRequest, context: Context
    ) -> config_pb2.GetRevisionResponse:
        """Show one revision: who, when, why, what it changed and what it was."""
        stored, running = await self._datastores.at(request.number)
        response = config_pb2.GetRevisionResponse(
            revision=revision_message(stored.revision),
            changes=change_messages(history.read_changes(stored.changes)),
        )
        for router, tree in running.routers.items():
            response.router_config[router].CopyFrom(struct_of(tree))
        if request.as_json:
            response.config_json = text_of(running.network)
        else:
            response.config.CopyFrom(await asyncio.to_thread(struct_of, running.network))
        return response

    async def ListModules(
        self, request: config_pb2.ListModulesRequest, context: Context
    ) -> config_pb2.ListModulesResponse:
        """List the YANG modules behind both trees."""
        return config_pb2.ListModulesResponse(modules=map(module_message, MODULES))

    async def GetModule(
        self, request: config_pb2.GetModuleRequest, context: Context
    ) -> config_pb2.GetModuleResponse:
        """Show the text of one YANG module."""
        for module in MODULES:
            if module.name == request.name:
                return config_pb2.GetModuleResponse(module=module_message(module), text=module.text)
        raise missing(f"There is no module '{request.name}'; ListModules names them all.")

    async def _told(self, outcome: Outcome) -> tuple[list[config_pb2.Change], list[config_pb2.RouterOutcome]]:
        connected = self._fleet.connected()
        return await asyncio.to_thread(
            lambda: (change_messages(outcome.changes), router_outcomes(outcome.routers, connected))
        )
