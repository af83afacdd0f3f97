"""A line that tells nonsense: it is never applied, and the agent bears it."""

import struct
from collections.abc import Iterator, Mapping
from ipaddress import IPv6Network

import pytest
from access import FIRST, LINE, RESOLVER
from advertiser import flood
from dhcpv6 import AFTR, DNS, SEARCH, SIP, SNTP, VENDOR, wire_addresses, wire_name
from forger import Answer, Forger
from home import Home
from netns import until

MOST_MEMORY = 100
"""Megabytes that an agent may have, whatever it is told."""
MOST_VALUES = 64
"""Of one fact."""
FLOOD = 3000
"""Advertisements."""
MEANT = (FIRST.partition("/")[0], 56, 60, 90)
NAMES = (DNS, wire_addresses(RESOLVER))


def prefixes(*leased: tuple[str, int, int, int]) -> Answer:
    """An answer with these prefixes, their lengths and lifetimes."""
    return Answer(leased, renew=2, rebind=4, options=(NAMES,))


def options(*options: tuple[int, bytes]) -> Answer:
    """An answer with the right prefix and these options."""
    return Answer((MEANT,), renew=2, rebind=4, options=options)


NO_PREFIX: Mapping[str, Answer] = {
    "a prefix of length 200": prefixes(("2001:db8:1200::", 200, 60, 90)),
    "a prefix of length 128": prefixes(("2001:db8:1200::", 128, 60, 90)),
    "a prefix of length 0": prefixes(("::", 0, 60, 90)),
    "a multicast prefix": prefixes(("ff00::", 56, 60, 90)),
    "link-local addresses": prefixes(("fe80::", 56, 60, 90)),
    "preferred for longer than valid": prefixes((*MEANT[:2], 900, 600)),
    "valid for no time": prefixes((*MEANT[:2], 0, 0)),
}
"""What no prefix comes of."""
PREFIX: Mapping[str, Answer] = {
    "an AFTR's name of 300 bytes": options(NAMES, (AFTR, wire_name(".".join(["a" * 59] * 5)))),
    "names that are none": options(NAMES, (AFTR, b"\xff\xff\xff"), (SEARCH, b"\x3f\x00")),
    "a name for a shell": options(NAMES, (SEARCH, wire_name("$(reboot)\n`reboot`"))),
    "servers cut off": options(NAMES, (SNTP, b"\1\2\3"), (SIP, bytes(16)), (VENDOR, b"\0\0\0\xd2\0\xc9\xff")),
    "1000 options": options(NAMES, *((code, struct.pack("!I", code)) for code in range(1000, 2000))),
    "1000 DNS servers": options((DNS, b"".join(wire_addresses(f"2001:db8:53::{n:x}") for n in range(1000)))),
}
"""What the right prefix is among."""


@pytest.fixture(scope="module")
def forger(running_home: Home) -> Iterator[Forger]:
    """Answers instead of the line's server."""
    home = running_home
    home.restore()
    access = home.access
    forger = Forger(access.ngn, LINE, access.server.identifier)
    with access.server.silent(), forger.running():
        yield forger
        answer(home, forger, prefixes(MEANT))


def answer(home: Home, forger: Forger, answer: Answer) -> None:
    """Have the client ask at once, and once more."""
    forger.says = answer
    before = forger.answered
    home.access.replug()
    until(lambda: forger.answered > before + 1, within=60, why="the client was answered")


def test_a_flood_of_advertised_prefixes_is_borne(home: Home) -> None:
    flood(home.access.ngn, LINE, FLOOD)
    assert "2001:db8:f1" in home.router.ip("-6 route show dev wan0"), "the kernel takes them"
    home.must_work()
    must_be_sane(home)
    assert max(len(fact.values) for fact in home.deployment.client.facts(router="home").facts) <= MOST_VALUES


@pytest.mark.parametrize("nonsense", NO_PREFIX.values(), ids=NO_PREFIX)
def test_of_nonsense_nothing_is_made(running_home: Home, forger: Forger, nonsense: Answer) -> None:
    home = running_home
    answer(home, forger, nonsense)
    must_be_sane(home)
    ((address, length, preferred, valid),) = nonsense.prefixes
    if preferred <= valid > 0:  # dhcpcd itself drops what is not
        until(lambda: is_reported(home, address, length), within=60, why="it is reported")


@pytest.mark.parametrize("nonsense", PREFIX.values(), ids=PREFIX)
def test_nonsense_takes_nothing_sensible_along(running_home: Home, forger: Forger, nonsense: Answer) -> None:
    home = running_home
    answer(home, forger, nonsense)
    until(lambda: chosen(home) == [FIRST], within=60, why="the LAN has its prefix")
    must_be_sane(home)


def test_of_many_prefixes_one_is_used(running_home: Home, forger: Forger) -> None:
    home = running_home
    many = [f"2001:db8:{number:x}::" for number in range(0x4000, 0x412C)]
    answer(home, forger, prefixes(*((prefix, 56, 60, 90) for prefix in many)))
    until(lambda: chosen(home) not in ([], [FIRST]), within=60, why="the LAN has a prefix among them")
    must_be_well(home)
    assert len(chosen(home)) == 1
    assert len(unreachable(home)) <= 2, "its own and the former one's"


def is_reported(home: Home, address: str, length: int) -> bool:
    """Whether the agent has said that it leaves this prefix out."""
    said = home.deployment.agents["home"].program.output().splitlines()
    return any(f"'{address}" in line and f"/{length}' is left out" in line for line in said)


def must_be_well(home: Home) -> None:
    """Insist that the agent goes on, and is none the heavier."""
    agent = home.deployment.agents["home"].program
    agent.must_run()
    print(f"{agent.resident_mb:.0f} MB")
    assert agent.resident_mb < MOST_MEMORY


def must_be_sane(home: Home) -> None:
    """Insist that the agent is well, and that nothing else than the right prefix is in use."""
    must_be_well(home)
    assert chosen(home) in ([], [FIRST])
    assert unreachable(home) <= {FIRST}


def unreachable(home: Home) -> set[str]:
    """The prefixes that end here, but for those of the tunnel."""
    words = home.router.ip("-6 route show type unreachable").split()
    return {word for word in words if "/" in word and not word.startswith("2001:db8:ae")}


def chosen(home: Home) -> list[str]:
    """The delegated prefixes that the first LAN uses now."""
    return [
        str(IPv6Network((entry["local"], 56), strict=False))
        for entry in home.router.addresses("dev lan0 scope global -deprecated")
        if entry.get("family") == "inet6"
    ]
