"""Facts as a person reads and writes them."""

import io
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console, RenderableType
from tasuki_client.facts import Supposed, parse_supposed
from tasuki_client.render import facts
from tasuki_proto.v1.drift_pb2 import Evidence
from tasuki_proto.v1.fact_pb2 import Fact, FactChange, ListFactsResponse

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def before(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def drawn(renderables: Iterable[RenderableType], width: int = 80) -> list[str]:
    file = io.StringIO()
    console = Console(file=file, width=width, highlight=False)
    for renderable in renderables:
        console.print(renderable)
    return [line.rstrip() for line in file.getvalue().splitlines()]


def test_each_fact_is_a_line_and_what_is_missing_says_what_to_do() -> None:
    listed = [
        Fact(
            router="home",
            subject="wan0",
            noun="global-address",
            values=["2001:db8:1200::1"],
            since=before(300),
        ),
        Fact(
            router="vps",
            subject="wan0",
            noun="global-address",
            values=["2001:db8::1"],
            since=before(10),
            lost=True,
        ),
        Fact(router="vps", subject="wan0", noun="delegated-prefix", since=before(90)),
        Fact(router="spare", subject="wan0", noun="global-address"),
        Fact(
            router="copy",
            subject="wan0",
            noun="global-address",
            values=["2001:db8::1"],
            since=before(5),
            problem="router vps tells of it as well",
        ),
        Fact(
            router="old",
            subject="wan0",
            noun="global-address",
            values=["2001:db8::3"],
            since=before(6),
            unasked=True,
        ),
        Fact(
            router="far",
            subject="gw.example.net",
            noun="addresses",
            values=["2001:db8::7"],
            since=before(7),
            unconfirmed="no answer since noon: SERVFAIL",
        ),
    ]
    evidence = [
        Evidence(router="home", observed_at=before(7 * 86400)),
        Evidence(router="vps", connected=True, observed_at=before(1)),
        Evidence(router="spare"),
    ]
    assert drawn(facts.known(ListFactsResponse(facts=listed, evidence=evidence), NOW), 200) == [
        "ROUTER  FACT                      VALUE             STATE        SINCE",
        "home    wan0/global-address       2001:db8:1200::1  known        5 min ago",
        "vps     wan0/global-address       2001:db8::1       lost         10 s ago",
        "vps     wan0/delegated-prefix     -                 waiting      90 s ago",
        "spare   wan0/global-address       -                 waiting      never told",
        "copy    wan0/global-address       2001:db8::1       contested    5 s ago",
        "old     wan0/global-address       2001:db8::3       not told     6 s ago",
        "far     gw.example.net/addresses  2001:db8::7       unconfirmed  7 s ago",
        (
            "vps has lost a global address of wan0: do router advertisements reach it, and does it take them?"
            " (ip -6 address show dev wan0)"
        ),
        (
            "vps waits for a prefix delegated on wan0: does a client ask for one there, and a DHCPv6 server"
            " answer?"
        ),
        (
            "spare waits for a global address of wan0: do router advertisements reach it, and does it take"
            " them? (ip -6 address show dev wan0)"
        ),
        "copy: wan0/global-address: router vps tells of it as well",
        (
            "old does not tell a global address of wan0 any more, as its own configuration does not ask for"
            " it: the other ends of its tunnels stay where it was"
        ),
        "far: gw.example.net/addresses: no answer since noon: SERVFAIL",
        "  home: offline, observed 7 d ago, nothing is known since",
        "  spare: never observed, nothing is known about it",
    ]


def test_a_noun_of_a_newer_controller_is_shown_as_it_is() -> None:
    listed = [Fact(router="home", subject="wan0", noun="weather")]
    assert drawn(facts.known(ListFactsResponse(facts=listed), NOW))[-1] == "home waits for wan0/weather"


def test_without_any_fact_that_is_said() -> None:
    assert drawn(facts.known(ListFactsResponse(), NOW)) == [
        "Nothing in the intent depends on what a router learns."
    ]


def test_where_a_value_is_from_and_how_long_it_holds_is_told_of_each_that_differs() -> None:
    prefix = known("delegated-prefix", "2001:db8:1300::/56")
    prefix.terms.add(origin="dhcpv6", preferred_until=before(-12_000), valid_until=before(-14_400))
    former = known("former-prefixes", "2001:db8:1200::/56", "2001:db8:1100::/56")
    former.terms.add(origin="dhcpv6", preferred_until=before(60), valid_until=before(-7000))
    former.terms.add(origin="dhcpv6", preferred_until=before(60), valid_until=before(-90))
    servers = known("dns-servers", "2001:db8::53", "2001:db8::54")
    for _ in servers.values:
        servers.terms.add(origin="dhcpv6")
    over = known("ipv4-address", "192.0.2.7/24")
    over.terms.add(origin="dhcpv4", valid_until=before(5))
    address = known("global-address", "2001:db8::1")
    address.terms.add(origin="kernel")
    listed = [prefix, former, servers, over, address, known("aftr-name", "gw.example.net")]
    assert drawn(facts.known(ListFactsResponse(facts=listed), NOW), 120) == [
        "ROUTER  FACT                   VALUE                       STATE  SINCE    FROM    FOR",
        "home    wan0/delegated-prefix  2001:db8:1300::/56          known  2 h ago  dhcpv6  4 h",
        "home    wan0/former-prefixes   2001:db8:1200::/56          known  2 h ago  dhcpv6  116 min",
        "                               2001:db8:1100::/56                          dhcpv6  90 s",
        "home    wan0/dns-servers       2001:db8::53, 2001:db8::54  known  2 h ago  dhcpv6  ever",
        "home    wan0/ipv4-address      192.0.2.7/24                known  2 h ago  dhcpv4  over",
        "home    wan0/global-address    2001:db8::1                 known  2 h ago  kernel",
        "home    wan0/aftr-name         gw.example.net              known  2 h ago",
    ]


def known(noun: str, *values: str) -> Fact:
    return Fact(router="home", subject="wan0", noun=noun, values=values, since=before(7200))


def test_the_changes_of_one_event_are_together_in_the_order_in_which_they_came() -> None:
    renumbered = [
        change(9, 60, "wan0/dns-servers", values=["2001:db8::53"], event=7),
        change(8, 60, "wan0/former-prefixes", values=["2001:db8:1200::/56"], recompiled=["vps"], event=7),
        change(7, 60, "wan0/delegated-prefix", values=["2001:db8:1300::/56"], recompiled=["vps"], event=7),
        change(6, 90, "wan0/dns-servers", old_values=["2001:db8::53"], event=6),
    ]
    assert drawn([facts.changes(renumbered, NOW)], 120) == [
        "EVENT  WHEN      ROUTER  FACT                   CHANGE                        FOLLOWED BY",
        "    7  60 s ago  home    wan0/delegated-prefix  nothing → 2001:db8:1300::/56  vps",
        "                         wan0/former-prefixes   nothing → 2001:db8:1200::/56",
        "                         wan0/dns-servers       nothing → 2001:db8::53",
        "    6  90 s ago  home    wan0/dns-servers       2001:db8::53 → nothing        itself",
    ]


def test_a_change_says_what_was_and_is_and_who_followed() -> None:
    listed = [
        change(8, 3, "wan0/global-address", old_values=["2001:db8::1"], values=["2001:db8::2"]),
        change(7, 9000, "x.example/addresses", values=["2001:db8::1", "2001:db8::3"], recompiled=["vps"]),
    ]
    assert drawn([facts.changes(listed, NOW)], 200) == [
        "EVENT  WHEN     ROUTER  FACT                 CHANGE                              FOLLOWED BY",
        "    8  3 s ago  home    wan0/global-address  2001:db8::1 → 2001:db8::2           itself",
        "    7  2 h ago  home    x.example/addresses  nothing → 2001:db8::1, 2001:db8::3  vps",
    ]


def change(number: int, age: int, fact: str, *, event: int = 0, **fields: Sequence[str]) -> FactChange:
    subject, noun = fact.split("/")
    time = before(age)
    return FactChange(
        number=number, event=event, time=time, router="home", subject=subject, noun=noun, **fields
    )


@pytest.mark.parametrize(
    ("text", "supposed"),
    [
        (
            "home/wan0/delegated-prefix=2001:db8:1200::/56",
            Supposed("home", "wan0", "delegated-prefix", ("2001:db8:1200::/56",)),
        ),
        (
            "home/gw.example.net@192.0.2.1,192.0.2.2/addresses=2001:db8::1,2001:db8::2",
            Supposed(
                "home", "gw.example.net@192.0.2.1,192.0.2.2", "addresses", ("2001:db8::1", "2001:db8::2")
            ),
        ),
    ],
)
def test_a_supposed_fact_is_read_as_it_is_shown(text: str, supposed: Supposed) -> None:
    assert parse_supposed(text) == supposed


@pytest.mark.parametrize(
    "text",
    ["", "home", "home/wan0/addresses", "home/wan0/addresses=", "wan0/addresses=x", "/wan0/addresses=x"],
)
def test_what_is_no_supposed_fact_is_told_what_one_is(text: str) -> None:
    with pytest.raises(ValueError, match=r"write ROUTER/SUBJECT/NOUN=VALUE\[,VALUE\]"):
        parse_supposed(text)
