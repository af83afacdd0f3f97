"""A line that leases IPv4 addresses, as behind a home gateway: dnsmasq at the provider's end."""

from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Network
from pathlib import Path

from netns import Namespace
from programs import Program


@contextmanager
def leasing(machine: Namespace, interface: str, subnet: str, directory: Path) -> Iterator[None]:
    """Lease addresses of this subnet; the machine has the first one and is the router."""
    network = IPv4Network(subnet)
    first, low, high = (str(network[number]) for number in (1, 100, 199))
    machine.ip(f"addr add {first}/{network.prefixlen} dev {interface}")
    own = directory / "dnsmasq-of-the-line"
    own.mkdir(exist_ok=True)
    command = "dnsmasq --keep-in-foreground --conf-file=/dev/null --port=0 --no-ping --log-facility=-"
    command += f" --interface={interface} --dhcp-authoritative --dhcp-range={low},{high},120"
    command += f" --dhcp-leasefile={own}/leases --pid-file={own}/pid"
    server = Program(machine, command.split(), own / "log")
    server.start()
    try:
        yield
    finally:
        server.stop()
        machine.ip(f"addr del {first}/{network.prefixlen} dev {interface}")
