"""Links: those that we create, and those of others as far as ours need them or collide with them."""

from tasuki_agent.kinds.link.kind import LinkKind

KIND = LinkKind
