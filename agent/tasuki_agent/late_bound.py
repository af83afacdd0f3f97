"""Addresses that are bound late, as links and addresses both have them. Pure."""

from tasuki_yang.facts import address_in

from tasuki_agent.known import Impossible, Known


def present(address: str, known: Known) -> str:
    """The address, which an interface of this router has.

    Raises:
        Unknown: none has it, or not yet.
    """
    return known.one(address, "local-address")


def delegated_address(lease: str, subnet_id: int, interface_id: str, known: Known) -> str:
    """The address at this place in the prefix that is delegated on the interface `lease`.

    Raises:
        Unknown: there is no prefix.
        Impossible: it has no such subnet.
    """
    prefix = known.one(lease, "delegated-prefix")
    try:
        return address_in(prefix, subnet_id, interface_id)
    except ValueError as error:
        raise Impossible(f"the prefix delegated on {lease}", str(error)) from error
