"""What nftables does to packets: one table of our own."""

from tasuki_agent.kinds.nftables.kind import NftablesKind

KIND = NftablesKind
