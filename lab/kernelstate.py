"""What a machine's kernel holds, as ip(8) shows it: compared as a whole, in time or between machines."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from netns import Namespace, until

Entries = frozenset[str]
"""Entries as JSON texts, so that a difference of two sets reads well."""

_DUMPS = {
    "links": ("-d link show",),
    "addresses": ("addr show",),
    "routes": ("-4 route show table all", "-6 route show table all"),
    "rules": ("-4 rule show", "-6 rule show"),
}
_SYSCTLS = r"net\.(ipv4\.conf\.all\.forwarding|ipv6\.conf\..*\.(forwarding|accept_ra))$"

_MARKS = {"protocol", "group"}
"""How a maker signs its objects."""
_MAKING = {"nodad"}
"""How an object came to be what it is."""
_IDENTITY = {"ifindex", "address", "link_index", "link_netnsid"}
"""What the kernel gives to each object anew."""


@dataclass(frozen=True, slots=True)
class KernelState:
    """Links, addresses, routes, rules and forwarding sysctls of one network namespace."""

    links: Entries
    addresses: Entries
    routes: Entries
    rules: Entries
    sysctls: Entries

    @classmethod
    def of(cls, machine: Namespace) -> "KernelState":
        """All that there is, as soon as no address is being checked for collisions any more."""
        until(
            lambda: not machine.ip("-6 addr show tentative"),
            within=30,
            why=f"{machine.name} has checked its addresses",
        )
        dumps = {
            name: frozenset(
                text
                for arguments in commands
                for entry in json.loads(machine.ip(f"-j {arguments}") or "[]")
                for text in _texts(name, entry)
            )
            for name, commands in _DUMPS.items()
        }
        sysctls = machine.run("sysctl", "-a", "--pattern", _SYSCTLS).splitlines()
        return cls(**dumps, sysctls=frozenset(sysctls))

    def __sub__(self, other: "KernelState") -> "KernelState":
        """What is here and not there."""
        return KernelState(*(getattr(self, f.name) - getattr(other, f.name) for f in fields(self)))

    def __str__(self) -> str:
        """One line for each entry."""
        return "\n".join(line for f in fields(self) for line in sorted(getattr(self, f.name)))

    def anonymous(self) -> "KernelState":
        """Without what tells makers and machines apart: marks, indexes, hardware and link-local addresses."""
        return KernelState(
            links=_anonymous(self.links),
            addresses=_anonymous(self.addresses),
            routes=_anonymous(self.routes),
            rules=_anonymous(self.rules),
            sysctls=self.sysctls,
        )


NOTHING = KernelState(*(frozenset[str]() for _ in fields(KernelState)))


def _texts(dump: str, entry: Mapping[str, Any]) -> Iterable[str]:
    if dump != "addresses":
        yield _text(entry)
        return
    for address in entry["addr_info"]:
        yield _text({"dev": entry["ifname"], **address})


def _text(entry: Mapping[str, Any]) -> str:
    return json.dumps(entry, sort_keys=True)


def _anonymous(entries: Entries) -> Entries:
    return frozenset(
        _text({k: v for k, v in json.loads(entry).items() if k not in _MARKS | _MAKING | _IDENTITY})
        for entry in entries
        if '"fe80:' not in entry
    )
