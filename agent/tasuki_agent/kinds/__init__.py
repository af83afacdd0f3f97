"""The kinds, one folder each. A folder here is all that it takes to add one.

Each exports `KIND`, a factory that takes the kernel. Within a folder, `model` is pure (what the router tree
wants, whose an object is, where it is in the tree), `codec` is pure (bytes to specs and back), and `kind`
joins them to the kernel.
"""

import importlib
import pkgutil
from graphlib import TopologicalSorter

from tasuki_agent.kernel import Kernel
from tasuki_agent.kind import Kind, KindFactory


def load(kernel: Kernel) -> tuple[Kind, ...]:
    """Every kind, after those that it follows.

    Raises:
        KeyError: a kind follows one that there is not.
        CycleError: kinds follow one another.
    """
    kinds = {kind.name: kind for kind in (factory(kernel) for factory in _factories())}
    order = TopologicalSorter({name: kind.follows for name, kind in kinds.items()}).static_order()
    return tuple(kinds[name] for name in order)


def _factories() -> list[KindFactory]:
    folders = sorted(module.name for module in pkgutil.iter_modules(__path__) if module.ispkg)
    return [importlib.import_module(f"{__name__}.{folder}").KIND for folder in folders]
