"""How services spell a router tree: interfaces, static routes, policy rules and switches in RFC 7951 JSON.

Only this module of the controller knows the names of the router tree's nodes. What is left out keeps the
default of its YANG module. The trees are canonical: entries are sorted by their keys.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Literal, TypeAlias

from pydantic import BaseModel
from tasuki_yang.tree import Tree

from tasuki_controller.ends import (
    AftrOfLease,
    DelegatedAddress,
    Fixed,
    GlobalAddress,
    Named,
    OwnEnd,
    PeerEnd,
    Untold,
)
from tasuki_controller.existing import Existing

MAIN_TABLE = 254
MAIN = "main"
"""Name of the static protocol instance that services share: routes to one prefix contradict each other."""
CONNECTED_METRIC = 256
"""What the kernel gives the route to an address's own prefix (IP6_RT_PRIO_ADDRCONF)."""
WITHOUT_AUTOCONFIGURATION = {"tasuki-nftables:keep-ipv6-autoconfiguration-out": True}
WITHOUT_IPV6 = WITHOUT_AUTOCONFIGURATION | {"tasuki-nftables:keep-ipv6-forwarding-out": True}
ADVERTISEMENT_INTERVAL = 600
"""Seconds, of router advertisements of which nothing is said."""
IPV6_METRIC = 1024
"""What a route has that says nothing of it."""

Node = dict[str, Any]
Family: TypeAlias = Literal["ipv4", "ipv6"]
FAMILIES: tuple[Family, ...] = ("ipv4", "ipv6")


@dataclass(frozen=True, slots=True)
class Line:
    """What tunnels ask of the interface toward the line that carries them."""

    interface: Existing
    advertised: bool
    """Whether it learns by router advertisements although the router forwards."""
    end: OwnEnd | None
    """The end on it; None where no tunnel over IPv6 ends."""


@dataclass(frozen=True, slots=True)
class Outer:
    """The outside of a tunnel over IPv6."""

    underlay: str
    local: OwnEnd
    remote: PeerEnd


def router_tree(
    *,
    interfaces: Iterable[Node] = (),
    static_routes: Mapping[str, Node] | None = None,
    ipv6_rules: Iterable[Node] = (),
    delegated_prefixes: Iterable[str] = (),
    forwarding: Iterable[Family] = (),
    dns_forwarder: Node | None = None,
    controller_timeout: int | None = None,
) -> Tree:
    """A router tree.

    Args:
        interfaces: what `interface` returns.
        static_routes: what `routes` returns, by name of the protocol instance.
        ipv6_rules: what `rule` returns.
        delegated_prefixes: the interfaces on which the prefixes are delegated that are not to go back.
        forwarding: what is forwarded.
        dns_forwarder: what `forwarder` returns.
        controller_timeout: in seconds.
    """
    routing: Node = {}
    if static_routes:
        routing["control-plane-protocols"] = {
            "control-plane-protocol": [
                {"type": "ietf-routing:static", "name": name, "static-routes": listed}
                for name, listed in sorted(static_routes.items())
            ]
        }
    if rules := sorted(ipv6_rules, key=itemgetter("name")):
        routing["tasuki-rule:rules"] = {"ipv6": {"rule": rules}}
    if prefixes := sorted(delegated_prefixes):
        routing["tasuki-route:delegated-prefix-route"] = [{"interface": name} for name in prefixes]
    if switches := dict.fromkeys(sorted(forwarding), True):
        routing["tasuki-sysctl:forwarding"] = switches
    tree: Tree = {}
    if entries := sorted(interfaces, key=itemgetter("name")):
        tree["ietf-interfaces:interfaces"] = {"interface": entries}
    if routing:
        tree["ietf-routing:routing"] = routing
    if dns_forwarder:
        tree["tasuki-dnsmasq:dns-forwarder"] = dns_forwarder
    if controller_timeout is not None:
        tree["tasuki-agent:agent"] = {"controller-timeout": controller_timeout}
    return tree


def interface(
    name: str, kind: str, *, ipv4: Node | None = None, ipv6: Node | None = None, link: Node | None = None
) -> Node:
    """An interface of the identity `kind`; `link` holds the nodes of its type."""
    node: Node = {"name": name, "type": kind, **(link or {})}
    if ipv4:
        node["ietf-ip:ipv4"] = ipv4
    if ipv6:
        node["ietf-ip:ipv6"] = ipv6
    return node


def line_interface(line: Line) -> list[Node]:
    """The interface toward a line, if anything is asked of it."""
    node = ipv6(
        accept_router_advertisements="always" if line.advertised else None,
        delegated=[line_address(line.end)] if isinstance(line.end, DelegatedAddress) else [],
    )
    return [interface(line.interface.name, line.interface.kind, ipv6=node)] if node else []


def line_address(end: DelegatedAddress) -> Node:
    """An address of a line in the prefix that is delegated there: nothing else of it is on the line."""
    return {"lease": end.interface, **_place(end), "prefix-length": 128}


def lan_address(end: DelegatedAddress) -> Node:
    """The router's address on a LAN that has a /64 of a delegated prefix, which hosts leave gradually."""
    return {"lease": end.interface, **_place(end), "renumbering": "deprecate"}


def without_autoconfiguration(lan: Existing) -> Node:
    """A LAN whose hosts are not to have IPv6 addresses."""
    return interface(lan.name, lan.kind, link=WITHOUT_AUTOCONFIGURATION)


def in_same_words(granted: BaseModel | None, *but: str) -> Node:
    """What both trees say in the same words, by a grouping of their own: all of it but these attributes."""
    if granted is None:
        return {}
    node: Node = granted.model_dump(mode="json", by_alias=True, exclude_defaults=True, exclude=set(but))
    return node


def dhcp_client(*, lease_source: str, ipv6: Node | None, ipv4: Node | None) -> Node:
    """What makes an interface ask for leases, if it asks for any; a family that asks for nothing is None."""
    asked = {name: node for name, node in (("ipv6", ipv6), ("ipv4", ipv4)) if node is not None}
    source = {} if lease_source == "agent" else {"lease-source": lease_source}
    return {"tasuki-dhcp-client:dhcp-client": source | asked} if asked else {}


def router_advertisements(*, managed: bool, other: bool, mtu: int | None, interval: int, names: Node) -> Node:
    """What hosts are told, in the terms of RFC 4861; `names` are the DNS servers and search domains."""
    flags = {"managed-flag": managed, "other-config-flag": other}
    return {
        "send-advertisements": True,
        **({} if interval == ADVERTISEMENT_INTERVAL else {"max-rtr-adv-interval": interval}),
        **{flag: True for flag, is_set in flags.items() if is_set},
        **({} if mtu is None else {"link-mtu": mtu}),
        **{f"tasuki-dnsmasq:{label}": value for label, value in names.items()},
    }


def forwarder(interfaces: Iterable[str], served: Node) -> Node:
    """A DNS forwarder for the hosts of these interfaces."""
    return {"interface": sorted(interfaces), **served}


def vxlan(
    *,
    vni: int,
    udp_port: int,
    underlay: str,
    local: OwnEnd | None,
    remote: PeerEnd,
    mtu: int,
    mac_address: str,
) -> Node:
    """What makes an interface a VXLAN tunnel with one remote end."""
    return {
        "tasuki-link:mtu": mtu,
        "tasuki-link:mac-address": mac_address,
        "tasuki-link:vxlan": {
            "vni": vni,
            "udp-port": udp_port,
            "underlay": underlay,
            **(_own_end(local) if local else {}),
            **_peer_end(remote),
            "learning": False,
        },
    }


def ip6tnl(outer: Outer, *, mode: Literal["ipip6", "any"], mtu: int) -> Node:
    """What makes an interface a tunnel of IP packets in IPv6 packets."""
    return _routed_tunnel("tasuki-link:ip6tnl", {"mode": mode}, outer, mtu)


def ip6gre(outer: Outer, *, key: int | None, mtu: int) -> Node:
    """What makes an interface a tunnel of IP packets in IPv6 packets by GRE."""
    return _routed_tunnel("tasuki-link:ip6gre", {} if key is None else {"key": key}, outer, mtu)


def _routed_tunnel(label: str, own: Node, outer: Outer, mtu: int) -> Node:
    """TCP learns the MTU by its segments: many hosts never hear of a packet that was too big."""
    ends = {"underlay": outer.underlay, **_own_end(outer.local), **_peer_end(outer.remote)}
    return {"tasuki-link:mtu": mtu, "tasuki-nftables:tcp-mss-clamp": "mtu", label: own | ends}


def _own_end(end: OwnEnd) -> Node:
    match end:
        case Fixed(address):
            return {"local": address}
        case GlobalAddress(name):
            return {"local-interface": name}
        case DelegatedAddress(name):
            return {"local-delegated": {"interface": name, **_place(end)}}


def _peer_end(end: PeerEnd) -> Node:
    match end:
        case Fixed(address):
            return {"remote": address}
        case Untold(text):
            return {"remote-unknown": text}
        case AftrOfLease(name):
            return {"remote-aftr": {"interface": name}}
        case Named(name, resolvers):
            asked = {"resolver": list(resolvers)} if resolvers else {}
            return {"remote-name": {"name": name, **asked}}


def _place(end: DelegatedAddress) -> Node:
    return {"subnet-id": end.subnet_id, "interface-id": end.interface_id}


def ipv4(
    *addresses: Node,
    is_leased: bool = False,
    dhcp_server: Node | None = None,
    reverse_path_filter: Literal["off"] | None = None,
) -> Node:
    """The IPv4 part of an interface."""
    node: Node = {}
    if addresses:
        node["address"] = sorted(addresses, key=itemgetter("ip"))
    if is_leased:
        node["tasuki-address:leased-address"] = {}
    if dhcp_server is not None:
        node["tasuki-dnsmasq:dhcp-server"] = dhcp_server
    if reverse_path_filter:
        node["tasuki-sysctl:reverse-path-filter"] = reverse_path_filter
    return node


def ipv6(
    *addresses: Node,
    delegated: Iterable[Node] = (),
    advertised: Node | None = None,
    dhcp_server: Node | None = None,
    accept_router_advertisements: Literal["always"] | None = None,
) -> Node:
    """The IPv6 part of an interface; `delegated` are addresses in delegated prefixes."""
    node: Node = {}
    if addresses:
        node["address"] = sorted(addresses, key=itemgetter("ip"))
    if advertised:
        node["ietf-ipv6-unicast-routing:ipv6-router-advertisements"] = advertised
    if places := list(delegated):
        node["tasuki-address:delegated-address"] = places
    if dhcp_server is not None:
        node["tasuki-dnsmasq:dhcp-server"] = dhcp_server
    if accept_router_advertisements:
        node["tasuki-sysctl:accept-router-advertisements"] = accept_router_advertisements
    return node


def address(ip: str, prefix_length: int, *, prefix_route: bool = True) -> Node:
    """An address of an interface, with or without the route to its prefix."""
    node: Node = {"ip": ip, "prefix-length": prefix_length}
    if not prefix_route:
        node["tasuki-address:no-prefix-route"] = True
    return node


def routes(*, ipv4: Iterable[Node] = (), ipv6: Iterable[Node] = (), table: int = MAIN_TABLE) -> Node:
    """The static routes of one protocol instance, all in one table."""
    families = {"ipv4": ipv4, "ipv6": ipv6}
    node: Node = {
        f"ietf-{family}-unicast-routing:{family}": {"route": listed}
        for family, given in families.items()
        if (listed := sorted(given, key=itemgetter("destination-prefix")))
    }
    if table != MAIN_TABLE:
        node["tasuki-route:table"] = table
    return node


def route(prefix: str, *, dev: str, via: str | None = None, metric: int | None = None) -> Node:
    """A route through an interface, to a next hop or on the link."""
    next_hop: Node = {"outgoing-interface": dev}
    if via:
        next_hop["next-hop-address"] = via
    return _route(prefix, next_hop, metric)


def route_by_lease(prefix: str, *, dev: str, metric: int) -> Node:
    """A route to the router that comes with the DHCPv4 lease on an interface."""
    return _route(prefix, {"tasuki-route:router-of-lease": dev}, metric)


def unreachable(prefix: str) -> Node:
    """A route that answers: what nothing more specific or preferred takes goes no further."""
    return _route(prefix, {"special-next-hop": "unreachable"})


def _route(prefix: str, next_hop: Node, metric: int | None = None) -> Node:
    node: Node = {"destination-prefix": prefix, "next-hop": next_hop}
    if metric is not None and metric != (IPV6_METRIC if ":" in prefix else 0):
        node["tasuki-route:metric"] = metric
    return node


def rule(name: str, *, priority: int, table: int, source: str = "", destination: str = "") -> Node:
    """A policy rule: what comes from the source or goes to the destination is looked up in the table."""
    node: Node = {"name": name, "priority": priority, "table": table}
    if source:
        node["source"] = source
    if destination:
        node["destination"] = destination
    return node
