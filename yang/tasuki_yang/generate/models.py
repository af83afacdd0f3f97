"""The typed models as Python source: one frozen pydantic class per container and list.

Attributes are the node names with underscores, aliases the RFC 7951 member names. What the YANG modules
guarantee about a valid document is what the types promise: what is always there has no None in its type.
"""

import keyword
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pydantic import BaseModel

from tasuki_yang.generate.yang import DataPath, Tree
from tasuki_yang.node import Container, Leaf, LeafList, List, Node, Type

_WIDTH = 110
_INTEGERS = ("int8", "int16", "int32", "uint8", "uint16", "uint32")


def models(tree: Tree) -> str:
    """Source of the classes of one tree, leaves of the tree first, its root last."""
    writer = _Writer(tree.descriptions)
    root = tree.schema.name.capitalize()
    writer.take_name(root)
    writer.write_class(root, tree.schema.top, (), f"The {tree.schema.name} tree.")
    return "\n\n\n".join(writer.classes) + "\n"


@dataclass(frozen=True)
class _Attribute:
    annotation: str
    default: str | None


class _Writer:
    def __init__(self, descriptions: Mapping[DataPath, str]) -> None:
        self.classes: list[str] = []
        self._descriptions = descriptions
        self._names: set[str] = set()

    def take_name(self, name: str) -> str:
        while name in self._names:
            name += "_"
        self._names.add(name)
        return name

    def write_class(self, name: str, node: Container | List, path: DataPath, description: str) -> None:
        lines = [f"class {name}(Model):", *_docstring(description)]
        for attribute, child in _attribute_names(node).items():
            lines += ["", *self._attribute(attribute, child, node, (*path, child.label))]
        self.classes.append("\n".join(lines))

    def _attribute(self, name: str, node: Node, parent: Container | List, path: DataPath) -> Iterator[str]:
        attribute = self._type(node, parent, path)
        default = attribute.default
        if name == node.label:
            assignment = "" if default is None else f" = {default}"
        else:
            names = f'validation_alias="{node.label}", serialization_alias="{node.label}"'
            first = "" if default is None else f"default={default}, "
            assignment = f" = Field({first}{names})"
        yield f"    {name}: {attribute.annotation}{assignment}"
        yield from _docstring(self._descriptions[path])

    def _type(self, node: Node, parent: Container | List, path: DataPath) -> _Attribute:
        match node:
            case Leaf():
                return _leaf(node, parent)
            case LeafList():
                values = ", ".join(_value(node.type, default) for default in node.defaults)
                return _Attribute(f"tuple[{_annotation(node.type)}, ...]", f"({values},)" if values else "()")
            case List():
                return _Attribute(f"tuple[{self._class(node, path)}, ...]", "()")
            case Container():
                name = self._class(node, path)
                if node.presence or (_has_mandatory(node) and _may_be_absent(node)):
                    return _Attribute(f"{name} | None", "None")
                return _Attribute(name, None if _has_mandatory(node) else f"{name}()")

    def _class(self, node: Container | List, path: DataPath) -> str:
        name = self.take_name("".join(_camel_case(label) for label in path))
        self.write_class(name, node, path, self._descriptions[path])
        return name


def _attribute_names(node: Container | List) -> Mapping[str, Node]:
    """Plain node names; with the module's name in front where two siblings of different modules clash."""
    plain = [_plain_name(label) for label in node.children]
    return {
        name if plain.count(name) == 1 else _python_name(label): child
        for name, (label, child) in zip(plain, node.children.items(), strict=True)
    }


def _plain_name(label: str) -> str:
    return _python_name(label.rpartition(":")[2])


def _python_name(label: str) -> str:
    name = label.replace(":", "_").replace("-", "_").replace(".", "_")
    return name + "_" if keyword.iskeyword(name) or hasattr(BaseModel, name) else name


def _camel_case(label: str) -> str:
    return "".join(word.capitalize() for word in _plain_name(label).split("_"))


def _may_be_absent(node: Leaf | Container) -> bool:
    return node.conditional or bool(node.cases)


def _has_mandatory(container: Container) -> bool:
    """Whether the container is always there in a valid document: something in it is (RFC 7950 section 3)."""
    return any(
        (isinstance(child, Leaf) and child.mandatory and not _may_be_absent(child))
        or (
            isinstance(child, Container)
            and not child.presence
            and not _may_be_absent(child)
            and _has_mandatory(child)
        )
        for child in container.children.values()
    )


def _leaf(leaf: Leaf, parent: Container | List) -> _Attribute:
    annotation = _annotation(leaf.type)
    is_key = isinstance(parent, List) and leaf.label in parent.keys
    if is_key or (leaf.mandatory and not _may_be_absent(leaf)):
        return _Attribute(annotation, None)
    if leaf.default is not None and not leaf.cases:
        return _Attribute(annotation, _value(leaf.type, leaf.default))
    return _Attribute(f"{annotation} | None", "None")


def _annotation(leaf_type: Type) -> str:
    match leaf_type.base:
        case base if base in _INTEGERS:
            return "int"
        case "int64" | "uint64":
            return "Int64"
        case "decimal64":
            return "Decimal"
        case "boolean":
            return "bool"
        case "empty":
            return "Empty"
        case "enumeration":
            return f"Literal[{', '.join(_quoted(name) for name in leaf_type.names)}]"
        case "union":
            members = dict.fromkeys(_annotation(member) for member in leaf_type.members)
            return " | ".join(members)
    return "str"


def _value(leaf_type: Type, default: str) -> str:
    """Source of a default. In a union the first member that can read it decides (RFC 7950 section 9.12)."""
    match leaf_type.base:
        case "boolean":
            return default.capitalize()
        case "decimal64":
            return f"Decimal({_quoted(default)})"
        case base if base in (*_INTEGERS, "int64", "uint64"):
            return str(int(default, 0))
        case "identityref":
            return _quoted(default if ":" in default else f"{leaf_type.module}:{default}")
        case "union":
            return _value(_first_reader(leaf_type, default), default)
    return _quoted(default)


def _first_reader(union: Type, default: str) -> Type:
    for member in union.members:
        if member.base in _INTEGERS and not default.lstrip("-").isdigit():
            continue
        if member.base == "boolean" and default not in ("true", "false"):
            continue
        if member.names and default not in member.names:
            continue
        return member
    return Type("string")


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _docstring(text: str) -> list[str]:
    """The first paragraph of a description."""
    paragraph = " ".join(text.split("\n\n", 1)[0].split()).replace("\\", "\\\\").replace('"', "'")
    if not paragraph:
        return []
    wrapped = textwrap.wrap(f'"""{paragraph}"""', _WIDTH - 4)
    return [f"    {line}" for line in wrapped]
