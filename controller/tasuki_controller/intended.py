"""What all routers shall be, and for how long while that is not confirmed."""

from collections.abc import Mapping
from dataclasses import dataclass

from tasuki_proto.v1 import agent_pb2

from tasuki_controller.intent import RouterIntent, router_intent


@dataclass(frozen=True, slots=True)
class Intended:
    """What all routers shall be, since the newest revision."""

    revision: int
    """The newest revision; 0 before the first one."""
    routers: Mapping[str, RouterIntent]
    """Every router of the network tree."""
    removed: Mapping[str, RouterIntent]
    """Routers that were in the network tree once: their intent is an empty tree."""

    def of(self, router: str) -> RouterIntent | None:
        """The intent of a router; None for one that no revision has ever named.

        Such a router is told nothing, and least of all to be empty: it may belong to a history that this
        controller has lost.
        """
        return self.routers.get(router) or self.removed.get(router)


@dataclass(frozen=True, slots=True)
class RouterTrial:
    """What one router must know to go back by itself."""

    fallback: RouterIntent
    deadline: float

    def message(self, now: float) -> agent_pb2.Trial:
        """The trial as it travels: the time that is left, counted from now."""
        fallback = self.fallback.message()
        return agent_pb2.Trial(
            remaining_ms=round(max(0.0, self.deadline - now) * 1000),
            fallback_revision=fallback.revision,
            fallback_json_gz=fallback.config_json_gz,
            fallback_digest=fallback.digest,
        )


@dataclass(frozen=True, slots=True)
class Trial:
    """A confirmed commit that is not confirmed yet."""

    baseline: Intended
    """What was intended before the first confirmed commit of the chain."""
    deadline: float
    """Time of the event loop's clock at which every router goes back by itself."""

    def of(self, router: str, intended: Intended) -> RouterTrial | None:
        """The trial of a router that is not as it was before; None for the others."""
        now = intended.of(router)
        fallback = self.baseline.of(router) or router_intent(0, {})
        return RouterTrial(fallback, self.deadline) if now and now.digest != fallback.digest else None
