"""How tasuki marks what it made, in the objects themselves: docs/decisions/0001-ownership-marks.md."""

from typing import Final

PROTOCOL: Final = 116
"""Protocol number of our routes, rules and addresses (rtm_protocol, FRA_PROTOCOL, IFA_PROTO)."""
GROUP: Final = 29793
"""Device group of our links (IFLA_GROUP)."""
COMMENT: Final = "made and kept by tasuki"
"""Comment of our nftables tables (NFTA_TABLE_USERDATA)."""
