"""Constraints judged by yangson: pure Python, quadratic, and silent after the first violation."""

import json
from collections.abc import Collection, Iterator
from typing import Any

from yangson import DataModel
from yangson.enumerations import ValidationScope
from yangson.exceptions import ValidationError
from yangson.instance import InstanceNode

from tasuki_yang.errors import ConfigError
from tasuki_yang.generated.catalogue import MODULES
from tasuki_yang.modules import FOLDER
from tasuki_yang.node import Container, Leaf, LeafList, List, Node, Schema
from tasuki_yang.path import entry_path
from tasuki_yang.tree import Tree, key_of
from tasuki_yang.validator.violation import (
    broken_must,
    dangling_reference,
    missing_choice,
    missing_node,
    not_applicable,
    not_unique,
    wrong_count,
)


class YangsonValidator:
    """One yangson data model with the modules of a schema."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        folders = sorted({str(FOLDER / module.file).rpartition("/")[0] for module in MODULES})
        self._model = DataModel(json.dumps(_library(schema)), folders)

    def validate(self, tree: Tree) -> list[ConfigError]:
        """The first constraint that a canonical tree violates."""
        root = self._model.from_raw(tree)
        try:
            root.validate()
        except ValidationError as error:
            return [self._error(error, tree)]
        except TypeError:
            # yangson 1.7.9 stumbles over its own message when a choice is missing.
            instance = _without_choice(root)
            node, path = self._place(instance, tree)
            return [missing_choice(self.schema, path, _choices(node, instance.value)[0])]
        return []

    def _error(self, error: ValidationError, tree: Tree) -> ConfigError:
        node, path = self._place(error.instance, tree)
        tag, message = error.tag or "", error.message or ""
        if tag == "missing-data":
            expected = message.removeprefix("expected ").removeprefix("one of ").split(", ")
            return self._missing(node, path, expected[0].strip("'"))
        if tag.endswith("member-not-allowed"):
            return not_applicable(f"{path}/{message}")
        if tag == "instance-required":
            return dangling_reference(path, error.instance.value)
        if tag.startswith("data-not-unique"):
            position = int(tag.rpartition(" ")[2])
            return not_unique(self._place(error.instance[position], tree)[1], [f"'{node.label}'"])
        if tag in ("too-few-elements", "too-many-elements"):
            return wrong_count(self.schema, path, tag)
        return broken_must(path, message or "A condition of the model is not satisfied.", tag)

    def _missing(self, parent: Node, path: str, label: str) -> ConfigError:
        """A container without presence is missing because something in it is."""
        node = _child(parent, label)
        if isinstance(node, Container) and not node.presence:
            for child in node.children.values():
                if isinstance(child, Leaf) and child.mandatory:
                    return missing_node(self.schema, f"{path}/{label}", child.label)
            if choices := _choices(node, ()):
                return missing_choice(self.schema, f"{path}/{label}", choices[0])
        return missing_node(self.schema, path, label.rpartition(":")[2])

    def _place(self, instance: InstanceNode, tree: Tree) -> tuple[Node, str]:
        """The schema node and the path of an instance, found along its JSON pointer."""
        node: Node = self.schema.top
        path = ""
        value: Any = tree
        for token in instance.json_pointer().split("/")[1:]:
            if isinstance(value, list):
                value = value[int(token)]
                if isinstance(node, List | LeafList):
                    path = entry_path(path, node, key_of(node, value))
            elif isinstance(node, Container | List):
                value = value[token]
                node = node.children[token]
                path = f"{path}/{token}"
        return node, path


def _child(parent: Node, label: str) -> Node | None:
    return parent.children.get(label) if isinstance(parent, Container | List) else None


def _choices(parent: Node, present: Collection[str]) -> list[str]:
    """The choices below a node that none of the members present makes."""
    children = parent.children.values() if isinstance(parent, Container | List) else ()
    made = {child.cases[0][0] for child in children if child.cases and child.label in present}
    return [child.cases[0][0] for child in children if child.cases and child.cases[0][0] not in made]


def _without_choice(instance: InstanceNode) -> InstanceNode:
    """The deepest instance that cannot be validated."""
    for child in _children(instance):
        try:
            child.validate(ValidationScope.syntax)
        except ValidationError:
            continue
        except TypeError:
            return _without_choice(child)
    return instance


def _children(instance: InstanceNode) -> Iterator[InstanceNode]:
    if isinstance(instance.value, dict):
        yield from (instance[name] for name in instance.value)
    elif isinstance(instance.value, list):
        yield from (instance[position] for position in range(len(instance.value)))


def _library(schema: Schema) -> dict[str, Any]:
    """YANG library data (RFC 7895) of the schema's modules."""
    used = [module for module in MODULES if schema.name in module.trees]
    entries = [
        {
            "name": module.name,
            "revision": module.revision,
            "namespace": module.namespace,
            "conformance-type": "implement" if module.name in schema.modules else "import",
            "submodule": [
                {"name": part.name, "revision": part.revision}
                for part in used
                if part.belongs_to == module.name
            ],
        }
        for module in used
        if not module.belongs_to
    ]
    return {"ietf-yang-library:modules-state": {"module-set-id": schema.name, "module": entries}}
