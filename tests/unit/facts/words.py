"""dhcpcd's words for a lease, and the file that its hook makes of them."""

from collections.abc import Mapping

BOOT = "2f1cbd3e-7c0e-4b5b-9d55-2a1d3c4e5f60"
OLD, NEW = "2001:db8:1200::/56", "2001:db8:3400::/56"

IPV4 = {
    "new_ip_address": "192.0.2.10",
    "new_subnet_cidr": "24",
    "new_routers": "192.0.2.1",
    "new_domain_name_servers": "192.0.2.53 192.0.2.54",
    "new_dhcp_lease_time": "120",
    "new_dhcp_renewal_time": "60",
    "new_dhcp_rebinding_time": "105",
}


def told(*prefixes: tuple[str, int, int], aftr: str = "gw.example.net", **others: str) -> dict[str, str]:
    """Words for prefixes with their preferred and valid lifetimes; others without `new_dhcp6_`."""
    words = {"new_dhcp6_aftr_name": aftr} if aftr else {}
    for n, (prefix, preferred, valid) in enumerate(prefixes, start=1):
        name = f"new_dhcp6_ia_pd1_prefix{n}"
        words[name], _, words[f"{name}_length"] = prefix.partition("/")
        words |= {f"{name}_pltime": f"{preferred}", f"{name}_vltime": f"{valid}"}
    return words | {f"new_dhcp6_{name}": value for name, value in others.items()}


def text(words: Mapping[str, str], uptime: float = 100.0, boot: str = BOOT) -> str:
    """The file."""
    return "".join(f"{name}={value}\n" for name, value in {**words, "uptime": uptime, "boot": boot}.items())
