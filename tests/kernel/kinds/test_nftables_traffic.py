"""What our table does to packets, and how it is kept: a router whose agent runs, between two hosts."""

import asyncio
import json
import socket
import struct
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from netns import Machines, Namespace, cable, until
from tasuki_agent.intent import Intent
from tasuki_agent.kernel import Kernel, run
from tasuki_agent.kind import Ref
from tasuki_agent.kinds import load
from tasuki_agent.kinds.nftables.model import INTERFACES, TABLE
from tasuki_agent.reconcile.compare import Class
from tasuki_agent.reconcile.drift import Action, DriftItem
from tasuki_agent.reconcile.reconciler import Reconciler
from tasuki_agent.reconcile.status import State

REF = Ref("nftables", TABLE)
ETH_P_ALL = 3
ROUTER_ADVERTISEMENT = 134
_MSS_OPTION, _END, _NO_OPERATION = 2, 0, 1


class Hosts(NamedTuple):
    """`near` is behind the router's lan0, `far` behind its wan0."""

    near: Namespace
    router: Namespace
    far: Namespace


@pytest.fixture
def hosts() -> Iterator[Hosts]:
    with Machines() as machines:
        hosts = Hosts(*map(machines.add, Hosts._fields))
        for net, (host, interface) in enumerate(((hosts.near, "lan0"), (hosts.far, "wan0")), 1):
            cable(hosts.router, interface, host, "e0")
            hosts.router.ip(f"addr add 2001:db8:{net}::1/64 dev {interface}")
            hosts.router.ip(f"addr add 192.0.2.{net * 64}/26 dev {interface} noprefixroute")
            hosts.router.ip(f"route add 192.0.2.{net * 64 + 2} dev {interface}")
            host.ip(f"addr add 2001:db8:{net}::2/64 dev e0")
            host.ip(f"addr add 192.0.2.{net * 64 + 2}/32 dev e0")
            host.ip(f"-6 route add default via 2001:db8:{net}::1")
            host.ip(f"route add default via 192.0.2.{net * 64} dev e0 onlink")
        hosts.router.sysctl("net/ipv6/conf/all/forwarding", "1")
        hosts.router.sysctl("net/ipv4/conf/all/forwarding", "1")
        yield hosts


@pytest.fixture
async def reconciler(hosts: Hosts, tmp_path: Path) -> AsyncIterator[Reconciler]:
    """The agent's loop, without an intent."""
    with hosts.router.entered():
        async with Kernel(tmp_path) as kernel:
            reconciler = Reconciler(load(kernel), time.time, time.monotonic)
            async with asyncio.TaskGroup() as tasks:
                running = [
                    tasks.create_task(reconciler.run()),
                    tasks.create_task(follow(kernel, reconciler)),
                ]
                yield reconciler
                for task in running:
                    task.cancel()


async def follow(kernel: Kernel, reconciler: Reconciler) -> None:
    async for names in kernel.events({kind.name: kind.wakes_on for kind in reconciler.kinds}):
        reconciler.mark_dirty(names)


def intent(revision: int = 1, **leaves: Any) -> Intent:
    """An intent by which lan0 has these leaves, of which there may be none."""
    members = {f"tasuki-nftables:{leaf}": value for leaf, value in leaves.items()}
    interface = {"name": "lan0", "type": "iana-if-type:other", **members}
    tree = {"ietf-interfaces:interfaces": {"interface": [interface]}}
    return Intent.parse(revision, json.dumps(tree).encode())


async def eventually(condition: Callable[[], object], why: str) -> None:
    """Wait while the agent's loop goes on."""
    await asyncio.to_thread(lambda: until(condition, within=20, why=why))


async def carried_out(reconciler: Reconciler, intended: Intent) -> None:
    reconciler.set_intent(intended)
    await eventually(lambda: reconciler.applied is intended, "the intent is carried out")


@contextmanager
def sniffer(machine: Namespace) -> Iterator[socket.socket]:
    """What comes to or leaves e0 of the machine, without the heads of Ethernet."""
    with machine.entered():
        opened = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
    with opened:
        opened.bind(("e0", ETH_P_ALL))
        opened.settimeout(10)
        yield opened


def handshake(hosts: Hosts, near: str, far: str) -> tuple[int, int]:
    """Connect from the near host to the far one: the MSS that the far one is told, and the near one."""
    family = socket.AF_INET6 if ":" in far else socket.AF_INET
    with sniffer(hosts.near) as at_near, sniffer(hosts.far) as at_far:
        with hosts.far.entered():
            server = socket.create_server((far, 5001), family=family)
        with hosts.near.entered(), server, socket.create_connection((far, 5001), timeout=10):
            pass
        return mss_to(at_far, far), mss_to(at_near, near)


def mss_to(packets: socket.socket, address: str) -> int:
    """The MSS in the first TCP packet to the address."""
    ipv6 = ":" in address
    packed = socket.inet_pton(socket.AF_INET6 if ipv6 else socket.AF_INET, address)
    while True:
        packet = packets.recv(2048)
        version, protocol, destination, length = (
            (6, packet[6], packet[24:40], 40) if ipv6 else (4, packet[9], packet[16:20], (packet[0] & 15) * 4)
        )
        if (packet[0] >> 4, protocol, destination) == (version, socket.IPPROTO_TCP, packed):
            return mss_of(packet[length:])


def mss_of(segment: bytes) -> int:
    """The MSS option of a TCP segment (RFC 9293 section 3.2)."""
    options = segment[20 : (segment[12] >> 4) * 4]
    while options and options[0] != _END:
        if options[0] == _MSS_OPTION:
            return int.from_bytes(options[2:4], "big")
        options = options[1 if options[0] == _NO_OPERATION else options[1] :]
    raise AssertionError("a SYN without an MSS")


V4 = "192.0.2.66", "192.0.2.130"
V6 = "2001:db8:1::2", "2001:db8:2::2"


async def test_tcp_is_clamped_in_both_directions_and_both_families(
    hosts: Hosts, reconciler: Reconciler
) -> None:
    assert await asyncio.to_thread(handshake, hosts, *V4) == (1460, 1460)
    await carried_out(reconciler, intent(**{"tcp-mss-clamp": 1400}))
    assert await asyncio.to_thread(handshake, hosts, *V4) == (1400, 1400)
    assert await asyncio.to_thread(handshake, hosts, *V6) == (1380, 1380)

    await carried_out(reconciler, intent(2))
    assert await asyncio.to_thread(handshake, hosts, *V4) == (1460, 1460)
    assert hosts.router.run("nft", "list", "ruleset") == ""


async def test_an_mss_is_never_raised(hosts: Hosts, reconciler: Reconciler) -> None:
    await carried_out(reconciler, intent(**{"tcp-mss-clamp": 1400}))
    hosts.near.ip("-6 route change default via 2001:db8:1::1 advmss 1000")
    hosts.far.ip("route change default via 192.0.2.128 dev e0 onlink advmss 900")
    assert await asyncio.to_thread(handshake, hosts, *V6) == (1000, 1380)
    assert await asyncio.to_thread(handshake, hosts, *V4) == (1400, 900)


async def test_rules_hold_for_an_interface_that_comes_later(hosts: Hosts, reconciler: Reconciler) -> None:
    hosts.router.ip("link set lan0 down")
    hosts.router.ip("link set lan0 name lan1")
    await carried_out(reconciler, intent(**{"tcp-mss-clamp": 1400}))
    hosts.router.ip("link set lan1 name lan0")
    hosts.router.ip("link set lan0 up")
    hosts.router.ip("addr replace 2001:db8:1::1/64 dev lan0")
    await asyncio.to_thread(hosts.near.must_reach, V6[1])
    assert await asyncio.to_thread(handshake, hosts, *V6) == (1380, 1380)


def autoconfiguration_at(hosts: Hosts) -> set[str]:
    """What reaches the near host of what must not, when the router and the far host send all of it."""
    with sniffer(hosts.near) as packets:
        with hosts.router.entered():
            index = socket.if_nametoindex("lan0")
            raw = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
            dhcpv6 = udp(547)
        with hosts.far.entered():
            relayed, marker = udp(547), udp(0)
        with raw, dhcpv6, relayed, marker:
            raw.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
            advertisement = struct.pack("!BBHBBHII", ROUTER_ADVERTISEMENT, 0, 0, 64, 0, 1800, 0, 0)
            send(raw, advertisement, ("ff02::1", 0, 0, index))
            send(dhcpv6, b"advertise", ("ff02::1", 546, 0, index))
            send(dhcpv6, b"reply", (V6[0], 546))
            send(relayed, b"from afar", (V6[0], 546))
            send(marker, b"the last one", (V6[0], 9))
        return set(told(packets))


def udp(port: int) -> socket.socket:
    opened = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    opened.bind(("::", port))
    return opened


def send(by: socket.socket, payload: bytes, to: tuple[Any, ...]) -> None:
    """Send, and take it if the router's own rules forbid it."""
    with suppress(PermissionError):
        by.sendto(payload, to)


def told(packets: socket.socket) -> Iterator[str]:
    """Advertisements and the payloads of UDP, up to the last one."""
    while True:
        packet = packets.recv(2048)
        if packet[0] >> 4 != 6:
            continue
        if packet[6] == socket.IPPROTO_ICMPV6 and packet[40] == ROUTER_ADVERTISEMENT:
            yield "router advertisement"
        if packet[6] == socket.IPPROTO_UDP:
            if packet[48:] == b"the last one":
                return
            yield packet[48:].decode()


async def test_autoconfiguration_stays_out_whether_it_is_sent_or_forwarded(
    hosts: Hosts, reconciler: Reconciler
) -> None:
    everything = {"router advertisement", "advertise", "reply", "from afar"}
    assert await asyncio.to_thread(autoconfiguration_at, hosts) == everything
    await carried_out(reconciler, intent(**{"keep-ipv6-autoconfiguration-out": True}))
    assert await asyncio.to_thread(autoconfiguration_at, hosts) == set()
    hosts.near.must_reach(V6[1])


@contextmanager
def another_lan(hosts: Hosts) -> Iterator[Namespace]:
    """A host behind the router's lan1, which is 2001:db8:3::2."""
    with Machines() as machines:
        host = machines.add("other")
        cable(hosts.router, "lan1", host, "e0")
        hosts.router.ip("addr add 2001:db8:3::1/64 dev lan1")
        host.ip("addr add 2001:db8:3::2/64 dev e0")
        host.ip("-6 route add default via 2001:db8:3::1")
        yield host


def told_of(kind: socket.SocketKind, host: Namespace, address: str) -> BaseException | None:
    """What a program on the host is told that sends to a port of the address where nobody listens."""
    with host.entered():
        sending = socket.socket(socket.AF_INET6, kind)
    with sending:
        sending.settimeout(30)
        try:
            sending.connect((address, 9))
            sending.send(b"is anybody there?")
            sending.recv(1)
        except OSError as error:
            return error
    return None


async def test_ipv6_is_kept_from_a_lan_in_both_directions_and_its_senders_are_told(
    hosts: Hosts, reconciler: Reconciler
) -> None:
    near, far = V6
    with another_lan(hosts) as other:
        hosts.near.must_reach(far)
        other.must_reach(far)
        await carried_out(reconciler, intent(**{"keep-ipv6-forwarding-out": True}))
        for host, address in (
            (hosts.near, far),
            (hosts.far, near),
            (hosts.near, "2001:db8:3::2"),
            (other, near),
        ):
            for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                error = await asyncio.to_thread(told_of, kind, host, address)
                assert isinstance(error, PermissionError)
        await asyncio.to_thread(other.must_reach, far)
        await asyncio.to_thread(hosts.near.must_reach, "2001:db8:1::1")
        assert await asyncio.to_thread(handshake, hosts, *V4) == (1460, 1460)

        await carried_out(reconciler, intent(2))
        await asyncio.to_thread(hosts.near.must_reach, far)


WANTED = {"tcp-mss-clamp": 1400, "keep-ipv6-autoconfiguration-out": True}


def drift(reconciler: Reconciler) -> list[DriftItem]:
    return [item for _, item in reconciler.drift.unacknowledged() if item.kind == "nftables"]


async def healed(reconciler: Reconciler) -> list[DriftItem]:
    await eventually(
        lambda: drift(reconciler) and all(item.action is Action.HEALED for item in drift(reconciler)),
        "the drift is seen and healed",
    )
    return drift(reconciler)


async def test_a_flushed_ruleset_is_healed_at_once_and_reported_once(
    hosts: Hosts, reconciler: Reconciler
) -> None:
    await carried_out(reconciler, intent(**WANTED))
    before = hosts.router.run("nft", "list", "ruleset")
    hosts.router.run("nft", "flush", "ruleset")
    (item,) = await healed(reconciler)
    assert (item.class_, item.field, item.count, item.observed) == (Class.MISSING, "", 1, "")
    assert item.intended == "chain clamp-mss, chain forward-syn, chain keep-autoconfiguration-out"
    assert item.healed_at is not None
    assert item.healed_at - item.first_seen < 1
    assert hosts.router.run("nft", "list", "ruleset") == before


async def test_a_rule_of_somebody_and_one_that_is_gone_are_reported_each_at_its_place(
    hosts: Hosts, reconciler: Reconciler
) -> None:
    await carried_out(reconciler, intent(**WANTED))
    script = "flush chain inet tasuki clamp-mss\nadd rule inet tasuki forward-syn tcp dport 25 drop\n"
    hosts.router.run("nft", "-f", "-", stdin=script)
    items = {item.field: item for item in await healed(reconciler)}
    assert {field: item.path for field, item in items.items()} == {
        "lan0 tcp-mss-clamp": f"{INTERFACES}/interface[name='lan0']/tasuki-nftables:tcp-mss-clamp",
        "chain forward-syn": INTERFACES,
    }
    assert {item.class_ for item in items.values()} == {Class.CHANGED}
    assert items["chain forward-syn"].observed == "tcp dport 25 drop"
    assert items["lan0 tcp-mss-clamp"].intended.startswith(
        'iifname "lan0" meta nfproto ipv4 tcp option maxseg'
    )


async def test_a_settled_table_is_neither_written_nor_listed_again(
    hosts: Hosts, reconciler: Reconciler, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not by the news of our own transaction either."""
    await carried_out(reconciler, intent(**WANTED))
    before = hosts.router.run("nft", "-a", "list", "ruleset")
    monkeypatch.setattr(run, "environment", lambda: {"PATH": "/nowhere"})
    for _ in range(3):
        await reconciler.observe_all()
        await reconciler.step()
    assert reconciler.observed["nftables"] == reconciler.wanted["nftables"]
    assert drift(reconciler) == []
    assert hosts.router.run("nft", "-a", "list", "ruleset") == before


async def test_tables_of_others_come_and_go_unreported(hosts: Hosts, reconciler: Reconciler) -> None:
    await carried_out(reconciler, intent(**WANTED))
    for command in ("add table ip docker", "add chain ip docker user", "delete table ip docker"):
        hosts.router.run("nft", command)
        await reconciler.observe_all()
    assert drift(reconciler) == []


async def test_a_table_that_a_person_made_before_us_is_foreign_until_it_is_gone(
    hosts: Hosts, reconciler: Reconciler
) -> None:
    hosts.router.run("nft", "add table inet tasuki")
    reconciler.set_intent(intent(**WANTED))
    await eventually(lambda: state(reconciler) is State.FOREIGN, "the table is seen to be somebody else's")
    hosts.router.run("nft", "delete table inet tasuki")
    await eventually(lambda: state(reconciler) is None, "the table is made")
    assert "clamp-mss" in hosts.router.run("nft", "list", "ruleset")


def state(reconciler: Reconciler) -> State | None:
    status = reconciler.board.get(REF)
    return status.state if status else None


async def test_without_nft_only_what_needs_it_fails(
    hosts: Hosts, reconciler: Reconciler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "environment", lambda: {"PATH": "/nowhere"})
    await carried_out(reconciler, intent())
    reconciler.set_intent(intent(2, **WANTED))
    await eventually(lambda: state(reconciler) is State.FAILED, "the table fails")
    assert [ref for ref, _ in reconciler.board] == [REF]
    status = reconciler.board.get(REF)
    assert status is not None
    assert "install the package nftables" in status.message

    monkeypatch.undo()
    await eventually(lambda: state(reconciler) is None, "the table is made once nft is there")


async def test_while_an_update_is_loaded_there_is_a_table_at_any_moment(
    hosts: Hosts, reconciler: Reconciler
) -> None:
    """Every connection of a long series is clamped, though the table is replaced all the time."""
    await carried_out(reconciler, intent(**WANTED))
    sizes = set()
    for revision in range(2, 12):
        reconciler.set_intent(intent(revision, **{**WANTED, "tcp-mss-clamp": 1380 + revision}))
        for _ in range(10):
            sizes |= set(await asyncio.to_thread(handshake, hosts, *V4))
    assert max(sizes) <= 1400
    assert len(sizes) > 1
