"""Who has something to say to nftables, one file each, which exports `contribute`.

Each brings chains of its own, with hooks of its own where packets shall come to it. A new file here is all
that it takes. What any of them drops is dropped: nft hands a packet from one chain of a hook to the next.
"""

import importlib
import pkgutil
from collections.abc import Callable
from functools import cache
from typing import TypeAlias

from tasuki_yang.router import Router

from tasuki_agent.kinds.nftables.ruleset import Contribution

Contributor: TypeAlias = Callable[[Router], Contribution]
"""Makes chains of a router tree; none if it asks for nothing."""


@cache
def load() -> tuple[Contributor, ...]:
    """Everybody."""
    modules = sorted(module.name for module in pkgutil.iter_modules(__path__))
    return tuple(importlib.import_module(f"{__name__}.{module}").contribute for module in modules)
