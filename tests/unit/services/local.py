"""Where a compiled tunnel ends on its own router, worked out from its tree and the facts alone."""

from tasuki_controller.known import KnownFacts
from tasuki_yang.facts import address_in
from tasuki_yang.router import InterfacesInterfaceIp6gre, InterfacesInterfaceIp6tnl, InterfacesInterfaceVxlan


def local_address(
    tunnel: InterfacesInterfaceIp6gre | InterfacesInterfaceIp6tnl | InterfacesInterfaceVxlan,
    router: str,
    known: KnownFacts,
) -> str | None:
    """The address that its packets come from; None while nobody can know."""
    if tunnel.local_interface:
        return known.one(router, tunnel.local_interface, "global-address")
    if (place := tunnel.local_delegated) is None:
        return tunnel.local
    prefix = known.one(router, place.interface, "delegated-prefix")
    try:
        return address_in(prefix, place.subnet_id, place.interface_id) if prefix else None
    except ValueError:
        return None
