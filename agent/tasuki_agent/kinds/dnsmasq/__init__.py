"""What hosts of the LANs are served: DHCP, router advertisements and DNS."""

from tasuki_agent.kinds.dnsmasq.kind import DnsmasqKind

KIND = DnsmasqKind
