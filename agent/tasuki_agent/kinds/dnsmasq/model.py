"""What the router tree has dnsmasq serve: one dnsmasq for all LANs.

section   what one place of the tree has it do
dhcp      the hosts of an interface: DHCPv4, DHCPv6, router advertisements
dns       the forwarder
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple, Self

from tasuki_yang.router import Router

from tasuki_agent.daemon import Daemon
from tasuki_agent.kind import Observed, Ref
from tasuki_agent.kinds.dnsmasq import dhcp, dns
from tasuki_agent.kinds.dnsmasq.section import (
    CONFIGURATION,
    DIRECTORY,
    REREAD,
    RESERVATIONS,
    SERVERS,
    Section,
)
from tasuki_agent.known import Known

INTERFACES: Final = "/ietf-interfaces:interfaces"
LOOPBACK: Final = "lo"
_HEADER: Final = "# Written by tasuki-agent: what is changed here is changed back."
_PROCESS: Final = (
    "user=dnsmasq",
    "pid-file",
    "log-facility=-",
    "quiet-dhcp",
    "quiet-dhcp6",
    "quiet-ra",
    # Each address on its own, so that other servers can have others; LANs may come and go.
    "bind-dynamic",
)


class _Identity(NamedTuple):
    name: str


class ServerKey(_Identity):
    """The one server of a router."""

    sections: tuple[Section, ...] = ()
    """What it serves, of a wanted one."""

    def serving(self, sections: tuple[Section, ...]) -> Self:
        """The same key, with what it serves."""
        key = self._replace()
        key.sections = sections
        return key

    def __str__(self) -> str:
        return self.name


SERVER: Final = ServerKey("server")


def want(intent: Router, known: Known) -> Mapping[ServerKey, Daemon]:
    """The server, if anything shall be served. It waits for nothing: what is not there it serves later."""
    sections = tuple(_sections(intent, known))
    if not sections:
        return {}
    names = dict.fromkeys(name for section in sections for name in section.lines)
    files = {name: _text(name, sections) for name in names}
    return {SERVER.serving(sections): Daemon(files, REREAD)}


def _sections(intent: Router, known: Known) -> Iterator[Section]:
    interfaces = sorted(intent.interfaces.interface, key=lambda interface: interface.name)
    forwarder = intent.dns_forwarder
    for interface in interfaces:
        if interface.ipv4 and (server := interface.ipv4.dhcp_server):
            yield dhcp.ipv4_section(interface, server)
        if interface.ipv6 and interface.ipv6.ipv6_router_advertisements.send_advertisements:
            yield dhcp.ipv6_section(interface, interface.ipv6, forwards=forwarder is not None)
    if forwarder:
        yield dns.dns_section(forwarder, interfaces, known)


def _text(name: str, sections: Iterable[Section]) -> str:
    """A file: what concerns all of dnsmasq, then each place's lines under its path."""
    blocks = [(_HEADER, *(_of_all(sections) if name == CONFIGURATION else ()))]
    blocks += [(f"# {section.path}", *section.lines[name]) for section in sections if section.lines.get(name)]
    return "\n".join("".join(f"{line}\n" for line in block) for block in blocks)


def _of_all(sections: Iterable[Section]) -> Iterator[str]:
    yield from _PROCESS
    interfaces = {interface for section in sections for interface in section.interfaces}
    yield from (f"interface={interface}" for interface in sorted(interfaces))
    if LOOPBACK not in interfaces:
        yield f"except-interface={LOOPBACK}"
    files = {name for section in sections for name in section.lines}
    if SERVERS not in files:
        yield "port=0"
    if RESERVATIONS in files:
        yield "dhcp-authoritative"
        yield f"dhcp-hostsfile={DIRECTORY}/{RESERVATIONS}"


def needs(key: ServerKey, spec: Daemon) -> Iterable[Ref]:  # noqa: ARG001
    """Nothing: it serves what there is, and what comes."""
    return ()


def rank(key: ServerKey) -> int:  # noqa: ARG001
    """There is only one."""
    return 0


def owns(key: ServerKey, spec: Daemon, observed: Observed) -> bool:  # noqa: ARG001
    """Only the agent's own is observed at all."""
    return True


def typed_over(key: ServerKey, spec: Daemon) -> bool:  # noqa: ARG001
    """Nobody else's is observed."""
    return False


def in_place(observed: Daemon, wanted: Daemon) -> bool:  # noqa: ARG001
    """It is told to read its files again, or restarted."""
    return True


def path(key: ServerKey, field: str = "") -> str:  # noqa: ARG001
    """The forwarder, or else the container of all whose hosts are served: no node has both."""
    return dns.PATH if any(section.path == dns.PATH for section in key.sections) else INTERFACES


def tree(key: ServerKey, spec: Daemon) -> Mapping[str, Any]:
    """The places that are served as they are wanted."""
    # A router that nobody looks at need not hold the models' schema in memory.
    from tasuki_yang.edit import merge  # noqa: PLC0415
    from tasuki_yang.schema import ROUTER  # noqa: PLC0415

    found: dict[str, Any] = {}
    if not spec.health:
        for section in key.sections:
            if _is_there(section, spec):
                found = merge(ROUTER, found, dict(section.tree))
    return found


def _is_there(section: Section, spec: Daemon) -> bool:
    there = {name: text.splitlines() for name, text in spec.files.items()}
    return all(line in there.get(name, ()) for name, lines in section.lines.items() for line in lines)
