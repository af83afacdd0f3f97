"""What systemd-networkd tells of its leases: real descriptions of a line with both DHCPs, by two versions.

Recorded with `busctl call org.freedesktop.network1 /org/freedesktop/network1 org.freedesktop.network1.Manager
Describe`, without what matters to nobody here.
"""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tasuki_agent.facts.leases.reading import parse_dhcpv4, parse_dhcpv6
from tasuki_agent.kinds.dhcp_client.model import IPV4, IPV6
from tasuki_agent.kinds.dhcp_client.networkd import Description, Told

RECORDED = Path(__file__).parent / "recorded"
BOOT = "2f1cbd3e-7c0e-4b5b-9d55-2a1d3c4e5f60"
PREFIX, OTHER = "2001:db8:1200::/56", "2001:db8:3400::/56"
VERSIONS = pytest.mark.parametrize("version", ["252", "257"])


def recorded(version: str) -> dict[str, Any]:
    description: dict[str, Any] = json.loads((RECORDED / f"networkd-{version}.json").read_text())
    return description


def link(network: dict[str, Any]) -> dict[str, Any]:
    (found,) = (link for link in network["Interfaces"] if link["Name"] == "wan0")
    return dict(found)


def told(network: dict[str, Any], version: str) -> Told:
    lease = Description.parse(json.dumps(network)).lease("wan0", version)
    assert lease is not None
    return lease


def uptime(network: dict[str, Any]) -> float:
    """When it was recorded, more or less: the lease of IPv4 was new, and lasts for two minutes."""
    (leased,) = (a for a in link(network)["Addresses"] if a["ConfigSource"] == "DHCPv4")
    return float(leased["ValidLifetimeUsec"]) / 1e6 - 120


@VERSIONS
def test_a_delegated_prefix_is_read_with_the_end_of_its_lifetime(version: str) -> None:
    network = recorded(version)
    at = uptime(network)
    lease = parse_dhcpv6(told(network, IPV6).text(f"{at}", BOOT))
    assert lease.unusable == ()
    assert lease.origin == "networkd"
    ((prefix, preferred, valid),) = ((p.prefix, p.preferred_until, p.valid_until) for p in lease.prefixes)
    assert prefix == PREFIX
    assert at < preferred <= valid < at + 1000
    assert lease.values["dns-servers"] == ("2001:db8::53",)
    assert lease.values["sntp-servers"] == ("2001:db8::123",)


def test_later_versions_tell_of_vendor_options_and_of_the_times_to_renew() -> None:
    network = recorded("257")
    at = uptime(network)
    lease = parse_dhcpv6(told(network, IPV6).text(f"{at}", BOOT))
    assert lease.values["vendor-options"] == ("210/201:0010db112233", "210/202:abcd")
    (prefix,) = lease.prefixes
    assert at < lease.renew_at < prefix.preferred_until < prefix.valid_until
    assert lease.renew_at < lease.rebind_at < prefix.valid_until


@VERSIONS
def test_an_ipv4_lease_is_read_with_its_router(version: str) -> None:
    network = recorded(version)
    lease = parse_dhcpv4(told(network, IPV4).text(f"{uptime(network)}", BOOT))
    assert lease.unusable == ()
    (address,) = lease.values["ipv4-address"]
    assert address.startswith("192.0.2.")
    assert address.endswith("/24")
    assert lease.values["ipv4-routers"] == ("192.0.2.1",)


@VERSIONS
@given(later=st.floats(0, 600))
def test_a_lease_that_has_not_changed_is_not_written_anew(version: str, later: float) -> None:
    network = recorded(version)
    at = uptime(network)
    for protocol in (IPV6, IPV4):
        lease = told(network, protocol)
        written = lease.retold("", f"{at:.2f}", BOOT)
        assert lease.retold(written, f"{at + later:.2f}", BOOT) == written


def test_a_renewed_lease_is_written_anew() -> None:
    network = recorded("257")
    at = uptime(network)
    before = told(network, IPV6).retold("", f"{at}", BOOT)
    (prefix,) = link(network)["DHCPv6Client"]["Prefixes"]
    prefix["ValidLifetimeUSec"] += 300_000_000
    assert (
        told(network, IPV6).retold(before, f"{at + 300}", BOOT).endswith(f"uptime={at + 300}\nboot={BOOT}\n")
    )


def renumbered() -> dict[str, Any]:
    """As 252 tells of it: the route of the old prefix stays until its end."""
    network = recorded("252")
    (old,) = network["Routes"]
    new = copy.deepcopy(old)
    new["Destination"][4] = 0x34
    new["LifetimeUSec"] += 60_000_000
    network["Routes"] = [old, new]
    return network


def test_of_several_routes_the_prefix_counts_that_ends_last() -> None:
    network = renumbered()
    lease = parse_dhcpv6(told(network, IPV6).text(f"{uptime(network)}", BOOT))
    preferred = [prefix.prefix for prefix in lease.prefixes if prefix.preferred_until > lease.told_at]
    assert preferred == [OTHER]
    assert {prefix.prefix for prefix in lease.prefixes} == {PREFIX, OTHER}


def test_a_prefix_that_never_ends_has_no_end() -> None:
    network = recorded("252")
    (route,) = network["Routes"]
    del route["LifetimeUSec"]
    assert "new_dhcp6_ia_pd1_prefix1_vltime=4294967295\n" in told(network, IPV6).text("7.00", BOOT)


def test_of_two_lines_each_has_the_prefix_that_its_own_server_delegated() -> None:
    network = recorded("252")
    other = copy.deepcopy(link(network)) | {"Name": "wan1"}
    for server in (*other["DNS"], *other["NTP"]):
        server["ConfigProvider"][15] ^= 1
    network["Interfaces"].append(other)
    description = Description.parse(json.dumps(network))
    ours, theirs = description.lease("wan0", IPV6), description.lease("wan1", IPV6)
    assert ours
    assert theirs
    assert "new_dhcp6_ia_pd1_prefix1" in ours.words
    assert "new_dhcp6_ia_pd1_prefix1" not in theirs.words


@VERSIONS
def test_without_a_lease_nothing_is_told(version: str) -> None:
    network = recorded(version)
    network["Routes"] = []
    for source in link(network).values():
        if isinstance(source, list | dict):
            source.clear()
    description = Description.parse(json.dumps(network))
    assert description.lease("wan0", IPV6) is None
    assert description.lease("wan0", IPV4) is None
    assert description.lease("wan7", IPV6) is None


def test_what_keeps_it_from_having_a_lease_is_said() -> None:
    network = recorded("252")
    assert Description.parse(json.dumps(network)).trouble("wan0") == ""
    assert "knows of no interface wan7" in Description.parse(json.dumps(network)).trouble("wan7")
    assert "does not manage lo" in Description.parse(json.dumps(network)).trouble("lo")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda value: (
        st.lists(value, max_size=3)
        | st.dictionaries(
            st.sampled_from(["Interfaces", "Name", "Routes", "DNS", "DHCPv6Client", "Prefixes", "Addresses"]),
            value,
        )
    ),
    max_leaves=20,
)


@given(network=st.one_of(JSON, JSON.map(lambda value: {"Interfaces": [{"Name": "wan0", "DNS": value}]})))
def test_whatever_is_said_instead_is_refused_or_makes_no_harm(network: Any) -> None:
    try:
        description = Description.parse(json.dumps(network))
        description.trouble("wan0")
        for version in (IPV6, IPV4):
            description.lease("wan0", version)
    except ValueError:
        pass


@pytest.mark.parametrize("text", ["", "{", "[]", "null"])
def test_what_is_no_description_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Description.parse(text)


def test_what_a_server_says_in_two_lines_becomes_no_other_assignment() -> None:
    lease = Told({"new_dhcp6_domain_search": "a.example\nnew_dhcp6_aftr_name=evil.example"})
    assert "aftr-name" not in parse_dhcpv6(lease.text("7.00", BOOT)).values
