"""What of a lease counts, whatever the server has put into it."""

import math
import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tasuki_agent.facts.leases.lease import Lease, Prefix, delegated_prefix
from tasuki_agent.facts.leases.reading import MOST, parse_dhcpv4, parse_dhcpv6
from tasuki_yang.facts import NOUNS, Terms
from unit.facts.words import BOOT, IPV4, NEW, OLD, text, told


def values(lease: Lease, noun: str, now: float = 100.0) -> list[str]:
    return [*lease.told(noun, now)]


# --- DHCPv6 ---


def test_prefixes_with_their_lifetimes_are_read() -> None:
    lease = parse_dhcpv6(text(told(("2001:DB8:1200::1/56", 12600, 0xFFFF_FFFF), (NEW, 0, 0))))
    assert (lease.boot, lease.told_at, lease.origin) == (BOOT, 100.0, "dhcpv6")
    assert lease.prefixes == (Prefix(OLD, 12700.0, math.inf), Prefix(NEW, 100.0, 100.0))
    assert lease.unusable == ()


def test_a_prefix_has_the_lifetimes_of_its_lease_and_the_times_of_its_client() -> None:
    lease = parse_dhcpv6(text(told((OLD, 12600, 14400), ia_pd1_t1="7200", ia_pd1_t2="10800")))
    assert lease.terms_of(OLD) == Terms("dhcpv6", 12700.0, 14500.0, 7300.0, 10900.0)


def test_times_that_the_server_leaves_to_the_client_are_parts_of_the_preferred_lifetime() -> None:
    lease = parse_dhcpv6(text(told((OLD, 1000, 2000), (NEW, 0, 0), ia_pd1_t1="0", ia_pd1_t2="0")))
    assert (lease.renew_at, lease.rebind_at) == (600.0, 900.0)


def test_a_lease_for_ever_is_never_renewed() -> None:
    never = "4294967295"
    lease = parse_dhcpv6(text(told((OLD, int(never), int(never)), ia_pd1_t1=never, ia_pd1_t2=never)))
    assert lease.terms_of(OLD) == Terms("dhcpv6", None, None, None, None)


def test_a_client_that_would_renew_after_it_rebinds_is_not_believed() -> None:
    lease = parse_dhcpv6(text(told((OLD, 1000, 2000), ia_pd1_t1="900", ia_pd1_t2="800")))
    assert (lease.renew_at, lease.rebind_at) == (600.0, 900.0)
    assert "T1" in lease.unusable[0]


def test_servers_and_domains_are_read() -> None:
    lease = parse_dhcpv6(
        text(
            told(
                (OLD, 10, 20),
                aftr="GW.Example.Net.",
                name_servers="2001:DB8::53 2001:db8:0::54 2001:db8::53",
                sntp_servers="2001:db8::123",
                ntp_server_addr="2001:db8::124",
                sip_servers_addresses="2001:db8::5060",
                sip_servers_names="sip.example.net",
                domain_search="example.net example.org",
            )
        )
    )
    assert lease.values == {
        "aftr-name": ("gw.example.net",),
        "dns-servers": ("2001:db8::53", "2001:db8::54"),
        "sntp-servers": ("2001:db8::123", "2001:db8::124"),
        "sip-servers": ("2001:db8::5060",),
        "sip-domains": ("sip.example.net",),
        "search-domains": ("example.net", "example.org"),
    }


def test_what_a_lease_tells_ends_with_its_last_prefix() -> None:
    lease = parse_dhcpv6(text(told((OLD, 10, 20), (NEW, 10, 30))))
    assert lease.told("aftr-name", 129) == {"gw.example.net": Terms("dhcpv6", None, 130.0, 105.0, 108.0)}
    assert lease.told("aftr-name", 130) == {}


def test_what_a_lease_tells_ends_with_a_prefix_that_cannot_be_used_too() -> None:
    lease = parse_dhcpv6(text(told(("2001:db8::/200", 10, 20))))
    assert (values(lease, "aftr-name", 119), values(lease, "aftr-name", 120)) == (["gw.example.net"], [])


def test_information_without_a_lease_has_no_end() -> None:
    lease = parse_dhcpv6(text(told()))
    assert lease.told("aftr-name", 1e9) == {"gw.example.net": Terms("dhcpv6")}


def test_vendor_options_are_read_byte_by_byte() -> None:
    octets = "000000d200c900060010db11223300d20000"
    other = "ffffffff000100010a"
    lease = parse_dhcpv6(text(told(vendor_options=octets, vendor_options2=other)))
    assert values(lease, "vendor-options") == ["210/201:0010db112233", "210/210:", "4294967295/1:0a"]


@pytest.mark.parametrize("octets", ["", "00", "000000d200", "000000d200c9000600", "zz", "000000d2 ffff ffff"])
def test_vendor_options_that_are_cut_short_leave_the_rest_usable(octets: str) -> None:
    lease = parse_dhcpv6(text(told((OLD, 10, 20), vendor_options=octets)))
    assert values(lease, "vendor-options") == []
    assert delegated_prefix(lease, 100, None) == OLD
    assert "cut short" in lease.unusable[0]


def test_whoever_has_the_leases_may_say_so() -> None:
    assert parse_dhcpv6(text({"origin": "networkd", **told((OLD, 1, 2))})).terms_of(OLD).origin == "networkd"
    assert parse_dhcpv6(text({"origin": "net\x1b[31m", **told((OLD, 1, 2))})).origin == "dhcpv6"


# --- DHCPv4 ---


def test_an_address_with_its_routers_and_servers_is_read() -> None:
    lease = parse_dhcpv4(text({**IPV4, "new_ntp_servers": "192.0.2.2", "new_domain_name": "example.net"}))
    terms = Terms("dhcpv4", None, 220.0, 160.0, 205.0)
    assert lease.told("ipv4-address", 219) == {"192.0.2.10/24": terms}
    assert lease.told("ipv4-address", 220) == {}
    assert lease.told("ipv4-routers", 100) == {"192.0.2.1": terms}
    assert values(lease, "dns-servers") == ["192.0.2.53", "192.0.2.54"]
    assert values(lease, "sntp-servers") == ["192.0.2.2"]
    assert values(lease, "search-domains") == ["example.net"]
    assert lease.unusable == ()


def test_times_that_a_dhcpv4_server_does_not_say_are_parts_of_its_lease() -> None:
    lease = parse_dhcpv4(text({**IPV4, "new_dhcp_renewal_time": "0", "new_dhcp_rebinding_time": "0"}))
    assert (lease.renew_at, lease.rebind_at) == (160.0, 205.0)


@pytest.mark.parametrize(
    ("address", "length"),
    [
        ("224.0.0.1", "24"),
        ("192.0.2.0", "24"),
        ("127.0.0.1", "8"),
        ("192.0.2.10", "33"),
        ("x", ""),
        ("1", "-1"),
    ],
)
def test_an_address_that_no_host_has_leaves_the_rest_usable(address: str, length: str) -> None:
    lease = parse_dhcpv4(text({**IPV4, "new_ip_address": address, "new_subnet_cidr": length}))
    assert values(lease, "ipv4-address") == []
    assert values(lease, "ipv4-routers") == ["192.0.2.1"]
    assert address in lease.unusable[0]


def test_an_address_without_its_length_is_none() -> None:
    lease = parse_dhcpv4(text({"new_ip_address": "192.0.2.10"}))
    assert (values(lease, "ipv4-address"), len(lease.unusable)) == ([], 1)


# --- What a hostile server says ---


@pytest.mark.parametrize(
    ("odd", "reason"),
    [
        (("2001:db8::/200", 1, 1), "2001:db8::/200"),
        (("2001:db8::/0", 1, 1), "2001:db8::/0"),
        (("2001:db8::/72", 1, 1), "and /64 long"),
        (("fe80::/56", 1, 1), "fe80::"),
        (("ff02::/56", 1, 1), "ff02::"),
        (("::/56", 1, 1), "::/56"),
        (("192.0.2.0/24", 1, 1), "192.0.2.0/24"),
        (("2001:db8::/56", 2, 1), "preferred for longer than it is valid"),
    ],
)
def test_an_odd_prefix_leaves_the_rest_of_the_lease_usable(odd: tuple[str, int, int], reason: str) -> None:
    lease = parse_dhcpv6(text(told(odd, (OLD, 10, 20))))
    assert delegated_prefix(lease, 100, None) == OLD
    assert reason in lease.unusable[0]


@pytest.mark.parametrize(
    "aftr", ["gw..example.net", "x" * 300, ".".join(["x"] * 200), "$(reboot)", "a\x01uptime=1"]
)
def test_an_odd_name_of_an_aftr_leaves_the_prefix_usable(aftr: str) -> None:
    lease = parse_dhcpv6(text(told((OLD, 10, 20), aftr=aftr)))
    assert (delegated_prefix(lease, 100, None), values(lease, "aftr-name")) == (OLD, [])
    (reason,) = lease.unusable
    assert reason.isprintable()
    assert len(reason) < 400


@pytest.mark.parametrize(
    ("word", "noun", "good", "odd"),
    [
        ("name_servers", "dns-servers", "2001:db8::53", ["ff02::1", "::1", "::", "example.net"]),
        ("domain_search", "search-domains", "example.net", ["..", "a b", "*", "-".join("x" * 70)]),
    ],
)
def test_odd_values_leave_those_beside_them_usable(word: str, noun: str, good: str, odd: list[str]) -> None:
    lease = parse_dhcpv6(text(told(**{word: " ".join([*odd[:2], good, *odd[2:]])})))
    assert good in values(lease, noun)
    assert lease.unusable


def test_of_a_thousand_prefixes_and_servers_a_few_are_told() -> None:
    many = [(f"2001:db8:{n:x}00::/56", 10, 20) for n in range(1000)]
    servers = " ".join(f"2001:db8::{n:x}" for n in range(1, 1000))
    lease = parse_dhcpv6(text(told(*many, name_servers=servers)))
    assert (len(lease.prefixes), len(values(lease, "dns-servers"))) == (MOST, MOST)
    assert all("too much" in reason for reason in lease.unusable)


def test_the_first_prefixes_are_the_servers_first_ones() -> None:
    prefixes = [f"2001:db8:{n:x}00::/56" for n in range(1, 100)]
    words = told(*((prefix, 10, 20) for prefix in prefixes))
    lease = parse_dhcpv6(text(dict(reversed(words.items()))))
    assert [each.prefix for each in lease.prefixes] == prefixes[:MOST]


def test_a_thousand_odd_values_have_a_few_reasons() -> None:
    lease = parse_dhcpv6(
        text(told((OLD, 10, 20), name_servers=" ".join(["::1"] * 1000), domain_search="* " * 1000))
    )
    assert len(lease.unusable) <= MOST


def test_a_megabyte_is_read_in_no_time() -> None:
    many = [(f"2001:db8:{n % 0x10000:x}::/200", 10, 20) for n in range(5000)]
    begin = time.process_time()
    parse_dhcpv6(text(told(*many, vendor_options="000000d2" + "00010000" * 10_000)))
    assert time.process_time() - begin < 10


@pytest.mark.parametrize(
    "words",
    [
        {"new_dhcp6_ia_pd1_prefix1": "2001:db8::"},
        told((OLD, -1, 2)),
        told((OLD, 1, 2**32)),
        told((OLD, 10, 20), ia_pd1_t1="-7"),
        told((OLD, 10, 20), ia_pd1_t1="9" * 5000),
    ],
)
def test_a_prefix_without_proper_lifetimes_is_refused(words: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"missing|lifetime|limit"):
        parse_dhcpv6(text(words))


@given(st.integers(0, len(text(told((OLD, 10, 20)))) - 2))
def test_a_file_that_is_cut_short_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_dhcpv6(text(told((OLD, 10, 20)))[:length])


@given(st.sampled_from("\r\v\f\x1c\x1d\x1e\x85\u2028\u2029\x01\t\0"))
def test_no_character_of_a_value_makes_another_assignment_of_it(separator: str) -> None:
    aftr = f"gw.example.net{separator}new_dhcp6_name_servers=2001:db8::bad{separator}boot=x"
    lease = parse_dhcpv6(text(told((OLD, 10, 20), aftr=aftr)))
    assert (values(lease, "dns-servers"), delegated_prefix(lease, 100, None)) == ([], OLD)


names = st.sampled_from(
    [
        *told((OLD, 1, 2), (NEW, 1, 2)),
        *IPV4,
        "new_dhcp6_ia_pd1_t1",
        "new_dhcp6_vendor_options",
        "uptime",
        "boot",
    ]
    + [f"new_dhcp6_{name}" for name in ("name_servers", "sntp_servers", "domain_search", "sip_servers_names")]
)
words = st.one_of(
    st.text(max_size=30),
    st.integers(-3, 2**33).map(str),
    st.ip_addresses().map(str),
    st.binary(max_size=20).map(bytes.hex),
    st.sampled_from([BOOT, "56", "example.net", "nan", "inf", "1e9", "0"]),
)


@given(
    st.one_of(st.text(), st.dictionaries(names, words).map(text)),
    st.sampled_from([parse_dhcpv6, parse_dhcpv4]),
)
def test_whatever_a_file_holds_what_is_told_is_canonical(content: str, parse: Callable[[str], Lease]) -> None:
    try:
        lease = parse(content)
    except ValueError:
        return
    told = {**lease.values, "delegated-prefix": tuple(prefix.prefix for prefix in lease.prefixes)}
    for noun, found in told.items():
        assert len(found) <= MOST
        assert found == tuple(NOUNS[noun].canonical(value) for value in found)
    for prefix in lease.prefixes:
        assert lease.told_at <= prefix.preferred_until <= prefix.valid_until
    assert len(lease.unusable) <= MOST


# --- Which prefix ---

times = st.one_of(st.integers(0, 300).map(float), st.just(math.inf))
leases = st.builds(
    Lease,
    boot=st.just(BOOT),
    told_at=st.just(0.0),
    prefixes=st.lists(
        st.builds(
            lambda n, ends: Prefix(f"2001:db8:{n:x}00::/56", min(ends), max(ends)),
            st.integers(1, 5),
            st.tuples(times, times),
        ),
        max_size=5,
        unique_by=lambda prefix: prefix.prefix,
    ).map(tuple),
)


@given(leases, st.integers(0, 310))
def test_a_prefix_counts_only_until_its_lifetime_ends(lease: Lease, now: int) -> None:
    valid = {prefix.prefix for prefix in lease.prefixes if prefix.valid_until > now}
    chosen = delegated_prefix(lease, now, None)
    assert chosen in valid if valid else chosen is None


@given(leases, st.integers(0, 310))
def test_a_deprecated_prefix_is_chosen_only_without_a_preferred_one(lease: Lease, now: int) -> None:
    preferred = {prefix.prefix for prefix in lease.prefixes if prefix.preferred_until > now}
    for held in (None, *(prefix.prefix for prefix in lease.prefixes)):
        assert not preferred or delegated_prefix(lease, now, held) in preferred


@given(leases)
def test_the_choice_changes_only_when_the_chosen_prefix_is_deprecated_or_over(lease: Lease) -> None:
    held = None
    for now in range(310):
        before, held = held, delegated_prefix(lease, now, held)
        if before not in (None, held):
            (gone,) = (prefix for prefix in lease.prefixes if prefix.prefix == before)
            assert gone.preferred_until <= now


@given(leases, st.integers(0, 310))
def test_the_prefix_that_is_preferred_longest_is_chosen_at_first(lease: Lease, now: int) -> None:
    chosen = [prefix for prefix in lease.prefixes if prefix.prefix == delegated_prefix(lease, now, None)]
    assert all(
        prefix.preferred_until <= max(now, chosen[0].preferred_until) for prefix in lease.prefixes if chosen
    )


@given(leases, st.integers(0, 300))
def test_between_two_ends_nothing_changes(lease: Lease, now: int) -> None:
    end = min((end for end in lease.ends() if end > now), default=math.inf)
    held = delegated_prefix(lease, now, None)
    for later in range(now, int(min(end, 310))):
        assert delegated_prefix(lease, later, held) == held
