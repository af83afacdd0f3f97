"""The ends of tunnels: fixed ones, and those that have to be learned first. Pure."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Protocol

from tasuki_agent.kernel import addresses
from tasuki_agent.known import Known, Unknown
from tasuki_agent.late_bound import delegated_address, present


class Delegated(Protocol):
    """An address by its place in a delegated prefix, as the models have it."""

    @property
    def interface(self) -> str:
        """Where the prefix is delegated."""
        ...

    @property
    def subnet_id(self) -> int:
        """Number of the /64."""
        ...

    @property
    def interface_id(self) -> str:
        """The last 64 bits."""
        ...


class Named(Protocol):
    """A name and who resolves it."""

    @property
    def name(self) -> str:
        """The name."""
        ...

    @property
    def resolver(self) -> Sequence[str]:
        """Addresses of servers; none for the machine's own."""
        ...


class OfLease(Protocol):
    """The AFTR of a lease, and who resolves its name."""

    @property
    def interface(self) -> str:
        """Where the lease is."""
        ...

    @property
    def resolver(self) -> Sequence[str]:
        """Addresses of servers; none for the machine's own."""
        ...


class Ends(Protocol):
    """What the model of any tunnel over IPv6 says of its ends. Of each end one attribute is set."""

    @property
    def local(self) -> str | None:
        """A fixed address."""
        ...

    @property
    def local_interface(self) -> str | None:
        """An interface that has the address."""
        ...

    @property
    def local_delegated(self) -> Delegated | None:
        """A place in a delegated prefix."""
        ...

    @property
    def remote(self) -> str | None:
        """A fixed address."""
        ...

    @property
    def remote_name(self) -> Named | None:
        """A name that has the address."""
        ...

    @property
    def remote_aftr(self) -> OfLease | None:
        """A lease that names the AFTR."""
        ...

    @property
    def remote_unknown(self) -> str | None:
        """What the controller waits for."""
        ...


def both_ends(ends: Ends, known: Known, *, must_be_here: bool) -> tuple[str | None, str]:
    """The local end, None if the kernel may choose, and the remote end.

    The remote one is asked for also while the local one is not known, and the local one first: what is asked
    for is looked out for, and told to the other side, which may be waiting for it as well.

    Args:
        ends: what the model says of them.
        known: what is asked.
        must_be_here: whether a fixed local address is waited for until an interface has it.

    Raises:
        Unknown: one of them is not known yet, or no interface has the local address.
    """
    try:
        local = local_end(ends, known)
        if local and ends.local and must_be_here:
            present(local, known)
    except Unknown:
        with suppress(Unknown):
            remote_end(ends, known)
        raise
    return local, remote_end(ends, known)


def local_end(ends: Ends, known: Known) -> str | None:
    """The address that the packets come from; None if the kernel may choose.

    Raises:
        Unknown: it is not known yet, or no interface has it.
    """
    if ends.local_interface:
        return known.one(ends.local_interface, "global-address")
    if ends.local_delegated:
        place = ends.local_delegated
        address = delegated_address(place.interface, place.subnet_id, place.interface_id, known)
        return present(address, known)
    return addresses.canonical(ends.local) if ends.local else None


def remote_end(ends: Ends, known: Known) -> str:
    """The address that the packets go to.

    Raises:
        Unknown: it is not known yet.
    """
    if ends.remote_name:
        return known.one(resolved_by(ends.remote_name.name, ends.remote_name.resolver), "addresses")
    if ends.remote_aftr:
        name = known.one(ends.remote_aftr.interface, "aftr-name")
        return known.one(resolved_by(name, ends.remote_aftr.resolver), "addresses")
    if ends.remote_unknown:
        raise Unknown(ends.remote_unknown)
    if ends.remote is None:
        raise ValueError("a tunnel without a remote end")
    return addresses.canonical(ends.remote)


def resolved_by(name: str, resolvers: Sequence[str]) -> str:
    """The subject of a name's addresses: NAME, or NAME@SERVER,SERVER where servers are chosen."""
    servers = ",".join(addresses.canonical(server) for server in resolvers)
    return f"{name.rstrip('.').lower()}@{servers}" if servers else name.rstrip(".").lower()


def learned_fields(ends: Ends) -> tuple[str, ...]:
    """Which ends are not fixed, as fields of a spec are called."""
    learned = []
    if ends.local_interface or ends.local_delegated:
        learned.append("local")
    if ends.remote is None:
        learned.append("remote")
    return tuple(learned)
