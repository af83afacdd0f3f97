"""DriftService: what routers found to differ from their intent, and what was done about it."""

# ruff: noqa: N802, ARG002 - gRPC's names and signatures

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Final, TypeAlias

from tasuki_proto.v1 import drift_pb2, drift_pb2_grpc

from tasuki_controller.access import Context
from tasuki_controller.drift_counts import RECENT
from tasuki_controller.fleet import Fleet
from tasuki_controller.store import DriftFilter, Store, is_open

_ITEMS: Final = 1000
_ITEMS_LIMIT: Final = 10_000

Request: TypeAlias = drift_pb2.ListDriftRequest | drift_pb2.WatchDriftRequest


class DriftService(drift_pb2_grpc.DriftServiceServicer):
    """Tells of drift, and how old the evidence is."""

    def __init__(self, fleet: Fleet, store: Store) -> None:
        self._fleet = fleet
        self._store = store

    async def ListDrift(
        self, request: drift_pb2.ListDriftRequest, context: Context
    ) -> drift_pb2.ListDriftResponse:
        """List what is open or was seen of late, newest first."""
        wanted = self._filter(request, min(request.limit or _ITEMS, _ITEMS_LIMIT))
        listing = await self._store.drift(wanted)
        return drift_pb2.ListDriftResponse(
            items=listing.items,
            evidence=self._fleet.evidence(wanted.router),
            incomplete=listing.incomplete,
        )

    async def WatchDrift(
        self, request: drift_pb2.WatchDriftRequest, context: Context
    ) -> AsyncIterator[drift_pb2.WatchDriftResponse]:
        """Send what ListDrift would, then every new or changed item."""
        wanted = self._filter(request, _ITEMS)
        with self._fleet.watch_drift() as changed:
            for item in (await self._store.drift(wanted)).items:
                yield drift_pb2.WatchDriftResponse(item=item)
            while True:
                for item in await changed.take():
                    if wanted.router in (None, item.router) and (is_open(item) or not wanted.open_only):
                        yield drift_pb2.WatchDriftResponse(item=item)

    def _filter(self, request: Request, limit: int) -> DriftFilter:
        if request.router:
            self._fleet.require(request.router)
        since = request.since.ToDatetime(UTC) if request.HasField("since") else datetime.now(UTC) - RECENT
        return DriftFilter(
            router=request.router or None, open_only=request.open_only, since=since, limit=limit
        )
