"""Our messages against an independent implementation of rtnetlink, both ways."""

import socket
import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyroute2.netlink.rtnl.fibmsg import fibmsg
from pyroute2.netlink.rtnl.ifaddrmsg import ifaddrmsg
from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg
from pyroute2.netlink.rtnl.rtmsg import rtmsg
from tasuki_agent.kernel.interfaces import Names
from tasuki_agent.kinds.address import codec as address_codec
from tasuki_agent.kinds.address.lifetimes import Lifetimes
from tasuki_agent.kinds.address.model import Address, AddressKey
from tasuki_agent.kinds.link import codec as link_codec
from tasuki_agent.kinds.link.linktypes import OtherLink
from tasuki_agent.kinds.link.linktypes.vxlan import Vxlan
from tasuki_agent.kinds.route import codec as route_codec
from tasuki_agent.kinds.route.model import NextHop, Route, RouteKey
from tasuki_agent.kinds.rule import codec as rule_codec
from tasuki_agent.kinds.rule.model import Family, Rule, RuleKey

RECORDED = Path(__file__).parent / "recorded"
INDEX = 7
UNSPECIFIED = {socket.AF_INET: "0.0.0.0", socket.AF_INET6: "::"}


def names() -> Names:
    """Interfaces without a kernel: each is named after its index."""
    return Names("dev{}".format)


def oracle(kind: type, payload: bytes) -> Any:
    message = kind(struct.pack("=LHHLL", 16 + len(payload), 0, 0, 0, 0) + payload)
    message.decode()
    return message


def recorded(name: str) -> list[bytes]:
    return [bytes.fromhex(line) for line in (RECORDED / f"{name}.hex").read_text().split()]


def in_kernels_spelling(family: int, bits: int) -> str:
    return socket.inet_ntop(family, bits.to_bytes(4 if family == socket.AF_INET else 16, "big"))


@st.composite
def addresses(draw: st.DrawFn, family: int | None = None) -> str:
    family = family or draw(st.sampled_from([socket.AF_INET, socket.AF_INET6]))
    width = 32 if family == socket.AF_INET else 128
    return in_kernels_spelling(family, draw(st.integers(1, 2**width - 1)))


@st.composite
def prefixes(draw: st.DrawFn, family: int) -> str:
    width = 32 if family == socket.AF_INET else 128
    length = draw(st.integers(0, width))
    bits = draw(st.integers(0, 2**width - 1)) >> (width - length) << (width - length)
    return f"{in_kernels_spelling(family, bits)}/{length}"


families = st.sampled_from([socket.AF_INET, socket.AF_INET6])
u32s = st.integers(1, 2**32 - 1)
link_names = st.text("abcdefghijklmnopqrstuvwxyz0123456789.-_", min_size=1, max_size=15)


@st.composite
def vxlans(draw: st.DrawFn) -> Vxlan:
    family = draw(families)
    return Vxlan(
        vni=draw(st.integers(1, 2**24 - 1)),
        port=draw(st.integers(1, 65535)),
        underlay="e0",
        remote=draw(addresses(family)),
        local=draw(st.none() | addresses(family)),
        learning=draw(st.booleans()),
        up=draw(st.booleans()),
        mtu=draw(st.none() | st.integers(68, 65535)),
    )


@given(link_names, vxlans())
def test_a_new_vxlan_link_says_all_that_is_wanted_in_one_message(name: str, spec: Vxlan) -> None:
    message = oracle(ifinfmsg, link_codec.create(name, spec, lambda _: INDEX))
    info = message.get_attr("IFLA_LINKINFO")
    data = info.get_attr("IFLA_INFO_DATA")

    assert message["flags"] == int(spec.up)
    assert message["change"] == 1
    assert message.get_attr("IFLA_IFNAME") == name
    assert message.get_attr("IFLA_MTU") == spec.mtu
    assert message.get_attr("IFLA_GROUP") == 29793
    assert info.get_attr("IFLA_INFO_KIND") == "vxlan"
    assert data.get_attr("IFLA_VXLAN_ID") == spec.vni
    assert data.get_attr("IFLA_VXLAN_LINK") == INDEX
    assert data.get_attr("IFLA_VXLAN_PORT") == spec.port
    assert data.get_attr("IFLA_VXLAN_LEARNING") == spec.learning
    assert (data.get_attr("IFLA_VXLAN_GROUP") or data.get_attr("IFLA_VXLAN_GROUP6")) == spec.remote
    assert (data.get_attr("IFLA_VXLAN_LOCAL") or data.get_attr("IFLA_VXLAN_LOCAL6")) == spec.local


@given(addresses(), st.data())
def test_a_new_address_bears_our_protocol_and_only_the_flags_that_are_wanted(
    ip: str, data: st.DataObject
) -> None:
    spec = Address(data.draw(st.integers(0, 128 if ":" in ip else 32)), data.draw(st.booleans()))
    message = oracle(ifaddrmsg, address_codec.create(AddressKey("e0", ip), spec, INDEX, now=0))

    assert message["index"] == INDEX
    assert message["prefixlen"] == spec.prefix_length
    assert message.get_attr("IFA_ADDRESS") == message.get_attr("IFA_LOCAL") == ip
    assert message.get_attr("IFA_FLAGS") == (0x200 if spec.no_prefix_route else None)
    assert message.get_attr("IFA_PROTO") in (116, "116")
    assert message.get_attr("IFA_CACHEINFO") is None


def test_an_address_of_a_lease_is_told_what_is_left_of_it() -> None:
    spec = Address(64, lifetimes=Lifetimes(1_600, 1_900))
    message = oracle(ifaddrmsg, address_codec.create(AddressKey("e0", "2001:db8::1"), spec, INDEX, now=1_000))
    told = message.get_attr("IFA_CACHEINFO")
    assert (told["ifa_preferred"], told["ifa_valid"]) == (600, 901)


@st.composite
def routes(draw: st.DrawFn) -> tuple[RouteKey, Route]:
    family = draw(families)
    key = RouteKey(draw(u32s), draw(prefixes(family)), draw(u32s))
    kind = draw(st.sampled_from(["unicast", "unreachable", "blackhole", "prohibit"]))
    if kind != "unicast":
        return key, Route(kind)
    return key, Route(kind, draw(st.none() | addresses(family)), "dev7", (), 116, INDEX)


@given(routes())
def test_a_new_route_names_table_prefix_metric_type_and_next_hop(entry: tuple[RouteKey, Route]) -> None:
    key, spec = entry
    message = oracle(rtmsg, route_codec.create(key, spec, spec.index))
    address, _, length = key.prefix.partition("/")

    assert message["proto"] == 116
    assert message["dst_len"] == int(length)
    assert message.get_attr("RTA_DST", UNSPECIFIED[message["family"]]) == address
    assert message.get_attr("RTA_TABLE") == key.table
    assert message.get_attr("RTA_PRIORITY") == key.metric
    assert message.get_attr("RTA_GATEWAY") == spec.via
    assert message.get_attr("RTA_OIF") == spec.index


@given(routes())
def test_what_was_encoded_as_a_route_is_decoded_as_the_same_route(entry: tuple[RouteKey, Route]) -> None:
    key, spec = entry
    assert route_codec.decode(route_codec.create(key, spec, spec.index), names()) == (key, spec)


@given(routes())
def test_a_route_is_deleted_by_everything_that_was_observed_of_it(entry: tuple[RouteKey, Route]) -> None:
    key, spec = entry
    assert route_codec.decode(route_codec.delete(key, spec), names()) == (key, spec)


@st.composite
def rules(draw: st.DrawFn) -> tuple[RuleKey, Rule]:
    both: list[Family] = ["ipv4", "ipv6"]
    family = draw(st.sampled_from(both))
    number = socket.AF_INET if family == "ipv4" else socket.AF_INET6
    prefix = st.none() | prefixes(number).filter(lambda text: not text.endswith("/0"))
    selectors = draw(st.sampled_from([(), ((10, b"\1\0\0\0"), (16, b"\xff\0\0\0")), ((14, b"\0\0\0\0"),)]))
    key = RuleKey(
        family=family,
        priority=draw(st.integers(1, 32765)),
        source=draw(prefix),
        destination=draw(prefix),
        table=draw(u32s),
        selectors=selectors,
        tos=draw(st.sampled_from([0, 16])),
        flags=draw(st.sampled_from([0, 2])),
        protocol=draw(st.sampled_from([0, 3, 116])),
    )
    return key, Rule()


@given(rules())
def test_what_was_encoded_as_a_rule_is_decoded_as_the_same_rule(entry: tuple[RuleKey, Rule]) -> None:
    key, spec = entry
    assert rule_codec.decode(rule_codec.encode(key, spec), names()) == (key, spec)


@given(rules())
def test_a_rule_says_its_selectors_as_others_read_them(entry: tuple[RuleKey, Rule]) -> None:
    key, spec = entry
    message = oracle(fibmsg, rule_codec.encode(key, spec))

    assert message.get_attr("FRA_PRIORITY") == key.priority
    assert message.get_attr("FRA_TABLE") == key.table
    assert message.get_attr("FRA_PROTOCOL") == key.protocol
    assert _prefix(message.get_attr("FRA_SRC"), message["src_len"]) == key.source
    assert _prefix(message.get_attr("FRA_DST"), message["dst_len"]) == key.destination


def test_recorded_links_are_read_as_they_were_made() -> None:
    links: dict[str, Any] = dict(link_codec.decode(message, names()) for message in recorded("link"))

    assert links["vxlan01"] == Vxlan(
        1, 4789, "dev3", "192.0.2.2", None, False, True, 1410, _mac(links, "vxlan01")
    )
    assert links["vxlan01"].group == 29793
    assert links["vxlan02"] == Vxlan(
        2, 4790, "dev3", "2001:db8::2", "2001:db8::1", True, False, 1390, _mac(links, "vxlan02")
    )
    assert (links["vxlan03"].remote, links["vxlan03"].underlay) == (None, None)
    assert links["e0"] == OtherLink("veth", True, 1460)
    assert links["br0"].type == "bridge"
    assert links["lo"].type == "device"


@pytest.mark.parametrize("message", recorded("link"))
def test_recorded_links_are_read_as_others_read_them(message: bytes) -> None:
    name, spec = link_codec.decode(message, names())
    theirs = oracle(ifinfmsg, message)

    assert (name, spec.mtu) == (theirs.get_attr("IFLA_IFNAME"), theirs.get_attr("IFLA_MTU"))
    assert (spec.index, spec.up, spec.group) == (
        theirs["index"],
        bool(theirs["flags"] & 1),
        theirs.get_attr("IFLA_GROUP"),
    )


@pytest.mark.parametrize("message", recorded("address"))
def test_recorded_addresses_are_read_as_others_read_them(message: bytes) -> None:
    key, spec = address_codec.decode(message, names())
    theirs = oracle(ifaddrmsg, message)

    assert key.ip == (theirs.get_attr("IFA_LOCAL") or theirs.get_attr("IFA_ADDRESS"))
    assert key.interface == f"dev{theirs['index']}"
    assert (spec.prefix_length, spec.flags) == (theirs["prefixlen"], theirs.get_attr("IFA_FLAGS"))
    assert spec.no_prefix_route == (key.ip == "2001:db8:1::1")


@pytest.mark.parametrize("message", recorded("route"))
def test_recorded_routes_are_read_as_others_read_them(message: bytes) -> None:
    key, spec = route_codec.decode(message, names()) or pytest.fail("not read")
    theirs = oracle(rtmsg, message)

    assert key.prefix == _prefix(theirs.get_attr("RTA_DST", UNSPECIFIED[theirs["family"]]), theirs["dst_len"])
    assert (key.table, key.metric) == (theirs.get_attr("RTA_TABLE"), theirs.get_attr("RTA_PRIORITY", 0))
    assert spec.protocol == theirs["proto"]


def test_recorded_next_hops_are_read_as_they_were_made() -> None:
    routes = dict(entry for message in recorded("route") if (entry := route_codec.decode(message, names())))
    seen = {key.prefix: spec for key, spec in routes.items()}

    assert seen["2001:db8:2::/48"] == Route("unicast", "2001:db8::2", "dev3")
    assert seen["::/0"] == Route("unicast", "2001:db8::2", "dev3")
    assert seen["2001:db8:ae00::/40"] == Route("unreachable")
    assert seen["2001:db8:3::/48"] == Route(
        "unicast", "2001:db8::2", "dev3", (NextHop("2001:db8::3", "dev3"),)
    )
    assert seen["203.0.113.0/25"] == Route("unicast", None, "dev3")
    assert seen["198.51.100.0/24"] == Route("blackhole")
    assert seen["198.51.100.128/25"] == Route("unicast", "2001:db8::2", "dev3")


@pytest.mark.parametrize("message", recorded("rule"))
def test_recorded_rules_are_read_as_others_read_them(message: bytes) -> None:
    key, spec = rule_codec.decode(message, names())
    theirs = oracle(fibmsg, message)

    assert key.source == _prefix(theirs.get_attr("FRA_SRC"), theirs["src_len"])
    assert key.destination == _prefix(theirs.get_attr("FRA_DST"), theirs["dst_len"])
    assert (key.priority, key.table) == (
        theirs.get_attr("FRA_PRIORITY", 0),
        theirs.get_attr("FRA_TABLE", 0),
    )
    assert (key.tos, key.flags, spec.action) == (theirs["tos"], theirs["flags"], theirs["action"])


def test_only_rules_with_further_selectors_have_any() -> None:
    keys = [rule_codec.decode(message, names())[0] for message in recorded("rule")]
    assert {key.priority for key in keys if key.selectors} == {102, 200}


def test_a_route_that_depends_on_the_source_is_none_of_ours() -> None:
    message = route_codec.create(RouteKey(254, "2001:db8::/32", 1024), Route("unreachable"), None)
    assert route_codec.decode(message[:2] + b"\x30" + message[3:], names()) is None


def _prefix(address: str | None, length: int) -> str | None:
    return f"{address}/{length}" if address else None


def _mac(links: dict[str, Any], name: str) -> str:
    return str(links[name].mac_address)
