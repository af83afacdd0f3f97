"""Which interfaces lack a link-local address, of dumps as the kernel wrote them."""

import struct
from pathlib import Path

import pytest
from tasuki_agent.kinds.address import link_local

RECORDED = Path(__file__).parent / "recorded"
E0, ANY = 3, range(1, 100)
DUPLICATE = 0x8


def recorded(name: str) -> list[bytes]:
    return [bytes.fromhex(line) for line in (RECORDED / f"{name}.hex").read_text().split()]


def address(scope: int, flags: int = 0, index: int = E0) -> bytes:
    return struct.pack("=BBBBI", 10, 64, flags, scope, index)


def test_the_identifier_is_made_as_the_example_of_rfc_2464_is() -> None:
    assert link_local.of_mac_address(bytes.fromhex("3456789abcde")) == "fe80::3656:78ff:fe9a:bcde"


@pytest.mark.parametrize(
    ("messages", "lacking"),
    [
        ([address(0)], {E0}),
        ([address(0), address(253)], set()),
        ([address(253), address(0)], set()),
        ([address(0), address(253, DUPLICATE)], {E0}),
        ([address(0), address(253, index=4)], {E0}),
        ([address(254, index=1)], set()),
        ([], set()),
    ],
    ids=["none", "one", "one first", "a duplicate", "another interface's", "loopback", "nothing"],
)
def test_an_interface_with_an_address_needs_a_link_local_one(
    messages: list[bytes], lacking: set[int]
) -> None:
    assert link_local.without(messages) == lacking


def test_only_interfaces_that_seek_neighbours_need_one() -> None:
    needed = link_local.missing(recorded("link"), ANY)
    assert all(address.startswith("fe80::") for address in needed.values())
    assert 1 not in needed
    assert E0 in needed
    assert link_local.missing(recorded("link"), {E0}) == {E0: needed[E0]}


def test_a_link_that_lost_ipv6_while_we_looked_needs_none() -> None:
    heads = [message[:16] for message in recorded("link")]
    assert link_local.missing(heads, ANY) == {}
