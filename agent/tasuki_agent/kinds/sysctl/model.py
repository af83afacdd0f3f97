"""Parameters in the router tree."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tasuki_yang.router import InterfacesInterface, Router

from tasuki_agent.kind import Observed, Ref
from tasuki_agent.kinds.router_tree import ROUTING, interface_path, interface_tree
from tasuki_agent.known import Known

_INTERFACE_KEY = re.compile(r"net/(ipv[46])/conf/(.+)/([a-z_]+)")
_FORWARDING_KEY = re.compile(r"net/(ipv[46])/conf/all/forwarding")


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter that each interface has.

    Attributes:
        family: of the addresses that it is about.
        name: the kernel's.
        leaf: the tree's.
        values: the kernel's, by the tree's names of them.
    """

    family: str
    name: str
    leaf: str
    values: Mapping[str, str]

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
        ),
        Parameter("ipv4", "rp_filter", "reverse-path-filter", {"off": "0", "strict": "1", "loose": "2"}),
    )
}


@dataclass(frozen=True, slots=True)
class Sysctl:
    """The parameter's text, without its line feed."""

    value: str


def want(intent: Router, known: Known) -> Mapping[str, Sysctl]:  # noqa: ARG001
    """The parameters that are set in the tree, by their paths under /proc/sys."""
    wanted = {
        f"net/{parameter.family}/conf/{interface.name}/{parameter.name}": Sysctl(value)
        for interface in intent.interfaces.interface
        for parameter in PARAMETERS.values()
        if (value := parameter.of(interface)) is not None
    }
    forwarding = intent.routing.forwarding
    for family, on in (("ipv4", forwarding.ipv4), ("ipv6", forwarding.ipv6)):
        if on is not None:
            wanted[f"net/{family}/conf/all/forwarding"] = Sysctl(str(int(on)))
    return wanted


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
    return f"{ROUTING}/tasuki-sysctl:forwarding/{_forwarding_family(key)}"


def tree(key: str, spec: Sysctl) -> Mapping[str, Any]:
    """The leaf of the parameter. A value that has no name there is left out."""
    if place := _interface(key):
        interface, parameter = place
        names = {value: name for name, value in parameter.values.items()}
        if spec.value not in names:
            return {}
        leaf = {f"tasuki-sysctl:{parameter.leaf}": names[spec.value]}
        return interface_tree(interface, {f"ietf-ip:{parameter.family}": leaf})
    forwarding = {_forwarding_family(key): spec.value != "0"}
    return {"ietf-routing:routing": {"tasuki-sysctl:forwarding": forwarding}}


def _interface(key: str) -> tuple[str, Parameter] | None:
    """The interface and the parameter of a key; None if it is about the whole machine."""
    match = _INTERFACE_KEY.fullmatch(key)
    parameter = PARAMETERS.get((match[1], match[3])) if match else None
    return (match[2], parameter) if match and parameter else None


def _forwarding_family(key: str) -> str:
    match = _FORWARDING_KEY.fullmatch(key)
    if match is None:
        raise ValueError(f"sysctl {key} has no place in the router tree")
    return match[1]
