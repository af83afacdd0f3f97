"""How facts are written, and which values they can have."""

from collections.abc import Callable
from ipaddress import IPv6Address, IPv6Network

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tasuki_yang.facts import NOUNS, FactKey, address_in, parse_key, parse_values
from tasuki_yang.validator import router_validator, validate

WAN = FactKey("wan0", "global-address")
PREFIX = FactKey("wan0", "delegated-prefix")


SUBJECTS = [
    ("wan0", "global-address"),
    ("enp1s0f0np0.20", "aftr-name"),
    ("gw.example.net", "addresses"),
    ("gw.example.net@192.0.2.53,2001:db8::53", "addresses"),
    ("2001:db8::1", "local-address"),
]


@pytest.mark.parametrize(("subject", "noun"), SUBJECTS)
def test_a_fact_is_read_as_it_is_written(subject: str, noun: str) -> None:
    key = FactKey(subject, noun)
    assert parse_key(str(key)) == key
    assert subject.partition("@")[0] in key.text


def test_a_name_and_who_resolves_it_are_told_apart() -> None:
    key = FactKey("gw.example.net@2001:db8::53,192.0.2.53", "addresses")
    assert key.text == "an IPv6 address of the name gw.example.net at 2001:db8::53, 192.0.2.53"
    assert key.hint == (
        "can the resolver at 2001:db8::53, 192.0.2.53 be reached, and does it know gw.example.net?"
    )


def test_subjects_have_one_spelling() -> None:
    assert parse_key("GW.Example.NET.@2001:DB8::0:53/addresses").subject == "gw.example.net@2001:db8::53"
    assert parse_key("2001:DB8:0::1/local-address").subject == "2001:db8::1"


def answer(read: Callable[[], object]) -> str:
    """What is read, or why it is not."""
    try:
        return str(read())
    except ValueError as error:
        return str(error)


@given(st.text(max_size=300), st.sampled_from([*NOUNS, "weather"]))
def test_whatever_subject_a_router_tells_of_is_shown_in_one_line(subject: str, noun: str) -> None:
    text = answer(lambda: parse_key(f"{subject}/{noun}"))
    assert text.isprintable()
    assert " is no " in text or " has " in text or answer(lambda: parse_key(text)) == text


@given(st.text(max_size=300), st.sampled_from(sorted(NOUNS)))
def test_whatever_value_a_router_tells_is_shown_in_one_line(value: str, noun: str) -> None:
    for text in (value, f"2001:db8::%{value}", f"2001:db8::%{value}/56"):
        shown = answer(lambda text=text: "".join(parse_values(FactKey("wan0", noun), (text,))))  # type: ignore[misc]
        assert shown.isprintable()


@pytest.mark.parametrize(
    "text",
    [
        "wan 0/global-address",
        "wan0\n/global-address",
        "wan0\x1b[2J/delegated-prefix",
        f"{'w' * 16}/aftr-name",
        "a/b/global-address",
        "wän0/global-address",
        "a b/addresses",
        "gw.example.net@/addresses",
        "gw.example.net@ns.example.net/addresses",
        f"gw.example.net@{','.join(['192.0.2.1'] * 9)}/addresses",
        "gw.example.net@fe80::1%wan0/addresses",
        "wan0/local-address",
        "fe80::1%wan0/local-address",
    ],
)
def test_a_subject_that_no_intent_has_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"no name|no IP|zone|servers|no fact"):
        parse_key(text)


@pytest.mark.parametrize("text", ["", "wan0", "wan0/", "/global-address", "wan0/color", "global-address"])
def test_what_is_no_fact_is_told_with_the_nouns_that_there_are(text: str) -> None:
    with pytest.raises(ValueError, match=f"nouns are {', '.join(sorted(NOUNS))}$"):
        parse_key(text)


@pytest.mark.parametrize("noun", sorted(NOUNS))
def test_the_examples_fit(noun: str) -> None:
    example = NOUNS[noun].example
    assert parse_values(FactKey(example, noun), (example,)) == (example,)


def test_a_router_has_an_address_or_has_it_not_and_no_other_instead() -> None:
    key = parse_key("192.0.2.1/local-address")
    assert parse_values(key, ("192.0.2.1",)) == ("192.0.2.1",)
    with pytest.raises(ValueError, match=r"has 192\.0\.2\.1 for its value"):
        parse_values(key, ("192.0.2.2",))


def test_values_have_one_spelling() -> None:
    assert parse_values(WAN, ("2001:DB8:0:0::1",)) == ("2001:db8::1",)
    assert parse_values(FactKey("w", "aftr-name"), ("GW.Example.NET.",)) == ("gw.example.net",)


@pytest.mark.parametrize(
    ("key", "values"),
    [
        (WAN, ()),
        (WAN, ("2001:db8::1", "2001:db8::2")),
        (WAN, ("192.0.2.1",)),
        (WAN, ("fe80::1",)),
        (WAN, ("ff02::1",)),
        (WAN, ("::1",)),
        (WAN, ("::",)),
        (WAN, ("::ffff:192.0.2.1",)),
        (WAN, ("2001:db8::1%eth0",)),
        (PREFIX, ("2001:db8::1/56",)),
        (PREFIX, ("2001:db8::/65",)),
        (PREFIX, ("2000::/31",)),
        (PREFIX, ("2001:db8::%wan0/56",)),
        (PREFIX, ("::/0",)),
        (PREFIX, ("fe80::/56",)),
        (PREFIX, ("2001:db8::",)),
        (FactKey("wan0", "aftr-name"), ("a b",)),
        (FactKey("wan0", "aftr-name"), ("x" * 64,)),
        (FactKey("a", "addresses"), ("2001:db8::1", "nonsense")),
    ],
)
def test_what_does_not_fit_is_refused(key: FactKey, values: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse_values(key, values)


@given(
    st.integers(16, 64).flatmap(
        lambda length: st.tuples(
            st.just(length), st.integers(0, (1 << length) - 1), st.integers(0, (1 << (64 - length)) - 1)
        )
    ),
    st.integers(1, (1 << 64) - 1),
)
def test_an_address_lies_in_its_subnet_of_the_prefix(place: tuple[int, int, int], interface_id: int) -> None:
    length, bits, subnet = place
    prefix = IPv6Network((bits << 128 - length, length))
    address = IPv6Address(address_in(str(prefix), subnet, str(IPv6Address(interface_id))))
    assert address in prefix
    assert int(address) & (1 << 64) - 1 == interface_id
    assert int(address) >> 64 == (int(prefix.network_address) >> 64) + subnet


def test_a_subnet_that_the_prefix_does_not_have_is_refused_with_those_that_it_has() -> None:
    assert address_in("2001:db8:1200::/56", 255, "::1") == "2001:db8:1200:ff::1"
    with pytest.raises(ValueError, match="2001:db8:1200::/56 has no subnet 256: its subnets are 0 to 255"):
        address_in("2001:db8:1200::/56", 256, "::1")


ENDS = st.one_of(
    st.ip_addresses(v=6),
    st.sampled_from(
        ["::/127", "::ffff:0:0/96", "::ffff:0:0:0/96", "fe80::/9", "fec0::/10", "fe00::/8"]
    ).flatmap(lambda network: st.ip_addresses(network=network)),
)


@given(ENDS)
def test_an_address_is_one_that_a_tunnel_can_end_at_exactly_if_it_can_be_typed_as_such(
    address: IPv6Address,
) -> None:
    tunnel = {"name": "tun1", "type": "tasuki-link:ip6tnl", "tasuki-link:ip6tnl": {"remote": str(address)}}
    problems = validate(router_validator(), {"ietf-interfaces:interfaces": {"interface": [tunnel]}})
    typed = not any(problem.error_app_tag == "address-not-unicast" for problem in problems)
    assert typed != answer(lambda: parse_values(WAN, (str(address),))).endswith("can end at")
