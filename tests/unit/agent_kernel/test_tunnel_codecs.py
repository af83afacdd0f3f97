"""The messages about tunnels in IPv6 packets, against an independent implementation of them, both ways."""

import socket
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg
from tasuki_agent.kind import differing_fields
from tasuki_agent.kinds.link import codec, linktypes
from tasuki_agent.kinds.link.linktypes.ip6gre import Ip6gre
from tasuki_agent.kinds.link.linktypes.ip6gretap import Ip6gretap
from tasuki_agent.kinds.link.linktypes.ip6tnl import Ip6tnl
from unit.agent_kernel.test_codecs import INDEX, addresses, link_names, names, oracle

PROTOCOLS = {"any": 0, "ipip6": 4, "ip6ip6": 41}
HEAD = 16
"""Length of struct ifinfomsg."""
IGNORE_ENCAPSULATION_LIMIT = 1
CAPABLE = 0x30000
"""The kernel adds it: packets can be sent and received."""
KEY = int.from_bytes((0x2000).to_bytes(2, "big"), "little")
"""GRE_KEY in network byte order, as the other implementation reads it on this machine's."""
MAC = "02:00:5e:00:53:01"

ends = addresses(socket.AF_INET6)
bytes_ = st.integers(0, 255)
carriers = st.tuples(st.none() | st.just(f"dev{INDEX}"), ends, ends, st.none() | bytes_, st.integers(1, 255))
mtus = st.none() | st.integers(68, 65535)
keys = st.none() | st.integers(0, 2**32 - 1)


@st.composite
def ip6tnls(draw: st.DrawFn) -> Ip6tnl:
    return Ip6tnl(
        *draw(carriers), mode=draw(st.sampled_from(list(PROTOCOLS))), up=draw(st.booleans()), mtu=draw(mtus)
    )


@st.composite
def ip6gres(draw: st.DrawFn) -> Ip6gre:
    return Ip6gre(*draw(carriers), key=draw(keys), up=draw(st.booleans()), mtu=draw(mtus))


@st.composite
def ip6gretaps(draw: st.DrawFn) -> Ip6gretap:
    mac = draw(st.none() | st.just(MAC))
    return Ip6gretap(*draw(carriers), key=draw(keys), up=draw(st.booleans()), mtu=draw(mtus), mac_address=mac)


tunnels = st.one_of(ip6tnls(), ip6gres(), ip6gretaps())


def said(payload: bytes) -> tuple[Any, Callable[[str], Any]]:
    """A message as others read it, and what it says of the tunnel."""
    message = oracle(ifinfmsg, payload)
    data = message.get_attr("IFLA_LINKINFO").get_attr("IFLA_INFO_DATA")
    prefix = (
        "IFLA_IP6TNL_"
        if message.get_attr("IFLA_LINKINFO").get_attr("IFLA_INFO_KIND") == "ip6tnl"
        else "IFLA_IP6GRE_"
    )
    return message, lambda name: data.get_attr(prefix + name)


def says_all_of(said_of: Callable[[str], Any], spec: Any) -> None:
    limit = spec.encapsulation_limit
    assert said_of("LINK") == (INDEX if spec.underlay else None)
    assert (said_of("LOCAL"), said_of("REMOTE")) == (spec.local, spec.remote)
    assert said_of("TTL") == spec.hop_limit
    assert said_of("FLAGS") == (IGNORE_ENCAPSULATION_LIMIT if limit is None else 0)
    assert said_of("ENCAP_LIMIT") == (limit or 0)
    if isinstance(spec, Ip6tnl):
        assert said_of("PROTO") == PROTOCOLS[spec.mode]
    else:
        flags = None if spec.key is None else KEY
        assert [said_of(name) for name in ("IFLAGS", "OFLAGS", "IKEY", "OKEY")] == [
            flags,
            flags,
            spec.key,
            spec.key,
        ]


@given(link_names, tunnels)
def test_a_new_tunnel_says_all_that_is_wanted_in_one_message(name: str, spec: Any) -> None:
    message, said_of = said(codec.create(name, spec, lambda _: INDEX))
    assert message["flags"] == int(spec.up)
    assert message.get_attr("IFLA_IFNAME") == name
    assert message.get_attr("IFLA_GROUP") == 29793
    assert message.get_attr("IFLA_MTU") == spec.mtu
    assert message.get_attr("IFLA_ADDRESS") == spec.mac_address
    assert message.get_attr("IFLA_LINKINFO").get_attr("IFLA_INFO_KIND") == type(spec).__name__.lower()
    says_all_of(said_of, spec)


@pytest.mark.parametrize("field", ["local", "remote", "hop_limit", "underlay", "encapsulation_limit"])
@given(spec=tunnels)
def test_whoever_changes_one_parameter_says_all_for_the_kernel_sets_back_the_others(
    spec: Any, field: str
) -> None:
    (payload,) = codec.changes(spec, spec, (field,), lambda _: INDEX)
    message, said_of = said(payload)
    assert message["change"] == 0
    assert message.get_attr("IFLA_MTU") == spec.mtu
    assert message.get_attr("IFLA_ADDRESS") is None
    says_all_of(said_of, spec)


@given(spec=tunnels)
def test_a_tunnel_that_comes_back_gets_its_ends_and_goes_up_in_one_message(spec: Any) -> None:
    (payload,) = codec.changes(spec, spec, ("local", "up"), lambda _: INDEX)
    message, said_of = said(payload)
    assert (message["flags"], message["change"]) == (int(spec.up), 1)
    says_all_of(said_of, spec)


@pytest.mark.parametrize("fields", [("mtu",), ("up",), ("mtu", "up")])
@given(spec=tunnels)
def test_a_change_of_no_parameter_of_the_tunnel_says_none(spec: Any, fields: tuple[str, ...]) -> None:
    (payload,) = codec.changes(spec, spec, fields, lambda _: INDEX)
    assert oracle(ifinfmsg, payload).get_attr("IFLA_LINKINFO") is None


def observed(spec: Any, **attributes: Any) -> Any:
    """What is read of a message by the other implementation: a tunnel as the kernel tells of it."""
    kind = type(spec).__name__.lower()
    values: dict[str, Any] = {
        "link": INDEX if spec.underlay else 0,
        "local": spec.local,
        "remote": spec.remote,
        "ttl": spec.hop_limit,
        "encap_limit": spec.encapsulation_limit or 0,
        "flowinfo": 0,
        "flags": CAPABLE | (IGNORE_ENCAPSULATION_LIMIT if spec.encapsulation_limit is None else 0),
    }
    if kind == "ip6tnl":
        values |= {"proto": PROTOCOLS[spec.mode], "fwmark": 0}
    else:
        flags = 0 if spec.key is None else KEY
        values |= {"iflags": flags, "oflags": flags, "ikey": spec.key or 0, "okey": spec.key or 0}
    prefix = "IFLA_IP6TNL_" if kind == "ip6tnl" else "IFLA_IP6GRE_"
    data = [(prefix + name.upper(), value) for name, value in (values | attributes).items()]
    message = ifinfmsg()
    message["index"], message["flags"] = 9, int(spec.up)
    message["attrs"] = [
        ("IFLA_IFNAME", "t0"),
        ("IFLA_MTU", spec.mtu or 1452),
        ("IFLA_GROUP", 29793),
        ("IFLA_LINKINFO", {"attrs": [("IFLA_INFO_KIND", kind), ("IFLA_INFO_DATA", {"attrs": data})]}),
    ]
    if spec.mac_address:
        message["attrs"].append(("IFLA_ADDRESS", spec.mac_address))
    message.encode()
    return codec.decode(bytes(message.data[HEAD:]), names())[1]


@given(tunnels)
def test_an_observed_tunnel_is_read_as_it_was_made(spec: Any) -> None:
    seen = observed(spec)
    assert differing_fields(spec, seen) == ()
    assert (seen.index, seen.group) == (9, 29793)


TUNNEL = Ip6tnl(None, "2001:db8::1", "2001:db8::2", None, 64, "ipip6", True, 1460)
GRE = Ip6gre(None, "2001:db8::1", "2001:db8::2", None, 64, 7, True, 1448)


@pytest.mark.parametrize(
    ("spec", "attributes", "others"),
    [
        (TUNNEL, {"flags": 0x13 | CAPABLE}, ("flags 0x12",)),
        (TUNNEL, {"flowinfo": 0x0B800000, "fwmark": 0x99}, ("flowinfo 0xb800000", "fwmark 0x99")),
        (GRE, {"ikey": 8}, ("ikey 8",)),
        (GRE, {"iflags": 0}, ("ikey none",)),
        (GRE, {"oflags": KEY | 0x10}, ("oflags 0x1000",)),
    ],
)
def test_what_somebody_typed_that_the_models_do_not_have_is_seen(
    spec: Any, attributes: dict[str, Any], others: tuple[str, ...]
) -> None:
    seen = observed(spec, **attributes)
    assert differing_fields(spec, seen) == ("others",)
    assert seen.others == others


def test_a_key_of_sent_packets_that_is_gone_is_seen() -> None:
    assert differing_fields(GRE, observed(GRE, oflags=0)) == ("key", "others")


def test_the_kernels_own_tunnel_without_ends_is_read_and_told_without_them() -> None:
    spec = observed(Ip6tnl(None, "::", "::", 0, 0, "ip6ip6", False))
    assert (spec.local, spec.remote) == (None, None)
    assert linktypes.by_spec()[Ip6tnl].tree(spec) == {
        "tasuki-link:mtu": 1452,
        "tasuki-link:ip6tnl": {"mode": "ip6ip6", "encapsulation-limit": 0},
    }


def test_an_unknown_protocol_stops_no_observation() -> None:
    assert observed(TUNNEL, proto=137).mode == "137"
