"""The YANG modules as pyang sees them, turned into schemas.

This is the only place that knows pyang. Everything that it learns is handed on as a `Tree`.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias, cast

from pyang.context import Context
from pyang.error import err_level, err_to_str, is_error
from pyang.repository import FileRepository
from pyang.statements import Statement

from tasuki_yang.generate.types import ModuleError, Types
from tasuki_yang.node import (
    Case,
    Container,
    Leaf,
    LeafList,
    List,
    Node,
    Schema,
    by_label,
)

DataPath: TypeAlias = tuple[str, ...]
"""Labels from the top of the tree down."""


_SIBLING: Final = r"\.\./(?:[\w.-]+:)?([\w.-]+)"
_CONDITION: Final = re.compile(rf"not\({_SIBLING}\)|{_SIBLING} *= *'([^']*)'")


@dataclass(frozen=True)
class ModuleSource:
    """A module as the catalogue lists it."""

    name: str
    revision: str
    namespace: str
    file: str
    belongs_to: str
    """The module that a submodule is a part of, else empty."""
    extends: frozenset[str]
    """Modules whose nodes it augments or deviates."""
    uses: frozenset[str]
    """Modules that it imports, submodules that it includes."""


@dataclass(frozen=True)
class Tree:
    """A schema and the descriptions of its nodes."""

    schema: Schema
    descriptions: Mapping[DataPath, str]


class Modules:
    """All modules and submodules below one folder, parsed and checked together."""

    def __init__(self, folder: Path) -> None:
        self._context = Context(FileRepository(str(folder), use_env=False))
        files = {path.stem: path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*.yang"))}
        # No module has a feature switched on: the validators are told of none either.
        self._context.features = {name: [] for name in files}
        self._statements: dict[str, Statement] = {
            name: self._context.add_module(file, (folder / file).read_text(encoding="utf-8"), "yang")
            for name, file in files.items()
        }
        self._context.validate()
        self._raise_errors()
        for statement in self._statements.values():
            statement.prune()
        self.sources = {
            name: ModuleSource(
                name=name,
                revision=statement.i_latest_revision or "",
                namespace=self._main_module(statement).search_one("namespace").arg,
                file=files[name],
                belongs_to=_argument(statement, "belongs-to") or "",
                extends=frozenset(_extended(statement)),
                uses=frozenset(used.arg for k in ("import", "include") for used in statement.search(k)),
            )
            for name, statement in self._statements.items()
        }

    def _main_module(self, statement: Statement) -> Statement:
        belongs_to = statement.search_one("belongs-to")
        return statement if belongs_to is None else self._statements[belongs_to.arg]

    def _raise_errors(self) -> None:
        errors = [
            f"{position}: {err_to_str(tag, arguments)}"
            for position, tag, arguments in self._context.errors
            if is_error(err_level(tag))
        ]
        if errors:
            raise ModuleError("\n".join(errors))

    def members(self, roots: tuple[str, ...]) -> tuple[str, ...]:
        """The roots and every module that extends one of them, or an extension of one."""
        members = set(roots)
        while grown := {s.name for s in self.sources.values() if s.extends & members} - members:
            members |= grown
        return tuple(sorted(members))

    def used_by(self, members: tuple[str, ...]) -> tuple[str, ...]:
        """The members and all that they import or include, directly or not."""
        used = set(members)
        while grown := {name for member in used for name in self.sources[member].uses} - used:
            used |= grown
        return tuple(sorted(used))

    def tree(self, name: str, members: tuple[str, ...]) -> Tree:
        """The schema of these modules' configuration nodes."""
        reader = _Reader(Types(self._statements[member] for member in members))
        children = [node for member in members for node in reader.children(self._statements[member], (), ())]
        state = [label for member in members for label in _state(self._statements[member])]
        top = Container("", by_label(*children), state=tuple(state))
        return Tree(Schema(name, members, top), reader.descriptions)


def _extended(module: Statement) -> Iterator[str]:
    """Modules that augments and deviations start in. A submodule extends nothing by itself."""
    if module.keyword == "submodule":
        return
    for keyword in ("augment", "deviation"):
        for statement in module.search(keyword):
            prefix = statement.arg.lstrip("/").split(":", 1)[0]
            yield module.i_prefixes[prefix][0]


class _Reader:
    """One walk over a module's statements; collects descriptions by the way."""

    def __init__(self, types: Types) -> None:
        self.descriptions: dict[DataPath, str] = {}
        self._types = types

    def children(self, parent: Statement, path: DataPath, cases: tuple[Case, ...]) -> Iterator[Node]:
        for statement in parent.i_children:
            if statement.keyword in ("rpc", "action", "notification") or not statement.i_config:
                continue
            if statement.keyword == "choice":
                choice = "/".join((*(case for pair in cases for case in pair), statement.arg))
                for case in statement.i_children:
                    yield from self.children(case, path, (*cases, (choice, case.arg)))
            else:
                yield self._node(statement, path, cases)

    def _node(self, statement: Statement, above: DataPath, cases: tuple[Case, ...]) -> Node:
        label = _label(statement)
        path = (*above, label)
        self.descriptions[path] = _argument(statement, "description") or ""
        user_ordered = _argument(statement, "ordered-by") == "user"
        match statement.keyword:
            case "leaf":
                default = _default(statement)
                return Leaf(
                    label,
                    self._types.of_leaf(statement),
                    default=default,
                    mandatory=_argument(statement, "mandatory") == "true",
                    conditional=_is_conditional(statement),
                    cases=cases,
                    when=() if default is None else tuple(_conditions(statement)),
                )
            case "leaf-list":
                defaults = tuple(default.arg for default in statement.search("default"))
                return LeafList(label, self._types.of_leaf(statement), defaults, user_ordered, cases)
            case "container":
                return Container(
                    label,
                    by_label(*self.children(statement, path, ())),
                    state=tuple(_state(statement)),
                    presence=statement.search_one("presence") is not None,
                    conditional=_is_conditional(statement),
                    cases=cases,
                )
            case "list":
                return List(
                    label,
                    keys=tuple(key.arg for key in statement.i_key),
                    children=by_label(*self.children(statement, path, ())),
                    state=tuple(_state(statement)),
                    user_ordered=user_ordered,
                    cases=cases,
                )
        raise ModuleError(f"{statement.pos}: {statement.keyword} {statement.arg} is not supported")


def _argument(statement: Statement, keyword: str) -> str | None:
    found = statement.search_one(keyword)
    return None if found is None else cast("str", found.arg)


def _label(statement: Statement) -> str:
    module = statement.i_module.i_modulename
    parent = statement.parent
    while parent.keyword in ("choice", "case"):
        parent = parent.parent
    if parent.keyword in ("module", "submodule") or parent.i_module.i_modulename != module:
        return f"{module}:{statement.arg}"
    return cast("str", statement.arg)


def _state(parent: Statement) -> Iterator[str]:
    for statement in parent.i_children:
        if statement.keyword in ("choice", "case"):
            yield from _state(statement)
        elif statement.keyword in ("leaf", "leaf-list", "container", "list") and not statement.i_config:
            yield _label(statement)


def _is_conditional(statement: Statement) -> bool:
    augment = getattr(statement, "i_augment", None)
    return statement.search_one("when") is not None or (
        augment is not None and augment.search_one("when") is not None
    )


def _conditions(leaf: Statement) -> Iterator[tuple[str, str]]:
    """Values of siblings that decide whether the leaf's default is in use; an absent one is an empty text.

    No more of XPath is understood: whoever gives a default to a node whose `when` says more must extend this.
    """
    when = leaf.search_one("when")
    if when is None and _is_conditional(leaf):
        raise ModuleError(f"{leaf.pos}: a default under the condition of an augment is not supported")
    for part in () if when is None else when.arg.split(" or "):
        condition = _CONDITION.fullmatch(part.strip())
        if condition is None:
            raise ModuleError(f"{leaf.pos}: a default under the condition {part} is not supported")
        yield condition[1] or condition[2], condition[3] or ""


def _default(leaf: Statement) -> str | None:
    """A leaf's own default, else the one of the nearest typedef (RFC 7950 section 7.6.1)."""
    default = _argument(leaf, "default")
    statement = leaf.search_one("type")
    while default is None and getattr(statement, "i_typedef", None) is not None:
        default = _argument(statement.i_typedef, "default")
        statement = statement.i_typedef.search_one("type")
    return default if _argument(leaf, "mandatory") != "true" else None
