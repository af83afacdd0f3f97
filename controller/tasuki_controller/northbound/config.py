"""ConfigService: the datastores, their revisions, the sessions that change them, and the models."""

# ruff: noqa: N802, ARG002 - gRPC's names and signatures

import asyncio
from collections.abc import AsyncIterator, Mapping
from types import MappingProxyType
from typing import Final

from tasuki_proto.v1 import config_pb2, config_pb2_grpc
from tasuki_yang.errors import InvalidIntent
from tasuki_yang.facts import Facts
from tasuki_yang.generated.catalogue import MODULES

from tasuki_controller import history
from tasuki_controller.access import Context, caller_of
from tasuki_controller.datastores import Datastores
from tasuki_controller.document import struct_of, text_of
from tasuki_controller.failure import Failed, invalid, message_of, missing
from tasuki_controller.fleet import Fleet
from tasuki_controller.intent import router_intent
from tasuki_controller.ledger import Committed
from tasuki_controller.link import Prepared
from tasuki_controller.northbound.facts import Guess, suppositions
from tasuki_controller.northbound.messages import (
    change_messages,
    edit_of,
    event_message,
    foreseen,
    module_message,
    node_edits_of,
    one_shot_order_of,
    order_of,
    revision_message,
    router_messages,
    target_of,
    timestamp,
)
from tasuki_controller.northbound.reading import read
from tasuki_controller.outcome import Result, RouterOutcome
from tasuki_controller.state import Outcome, compared
from tasuki_controller.transaction import running_changes

_REVISIONS: Final = 100
_REVISIONS_LIMIT: Final = 10_000


class ConfigService(config_pb2_grpc.ConfigServiceServicer):
    """Reads and changes what the network shall be."""

    def __init__(self, datastores: Datastores, fleet: Fleet) -> None:
        self._datastores = datastores
        self._fleet = fleet

    async def Apply(self, request: config_pb2.ApplyRequest, context: Context) -> config_pb2.ApplyResponse:
        """Edit, validate and commit, or say what would change."""
        order = one_shot_order_of(request)
        edit = await asyncio.to_thread(edit_of, request)
        if request.dry_run:
            changes, routers = await self._foretold(await self._datastores.preview(edit), plan=request.plan)
            return config_pb2.ApplyResponse(
                revision=self._datastores.state.revision, changes=changes, routers=routers
            )
        if request.plan:
            raise invalid("'plan' says what would be done: ask for it with 'dry_run'.")
        made = await self._datastores.apply(edit, caller_of(context), order)
        changes, routers = await _told(made)
        return config_pb2.ApplyResponse(
            revision=made.revision,
            committed=made.committed,
            changes=changes,
            routers=routers,
            persist_id=made.persist_id,
        )

    async def Get(self, request: config_pb2.GetRequest, context: Context) -> config_pb2.GetResponse:
        """Read a datastore, or parts of it."""
        return await read(self._datastores, self._fleet, request)

    async def Validate(
        self, request: config_pb2.ValidateRequest, context: Context
    ) -> config_pb2.ValidateResponse:
        """Say all that is wrong with an edit, or with the candidate."""
        try:
            if request.HasField("edit"):
                await self._datastores.preview(await asyncio.to_thread(edit_of, request.edit))
            else:
                await self._datastores.preview_candidate()
        except Failed as failed:
            return config_pb2.ValidateResponse(errors=map(message_of, failed.problems))
        except InvalidIntent as error:
            return config_pb2.ValidateResponse(errors=map(message_of, error.errors))
        return config_pb2.ValidateResponse()

    async def Diff(self, request: config_pb2.DiffRequest, context: Context) -> config_pb2.DiffResponse:
        """Show what an edit, the candidate or facts would change, or what two revisions differ in."""
        if request.suppose:
            return await self._supposed(request)
        if request.HasField("edit") == bool(
            request.from_revision or request.to_revision or request.candidate
        ):
            raise invalid(
                "Ask either for an edit, or for the candidate, or for two revisions, of which one may be 0"
                " for running, or suppose facts."
            )
        if request.candidate and request.to_revision:
            raise invalid("'candidate' takes the place of 'to_revision': give one of them.")
        if request.plan and request.from_revision:
            raise invalid("Routers plan from where they are: ask for 'plan' without 'from_revision'.")
        changes, routers = await self._foretold(await self._difference(request), plan=request.plan)
        return config_pb2.DiffResponse(changes=changes, routers=routers)

    async def _supposed(self, request: config_pb2.DiffRequest) -> config_pb2.DiffResponse:
        if request.HasField("edit") or request.from_revision or request.to_revision or request.candidate:
            raise invalid("Facts are supposed of what is intended now: leave the other fields out.")
        told = suppositions(request.suppose, self._datastores.state.intended.routers)
        facts = self._datastores.facts()
        after, outcome = await self._datastores.suppose(told)
        as_it_is = {router: (before, before) for router, (before, _) in outcome.routers.items()}
        answers = await self._plans(Outcome([], as_it_is))
        plans = await self._plans(outcome, told)
        results = {}
        for router, then in plans.items():
            asked = {key for name, key in after.known.asked if name == router}
            guess = Guess(router, told.get(router, {}), asked.union(facts.get(router, ())))
            results[router] = guess.foreseen(answers[router], then)
        routers = await asyncio.to_thread(router_messages, outcome.routers, results, plans)
        return config_pb2.DiffResponse(routers=routers)

    async def _difference(self, request: config_pb2.DiffRequest) -> Outcome:
        if request.HasField("edit"):
            return await self._datastores.preview(await asyncio.to_thread(edit_of, request.edit))
        if not request.candidate:
            return await self._datastores.compare(request.from_revision, request.to_revision)
        candidate = self._datastores.candidate
        old = self._datastores.state.running
        if request.from_revision:
            _, old = await self._datastores.at(request.from_revision)
        try:
            outcome = await self._datastores.preview_candidate()
        except InvalidIntent:
            if request.plan:
                raise
            # What somebody is still working on need not be valid, and then nothing follows for routers.
            return Outcome(await asyncio.to_thread(running_changes, old, candidate), {})
        if not request.from_revision:
            return outcome
        told = self._datastores.state.known
        return await asyncio.to_thread(compared, old, candidate, told)

    async def OpenSession(
        self, request: config_pb2.OpenSessionRequest, context: Context
    ) -> config_pb2.OpenSessionResponse:
        """Begin a session."""
        session = self._datastores.open_session(caller_of(context), request.lease_seconds)
        return config_pb2.OpenSessionResponse(
            token=session.token, session_id=session.number, lease_seconds=session.lease
        )

    async def KeepSession(
        self, request: config_pb2.KeepSessionRequest, context: Context
    ) -> config_pb2.KeepSessionResponse:
        """Renew the lease of a session."""
        session = self._datastores.keep_session(caller_of(context), request.token)
        return config_pb2.KeepSessionResponse(lease_seconds=session.lease)

    async def CloseSession(
        self, request: config_pb2.CloseSessionRequest, context: Context
    ) -> config_pb2.CloseSessionResponse:
        """End a session, and what is its own."""
        await self._datastores.close_session(caller_of(context), request.token)
        return config_pb2.CloseSessionResponse()

    async def Lock(self, request: config_pb2.LockRequest, context: Context) -> config_pb2.LockResponse:
        """Let nobody else write to a datastore."""
        await self._datastores.lock(caller_of(context), request.token, target_of(request.target))
        return config_pb2.LockResponse()

    async def Unlock(self, request: config_pb2.UnlockRequest, context: Context) -> config_pb2.UnlockResponse:
        """Let others write to a datastore again."""
        await self._datastores.unlock(caller_of(context), request.token, target_of(request.target))
        return config_pb2.UnlockResponse()

    async def Edit(self, request: config_pb2.EditRequest, context: Context) -> config_pb2.EditResponse:
        """Change the candidate."""
        edits, default = await asyncio.to_thread(node_edits_of, request)
        changes = await self._datastores.edit(caller_of(context), request.token, edits, default)
        return config_pb2.EditResponse(changes=await asyncio.to_thread(change_messages, changes))

    async def Commit(self, request: config_pb2.CommitRequest, context: Context) -> config_pb2.CommitResponse:
        """Make the candidate running, for good or until it is confirmed."""
        made = await self._datastores.commit(caller_of(context), request.token, order_of(request))
        changes, routers = await _told(made)
        return config_pb2.CommitResponse(
            revision=made.revision,
            committed=made.committed,
            changes=changes,
            routers=routers,
            revert_at=timestamp(made.revert_at) if made.revert_at else None,
        )

    async def CancelCommit(
        self, request: config_pb2.CancelCommitRequest, context: Context
    ) -> config_pb2.CancelCommitResponse:
        """Revert a confirmed commit now."""
        revision = await self._datastores.cancel(caller_of(context), request.token, request.persist_id)
        return config_pb2.CancelCommitResponse(revision=revision)

    async def DiscardChanges(
        self, request: config_pb2.DiscardChangesRequest, context: Context
    ) -> config_pb2.DiscardChangesResponse:
        """Make the candidate equal to running."""
        await self._datastores.discard(caller_of(context), request.token)
        return config_pb2.DiscardChangesResponse()

    async def Rollback(
        self, request: config_pb2.RollbackRequest, context: Context
    ) -> config_pb2.RollbackResponse:
        """Make an older configuration running again, or say what that would change."""
        order = one_shot_order_of(request)
        if request.dry_run:
            outcome = await self._datastores.preview_rollback(request.number)
            changes, routers = await self._foretold(outcome, plan=False)
            return config_pb2.RollbackResponse(
                revision=self._datastores.state.revision, changes=changes, routers=routers
            )
        made = await self._datastores.rollback(caller_of(context), request.number, order, request.token)
        changes, routers = await _told(made)
        return config_pb2.RollbackResponse(
            revision=made.revision,
            committed=made.committed,
            changes=changes,
            routers=routers,
            persist_id=made.persist_id,
        )

    async def WatchCommits(
        self, request: config_pb2.WatchCommitsRequest, context: Context
    ) -> AsyncIterator[config_pb2.WatchCommitsResponse]:
        """Send the pending commit, then every event of commits."""
        with self._datastores.watch_commits() as events:
            # Whoever waits for these knows that nothing from here on is missed.
            await context.send_initial_metadata(())
            while True:
                for event in await events.take():
                    yield event_message(event)

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

    async def _foretold(
        self, outcome: Outcome, *, plan: bool
    ) -> tuple[list[config_pb2.Change], list[config_pb2.RouterOutcome]]:
        """What would change, and what the routers would do; each of them is asked for its plan."""
        plans = await self._plans(outcome) if plan else None
        if plans is None:
            connected = self._fleet.connected()
            results = {
                router: RouterOutcome(Result.PENDING if router in connected else Result.OFFLINE)
                for router in outcome.routers
            }
        else:
            results = {router: foreseen(prepared) for router, prepared in plans.items()}
        return await asyncio.to_thread(
            lambda: (change_messages(outcome.changes), router_messages(outcome.routers, results, plans))
        )

    async def _plans(
        self, outcome: Outcome, told: Mapping[str, Facts] = MappingProxyType({})
    ) -> Mapping[str, Prepared]:
        number = self._datastores.state.revision + 1
        intents = await asyncio.to_thread(
            lambda: {router: router_intent(number, after) for router, (_, after) in outcome.routers.items()}
        )
        return await self._fleet.prepare(intents, suppose=told)


async def _told(made: Committed) -> tuple[list[config_pb2.Change], list[config_pb2.RouterOutcome]]:
    return await asyncio.to_thread(
        lambda: (
            change_messages(made.outcome.changes),
            router_messages(made.outcome.routers, made.routers),
        )
    )
