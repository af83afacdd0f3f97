"""Policy rules: which table a packet is looked up in."""

from tasuki_agent.kinds.rule.kind import RuleKind

KIND = RuleKind
