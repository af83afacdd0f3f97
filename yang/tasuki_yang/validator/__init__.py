"""Constraints between nodes: what `must`, `when`, `leafref`, `unique`, `mandatory` and choices ask of a tree.

A validator judges canonical trees, whose nodes and values `check` has judged already. libyang does it where
its wheel exists; yangson does it elsewhere, and proves in the tests that the models mean the same to both.
"""

import functools
import importlib.util
from typing import Any, Protocol

from tasuki_yang.check import read
from tasuki_yang.errors import ConfigError
from tasuki_yang.node import Schema
from tasuki_yang.schema import NETWORK, ROUTER
from tasuki_yang.tree import Tree
from tasuki_yang.validator.cascade import Gaps, unexplained

__all__ = ["Gaps", "Validator", "network_validator", "router_validator", "unexplained", "validate"]


class Validator(Protocol):
    """Judges trees of one schema. Made once per process, because it parses the modules."""

    @property
    def schema(self) -> Schema:
        """The schema whose trees it judges."""
        ...

    def validate(self, tree: Tree) -> list[ConfigError]:
        """The constraints that a canonical tree violates."""
        ...


@functools.cache
def network_validator() -> Validator:
    """The validator of the network tree."""
    return _validator(NETWORK)


@functools.cache
def router_validator() -> Validator:
    """The validator of the router tree."""
    return _validator(ROUTER)


def validate(validator: Validator, document: Any) -> list[ConfigError]:
    """All that is wrong with a document: nodes, values, and the constraints on what is sound in it."""
    reading = read(validator.schema, document)
    violated = validator.validate(reading.tree)
    return [*reading.errors, *unexplained(validator.schema, reading.tree, violated, Gaps(reading.errors))]


def _validator(schema: Schema) -> Validator:
    if importlib.util.find_spec("oopt_gnpy_libyang") is not None:
        from tasuki_yang.validator.libyang import LibyangValidator  # noqa: PLC0415 - no wheel on every platform

        return LibyangValidator(schema)
    from tasuki_yang.validator.yangson import YangsonValidator  # noqa: PLC0415 - loads slowly

    return YangsonValidator(schema)
