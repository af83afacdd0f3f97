"""What dhcpcd is told to ask for: the text of its configuration. Pure.

dhcpcd configures nothing: whatever comes of a lease is made by the kinds that make all else. It tells of a
lease by the hook, whose environment has the options of the message by dhcpcd's own names
(dhcpcd-run-hooks(8)), and besides, in hexadecimal:

    new_dhcp6_vendor_options     a vendor option (17) as the message has it, with its enterprise number
    new_dhcp6_vendor_options1    the same of each, where there are several
    new_dhcp6_option_88          an option that dhcpcd has no name for
"""

from collections.abc import Iterator
from typing import Final

from tasuki_yang.router import InterfacesInterfaceDhcpClientIpv4, InterfacesInterfaceDhcpClientIpv6

CONFIGURATION: Final = "dhcpcd.conf"
DUID_INTERFACE: Final = "duid-interface"
"""File with the name of the interface whose link-layer address the DUID is made of."""

_HEAD: Final = (
    "# tasuki-agent writes this file: what is changed here does not last.",
    "noconfigure",
    # A client that is ended for another configuration has not lost its lease.
    "persistent",
    # Whether the interface is there is known before.
    "nodev",
    # By itself dhcpcd tells everybody what it runs on.
    "vendorclassid",
)
_VENDOR_OPTIONS: Final = 17
_NAMELESS: Final = frozenset({88, 103, 143})
"""Options that dhcpcd cannot ask for without a definition; for one such it drops the whole line."""


def dhcpv6(asked: InterfacesInterfaceDhcpClientIpv6) -> str:
    """For a client that asks for a prefix, or for information alone; never for an address, or in haste."""
    return _text(
        *_HEAD,
        "ipv6only",
        # Router advertisements are the kernel's.
        "noipv6rs",
        f"define6 {_VENDOR_OPTIONS} index binhex vendor_options",
        *(f"define6 {code} binhex option_{code}" for code in asked.request_option if code in _NAMELESS),
        *(f"option dhcp6_{code}" for code in asked.request_option),
        *_vendor_class(asked),
        *_request(asked),
    )


def _vendor_class(asked: InterfacesInterfaceDhcpClientIpv6) -> Iterator[str]:
    """Raw bytes are written as escapes: of what else dhcpcd knows, such as 01:02:03, it makes nothing."""
    for vendor in asked.vendor_class:
        escaped = "".join(f"\\x{octet:02x}" for octet in bytes.fromhex(vendor.octets.replace(":", "")))
        yield f'vendclass {vendor.enterprise_number} "{escaped}"'


def _request(asked: InterfacesInterfaceDhcpClientIpv6) -> Iterator[str]:
    if asked.request == "information":
        yield "inform6"
        return
    hint = f"/::/{asked.prefix_hint}" if asked.prefix_hint is not None else ""
    yield f"iaid {asked.iaid}"
    yield f"ia_pd {asked.iaid}{hint}"


def dhcpv4(asked: InterfacesInterfaceDhcpClientIpv4) -> str:
    """For a client that asks for an address and what belongs to it, and leaves its use to others."""
    return _text(
        *_HEAD,
        "ipv4only",
        "noipv4ll",
        # Whether somebody else has the address is found out, and told, where it is configured.
        "noarp",
        "option domain_name_servers",
        "option domain_name",
        "option domain_search",
        "option ntp_servers",
        *_host_name(asked),
    )


def _host_name(asked: InterfacesInterfaceDhcpClientIpv4) -> Iterator[str]:
    if asked.host_name is not None:
        # Option 12, and not 81, which few home gateways know.
        yield "fqdn disable"
        yield f"hostname {asked.host_name}"


def _text(*lines: str) -> str:
    return "".join(f"{line}\n" for line in lines)
