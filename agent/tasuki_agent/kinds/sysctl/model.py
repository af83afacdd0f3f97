"""Parameters in the router tree."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tasuki_yang.router import Router

from tasuki_agent.kind import Observed, Ref
from tasuki_agent.known import Known
from tasuki_agent.kinds.router_tree import ROUTING, interface_path, interface_tree

ACCEPT_RA = {"never": "0", "as-host": "1", "always": "2"}
_ACCEPT_RA_KEY = re.compile(r"net/ipv6/conf/(.+)/accept_ra")
_FORWARDING_KEY = re.compile(r"net/(ipv[46])/conf/all/forwarding")


@dataclass(frozen=True, slots=True)
class Sysctl:
    """The parameter's text, without its line feed."""

    value: str


def want(intent: Router, known: Known) -> Mapping[str, Sysctl]:  # noqa: ARG001
    """The parameters that are set in the tree, by their paths under /proc/sys."""
    wanted = {
        f"net/ipv6/conf/{interface.name}/accept_ra": Sysctl(
            ACCEPT_RA[interface.ipv6.accept_router_advertisements]
        )
        for interface in intent.interfaces.interface
        if interface.ipv6 is not None and interface.ipv6.accept_router_advertisements is not None
    }
    forwarding = intent.routing.forwarding
    for family, value in (("ipv4", forwarding.ipv4), ("ipv6", forwarding.ipv6)):
        if value is not None:
            wanted[f"net/{family}/conf/all/forwarding"] = Sysctl(str(int(value)))
    return wanted


def needs(key: str, spec: Sysctl) -> Iterable[Ref]:  # noqa: ARG001
    """The interface of a parameter that belongs to one."""
    match = _ACCEPT_RA_KEY.fullmatch(key)
    return (Ref("link", match[1]),) if match else ()


def rank(key: str) -> int:
    """accept_ra before forwarding, which drops the default routes of interfaces whose accept_ra is not 2.

    Linux: net/ipv6/addrconf.c, addrconf_fixup_forwarding(), rt6_purge_dflt_routers().
    """
    return 0 if _ACCEPT_RA_KEY.fullmatch(key) else 1


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
    if match := _ACCEPT_RA_KEY.fullmatch(key):
        return f"{interface_path(match[1])}/ietf-ip:ipv6/tasuki-sysctl:accept-router-advertisements"
    return f"{ROUTING}/tasuki-sysctl:forwarding/{_forwarding_family(key)}"


def tree(key: str, spec: Sysctl) -> Mapping[str, Any]:
    """The leaf of the parameter. A value of accept_ra that has no name there is left out."""
    if match := _ACCEPT_RA_KEY.fullmatch(key):
        names = {value: name for name, value in ACCEPT_RA.items()}
        if spec.value not in names:
            return {}
        leaf = {"tasuki-sysctl:accept-router-advertisements": names[spec.value]}
        return interface_tree(match[1], {"ietf-ip:ipv6": leaf})
    forwarding = {_forwarding_family(key): spec.value != "0"}
    return {"ietf-routing:routing": {"tasuki-sysctl:forwarding": forwarding}}


def _forwarding_family(key: str) -> str:
    match = _FORWARDING_KEY.fullmatch(key)
    if match is None:
        raise ValueError(f"sysctl {key} has no place in the router tree")
    return match[1]
