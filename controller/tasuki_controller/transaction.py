"""One change of running, computed in full before anything is touched: edit, validate, compile, compare.

Pure: the store commits what `prepare` returns, or nothing. The candidate is edited node by node first, which
only asks for the models' structure, and prepared when it is validated or committed.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

from tasuki_yang import edit as tree_edit
from tasuki_yang.check import read as read_document
from tasuki_yang.diff import Change, diff
from tasuki_yang.errors import ConfigError, InvalidIntent
from tasuki_yang.node import Schema
from tasuki_yang.node_edit import DefaultOperation, NodeEdit, apply_edits
from tasuki_yang.path import predicate
from tasuki_yang.router import Router
from tasuki_yang.schema import NETWORK, ROUTER
from tasuki_yang.tree import Tree
from tasuki_yang.validator import Gaps, Validator, network_validator, router_validator, unexplained

from tasuki_controller.collisions import collisions
from tasuki_controller.compile import compile_reading
from tasuki_controller.known import KnownFacts
from tasuki_controller.reading import Reading, read
from tasuki_controller.running import Running
from tasuki_controller.services import broken_rules, services


class Operation(Enum):
    """What becomes of running where the documents speak (RFC 6241 section 7.2)."""

    MERGE = "merge"
    REPLACE = "replace"
    DELETE = "delete"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True)
class Edit:
    """What a request asks for. The documents are any JSON values."""

    operation: Operation = Operation.MERGE
    network: Any | None = None
    routers: Mapping[str, Any] = field(default_factory=dict)
    """Documents of router trees, by router name."""


@dataclass(frozen=True, slots=True)
class RoutedEdit:
    """One operation on a node of the network tree, or of a router's written tree if it names one."""

    router: str
    edit: NodeEdit


@dataclass(frozen=True, slots=True)
class RoutedChange:
    """A change of the network tree, or of a router's written tree if it names one."""

    router: str
    change: Change


@dataclass(frozen=True, slots=True)
class Prepared:
    """A valid running, what follows from it, and how it differs from the one before."""

    running: Running
    intended: Mapping[str, Tree]
    changes: Sequence[RoutedChange]


def prepare(running: Running, edit: Edit, known: KnownFacts | None = None) -> Prepared:
    """What running and intended would be after the edit.

    Raises:
        InvalidIntent: with all that is wrong.
    """
    candidate, malformed = _edited(running, edit)
    return _checked(running, candidate, known or KnownFacts(), malformed)


def prepare_candidate(running: Running, candidate: Running, known: KnownFacts | None = None) -> Prepared:
    """What follows if the candidate becomes running.

    Raises:
        InvalidIntent: with all that is wrong with the candidate.
    """
    return _checked(running, candidate, known or KnownFacts(), ())


def edit_nodes(base: Running, edits: Sequence[RoutedEdit], default_operation: DefaultOperation) -> Running:
    """The base after all operations. Only its structure is sure to be valid.

    Raises:
        InvalidIntent: with all that is wrong with the operations, in all trees.
    """
    problems: list[ConfigError] = []
    trees = {"": base.network, **base.routers}
    for router in sorted({each.router for each in edits}):
        own = [each.edit for each in edits if each.router == router]
        schema = ROUTER if router else NETWORK
        try:
            trees[router] = apply_edits(schema, trees.get(router, {}), own, default_operation)
        except InvalidIntent as error:
            problems += (replace(problem, router=router) for problem in error.errors)
    if problems:
        raise InvalidIntent(problems)
    network = trees.pop("")
    return Running(network, {name: tree for name, tree in trees.items() if tree})


def _checked(
    running: Running, candidate: Running, known: KnownFacts, malformed: Sequence[ConfigError]
) -> Prepared:
    reading = read(candidate)
    # What is valid is so whatever the routers tell: it is judged as if they had told nothing.
    unknown = KnownFacts()
    contributors = services(reading.network, reading.written, unknown)
    gaps = _gaps(malformed)
    broken = [*broken_rules(contributors, gaps), *_unknown_routers(candidate, reading)]
    problems = [
        *malformed,
        *_violations(network_validator(), candidate.network, gaps),
        *(problem for problem in broken if problem.error_path not in gaps),
    ]
    if problems:
        # Without the network's part, what seems to be missing in a router tree may only not be compiled yet.
        written = _router_violations(candidate.routers, malformed)
        raise InvalidIntent([*problems, *(each for each in written if each.error_tag != "data-missing")])
    intended, conflicts = compile_reading(candidate, reading, contributors)
    # What services compile alone is always valid, which their tests prove.
    mixed = {name: intended[name] for name in candidate.routers}
    problems = [*conflicts, *(_router_violations(mixed) or _collisions(mixed))]
    if problems:
        raise InvalidIntent(problems)
    if unknown.asked:
        contributors = services(reading.network, reading.written, known)
        intended, _ = compile_reading(candidate, reading, contributors)
    return Prepared(candidate, intended, running_changes(running, candidate))


def _edited(running: Running, edit: Edit) -> tuple[Running, list[ConfigError]]:
    """Running after the sound parts of the edit, and what is wrong with the others.

    A replacement that brings a network tree takes the place of running as a whole; one that only brings
    router trees takes the place of these.
    """
    problems: list[ConfigError] = []
    network = running.network
    routers = dict(running.routers)
    if edit.network is not None:
        network, found = _edited_tree(NETWORK, network, edit.operation, edit.network)
        problems += found
        if edit.operation is Operation.REPLACE:
            routers = {}
    for name, document in edit.routers.items():
        routers[name], found = _edited_tree(ROUTER, running.routers.get(name, {}), edit.operation, document)
        problems += (replace(problem, router=name) for problem in found)
    return Running(network, {name: tree for name, tree in routers.items() if tree}), problems


def _edited_tree(
    schema: Schema, base: Tree, operation: Operation, document: Any
) -> tuple[Tree, Sequence[ConfigError]]:
    match operation:
        case Operation.MERGE:
            sound = read_document(schema, document)
            return tree_edit.merge(schema, base, sound.tree), sound.errors
        case Operation.REPLACE:
            sound = read_document(schema, document)
            return tree_edit.replace(schema, base, sound.tree), sound.errors
        case Operation.DELETE | Operation.REMOVE:
            named = read_document(schema, document, names_only=True)
            left = tree_edit.delete(schema, base, named.tree, missing_ok=True)
            if operation is Operation.REMOVE:
                return left, named.errors
            return left, (*named.errors, *_absent(schema, base, named.tree))


def _absent(schema: Schema, base: Tree, names: Tree) -> tuple[ConfigError, ...]:
    """What is to be deleted and is not there."""
    try:
        tree_edit.delete(schema, base, names, missing_ok=False)
    except InvalidIntent as error:
        return error.errors
    return ()


def _gaps(malformed: Iterable[ConfigError], router: str = "") -> Gaps:
    """Where malformed nodes were left out of the network tree, or of a router's written tree."""
    return Gaps(problem for problem in malformed if problem.router == router)


def _violations(validator: Validator, tree: Tree, gaps: Gaps, router: str = "") -> Iterator[ConfigError]:
    """Constraints of YANG that a tree violates by more than the gaps in it."""
    for problem in unexplained(validator.schema, tree, validator.validate(tree), gaps):
        yield replace(problem, router=router)


def _router_violations(trees: Mapping[str, Tree], malformed: Iterable[ConfigError] = ()) -> list[ConfigError]:
    return [
        problem
        for name, tree in sorted(trees.items())
        for problem in _violations(router_validator(), tree, _gaps(malformed, name), name)
    ]


def _collisions(trees: Mapping[str, Tree]) -> Iterator[ConfigError]:
    """Of valid trees."""
    for name, tree in sorted(trees.items()):
        yield from (replace(problem, router=name) for problem in collisions(Router.model_validate(tree)))


def _unknown_routers(candidate: Running, reading: Reading) -> Iterator[ConfigError]:
    known = {router.name for router in reading.network.network.router}
    for name in sorted(candidate.routers.keys() - known):
        yield ConfigError(
            error_tag="data-missing",
            error_app_tag="instance-required",
            error_path="/tasuki-network:network/router" + predicate("name", name),
            message=f"There is no router {name} in the network: add it, or leave out its router tree.",
        )


def running_changes(before: Running, after: Running) -> list[RoutedChange]:
    """The difference of two revisions."""
    changes = [RoutedChange("", change) for change in diff(NETWORK, before.network, after.network)]
    for router in sorted(before.routers.keys() | after.routers.keys()):
        old, new = before.routers.get(router, {}), after.routers.get(router, {})
        changes += (RoutedChange(router, change) for change in diff(ROUTER, old, new))
    return changes
