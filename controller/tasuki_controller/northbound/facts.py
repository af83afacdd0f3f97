"""FactService: what routers have learned of their lines and from the DNS; and what people suppose of it."""

# ruff: noqa: N802, ARG002 - gRPC's names and signatures

from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final, NamedTuple

from tasuki_proto.v1 import agent_pb2, fact_pb2, fact_pb2_grpc
from tasuki_yang.errors import ConfigError
from tasuki_yang.facts import NOUNS, FactKey, Facts, Values, parse_key, parse_values

from tasuki_controller.access import Context
from tasuki_controller.datastores import Datastores
from tasuki_controller.facts import Fact, is_held
from tasuki_controller.failure import Failed
from tasuki_controller.fleet import Fleet
from tasuki_controller.link import Prepared
from tasuki_controller.northbound.messages import foreseen, timestamp
from tasuki_controller.outcome import RouterOutcome
from tasuki_controller.store import FactRecord, Store

_CHANGES: Final = 100
_CHANGES_LIMIT: Final = 10_000


class FactService(fact_pb2_grpc.FactServiceServicer):
    """Tells of facts, and of what followed them."""

    def __init__(self, datastores: Datastores, fleet: Fleet, store: Store) -> None:
        self._datastores = datastores
        self._fleet = fleet
        self._store = store

    async def ListFacts(
        self, request: fact_pb2.ListFactsRequest, context: Context
    ) -> fact_pb2.ListFactsResponse:
        """List what intended depends on, known or waited for."""
        if request.router:
            self._fleet.require(request.router)
        holders = self._datastores.state.known.holders
        listed = {
            router: facts
            for router, facts in sorted(self._datastores.facts().items())
            if facts and request.router in ("", router)
        }
        said = {router: _read(self._fleet.newest_report(router)) for router in listed}
        return fact_pb2.ListFactsResponse(
            facts=[
                _fact_message(router, key, fact, holders.get((router, key)), said[router])
                for router, facts in listed.items()
                for key, fact in sorted(facts.items())
                if not (fact and fact.lost and NOUNS[key.noun].passing)
            ],
            evidence=[each for router in listed for each in self._fleet.evidence(router)],
        )

    async def ListFactChanges(
        self, request: fact_pb2.ListFactChangesRequest, context: Context
    ) -> fact_pb2.ListFactChangesResponse:
        """List changes, newest first."""
        records = await self._store.fact_changes(
            router=request.router or None,
            before=request.before or None,
            limit=min(request.limit or _CHANGES, _CHANGES_LIMIT),
        )
        return fact_pb2.ListFactChangesResponse(changes=map(_change_message, records))


def suppositions(
    messages: Iterable[fact_pb2.Fact], routers: Iterable[str]
) -> Mapping[str, Mapping[FactKey, Values]]:
    """What a request supposes, by router.

    Args:
        messages: as they came.
        routers: all that there are.

    Raises:
        Failed: routers that there are not, facts that are none, or values that do not fit, all of them.
    """
    known = sorted(routers)
    told: dict[str, dict[FactKey, Values]] = {router: {} for router in known}
    problems: list[ConfigError] = []
    for message in messages:
        written = f"{message.router}/{message.subject}/{message.noun}={','.join(message.values)}"
        mistakes = []
        if message.router not in told:
            mistakes.append(f"there is no router '{message.router}'; there are: {', '.join(known) or 'none'}")
        try:
            key = parse_key(f"{message.subject}/{message.noun}")
            values = parse_values(key, tuple(message.values))
        except ValueError as error:
            mistakes.append(str(error))
        else:
            if told.get(message.router, {}).setdefault(key, values) != values:
                mistakes.append(f"{message.router}/{key} is supposed twice")
        problems += (
            ConfigError(error_type="protocol", error_tag="invalid-value", message=f"{written}: {mistake}.")
            for mistake in mistakes
        )
    if problems:
        raise Failed(problems)
    return {router: facts for router, facts in told.items() if facts}


@dataclass(frozen=True, slots=True)
class Guess:
    """What is supposed of one router, which may be nothing."""

    router: str
    supposed: Facts
    depended: Collection[FactKey]
    """What intended is known to be made of, now or with what is supposed."""

    def foreseen(self, now: Prepared, then: Prepared) -> RouterOutcome:
        """How the router would come out of it, by what it says to its intent as it is and to this.

        Each line of the message is one remark. What waits anyway does not belong to the answer.
        """
        outcome = foreseen(replace(then, waiting=[need for need in then.waiting if need not in now.waiting]))
        ended = [f"no longer: {need}" for need in now.waiting if need not in then.waiting]
        remarks = [
            outcome.message,
            *(ended if then.answered and not then.refusals else ()),
            self._idle(now, then),
        ]
        return replace(outcome, message="\n".join(filter(None, remarks)))

    def _idle(self, now: Prepared, then: Prepared) -> str:
        """What to say where nothing follows from what is supposed, if that is certain; often nothing."""
        idle = ", ".join(f"{self.router}/{key}" for key in self.supposed if key not in self.depended)
        if not idle:
            return ""
        known = ", ".join(f"{self.router}/{key}" for key in sorted(self.depended))
        if not then.answered:
            # What its own tree asks for with other facts, only the router can tell.
            text = f"whether anything depends on {idle} cannot be known while {self.router} is offline"
            return f"{text}; known to count: {known}" if known else text
        if now != then:
            return ""
        text = f"nothing in the intent depends on {idle}"
        return f"{text}; it depends on: {known}" if known else f"{text}, or on anything else of {self.router}"


class _Said(NamedTuple):
    """What a router's newest report says of a fact, besides its values."""

    unconfirmed: str = ""
    terms: Mapping[str, fact_pb2.Terms] = MappingProxyType({})
    """By value, as the router spells it: agents do so canonically."""


def _read(report: agent_pb2.Report | None) -> Mapping[FactKey, _Said] | None:
    """What a router's newest report speaks of; None without a report."""
    if report is None:
        return None
    said = {}
    for fact in report.facts:
        # What is no fact is logged where it is learned.
        with suppress(ValueError):
            key = parse_key(f"{fact.subject}/{fact.noun}")
            # Empty ones say nothing, of any value.
            told = any(terms.ListFields() for terms in fact.terms)
            terms = dict(zip(fact.values, fact.terms, strict=False)) if told else {}
            said[key] = _Said(fact.unconfirmed, terms)
    return said


def _fact_message(
    router: str, key: FactKey, fact: Fact | None, holder: str | None, said: Mapping[FactKey, _Said] | None
) -> fact_pb2.Fact:
    message = fact_pb2.Fact(router=router, subject=key.subject, noun=key.noun)
    of_it = (said or {}).get(key, _Said())
    message.unconfirmed = of_it.unconfirmed
    if fact:
        message.values.extend(fact.values)
        message.since.CopyFrom(timestamp(fact.since))
        message.unasked = fact.lost and said is not None and key not in said
        message.lost = fact.lost and not message.unasked
    if of_it.terms:
        message.terms.extend(of_it.terms.get(value, fact_pb2.Terms()) for value in message.values)
    if holder:
        message.problem = is_held(holder)
    return message


def _change_message(record: FactRecord) -> fact_pb2.FactChange:
    return fact_pb2.FactChange(
        number=record.number,
        time=timestamp(record.time),
        router=record.change.router,
        subject=record.change.key.subject,
        noun=record.change.key.noun,
        old_values=record.change.old,
        values=record.change.new,
        recompiled=record.recompiled,
        event=record.event,
    )
