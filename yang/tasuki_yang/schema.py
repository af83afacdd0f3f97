"""The schemas of the two trees. Loading them costs a millisecond and needs no YANG tool."""

from tasuki_yang.generated.network_schema import NETWORK
from tasuki_yang.generated.router_schema import ROUTER
from tasuki_yang.node import Schema

__all__ = ["NETWORK", "ROUTER", "Schema"]
