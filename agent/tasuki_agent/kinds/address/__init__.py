"""Addresses of interfaces, ours or not."""

from tasuki_agent.kinds.address.kind import AddressKind

KIND = AddressKind
