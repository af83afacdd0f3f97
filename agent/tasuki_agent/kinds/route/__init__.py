"""Static routes, in any table."""

from tasuki_agent.kinds.route.kind import RouteKind

KIND = RouteKind
