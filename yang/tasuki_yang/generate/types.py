"""Types of leaves as pyang sees them, turned into those of the schema."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import cast

from pyang.statements import Statement

from tasuki_yang.leaf import INTEGERS
from tasuki_yang.node import Bounds, BuiltIn, Format, Pattern, Type

_FORMATS: Mapping[tuple[str, str], Format] = {
    ("ietf-inet-types", "domain-name"): "lower-case",
    ("ietf-inet-types", "ipv4-address"): "ipv4-address",
    ("ietf-inet-types", "ipv4-address-no-zone"): "ipv4-address-no-zone",
    ("ietf-inet-types", "ipv4-prefix"): "ipv4-prefix",
    ("ietf-inet-types", "ipv6-address"): "ipv6-address",
    ("ietf-inet-types", "ipv6-address-no-zone"): "ipv6-address-no-zone",
    ("ietf-inet-types", "ipv6-prefix"): "ipv6-prefix",
    ("ietf-yang-types", "hex-string"): "lower-case",
    ("ietf-yang-types", "mac-address"): "lower-case",
    ("ietf-yang-types", "phys-address"): "lower-case",
    ("ietf-yang-types", "uuid"): "lower-case",
}
_LONGEST_STRING = 2**64 - 1


class ModuleError(Exception):
    """The YANG modules have errors, or use what the engines do not know."""


class Types:
    """The types of one tree; its modules decide which identities there are."""

    def __init__(self, modules: Iterable[Statement]) -> None:
        self._identities = [identity for module in modules for identity in module.search("identity")]

    def of_leaf(self, leaf: Statement) -> Type:
        """The type of a leaf or leaf-list."""
        return self._type(leaf.search_one("type"), leaf.i_module.i_modulename)

    def _type(self, statement: Statement, module: str) -> Type:
        chain = list(_chain(statement))
        base: str = chain[-1].arg
        match base:
            case "leafref":
                return self.of_leaf(statement.i_type_spec.i_target_node)
            case "union":
                members = (self._type(member, module) for member in chain[-1].search("type"))
                return Type("union", members=tuple(dict.fromkeys(members)))
            case "enumeration":
                return Type("enumeration", names=tuple(name for name, _ in statement.i_type_spec.enums))
            case "bits":
                bits = sorted(statement.i_type_spec.bits, key=lambda bit: cast("int", bit[1]))
                return Type("bits", names=tuple(name for name, _ in bits))
            case "identityref":
                bases = {used.i_identity for used in chain[-1].search("base")}
                return Type("identityref", names=tuple(self._derived(bases)), module=module)
            case "string":
                return Type(
                    "string", _format(chain), _bounds(chain, "length", 0, _LONGEST_STRING), _patterns(chain)
                )
        if base in INTEGERS:
            least, greatest = INTEGERS[base]
            bounds = _bounds(chain, "range", least, greatest) or Bounds(((least, greatest),))
            return Type(cast("BuiltIn", base), bounds=bounds)
        return Type(cast("BuiltIn", base))

    def _derived(self, bases: set[Statement]) -> Iterator[str]:
        """Identities derived from every one of the bases (RFC 7950 section 9.10.2)."""
        for identity in self._identities:
            if all(_is_derived(identity, base) for base in bases):
                yield f"{identity.i_module.i_modulename}:{identity.arg}"


def _is_derived(identity: Statement, base: Statement) -> bool:
    parents = [used.i_identity for used in identity.search("base")]
    return any(parent is base or _is_derived(parent, base) for parent in parents)


def _chain(statement: Statement) -> Iterator[Statement]:
    """The type statements from a leaf's own one down to that of the built-in type."""
    yield statement
    while statement.i_typedef is not None:
        statement = statement.i_typedef.search_one("type")
        yield statement


def _format(chain: list[Statement]) -> Format | None:
    for statement in chain:
        if (found := _format_of(statement)) is not None:
            return found
    return None


def _format_of(statement: Statement) -> Format | None:
    typedef = statement.i_typedef
    return None if typedef is None else _FORMATS.get((typedef.i_module.i_modulename, typedef.arg))


def _patterns(chain: list[Statement]) -> tuple[Pattern, ...]:
    """All patterns but those that a format stands for."""
    patterns = []
    for statement in chain:
        for pattern in statement.search("pattern"):
            modifier = pattern.search_one("modifier")
            patterns.append(
                Pattern(
                    python_expression(pattern.arg),
                    invert=modifier is not None,
                    message=_argument(pattern, "error-message"),
                    app_tag=_argument(pattern, "error-app-tag"),
                )
            )
        if _format_of(statement) not in (None, "lower-case"):
            break
    return tuple(patterns)


def _bounds(chain: list[Statement], keyword: str, lowest: int, highest: int) -> Bounds | None:
    """The restriction nearest to the leaf, which is the narrowest; min and max are those of the one below."""
    bounds = None
    for statement in reversed(chain):
        restriction = statement.search_one(keyword)
        if restriction is None:
            continue
        ends = {"min": lowest, "max": highest}
        parts = []
        for part in restriction.arg.split("|"):
            low, _, high = part.partition("..")
            low, high = low.strip(), (high or low).strip()
            parts.append(
                (ends[low] if low in ends else int(low, 0), ends[high] if high in ends else int(high, 0))
            )
        lowest, highest = parts[0][0], parts[-1][1]
        message, app_tag = _argument(restriction, "error-message"), _argument(restriction, "error-app-tag")
        bounds = Bounds(tuple(parts), message, app_tag)
    return bounds


def _argument(statement: Statement, keyword: str) -> str:
    found = statement.search_one(keyword)
    return "" if found is None else " ".join(found.arg.split())


def python_expression(pattern: str) -> str:
    """A YANG pattern (XML Schema Datatypes, appendix F) as an expression for `re.fullmatch`.

    Raises:
        ModuleError: it holds what Python has no equal for.
    """
    if re.search(r"\\[pPiIcCwWsSbB]|-\[", pattern):
        raise ModuleError(f"The pattern {pattern} has no equal in Python.")
    in_class = False
    expression = []
    for atom in re.findall(r"\\.|.", pattern, re.DOTALL):
        if not in_class and atom in "^$":
            expression.append(f"\\{atom}")
        elif not in_class and atom == ".":
            expression.append(r"[^\n\r]")
        else:
            expression.append(atom)
        in_class = atom == "[" or (in_class and atom != "]")
    return "".join(expression)
