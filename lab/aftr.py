"""The provider's end of DS-Lite: a kernel that translates, and a table of who is behind which softwire.

The kernel decapsulates whatever comes to an address of the AFTR, and masquerades it. That an answer goes back
to the B4 that asked, whatever address this one has today, is what RFC 6333 section 6.2 asks of an AFTR and
Linux does not do by itself: the outer source address of each packet is noted, as the route to the inner one.
"""

import ipaddress
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from netns import Namespace

_ETH_P_IPV6 = 0x86DD
_IPV6_HEADER = 40
_IN_IPV4 = 4
"""Next header of IPv4 in IPv6."""


@contextmanager
def aftr(machine: Namespace, interface: str, addresses: tuple[str, ...], upstream: str) -> Iterator[None]:
    """Make the machine an AFTR with these addresses.

    Args:
        machine: a router that is joined to both sides.
        interface: where its lines are.
        addresses: all lead to it.
        upstream: where the IPv4 internet is.
    """
    for address in addresses:
        machine.ip(f"addr add {address}/128 dev lo")
    machine.ip("link add softwires type ip6tnl external encaplimit none")
    machine.ip("link set softwires mtu 1460 up")
    machine.sysctl("net/ipv4/ip_forward", "1")
    machine.run(
        "nft",
        "-f",
        "-",
        stdin=f"""table ip aftr {{
            chain translate {{
                type nat hook postrouting priority srcnat
                oifname "{upstream}" masquerade
            }}
        }}""",
    )
    with machine.entered():
        listener = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_ETH_P_IPV6))
        listener.bind((interface, _ETH_P_IPV6))
        listener.settimeout(0.2)
    stopped = threading.Event()
    thread = threading.Thread(target=_learn, args=(machine, listener, stopped), daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()
        listener.close()


def _learn(machine: Namespace, listener: socket.socket, stopped: threading.Event) -> None:
    softwires: dict[bytes, bytes] = {}
    while not stopped.is_set():
        try:
            packet, origin = listener.recvfrom(_IPV6_HEADER + 20)
        except TimeoutError:
            continue
        if origin[2] == socket.PACKET_OUTGOING or packet[6] != _IN_IPV4:
            continue
        ends, inner = packet[8:_IPV6_HEADER], packet[_IPV6_HEADER + 12 : _IPV6_HEADER + 16]
        if softwires.get(inner) != ends:
            softwires[inner] = ends
            b4, here = ipaddress.IPv6Address(ends[:16]), ipaddress.IPv6Address(ends[16:])
            host = ipaddress.IPv4Address(inner)
            machine.ip(f"route replace {host} encap ip6 src {here} dst {b4} hoplimit 64 dev softwires")
