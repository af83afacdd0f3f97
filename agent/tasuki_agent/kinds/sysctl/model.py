"""Parameters in the router tree."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tasuki_yang.router import InterfacesInterface, Router, Routing

from tasuki_agent.kind import Observed, Ref
from tasuki_agent.kinds.router_tree import ROUTING, interface_path, interface_tree
from tasuki_agent.known import Known

_INTERFACE_KEY = re.compile(r"net/(ipv[46])/conf/(.+)/([a-z_]+)")
_REVERSE_PATH_FILTER = {"off": "0", "strict": "1", "loose": "2"}
_SWITCH = {False: "0", True: "1"}


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter that each interface has.

    Attributes:
        family: of the addresses that it is about.
        name: the kernel's.
        leaf: the tree's.
        values: the kernel's, by the tree's names of them.
        heralded: whether the kernel tells by netlink when somebody changes it.
    """

    family: str
    name: str
    leaf: str
    values: Mapping[str, str]
    heralded: bool

    def of(self, interface: InterfacesInterface) -> str | None:
        """What the tree says of it, in the kernel's words."""
        node = getattr(interface, self.family)
        value = getattr(node, self.leaf.replace("-", "_"), None)
        return None if value is None else self.values[value]


PARAMETERS = {
    (parameter.family, parameter.name): parameter
    for parameter in (
        Parameter(
            "ipv6",
            "accept_ra",
            "accept-router-advertisements",
            {"never": "0", "as-host": "1", "always": "2"},
            heralded=False,
        ),
        Parameter("ipv4", "rp_filter", "reverse-path-filter", _REVERSE_PATH_FILTER, heralded=True),
    )
}


@dataclass(frozen=True, slots=True)
class MachineParameter:
    """A parameter that the machine has once.

    Attributes:
        place: the tree's nodes that lead to it, below that of routing.
        values: the kernel's, by the tree's names of them.
        heralded: whether the kernel tells by netlink when somebody changes it.
    """

    place: tuple[str, ...]
    values: Mapping[Any, str]
    heralded: bool = True

    def of(self, routing: Routing) -> str | None:
        """What the tree says of it, in the kernel's words."""
        node: Any = routing
        for name in self.place:
            node = getattr(node, name.replace("-", "_"))
        return None if node is None else self.values[node]


MACHINE = {
    "net/ipv4/conf/all/forwarding": MachineParameter(("forwarding", "ipv4"), _SWITCH),
    "net/ipv6/conf/all/forwarding": MachineParameter(("forwarding", "ipv6"), _SWITCH),
    "net/ipv4/conf/all/rp_filter": MachineParameter(("reverse-path-filter",), _REVERSE_PATH_FILTER),
    "net/ipv4/tcp_syncookies": MachineParameter(
        ("tcp-syncookies",), {"never": "0", "when-needed": "1", "always": "2"}, heralded=False
    ),
}
"""By their paths under /proc/sys."""


@dataclass(frozen=True, slots=True)
class Sysctl:
    """The parameter's text, without its line feed."""

    value: str


def want(intent: Router, known: Known) -> Mapping[str, Sysctl]:
    """The parameters that are set in the tree, by their paths under /proc/sys.

    What advertisements tell is looked out for where they are to be taken.
    """
    for interface in intent.interfaces.interface:
        if interface.ipv6 and interface.ipv6.accept_router_advertisements not in (None, "never"):
            known.note(interface.name, "default-routers", "on-link-prefixes")
    wanted = {
        f"net/{parameter.family}/conf/{interface.name}/{parameter.name}": Sysctl(value)
        for interface in intent.interfaces.interface
        for parameter in PARAMETERS.values()
        if (value := parameter.of(interface)) is not None
    }
    for key, parameter in MACHINE.items():
        if (value := parameter.of(intent.routing)) is not None:
            wanted[key] = Sysctl(value)
    return wanted


def is_heralded(key: str) -> bool:
    """Whether the kernel tells by netlink when somebody changes the parameter."""
    place = _interface(key)
    return place[1].heralded if place else key not in MACHINE or MACHINE[key].heralded


def needs(key: str, spec: Sysctl) -> Iterable[Ref]:  # noqa: ARG001
    """The interface of a parameter that belongs to one."""
    place = _interface(key)
    return (Ref("link", place[0]),) if place else ()


def rank(key: str) -> int:
    """Those of interfaces before forwarding: it drops the default routes of those whose accept_ra is not 2.

    Linux: net/ipv6/addrconf.c, addrconf_fixup_forwarding(), rt6_purge_dflt_routers().
    """
    return 0 if _interface(key) else 1


def owns(key: str, spec: Sysctl, observed: Observed) -> bool:  # noqa: ARG001
    """Only what is on our record is observed at all."""
    return True


def typed_over(key: str, spec: Sysctl) -> bool:  # noqa: ARG001
    """A parameter on record is ours, whoever wrote it last."""
    return False


def in_place(observed: Sysctl, wanted: Sysctl) -> bool:  # noqa: ARG001
    """A parameter is written over."""
    return True


def path(key: str, field: str = "") -> str:  # noqa: ARG001
    """The leaf of the parameter."""
    if place := _interface(key):
        interface, parameter = place
        return f"{interface_path(interface)}/ietf-ip:{parameter.family}/tasuki-sysctl:{parameter.leaf}"
    return f"{ROUTING}/tasuki-sysctl:{'/'.join(_machine(key).place)}"


def tree(key: str, spec: Sysctl) -> Mapping[str, Any]:
    """The leaf of the parameter. A value that has no name there is left out."""
    if place := _interface(key):
        interface, parameter = place
        if (name := _name(parameter.values, spec)) is None:
            return {}
        leaf = {f"tasuki-sysctl:{parameter.leaf}": name}
        return interface_tree(interface, {f"ietf-ip:{parameter.family}": leaf})
    machine = _machine(key)
    if (value := _name(machine.values, spec)) is None:
        return {}
    for name in reversed(machine.place[1:]):
        value = {name: value}
    return {"ietf-routing:routing": {f"tasuki-sysctl:{machine.place[0]}": value}}


def _name(values: Mapping[Any, str], spec: Sysctl) -> Any:
    """What the tree calls a value; None if it has no name for it."""
    return next((name for name, value in values.items() if value == spec.value), None)


def _interface(key: str) -> tuple[str, Parameter] | None:
    """The interface and the parameter of a key; None if it is about the whole machine."""
    match = None if key in MACHINE else _INTERFACE_KEY.fullmatch(key)
    parameter = PARAMETERS.get((match[1], match[3])) if match else None
    return (match[2], parameter) if match and parameter else None


def _machine(key: str) -> MachineParameter:
    if key not in MACHINE:
        raise ValueError(f"sysctl {key} has no place in the router tree")
    return MACHINE[key]
