"""Hosts of a LAN with the clients that people have, which configure themselves from what the router tells."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from ipaddress import IPv6Address, IPv6Network
from pathlib import Path

import dns.exception
import dns.message
import dns.query
from netns import Namespace, patient
from programs import Program, ProgramError

UDHCPC_SCRIPT = """#!/bin/sh
case $1 in
deconfig) ip -4 address flush dev "$interface" ;;
bound | renew)
    ip address replace "$ip/$mask" dev "$interface"
    test -z "$router" || ip route replace default via "${router%% *}" dev "$interface"
    ;;
esac
env >"$0.new"
mv "$0.new" "$0.dhcp"
"""
DHCPCD_SCRIPT = """#!/bin/sh
env >"$0.new"
mv "$0.new" "$0.$protocol"
"""
DHCPCD_CONFIGURATION = """
duid ll
hostname laptop
noarp
option domain_name_servers, domain_name, domain_search, ntp_servers
option dhcp6_name_servers, dhcp6_domain_search
"""


@dataclass(frozen=True, slots=True)
class Host:
    """A host at its interface eth0.

    Attributes:
        script: what its DHCP client runs; beside it is what it was run with.
    """

    machine: Namespace
    script: Path

    @classmethod
    @contextmanager
    def with_udhcpc(cls, machine: Namespace, directory: Path) -> Iterator["Host"]:
        """The kernel makes IPv6 addresses; udhcpc asks for IPv4."""
        host = cls(machine, _script(directory / "udhcpc", UDHCPC_SCRIPT))
        client = f"busybox udhcpc -f -i eth0 -t 2 -T 1 -A 1 -s {host.script}"
        program = Program(machine, client.split(), directory / "udhcpc.log")
        program.start()
        try:
            yield host
        finally:
            program.stop()

    @classmethod
    @contextmanager
    def with_dhcpcd(cls, machine: Namespace, directory: Path) -> Iterator["Host"]:
        """One program takes router advertisements and asks by DHCPv6, if they say so, and by DHCPv4."""
        host = cls(machine, _script(directory / "dhcpcd", DHCPCD_SCRIPT))
        configuration = directory / "dhcpcd.conf"
        configuration.write_text(DHCPCD_CONFIGURATION)
        # dhcpcd's files are named after the interface alone; `ip netns exec` has mounts of its own.
        own = "mkdir -p /run/dhcpcd /var/lib/dhcpcd"
        own += " && mount -t tmpfs run /run/dhcpcd && mount -t tmpfs lib /var/lib/dhcpcd"
        client = f"dhcpcd -B -d -f {configuration} -c {host.script} eth0"
        program = Program(machine, ("sh", "-c", f"{own} && exec {client}"), directory / "dhcpcd.log")
        program.start()
        try:
            yield host
        finally:
            # dhcpcd 9.4.1 misses a signal that comes while its script runs.
            with suppress(ProgramError):
                program.stop()

    def told(self, protocol: str) -> Mapping[str, str]:
        """What its client was told last by dhcp, dhcp6 or ra; nothing if it was told nothing."""
        try:
            lines = Path(f"{self.script}.{protocol}").read_text().splitlines()
        except FileNotFoundError:
            return {}
        return {name: value for name, _, value in (line.partition("=") for line in lines)}

    def ipv4(self) -> list[str]:
        """Its IPv4 addresses."""
        found = self.machine.addresses("dev eth0 scope global")
        return [entry["local"] for entry in found if entry["family"] == "inet"]

    def ipv6(self, *, preferred: bool = True) -> list[IPv6Address]:
        """Its global addresses that are preferred, or those that are deprecated."""
        return [
            IPv6Address(entry["local"])
            for entry in self.machine.addresses("dev eth0 scope global")
            if entry["family"] == "inet6" and preferred != entry.get("deprecated", False)
        ]

    def is_in(self, prefix: str) -> bool:
        """Whether it prefers addresses in this prefix, and no others."""
        found = self.ipv6()
        return bool(found) and all(address in IPv6Network(prefix) for address in found)

    def has_deprecated(self, prefix: str) -> bool:
        """Whether it still has an address in this prefix that it does not prefer any more."""
        return any(address in IPv6Network(prefix) for address in self.ipv6(preferred=False))

    def resolves(self, name: str, server: str, rdtype: str = "AAAA") -> list[str]:
        """What this server answers when the host asks for a name; nothing if it does not answer."""
        query = dns.message.make_query(name, rdtype)
        try:
            with self.machine.entered():
                answer = dns.query.udp(query, server, timeout=patient(2))
        except (dns.exception.Timeout, OSError):
            return []
        return [data.to_text() for rrset in answer.answer for data in rrset]


def _script(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o755)
    return path
