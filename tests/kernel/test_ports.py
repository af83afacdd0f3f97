"""Ports that somebody else has: by whom, on what addresses, and only where the kernel would refuse them."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from netns import Machines, Namespace, cable
from tasuki_agent.errors import Transient
from tasuki_agent.kernel import ports
from tasuki_agent.kernel.ports import Port, require_free

HOLDER = """
import socket, sys
from pathlib import Path
family, kind, address, port, device, name, only = sys.argv[1:]
Path("/proc/self/comm").write_text(name)
held = socket.socket(int(family), int(kind))
if device:
    held.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode())
if int(family) == socket.AF_INET6:
    held.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(only))
held.bind((address, int(port)))
if int(kind) == socket.SOCK_STREAM:
    held.listen()
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def router() -> Iterator[Namespace]:
    with Machines() as machines:
        router, lan = machines.add("router"), machines.add("lan")
        cable(router, "lan0", lan, "port0")
        cable(router, "lan1", lan, "port1")
        router.ip("address add 192.0.2.1/24 dev lan0")
        router.ip("address add 2001:db8::1/64 dev lan0 nodad")
        with router.entered():
            yield router


@contextmanager
def held(port: Port, *, by: str = "somebody", only_ipv6: bool = True) -> Iterator[int]:
    """Another process has the port; its number."""
    family = socket.AF_INET6 if ":" in port.address else socket.AF_INET
    kind = socket.SOCK_DGRAM if port.protocol == "udp" else socket.SOCK_STREAM
    arguments = (family.value, kind.value, port.address, port.number, port.device, by, int(only_ipv6))
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process.pid
        finally:
            process.kill()


def is_free(port: Port) -> bool:
    try:
        require_free([port], doing="start")
    except Transient:
        return False
    return True


PROTOCOLS = ("udp", "tcp")
ADDRESSES = ("::", "2001:db8::1", "0.0.0.0", "192.0.2.1")


@pytest.mark.usefixtures("router")
@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_who_has_a_port_is_told_by_name_and_number(protocol: str, address: str) -> None:
    port = Port(protocol, 547, address)
    assert is_free(port)
    with held(port, by="dhcp6c") as pid, pytest.raises(Transient) as told:
        require_free([port], doing="start dnsmasq")
    of = "" if address in ("::", "0.0.0.0") else f" of {address}"
    assert str(told.value) == (
        f"start dnsmasq: {protocol.upper()} port 547{of} is held by dhcp6c (pid {pid}): "
        "stop wide-dhcpv6-client and disable it"
    )
    assert is_free(port)


@pytest.mark.usefixtures("router")
def test_what_to_do_is_told_once_for_all_ports_of_a_process() -> None:
    ports = [Port("udp", 53, "192.0.2.1"), Port("udp", 53, "192.0.2.2")]
    with held(Port("udp", 53, "0.0.0.0"), by="unbound") as pid, pytest.raises(Transient) as told:
        require_free(ports, doing="start dnsmasq")
    assert str(told.value) == (
        "start dnsmasq: each of UDP port 53 of 192.0.2.1, UDP port 53 of 192.0.2.2 is held by "
        f"unbound (pid {pid}): stop it and disable its service, or have it listen on other addresses"
    )


@pytest.mark.usefixtures("router")
@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(("one", "other"), [("::", "2001:db8::1"), ("0.0.0.0", "192.0.2.1")])
def test_all_addresses_and_one_of_them_exclude_each_other(protocol: str, one: str, other: str) -> None:
    for theirs, ours in ((one, other), (other, one)):
        with held(Port(protocol, 53, theirs)):
            assert not is_free(Port(protocol, 53, ours))


@pytest.mark.usefixtures("router")
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_wildcard_that_takes_in_ipv4_excludes_it(protocol: str) -> None:
    with held(Port(protocol, 53, "::"), only_ipv6=False):
        assert not is_free(Port(protocol, 53, "0.0.0.0"))
        assert not is_free(Port(protocol, 53, "192.0.2.1"))


@pytest.mark.usefixtures("router")
@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (Port("udp", 53, "127.0.0.53"), Port("udp", 53, "192.0.2.1")),
        (Port("udp", 53, "::"), Port("udp", 53, "0.0.0.0")),
        (Port("udp", 53, "0.0.0.0"), Port("tcp", 53, "0.0.0.0")),
        (Port("udp", 67, "0.0.0.0", "lan1"), Port("udp", 67, "0.0.0.0", "lan0")),
        (Port("udp", 5353, "::"), Port("udp", 53, "::")),
    ],
    ids=lambda port: str(port).replace(" ", "-"),
)
def test_what_does_not_collide_is_nobodys_business(theirs: Port, ours: Port) -> None:
    with held(theirs):
        assert is_free(ours)


@pytest.mark.usefixtures("router")
def test_who_serves_all_interfaces_excludes_who_serves_one() -> None:
    with held(Port("udp", 67, "0.0.0.0")):
        assert not is_free(Port("udp", 67, "0.0.0.0", "lan0"))


@pytest.mark.usefixtures("router")
def test_an_address_or_interface_that_is_not_there_yet_is_free() -> None:
    assert is_free(Port("udp", 53, "2001:db8:5::1"))
    assert is_free(Port("tcp", 53, "203.0.113.7"))
    assert is_free(Port("udp", 67, "0.0.0.0", "lan9"))


def test_a_port_that_is_held_in_another_network_is_free(router: Namespace) -> None:
    with Machines() as machines:
        other = machines.add("other")
        with other.entered(), held(Port("udp", 53)):
            with router.entered():
                assert is_free(Port("udp", 53))
            assert not is_free(Port("udp", 53))


@pytest.mark.usefixtures("router")
def test_what_our_own_process_has_is_not_in_the_way() -> None:
    with held(Port("udp", 53)) as pid:
        require_free([Port("udp", 53)], ours=[pid], doing="start")


@pytest.mark.usefixtures("router")
def test_every_port_that_is_held_is_told_at_once() -> None:
    mine, theirs, free = Port("udp", 53), Port("tcp", 53), Port("udp", 67, "0.0.0.0")
    with ExitStack() as holders:
        pids = [holders.enter_context(held(port)) for port in (mine, theirs)]
        with pytest.raises(Transient) as told:
            require_free([mine, theirs, free], doing="start")
    assert all(f"(pid {pid})" in str(told.value) for pid in pids)
    assert "port 67" not in str(told.value)


@pytest.mark.usefixtures("router")
def test_a_holder_that_cannot_be_seen_is_told_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(inodes: set[int]) -> Iterator[tuple[ports.Holder, int]]:
        yield from ()

    with held(Port("udp", 53)):
        monkeypatch.setattr(ports, "_owners", nobody)
        with pytest.raises(Transient, match="held by a process that cannot be seen from here"):
            require_free([Port("udp", 53)], doing="start")


@pytest.mark.usefixtures("router")
def test_nobody_is_looked_for_while_the_ports_are_free(monkeypatch: pytest.MonkeyPatch) -> None:
    def looked(*_: object) -> None:
        pytest.fail("processes were gone through")

    monkeypatch.setattr(ports, "_holders", looked)
    require_free([Port("udp", 53), Port("tcp", 53), Port("udp", 67, "0.0.0.0", "lan0")], doing="start")


@pytest.mark.usefixtures("router")
@pytest.mark.parametrize("name", ports.ADVICE)
def test_advice_is_found_by_the_name_that_the_kernel_keeps(name: str) -> None:
    assert len(name) <= 15, "the kernel keeps no more of it"
