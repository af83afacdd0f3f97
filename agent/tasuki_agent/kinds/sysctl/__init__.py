"""Kernel parameters that make a machine a router."""

from tasuki_agent.kinds.sysctl.kind import SysctlKind

KIND = SysctlKind
