"""One DS-Lite line: what the intent says of its tunnel's ends, and where it says so."""

from typing import TypeAlias

from tasuki_yang.network import NetworkDsLite
from tasuki_yang.path import predicate

from tasuki_controller.ends import AftrOfLease, Fixed, Named, OwnEnd, own_end, typed
from tasuki_controller.services.ds_lite.presets import presets

Line: TypeAlias = NetworkDsLite

SMALLEST_MTU = 1280
"""Of a tunnel, in the model."""
OVERHEAD = 40
"""Bytes of the IPv6 header around each packet."""
AFTR = ("aftr-address", "aftr-name/name", "aftr-name/resolver", "aftr-preset", "aftr-of-lease")
"""The leaves that say where the provider's end is."""


def path_of(line: Line, *names: str) -> str:
    """Instance-identifier of a node of a line."""
    return "/".join(
        ("/tasuki-network:network", "tasuki-ds-lite:ds-lite" + predicate("name", line.name), *names)
    )


def source_of(line: Line) -> str:
    """Whom messages name."""
    return f"ds-lite {line.name}"


def local_end(line: Line) -> OwnEnd:
    """The router's end (B4)."""
    return own_end(line.underlay, line.underlay.address)


def aftr(line: Line) -> Fixed | Named | AftrOfLease | None:
    """The provider's end; None if nothing is said of it, or a preset that there is not."""
    if line.aftr_address:
        return typed(line.aftr_address)
    if line.aftr_name:
        return Named(line.aftr_name.name, line.aftr_name.resolver)
    if line.aftr_of_lease:
        return AftrOfLease(line.underlay.interface)
    return presets().get(line.aftr_preset or "")
