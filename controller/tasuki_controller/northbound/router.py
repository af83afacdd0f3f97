"""RouterService: the routers of the network and how far each has come."""

# ruff: noqa: N802, ARG002 - gRPC's names and signatures

from collections.abc import AsyncIterator

from tasuki_proto.v1 import router_pb2, router_pb2_grpc

from tasuki_controller.access import Context
from tasuki_controller.fleet import Fleet


class RouterService(router_pb2_grpc.RouterServiceServicer):
    """Tells how the routers stand."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    async def ListRouters(
        self, request: router_pb2.ListRoutersRequest, context: Context
    ) -> router_pb2.ListRoutersResponse:
        """List all routers, without their objects."""
        return router_pb2.ListRoutersResponse(routers=await self._fleet.routers())

    async def GetRouter(
        self, request: router_pb2.GetRouterRequest, context: Context
    ) -> router_pb2.GetRouterResponse:
        """Show one router, with every object that is not done."""
        found = await self._fleet.routers([request.name], with_objects=True)
        # Only now: it may have gone while the store was asked.
        self._fleet.require(request.name)
        return router_pb2.GetRouterResponse(router=found[0])

    async def WatchRouters(
        self, request: router_pb2.WatchRoutersRequest, context: Context
    ) -> AsyncIterator[router_pb2.WatchRoutersResponse]:
        """Send every router once, then whatever changes; of a router that changes fast, the newest state."""
        for name in request.names:
            self._fleet.require(name)
        wanted = frozenset(request.names)
        with self._fleet.watch_routers() as changed:
            for router in await self._fleet.routers(request.names, with_objects=request.with_objects):
                yield router_pb2.WatchRoutersResponse(router=router)
            while True:
                names = [name for name in await changed.take() if not wanted or name in wanted]
                if not names:
                    continue
                for router in await self._fleet.routers(names, with_objects=request.with_objects):
                    yield router_pb2.WatchRoutersResponse(router=router)
