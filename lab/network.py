"""The network of `examples/vxlan-split.json` in miniature, with tasuki's work still to be done.

    internet ────── vps                    the hub, which holds 2001:db8:ae00::/40
        │            │
        └────────── isp                    carries the underlay; native IPv6 for home and office
                     ├── home ── pc        10.1.1.2, and a native IPv6 default route that must stay in use
                     ├── branch            10.1.1.3, no IPv6 of its own
                     ├── office ┬─ desk    2001:db8:2::2, an underlay of IPv6 only
                     │          └─ server  in the office's DMZ
                     └── friend            10.1.1.5, a machine without an agent

The internet reaches the split's prefix through the VPS and native prefixes through the ISP, so the source
address that it sees tells which way a packet came. What the VPS does not know it sends to the internet, as a
router with a default route does: a prefix that nobody holds would go to and fro between the two until its hop
limit ends.
"""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from netns import LabError, Machines, Namespace, cable, until

HOST = "2001:db8:ffff::1"
"""A host on the internet."""
WITNESS_PORT = 7777
ADDRESS = "10.1.1.1:9339"
"""The controller's, on the VPS."""
ADDRESS_OVER_IPV6 = "[2001:db8:1::1]:9339"


@dataclass(frozen=True, slots=True)
class Network:
    """The machines by name."""

    internet: Namespace
    isp: Namespace
    vps: Namespace
    home: Namespace
    pc: Namespace
    branch: Namespace
    office: Namespace
    desk: Namespace
    server: Namespace
    friend: Namespace

    @classmethod
    def build(cls, machines: Machines) -> "Network":
        """All machines with everything that is not tasuki's: cables, underlay, native IPv6, hosts."""
        network = cls(*(machines.add(label) for label in cls.__slots__))
        network._join_upstream()
        network._join_homes()
        network._join_hosts()
        for router in (network.vps, network.home, network.branch, network.office):
            # What tasuki makes is checked for address collisions, as on real routers.
            router.sysctl("net/ipv6/conf/default/accept_dad", "1")
        return network

    @property
    def controller_addresses(self) -> tuple[str, ...]:
        """Where the controller listens."""
        return ADDRESS, ADDRESS_OVER_IPV6

    def controller_for(self, router: str) -> str:
        """Where this router reaches it: the office has IPv6 only."""
        return ADDRESS_OVER_IPV6 if router == "office" else ADDRESS

    def machine(self, router: str) -> Namespace:
        """The machine that a router of the examples is."""
        found: Namespace = getattr(self, router)
        return found

    def _join_upstream(self) -> None:
        internet, isp, vps = self.internet, self.isp, self.vps
        for router in (internet, isp):
            router.sysctl("net/ipv6/conf/all/forwarding", "1")
            router.sysctl("net/ipv4/ip_forward", "1")
        cable(internet, "to-vps", vps, "enp1s0f1")
        cable(internet, "to-isp", isp, "upstream")
        cable(isp, "to-vps", vps, "enp1s0f0")

        internet.ip(f"addr add {HOST}/128 dev lo")
        internet.ip("addr add 2001:db8:a::1/64 dev to-vps")
        internet.ip("addr add 2001:db8:b::1/64 dev to-isp")
        internet.ip("route add 2001:db8:ae00::/40 via 2001:db8:a::2")
        for native in ("2001:db8:1::/48", "2001:db8:2::/48", "2001:db8:f0::/48"):
            internet.ip(f"route add {native} via 2001:db8:b::2")

        isp.ip("addr add 10.1.1.254/32 dev lo")
        isp.ip("addr add 2001:db8:b::2/64 dev upstream")
        isp.ip("addr add 2001:db8:1::fe/64 dev to-vps")
        isp.ip("route add 10.1.1.1 dev to-vps")
        isp.ip("-6 route add default via 2001:db8:b::1")

        vps.ip("addr add 2001:db8:a::2/64 dev enp1s0f1")
        vps.ip("addr add 2001:db8:1::1/64 dev enp1s0f0")
        vps.ip("-6 route add default via 2001:db8:a::1")
        vps.ip("route add 2001:db8:2::/48 via 2001:db8:1::fe")
        _connect_ipv4(vps, "enp1s0f0", "10.1.1.1")

    def _join_homes(self) -> None:
        ipv4 = ((self.home, "enp6s0f1", "10.1.1.2"), (self.branch, "enp6s0f1", "10.1.1.3"))
        for machine, interface, address in (*ipv4, (self.friend, "eth0", "10.1.1.5")):
            port = f"to-{address.rpartition('.')[2]}"
            cable(self.isp, port, machine, interface)
            self.isp.ip(f"route add {address} dev {port}")
            _connect_ipv4(machine, interface, address)
        cable(self.isp, "to-office", self.office, "wan0")
        for machine, interface, port, prefix in (
            (self.home, "enp6s0f1", "to-2", "2001:db8:f0:1"),
            (self.office, "wan0", "to-office", "2001:db8:2:0"),
        ):
            self.isp.ip(f"addr add {prefix}::fe/64 dev {port}")
            machine.ip(f"addr add {prefix}::2/64 dev {interface}")
            machine.ip(f"-6 route add default via {prefix}::fe")

    def _join_hosts(self) -> None:
        for router, interface, host, prefix in (
            (self.home, "lan0", self.pc, "2001:db8:ae00:1"),
            (self.office, "lan0", self.desk, "2001:db8:ae00:3"),
            (self.office, "dmz0", self.server, "2001:db8:ae03:1"),
        ):
            cable(router, interface, host, "eth0")
            host.ip(f"addr add {prefix}::100/64 dev eth0")
            host.ip(f"-6 route add default via {prefix}::1")


def _connect_ipv4(machine: Namespace, interface: str, address: str) -> None:
    """Give the machine one address and the ISP as its gateway, as data centres and PPP lines do."""
    machine.ip(f"addr add {address}/32 dev {interface}")
    machine.ip(f"route add 10.1.1.254 dev {interface}")
    machine.ip(f"route add default via 10.1.1.254 dev {interface}")


@contextmanager
def witness(machine: Namespace) -> Iterator[None]:
    """A service on the machine that tells every caller the address that it called from."""
    with machine.entered():
        listener = socket.create_server(("::", WITNESS_PORT), family=socket.AF_INET6)

    def answer() -> None:
        while True:
            try:
                connection, peer = listener.accept()
            except OSError:
                return
            with connection:
                connection.sendall(str(peer[0]).encode())

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    try:
        yield
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def seen_as(machine: Namespace, *, host: str = HOST, source: str | None = None, timeout: float = 20.0) -> str:
    """The source address that the witness at the host sees when the machine calls it.

    Raises:
        LabError: no answer within so many seconds.
    """
    bound = (source, 0) if source else None
    try:
        with (
            machine.entered(),
            socket.create_connection((host, WITNESS_PORT), timeout, source_address=bound) as connection,
        ):
            return connection.recv(64).decode()
    except OSError as e:
        raise LabError(f"{machine.name} calls {host}: {e}") from e


def must_be_unreachable(machine: Namespace, address: str) -> None:
    """Insist that a router says that there is no such destination, and none that the hop limit ended.

    Routers limit how often they say so, hence the patience.
    """

    def refused() -> bool:
        said = machine.run("ping", "-n", "-c", "1", "-W", "1", address, check=False)
        assert "Time exceeded" not in said, said
        assert "1 received" not in said, said
        return "unreachable" in said

    until(refused, within=30, why=f"{machine.name} hears that {address} is unreachable")
