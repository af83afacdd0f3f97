"""What the models tell apart and Linux does not, and tunnels that could never carry a packet.

The models know a route by its protocol instance and prefix, a rule and an interface by name. Linux knows a
route by table, prefix and metric, a rule by what it matches, a VXLAN tunnel by VNI and port, other tunnels by
their ends, and sends to a subnet by one interface. Services keep out of one another's way; what was written
directly can run into them, or into itself. A tunnel does so over itself, or to where it comes from.
"""

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from ipaddress import ip_address, ip_interface, ip_network
from typing import TypeAlias

from tasuki_yang.errors import ConfigError
from tasuki_yang.path import predicate
from tasuki_yang.router import (
    InterfacesInterfaceIp6gre,
    InterfacesInterfaceIp6tnl,
    InterfacesInterfaceVxlan,
    Router,
)

from tasuki_controller.subnets import Subnet, overlapping

_Object: TypeAlias = tuple[Hashable, str, str]
"""What Linux knows an object by, what people call that, and the object's path."""

_Tunnel: TypeAlias = InterfacesInterfaceVxlan | InterfacesInterfaceIp6tnl | InterfacesInterfaceIp6gre

_PROTOCOLS = "/ietf-routing:routing/control-plane-protocols/control-plane-protocol"
_INTERFACES = "/ietf-interfaces:interfaces/interface"
_PART_LENGTH = 64
_RULES = "/ietf-routing:routing/tasuki-rule:rules"


def collisions(router: Router) -> Iterator[ConfigError]:
    """Objects of a valid router tree that are one object to Linux, and tunnels that run into themselves."""
    paths: dict[Hashable, str] = {}
    for key, name, path in (*_routes(router), *_rules(router), *_tunnels(router), *_links(router)):
        other = paths.setdefault(key, path)
        if other != path:
            yield ConfigError(
                error_tag="operation-failed",
                error_app_tag="data-not-unique",
                error_path=path,
                message=f"There is {name} already, at {other}: remove one of the two or make them differ.",
            )
    yield from _two_places(router)
    yield from _underlay_cycle(router)
    yield from _ends_at_itself(router)


def _routes(router: Router) -> Iterator[_Object]:
    for protocol in router.routing.control_plane_protocols.control_plane_protocol:
        static = protocol.static_routes
        instance = _PROTOCOLS + predicate("type", protocol.type) + predicate("name", protocol.name)
        listed = (
            ("ietf-ipv4-unicast-routing:ipv4", static.ipv4.route),
            ("ietf-ipv6-unicast-routing:ipv6", static.ipv6.route),
        )
        for family, routes in listed:
            for route in routes:
                prefix = ip_network(route.destination_prefix, strict=False)
                yield (
                    ("route", static.table, prefix, route.metric),
                    f"a route to {prefix} with metric {route.metric} in table {static.table}",
                    f"{instance}/static-routes/{family}/route"
                    + predicate("destination-prefix", route.destination_prefix),
                )


def _rules(router: Router) -> Iterator[_Object]:
    for family, rules in (("ipv4", router.routing.rules.ipv4.rule), ("ipv6", router.routing.rules.ipv6.rule)):
        for rule in rules:
            source, destination = (
                str(ip_network(prefix, strict=False)) if prefix else "anywhere"
                for prefix in (rule.source, rule.destination)
            )
            matching = f"from {source} to {destination}"
            yield (
                ("rule", family, rule.priority, rule.table, matching),
                f"a rule with priority {rule.priority} {matching} that looks up table {rule.table}",
                f"{_RULES}/{family}/rule" + predicate("name", rule.name),
            )


def _tunnels(router: Router) -> Iterator[_Object]:
    for interface in router.interfaces.interface:
        path = _INTERFACES + predicate("name", interface.name)
        if vxlan := interface.vxlan:
            # What has to be learned is IPv6.
            version = ip_address(vxlan.remote).version if vxlan.remote else 6
            yield (
                ("vxlan", vxlan.vni, vxlan.udp_port, version),
                f"a VXLAN tunnel with VNI {vxlan.vni} and UDP port {vxlan.udp_port}",
                path,
            )
        elif interface.type == "tasuki-link:ip6tnl":
            yield ("ip6tnl", _ends(interface.ip6tnl)), "an IPv6 tunnel with these ends", path
        elif interface.type in ("tasuki-link:ip6gre", "tasuki-link:ip6gretap"):
            gre = interface.ip6gre
            key = gre.key or 0  # which Linux also has for none
            yield (interface.type, key, _ends(gre)), f"a GRE tunnel with these ends and the key {key}", path


def _links(router: Router) -> Iterator[_Object]:
    """Parts of delegated prefixes that are each on one link as a whole."""
    for interface in router.interfaces.interface:
        for place in interface.ipv6.delegated_address if interface.ipv6 else ():
            if place.prefix_length == _PART_LENGTH:
                yield (
                    ("delegated", place.lease, place.subnet_id),
                    f"subnet {place.subnet_id} of the prefix delegated on {place.lease}",
                    _INTERFACES + predicate("name", interface.name),
                )


def _ends(tunnel: InterfacesInterfaceIp6tnl | InterfacesInterfaceIp6gre) -> Hashable:
    """Where a tunnel ends, as far as it is written."""
    local = tunnel.local and ip_address(tunnel.local)
    remote = tunnel.remote and ip_address(tunnel.remote)
    return (
        tunnel.underlay,
        local or tunnel.local_interface or tunnel.local_delegated,
        remote or tunnel.remote_name or tunnel.remote_aftr or tunnel.remote_unknown,
    )


def _every_tunnel(router: Router) -> Iterator[tuple[str, str, _Tunnel]]:
    """Name, path of its container, and what it is made of."""
    for interface in router.interfaces.interface:
        path = _INTERFACES + predicate("name", interface.name)
        if interface.vxlan:
            yield interface.name, f"{path}/tasuki-link:vxlan", interface.vxlan
        elif interface.type == "tasuki-link:ip6tnl":
            yield interface.name, f"{path}/tasuki-link:ip6tnl", interface.ip6tnl
        elif interface.type in ("tasuki-link:ip6gre", "tasuki-link:ip6gretap"):
            yield interface.name, f"{path}/tasuki-link:ip6gre", interface.ip6gre


def _underlay_cycle(router: Router) -> Iterator[ConfigError]:
    """A tunnel that is its own underlay, by way of others or not; of several such cycles the first one."""
    tunnels = {name: (path, tunnel) for name, path, tunnel in _every_tunnel(router)}
    try:
        TopologicalSorter({name: (t.underlay,) for name, (_, t) in tunnels.items() if t.underlay}).prepare()
    except CycleError as error:
        cycle = error.args[1]
        lowest_first = " carries ".join(cycle)
        yield _impossible(
            f"{tunnels[cycle[-1]][0]}/underlay",
            "underlay-cycle",
            f"The tunnel would carry itself: {lowest_first}. Choose the interface toward the line.",
        )


def _ends_at_itself(router: Router) -> Iterator[ConfigError]:
    """Tunnels whose ends are one address, or are learned on the tunnel itself."""
    for name, path, tunnel in _every_tunnel(router):
        if tunnel.local and tunnel.remote and ip_address(tunnel.local) == ip_address(tunnel.remote):
            yield _impossible(
                f"{path}/remote",
                "ends-not-distinct",
                f"Both ends are {tunnel.remote}: the remote one is the other router's address.",
            )
        learned = (
            ("local-interface", tunnel.local_interface),
            ("local-delegated/interface", tunnel.local_delegated and tunnel.local_delegated.interface),
            ("remote-aftr/interface", tunnel.remote_aftr and tunnel.remote_aftr.interface),
        )
        for leaf, interface in learned:
            if interface == name:
                yield _impossible(
                    f"{path}/{leaf}",
                    "end-not-outside",
                    f"{name} cannot learn its own end: name the interface toward the line.",
                )


def _impossible(path: str, app_tag: str, message: str) -> ConfigError:
    return ConfigError(error_tag="operation-failed", error_app_tag=app_tag, error_path=path, message=message)


@dataclass(frozen=True, slots=True)
class _OnLink:
    """A subnet of an interface that is no tunnel: both ends of a wire are one place."""

    prefix: Subnet
    text: str
    path: str
    """The interface's."""


def _two_places(router: Router) -> Iterator[ConfigError]:
    """Subnets that are on the links of two interfaces: a host in both can be reached by one of them only."""
    for use, other in overlapping(_subnets(router), lambda one, another: one.path == another.path):
        same = "is also" if use.prefix == other.prefix else f"lies in {other.prefix},"
        yield ConfigError(
            error_tag="operation-failed",
            error_app_tag="prefixes-overlap",
            error_path=use.path,
            message=f"{use.prefix}, {use.text}, {same} {other.text} ({other.path}): an address can be on one "
            "link only, so number one of the two anew.",
        )


def _subnets(router: Router) -> Iterator[_OnLink]:
    for interface in router.interfaces.interface:
        if interface.type.startswith("tasuki-link:"):
            continue
        path = _INTERFACES + predicate("name", interface.name)
        for family in (interface.ipv4, interface.ipv6):
            for address in family.address if family else ():
                prefix = ip_interface(f"{address.ip}/{address.prefix_length or 32}").network
                if prefix.num_addresses > 1 and not address.no_prefix_route:
                    yield _OnLink(prefix, f"the subnet of {interface.name}", path)
