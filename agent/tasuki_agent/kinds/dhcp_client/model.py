"""Clients in the router tree: what each asks for, and which facts it brings."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, NamedTuple, Self, TypeAlias

from tasuki_yang.router import InterfacesInterfaceDhcpClient, Router

from tasuki_agent.daemon import Daemon
from tasuki_agent.kind import Observed, Ref
from tasuki_agent.kinds.dhcp_client import dhcpcd
from tasuki_agent.kinds.dhcp_client.dhcpcd import CONFIGURATION, DUID_INTERFACE
from tasuki_agent.kinds.link.model import UpLink
from tasuki_agent.kinds.router_tree import interface_path, interface_tree
from tasuki_agent.known import Known

IPV6, IPV4 = "ipv6", "ipv4"
_NODE: Final = "tasuki-dhcp-client:dhcp-client"
_BOTH: Final = ("dns-servers", "search-domains", "sntp-servers")
_PREFIX: Final = ("delegated-prefix", "former-prefixes")
_FACTS: Final[Mapping[str, tuple[str, ...]]] = {
    IPV6: (*_BOTH, "aftr-name", "sip-domains", "sip-servers", "vendor-options"),
    IPV4: (*_BOTH, "ipv4-address", "ipv4-routers"),
}
"""What leases tell of."""


@dataclass(frozen=True, slots=True)
class Networkd:
    """systemd-networkd has the lease, and the agent reads it.

    Attributes:
        health: why it cannot be read.
    """

    health: str = ""


Client: TypeAlias = Daemon | Networkd


class _Identity(NamedTuple):
    interface: str
    version: str
    """Of IP."""


class ClientKey(_Identity):
    """The interface and the IP version of a client.

    Each version has a process of its own. One for both would tell the DHCPv6 server the host's name that is
    meant for the DHCPv4 server, and what is in the way of one would be in the way of the other.
    """

    asked: Mapping[str, Any] = MappingProxyType({})
    """What the tree says of it."""
    client: Client | None = None
    """What follows from that."""

    def asked_by(self, asked: Mapping[str, Any], client: Client) -> Self:
        """The same key, with what asks for the client."""
        key = self._replace()
        key.asked, key.client = asked, client
        return key

    def __str__(self) -> str:
        return f"{self.interface} {self.version}"


def want(intent: Router, known: Known) -> Mapping[ClientKey, Client]:
    """The clients, each with all facts looked out for that its lease may tell."""
    wanted = {}
    for interface in intent.interfaces.interface:
        if interface.dhcp_client is None:
            continue
        for version, client in _clients(interface.name, interface.dhcp_client):
            key = ClientKey(interface.name, version)
            wanted[key.asked_by(_asked(interface.dhcp_client, version), client)] = client
            known.note(interface.name, *_facts(interface.dhcp_client, version))
    return wanted


def _clients(interface: str, asked: InterfacesInterfaceDhcpClient) -> Iterator[tuple[str, Client]]:
    networkd = asked.lease_source == "networkd"
    if asked.ipv6 is not None:
        files = {
            CONFIGURATION: dhcpcd.dhcpv6(asked.ipv6),
            DUID_INTERFACE: f"{asked.ipv6.duid_interface or interface}\n",
        }
        yield IPV6, Networkd() if networkd else Daemon(files)
    if asked.ipv4 is not None:
        yield IPV4, Networkd() if networkd else Daemon({CONFIGURATION: dhcpcd.dhcpv4(asked.ipv4)})


def _facts(asked: InterfacesInterfaceDhcpClient, version: str) -> Iterable[str]:
    prefix = version == IPV6 and asked.ipv6 is not None and asked.ipv6.request == "prefix"
    return (*_PREFIX, *_FACTS[version]) if prefix else _FACTS[version]


def _asked(asked: InterfacesInterfaceDhcpClient, version: str) -> Mapping[str, Any]:
    return asked.model_dump(mode="json", by_alias=True, exclude_unset=True, include={"lease_source", version})


def needs(key: ClientKey, spec: Client) -> Iterable[Ref]:
    """The interface, and the one that the DUID is made of."""
    if isinstance(spec, Networkd):
        return ()
    named = spec.files.get(DUID_INTERFACE, "").strip()
    duid = (Ref("link", named),) if named not in ("", key.interface) else ()
    return (UpLink("link", key.interface), *duid)


def rank(key: ClientKey) -> int:  # noqa: ARG001
    """Clients have no order."""
    return 0


def owns(key: ClientKey, spec: Client, observed: Observed) -> bool:  # noqa: ARG001
    """Only those of our state directory are observed at all."""
    return True


def typed_over(key: ClientKey, spec: Client) -> bool:  # noqa: ARG001
    """Who runs another client for the interface has another one."""
    return False


def in_place(observed: Client, wanted: Client) -> bool:  # noqa: ARG001
    """What needs another process gets one, and keeps its lease."""
    return True


def path(key: ClientKey, field: str = "") -> str:
    """The container that asks for the client."""
    leaf = f"/{DUID_INTERFACE}" if field == DUID_INTERFACE else ""
    return f"{interface_path(key.interface)}/{_NODE}/{key.version}{leaf}"


def tree(key: ClientKey, spec: Client) -> Mapping[str, Any]:
    """What asks for it, while it is so."""
    if spec != key.client:
        return {}
    return interface_tree(key.interface, {_NODE: dict(key.asked)})
