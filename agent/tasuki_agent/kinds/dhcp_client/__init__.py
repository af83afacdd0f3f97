"""Leases: who asks a line for what by DHCP, one client an interface and IP version."""

from tasuki_agent.kinds.dhcp_client.kind import DhcpClientKind

KIND = DhcpClientKind
